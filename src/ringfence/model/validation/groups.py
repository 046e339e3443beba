"""Security groups: their kind, and how many rules they have."""

from __future__ import annotations

from collections.abc import Iterator

from ringfence.model.group import GroupType, SecurityGroup
from ringfence.model.profile import IntraGroup, Profile
from ringfence.model.rule import GroupRemote
from ringfence.model.topology import Network
from ringfence.model.validation.classic import network_of
from ringfence.model.validation.problem import Path, Problem
from ringfence.model.validation.rules import reference_problems, rule_problems
from ringfence.model.validation.scope import Scope
from ringfence.model.world import World, nearest


def group_problems(scope: Scope) -> Iterator[Problem]:
    """Groups that their profile does not allow, what is wrong with their rules, and limits."""
    world = scope.world
    for group in map(world.groups.__getitem__, scope.groups):
        profile = world.profile_of(group)
        yield from _kind_problems(world, group, profile)
        yield from rule_problems(world, group, profile)
        yield from _limit_problems(scope, group, profile)
    for name, new in scope.new_rules.items():
        group = world.groups[name]
        profile = world.profile_of(group)
        yield from rule_problems(world, group, profile, new)
        yield from _limit_problems(scope, group, profile)
    for group in map(world.groups.__getitem__, scope.tied_groups):
        yield from reference_problems(world, group, world.profile_of(group))


def _kind_problems(world: World, group: SecurityGroup, profile: Profile) -> Iterator[Problem]:
    path: Path = ("groups", group.name)
    if group.vpc and group.vpc not in world.vpcs:
        yield Problem(
            (*path, "vpc"), "world.unknown_vpc", f"there is no VPC {group.vpc!r}", nearest(group.vpc, world.vpcs)
        )
    if group.profile and group.vpc in world.vpcs and group.profile != profile.name:
        what = f"group {group.name} has the {group.profile} profile, and belongs to VPC {group.vpc} of {profile.name}"
        yield Problem(
            (*path, "profile"), "world.group_of_other_profile", what, "leave out the profile: it is the VPC's"
        )
    if profile.groups_need_vpc and not group.vpc:
        yield Problem(
            path,
            "world.group_vpc",
            f"group {group.name} names no VPC, and a group of the {profile.name} profile belongs to one",
            f"add vpc: {next(iter(world.vpcs), 'NAME')}",
        )
    if group.type is GroupType.ADVANCED:
        yield from _advanced_problems(world, group, profile)


def _advanced_problems(world: World, group: SecurityGroup, profile: Profile) -> Iterator[Problem]:
    path: Path = ("groups", group.name)
    if not profile.advanced_groups:
        what = f"the {profile.name} profile has no advanced groups"
        yield Problem((*path, "type"), "world.group_type", what, "leave out the type")
    elif network_of(world, group) is Network.CLASSIC:
        what = f"the classic network has no advanced groups, and group {group.name} belongs to {group.vpc}"
        yield Problem((*path, "type"), "world.group_type", what, "leave out the type")
    if group.intra_group is IntraGroup.ACCEPT:
        yield Problem(
            (*path, "intra_group"),
            "world.intra_group",
            "members of an advanced group are always isolated from each other",
            "leave out intra_group, or use a basic group",
        )


def _limit_problems(scope: Scope, group: SecurityGroup, profile: Profile) -> Iterator[Problem]:
    path: Path = ("groups", group.name)
    cost = scope.cost_of(group, profile)
    if cost > profile.rules_per_group:
        counted = "'any' counts as two"
        if profile.address_group_costs_entries:
            counted += ", an address group as its entries"
        if profile.port_list_costs_entries:
            counted += ", a port list likewise"
        yield Problem(
            path,
            "AuthorizationLimitExceed",
            f"group {group.name} has {cost} rules ({counted}), {profile.name} allows {profile.rules_per_group}",
            "remove rules, or spread them over several groups",
        )
    references = sum(isinstance(remote, GroupRemote) for remote in group.named)
    if references > profile.group_rules_per_group:
        yield Problem(
            path,
            "AuthorizedGroupRule.LimitExceed",
            f"group {group.name} has {references} rules that name a group,"
            f" {profile.name} allows {profile.group_rules_per_group}",
            "use prefixes, or fewer groups",
        )
