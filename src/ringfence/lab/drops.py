"""The drop records of a lab: a process that writes them as long as the lab is up, and the reading of its file.

Somebody has to listen when a packet is dropped, or nobody will ever know why. The recorder lives in a namespace of the
lab, so that ``down`` finds it, and holds a lock by which others see that it is there.
"""

from __future__ import annotations

import fcntl
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from ringfence.analysis.records.drops import DropRecord
from ringfence.backends.netns import inside
from ringfence.errors import CannotRun, NotationError
from ringfence.lab.names import LabNames

_PATIENCE = 20.0  # seconds for a recorder to start, on a busy machine
_TURN = 0.1  # seconds between two looks at a file


class Skipped(NamedTuple):
    """So many packets were dropped in a VPC without a record: there were more than the log's rate lets through."""

    time: float
    vpc: str
    packets: int

    def as_json(self) -> dict[str, object]:
        """For programs."""
        return {"time": round(self.time, 6), "vpc": self.vpc, "skipped": self.packets}

    def __str__(self) -> str:
        what = "1 more packet was" if self.packets == 1 else f"{self.packets} more packets were"
        return f"{what} dropped without a record: more than the drop log takes"


Line = DropRecord | Skipped


def drops_file(names: LabNames) -> Path:
    """Where the recorder writes: a JSON object a line. What no longer fits there is in the file of `older`."""
    return names.directory / "drops.jsonl"


def older(file: Path) -> Path:
    """The file that was full before this one."""
    return file.with_name(file.name + ".1")


def lock_file(names: LabNames) -> Path:
    """What the recorder holds a lock on while it records."""
    return names.directory / "recorder.lock"


def is_recorded(names: LabNames) -> bool:
    """Whether a recorder is at work."""
    try:
        descriptor = os.open(lock_file(names), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def start_recorder(names: LabNames) -> int | None:
    """Start the recorder, and give its process id; None if there is one already."""
    return None if is_recorded(names) else _start(names, _log(names))


def wait_for_recorder(names: LabNames, process: int | None) -> None:
    """Wait until the recorder that was started records; raises `CannotRun` with what it had to say if it cannot."""
    deadline = time.monotonic() + _PATIENCE
    while process is not None and not is_recorded(names):
        ended, _ = os.waitpid(process, os.WNOHANG)
        if (ended and not is_recorded(names)) or time.monotonic() > deadline:
            said = _log(names).read_text(errors="replace").strip().splitlines()
            raise CannotRun(f"the drops of lab {names.lab!r} are not recorded: {(said or ['it does not start'])[-1]}")
        time.sleep(_TURN / 10)


def ensure_recorder(names: LabNames) -> bool:
    """Have drops recorded from now on; whether they were not before. Raises `CannotRun`."""
    process = start_recorder(names)
    wait_for_recorder(names, process)
    return process is not None


def _log(names: LabNames) -> Path:
    return names.directory / "recorder.log"


def _start(names: LabNames, log: Path) -> int:
    null = (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDWR, 0)
    outputs = [
        (os.POSIX_SPAWN_DUP2, 0, 1),
        (os.POSIX_SPAWN_OPEN, 2, str(log), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
    ]
    command = [sys.executable, "-P", "-m", "ringfence.lab.recorder", names.lab]
    with inside(names.internet):  # from its first moment on
        return os.posix_spawn(command[0], command, os.environ, file_actions=[null, *outputs], setsid=True)


class Drops:
    """Reads the records of a lab as they are written, from the first one that is still there."""

    def __init__(self, names: LabNames) -> None:
        self._path = drops_file(names)
        self._file = -1
        self._rest = b""
        self._old = [line for line in _lines(_content(older(self._path))) if line]

    def skip(self) -> None:
        """Pass over what is there already."""
        self.new()

    def new(self) -> list[Line]:
        """What has been written since the last call."""
        found, self._old = self._old, []
        while True:
            found += self._read()
            if not self._is_full():
                return found
            os.close(self._file)
            self._file, self._rest = -1, b""

    def follow(self) -> Iterator[Line]:
        """What there is and what comes, for ever."""
        while True:
            yield from self.new()
            time.sleep(_TURN)

    def _read(self) -> list[Line]:
        if self._file < 0:
            try:
                self._file = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                return []
        data = self._rest
        while chunk := os.read(self._file, 1 << 20):
            data += chunk
        whole, _, self._rest = data.rpartition(b"\n")
        return list(_lines(whole))

    def _is_full(self) -> bool:
        """Whether what we read has become the older file, and there is a new one."""
        if self._file < 0:
            return False
        try:
            return not os.path.samestat(os.fstat(self._file), self._path.stat())
        except FileNotFoundError:
            return False

    def close(self) -> None:
        """Close the file."""
        if self._file >= 0:
            os.close(self._file)
        self._file = -1


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return b""


def _lines(data: bytes) -> Iterator[Line]:
    """The records in some lines, but those that a crash has cut off."""
    for line in data.splitlines():
        try:
            yield _line(json.loads(line))
        except (ValueError, KeyError, NotationError):
            continue


def _line(told: Mapping[str, object]) -> Line:
    if "skipped" in told:
        return Skipped(float(str(told["time"])), str(told["vpc"]), int(str(told["skipped"])))
    return DropRecord.from_json(told)
