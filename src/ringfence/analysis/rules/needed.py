"""Which lines of a decision list decide anything, and which would be missed: exact, and without making sets of packets.

Whether a line would be missed in a row of the grid is found by walking on from it: those of its services that are left
meet the next line, and if that decides otherwise, it would.

Who is in which group is free, so to show that a line would be missed the far end may be in none, or in the one group
that helps most: each group more could only bring a line that comes earlier. So beside the lines that match for sure,
those *lead* that are the first of their group.

It says what `ringfence.analysis.rules.lists` says of the same list, some hundred times as fast where many prefixes and
port ranges overlap; a law of the tests holds them together.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ringfence.analysis.rules.grid import Grid, Ranges, grids
from ringfence.analysis.rules.lists import OPPOSITE
from ringfence.model.rule import Action
from ringfence.policy.decisions import Decision

_Leads = tuple[list[int], list[int]]
"""The numbers of lines, in their order, and the services for which they are the first of their group."""


@dataclass(slots=True)
class Need:
    """Of a line: whether it decides any packet, and whether any would be judged otherwise without it."""

    decides: bool = False
    missed: bool = False


def needs(listed: Sequence[Decision], ranges: Ranges) -> list[Need]:
    """What becomes of each line of a list whose last matches everything; all of them are plain."""
    found = [Need() for _ in listed]
    for grid in grids(listed, ranges):
        _Walk(grid, found).all()
    return found


class _Walk:
    """One family of a list."""

    def __init__(self, grid: Grid, found: list[Need]) -> None:
        self._grid, self._found = grid, found
        self._leads = {kind: self._leading(own) for kind, own in grid.kinds.items()}
        self._by_action = {action: _merged(self._leads.values(), grid.actions, action) for action in Action}

    def all(self) -> None:
        """Note what is found."""
        services = self._grid.services
        for row in self._grid.rows:
            covered = 0
            for place, line in enumerate(row):
                self._note(line, services[line] & ~covered, row[place + 1 :])
                covered |= services[line]
        for kind, own in self._grid.kinds.items():
            self._group(own, set(self._leads[kind][0]))

    def _group(self, own: list[int], leading: set[int]) -> None:
        """The lines of one kind of membership, in every row. No other line of it leads where one of them decides."""
        services = self._grid.services
        for row in self._grid.rows:
            if all(self._found[line].missed for line in leading):
                return
            both = sorted([*row, *own])
            covered = 0
            for place, line in enumerate(both):
                if line in leading:
                    self._note(line, services[line] & ~covered, both[place + 1 :])
                covered |= services[line]

    def _note(self, line: int, left: int, behind: Sequence[int]) -> None:
        need = self._found[line]
        if left:
            need.decides = True
            need.missed = need.missed or self._misses(line, left, behind)

    def _misses(self, line: int, left: int, behind: Sequence[int]) -> bool:
        """Whether some of the services that are left would meet another action without a line."""
        action = self._grid.actions[line]
        numbers, first = self._by_action[OPPOSITE[action]]
        at = bisect_right(numbers, line)
        for number in behind:
            while at < len(numbers) and numbers[at] < number:
                if left & first[at]:
                    return True
                at += 1
            hit = left & self._grid.services[number]
            if hit:
                if self._grid.actions[number] is not action:
                    return True
                left ^= hit
                if not left:
                    return False
        return False

    def _leading(self, own: Iterable[int]) -> _Leads:
        covered, numbers, first = 0, [], []
        for number in own:
            if left := self._grid.services[number] & ~covered:
                numbers.append(number)
                first.append(left)
            covered |= self._grid.services[number]
        return numbers, first


def _merged(leads: Iterable[_Leads], actions: Sequence[Action], action: Action) -> _Leads:
    """Those of one action, in the order of the lines."""
    pairs = sorted(pair for each in leads for pair in zip(*each, strict=True) if actions[pair[0]] is action)
    return [number for number, _ in pairs], [first for _, first in pairs]
