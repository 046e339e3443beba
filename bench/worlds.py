"""The worlds that are measured: made by arithmetic, so that every run measures the same ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from ringfence.model.address import Address, AddressRange, Family, Prefix
from ringfence.model.group import AddressGroup, SecurityGroup
from ringfence.model.profile import HUAWEI
from ringfence.model.rule import Action, AddressGroupRemote, AnyRemote, Direction, GroupRemote, Remote, Rule
from ringfence.model.service import PortRange, PortSet, Protocol
from ringfence.model.topology import Instance, Port, Subnet, Vpc
from ringfence.model.world import World, by_name

VPC = "bench"
PROFILE = replace(HUAWEI, rules_per_group=2_000, rules_per_port=10_000)
"""Limits out of the way: a port with 1,000 rules is what is to be measured."""
CLIENT, SERVER = "client.eth0", "server.eth0"
"""The two ports of a gate's world, as plan and driver name them."""

RULES_PER_GROUP = 20
PORTS_PER_GROUP = 10


def _vpc(*cidrs: str) -> Vpc:
    prefixes = tuple(map(Prefix.parse, cidrs))
    first = {prefix.family: prefix for prefix in reversed(prefixes)}
    subnet = Subnet("all", VPC, first.get(Family.IPV4), first.get(Family.IPV6))
    return Vpc(VPC, PROFILE, prefixes, {"all": subnet})


def _instance(name: str, addresses: tuple[Address, ...], *groups: str) -> Instance:
    return Instance(name, (Port(name, "eth0", "all", VPC, addresses, groups),))


def _allow(remote: Remote, ports: PortSet, protocol: Protocol = Protocol.TCP) -> Rule:
    return Rule(Direction.INGRESS, Action.ALLOW, protocol, remote, ports)


def _one(port: int) -> PortSet:
    return PortSet((PortRange(port, port),))


_ALLOW_OUT = Rule(Direction.EGRESS, Action.ALLOW, Protocol.ALL, AnyRemote.ANY)


@dataclass(frozen=True)
class Opening:
    """One rule of the server, and a connection that only this rule allows."""

    source: Address
    prefix: Prefix
    port: int


@dataclass(frozen=True)
class GateWorld:
    """Two ports: a server that ``rules`` distinct ingress rules guard, and a client that may send anything.

    Each rule allows one TCP port from one prefix (/28, /30 and /32 in turn). The client has as many addresses as a
    node of containers has, so that connections match all over the list.
    """

    rules: int

    server = Address.parse("10.1.200.1")
    clients = tuple(Address(Family.IPV4, Address.parse("10.1.0.0").value + host) for host in range(1, 251))

    @cached_property
    def openings(self) -> tuple[Opening, ...]:
        """The rules, in the order in which a chain lists them."""
        return tuple(self._opening(number) for number in range(self.rules))

    def _opening(self, number: int) -> Opening:
        source = self.clients[number * 37 % len(self.clients)]
        length = (28, 30, 32)[number % 3]
        network = source.value >> (32 - length) << (32 - length)
        return Opening(source, Prefix(Family.IPV4, network, length), 1024 + number * 7)

    @cached_property
    def world(self) -> World:
        """The world to compile."""
        rules = tuple(_allow(opening.prefix, _one(opening.port)) for opening in self.openings)
        return World(
            PROFILE,
            vpcs=by_name([_vpc("10.1.0.0/16")]),
            groups=by_name([SecurityGroup("sg-server", rules), SecurityGroup("sg-client", (_ALLOW_OUT,))]),
            instances=by_name(
                [_instance("server", (self.server,), "sg-server"), _instance("client", self.clients, "sg-client")]
            ),
        )


def estate(ports: int, edition: int = 0, groups: int = 0) -> World:
    """A VPC of many ports, ten to a group or in so many ``groups``, and twenty rules in every group.

    Each port has an IPv4 and an IPv6 address.
    Rules name prefixes of both families, other groups, address groups and any; the first port of each group is in a
    second one too, so that there are two classes to a group. Another edition has other names and the same size: what
    an earlier measurement left in a cache is of no use to it.
    """
    groups = groups or max(1, ports // PORTS_PER_GROUP)
    return World(
        PROFILE,
        vpcs=by_name([_vpc("10.0.0.0/8", "fd00::/64")]),
        address_groups=by_name(_address_group(number) for number in range(max(1, groups // 10))),
        groups=by_name(
            [SecurityGroup(f"sg-{number}", tuple(_estate_rules(number, groups))) for number in range(groups)]
        ),
        instances=by_name(_estate_instance(number, groups, edition) for number in range(ports)),
    )


def _estate_instance(number: int, groups: int, edition: int) -> Instance:
    v4 = Address(Family.IPV4, Address.parse("10.1.0.0").value + number)
    v6 = Address(Family.IPV6, Address.parse("fd00::1:0").value + number)
    group = number % groups
    second = (f"sg-{(group + 1) % groups}",) if number < groups > 1 else ()
    return _instance(f"vm-{edition}-{number}", (v4, v6), f"sg-{group}", *second)


def _address_group(number: int) -> AddressGroup:
    base = Address.parse("192.168.0.0").value + number * 64
    ranges = [AddressRange(Family.IPV4, base + 4 * entry, base + 4 * entry + entry % 3) for entry in range(8)]
    return AddressGroup(f"office-{number}", tuple(ranges))


def _estate_rules(number: int, groups: int) -> Iterator[Rule]:
    offices = max(1, groups // 10)
    yield _ALLOW_OUT
    yield _allow(GroupRemote(f"sg-{number}"), PortSet(), Protocol.ALL)
    yield _allow(GroupRemote(f"sg-{(number + 1) % groups}"), _one(5432))
    yield _allow(GroupRemote(f"sg-{(number + 7) % groups}"), PortSet((PortRange(6379, 6380),)))
    yield _allow(AddressGroupRemote(f"office-{number % offices}"), _one(22))
    yield _allow(AddressGroupRemote(f"office-{(number + 1) % offices}"), PortSet((PortRange(9100, 9110),)))
    yield _allow(AnyRemote.ANY, PortSet((PortRange(80, 80), PortRange(443, 443))))
    yield Rule(Direction.INGRESS, Action.DENY, Protocol.TCP, Prefix.parse("10.9.0.0/16"), _one(443))
    yield _allow(Prefix(Family.IPV4, 0, 0), PortSet(), Protocol.ICMP)
    yield _allow(Prefix(Family.IPV6, 0, 0), PortSet(), Protocol.ICMPV6)
    for line in range(RULES_PER_GROUP - 10):
        port = _one(8000 + 10 * line + number % 10)
        if line % 2:
            base = Address.parse("fd00:0:0:1::").value
            yield _allow(Prefix(Family.IPV6, base + (number * 16 + line << 64), 64), port)
        else:
            base = Address.parse("172.16.0.0").value
            yield _allow(Prefix(Family.IPV4, base + ((number * 16 + line) % 4096 << 8), 24), port, Protocol.UDP)


FLEET_GROUPS = 20
FLEET_OFFICE = "offices"


def fleet(ports: int) -> World:
    """A VPC of many ports in twenty groups, and an address group with as many entries, which every group's rules name.

    A group has ten rules: of the group itself, of its neighbour, of the address group, and of prefixes.
    """
    groups = FLEET_GROUPS
    base = Address.parse("192.168.0.0").value
    entries = tuple(AddressRange(Family.IPV4, base + number, base + number) for number in range(ports))
    return World(
        PROFILE,
        vpcs=by_name([_vpc("10.0.0.0/8")]),
        address_groups=by_name([AddressGroup(FLEET_OFFICE, entries)]),
        groups=by_name([SecurityGroup(f"sg-{number}", _fleet_rules(number, groups)) for number in range(groups)]),
        instances=by_name(
            _instance(f"vm-{number}", (fleet_address(number),), f"sg-{number % groups}") for number in range(ports)
        ),
    )


def fleet_address(number: int) -> Address:
    """The address of a port of a fleet."""
    return Address(Family.IPV4, Address.parse("10.1.0.0").value + number)


def _fleet_rules(number: int, groups: int) -> tuple[Rule, ...]:
    prefixes = [Prefix(Family.IPV4, Address.parse("172.16.0.0").value + (line << 8), 24) for line in range(6)]
    return (
        _ALLOW_OUT,
        _allow(GroupRemote(f"sg-{number}"), PortSet(), Protocol.ALL),
        _allow(GroupRemote(f"sg-{(number + 1) % groups}"), _one(5432)),
        _allow(AddressGroupRemote(FLEET_OFFICE), _one(22)),
        *(_allow(prefix, _one(8000 + line)) for line, prefix in enumerate(prefixes)),
    )
