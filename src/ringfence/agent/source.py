"""Where an agent learns what to enforce: from the service in the same process, or over HTTP from a server."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from ringfence.control.control import Control
from ringfence.resources.kind import IDENTITY
from ringfence.resources.resource import ResourceChange, squashed
from ringfence.resources.state import State


@dataclass(frozen=True, slots=True)
class News:
    """What changed from one revision to a later one; no ``changes``: nothing that is enforced."""

    revision: int
    changes: tuple[ResourceChange, ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that is enforced, at the newest revision. ``store`` is the id of the store whose revisions these are."""

    store: str
    state: State


class Source(Protocol):
    """What an agent follows. A source raises `RingfenceError` where it cannot be reached, or refuses."""

    def snapshot(self) -> Snapshot:
        """All resources that are enforced, at the newest revision."""

    def news(self, store: str, after: int, timeout: float) -> News | None:
        """What changed after a revision of a store, waiting for it so many seconds; None if nothing did.

        Raises `Lost` if that is not known any more, or it is another store: then a snapshot is needed.
        """

    def report(self, agent: str, revision: int, status: str, detail: str) -> None:
        """Tell what is enforced."""

    def close(self) -> None:
        """Let go of it."""


class Lost(Exception):
    """The source no longer knows what changed since then: take a snapshot."""


class LocalSource:
    """The service in the same process."""

    def __init__(self, control: Control) -> None:
        self._control = control

    def snapshot(self) -> Snapshot:
        """See `Source`."""
        return Snapshot("", self._control.state)

    def news(self, store: str, after: int, timeout: float) -> News | None:
        """See `Source`."""
        if not self._control.wait(after, timeout):
            return None
        steps = self._control.steps(after)
        if steps is None:
            raise Lost
        return combined((step.revision.number, step.changes) for step in steps)

    def report(self, agent: str, revision: int, status: str, detail: str) -> None:
        """See `Source`."""
        self._control.enforcement.report(agent, revision, status, detail)

    def close(self) -> None:
        """See `Source`."""


def combined(revisions: Iterable[tuple[int, Iterable[ResourceChange]]]) -> News | None:
    """Several revisions as one step: an agent that is behind need not take each."""
    number, changes = 0, []
    for number, made in revisions:  # noqa: B007  # the last number counts
        changes += [change for change in made if change.key.kind not in IDENTITY]
    return News(number, squashed(changes)) if number else None
