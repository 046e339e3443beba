"""The World: everything that policy depends on, as one immutable value.

A world holds no order that its file had by chance: all mappings are sorted by name, so that equal worlds compile to
equal plans. Whether it makes sense as a whole is for `ringfence.model.validation` to say.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import TypeVar

from ringfence.errors import NotationError, UnknownName
from ringfence.model.acl import NetworkAcl
from ringfence.model.address import Address, Family
from ringfence.model.flow import Endpoint, Expectation, Flow, Query
from ringfence.model.group import AddressGroup, SecurityGroup
from ringfence.model.profile import HUAWEI, Profile
from ringfence.model.rule import NicType
from ringfence.model.topology import Instance, OutsideHost, Peering, Penalty, Port, Subnet, VirtualIp, Vpc

Named = TypeVar(
    "Named", Vpc, AddressGroup, SecurityGroup, NetworkAcl, Instance, VirtualIp, Peering, Penalty, OutsideHost
)


def by_name(items: Iterable[Named]) -> Mapping[str, Named]:
    """Index values by their names, in the order of the names."""
    return {item.name: item for item in sorted(items, key=lambda item: item.name)}


@dataclass(frozen=True)
class World:
    """VPCs, groups, instances and hosts, and what is expected of them. Build the mappings with `by_name`."""

    profile: Profile = HUAWEI
    vpcs: Mapping[str, Vpc] = field(default_factory=dict)
    address_groups: Mapping[str, AddressGroup] = field(default_factory=dict)
    groups: Mapping[str, SecurityGroup] = field(default_factory=dict)
    instances: Mapping[str, Instance] = field(default_factory=dict)
    outside: Mapping[str, OutsideHost] = field(default_factory=dict)
    expects: tuple[Expectation, ...] = ()
    acls: Mapping[str, NetworkAcl] = field(default_factory=dict)
    peerings: Mapping[str, Peering] = field(default_factory=dict)
    virtual_ips: Mapping[str, VirtualIp] = field(default_factory=dict)
    penalties: Mapping[str, Penalty] = field(default_factory=dict)

    @cached_property
    def ports(self) -> tuple[Port, ...]:
        """Every port, by instance and name."""
        return tuple(
            port for instance in self.instances.values() for port in sorted(instance.ports, key=lambda port: port.name)
        )

    @cached_property
    def port_by_name(self) -> Mapping[str, Port]:
        """Every port by its name, ``instance.port``."""
        return {str(port): port for port in self.ports}

    @cached_property
    def _port_at(self) -> Mapping[tuple[str, Address], Port]:
        held = {
            (vip.vpc, address): self.port_by_name[vip.active]
            for vip in self.virtual_ips.values()
            if vip.active in self.port_by_name
            for address in vip.addresses
        }
        return held | {(port.vpc, address): port for port in self.ports for address in port.addresses}

    def port_at(self, endpoint: Endpoint) -> Port | None:
        """The port that has the endpoint's address in the endpoint's VPC, as its own or as a virtual one for now."""
        return self._port_at.get((endpoint.vpc, endpoint.address))

    def seen_from(self, vpc: str, address: Address) -> Endpoint:
        """Where an address lies, seen from a VPC: in it, in a peer, in another one whose port has it, or outside."""
        near = (name for name in (vpc, *self.peers_of(vpc)) if name in self.vpcs and address in self.vpcs[name])
        others = (name for name in self.vpcs if (name, address) in self._port_at)
        return Endpoint(address, next(chain(near, others), ""))

    @cached_property
    def _peers(self) -> Mapping[tuple[str, str], Peering]:
        ways = {(peering.vpcs, peering) for peering in self.peerings.values()}
        return {pair: peering for (one, two), peering in ways for pair in ((one, two), (two, one))}

    def peering(self, one: str, two: str) -> Peering | None:
        """The peering between two VPCs."""
        return self._peers.get((one, two))

    def peers_of(self, vpc: str) -> tuple[str, ...]:
        """The VPCs that are peered with one, in the order of their names."""
        return tuple(sorted(two for one, two in self._peers if one == vpc))

    def nic_of(self, port: Port) -> NicType:
        """Which interface of its instance a port is; intranet in a VPC."""
        return self.subnet_of(port).nic

    def subnet_of(self, port: Port) -> Subnet:
        """The subnet that a port sits in."""
        return self.vpcs[port.vpc].subnets[port.subnet]

    def profile_of(self, group: SecurityGroup) -> Profile:
        """The profile whose limits and defaults a group has: its VPC's, or the world's where it belongs to none."""
        vpc = self.vpcs.get(group.vpc)
        return vpc.profile if vpc else self.profile

    def resolve(self, name: str) -> Port | VirtualIp | OutsideHost:
        """What a name stands for: an instance, ``instance.port``, a virtual IP or an outside host.

        Raises `UnknownName`.
        """
        if name in self.outside:
            return self.outside[name]
        if name in self.virtual_ips:
            return self.virtual_ips[name]
        instance_name, _, port_name = name.partition(".")
        instance = self.instances.get(instance_name)
        if instance and not port_name:
            return instance.primary
        if instance and port_name in instance.by_name:
            return instance.by_name[port_name]
        known = [*self.instances, *self.outside, *self.virtual_ips, *map(str, self.ports)]
        raise UnknownName(f"there is no instance, virtual IP or outside host {name!r}", nearest(name, known))

    def endpoint(self, name: str, family: Family) -> Endpoint:
        """The end of a flow that a name or a literal address stands for.

        A literal address that a port has means that port, and one that nobody has is outside. Raises `UnknownName`,
        also where several VPCs use the address, or where what the name stands for has none of the family.
        """
        try:
            address = Address.parse(name)
        except NotationError:
            pass
        else:
            if not address.is_unicast:
                raise UnknownName(f"{name} is no address that a machine can have", "name a host's")
            if address.family is not family:
                raise UnknownName(f"{name} is an {address.family} address", f"ask over {address.family}")
            having: list[Port | VirtualIp] = [*self.ports, *self.virtual_ips.values()]
            owners = [each for each in having if address in each.addresses]
            if len(owners) > 1:
                raise UnknownName(f"several VPCs use {name}", f"name one of {', '.join(map(str, owners))}")
            return Endpoint(address, owners[0].vpc if owners else "", name)
        target = self.resolve(name)
        found = target.address(family)
        if not found:
            other = Family.IPV6 if family is Family.IPV4 else Family.IPV4
            raise UnknownName(f"{name} has no {family} address", f"ask over {other}")
        return Endpoint(found, "" if isinstance(target, OutsideHost) else target.vpc, name)

    def flow(self, query: Query) -> Flow:
        """The flow that a query names; raises `UnknownName`."""
        source, destination = (self.endpoint(name, query.family) for name in (query.source, query.destination))
        return Flow(source, destination, query.service, query.source_port)


def nearest(name: str, known: Iterable[str]) -> str:
    """Words for a message about an unknown name: the nearest known one, else all of them while they are few."""
    names = sorted(set(known))
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    if close:
        return f"did you mean {close[0]!r}?"
    if 0 < len(names) <= 12:
        return f"known: {', '.join(names)}"
    return f"{len(names)} others are known" if names else "none are defined"
