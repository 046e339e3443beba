"""What an agent keeps on disk of what it enforces, for a start without its server.

The file is the state at some revision, a resource a line, and then a line for each revision that followed. A revision
is written before it is enforced: what is on disk is never older than what is in the kernel, so that no restart goes
back. The first line says how many resources follow, and every line ends in a newline: a part is not taken for the
whole.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from ringfence.agent.source import News, Snapshot
from ringfence.errors import CannotRun, RingfenceError
from ringfence.model.world import World
from ringfence.resources.kind import IDENTITY
from ringfence.resources.resource import Resource, ResourceChange
from ringfence.resources.state import State

_WHAT = "ringfence agent"
_BAD = (ValueError, KeyError, TypeError, AttributeError, RingfenceError)
_SMALL = 1 << 20  # bytes of revisions that are never too many


class KeptFile:
    """The file. Not for several threads at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: IO[bytes] | None = None
        self._snapshot_bytes = self._bytes = 0
        self._dirty = False

    def read(self) -> Snapshot | None:
        """What was enforced last, of which store; None where there is no file. Raises `CannotRun` for a broken one."""
        try:
            text = self.path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._unusable(f"cannot be read: {error.strerror}") from None
        try:
            store, states = _states(text)
            return Snapshot(store, states[-1])
        except _BAD as error:
            raise self._unusable(f"is not whole, or no state of an agent ({error})") from None

    def worlds(self) -> tuple[World | None, tuple[World, ...]]:
        """The world that was in force, and those to which it may have been changing when the agent ended.

        Nothing of either where there is no file, or a broken one, which `read` tells of.
        """
        try:
            *before, last = _states(self.path.read_bytes())[1][-2:]
        except (OSError, *_BAD):
            return None, ()
        return (before[0].world, (last.world,)) if before else (last.world, ())

    def begin(self, snapshot: Snapshot) -> None:
        """Keep a state in place of all that was kept; whole or not at all."""
        self.close()
        lines = [each.text() for each in snapshot.state.resources.values() if each.kind not in IDENTITY]
        head = {
            "what": _WHAT,
            "store": snapshot.store,
            "revision": snapshot.state.revision,
            "resources": len(lines),
        }
        fresh = self.path.with_name(f"{self.path.name}.new")
        file = os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb")
        file.write("\n".join([json.dumps(head), *lines, ""]).encode())
        file.flush()
        os.fsync(file.fileno())
        fresh.rename(self.path)
        self._file, self._snapshot_bytes, self._bytes = file, file.tell(), 0

    def add(self, news: News) -> None:
        """Keep a revision that follows on what is kept. A kill does not lose it; a power failure may, until `flush`."""
        if self._file and news.changes:
            self._dirty = True
            changes = [[_json(change.before), _json(change.after)] for change in news.changes]
            line = json.dumps([news.revision, changes], ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
            self._file.write(line)
            self._file.flush()
            self._bytes += len(line)

    @property
    def is_long(self) -> bool:
        """Whether it is time to `begin` anew: there are more bytes of revisions than of the state before them."""
        return self._bytes > max(self._snapshot_bytes, _SMALL)

    def flush(self) -> None:
        """Have the disk keep what was added."""
        if self._file and self._dirty:
            os.fsync(self._file.fileno())
            self._dirty = False

    def close(self) -> None:
        """Let go of the file."""
        if self._file:
            self._file.close()
        self._file = None

    def forget(self) -> None:
        """Keep nothing any more, until the next `begin`."""
        with suppress(OSError):
            self.close()
        self._file = None
        with suppress(OSError):
            self.path.unlink(missing_ok=True)

    def _unusable(self, what: str) -> CannotRun:
        return CannotRun(f"the kept state {self.path} {what}; remove it, and have the server be reached")


def _json(resource: Resource | None) -> dict[str, Any] | None:
    return resource.as_json() if resource else None


def _states(text: bytes) -> tuple[str, list[State]]:
    """The id of the store, and the last two states; raises one of ``_BAD``."""
    if not text.endswith(b"\n"):
        raise ValueError("its last line is cut off")
    first, *lines = text.decode().split("\n")[:-1]
    head = json.loads(first)
    if head["what"] != _WHAT or len(lines) < head["resources"]:
        raise ValueError(f"{len(lines)} lines follow on the first one, which says {head['resources']}")
    states = [State.of(head["revision"], map(Resource.parse, lines[: head["resources"]]))]
    for news in _revisions(lines[head["resources"] :]):
        states = [states[-1], states[-1].after(news.revision, news.changes)]
    return head["store"], states


def _revisions(lines: Iterable[str]) -> Iterator[News]:
    for line in lines:
        number, pairs = json.loads(line)
        yield News(
            number, tuple(ResourceChange(old and Resource.of(old), new and Resource.of(new)) for old, new in pairs)
        )
