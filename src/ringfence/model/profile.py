"""Profiles: what one cloud means, as data.

A profile is the set of switches of SEMANTICS.md section 13. Nothing else in Ringfence asks which cloud it is: logic
reads a switch. Each switch may be set to another value in a world file, under ``switches:``.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from enum import StrEnum

from ringfence.errors import NotationError
from ringfence.model.service import ServiceSet


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


class OnChange(StrEnum):
    """Which live connections a change of policy cuts (switch 3)."""

    CLEAR_INBOUND = "clear_inbound"
    """Those that others began to a port whose groups' rules or members changed, whatever the new rules say of them."""
    REJUDGE = "rejudge"
    """Those that were allowed before and are denied now."""
    KEEP = "keep"
    """None."""


class Counted(StrEnum):
    """What counts as a member of a basic group (section 6); of an advanced one it is the ports."""

    INSTANCES = "instances"
    ADDRESSES = "addresses"
    """Private addresses, those of both families."""
    PORTS = "ports"


class AfterClear(StrEnum):
    """What becomes of a connection that was cut (switch 2)."""

    HOLD = "hold"
    """Its own key is dropped until the protocol's timeout has passed; another key is judged at once."""
    REMATCH = "rematch"
    """Its next packet is judged anew."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How many seconds an idle connection is remembered (switch 9; SEMANTICS.md 3.2)."""

    tcp_established: int = 600
    tcp_opening: int = 30
    """SYN sent or received, no connection yet."""
    tcp_closing: int = 30
    """FIN-WAIT and what follows."""
    icmp: int = 30
    both_ways: int = 180
    """UDP and every other protocol, once packets were seen in both directions."""
    one_way: int = 30
    """The same, while they were seen in one direction only."""

    @classmethod
    def parse(cls, text: str, base: Timeouts | None = None) -> Timeouts:
        """Read ``tcp_established=600,icmp=30``; what is not named is as in ``base``. Raises `NotationError`."""
        values: dict[str, int] = {}
        known = [each.name for each in fields(cls)]
        for part in filter(None, (part.strip() for part in text.split(","))):
            name, _, seconds = part.partition("=")
            if name not in known:
                raise NotationError(f"{name!r} is not a timeout", f"use {', '.join(known)}")
            if not (seconds.isascii() and seconds.isdigit() and 1 <= int(seconds) <= 432_000):
                raise NotationError(f"{seconds!r} is not a timeout", "use 1 to 432000 seconds")
            values[name] = int(seconds)
        return replace(base or cls(), **values)

    def __str__(self) -> str:
        return ",".join(f"{each.name}={getattr(self, each.name)}" for each in fields(self))


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
    set_rules_in_force: int
    """So many rules of one direction of a group that name a group or an address group, or list ports that lie apart,
    the cloud itself keeps in force (section 6, Huawei's manual: "the rest do not take effect"); 0: all. No limit of
    ours, since here every rule is in force: lint tells of it."""
    port_ranges_per_rule: int
    """How many port ranges one rule may list (section 6)."""
    port_range_counts: bool
    """Whether each listed port range counts as a rule of its own (section 6)."""
    members_per_group: int
    """Of a basic group, counted as `members_counted` says (section 6; Huawei advises it)."""
    members_counted: Counted
    """Huawei counts instances, Alibaba private addresses (section 6)."""
    members_per_advanced_group: int
    """Ports (section 6); Huawei has no such groups, our choice is the same number."""
    groups_per_account: int
    """Section 6."""
    address_groups_per_account: int
    """Section 6 for Alibaba (prefix lists, of a region); for Huawei our choice."""
    port_lists_per_account: int
    """Our choice: as many as of address groups."""
    vpcs_per_account: int
    """Our choice, generous."""
    subnets_per_vpc: int
    """Our choice, generous."""
    peerings_per_account: int
    """Our choice, generous."""
    ports_per_instance: int
    """Our choice, generous: the number depends on an instance's type. Supplementary interfaces do not count."""
    sub_ports_per_instance: int
    """Supplementary interfaces of all of an instance's ports (section 5); Alibaba has none of their kind."""
    after_clear: AfterClear
    """13.2"""
    on_change: OnChange
    """13.3"""
    timeouts: Timeouts
    """13.9"""
    blocked_egress: ServiceSet
    """What no port may send to anybody, whatever its rules say (13.10)."""
    carrier_blocks: ServiceSet
    """What carriers let nobody send across the internet border, in either direction (SEMANTICS.md 4.5)."""
    risky_ports: ServiceSet
    """What should not be open to everybody; nothing is blocked (13.11)."""
    mid_stream: MidStream
    """13.13"""
    acl_stateful: bool
    """Whether a network ACL judges the first packet of a connection, or every packet (section 0, row 8)."""
    acl_exempt: tuple[str, ...]
    """Rules that stand before the rules of every network ACL and cannot be changed (4.1, 4.2)."""
    acl_default: tuple[str, ...]
    """Rules of an ACL with ``template: default`` (4.2)."""
    acl_rules_per_direction: int
    """Section 6; of each family where `acl_rules_per_family` says so."""
    acl_rules_per_family: bool
    """Whether the limit counts IPv4 and IPv6 apart."""
    acls_per_account: int
    """Section 6 for Huawei; for Alibaba, whose limit is the VPC's, our choice."""
    acl_policies_per_account: int
    """Our choice: two for each ACL of Huawei's."""
    acl_lines_per_account: int
    """Our choice: as many as fill these policies to half."""
    acls_per_vpc: int
    """Section 6 for Alibaba; for Huawei, whose limit is the account's, the same number as there."""
    acls_need_vpc: bool
    """A network ACL belongs to one VPC (4.2)."""
    peer_references: bool
    """Whether a rule that names a group means its members in peered VPCs as well (section 5)."""
    cross_account: bool
    """Whether a rule may name a group of another account (1.2, section 5)."""
    five_tuple: bool
    """Whether a group's rule may name the port's own address and source ports (section 0, row 9)."""
    address_group_entries: int
    """How many entries an address group or prefix list may have (1.3)."""
    address_group_ranges: bool
    """Whether its entries may be ranges that are no prefix (1.3)."""
    address_group_costs_entries: bool
    """Whether a rule that names an address group counts as many rules as the group may have entries (section 6)."""
    port_list_entries: int
    """How many entries a port list may have (1.3); Huawei has no such lists, our choice is the same number."""
    port_list_costs_entries: bool
    """Whether a rule that names a port list counts as many rules as the list may have entries (section 6, 13.12)."""
    classic_network: bool
    """Whether there is a classic network beside VPCs (2.2)."""
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


_CARRIER_BLOCKS = ServiceSet.parse(
    "tcp/42,tcp/135,tcp/137-139,tcp/444-445,tcp/593,tcp/1025,tcp/1068,tcp/1433-1434,tcp/3127-3130,tcp/4444,tcp/4789,"
    "tcp/5554,tcp/5800,tcp/5900,tcp/8998,tcp/9995-9996,"
    "udp/135-139,udp/1026-1028,udp/1068,udp/1433-1434,udp/4789,udp/5554,udp/9995-9996"
)
_RISKY = "tcp/22,tcp/3389,tcp/8848"
_DATABASES = "tcp/1433,tcp/1521,tcp/3306,tcp/5432,tcp/6379,tcp/9200,tcp/11211,tcp/27017"

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
    set_rules_in_force=128,
    port_ranges_per_rule=20,
    port_range_counts=False,
    members_per_group=6000,
    members_counted=Counted.INSTANCES,
    members_per_advanced_group=65_536,
    groups_per_account=100,
    address_groups_per_account=50,
    port_lists_per_account=50,
    vpcs_per_account=200,
    subnets_per_vpc=200,
    peerings_per_account=500,
    ports_per_instance=64,
    sub_ports_per_instance=256,
    after_clear=AfterClear.HOLD,
    on_change=OnChange.CLEAR_INBOUND,
    timeouts=Timeouts(),
    blocked_egress=ServiceSet.parse("tcp/25"),
    carrier_blocks=_CARRIER_BLOCKS,
    risky_ports=ServiceSet.parse(_RISKY),
    mid_stream=MidStream.DROP,
    acl_stateful=True,
    acl_exempt=(
        "in allow all from any to 255.255.255.255/32",
        "out allow all from any to 255.255.255.255/32",
        "in allow all from any to 224.0.0.0/24",
        "out allow all from any to 224.0.0.0/24",
        "in allow tcp 80 from any to 169.254.169.254/32",
        "out allow tcp 80 from any to 169.254.169.254/32",
        "in allow all from any to 100.125.0.0/16",
        "out allow all from any to 100.125.0.0/16",
    ),
    acl_default=(),
    acl_rules_per_direction=20,
    acl_rules_per_family=False,
    acls_per_account=200,
    acl_policies_per_account=400,
    acl_lines_per_account=4000,
    acls_per_vpc=200,
    acls_need_vpc=False,
    peer_references=True,
    cross_account=False,
    five_tuple=False,
    address_group_entries=20,
    address_group_ranges=True,
    address_group_costs_entries=False,
    port_list_entries=2000,
    port_list_costs_entries=False,
    classic_network=False,
    groups_need_vpc=False,
    advanced_groups=False,
    self_reference=True,
    default_rules=(
        "in allow all from group {group} to 0.0.0.0/0",
        "in allow all from group {group} to ::/0",
        "out allow all to 0.0.0.0/0",
        "out allow all to ::/0",
    ),
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
    set_rules_in_force=0,
    port_ranges_per_rule=200,
    port_range_counts=True,
    members_per_group=6000,
    members_counted=Counted.ADDRESSES,
    members_per_advanced_group=65_536,
    groups_per_account=100,
    address_groups_per_account=100,
    port_lists_per_account=100,
    vpcs_per_account=200,
    subnets_per_vpc=200,
    peerings_per_account=500,
    ports_per_instance=64,
    sub_ports_per_instance=0,
    after_clear=AfterClear.REMATCH,
    on_change=OnChange.REJUDGE,
    timeouts=Timeouts(tcp_established=910),
    blocked_egress=ServiceSet.parse("tcp/25"),
    carrier_blocks=_CARRIER_BLOCKS,
    risky_ports=ServiceSet.parse(f"{_RISKY},{_DATABASES}"),
    mid_stream=MidStream.DROP,
    acl_stateful=False,
    acl_exempt=(
        "in allow all from 100.100.2.136/32 to any",
        "out allow all from any to 100.100.2.136/32",
        "in allow all from 100.100.2.138/32 to any",
        "out allow all from any to 100.100.2.138/32",
        "in allow all from 100.100.100.200/32 to any",
        "out allow all from any to 100.100.100.200/32",
    ),
    acl_default=("in allow all from any to any", "out allow all from any to any"),
    acl_rules_per_direction=20,
    acl_rules_per_family=True,
    acls_per_account=1000,
    acl_policies_per_account=400,
    acl_lines_per_account=4000,
    acls_per_vpc=20,
    acls_need_vpc=True,
    peer_references=False,
    cross_account=True,
    five_tuple=True,
    address_group_entries=200,
    address_group_ranges=False,
    address_group_costs_entries=True,
    port_list_entries=2000,
    port_list_costs_entries=True,
    classic_network=True,
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

_NO_LIMIT = ("priority", "in_force")
LIMITS = tuple(each.name for each in fields(Profile) if each.type == "int" and not each.name.endswith(_NO_LIMIT))
"""The switches that are limits (SEMANTICS.md 6): what an operator may set for an account."""

PROFILES = {profile.name: profile for profile in (HUAWEI, ALIBABA)}


def named_profile(name: str, default: Profile) -> Profile:
    """The profile of a name that is one of `PROFILES`; the default, with its switches, where it is of that name or none
    is given.
    """
    return default if name in ("", default.name) else PROFILES[name]
