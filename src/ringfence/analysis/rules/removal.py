"""Rules of groups any of which may go, alone or together, and who decides in their place (SEMANTICS.md 8.3). Exact.

A rule that its own group would not miss may be missed where a port is in several groups: a deny is more than the
default as soon as another group allows. So the lists of all ports are asked, besides that of each group alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from ringfence.analysis.rules.matched import listed_in, nics, spares
from ringfence.analysis.rules.spares import Spares
from ringfence.model.group import SecurityGroup
from ringfence.model.rule import Direction
from ringfence.model.world import World
from ringfence.policy.decisions import Decision, PolicyClass, class_of
from ringfence.policy.evaluate import Policy


@dataclass(frozen=True, slots=True)
class Removable:
    """A rule that may go, with any others that are given beside it, and no packet is judged otherwise.

    It is ``shadowed`` if stronger rules decide all that it matches; else weaker ones, or the default, decide alike.
    ``deciders`` are the lines of its group that decide in its place, strongest first.
    """

    rule_id: str
    shadowed: bool
    deciders: tuple[Decision, ...]


def removable_rules(world: World, groups: Collection[str]) -> Mapping[str, tuple[Removable, ...]]:
    """Such rules of some groups: any or all of them may go, whoever is in the groups that they name.

    Of rules that make each other needless, only some are given. Not given are rules that a service manages, and those
    that match nothing by themselves, as the list that they name is empty.
    """
    alone = {name: list(_alone(world, world.groups[name])) for name in groups}
    lists = [listed for lists in alone.values() for listed in lists]
    own = {rule_id for name in groups for rule_id, rule in world.groups[name].by_id.items() if not rule.managed}
    may_go = _settled(lists, {it for listed in lists for it in listed.matching(own)})
    touched = {name for name in groups if not may_go.isdisjoint(world.groups[name].by_id)}
    may_go = _settled(_shared(world, touched), may_go)
    return {name: tuple(it for listed in lists for it in listed.told(may_go)) for name, lists in alone.items()}


class _Listed:
    """A decision list, and which of its lines may go."""

    def __init__(self, world: World, listed: Sequence[Decision], direction: Direction) -> None:
        self._world, self._listed, self._direction = world, listed, direction
        self.ids = {decision.rule_id for decision in listed}

    @cached_property
    def _spares(self) -> Spares:
        return spares(self._world, self._listed, self._direction)

    def _places(self, rule_ids: Collection[str]) -> set[int]:
        return {place for place, decision in enumerate(self._listed) if decision.rule_id in rule_ids}

    def _ids(self, places: Iterable[int]) -> set[str]:
        return {self._listed[place].rule_id for place in places}

    def matching(self, rule_ids: Collection[str]) -> set[str]:
        """Those of some rules that match anything."""
        return self._ids(place for place in self._places(rule_ids) if self._spares.matches(place))

    def staying(self, may_go: set[str]) -> set[str]:
        """Those of some rules without which something would be judged otherwise."""
        if self.ids.isdisjoint(may_go):
            return set()
        return (self.ids & may_go) - self._ids(self._spares.among(self._places(may_go)))

    def told(self, may_go: set[str]) -> Iterator[Removable]:
        """Those of the list, all of which may go."""
        gone = self._places(may_go)
        for place in sorted(gone):
            deciders = tuple(self._listed[it] for it in self._spares.deciders(place, gone))
            yield Removable(self._listed[place].rule_id, self._spares.is_shadowed(place), deciders)


def _alone(world: World, group: SecurityGroup) -> Iterator[_Listed]:
    """The lists of a group as it stands alone, of the directions of its rules."""
    for direction in sorted({rule.direction for rule in group.rules}):
        for nic in nics(world, group):
            yield _Listed(world, listed_in(world, group, direction, nic), direction)


def _shared(world: World, groups: Collection[str]) -> Iterator[_Listed]:
    """The lists of ports that some groups guard together with others, or in a VPC with switches of its own."""
    policy = Policy(world)
    for of in sorted(_classes(world)):
        if not set(of.groups).isdisjoint(groups):
            for direction in Direction:
                yield _Listed(world, policy.decisions(of, direction), direction)


def _classes(world: World) -> set[PolicyClass]:
    ports = (it for it in (*world.ports, *(it.port for it in world.detached.values())) if it.groups)
    return {
        class_of(world.vpcs[port.vpc], port)
        for port in ports
        if len(port.groups) > 1 or world.vpcs[port.vpc].profile != world.profile_of(world.groups[port.groups[0]])
    }


def _settled(lists: Iterable[_Listed], may_go: set[str]) -> set[str]:
    """Those that may go in every list: as any of what one list gives may go, each may leave some out."""
    left = set(may_go)
    for listed in lists:
        left -= listed.staying(left)
    return left
