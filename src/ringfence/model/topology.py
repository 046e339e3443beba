"""Where things are: VPCs, subnets, ports (ENIs), instances and hosts outside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from ringfence.model.address import Address, Family, Prefix
from ringfence.model.profile import Profile
from ringfence.model.service import Listener


@dataclass(frozen=True, slots=True)
class Subnet:
    """A part of a VPC; at most one IPv4 and one IPv6 prefix. The first host address of each is the gateway's."""

    name: str
    vpc: str
    cidr: Prefix | None = None
    cidr6: Prefix | None = None

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

    def __str__(self) -> str:
        return f"{self.vpc}/{self.name}"


@dataclass(frozen=True, slots=True)
class Vpc:
    """A private network with address space, subnets and a profile of its own."""

    name: str
    profile: Profile
    cidrs: tuple[Prefix, ...]
    subnets: Mapping[str, Subnet]

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Port:
    """A network interface (ENI) of an instance: what security groups guard.

    ``groups`` keeps the order in which the file lists them. Prints as ``instance.port``.
    """

    instance: str
    name: str
    subnet: str
    vpc: str
    addresses: tuple[Address, ...]
    groups: tuple[str, ...]

    def address(self, family: Family) -> Address | None:
        """Its address of one family."""
        return next((address for address in self.addresses if address.family is family), None)

    def __str__(self) -> str:
        return f"{self.instance}.{self.name}"


@dataclass(frozen=True)
class Instance:
    """A machine with one or more ports; ``serve`` lists what listens on it in the lab."""

    name: str
    ports: tuple[Port, ...]
    serve: tuple[Listener, ...] = ()

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
class OutsideHost:
    """A host on the internet side of every VPC, with at most one address a family."""

    name: str
    addresses: tuple[Address, ...]

    def address(self, family: Family) -> Address | None:
        """Its address of one family."""
        return next((address for address in self.addresses if address.family is family), None)

    def __str__(self) -> str:
        return self.name
