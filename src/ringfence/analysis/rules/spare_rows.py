"""Lines any of which may go, found in the rows of grids: what `ringfence.analysis.rules.spares` says, without sets.

Sets of lines are the bits of numbers here, too. Of the rows that a line is in only those lines count that are about
services of it, and most rows have the same of these: so a line is asked a few times, and not once in each row.

To show that a line may not go, or that another decides in its place, the far end need be in no group but the one that
the first names and the one that the other does. So the lines of other groups count as far as they *lead*: as no line
of their group that stays comes before them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from functools import reduce
from operator import or_

from ringfence.analysis.rules.grid import Grid, Ranges, grids
from ringfence.analysis.rules.lists import OPPOSITE
from ringfence.analysis.rules.spares import Spares
from ringfence.analysis.sets.sieve import bits
from ringfence.model.rule import Action
from ringfence.policy.decisions import Decision


class SpareRows(Spares):
    """What may go of a list whose last line matches everything; all of them are plain."""

    def __init__(self, listed: Sequence[Decision], ranges: Ranges) -> None:
        self._families = [_Family(grid) for grid in grids(listed, ranges)]
        self._shadowed: dict[int, bool] = {}

    def matches(self, place: int) -> bool:
        """See `Spares`."""
        return any(it.matches(place) for it in self._families)

    def is_shadowed(self, place: int) -> bool:
        """See `Spares`."""
        if place not in self._shadowed:
            self._shadowed[place] = not any(it.decides(place) for it in self._families)
        return self._shadowed[place]

    def among(self, candidates: Collection[int]) -> set[int]:
        """See `Spares`."""
        gone = {place for place in candidates if self.is_shadowed(place)}
        self._leave_out(_places(gone))
        for place in sorted(set(candidates) - gone, reverse=True):
            if all(it.may_go(place) for it in self._families):
                gone.add(place)
                self._leave_out(_places(gone))
        return gone

    def is_needless(self, place: int, without: int) -> bool:
        """See `Spares`."""
        self._leave_out(without)
        return all(it.may_go(place, ~without) for it in self._families)

    def deciders(self, place: int, gone: Collection[int]) -> list[int]:
        """See `Spares`."""
        self._leave_out(_places(gone))
        return [*bits(reduce(or_, (it.deciders(place) for it in self._families)))]

    def _leave_out(self, gone: int) -> None:
        for each in self._families:
            each.leave_out(gone)


class _Family:
    """One family of a list, some lines of which are left out."""

    def __init__(self, grid: Grid) -> None:
        self._services, self._actions, self._kinds = grid.services, grid.actions, grid.kinds
        self._rows = [_places(row) for row in grid.rows]
        self._near: dict[int, int] = {}
        self._kinds_of: dict[int, list[int]] = defaultdict(list)
        for own in grid.kinds.values():
            for place in own:
                self._kinds_of[place].append(_places(own))
        self._named = {
            action: _places(it for it in self._kinds_of if grid.actions[it] is action and self._services[it])
            for action in Action
        }
        self._gone, self._leads = -1, [0] * len(self._services)
        self.leave_out(0)

    def leave_out(self, gone: int) -> None:
        """Do without some lines from now on."""
        changed, self._gone = gone ^ self._gone, gone
        if not changed & (self._named[Action.ALLOW] | self._named[Action.DENY]):
            return
        self._leads = [0] * len(self._services)
        for own in self._kinds.values():
            covered = 0
            for place in own:
                self._leads[place] |= self._services[place] & ~covered
                covered |= 0 if self._is_gone(place) else self._services[place]

    def _is_gone(self, place: int) -> int:
        return self._gone >> place & 1

    def matches(self, place: int) -> bool:
        """Whether a line matches anything."""
        named = place in self._kinds_of
        return bool(self._services[place]) and (named or any(row >> place & 1 for row in self._rows))

    def decides(self, place: int) -> bool:
        """Whether any of what a line matches is left for it by the lines before it."""
        return any(self._left(place, met) for met in self._met(place))

    def may_go(self, place: int, counted: int = -1) -> bool:
        """Whether a line may be left out, too; lines before it are not, but for what is shadowed.

        Lines that are left out count, since they may come back; but not those that are not ``counted`` (as bits).
        """
        against = self._named[OPPOSITE[self._actions[place]]] & counted
        leads = self._leading(against >> place + 1 << place + 1, self._services[place])
        return all(self._is_alike(place, met, leads) for met in {met & counted for met in self._met(place)})

    def _is_alike(self, place: int, met: int, leads: int) -> bool:
        """Whether all that a line decides would be judged like it."""
        action, left = self._actions[place], self._left(place, met)
        behind = met >> place + 1 << place + 1
        for other in bits(behind | leads) if left else ():
            hit = left & (self._services if behind >> other & 1 else self._leads)[other]
            if hit and self._actions[other] is not action:
                return False
            if not self._is_gone(other):
                left &= ~hit
                if not left:
                    return True
        return True

    def deciders(self, place: int) -> int:
        """The lines that are left and decide about what a line matches."""
        found, mine = 0, self._services[place]
        leads = self._leading((self._named[Action.ALLOW] | self._named[Action.DENY]) & ~self._gone, mine)
        for met in self._met(place):
            left, own = mine, met & ~self._gone
            for other in bits(own | leads):
                is_own = own >> other & 1
                if hit := left & (self._services if is_own else self._leads)[other]:
                    found |= 1 << other
                    left ^= hit if is_own else 0
                    if not left:
                        break
        return found

    def _leading(self, places: int, services: int) -> int:
        """Those of some lines of groups that lead for any of some services."""
        return _places(place for place in bits(places) if self._leads[place] & services)

    def _left(self, place: int, met: int) -> int:
        left = self._services[place]
        for other in bits(met & (1 << place) - 1):
            left &= ~self._services[other]
            if not left:
                break
        return left

    def _met(self, place: int) -> set[int]:
        """The lines about some service of one that match for sure what it does, for each address and membership."""
        mine = self._services[place]
        if not mine:
            return set()
        near = self._near.get(mine)
        if near is None:
            alike = (index for index, services in enumerate(self._services) if services & mine)
            near = self._near[mine] = _places(alike)
        if place in self._kinds_of:
            return {(row | own) & near for row in self._rows for own in self._kinds_of[place]}
        return {row & near for row in self._rows if row >> place & 1}


def _places(some: Iterable[int]) -> int:
    found = 0
    for place in some:
        found |= 1 << place
    return found
