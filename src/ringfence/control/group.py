"""Changes that become durable together: many clients at a time wait for the disk once, not in turn.

Each change is judged against what the one before it left, and written into one transaction of the store as a revision
of its own. Whoever finds that nobody else wants to make a change commits what is there, for all; nobody is answered
before.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

from ringfence.resources.resource import ResourceChange
from ringfence.resources.state import State
from ringfence.store.rows import Revision
from ringfence.store.store import Store

MOST = 32
"""So many changes a group has: whoever came first is not to wait for an endless row of others."""
LONGEST = 0.25
"""For so many seconds others may join whoever is done: to apply a large file takes longer than the disk."""


@dataclass(frozen=True, slots=True)
class Step:
    """A revision as those who follow need it: the state before and after it, and the changes between."""

    before: State
    after: State
    changes: tuple[ResourceChange, ...]
    revision: Revision


class Group:
    """A transaction of the store that is open, and the changes in it: one thread at a time makes them, any may wait."""

    def __init__(self, store: Store) -> None:
        self._open = ExitStack()
        self.writer = self._open.enter_context(store.writing())
        self.steps: list[Step] = []
        self.joined = 0
        """How many have made their changes in it, in vain or not."""
        self._used: float | None = None  # since when
        self._over = threading.Event()
        self._error: BaseException | None = None

    @property
    def over(self) -> bool:
        """Whether it is committed, or given up."""
        return self._over.is_set()

    @property
    def used(self) -> bool:
        """Whether anything is written that somebody waits for."""
        return self._used is not None

    def use(self) -> None:
        """Say that somebody waits for it from now on, at the latest."""
        self._used = self._used or time.monotonic()

    @property
    def has_room(self) -> bool:
        """Whether another change may join."""
        return self.joined < MOST and (self._used is None or time.monotonic() - self._used < LONGEST)

    def commit(self, advance: Callable[[Step], None]) -> None:
        """Make all of it durable, and then known, before others may write; what goes wrong `wait` tells."""
        try:
            with self._open:
                self.writer.finish()
                for step in self.steps:
                    advance(step)
        except BaseException as error:
            self._error = error
        self._over.set()

    def give_up(self, error: BaseException | None = None) -> None:
        """Write nothing of it; `wait` tells why."""
        self._error = error
        self._open.close()
        self._over.set()

    def wait(self) -> None:
        """Wait until it is durable. Raises why it could not be made so."""
        self._over.wait()
        if self._error:
            raise self._error
