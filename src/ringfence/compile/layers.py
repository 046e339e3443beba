"""Layers: boxes that overlap, put into maps in which nothing overlaps.

The kernel refuses overlapping elements in one interval map. So each box goes to the first layer after every stronger
box that it overlaps; layers are looked up one after the other, and the first that holds the packet decides. That keeps
not only the verdict but also the name: the element that matches is that of the rule which `evaluate` names.

Overlap is found with bitsets (Python integers, one bit a box), one dimension after the other: n boxes cost n bitset
operations of n bits, which is what makes a policy of a thousand rules compile in milliseconds.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate
from operator import or_

from ringfence.compile.boxes import Box, Interval

Layer = tuple[Box, ...]
"""Boxes of which no two overlap, in ascending order of their intervals."""


def layers_of(boxes: Sequence[Box]) -> tuple[Layer, ...]:
    """Put boxes, strongest first, into as few layers as their overlaps allow; those that can decide nothing vanish.

    A box vanishes if one stronger box covers it.
    """
    if len(boxes) == 1:
        return ((boxes[0],),)
    dimensions = [_Dimension(intervals) for intervals in zip(*(box.intervals for box in boxes), strict=True)]
    members: list[int] = []  # of each layer, as a bitset
    alive = plain = 0
    for index, box in enumerate(boxes):
        stronger = alive
        covering = alive & plain  # what an address group holds is not known here
        for dimension, interval in zip(dimensions, box.intervals, strict=True):
            covering &= dimension.covering(interval)
            stronger &= dimension.overlapping(interval)
        if covering:
            continue
        depth = next((depth for depth in range(len(members), 0, -1) if members[depth - 1] & stronger), 0)
        if depth == len(members):
            members.append(0)
        members[depth] |= 1 << index
        alive |= 1 << index
        plain |= box.is_plain << index
    return tuple(_layer(boxes, bits) for bits in members)


def _layer(boxes: Sequence[Box], bits: int) -> Layer:
    return tuple(sorted(boxes[index] for index in range(bits.bit_length()) if bits >> index & 1))


class _Dimension:
    """One dimension of all boxes: which of them overlap or cover an interval, as bitsets."""

    def __init__(self, intervals: Sequence[Interval]) -> None:
        by_first = sorted((first, 1 << index) for index, (first, _) in enumerate(intervals))
        by_last = sorted((last, 1 << index) for index, (_, last) in enumerate(intervals))
        self._firsts = [first for first, _ in by_first]
        self._lasts = [last for last, _ in by_last]
        self._begun = list(accumulate((bit for _, bit in by_first), or_, initial=0))
        self._ended = list(accumulate((bit for _, bit in by_last), or_, initial=0))
        self._overlapping: dict[Interval, int] = {}
        self._covering: dict[Interval, int] = {}

    def overlapping(self, interval: Interval) -> int:
        """The boxes that share a value with the interval."""
        if interval not in self._overlapping:
            self._overlapping[interval] = self._between(interval[1], interval[0])
        return self._overlapping[interval]

    def covering(self, interval: Interval) -> int:
        """The boxes that hold the whole interval."""
        if interval not in self._covering:
            self._covering[interval] = self._between(interval[0], interval[1])
        return self._covering[interval]

    def _between(self, first_at_most: int, last_at_least: int) -> int:
        begun = self._begun[bisect_right(self._firsts, first_at_most)]
        return begun & ~self._ended[bisect_left(self._lasts, last_at_least)]
