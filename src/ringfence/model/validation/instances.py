"""Instances: the addresses and groups of their ports, what listens on them, and what is expected of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import combinations

from ringfence.errors import UnknownName
from ringfence.model.address import Address, Family, Prefix
from ringfence.model.topology import Port
from ringfence.model.validation.problem import Path, Problem
from ringfence.model.validation.quotas import TOO_MANY_RULES_ON_PORT, group_cost
from ringfence.model.world import World, nearest


def port_problems(world: World) -> Iterator[Problem]:
    """Addresses that a port cannot have, and groups that it may not be in."""
    owners: dict[tuple[str, object], Port] = {}
    for port in world.ports:
        path: Path = ("instances", port.instance, "ports", port.name)
        yield from _port_group_problems(world, port, (*path, "groups"))
        yield from _port_address_problems(world, port, path)
        for address in port.addresses:
            owner = owners.setdefault((port.vpc, address), port)
            if owner is not port:
                yield Problem(
                    (*path, _address_key(address)),
                    "world.address_in_use",
                    f"{address} belongs to {owner} already",
                    "choose a free address",
                )


def _address_key(address: Address) -> str:
    return "ip" if address.family is Family.IPV4 else "ip6"


def _port_address_problems(world: World, port: Port, path: Path) -> Iterator[Problem]:
    subnet = world.subnet_of(port)
    for address in port.addresses:
        where = (*path, _address_key(address))
        prefix = subnet.prefix_of(address.family)
        if prefix is None:
            yield Problem(
                where,
                "world.address_outside_subnet",
                f"subnet {subnet.name} has no {address.family} prefix, {address} cannot be in it",
                f"give the subnet a {'cidr6' if address.family is Family.IPV6 else 'cidr'}, or leave the address out",
            )
        elif address not in prefix:
            yield Problem(
                where,
                "world.address_outside_subnet",
                f"{address} is outside subnet {subnet.name}",
                f"choose an address in {prefix}",
            )
        elif address.value - prefix.network < 2 or (
            address.family is Family.IPV4 and address.value == prefix.range.last
        ):
            yield Problem(
                where,
                "world.address_reserved",
                f"{address} is reserved in {prefix} (network, gateway or broadcast)",
                "choose another address",
            )


_LOOPBACK = (Prefix.parse("127.0.0.0/8"), Prefix.parse("::1"))


def _is_loopback(address: Address) -> bool:
    return any(address in prefix for prefix in _LOOPBACK)


def listener_problems(world: World) -> Iterator[Problem]:
    """Listeners at addresses that the instance does not have, and two at one place."""
    for instance in world.instances.values():
        path: Path = ("instances", instance.name, "serve")
        own = {address for port in instance.ports for address in port.addresses}
        for listener in instance.serve:
            if listener.address and listener.address not in own and not _is_loopback(listener.address):
                yield Problem(
                    path,
                    "world.listener",
                    f"{listener} is served at an address that {instance.name} does not have",
                    "leave the address out, or use one of the instance's own or 127.0.0.1",
                )
        for one, two in combinations(instance.serve, 2):
            if one.service == two.service and (one.address == two.address or not (one.address and two.address)):
                yield Problem(path, "world.duplicate", f"{one} and {two} want the same port", "keep one of them")


def _port_group_problems(world: World, port: Port, path: Path) -> Iterator[Problem]:
    profile = world.vpcs[port.vpc].profile
    known = [world.groups[name] for name in port.groups if name in world.groups]
    for name, count in Counter(port.groups).items():
        if name not in world.groups:
            yield Problem(
                path, "InvalidSecurityGroupId.NotFound", f"there is no group {name!r}", nearest(name, world.groups)
            )
        elif count > 1:
            yield Problem(path, "world.duplicate", f"{port} lists group {name} {count} times", "list it once")
    for group in known:
        if group.vpc and group.vpc != port.vpc:
            yield Problem(
                path,
                "world.group_of_other_vpc",
                f"group {group.name} belongs to VPC {group.vpc}, {port} is in {port.vpc}",
                f"use a group of VPC {port.vpc}",
            )
        elif world.profile_of(group).name != profile.name:
            yield Problem(
                path,
                "world.group_of_other_profile",
                f"group {group.name} has the {world.profile_of(group).name} profile, VPC {port.vpc} {profile.name}",
                "use a group of the VPC's profile: give it vpc: " + port.vpc,
            )
    if not port.groups:
        yield Problem(path, "world.no_group", f"{port} is in no group", "name at least one")
    if len(port.groups) > profile.groups_per_port:
        yield Problem(
            path,
            "limit.groups_per_port",
            f"{port} is in {len(port.groups)} groups, {profile.name} allows {profile.groups_per_port}",
            "name fewer",
        )
    if len({group.type for group in known}) > 1:
        yield Problem(
            path, "world.group_type", f"{port} mixes basic and advanced groups", "use groups of one type on a port"
        )
    cost = sum(group_cost(group, profile) for group in known)
    if cost > profile.rules_per_port:
        yield Problem(
            path,
            "limit.rules_per_port",
            TOO_MANY_RULES_ON_PORT,
            f"{port} would have {cost} rules, {profile.name} allows {profile.rules_per_port}",
        )


def expect_problems(world: World) -> Iterator[Problem]:
    """Expectations about flows that the world does not have."""
    for index, expectation in enumerate(world.expects):
        path: Path = ("expect", index)
        query = expectation.query
        for name in (query.source, query.destination):
            try:
                world.endpoint(name, query.family)
            except UnknownName as error:
                yield Problem(path, error.code, error.what, error.right)
        if query.source == query.destination:
            yield Problem(path, "world.expect", f"{query} goes to where it comes from", "name two different ends")
