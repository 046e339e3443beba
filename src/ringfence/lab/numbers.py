"""Source ports and ICMP ids for probes: none is used twice while conntrack may remember it.

A packet whose tuple is that of a connection which conntrack still knows is no first packet: it passes whatever the
rules say. So numbers come from a range of their own, beside the one that ordinary programs draw from, and go round it;
the next one stands in a file of the lab, because the next probe may be another process's.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Collection
from pathlib import Path

from ringfence.errors import ProbeFailed

NUMBERS = range(33000, 48000)
"""What probes use."""
GUEST_PORTS = range(50000, 61000)
"""What Linux gives to programs in a lab. Both are ephemeral ports to a rule (`ringfence.model.flow.EPHEMERAL`)."""


class SourceNumbers:
    """Gives out numbers; calls ``forget`` when the range is used up, which must make conntrack forget all probes."""

    def __init__(self, file: Path, forget: Callable[[], None]) -> None:
        self._file = file
        self._forget = forget
        self._avoid: frozenset[int] = frozenset()

    def avoid(self, ports: Collection[int], unfit: Collection[int] = ()) -> None:
        """Do not give out ``ports``, because packets go to them or come from them by name, nor what is ``unfit``.

        Otherwise the answer's tuple of one probe could be another's first. If one of the ports may have been given out
        earlier, conntrack forgets that. Raises `ProbeFailed` if nothing is left to give out.
        """
        asked = frozenset(port for port in ports if port in NUMBERS)
        if asked:
            self._forget()
        self._avoid = asked.union(unfit)
        if self._avoid.issuperset(NUMBERS):
            raise ProbeFailed("no source port is left to send from; ask for fewer ports at a time")

    def take(self) -> int:
        """The next number."""
        descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            number = self._next(int(os.pread(descriptor, 16, 0) or NUMBERS.start))
            os.pwrite(descriptor, b"%05d" % (number + 1), 0)
        finally:
            os.close(descriptor)
        return number

    def _next(self, number: int) -> int:
        while number not in NUMBERS or number in self._avoid:
            number += 1
            if number not in NUMBERS:
                self._forget()
                number = NUMBERS.start
        return number
