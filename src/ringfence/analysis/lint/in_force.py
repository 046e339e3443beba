"""Rules beyond what the cloud keeps in force, where Ringfence keeps all (SEMANTICS.md 6 and 8.5).

Huawei's manual counts "in one security group", per direction: the rules whose remote is a group (its own, too), those
whose remote is an address group, and those with ports that lie apart, such as 22,25,27. So the sum is that of a group,
not of a port that has several. A later edition counts a rule that is of two of these sorts once, as is done here. None
says which of the rules are out of force where there are more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from ringfence.analysis.lint.finding import Finding, Fix, Severity, at_group
from ringfence.analysis.lint.subject import Subject
from ringfence.model.port_list import PortLists, resolved
from ringfence.model.rule import AddressGroupRemote, Direction, GroupRemote, Rule

OUT_OF_FORCE = "out-of-force"
_WORDS = {Direction.INGRESS: "inbound", Direction.EGRESS: "outbound"}


def out_of_force(subject: Subject) -> Iterator[Finding]:
    """Groups with more such rules of one direction than the cloud of their profile keeps in force."""
    for group in subject.groups():
        profile = subject.world.profile_of(group)
        most = profile.set_rules_in_force
        for direction in Direction if most else ():
            count = _Count.of((rule for _, rule in group.rules_of(direction)), subject.world.port_lists)
            if count.number > most:
                text = (
                    f"{count.number} {_WORDS[direction]} rules count towards the {most} that {profile.name} keeps in"
                    f" force in one direction of a group: {count}. There {count.number - most} of them would do"
                    " nothing, and its manual does not say which; here all do what they say"
                )
                yield Finding(OUT_OF_FORCE, Severity.WARNING, at_group(group), text, Fix(count.fix), str(direction))


@dataclass(frozen=True, slots=True)
class _Count:
    """How many rules name groups, address groups, and list ports that lie apart; ``both``: apart, and one of these."""

    groups: int
    address_groups: int
    apart: int
    both: int

    @classmethod
    def of(cls, rules: Iterable[Rule], lists: PortLists) -> _Count:
        """Those of some rules that are not disabled."""
        found = [(type(rule.remote), _lie_apart(rule, lists)) for rule in rules if rule.enabled]
        named = [kind for kind, _ in found]
        return cls(
            named.count(GroupRemote),
            named.count(AddressGroupRemote),
            sum(apart for _, apart in found),
            sum(apart for kind, apart in found if kind in (GroupRemote, AddressGroupRemote)),
        )

    @property
    def number(self) -> int:
        """All of them, each once."""
        return self.groups + self.address_groups + self.apart - self.both

    def __str__(self) -> str:
        sorts = ((self.groups, "name a group"), (self.address_groups, "name an address group"))
        apart = f"list ports that lie apart{f', {self.both} of which do both' if self.both else ''}"
        return ", ".join(f"{number} {what}" for number, what in (*sorts, (self.apart, apart)) if number)

    @property
    def fix(self) -> str:
        """What makes fewer of them, given which there are."""
        ways = (
            (self.address_groups > 1, "make one address group of several"),
            (self.groups, "name the prefix of a subnet in place of its groups"),
            (self.apart > self.both, "give each run of ports a rule of its own"),
            (True, "or put some of the rules into a second group of the same ports"),
        )
        return ", ".join(way for is_open, way in ways if is_open)


def _lie_apart(rule: Rule, lists: PortLists) -> bool:
    ports = resolved(rule.ports, lists)
    return ports is not None and any(one.last + 1 < two.first for one, two in pairwise(ports.ranges))
