"""Address groups, security groups and their rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ringfence.model.group import GroupType, SecurityGroup
from ringfence.model.profile import IntraGroup, Profile
from ringfence.model.rule import AddressGroupRemote, GroupRemote, Rule
from ringfence.model.validation.problem import Path, Problem
from ringfence.model.validation.quotas import group_cost
from ringfence.model.world import World, nearest


def address_group_problems(world: World) -> Iterator[Problem]:
    """Address groups of two families, and entries listed twice."""
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


def group_problems(world: World) -> Iterator[Problem]:
    """Groups that their profile does not allow, rules that name what is not there, duplicates, and limits."""
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
