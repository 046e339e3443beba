"""Instances: the groups of their ports, what listens on them, and what is expected of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import combinations

from ringfence.errors import UnknownName
from ringfence.model.address import Address, Prefix
from ringfence.model.group import SecurityGroup
from ringfence.model.topology import Port
from ringfence.model.validation.addresses import home_problems
from ringfence.model.validation.classic import mixed_network_problem
from ringfence.model.validation.problem import Path, Problem
from ringfence.model.validation.quotas import TOO_MANY_RULES_ON_PORT, group_cost
from ringfence.model.world import World, nearest


def port_problems(world: World) -> Iterator[Problem]:
    """Ports whose subnet is not there, and groups that a port may not be in."""
    for port in world.ports:
        path: Path = ("instances", port.instance, "ports", port.name)
        if unknown := next(home_problems(world, port, (*path, "subnet")), None):
            yield unknown
        else:
            yield from _port_group_problems(world, port, (*path, "groups"))


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
            what = f"there is no group {name!r}"
            yield Problem(path, "InvalidSecurityGroupId.NotFound", what, nearest(name, world.groups))
        elif count > 1:
            yield Problem(path, "world.duplicate", f"{port} lists group {name} {count} times", "list it once")
    for group in known:
        yield from _membership_problems(world, port, group, path)
    if not port.groups:
        yield Problem(path, "world.no_group", f"{port} is in no group", "name at least one")
    if len(port.groups) > profile.groups_per_port:
        what = f"{port} is in {len(port.groups)} groups, {profile.name} allows {profile.groups_per_port}"
        yield Problem(path, "limit.groups_per_port", what, "name fewer")
    if len({group.type for group in known}) > 1:
        what = f"{port} mixes basic and advanced groups"
        yield Problem(path, "world.group_type", what, "use groups of one type on a port")
    if len({group.account for group in known}) > 1:
        what = f"{port} is in groups of several accounts"
        yield Problem(path, "world.group_of_other_account", what, "use the groups of the account that has the instance")
    cost = sum(group_cost(group, profile, world.address_groups) for group in known)
    if cost > profile.rules_per_port:
        right = f"{port} would have {cost} rules, {profile.name} allows {profile.rules_per_port}"
        yield Problem(path, "limit.rules_per_port", TOO_MANY_RULES_ON_PORT, right)


def _membership_problems(world: World, port: Port, group: SecurityGroup, path: Path) -> Iterator[Problem]:
    """The first reason for which a port may not be in a group."""
    profile, own = world.vpcs[port.vpc].profile, world.profile_of(group)
    if mixed := mixed_network_problem(world, port, group, path):
        yield mixed
    elif group.vpc and group.vpc != port.vpc:
        what = f"group {group.name} belongs to VPC {group.vpc}, {port} is in {port.vpc}"
        yield Problem(path, "world.group_of_other_vpc", what, f"use a group of VPC {port.vpc}")
    elif own.name != profile.name:
        what = f"group {group.name} has the {own.name} profile, VPC {port.vpc} {profile.name}"
        right = f"use a group of the VPC's profile: give it vpc: {port.vpc}"
        yield Problem(path, "world.group_of_other_profile", what, right)


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
