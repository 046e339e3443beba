"""Addresses that nothing tells apart: the runs between the places where something that is named begins or ends."""

from __future__ import annotations

import hashlib
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate
from operator import xor

from ringfence.analysis.sets.diagram import joined
from ringfence.model.address import Address, AddressRange, Family

Ranges = tuple[AddressRange, ...]
"""What one name means, such as the entries of an address group."""


class Segments:
    """Which of some sets of ranges an address lies in, as a number: equal numbers, same sets (but for 2^-128)."""

    def __init__(self, sets: Iterable[Ranges]) -> None:
        self._starts: dict[Family, list[int]] = {}
        self._marks: dict[Family, list[int]] = {}
        turns: Mapping[Family, dict[int, int]] = {family: defaultdict(int) for family in Family}
        for each in set(sets):
            mark = int.from_bytes(hashlib.sha256(" ".join(map(str, each)).encode()).digest()[:16])
            for family, own in turns.items():
                for first, last in joined((it.first, it.last) for it in each if it.family is family):
                    own[first] ^= mark
                    own[last + 1] ^= mark
        for family, found in turns.items():
            starts = self._starts[family] = sorted({0, *found})
            self._marks[family] = list(accumulate((found.get(start, 0) for start in starts), xor))

        self._index()

    def _index(self) -> None:
        self._runs = [(self._starts[family], self._marks[family]) for family in Family]  # hashing a family takes long

    def with_more(self, more: Segments) -> Segments:
        """Those of these sets and of others, none of which is among these."""
        made = Segments(())
        for family in Family:
            starts = made._starts[family] = sorted({*self._starts[family], *more._starts[family]})
            made._marks[family] = [self._at(family, each) ^ more._at(family, each) for each in starts]
        made._index()
        return made

    def _at(self, family: Family, value: int) -> int:
        return self._marks[family][bisect_right(self._starts[family], value) - 1]

    def mark(self, address: Address) -> int:
        """The number of an address."""
        starts, marks = self._runs[address.family is Family.IPV6]
        return marks[bisect_right(starts, address.value) - 1]

    def within(self, whole: AddressRange) -> Iterator[tuple[int, AddressRange]]:
        """The runs that make up a range, each with its number."""
        starts, marks = self._starts[whole.family], self._marks[whole.family]
        begin, end = bisect_right(starts, whole.first) - 1, bisect_left(starts, whole.last + 1)
        for index in range(begin, end):
            last = starts[index + 1] - 1 if index + 1 < len(starts) else whole.family.top
            yield marks[index], AddressRange(whole.family, max(starts[index], whole.first), min(last, whole.last))

    def marks(self, whole: AddressRange) -> list[int]:
        """The numbers of the runs that make up a range."""
        starts, marks = self._runs[whole.family is Family.IPV6]
        return marks[bisect_right(starts, whole.first) - 1 : bisect_left(starts, whole.last + 1)]
