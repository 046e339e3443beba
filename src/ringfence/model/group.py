"""Security groups and address groups."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from operator import itemgetter

from ringfence.model.address import AddressRange, Family
from ringfence.model.lazy import lazy
from ringfence.model.port_list import NamedPorts
from ringfence.model.profile import IntraGroup
from ringfence.model.rule import AddressGroupRemote, Direction, GroupRemote, Rule, RuleSize

DEFAULT_GROUP = "default"
"""The group of a port that names none, which is always there (Security FAQ; SEMANTICS.md 1.1)."""


class GroupType(StrEnum):
    """Basic or advanced (SEMANTICS.md 2.2); a group keeps its type for good."""

    BASIC = "basic"
    ADVANCED = "advanced"


@dataclass(frozen=True)
class SecurityGroup:
    """A set of rules that guards every port in the group. Its rules are exactly those listed.

    ``vpc`` is empty where the group may be used in any VPC.
    """

    name: str
    rules: tuple[Rule, ...] = ()
    vpc: str = ""
    type: GroupType = GroupType.BASIC
    intra_group: IntraGroup = IntraGroup.DROP
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    account: str = ""
    """Whose group it is; empty for one's own."""
    ftp_helper: bool = False
    """Whether data connections of an allowed FTP session pass its members' gates (SEMANTICS.md section 3)."""
    managed: str = ""
    """The service that it belongs to; the tenant sees it and may not change it (SEMANTICS.md 5.1)."""
    profile: str = ""
    """The profile that it is of where it belongs to no VPC; empty for the world's. Only VPCs of that may use it."""

    @lazy
    def by_id(self) -> Mapping[str, Rule]:
        """The group's rules by their ids, in the order of the ids."""
        return dict(sorted(((rule.id_in(self.name), rule) for rule in self.rules), key=itemgetter(0)))

    @lazy
    def rule_sizes(self) -> Mapping[RuleSize, int]:
        """How many rules it has of each size: what they cost, whatever the profile."""
        return Counter(rule.size for rule in self.rules)

    @lazy
    def named(self) -> tuple[GroupRemote | AddressGroupRemote, ...]:
        """The groups and address groups that its rules name, once a rule."""
        remotes = (rule.remote for rule in self.rules)
        return tuple(remote for remote in remotes if isinstance(remote, GroupRemote | AddressGroupRemote))

    @lazy
    def port_lists(self) -> frozenset[str]:
        """The port lists that its rules name."""
        return frozenset(rule.ports.name for rule in self.rules if isinstance(rule.ports, NamedPorts))

    def rules_of(self, direction: Direction) -> list[tuple[str, Rule]]:
        """Id and rule of each rule of one direction, in the order of the ids."""
        return [(rule_id, rule) for rule_id, rule in self.by_id.items() if rule.direction is direction]

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class AddressGroup:
    """A named list of addresses, prefixes and ranges of one family, shared by the rules that name it (1.3).

    ``max_entries`` is how many it may ever have; where the profile says so, a rule that names it costs that many.
    None means that it was made without such a bound.
    """

    name: str
    entries: tuple[AddressRange, ...]
    max_entries: int | None = None
    account: str = ""
    """Whose limits it has; empty for one's own."""

    def of_family(self, family: Family) -> tuple[AddressRange, ...]:
        """The entries of one family."""
        return tuple(entry for entry in self.entries if entry.family is family)

    def __str__(self) -> str:
        return self.name
