"""The live connections that a change would cut, as sets: of all that could have begun before it.

Which there are, only a kernel knows; `LiveChange` judges these one by one, and the sets agree with it. Not in them are
connections that were allowed at some earlier time only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import NamedTuple

from ringfence.analysis.difference.cutting import CuttingPlane
from ringfence.analysis.difference.joint import Joint
from ringfence.analysis.difference.pairs import Pairs, Rows, Turned, apart, ends_of, only
from ringfence.analysis.reach.ends import EndClass
from ringfence.analysis.sets.diagram import Diagram
from ringfence.analysis.sets.sieve import Sieve, bits, joined, passing
from ringfence.model.profile import OnChange
from ringfence.model.world import World
from ringfence.policy.evaluate import Policy
from ringfence.policy.live import LiveChange, named_groups


class _Between(NamedTuple):
    """All connections from some classes to some others."""

    sources: int
    destinations: int


class Dying:
    """The connections of one family that a change cuts."""

    def __init__(self, pairs: Pairs, worlds: tuple[World, World], live: LiveChange) -> None:
        self._pairs, self._joint, self._worlds, self._live = pairs, pairs.joint, worlds, live
        plane = CuttingPlane(Policy(worlds[1]), pairs.joint.after, pairs.sieves)
        self._rejudging = self._in(plane.rejudging)
        self._sent = _Going(pairs.sent, pairs.joint, pairs.touched, plane.sends, plane.every)
        self._received = _Going(pairs.received, pairs.joint, pairs.touched, plane.receives, plane.every)

    @cached_property
    def _touched(self) -> int:
        """The classes that the change touches, and those in groups that have other members."""
        sides = self._joint.before, self._joint.after
        views = (side.view(index) for side in sides for index in bits(self._joint.changed))
        groups = {name for view in views if view and view.port for name in view.port.groups}
        return self._pairs.touched | _all(side.ruled(name) for name in groups for side in sides)

    def turned(self) -> Iterator[Turned]:
        """What dies; no two classes come twice."""
        touched = self._touched
        for index in bits(touched):
            one = 1 << index
            cleared = _all(it.sources for it in self._cleared if it.destinations & one)
            for far, services in self._at(index, self._received, self._sent, cleared):
                yield Turned(far, one, services, allowed=False)
            cleared = _all(it.destinations for it in self._cleared if it.sources & one)
            for far, services in self._at(index, self._sent, self._received, cleared):
                if others := far & ~touched:
                    yield Turned(one, others, services, allowed=False)

    def _at(self, index: int, own: _Going, others: _Going, cleared: int) -> Iterator[tuple[int, Diagram]]:
        """What dies between an end and others: with some of these everything, else what is denied now."""
        far = self._joint.everybody & ~self._pairs.stays(index)
        before = self._pairs.sieves.meet(others.rows.column_before(index, far), own.rows.before(index))
        yield from ((hit, services) for services, hit in only(before, cleared).items())
        judged = self._joint.everybody if self._rejudging >> index & 1 else self._rejudging
        rest = only(before, judged & ~cleared)
        if rest:
            after = self._pairs.sieves.meet(others.column(index, ends_of(rest)), own.row(index))
            for hit, gone, come in apart(rest, only(after, ends_of(rest))):
                if services := self._pairs.minus(gone, come):
                    yield hit, services

    def _in(self, vpcs: frozenset[str]) -> int:
        return _all(side.in_vpc(vpc) for vpc in vpcs for side in (self._joint.before, self._joint.after))

    @cached_property
    def _cleared(self) -> list[_Between]:
        """What is cut whatever the rules say of it."""
        everybody, gone = self._joint.everybody, frozenset(self._worlds[0].vpcs.keys() - self._worlds[1].vpcs.keys())
        over = self._joint.moved | self._in(gone)
        clearing = [it.name for it in self._worlds[1].vpcs.values() if it.profile.on_change is OnChange.CLEAR_INBOUND]
        return [
            _Between(over, everybody),
            _Between(everybody, over | self._in_cleared(clearing)),
            *(each for vpc in clearing for each in self._renamed(vpc)),
        ]

    def _in_cleared(self, clearing: list[str]) -> int:
        """The classes of which every connection that others began is cut."""
        found = 0
        for index in bits(self._touched & self._in(frozenset(clearing))):
            view = self._joint.after.view(index)
            if view and self._live.place(view.example.vpc, view.example.address).cleared:
                found |= 1 << index
        return found

    def _renamed(self, vpc: str) -> Iterator[_Between]:
        """Senders who came into a group or left one, and the receivers in a VPC of whose groups a rule names it."""
        for index in bits(self._joint.changed):
            view = self._joint.told[index]
            turned = self._live.place(vpc, view.example.address).turned if view.port else {}
            naming = [name for name, rules in self._named.items() if not rules.isdisjoint(turned)] if turned else ()
            sides = self._joint.before, self._joint.after
            receivers = _all(side.ruled(name) & side.in_vpc(vpc) for name in naming for side in sides)
            if receivers:
                yield _Between(1 << index, receivers)

    @cached_property
    def _named(self) -> dict[str, set[str]]:
        """What the rules of each group name, in the world after."""
        return {name: named_groups(group) for name, group in self._worlds[1].groups.items() if group.named}


class _Going:
    """What the stages that cut leave of what each class lets pass."""

    def __init__(
        self, rows: Rows, joint: Joint, touched: int, row: Callable[[EndClass], Sieve], every: Diagram
    ) -> None:
        self.rows, self._joint, self._touched, self._row, self._every = rows, joint, touched, row, every

    def row(self, index: int) -> Sieve:
        """What they leave at a class; nothing if it is there no more."""
        view = self._joint.after.view(index)
        return self._row(view) if view else {}

    def column(self, index: int, near: int) -> Sieve:
        """What they leave at others of that which goes to or comes from a class."""
        anew = near if self._joint.changed >> index & 1 else near & self._touched
        asked = ((passing(self.row(each), index), 1 << each) for each in bits(anew))
        return joined([(self._every, near & ~anew), *asked])


def _all(sets: Iterator[int]) -> int:
    found = 0
    for each in sets:
        found |= each
    return found
