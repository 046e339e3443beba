"""What random worlds have in common: VPCs, subnets, ports, hosts, and which virtual IPs and peerings there may be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ringfence.model.address import Address, Family, Prefix
from ringfence.model.profile import ALIBABA, HUAWEI, Profile
from ringfence.model.rule import NicType
from ringfence.model.topology import Instance, Network, OutsideHost, Peering, Port, Subnet, VirtualIp, Vpc
from ringfence.model.world import World, by_name


@dataclass(frozen=True)
class Topology:
    """What stays while policy changes.

    ``subnets`` are named ``vpc/name``; ``ports``, named ``instance.port`` or ``instance.port@namespace``, and
    ``virtual_ips`` say their subnet and the last byte of their addresses, a virtual IP then its ports.
    """

    profile: Profile
    vpcs: Mapping[str, str]
    subnets: Mapping[str, str]
    ports: Mapping[str, str]
    virtual_ips: Mapping[str, str] = field(default_factory=dict)
    peerings: Mapping[str, str] = field(default_factory=dict)
    classic: frozenset[str] = frozenset()
    """VPCs that are the classic network."""
    internet: frozenset[str] = frozenset()
    """Subnets of internet interfaces."""
    outside: Mapping[str, str] = field(
        default_factory=lambda: {
            "laptop": "203.0.113.9 2001:db8:1::9",
            "stranger": "198.51.100.7 2001:db8:2::7",
            "service": "100.125.1.5 2001:db8:3::5",  # one of the fixed rules of an ACL (SEMANTICS.md 4.1)
            "resolver": "100.100.2.136",  # 4.2
        }
    )

    def bare(self) -> World:
        """The topology as a world without policy; its ports are in no group yet."""
        ports = [self._port(name, where) for name, where in self.ports.items()]
        instances = {port.instance: tuple(each for each in ports if each.instance == port.instance) for port in ports}
        return World(
            self.profile,
            by_name(self._vpc(name) for name in self.vpcs),
            instances=by_name(Instance(name, own) for name, own in instances.items()),
            outside=by_name(OutsideHost(name, _addresses(text)) for name, text in self.outside.items()),
            peerings=by_name(Peering(name, _pair(text)) for name, text in self.peerings.items()),
            virtual_ips=by_name(self._virtual_ip(name, text) for name, text in self.virtual_ips.items()),
        )

    def _vpc(self, name: str) -> Vpc:
        inside = {path.partition("/")[2]: path for path in sorted(self.subnets) if path.startswith(f"{name}/")}
        subnets = {subnet: self._subnet(path) for subnet, path in inside.items()}
        network = Network.CLASSIC if name in self.classic else Network.VPC
        return Vpc(name, self.profile, _prefixes(self.vpcs[name]), subnets, network=network)

    def _subnet(self, path: str) -> Subnet:
        vpc, _, name = path.partition("/")
        nic = NicType.INTERNET if path in self.internet else NicType.INTRANET
        of = {prefix.family: prefix for prefix in _prefixes(self.subnets[path])}
        return Subnet(name, vpc, of.get(Family.IPV4), of.get(Family.IPV6), nic=nic)

    def _port(self, path: str, where: str) -> Port:
        name, _, namespace = path.partition("@")
        instance, _, port = name.partition(".")
        subnet, byte = where.split()
        vpc, _, subnet_name = subnet.partition("/")
        return Port(instance, port, subnet_name, vpc, self._hosts(subnet, byte), (), namespace)

    def _virtual_ip(self, name: str, text: str) -> VirtualIp:
        subnet, byte, *ports = text.split()
        vpc, _, subnet_name = subnet.partition("/")
        return VirtualIp(name, subnet_name, vpc, self._hosts(subnet, byte), tuple(ports), ports[0])

    def _hosts(self, subnet: str, byte: str) -> tuple[Address, ...]:
        return tuple(Address(it.family, it.network + int(byte)) for it in _prefixes(self.subnets[subnet]))


def _prefixes(text: str) -> tuple[Prefix, ...]:
    return tuple(map(Prefix.parse, text.split()))


def _addresses(text: str) -> tuple[Address, ...]:
    return tuple(map(Address.parse, text.split()))


def _pair(text: str) -> tuple[str, str]:
    one, two = text.split()
    return one, two


_SHOP = Topology(
    HUAWEI,
    vpcs={
        "shop": "10.0.0.0/16 10.20.0.0/16 fd00:10::/56",
        "ops": "10.9.0.0/16 fd00:90::/56",
        "alone": "10.5.0.0/16 fd00:50::/56",
    },
    subnets={
        "shop/web": "10.0.1.0/24 fd00:10:0:1::/64",
        "shop/db": "10.0.2.0/24 fd00:10:0:2::/64",
        "shop/more": "10.20.1.0/24",
        "ops/ops": "10.9.1.0/24 fd00:90:0:1::/64",
        "alone/net": "10.5.1.0/24 fd00:50:0:1::/64",
    },
    ports={
        "web-1.eth0": "shop/web 11",
        "web-2.eth0": "shop/web 12",
        "db-1.eth0": "shop/db 21",
        "both.eth0": "shop/web 31",
        "both.eth1": "shop/db 31",
        "both.eth2@inner": "shop/web 32",
        "both.eth3@inner": "shop/more 33",
        "ops-1.eth0": "ops/ops 41",
        "ops-2.eth0": "ops/ops 42",
        "hermit.eth0": "alone/net 51",
    },
    virtual_ips={
        "vip": "shop/web 100 web-1.eth0 web-2.eth0",
        "inner-vip": "shop/web 101 both.eth2 both.eth0",
    },
    peerings={"to-ops": "shop ops", "beyond": "ops alone"},
)

_CLASSIC = Topology(
    ALIBABA,
    vpcs={"classic": "10.0.0.0/16 47.100.0.0/16 fd00:10::/56", "ops": "10.9.0.0/16 fd00:90::/56"},
    subnets={
        "classic/intra": "10.0.1.0/24 fd00:10:0:1::/64",
        "classic/public": "47.100.1.0/24 fd00:10:0:2::/64",
        "ops/ops": "10.9.1.0/24 fd00:90:0:1::/64",
    },
    ports={
        "web-1.eth0": "classic/intra 11",
        "web-1.eth1": "classic/public 11",
        "web-2.eth0": "classic/intra 12",
        "web-2.eth1": "classic/public 12",
        "db-1.eth0": "classic/intra 21",
        "out-1.eth0": "classic/public 22",
        "ops-1.eth0": "ops/ops 41",
    },
    classic=frozenset({"classic"}),
    internet=frozenset({"classic/public"}),
)


TOPOLOGIES: Mapping[str, Topology] = {"huawei": _SHOP, "alibaba": replace(_SHOP, profile=ALIBABA), "classic": _CLASSIC}
"""Those of the differential test, by name; the first of a profile's is what `random_world` takes by itself."""


def nobodys(world: World, family: Family) -> Mapping[str, Address]:
    """By VPC, an address of one of its subnets that nobody has."""
    found = {}
    for vpc in world.vpcs.values():
        prefix = next((it for subnet in vpc.subnets.values() if (it := subnet.prefix_of(family))), None)
        if prefix:
            found[vpc.name] = Address(family, prefix.network + 99)
    return found
