"""What may be wrong with a world as a whole: references, addresses, and the limits of its profiles.

Pure: every consumer (the world file, the operations of a server) asks here and adds only where the thing stands.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from ringfence.errors import NotationError, UnknownName
from ringfence.model.address import NOT_UNICAST, Address, Family, Prefix
from ringfence.model.group import GroupType, SecurityGroup
from ringfence.model.profile import IntraGroup, Profile
from ringfence.model.rule import AddressGroupRemote, AnyRemote, GroupRemote, Rule
from ringfence.model.topology import OutsideHost, Port, Subnet, Vpc
from ringfence.model.world import World, nearest

Path = tuple[str | int, ...]
"""Where a thing stands: ``("groups", "sg-web", "rules", 3)``; rules count from 0 in the order of the group."""

TOO_MANY_RULES_ON_PORT = (
    "The operation cannot be performed because the maximum number of security group rules that can take effect on the"
    " instance is reached. We recommend that you select another security group."
)
"""The vendor's own words (Security FAQ)."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: where, a stable code (the cloud's, where it has one), what, and what would be right."""

    path: Path
    code: str
    what: str
    right: str


def problems(world: World) -> tuple[Problem, ...]:
    """Everything that is wrong with a world; nothing if it is valid."""
    return (
        *_vpc_problems(world),
        *_address_group_problems(world),
        *_group_problems(world),
        *_port_problems(world),
        *_listener_problems(world),
        *_outside_problems(world),
        *_expect_problems(world),
    )


def rule_cost(rule: Rule, profile: Profile) -> int:
    """How many rules a line counts as: ``any`` is two (one a family), each port range one where the profile says so."""
    families = len(rule.families) if isinstance(rule.remote, AnyRemote) else 1
    return families * (max(1, len(rule.ports.ranges)) if profile.port_range_counts else 1)


def group_cost(group: SecurityGroup, profile: Profile) -> int:
    """How many rules a group counts as, in and out together, disabled ones too."""
    return sum(rule_cost(rule, profile) for rule in group.rules)


def _vpc_problems(world: World) -> Iterator[Problem]:
    for vpc in world.vpcs.values():
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
        yield from _subnet_problems(vpc)
    if world.outside:
        yield from _shared_space_problems(world)


def _shared_space_problems(world: World) -> Iterator[Problem]:
    for one, two in combinations(world.vpcs.values(), 2):
        for prefix in two.cidrs:
            if any(prefix.range.overlaps(other.range) for other in one.cidrs):
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


def _address_group_problems(world: World) -> Iterator[Problem]:
    for group in world.address_groups.values():
        families = {entry.family for entry in group.entries}
        if len(families) > 1:
            yield Problem(
                ("address_groups", group.name),
                "world.mixed_family",
                f"address group {group.name} mixes IPv4 and IPv6",
                "make one group a family",
            )
        for entry, count in Counter(group.entries).items():
            if count > 1:
                yield Problem(
                    ("address_groups", group.name),
                    "world.duplicate",
                    f"address group {group.name} lists {entry} {count} times",
                    "list it once",
                )


def _group_problems(world: World) -> Iterator[Problem]:
    yield from _repeated_id_problems(world)
    for group in world.groups.values():
        profile = world.profile_of(group)
        yield from _group_kind_problems(world, group, profile)
        seen: set[str] = set()
        for index, rule in enumerate(group.rules):
            path: Path = ("groups", group.name, "rules", index)
            yield from _remote_problems(world, group, profile, rule, path)
            if len(rule.ports.ranges) > profile.port_ranges_per_rule:
                yield Problem(
                    path,
                    "limit.port_ranges",
                    f"the rule lists {len(rule.ports.ranges)} port ranges, {profile.name} takes"
                    f" {profile.port_ranges_per_rule}",
                    "split it into several rules",
                )
            if rule.key in seen:
                what = f"group {group.name} has this rule already: {rule.key}"
                yield Problem(path, "world.duplicate", what, "remove one of them")
            seen.add(rule.key)
        yield from _group_limit_problems(group, profile)


def _repeated_id_problems(world: World) -> Iterator[Problem]:
    # Counters, logs and traces know a rule by its id alone, whatever its group; a group keeps one rule for each id. So
    # an id that a rule brought along may not be one that another derives.
    owners: dict[str, tuple[str, str]] = {}
    for group in world.groups.values():
        for index, rule in enumerate(group.rules):
            rule_id = rule.id_in(group.name)
            if rule_id not in owners:
                owners[rule_id] = group.name, rule.given_id
            elif rule.given_id or owners[rule_id][1]:
                yield Problem(
                    ("groups", group.name, "rules", index),
                    "world.duplicate",
                    f"a rule of group {owners[rule_id][0]} has the id {rule_id} already",
                    "give each rule an id of its own",
                )


def _group_kind_problems(world: World, group: SecurityGroup, profile: Profile) -> Iterator[Problem]:
    path: Path = ("groups", group.name)
    if group.vpc and group.vpc not in world.vpcs:
        yield Problem(
            (*path, "vpc"), "world.unknown_vpc", f"there is no VPC {group.vpc!r}", nearest(group.vpc, world.vpcs)
        )
    if profile.groups_need_vpc and not group.vpc:
        yield Problem(
            path,
            "world.group_vpc",
            f"group {group.name} names no VPC, and a group of the {profile.name} profile belongs to one",
            f"add vpc: {next(iter(world.vpcs), 'NAME')}",
        )
    if group.type is GroupType.ADVANCED and not profile.advanced_groups:
        yield Problem(
            (*path, "type"),
            "world.group_type",
            f"the {profile.name} profile has no advanced groups",
            "leave out the type",
        )
    if group.type is GroupType.ADVANCED and group.intra_group is IntraGroup.ACCEPT:
        yield Problem(
            (*path, "intra_group"),
            "world.intra_group",
            "members of an advanced group are always isolated from each other",
            "leave out intra_group, or use a basic group",
        )


def _remote_problems(world: World, group: SecurityGroup, profile: Profile, rule: Rule, path: Path) -> Iterator[Problem]:
    if isinstance(rule.remote, AddressGroupRemote):
        yield from _address_group_remote_problems(world, rule, rule.remote, path)
    if not isinstance(rule.remote, GroupRemote):
        return
    name = rule.remote.name
    other = world.groups.get(name)
    if other is None:
        yield Problem(path, "InvalidSourceGroupId.NotFound", f"there is no group {name!r}", nearest(name, world.groups))
        return
    if other is group and not profile.self_reference:
        yield Problem(
            path,
            "InvalidParamter.Conflict",
            f"group {name} may not name itself in the {profile.name} profile",
            "use intra_group: accept" if group.type is GroupType.BASIC else "use a prefix",
        )
    elif GroupType.ADVANCED in (group.type, other.type):
        yield Problem(
            path,
            "InvalidSourceGroupId.Mismatch",
            f"{group.name} and {name} cannot be tied by a rule: an advanced group neither names a group nor is named",
            "use a prefix",
        )
    elif profile.groups_need_vpc and group.vpc != other.vpc:
        yield Problem(
            path,
            "InvalidSourceGroupId.Mismatch",
            f"group {name} belongs to VPC {other.vpc or '(none)'}, {group.name} to {group.vpc}",
            "name a group of the same VPC, or a prefix",
        )


def _address_group_remote_problems(
    world: World, rule: Rule, remote: AddressGroupRemote, path: Path
) -> Iterator[Problem]:
    found = world.address_groups.get(remote.name)
    if found is None:
        hint = (
            f"write 'group {remote.name}'"
            if remote.name in world.groups
            else nearest(remote.name, world.address_groups)
        )
        yield Problem(path, "InvalidPrefixListId.NotFound", f"there is no address group {remote.name!r}", hint)
    elif not any(found.of_family(family) for family in rule.families) and found.entries:
        families = " and ".join(map(str, rule.families))
        yield Problem(
            path,
            "InvalidParam.PrefixListAddressFamilyMismatch",
            f"{rule.protocol} exists on {families} only, and address group {remote.name} holds none of it",
            "name a group of that family",
        )


def _group_limit_problems(group: SecurityGroup, profile: Profile) -> Iterator[Problem]:
    path: Path = ("groups", group.name)
    cost = group_cost(group, profile)
    if cost > profile.rules_per_group:
        yield Problem(
            path,
            "AuthorizationLimitExceed",
            f"group {group.name} has {cost} rules ('any' counts as two),"
            f" {profile.name} allows {profile.rules_per_group}",
            "remove rules, or spread them over several groups",
        )
    references = sum(isinstance(rule.remote, GroupRemote) for rule in group.rules)
    if references > profile.group_rules_per_group:
        yield Problem(
            path,
            "AuthorizationLimitExceed",
            f"group {group.name} has {references} rules that name a group,"
            f" {profile.name} allows {profile.group_rules_per_group}",
            "use prefixes, or fewer groups",
        )


def _port_problems(world: World) -> Iterator[Problem]:
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


def _listener_problems(world: World) -> Iterator[Problem]:
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


def _outside_problems(world: World) -> Iterator[Problem]:
    owners: dict[object, OutsideHost] = {}
    for host in world.outside.values():
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
            for vpc in world.vpcs.values():
                if any(address in cidr for cidr in vpc.cidrs):
                    yield Problem(
                        path,
                        "world.inside_vpc",
                        f"{address} of outside host {host.name} lies inside VPC {vpc.name}",
                        "choose an address outside of every VPC",
                    )
            owner = owners.setdefault(address, host)
            if owner is not host:
                yield Problem(
                    path, "world.address_in_use", f"{address} belongs to {owner.name} already", "choose a free address"
                )


def _expect_problems(world: World) -> Iterator[Problem]:
    for index, expectation in enumerate(world.expects):
        path: Path = ("expect", index)
        query = expectation.query
        for name in (query.source, query.destination):
            try:
                world.endpoint(name, query.family)
            except (UnknownName, NotationError) as error:
                what, _, right = str(error).partition("; ")
                yield Problem(path, "input.unknown_name", what, right or "name another")
        if query.source == query.destination:
            yield Problem(path, "world.expect", f"{query} goes to where it comes from", "name two different ends")
