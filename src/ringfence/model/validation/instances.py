"""Instances: the groups of their ports, what listens on them, and what is expected of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import combinations

from ringfence.errors import UnknownName
from ringfence.model.address import Address, Prefix
from ringfence.model.group import SecurityGroup
from ringfence.model.topology import Port
from ringfence.model.validation.addresses import find_subnet, home_problems
from ringfence.model.validation.classic import mixed_network_problem
from ringfence.model.validation.problem import Path, Problem
from ringfence.model.validation.quotas import TOO_MANY_RULES_ON_PORT
from ringfence.model.validation.scope import Scope
from ringfence.model.world import World, nearest


def port_problems(scope: Scope) -> Iterator[Problem]:
    """Ports whose subnet is not there, and groups that a port may not be in."""
    for port in scope.ports:
        path: Path = ("instances", port.instance, "ports", port.name)
        yield from _port_problems(scope, port, scope.world.instances[port.instance].account, path)
    for it in scope.detached:
        yield from _port_problems(scope, it.port, it.account, ("detached", it.name))
    for port in scope.laden_ports:
        path = ("instances", port.instance, "ports", port.name, "groups")
        yield from _load_problems(scope, port, scope.world.instances[port.instance].account, path)
    for it in scope.laden_detached:
        yield from _load_problems(scope, it.port, it.account, ("detached", it.name, "groups"))


def _port_problems(scope: Scope, port: Port, account: str, path: Path) -> Iterator[Problem]:
    if not find_subnet(scope.world, port):
        yield from home_problems(scope.world, port, (*path, "subnet"))
    else:
        yield from _port_group_problems(scope, port, account, (*path, "groups"))


_LOOPBACK = (Prefix.parse("127.0.0.0/8"), Prefix.parse("::1"))


def _is_loopback(address: Address) -> bool:
    return any(address in prefix for prefix in _LOOPBACK)


def listener_problems(scope: Scope) -> Iterator[Problem]:
    """Listeners at addresses that the instance does not have, and two at one place."""
    for instance in scope.instances:
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


def _port_group_problems(scope: Scope, port: Port, account: str, path: Path) -> Iterator[Problem]:
    world = scope.world
    profile = world.profile_in(port.vpc, account)
    known = [group for name in port.groups if (group := world.groups.get(name))]
    if len({group.name for group in known}) < len(port.groups):
        yield from _listing_problems(world, port, path)
    for group in known:
        if (port.vpc, group.name) not in scope.sound_memberships:
            found = [*_membership_problems(world, port, group, path)]
            yield from found
            if not found:
                scope.sound_memberships.add((port.vpc, group.name))
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
    yield from _load_problems(scope, port, account, path)


def _load_problems(scope: Scope, port: Port, account: str, path: Path) -> Iterator[Problem]:
    profile = scope.world.profile_in(port.vpc, account)
    known = filter(None, map(scope.world.groups.get, port.groups))
    cost = sum(scope.cost_of(group, profile) for group in known)
    if cost > profile.rules_per_port:
        right = f"{port} would have {cost} rules, {profile.name} allows {profile.rules_per_port}"
        yield Problem(path, "limit.rules_per_port", TOO_MANY_RULES_ON_PORT, right)


def _listing_problems(world: World, port: Port, path: Path) -> Iterator[Problem]:
    for name, count in Counter(port.groups).items():
        if name not in world.groups:
            what = f"there is no group {name!r}"
            yield Problem(path, "InvalidSecurityGroupId.NotFound", what, nearest(name, world.groups))
        elif count > 1:
            yield Problem(path, "world.duplicate", f"{port} lists group {name} {count} times", "list it once")


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
        right += "" if profile.groups_need_vpc else f" or profile: {profile.name}"
        yield Problem(path, "world.group_of_other_profile", what, right)


def expect_problems(scope: Scope) -> Iterator[Problem]:
    """Expectations about flows that the world does not have."""
    for index, expectation in scope.expectations:
        path: Path = ("expect", index)
        query = expectation.query
        for name in (query.source, query.destination):
            try:
                scope.world.endpoint(name, query.family, expectation.account)
            except UnknownName as error:
                yield Problem(path, error.code, error.what, error.right)
        if query.source == query.destination:
            yield Problem(path, "world.expect", f"{query} goes to where it comes from", "name two different ends")
