"""VPCs, subnets and the hosts outside: prefixes, addresses, and what stands at their edges."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations

from ringfence.model.address import NOT_UNICAST, Prefix
from ringfence.model.topology import OutsideHost, Subnet, Vpc
from ringfence.model.validation.acls import line_problems, subnet_acl_problems
from ringfence.model.validation.classic import classic_network_problems
from ringfence.model.validation.peerings import shared_space
from ringfence.model.validation.problem import Path, Problem
from ringfence.model.validation.scope import Scope
from ringfence.model.world import World


def vpc_problems(scope: Scope) -> Iterator[Problem]:
    """Prefixes of VPCs and subnets that overlap, lie outside, or are no machine's; ACLs, borders, kinds of network."""
    world = scope.world
    for vpc in map(world.vpcs.__getitem__, scope.vpcs):
        if vpc.name in scope.touched.vpcs:
            yield from _prefix_problems(vpc)
            yield from _subnet_problems(vpc)
            yield from classic_network_problems(vpc)
        for subnet in vpc.subnets.values():
            yield from subnet_acl_problems(world, subnet)
        yield from line_problems(
            world, vpc.border, ("vpcs", vpc.name, "border"), f"the {vpc.border_owner}", directed=True
        )
    if world.outside:
        yield from _shared_space_problems(scope)


def _prefix_problems(vpc: Vpc) -> Iterator[Problem]:
    for (_, one), (index, two) in combinations(enumerate(vpc.cidrs), 2):
        if one.range.overlaps(two.range):
            yield Problem(
                ("vpcs", vpc.name, "cidrs", index), "world.overlap", f"{one} and {two} overlap", "keep one of them"
            )
    for index, cidr in enumerate(vpc.cidrs):
        if taken := next((prefix for prefix in NOT_UNICAST if prefix.range.overlaps(cidr.range)), None):
            yield Problem(
                ("vpcs", vpc.name, "cidrs", index),
                "world.address_reserved",
                f"{cidr} holds addresses of {taken}, which no machine can have",
                "choose a private prefix like 10.0.0.0/16 or fd00:10::/56",
            )


def _shared_space_problems(scope: Scope) -> Iterator[Problem]:
    world, first = scope.world, scope.accounts_with_first_outside
    known = {host.account for host in world.outside.values()}
    chosen = {name for name, vpc in world.vpcs.items() if vpc.account in first} if first else set()
    chosen |= scope.touched.vpcs & world.vpcs.keys()
    for name in sorted(chosen):
        for other in world.vpcs:
            if other == name or (other in chosen and other < name):
                continue  # each pair once
            one, two = (world.vpcs[it] for it in sorted((name, other)))
            if one.account == two.account and one.account in known and (prefix := shared_space(one, two)):
                yield Problem(
                    ("vpcs", two.name, "cidrs"),
                    "world.overlap",
                    f"{prefix} of VPC {two.name} overlaps VPC {one.name}, and outside hosts could not tell them apart",
                    "choose another prefix, or leave out the outside hosts",
                )


def _subnet_problems(vpc: Vpc) -> Iterator[Problem]:
    taken: list[tuple[Prefix, Subnet]] = []
    for subnet in vpc.subnets.values():
        for prefix in subnet.prefixes:
            path: Path = ("vpcs", vpc.name, "subnets", subnet.name)
            if not any(_inside(prefix, cidr) for cidr in vpc.cidrs):
                space = ", ".join(map(str, vpc.cidrs)) or "nothing"
                yield Problem(
                    path,
                    "world.outside_vpc",
                    f"{prefix} is not inside VPC {vpc.name}",
                    f"choose a part of {space}, or add it to cidrs",
                )
            if prefix.family.bits - prefix.length < 3:
                yield Problem(
                    path,
                    "world.subnet_size",
                    f"{prefix} is too small for a subnet",
                    f"use at most /{prefix.family.bits - 3}",
                )
            for other, owner in taken:
                if prefix.range.overlaps(other.range):
                    yield Problem(
                        path,
                        "world.overlap",
                        f"{prefix} overlaps {other} of subnet {owner.name}",
                        "choose a prefix that is free",
                    )
            taken.append((prefix, subnet))


def _inside(inner: Prefix, outer: Prefix) -> bool:
    return inner.family is outer.family and inner.length >= outer.length and inner.range.overlaps(outer.range)


def outside_problems(scope: Scope) -> Iterator[Problem]:
    """Outside hosts with names or addresses that are taken, or lie inside a VPC."""
    world, chosen = scope.world, {*scope.outside}
    near = sorted(scope.touched.vpcs & world.vpcs.keys())
    for host in world.outside.values() if near else map(world.outside.__getitem__, scope.outside):
        yield from _host_problems(world, host, world.vpcs if host.name in chosen else near)


def _host_problems(world: World, host: OutsideHost, vpcs: Iterable[str]) -> Iterator[Problem]:
    path: Path = ("outside", host.name)
    if host.name in world.instances:
        yield Problem(
            path, "world.duplicate", f"{host.name} is an instance as well", "choose another name for one of them"
        )
    for address in host.addresses:
        if not address.is_unicast:
            yield Problem(
                path,
                "world.address_reserved",
                f"{address} of outside host {host.name} is no address that a machine can have",
                "choose one like 203.0.113.9 or 2001:db8::9",
            )
        for vpc in map(world.vpcs.__getitem__, vpcs):
            if vpc.account == host.account and address in vpc:
                yield Problem(
                    path,
                    "world.inside_vpc",
                    f"{address} of outside host {host.name} lies inside VPC {vpc.name}",
                    "choose an address outside of every VPC",
                )
        hosts = (it for it in world.places["", address] if isinstance(it, OutsideHost))
        owner = next(it for it in hosts if it.account == host.account)
        if owner != host:
            yield Problem(
                path, "world.address_in_use", f"{address} belongs to {owner.name} already", "choose a free address"
            )
