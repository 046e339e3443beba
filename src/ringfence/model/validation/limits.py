"""How many things others may hold: members of groups, ports of instances, subnets and ACLs of VPCs (section 6).

What an account may have altogether is for a server to count.
"""

from __future__ import annotations

from collections.abc import Iterator

from ringfence.model.group import GroupType
from ringfence.model.profile import Counted
from ringfence.model.validation.problem import Path, Problem
from ringfence.model.validation.scope import Scope


def limit_problems(scope: Scope) -> Iterator[Problem]:
    """Groups, instances and VPCs that hold more than their profile allows."""
    yield from _member_problems(scope)
    yield from _instance_problems(scope)
    yield from _vpc_problems(scope)


def _member_problems(scope: Scope) -> Iterator[Problem]:
    world = scope.world
    for group in map(world.groups.__getitem__, scope.sized_groups):
        profile, advanced = world.profile_of(group), group.type is GroupType.ADVANCED
        counted = Counted.PORTS if advanced else profile.members_counted
        most = profile.members_per_advanced_group if advanced else profile.members_per_group
        number = getattr(world.sizes[group.name], counted)
        if number > most:
            what = f"group {group.name} has {number} {counted} as members, {profile.name} allows {most}"
            yield Problem(("groups", group.name), "limit.members", what, "spread them over several groups")


def _instance_problems(scope: Scope) -> Iterator[Problem]:
    for instance in scope.instances:
        profile = scope.world.profile_in(instance.primary.vpc, instance.account) if instance.ports else None
        if profile is None:
            continue
        path: Path = ("instances", instance.name, "ports")
        hanging = sum(bool(port.parent) for port in instance.ports)
        number, most = len(instance.ports) - hanging, profile.ports_per_instance
        if number > most:
            what = f"instance {instance} has {number} ports, {profile.name} allows {most}"
            yield Problem(path, "limit.ports_per_instance", what, "remove some")
        if hanging > profile.sub_ports_per_instance:
            most = profile.sub_ports_per_instance
            what = f"instance {instance} has {hanging} supplementary interfaces, {profile.name} allows {most}"
            yield Problem(path, "limit.sub_ports_per_instance", what, "remove some" if most else "use ports")


def _vpc_problems(scope: Scope) -> Iterator[Problem]:
    world = scope.world
    for vpc in map(world.vpcs.__getitem__, scope.filled_vpcs):
        profile = world.profile_in(vpc.name, vpc.account)
        acls = world.naming.users(("vpcs", vpc.name), "acls")
        for section, number, most in (
            ("subnets", len(vpc.subnets), profile.subnets_per_vpc),
            ("acls", len(acls), profile.acls_per_vpc),
        ):
            if number > most:
                what = f"VPC {vpc} has {number} {section}, {profile.name} allows {most}"
                code = "limit.subnets_per_vpc" if section == "subnets" else "limit.acls_per_vpc"
                yield Problem(("vpcs", vpc.name, section), code, what, "remove some, or use another VPC")
