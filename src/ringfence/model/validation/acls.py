"""Network ACLs, and the lines that they share with the firewalls at borders and on peerings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ringfence.model.acl import AclRule, NetworkAcl
from ringfence.model.address import Family
from ringfence.model.profile import Profile
from ringfence.model.rule import AddressGroupRemote, Direction
from ringfence.model.topology import Subnet
from ringfence.model.validation.address_groups import named_list_problems
from ringfence.model.validation.problem import Path, Problem
from ringfence.model.validation.quotas import acl_rule_cost
from ringfence.model.validation.scope import Scope
from ringfence.model.world import World, nearest


def acl_problems(scope: Scope) -> Iterator[Problem]:
    """ACLs that their profile does not allow, and what is wrong with their lines."""
    world = scope.world
    for acl in map(world.acls.__getitem__, scope.acls):
        path: Path = ("acls", acl.name)
        profile = world.profile_in(acl.vpc, acl.account)
        if acl.vpc and acl.vpc not in world.vpcs:
            what = f"there is no VPC {acl.vpc!r}"
            yield Problem((*path, "vpc"), "world.unknown_vpc", what, nearest(acl.vpc, world.vpcs))
        if profile.acls_need_vpc and not acl.vpc:
            what = f"ACL {acl.name} names no VPC, and an ACL of the {profile.name} profile belongs to one"
            yield Problem(path, "world.acl_vpc", what, f"add vpc: {next(iter(world.vpcs), 'NAME')}")
        yield from line_problems(world, acl.rules, (*path, "rules"), f"ACL {acl.name}", directed=True)
        for index, rule in enumerate(acl.rules):
            yield from _two_lists_problems(rule, (*path, "rules", index))
            yield from _ports_problems(rule, (*path, "rules", index), profile)
        yield from _limit_problems(world, acl, profile)


def line_problems(
    world: World, rules: Iterable[AclRule], path: Path, owner: str, *, directed: bool
) -> Iterator[Problem]:
    """What is wrong with the lines of ``owner``, an ACL or a firewall; ``directed``: each says in or out.

    Two may say the same, as the clouds let them, if their ids tell them apart: see `repeated_id_problems`.
    """
    seen: set[str] = set()
    for index, rule in enumerate(rules):
        where: Path = (*path, index)
        if directed and rule.direction is None:
            what = f"a rule of {owner} does not say which way: {rule.key}"
            yield Problem(where, "world.rule_direction", what, "begin it with in or out")
        elif rule.direction and not directed:
            what = f"a rule of {owner} has no direction: its two sides say which way it looks"
            yield Problem(where, "world.rule_direction", what, f"leave out {rule.direction.word!r}")
        if rule.key in seen and not rule.given_id:
            yield Problem(where, "world.duplicate", f"{owner} has this rule already: {rule.key}", "remove one of them")
        if not rule.given_id:
            seen.add(rule.key)
        yield from named_list_problems(world, where, rule.families, rule.source, rule.destination)


def _two_lists_problems(rule: AclRule, path: Path) -> Iterator[Problem]:
    # Huawei says so (1.3); in Alibaba's ACLs a rule names one address at most (4.2).
    if all(isinstance(side, AddressGroupRemote) for side in (rule.source, rule.destination)):
        what = "both sides of the rule are address groups, and an ACL takes one on one side only"
        yield Problem(path, "world.two_address_groups", what, "write a prefix or any on the other side")


def _ports_problems(rule: AclRule, path: Path, profile: Profile) -> Iterator[Problem]:
    number, most = max(len(rule.ports.ranges), len(rule.source_ports.ranges)), profile.port_ranges_per_rule
    if number > most:
        what = f"the rule lists {number} port ranges, {profile.name} takes {most}"
        yield Problem(path, "limit.port_ranges", what, "split it into several rules")


def _limit_problems(world: World, acl: NetworkAcl, profile: Profile) -> Iterator[Problem]:
    for direction in Direction:
        rules = [rule for rule in acl.rules if rule.direction is direction]
        cost = {f"{family} ": sum(acl_rule_cost(rule, profile, world, family) for rule in rules) for family in Family}
        for kind, number in (cost if profile.acl_rules_per_family else {"": sum(cost.values())}).items():
            if number > profile.acl_rules_per_direction:
                what = (
                    f"ACL {acl.name} has {number} {kind}'{direction.word}' rules (one of both families counts in each)"
                )
                what += f", {profile.name} allows {profile.acl_rules_per_direction}"
                yield Problem(("acls", acl.name), "limit.acl_rules", what, "remove rules, or write larger prefixes")


def subnet_acl_problems(world: World, subnet: Subnet) -> Iterator[Problem]:
    """The ACL of a subnet: whether it is there, and may be used in this VPC."""
    path: Path = ("vpcs", subnet.vpc, "subnets", subnet.name, "acl")
    if not subnet.acl:
        return
    acl = world.acls.get(subnet.acl)
    if acl is None:
        what = f"there is no ACL {subnet.acl!r}"
        yield Problem(path, "world.unknown_acl", what, nearest(subnet.acl, world.acls))
    elif acl.vpc in world.vpcs and acl.vpc != subnet.vpc:
        what = f"ACL {acl.name} belongs to VPC {acl.vpc}, subnet {subnet.name} is in {subnet.vpc}"
        yield Problem(path, "world.acl_of_other_vpc", what, f"use an ACL of VPC {subnet.vpc}")
    elif not acl.vpc and world.vpcs[subnet.vpc].profile.acls_need_vpc and not world.profile.acls_need_vpc:
        what = f"ACL {acl.name} names no VPC, and VPC {subnet.vpc} takes only ACLs of its own"
        yield Problem(path, "world.acl_vpc", what, f"give the ACL vpc: {subnet.vpc}")
