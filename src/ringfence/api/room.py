"""Rooms for requests that take seconds: few at once, so that nobody else waits for them.

What they work out takes the processor and a thread each, or they wait in a thread until something is so. As many as
somebody likes to send would leave no thread to those who want to make a change: so each room has threads of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final, TypeVar

from anyio import CapacityLimiter, to_thread

PLACES = 2
"""So many work something out at once: Python runs one at a time, and hands over to short requests every few ms."""
WAITING, WAITING_EACH = 256, 8
"""So many wait at once, and so many of one account."""

Found = TypeVar("Found")


@dataclass(slots=True)
class _Turn:
    """Whose turn of an account's requests it is, and how many want it."""

    places: asyncio.Semaphore
    wanted: int = 0


class Room:
    """For the requests of one event loop: so many at once, and ``each`` of one account."""

    def __init__(self, places: int, each: int) -> None:
        self._each: Final = each
        self._threads = CapacityLimiter(places)
        self._turns: dict[str, _Turn] = {}

    async def run(self, account: str, work: Callable[[], Found]) -> Found:
        """Have something done in a thread, after the account's earlier requests and when there is a place."""
        turn = self._turns.setdefault(account, _Turn(asyncio.Semaphore(self._each)))
        turn.wanted += 1
        try:
            async with turn.places:
                return await to_thread.run_sync(work, limiter=self._threads)
        finally:
            turn.wanted -= 1
            if not turn.wanted:
                del self._turns[account]


@dataclass(frozen=True)
class Rooms:
    """The rooms of an app."""

    working: Room = field(default_factory=partial(Room, PLACES, 1))
    """For what is worked out."""
    judged: Room = field(default_factory=partial(Room, WAITING, 1))
    """For what waits for its turn to be worked out."""
    waiting: Room = field(default_factory=partial(Room, WAITING, WAITING_EACH))
    """For what waits until something is in force."""
