"""Where things are: VPCs, peerings, subnets, ports (ENIs), virtual IPs, instances and hosts outside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from ringfence.model.acl import AclRule
from ringfence.model.address import Address, Family, Prefix
from ringfence.model.profile import Profile
from ringfence.model.rule import NicType
from ringfence.model.service import Listener


@dataclass(frozen=True, slots=True)
class Subnet:
    """A part of a VPC; at most one IPv4 and one IPv6 prefix. The first host address of each is the gateway's.

    ``acl`` names the network ACL at its edge, if any. ``nic`` is which interface of an instance a subnet of the classic
    network is for.
    """

    name: str
    vpc: str
    cidr: Prefix | None = None
    cidr6: Prefix | None = None
    acl: str = ""
    nic: NicType = NicType.INTRANET

    @property
    def prefixes(self) -> tuple[Prefix, ...]:
        """The prefixes it has."""
        return tuple(prefix for prefix in (self.cidr, self.cidr6) if prefix)

    def prefix_of(self, family: Family) -> Prefix | None:
        """The prefix of one family."""
        return self.cidr if family is Family.IPV4 else self.cidr6

    @property
    def gateways(self) -> tuple[Address, ...]:
        """The router's address in each prefix."""
        return tuple(Address(prefix.family, prefix.network + 1) for prefix in self.prefixes)

    def __contains__(self, address: Address) -> bool:
        prefix = self.prefix_of(address.family)
        return prefix is not None and address in prefix

    def __str__(self) -> str:
        return f"{self.vpc}/{self.name}"


class Network(StrEnum):
    """What kind of network a VPC is (SEMANTICS.md 2.2)."""

    VPC = "vpc"
    CLASSIC = "classic"
    """The classic network: each instance has an intranet interface and may have an internet interface."""


@dataclass(frozen=True, slots=True)
class Vpc:
    """A private network with address space, subnets and a profile of its own.

    ``border`` is the firewall between it and the internet: rules in their order, with a direction; what none of them
    matches passes (SEMANTICS.md 4.3).
    """

    name: str
    profile: Profile
    cidrs: tuple[Prefix, ...]
    subnets: Mapping[str, Subnet]
    border: tuple[AclRule, ...] = ()
    network: Network = Network.VPC
    account: str = ""
    """Whose limits it has; empty for one's own."""

    @property
    def border_owner(self) -> str:
        """What the firewall at its border is called where a group or an ACL has its name."""
        return f"border of {self.name}"

    def __contains__(self, address: Address) -> bool:
        return any(address in cidr for cidr in self.cidrs)

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Port:
    """A network interface (ENI) of an instance: what security groups guard.

    ``groups`` keeps the order in which the file lists them. ``namespace`` is the guest's network namespace that it sits
    in, empty for the main one: between two namespaces of one guest traffic leaves it. A supplementary interface names
    the port of its instance that it hangs off as ``parent``, and its ``vlan`` there (SEMANTICS.md 5). Prints as
    ``instance.port``; a port of no instance (see `DetachedPort`) by its name alone.
    """

    instance: str
    name: str
    subnet: str
    vpc: str
    addresses: tuple[Address, ...]
    groups: tuple[str, ...]
    namespace: str = ""
    parent: str = ""
    vlan: int = 0

    @property
    def guest(self) -> tuple[str, str]:
        """Where it sits: instance and namespace of the guest."""
        return self.instance, self.namespace

    def address(self, family: Family) -> Address | None:
        """Its address of one family."""
        return next((address for address in self.addresses if address.family is family), None)

    def __str__(self) -> str:
        return f"{self.instance}.{self.name}" if self.instance else self.name


@dataclass(frozen=True, slots=True)
class DetachedPort:
    """A port that no instance has (an ENI in status Available): it keeps its place, its addresses and its groups.

    There is no wire to it, so no packet meets it, and no flow can name it. ``port.name`` is its own name.
    """

    port: Port
    account: str = ""
    """Whose it is, so whose limits it has; empty for one's own."""

    @property
    def name(self) -> str:
        """What it is known by: without an instance, its id."""
        return self.port.name

    @property
    def vpc(self) -> str:
        """The VPC that it is in."""
        return self.port.vpc

    @property
    def subnet(self) -> str:
        """The subnet that it is in."""
        return self.port.subnet

    @property
    def addresses(self) -> tuple[Address, ...]:
        """The addresses that nobody else may have."""
        return self.port.addresses

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Instance:
    """A machine with one or more ports; ``serve`` lists what listens on it in the lab."""

    name: str
    ports: tuple[Port, ...]
    serve: tuple[Listener, ...] = ()
    account: str = ""
    """Whose it is, so whose limits its ports have; empty for one's own."""

    @cached_property
    def by_name(self) -> Mapping[str, Port]:
        """Its ports by name."""
        return {port.name: port for port in self.ports}

    @property
    def primary(self) -> Port:
        """The first port: what the instance's name alone means."""
        return self.ports[0]

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class VirtualIp:
    """Addresses that move between ports of one subnet (SEMANTICS.md section 5): no group's members have them.

    ``ports`` (by their names, ``instance.port``) may send from the addresses; ``active`` is the one that has them now.
    """

    name: str
    subnet: str
    vpc: str
    addresses: tuple[Address, ...]
    ports: tuple[str, ...]
    active: str

    def address(self, family: Family) -> Address | None:
        """Its address of one family."""
        return next((address for address in self.addresses if address.family is family), None)

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Peering:
    """A way between two VPCs, with a firewall on it: rules in their order, without a direction; the rest passes."""

    name: str
    vpcs: tuple[str, str]
    firewall: tuple[AclRule, ...] = ()

    @property
    def firewall_owner(self) -> str:
        """What its firewall is called where a group or an ACL has its name."""
        return f"peering {self.name}"

    def other(self, vpc: str) -> str:
        """The VPC at the other end."""
        return self.vpcs[1] if vpc == self.vpcs[0] else self.vpcs[0]

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Penalty:
    """An instance, or one port of it, that the platform has cut off until the penalty is lifted (4.5).

    ``target`` is ``instance`` or ``instance.port``.
    """

    target: str
    reason: str

    @property
    def name(self) -> str:
        """What it is known by: its target."""
        return self.target

    def hits(self, port: Port) -> bool:
        """Whether a port is cut off."""
        return self.target in (port.instance, str(port))

    def __str__(self) -> str:
        return self.target


@dataclass(frozen=True, slots=True)
class OutsideHost:
    """A host on the internet side of every VPC, with at most one address a family."""

    name: str
    addresses: tuple[Address, ...]
    account: str = ""
    """Whose it is; nobody else's VPCs have to keep clear of it."""

    def address(self, family: Family) -> Address | None:
        """Its address of one family."""
        return next((address for address in self.addresses if address.family is family), None)

    def __str__(self) -> str:
        return self.name
