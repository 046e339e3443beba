"""What the lists at one end of a path let pass to each class of far ends, for all far ends at once.

A sieve says for each set of services which far ends it holds for: services exactly, as diagrams, and far ends as the
bits of a number. So a list costs what its lines cost, times the few different answers that it has.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from functools import reduce
from operator import or_
from typing import NamedTuple

from ringfence.analysis.sets.diagram import NOTHING, Diagram

Sieve = dict[Diagram, int]
"""Services, and the far ends (as bits) with which they pass. No far end comes twice; those without any are left out."""


class SieveLine(NamedTuple):
    """A line of a decision list as seen from one near end."""

    services: Diagram
    far: int
    allow: bool


class Sieves:
    """Makes and joins sieves; remembers what it found for services, of which there are few different ones.

    ``named`` is for the services of one family that lines and lists name, by whatever names them.
    """

    def __init__(self) -> None:
        self.named: dict[Hashable, Diagram] = {}
        self._both: dict[tuple[Diagram, Diagram], Diagram] = {}
        self._steps: dict[tuple[Diagram, Diagram, bool], Diagram] = {}

    def of(self, lines: Sequence[SieveLine], everybody: int) -> Sieve:
        """What an ordered list allows, the first match deciding: so each line overrides those behind it."""
        found: Sieve = {NOTHING: everybody}
        for services, far, allow in reversed(lines):
            moved: list[tuple[Diagram, int]] = []
            for allowed, ends in found.items():
                if hit := ends & far:
                    after = self._step(allowed, services, allow)
                    if after is not allowed:
                        moved.append((after, hit))
                        found[allowed] = ends ^ hit
            for after, hit in moved:
                found[after] = found.get(after, 0) | hit
        return {services: ends for services, ends in found.items() if ends and services}

    def _step(self, allowed: Diagram, services: Diagram, allow: bool) -> Diagram:
        key = allowed, services, allow
        found = self._steps.get(key)
        if found is None:
            after = allowed | services if allow else allowed - services
            found = self._steps[key] = allowed if after == allowed else after
        return found

    def both(self, one: Diagram, two: Diagram) -> Diagram:
        """The services that are in both."""
        found = self._both.get((one, two))
        if found is None:
            found = self._both[one, two] = one & two
        return found

    def meet(self, one: Sieve, two: Sieve) -> Sieve:
        """What both let pass."""
        if len(one) > len(two):
            one, two = two, one
        pairs = ((first, second, ends & far) for first, ends in one.items() for second, far in two.items())
        return joined((self.both(first, second), hit) for first, second, hit in pairs if hit)


def joined(parts: Iterable[tuple[Diagram, int]]) -> Sieve:
    """A sieve of parts of which no two have a far end in common."""
    found: Sieve = {}
    for services, ends in parts:
        if ends and services:
            found[services] = found.get(services, 0) | ends
    return found


class Columns:
    """The sieves of many near ends, seen from the far ends: what each of these gets from which near ends.

    Most near ends send the same to nearly everybody, or something to a few: of each only what is less is written out.
    """

    def __init__(self, rows: Iterable[tuple[int, Sieve]]) -> None:
        by_services: dict[Diagram, dict[int, int]] = {}
        for place, sieve in rows:
            for services, far in sieve.items():
                alike = by_services.setdefault(services, {})
                alike[far] = alike.get(far, 0) | 1 << place
        self._found = {services: _Column(alike) for services, alike in by_services.items()}

    def to(self, far: int) -> Sieve:
        """What comes to the far end at a place, by the near ends that it comes from."""
        return joined((services, column.to(far)) for services, column in self._found.items())


class _Column:
    def __init__(self, alike: dict[int, int]) -> None:
        self._far = reduce(or_, alike)
        self._most = 0
        self._but: dict[int, int] = {}
        self._also: dict[int, int] = {}
        for far, near in alike.items():
            others = self._far ^ far
            is_most = others.bit_count() <= far.bit_count()
            self._most |= near if is_most else 0
            places, kept = (others, self._but) if is_most else (far, self._also)
            for place in bits(places):
                kept[place] = kept.get(place, 0) | near

    def to(self, far: int) -> int:
        return self._most & ~self._but.get(far, 0) | self._also.get(far, 0) if self._far >> far & 1 else 0


def passing(sieve: Sieve, far: int) -> Diagram:
    """What passes with the far end at a place."""
    return next((services for services, ends in sieve.items() if ends >> far & 1), NOTHING)


def bits(number: int) -> Iterable[int]:
    """The places at which a number has a bit, in ascending order."""
    text = bin(number)[:1:-1]
    place = text.find("1")
    while place >= 0:
        yield place
        place = text.find("1", place + 1)
