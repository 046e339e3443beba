"""Profiles: what one cloud means, as data.

A profile is the set of switches of SEMANTICS.md section 13. Nothing else in Ringfence asks which cloud it is: logic
reads a switch. Each switch may be set to another value in a world file, under ``switches:``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class GroupOrder(StrEnum):
    """How the rules of several groups on one port are put in order (switch 1)."""

    AGGREGATE = "aggregate"
    """One list of all rules by priority, deny first on a tie."""
    SEQUENCE = "sequence"
    """The first group is searched completely, then the next."""


class IntraGroup(StrEnum):
    """Whether members of one group reach each other without a rule (switch 6)."""

    ACCEPT = "accept"
    DROP = "drop"


class DefaultAction(StrEnum):
    """What happens to a packet that no rule matched."""

    ALLOW = "allow"
    DENY = "deny"


class MidStream(StrEnum):
    """What happens to a TCP packet in mid-stream that has no conntrack entry (switch 13)."""

    DROP = "drop"
    LOOSE = "loose"


@dataclass(frozen=True, slots=True)
class Profile:
    """The switches of one cloud. Numbers are limits or priorities as named; sources stand at each field."""

    name: str
    group_order: GroupOrder
    """SEMANTICS.md 13.1"""
    system_rule_priority: int
    """Priority of the rules that a template makes (13.4)."""
    default_priority: int
    """Priority of a rule that names none (13.5)."""
    intra_group: IntraGroup
    """What a basic group does unless it says otherwise (13.6)."""
    default_egress: DefaultAction
    """Basic groups, when no rule matched (13.7). Ingress is always denied."""
    default_egress_advanced: DefaultAction
    """The same for advanced groups."""
    rules_per_group: int
    """In and out together (13.8)."""
    groups_per_port: int
    """13.8"""
    rules_per_port: int
    """Over all groups of a port; the limit with the vendor's own message (Security FAQ)."""
    group_rules_per_group: int
    """Rules of one basic group that name another group (section 6)."""
    port_ranges_per_rule: int
    """How many port ranges one rule may list (section 6)."""
    port_range_counts: bool
    """Whether each listed port range counts as a rule of its own (section 6)."""
    mid_stream: MidStream
    """13.13"""
    groups_need_vpc: bool
    """A group belongs to one VPC, fixed (section 0, row 10)."""
    advanced_groups: bool
    """Whether groups may be of type advanced (section 2.2)."""
    self_reference: bool
    """Whether a group may name itself as remote (section 0, row 5)."""
    default_rules: tuple[str, ...]
    """Rules of ``template: default``, `{group}` standing for the group itself (section 2.4)."""
    default_rules_advanced: tuple[str, ...]
    """The same for an advanced group."""


HUAWEI = Profile(
    name="huawei",
    group_order=GroupOrder.AGGREGATE,
    system_rule_priority=1,
    default_priority=1,
    intra_group=IntraGroup.DROP,
    default_egress=DefaultAction.DENY,
    default_egress_advanced=DefaultAction.DENY,
    rules_per_group=50,
    groups_per_port=5,
    rules_per_port=250,
    group_rules_per_group=50,
    port_ranges_per_rule=20,
    port_range_counts=False,
    mid_stream=MidStream.DROP,
    groups_need_vpc=False,
    advanced_groups=False,
    self_reference=True,
    default_rules=("in allow all from group {group}", "out allow all to any"),
    default_rules_advanced=(),
)

ALIBABA = Profile(
    name="alibaba",
    group_order=GroupOrder.AGGREGATE,
    system_rule_priority=100,
    default_priority=1,
    intra_group=IntraGroup.ACCEPT,
    default_egress=DefaultAction.ALLOW,
    default_egress_advanced=DefaultAction.DENY,
    rules_per_group=200,
    groups_per_port=5,
    rules_per_port=1000,
    group_rules_per_group=20,
    port_ranges_per_rule=200,
    port_range_counts=True,
    mid_stream=MidStream.DROP,
    groups_need_vpc=True,
    advanced_groups=True,
    self_reference=False,
    default_rules=(
        "in allow icmp from 0.0.0.0/0",
        "in allow tcp 22 from 0.0.0.0/0",
        "in allow tcp 3389 from 0.0.0.0/0",
    ),
    default_rules_advanced=(
        "in allow icmp from 0.0.0.0/0",
        "in allow tcp 22 from 0.0.0.0/0",
        "in allow tcp 3389 from 0.0.0.0/0",
        "in allow tcp 80 from 0.0.0.0/0",
        "in allow tcp 443 from 0.0.0.0/0",
        "out allow all to any",
    ),
)

PROFILES = {profile.name: profile for profile in (HUAWEI, ALIBABA)}
