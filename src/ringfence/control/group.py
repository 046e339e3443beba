"""Changes that become durable together: many clients at a time wait for the disk once, not in turn.

Each change is judged against what the one before it left, and written into one transaction of the store as a revision
of its own. Whoever comes first to wait for the disk commits what is there, for all; nobody is answered before.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

from ringfence.resources.resource import ResourceChange
from ringfence.resources.state import State
from ringfence.store.rows import Revision
from ringfence.store.store import Store


@dataclass(frozen=True, slots=True)
class Step:
    """A revision as those who follow need it: the state before and after it, and the changes between."""

    before: State
    after: State
    changes: tuple[ResourceChange, ...]
    revision: Revision


class Group:
    """A transaction of the store that is open, and the changes in it. Not for several threads at a time."""

    def __init__(self, store: Store) -> None:
        self._open = ExitStack()
        self.writer = self._open.enter_context(store.writing())
        self.steps: list[Step] = []
        self.used = False
        """Whether anything is written that somebody waits for."""
        self.over = False
        """Whether it is committed, or given up."""
        self.error: BaseException | None = None
        """Why it was given up."""

    def commit(self, advance: Callable[[Step], None]) -> None:
        """Make all of it durable, and then known, before others may write; what goes wrong is kept in ``error``."""
        try:
            with self._open:
                self.writer.finish()
                for step in self.steps:
                    advance(step)
        except BaseException as error:
            self.error = error
        self.over = True

    def give_up(self, error: BaseException | None = None) -> None:
        """Write nothing of it."""
        self.error, self.over = error, True
        self._open.close()
