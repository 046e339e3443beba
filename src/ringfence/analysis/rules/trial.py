"""Rules of a group in every list in which they take part, some of them left out: which make no difference then. Exact.

To "say the same" is to decide every packet alike, whoever is in the groups that rules name: in the list of the group by
itself, and in every list in which it takes part now, those of the ports that have it beside other groups. (A group may
say more than its default does: "deny tcp 22" matters to a port that has another group which allows it.)
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from ringfence.analysis.rules.matched import home_of, nics, spares
from ringfence.analysis.rules.spares import Spares
from ringfence.model.group import SecurityGroup
from ringfence.model.rule import Action, Direction, Rule
from ringfence.model.topology import Vpc
from ringfence.model.world import World
from ringfence.policy.decisions import Decision, PolicyClass, class_of, decisions


def places_of(world: World, group: SecurityGroup) -> list[tuple[Vpc, PolicyClass]]:
    """The group by itself on each interface, and the classes of the ports that have it."""
    vpc = home_of(world, group)
    found = {PolicyClass(vpc.name, (group.name,), nic): vpc for nic in nics(world, group)}
    ports = [*world.ports, *(each.port for each in world.detached.values())]
    found |= {class_of(world.vpcs[it.vpc], it): world.vpcs[it.vpc] for it in ports if group.name in it.groups}
    return [(vpc, of) for of, vpc in found.items()]


def listed_with(
    world: World, vpc: Vpc, of: PolicyClass, group: SecurityGroup, direction: Direction
) -> tuple[Decision, ...]:
    """The list of a class of ports if a group were as given."""
    groups = {name: group if name == group.name else world.groups[name] for name in of.groups}
    return decisions(vpc, groups, world.port_lists, of, direction)


def says_the_same(world: World, before: SecurityGroup, after: SecurityGroup) -> bool:
    """Whether the rules of a group decide alike in two versions of it.

    All of them together say what each version says if both say the same; so either version's own ones may all go.
    """
    for direction in Direction:
        sides = [{rule for rule in it.rules if rule.direction is direction} for it in (before, after)]
        trial = Trial(world, before, direction, [*sides[0], *(sides[1] - sides[0])])
        for side in sides:
            others = [number for number, rule in enumerate(trial.rules) if rule not in side]
            gone = trial.leave_out_needless(others)
            if len(gone) < len(others):
                return False
            trial.take_in(gone)
    return True


class Trial:
    """Rules of one direction of a group, told by their numbers; all of them count until they are left out."""

    def __init__(self, world: World, group: SecurityGroup, direction: Direction, rules: Sequence[Rule]) -> None:
        self.rules = rules
        numbered = replace(group, rules=tuple(rule.called(f"n{number}") for number, rule in enumerate(rules)))
        numbers = {rule.given_id: number for number, rule in enumerate(numbered.rules)}
        self._lists = [
            _Listed.of(world, listed_with(world, vpc, of, numbered, direction), direction, group.name, numbers)
            for vpc, of in places_of(world, group)
        ]
        self._out: set[int] = set()

    @property
    def counting(self) -> list[int]:
        """The rules that are not left out."""
        return [number for number in range(len(self.rules)) if number not in self._out]

    def leave_out(self, numbers: Iterable[int]) -> None:
        """Do without some rules."""
        for number in set(numbers) - self._out:
            self._switch(number)

    def take_in(self, numbers: Iterable[int]) -> None:
        """Count some rules again."""
        for number in self._out.intersection(numbers):
            self._switch(number)

    def _switch(self, number: int) -> None:
        self._out ^= {number}
        for each in self._lists:
            each.without ^= each.bits.get(number, 0)

    def is_needless(self, number: int) -> bool:
        """Whether the rules that count say the same with a rule as without it, be it one of them or not."""
        return all(each.is_needless(number) for each in self._lists)

    def leave_out_needless(self, numbers: Iterable[int]) -> list[int]:
        """Leave out one after the other of some rules, the weakest first; no other of them could go in the end.

        For what a rule decides grows as stronger ones go, and what comes behind it stays. For the same reason all of
        them go if all of them can go together.
        """
        gone = []
        for number in sorted(numbers, key=self._strength, reverse=True):
            if self.is_needless(number):
                self.leave_out([number])
                gone.append(number)
        return gone

    def replace(self, some: Collection[int], by: int) -> bool:
        """Take in a rule that was left out for some that were not, if that says the same."""
        if by not in self._out or not self._out.isdisjoint(some) or not self.is_needless(by):
            return False
        self.take_in([by])
        gone = self.leave_out_needless(some)
        if len(gone) < len(some):
            self.take_in(gone)
            self.leave_out([by])
        return len(gone) == len(some)

    def _strength(self, number: int) -> tuple[int, bool]:
        return self.rules[number].priority, self.rules[number].action is Action.ALLOW


@dataclass(slots=True)
class _Listed:
    """A list, the lines in it (as bits) of the rules that are in it, and those that are left out."""

    spares: Spares
    bits: dict[int, int]
    without: int = 0

    @classmethod
    def of(
        cls, world: World, listed: Sequence[Decision], direction: Direction, owner: str, numbers: dict[str, int]
    ) -> _Listed:
        own = {place: it.rule_id for place, it in enumerate(listed) if it.owner == owner}
        bits = {numbers[rule_id]: 1 << place for place, rule_id in own.items() if rule_id in numbers}
        return cls(spares(world, listed, direction), bits)

    def is_needless(self, number: int) -> bool:
        line = self.bits.get(number)
        return line is None or self.spares.is_needless(line.bit_length() - 1, self.without)
