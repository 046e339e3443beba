"""The ports that one VPC knows: the class of each, the number of each class, and whom a rule means by a group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from ringfence.compile.classes import RESERVED, class_ids, hashed
from ringfence.model.rule import NicType
from ringfence.model.topology import Port, Vpc
from ringfence.policy.decisions import PolicyClass, class_of


class WholeChange(Exception):
    """The change touches more than one thing: compile the new world as a whole."""


class Roster:
    """The ports of a VPC, and of those ``near`` it whose ports its rules may mean. It follows single ports."""

    def __init__(self, vpc: Vpc, near: Sequence[Vpc], ports: Mapping[str, Mapping[str, Port]]) -> None:
        self._vpc = vpc
        self.within = {each.name: each for each in (vpc, *near)}
        self.own = {name: class_of(vpc, port) for name, port in ports[vpc.name].items()}
        """The classes of the VPC's own ports, which it judges."""
        self.members = {
            name: of
            for reached in self.within.values()
            for name, port in ports[reached.name].items()
            if (of := class_of(reached, port)).nic is NicType.INTRANET
        }
        """The classes of all ports that a rule may mean."""
        self.ports = {name: port for reached in self.within for name, port in ports[reached].items()}
        self.judged = Counter(self.own.values())
        """How many own ports a class has."""
        self._uses = Counter(self.members.values()) + self.judged
        self.ids = class_ids(self._uses)
        """The numbers of the classes."""
        self.collides = any(hashed(of) != number for of, number in self.ids.items())
        """Whether the hash of a class was another's number, so that its own depends on which others there are."""
        self._taken = set(self.ids.values())
        self._by_group: dict[str, set[PolicyClass]] = {}
        for of in self.ids:
            self._index(of)

    def in_order(self, names: Iterable[str]) -> list[str]:
        """Names of ports in the order of a plan."""
        return sorted(names, key=lambda name: (self.ports[name].vpc, self.ports[name].instance, name))

    def numbers_of(self, group: str, own_vpc: bool) -> list[int]:
        """The classes that a rule means by a group, maybe of the own VPC only."""
        found = self._by_group.get(group, ())
        return sorted(self.ids[of] for of in found if not own_vpc or of.vpc == self._vpc.name)

    def move(self, name: str, after: Port | None, *, own: bool) -> tuple[set[PolicyClass], set[PolicyClass]]:
        """Put a port into its new class; gives the classes that are new, and those that nothing uses any more.

        Of the latter no rule means any port; their numbers stay until they are forgotten. Raises `WholeChange`.
        """
        was = self.own.pop(name, None) if own else None
        member = self.members.pop(name, None)
        self.ports.pop(name, None)
        touched = {of for of in (was, member) if of}
        self.judged.subtract([was] if was else [])
        self._uses.subtract([of for of in (was, member) if of])
        if after:
            self.ports[name] = after
            of = class_of(self.within[after.vpc], after)
            touched.add(of)
            if own:
                self.own[name] = of
                self.judged[of] += 1
                self._uses[of] += 1
            if of.nic is NicType.INTRANET:
                self.members[name] = of
                self._uses[of] += 1
        come = {of for of in touched if self._uses[of] and of not in self.ids}
        gone = {of for of in touched if not self._uses[of]}
        for of in come:
            self._number(of)
            self._index(of)
        for of in gone:
            for group in of.groups if of.nic is NicType.INTRANET else ():
                self._by_group[group].discard(of)
        return come, gone

    def forget(self, of: PolicyClass) -> None:
        """Take away the number of a class that nothing uses any more."""
        self._taken.remove(self.ids.pop(of))

    def _number(self, of: PolicyClass) -> None:
        number = hashed(of)
        if number in self._taken or number in RESERVED:
            raise WholeChange
        self.ids[of] = number
        self._taken.add(number)

    def _index(self, of: PolicyClass) -> None:
        for group in of.groups if of.nic is NicType.INTRANET else ():
            self._by_group.setdefault(group, set()).add(of)
