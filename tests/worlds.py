"""Random worlds for the differential test, from a seed, over one fixed topology a profile.

The topology stays, so that one lab serves many worlds; groups, rules, memberships and switches are drawn anew.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import permutations

from ringfence.model.address import Address, AddressRange, Family, Prefix
from ringfence.model.flow import Endpoint, Flow
from ringfence.model.group import AddressGroup, GroupType, SecurityGroup
from ringfence.model.profile import DefaultAction, GroupOrder, IntraGroup, Profile
from ringfence.model.rule import Action, AddressGroupRemote, AnyRemote, Direction, GroupRemote, Remote, Rule
from ringfence.model.service import PortRange, PortSet, Protocol, Service
from ringfence.model.topology import Instance, OutsideHost, Port, Subnet, Vpc
from ringfence.model.validation import problems
from ringfence.model.world import World, by_name

_SUBNETS = {
    "web": ("shop", "10.0.1.0/24", "fd00:10:0:1::/64"),
    "db": ("shop", "10.0.2.0/24", "fd00:10:0:2::/64"),
    "ops": ("ops", "10.9.1.0/24", "fd00:90:0:1::/64"),
}
_CIDRS = {"shop": ("10.0.0.0/16", "fd00:10::/56"), "ops": ("10.9.0.0/16", "fd00:90::/56")}
_PORTS = {  # instance -> port -> subnet, last byte
    "web-1": {"eth0": ("web", 11)},
    "web-2": {"eth0": ("web", 12)},
    "db-1": {"eth0": ("db", 21)},
    "both": {"eth0": ("web", 31), "eth1": ("db", 31)},
    "ops-1": {"eth0": ("ops", 41)},
    "ops-2": {"eth0": ("ops", 42)},
}
_OUTSIDE = {"laptop": ("203.0.113.9", "2001:db8:1::9"), "stranger": ("198.51.100.7", "2001:db8:2::7")}
_PREFIXES = [
    *("0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/22", "10.0.1.0/24", "10.0.1.11/32", "10.0.2.16/28", "203.0.113.0/24"),
    *("203.0.113.9/32", "128.0.0.0/1", "::/0", "fd00:10::/56", "fd00:10:0:1::/64", "fd00:10:0:1::b/128"),
    *("2001:db8::/32", "2001:db8:1::9/128", "10.9.1.0/24"),
]
_RANGES = ["10.0.1.5-10.0.1.11", "203.0.113.9-203.0.113.40", "10.0.2.0/24", "198.51.100.7", "10.0.1.11-10.0.2.21"]
_RANGES6 = ["fd00:10:0:1::b-fd00:10:0:2::15", "2001:db8:2::7", "fd00:10::/60"]
_PORT_SETS = ["22", "80", "80-90", "85-443", "443", "22,80-82,8000-9000", "1-1024", "1", "65535", "1024-65535", "86"]
_PORTED = [21, 22, 23, 79, 80, 81, 85, 86, 90, 91, 443, 444, 1, 1024, 1025, 7999, 8000, 9001, 65535, 40000]
_PORTLESS = [Protocol(47), Protocol(132), Protocol(253)]


def random_world(rng: random.Random, profile: Profile) -> World:
    """A valid world of ``profile`` with some of its switches turned."""
    profile = replace(
        profile,
        group_order=rng.choice([GroupOrder.AGGREGATE, GroupOrder.AGGREGATE, GroupOrder.SEQUENCE]),
        default_egress=rng.choice([profile.default_egress, *DefaultAction]),
        rules_per_group=400,
        group_rules_per_group=400,
        rules_per_port=2000,
    )
    address_groups = [
        AddressGroup("ranges", tuple(map(AddressRange.parse, rng.sample(_RANGES, 3)))),
        AddressGroup("ranges6", tuple(map(AddressRange.parse, rng.sample(_RANGES6, 2)))),
    ]
    groups = by_name([group for vpc in _CIDRS for group in _groups(rng, profile, vpc)])
    world = World(profile, _vpcs(profile), by_name(address_groups), groups, _instances(rng, groups), _outside())
    assert problems(world) == ()
    return world


def flows(world: World) -> Iterator[tuple[Endpoint, Endpoint]]:
    """Every ordered pair of addresses between which a packet may cross a gate."""
    ends = [Endpoint(address, port.vpc, str(port)) for port in world.ports for address in port.addresses]
    ends += [Endpoint(address, "", host.name) for host in world.outside.values() for address in host.addresses]
    for source, destination in permutations(ends, 2):
        one, two = world.port_at(source), world.port_at(destination)
        same = one and two and one.instance == two.instance
        if source.address.family is destination.address.family and (one or two) and not same:
            yield source, destination


def random_flows(rng: random.Random, world: World, count: int) -> list[Flow]:
    """So many flows: mostly TCP and UDP on the ports that rules mention and beside them, ICMP, and a few others."""
    pairs = list(flows(world))
    return [Flow(*pair, _service(rng, pair[0].address.family)) for pair in rng.choices(pairs, k=count)]


def _service(rng: random.Random, family: Family) -> Service:
    draw = rng.random()
    if draw < 0.85:
        return Service(rng.choice([Protocol.TCP, Protocol.TCP, Protocol.UDP]), rng.choice(_PORTED))
    if draw < 0.97:
        return Service(Protocol.ICMP if family is Family.IPV4 else Protocol.ICMPV6)
    return Service(rng.choice(_PORTLESS))


def _vpcs(profile: Profile) -> dict[str, Vpc]:
    return {
        name: Vpc(
            name,
            profile,
            tuple(map(Prefix.parse, cidrs)),
            {
                subnet: Subnet(subnet, vpc, Prefix.parse(cidr), Prefix.parse(cidr6))
                for subnet, (vpc, cidr, cidr6) in _SUBNETS.items()
                if vpc == name
            },
        )
        for name, cidrs in sorted(_CIDRS.items())
    }


def _instances(rng: random.Random, groups: Mapping[str, SecurityGroup]) -> dict[str, Instance]:
    instances = []
    for name, ports in _PORTS.items():
        made = []
        for port, (subnet, byte) in ports.items():
            vpc, cidr, cidr6 = _SUBNETS[subnet]
            addresses = tuple(
                Address(prefix.family, prefix.network + byte) for prefix in map(Prefix.parse, (cidr, cidr6))
            )
            made.append(Port(name, port, subnet, vpc, addresses, _membership(rng, groups, vpc)))
        instances.append(Instance(name, tuple(made)))
    return dict(by_name(instances))


def _membership(rng: random.Random, groups: Mapping[str, SecurityGroup], vpc: str) -> tuple[str, ...]:
    first = rng.choice([group for group in groups.values() if group.vpc == vpc])
    pool = [group.name for group in groups.values() if group.vpc == vpc and group.type is first.type]
    return tuple(rng.sample(pool, rng.randint(1, min(4, len(pool)))))


def _outside() -> dict[str, OutsideHost]:
    return dict(by_name([OutsideHost(name, tuple(map(Address.parse, both))) for name, both in _OUTSIDE.items()]))


def _groups(rng: random.Random, profile: Profile, vpc: str) -> list[SecurityGroup]:
    names = [f"{vpc}-{letter}" for letter in "abcde"]
    types = {
        name: GroupType.ADVANCED if profile.advanced_groups and rng.random() < 0.25 else GroupType.BASIC
        for name in names
    }
    made = []
    for name in names:
        basic = types[name] is GroupType.BASIC
        others = [other for other in names if types[other] is GroupType.BASIC]
        if not profile.self_reference and name in others:
            others.remove(name)
        listed = [_rule(rng, others if basic else []) for _ in range(rng.randint(0, 14))]
        if rng.random() < 0.4:
            listed += _ladder(rng, others if basic else [])
        rules = {rule.key: rule for rule in listed}
        accept = basic and profile.intra_group is IntraGroup.ACCEPT and rng.random() < 0.6
        intra = IntraGroup.ACCEPT if accept else IntraGroup.DROP
        made.append(SecurityGroup(name, tuple(rules.values()), vpc, types[name], intra))
    return made


def _rule(rng: random.Random, groups: list[str]) -> Rule:
    direction = rng.choice(list(Direction))
    action = rng.choice([Action.ALLOW, Action.ALLOW, Action.DENY])
    protocol = rng.choice(
        [Protocol.TCP] * 5 + [Protocol.UDP] * 2 + [Protocol.ALL] * 3 + [Protocol.ICMP, Protocol.ICMPV6, *_PORTLESS]
    )
    ports = PortSet.parse(rng.choice(_PORT_SETS)) if protocol.has_ports and rng.random() < 0.9 else PortSet()
    remote = _remote(rng, protocol, groups)
    return Rule(direction, action, protocol, remote, ports, rng.choice([1, 1, 2, 50, 100]), rng.random() < 0.92)


def _ladder(rng: random.Random, groups: list[str]) -> list[Rule]:
    """Rules that differ in their ports: enough without overlap to become an interval map."""
    direction, priority = rng.choice(list(Direction)), rng.choice([1, 50])
    return [
        Rule(
            direction,
            rng.choice(list(Action)),
            protocol,
            _remote(rng, protocol, groups),
            PortSet((PortRange(port, port),)),
            priority,
        )
        for port in rng.sample(_PORTED, 14)
        for protocol in (Protocol.TCP, Protocol.UDP)
    ]


def _remote(rng: random.Random, protocol: Protocol, groups: list[str]) -> Remote:
    draw = rng.random()
    if draw < 0.2:
        return AnyRemote.ANY
    if draw < 0.5 and groups:
        return GroupRemote(rng.choice(groups))
    if draw < 0.6:
        return AddressGroupRemote("ranges6" if protocol == Protocol.ICMPV6 else "ranges")
    if draw < 0.65 and protocol != Protocol.ICMP:
        return AddressGroupRemote("ranges6")
    prefixes = [prefix for prefix in map(Prefix.parse, _PREFIXES) if prefix.family in protocol.families]
    return rng.choice(prefixes)
