"""A lab whose drops are recorded, and what the tests hear from it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from ringfence.analysis.records.drops import DropRecord
from ringfence.lab.drops import Drops, Line, Skipped, ensure_recorder
from ringfence.lab.lab import Lab

PATIENCE = 20.0


class Told:
    """What the recorder of a lab has written since this was made."""

    def __init__(self, lab: Lab, drops: Drops) -> None:
        self._lab, self._drops = lab, drops
        drops.skip()

    def until(self, enough: Callable[[list[Line]], bool]) -> list[Line]:
        """Wait until what was written is enough; then everything."""
        found: list[Line] = []
        deadline = time.monotonic() + PATIENCE
        while not enough(found):
            assert time.monotonic() < deadline, f"only {len(found)} lines: {found[-3:]}"
            time.sleep(0.02)
            found += self._drops.new()
        return found

    def records(self, count: int) -> list[DropRecord]:
        """Wait for so many records."""
        lines = self.until(lambda found: len(found) >= count)
        return [line for line in lines if isinstance(line, DropRecord)]


@contextmanager
def told(lab: Lab) -> Iterator[Told]:
    """Hear what is recorded from here on."""
    ensure_recorder(lab.names)
    with closing(Drops(lab.names)) as drops:
        yield Told(lab, drops)


def dropped(lines: list[Line]) -> int:
    """How many packets were dropped, with a record or without."""
    return sum(line.packets if isinstance(line, Skipped) else 1 for line in lines)
