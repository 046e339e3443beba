"""Room for requests that take seconds: few at once, of an account one, so that nobody else waits for them.

What they work out takes the processor and a thread each. As many as somebody likes to send would leave no thread
to those who want to make a change.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

PLACES = 2
"""So many run at once: Python runs one at a time, and hands over to short requests every few milliseconds."""


@dataclass(slots=True)
class _Turn:
    """Whose turn of an account's requests it is, and how many want it."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    wanted: int = 0


class Room:
    """For the requests of one event loop."""

    def __init__(self, places: int = PLACES) -> None:
        self._places = asyncio.Semaphore(places)
        self._turns: dict[str, _Turn] = {}

    @asynccontextmanager
    async def of(self, account: str) -> AsyncIterator[None]:
        """A place for the block, after the account's earlier requests and when there is one."""
        turn = self._turns.setdefault(account, _Turn())
        turn.wanted += 1
        try:
            async with turn.lock, self._places:
                yield
        finally:
            turn.wanted -= 1
            if not turn.wanted:
                del self._turns[account]
