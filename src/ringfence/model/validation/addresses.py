"""Addresses of ports and virtual IPs: inside of their subnet, not reserved, and nobody else's."""

from __future__ import annotations

from collections.abc import Iterator

from ringfence.model.address import Address, Family
from ringfence.model.topology import DetachedPort, Port, Subnet, VirtualIp
from ringfence.model.validation.problem import Path, Problem
from ringfence.model.validation.scope import Scope
from ringfence.model.world import World, nearest


def find_subnet(world: World, owner: Port | VirtualIp | DetachedPort) -> Subnet | None:
    """The subnet that a port or virtual IP names, if it is there."""
    vpc = world.vpcs.get(owner.vpc)
    return vpc.subnets.get(owner.subnet) if vpc else None


def home_problems(world: World, owner: Port | VirtualIp, path: Path) -> Iterator[Problem]:
    """The subnet of a port or virtual IP, if it is not there."""
    if owner.vpc not in world.vpcs:
        yield Problem(path, "world.unknown_vpc", f"there is no VPC {owner.vpc!r}", nearest(owner.vpc, world.vpcs))
    elif find_subnet(world, owner) is None:
        what = f"there is no subnet {owner.subnet!r} in VPC {owner.vpc}"
        yield Problem(path, "world.unknown_subnet", what, nearest(owner.subnet, world.vpcs[owner.vpc].subnets))


def address_problems(scope: Scope) -> Iterator[Problem]:
    """Addresses that their owner cannot have, and those that two have."""
    for owner in scope.owners:
        subnet = find_subnet(scope.world, owner)
        if len({*owner.addresses}) < len(owner.addresses):
            yield Problem(_path(owner), "world.duplicate", f"{owner} lists an address twice", "list it once")
        for address in owner.addresses:
            where: Path = (*_path(owner), "ip" if address.family is Family.IPV4 else "ip6")
            if subnet:
                yield from _place_problems(subnet, address, where)
            first = scope.world.places[owner.vpc, address][0]
            if first != owner:
                what = f"{address} belongs to {first} already"
                yield Problem(where, "world.address_in_use", what, "choose a free address")


def _path(owner: Port | VirtualIp | DetachedPort) -> Path:
    if isinstance(owner, Port):
        return "instances", owner.instance, "ports", owner.name
    return "virtual_ips" if isinstance(owner, VirtualIp) else "detached", owner.name


def _place_problems(subnet: Subnet, address: Address, path: Path) -> Iterator[Problem]:
    prefix = subnet.prefix_of(address.family)
    if prefix is None:
        key = "cidr6" if address.family is Family.IPV6 else "cidr"
        what = f"subnet {subnet.name} has no {address.family} prefix, {address} cannot be in it"
        yield Problem(path, "world.address_outside_subnet", what, f"give the subnet a {key}, or leave the address out")
    elif address not in prefix:
        what = f"{address} is outside subnet {subnet.name}"
        yield Problem(path, "world.address_outside_subnet", what, f"choose an address in {prefix}")
    elif address.value - prefix.network < 2 or (address.family is Family.IPV4 and address.value == prefix.range.last):
        what = f"{address} is reserved in {prefix} (network, gateway or broadcast)"
        yield Problem(path, "world.address_reserved", what, "choose another address")
