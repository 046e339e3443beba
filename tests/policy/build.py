"""Worlds in a few words, for tables that read as the specification.

Everything is told for one family at a time: rules and flows may hold words in braces that stand for an address,
a prefix or a protocol of the family that is being tested, so that no row is wired for IPv4 only.
"""

from __future__ import annotations

from collections.abc import Mapping

from ringfence.model.address import Address, AddressRange, Family, Prefix
from ringfence.model.flow import Flow, Query
from ringfence.model.group import AddressGroup, GroupType, SecurityGroup
from ringfence.model.profile import IntraGroup, Profile
from ringfence.model.rule import Rule
from ringfence.model.topology import Instance, OutsideHost, Port, Subnet, Vpc
from ringfence.model.world import World, by_name
from ringfence.policy.verdict import Step, Verdict

WORDS: Mapping[Family, Mapping[str, str]] = {
    Family.IPV4: {
        "all": "0.0.0.0/0",
        "others": "::/0",
        "icmp": "icmp",
        "laptop": "203.0.113.9/32",
        "neighbours": "203.0.113.0/24",
        "vpc": "10.0.0.0/16",
        "hole": "10.0.9.9",
        "range": "203.0.113.5-203.0.113.9",
    },
    Family.IPV6: {
        "all": "::/0",
        "others": "0.0.0.0/0",
        "icmp": "icmpv6",
        "laptop": "2001:db8::9/128",
        "neighbours": "2001:db8::/120",
        "vpc": "fd00::/56",
        "hole": "fd00::9:9",
        "range": "2001:db8::5-2001:db8::9",
    },
}
"""What a word in braces stands for."""

_OUTSIDE = {"laptop": ("203.0.113.9", "2001:db8::9"), "visitor": ("198.51.100.7", "2001:db8:7::7")}
_SPACES = {"main": ("10.0.0.0/16", "fd00::/56"), "other": ("10.1.0.0/16", "fd00:1::/56")}


def build(profile: Profile, ports: str, groups: Mapping[str, str], lists: Mapping[str, str] | None = None) -> World:
    """A world of VPCs ``main`` and ``other``, and the hosts ``laptop`` and ``visitor`` outside.

    ``ports`` is such as ``a: g1 g2; b: g1; b.eth1: g2; other/c: g1``; the n-th gets the n-th address of each family.
    A group's rules stand between semicolons, after the words ``accept`` (intra-group) and ``advanced`` if they apply.
    ``lists`` are address groups, entries between blanks.
    """
    members = [_port(number, text.strip()) for number, text in enumerate(ports.split(";"), 11)]
    instances = {
        port.instance: tuple(other for other in members if other.instance == port.instance) for port in members
    }
    return World(
        profile,
        by_name(_vpc(name, profile) for name in _SPACES),
        by_name(
            AddressGroup(name, tuple(map(AddressRange.parse, text.split()))) for name, text in (lists or {}).items()
        ),
        by_name(_group(name, text) for name, text in groups.items()),
        by_name(Instance(name, its) for name, its in instances.items()),
        by_name(OutsideHost(name, tuple(map(Address.parse, both))) for name, both in _OUTSIDE.items()),
    )


def ask(world: World, text: str, family: Family) -> Flow:
    """The flow that ``SRC -> DST PROTO[/PORT]`` means over a family."""
    over = " over ipv6" if family is Family.IPV6 else ""
    return world.flow(Query.parse(text.format_map(WORDS[family]) + over))


def tell(world: World, verdict: Verdict) -> str:
    """A verdict in few words: ``egress allow g1#1, => ingress deny g2#3 late g2#1 g2#2``.

    A rule is its group and its number there, the arrow stands before the step that decided.
    """
    return ", ".join(("=> " if step is verdict.decided_by else "") + _tell_step(world, step) for step in verdict.steps)


def _tell_step(world: World, step: Step) -> str:
    late = " ".join(_tell_rule(world, late.group, late.rule_id) for late in step.late)
    words = f"{step.stage} {step.action} {_tell_rule(world, step.group, step.rule_id)}"
    return f"{words} late {late}" if late else words


def _tell_rule(world: World, group: str, rule_id: str) -> str:
    if not group:
        return "default" if rule_id.startswith("default-") else rule_id
    numbers = {rule.id_in(group): number for number, rule in enumerate(world.groups[group].rules, 1)}
    return f"{group}#{numbers.get(rule_id, 'intra')}"


def _port(number: int, text: str) -> Port:
    path, _, groups = text.partition(":")
    vpc, _, name = path.rpartition("/")
    instance, _, port = name.partition(".")
    spaces = map(Prefix.parse, _SPACES[vpc or "main"])
    addresses = tuple(Address(space.family, space.network + number) for space in spaces)
    return Port(instance, port or "eth0", "net", vpc or "main", addresses, tuple(groups.split()))


def _vpc(name: str, profile: Profile) -> Vpc:
    cidr, cidr6 = map(Prefix.parse, _SPACES[name])
    return Vpc(name, profile, (cidr, cidr6), {"net": Subnet("net", name, cidr, cidr6)})


def _group(name: str, text: str) -> SecurityGroup:
    words = [word.strip() for word in text.split(";") if word.strip()]
    rules = tuple(Rule.parse(word) for word in words if " " in word)
    kind = GroupType.ADVANCED if "advanced" in words else GroupType.BASIC
    return SecurityGroup(name, rules, "", kind, IntraGroup.ACCEPT if "accept" in words else IntraGroup.DROP)
