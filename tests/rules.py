"""Random rules of groups, ACLs and firewalls, about the addresses and ports that the worlds of the tests have."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence

from ringfence.model.acl import AclRule, Side
from ringfence.model.address import AddressRange, Family, Prefix
from ringfence.model.group import AddressGroup
from ringfence.model.port_list import NamedPorts, PortList, RulePorts
from ringfence.model.profile import Profile
from ringfence.model.rule import Action, AddressGroupRemote, AnyRemote, Direction, GroupRemote, NicType, Remote, Rule
from ringfence.model.service import ALL_PORTS, PortRange, PortSet, Protocol
from ringfence.model.topology import Network, Vpc

_PREFIXES = [
    Prefix.parse(text)
    for text in (
        *("0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/22", "10.0.1.0/24", "10.0.1.11/32", "10.0.2.16/28", "203.0.113.0/24"),
        *("203.0.113.9/32", "128.0.0.0/1", "::/0", "fd00:10::/56", "fd00:10:0:1::/64", "fd00:10:0:1::b/128"),
        *("2001:db8::/32", "2001:db8:1::9/128", "10.9.1.0/24", "10.0.1.100/32", "10.0.1.100/31", "10.20.0.0/16"),
        *("fd00:10:0:1::64/127", "fd00:90::/56", "47.100.1.0/24", "100.64.0.0/10"),
    )
]
_BLOCKS = {family: [prefix for prefix in _PREFIXES if prefix.family is family] for family in Family}
_RANGES = {
    Family.IPV4: [
        "10.0.1.5-10.0.1.11",
        "203.0.113.9-203.0.113.40",
        "10.0.2.0/24",
        "198.51.100.7",
        "10.0.1.11-10.0.2.21",
    ],
    Family.IPV6: ["fd00:10:0:1::b-fd00:10:0:2::15", "2001:db8:2::7", "fd00:10::/60", "fd00:10:0:1::64"],
}
_PORT_SETS = [
    PortSet.parse(text)
    for text in ["22", "80", "80-90", "85-443", "443", "22,80-82,8000-9000", "1-1024", "1", "65535", "1024-65535", "86"]
]
_SOURCE_SETS = [
    PortSet.parse(text)
    for text in ["1024-65535", "1-1023", "53", "1000-2000,5000", "61000-65535", "32768-60999", "5000-61000", "40000"]
]
PORTED = (1, 21, 22, 23, 79, 80, 81, 85, 86, 90, 91, 443, 444, 1024, 1025, 7999, 8000, 9001, 40000, 65535)
"""Ports at the edges of those that rules name."""
SOURCES = (1, 52, 53, 54, 999, 1000, 1023, 1024, 2000, 2001, 4999, 5000, 32767, 32768, 40000, 60999, 61000, 65535)
"""The same of source ports."""
PORTLESS = [Protocol(47), Protocol(132), Protocol(253)]


def unique(rules: Iterable[AclRule]) -> tuple[AclRule, ...]:
    """Each line once."""
    return tuple({rule.key: rule for rule in rules}.values())


class RuleDrawer:
    """Draws rules; ``lists`` are the address groups that they may name."""

    def __init__(self, rng: random.Random, lists: Mapping[str, AddressGroup]) -> None:
        self._rng = rng
        self._lists = {group.entries[0].family: group.name for group in lists.values()}

    def lines(self, way: Direction | None, is_open: float = 0) -> tuple[AclRule, ...]:
        """Lines of an ACL or a firewall; ``is_open`` is how likely the last one allows everything else."""
        made = [self._line(way) for _ in range(self._rng.choice([0, 2, 5, 9]))]
        if self._rng.random() < 0.3:
            made += self._line_ladder(way)
        if self._rng.random() < is_open:
            made.append(AclRule(Action.ALLOW, Protocol.ALL, direction=way))
        return unique(made)

    def _line(self, way: Direction | None) -> AclRule:
        protocol = self._protocol()
        family = self._rng.choice(protocol.families)
        source: Side = self._side(family)
        destination: Side = self._side(family)
        draw = self._rng.random()
        if draw < 0.12:
            source = AddressGroupRemote(self._lists[family])
        elif draw < 0.24:
            destination = AddressGroupRemote(self._lists[family])
        return AclRule(
            self._action(),
            protocol,
            source,
            destination,
            way,
            self._ports(protocol, _PORT_SETS, 0.8),
            self._ports(protocol, _SOURCE_SETS, 0.4),
            self._is_enabled(),
        )

    def _line_ladder(self, way: Direction | None) -> list[AclRule]:
        """Lines that differ in their ports: enough without overlap to become an interval map."""
        family = self._rng.choice(list(Family))
        sides = self._side(family), self._side(family)
        ports = self._rng.sample(PORTED, 12)
        return [AclRule(self._rng.choice(list(Action)), Protocol.TCP, *sides, way, _one(port)) for port in ports]

    def rule(self, vpc: Vpc, groups: Sequence[GroupRemote]) -> Rule:
        """A rule of a group of a VPC, which may name some groups."""
        protocol = self._protocol()
        remote = self._remote(vpc, protocol, groups)
        five_tuple = vpc.profile.five_tuple and self._rng.random() < 0.4
        local = self._local(protocol, remote) if five_tuple else None
        return Rule(
            self._rng.choice(list(Direction)),
            self._action(),
            protocol,
            remote,
            self._rule_ports(vpc, protocol),
            self._rng.choice([1, 1, 2, 50, 100]),
            self._is_enabled(),
            local=local,
            source_ports=self._ports(protocol, _SOURCE_SETS, 0.7) if five_tuple else ALL_PORTS,
            nic=self._nic(vpc, remote),
        )

    def _rule_ports(self, vpc: Vpc, protocol: Protocol) -> RulePorts:
        if protocol.has_ports and vpc.network is not Network.CLASSIC and self._rng.random() < 0.2:
            return NamedPorts(self._rng.choice(list(PORT_LISTS)))
        return self._ports(protocol, _PORT_SETS, 0.9)

    def rests(self, vpc: Vpc) -> list[Rule]:
        """Rules that allow everything else, now and then: without them few packets would come far."""
        allow = Action.ALLOW, Protocol.ALL, AnyRemote.ANY
        ways = [way for way in Direction if self._rng.random() < 0.3]
        return [Rule(way, *allow, priority=100, nic=self._nic(vpc, AnyRemote.ANY)) for way in ways]

    def ladder(self, vpc: Vpc, groups: Sequence[GroupRemote]) -> list[Rule]:
        """Rules that differ in their ports: enough without overlap to become an interval map."""
        direction, priority = self._rng.choice(list(Direction)), self._rng.choice([1, 50])
        made = []
        for port in self._rng.sample(PORTED, 14):
            for protocol in (Protocol.TCP, Protocol.UDP):
                remote, action = self._remote(vpc, protocol, groups), self._rng.choice(list(Action))
                nic = self._nic(vpc, remote)
                made.append(Rule(direction, action, protocol, remote, _one(port), priority, nic=nic))
        return made

    def _remote(self, vpc: Vpc, protocol: Protocol, groups: Sequence[GroupRemote]) -> Remote:
        draw = self._rng.random()
        if draw < 0.2:
            return AnyRemote.ANY
        if draw < 0.5 and groups:
            return self._rng.choice(groups)
        family = self._rng.choice(protocol.families)
        if draw < 0.65 and vpc.network is not Network.CLASSIC:
            return AddressGroupRemote(self._lists[family])
        return self._prefix(family)

    def _local(self, protocol: Protocol, remote: Remote) -> Prefix | None:
        if self._rng.random() < 0.4:
            return None
        if isinstance(remote, Prefix):
            return self._prefix(remote.family)
        of = [family for family, name in self._lists.items() if remote == AddressGroupRemote(name)]
        return self._prefix(self._rng.choice(of or protocol.families))

    def _nic(self, vpc: Vpc, remote: Remote) -> NicType | None:
        if vpc.network is not Network.CLASSIC or self._rng.random() < 0.4:
            return None
        named = isinstance(remote, GroupRemote)
        return NicType.INTRANET if named else self._rng.choice(list(NicType))

    def _side(self, family: Family) -> AnyRemote | Prefix:
        return AnyRemote.ANY if self._rng.random() < 0.45 else self._prefix(family)

    def _prefix(self, family: Family) -> Prefix:
        return self._rng.choice(_BLOCKS[family])

    def _protocol(self) -> Protocol:
        few = [Protocol.ICMP, Protocol.ICMPV6, *PORTLESS]
        return self._rng.choice([Protocol.TCP] * 5 + [Protocol.UDP] * 2 + [Protocol.ALL] * 3 + few)

    def _ports(self, protocol: Protocol, sets: Sequence[PortSet], often: float) -> PortSet:
        wanted = protocol.has_ports and self._rng.random() < often
        return self._rng.choice(sets) if wanted else ALL_PORTS

    def _action(self) -> Action:
        return self._rng.choice([Action.ALLOW, Action.ALLOW, Action.DENY])

    def _is_enabled(self) -> bool:
        return self._rng.random() < 0.92


PORT_LISTS = {"some-ports": 4, "few-ports": 2, "no-ports": 0}
"""The port lists that rules may name, and how many entries each has: they overlap, touch and nest."""
_PORT_ENTRIES = ["22", "80-90", "85-443", "80", "81-86", "444", "1-1024", "1024-65535", "7999-9000", "65535", "40000"]


def random_port_lists(rng: random.Random) -> list[PortList]:
    """Port lists with other entries."""
    pool = [PortRange.parse(text) for text in _PORT_ENTRIES]
    return [
        PortList(name, tuple(rng.sample(pool, count)), rng.choice([None, 20])) for name, count in PORT_LISTS.items()
    ]


def _one(port: int) -> PortSet:
    return PortSet((PortRange(port, port),))


def random_lists(rng: random.Random, profile: Profile) -> list[AddressGroup]:
    """An address group of each family; of ranges too, where the profile has them."""
    made = []
    for name, family, count in (("ranges", Family.IPV4, 3), ("ranges6", Family.IPV6, 2)):
        pool = [AddressRange.parse(text) for text in _RANGES[family]]
        if not profile.address_group_ranges:
            pool = [prefix.range for prefix in _BLOCKS[family]]
        made.append(AddressGroup(name, tuple(rng.sample(pool, count)), rng.choice([None, 20])))
    return made
