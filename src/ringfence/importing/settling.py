"""Until a world is valid: limits that it exceeds are raised, and what it cannot hold is left out and told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ringfence.importing.building import Built
from ringfence.importing.report import Kind, Outcome, Report
from ringfence.importing.source import Item
from ringfence.model.profile import Profile
from ringfence.model.topology import Instance, Vpc
from ringfence.model.validation import Problem, problems
from ringfence.model.world import World

_LIMITS = {
    "AuthorizationLimitExceed": "rules_per_group",
    "AuthorizedGroupRule.LimitExceed": "group_rules_per_group",
    "limit.port_ranges": "port_ranges_per_rule",
    "limit.groups_per_port": "groups_per_port",
    "limit.rules_per_port": "rules_per_port",
    "limit.members": "members_per_group",
    "limit.ports_per_instance": "ports_per_instance",
    "limit.sub_ports_per_instance": "sub_ports_per_instance",
    "limit.subnets_per_vpc": "subnets_per_vpc",
    "limit.acls_per_vpc": "acls_per_vpc",
    "limit.acl_rules": "acl_rules_per_direction",
    "limit.address_group_entries": "address_group_entries",
    "limit.port_list_entries": "port_list_entries",
}
"""Codes of problems that are limits of a profile, and the switch to raise."""


def settled(built: Built, report: Report) -> World:
    """A valid world: what the cloud holds beyond the usual quotas stays, what makes no sense in a world goes."""
    while found := problems(built.world):
        limits = {_LIMITS[each.code]: each for each in found if each.code in _LIMITS}
        if limits:
            built.world = _raised(built.world, limits, report)
        else:
            _leave_out(built, found, report)
    return built.world


def _raised(world: World, limits: Mapping[str, Problem], report: Report) -> World:
    profile: Profile = world.profile
    for switch, problem in limits.items():
        profile = replace(profile, **{switch: max(2 * getattr(profile, switch), 10)})
        text = f"{switch}: {getattr(profile, switch)}: the usual limit is lower than what is there ({problem.what})"
        report.assumptions = [each for each in report.assumptions if not each.startswith(f"{switch}: ")]
        report.assume(text)
    vpcs = {name: replace(vpc, profile=profile) for name, vpc in world.vpcs.items()}
    return replace(world, profile=profile, vpcs=vpcs)


def _leave_out(built: Built, found: tuple[Problem, ...], report: Report) -> None:
    """Take out each thing that has a problem: rules and lines by themselves, else the whole thing."""
    whole: dict[tuple[str, ...], Problem] = {}
    parts: dict[tuple[str, str], dict[int, Problem]] = {}
    for problem in found:
        match problem.path:
            case [("groups" | "acls") as section, str(name), "rules", int(index), *_]:
                parts.setdefault((section, name), {}).setdefault(index, problem)
            case ["vpcs", str(vpc), "cidrs", int(index), *_]:
                parts.setdefault(("vpcs", vpc), {}).setdefault(index, problem)
            case ["vpcs", str(vpc), "subnets", str(subnet), *rest]:
                whole.setdefault(("acl" if "acl" in rest else "subnets", vpc, subnet), problem)
            case ["instances", str(name), "ports", str(port), *_]:
                whole.setdefault(("ports", name, port), problem)
            case [str(section), str(name), *_]:
                whole.setdefault((section, name), problem)
    for (section, name), indexes in parts.items():
        _without_parts(built, report, section, name, indexes)
    for key, problem in whole.items():
        if not parts and _is_there(built.world, key):
            _without(built, report, key, problem)


def _is_there(world: World, key: tuple[str, ...]) -> bool:
    """Whether a thing was not left out with another one."""
    match key:
        case ("ports", name, port):
            return name in world.instances and port in world.instances[name].by_name
        case ("subnets" | "acl", vpc, subnet):
            return vpc in world.vpcs and subnet in world.vpcs[vpc].subnets
    return key[1] in getattr(world, key[0])


def _why(problem: Problem) -> str:
    return f"{problem.what}; {problem.right}"


def _item(built: Built, *key: str) -> Item:
    return built.at[key]


def _without_parts(built: Built, report: Report, section: str, name: str, indexes: Mapping[int, Problem]) -> None:
    world = built.world
    if section == "vpcs":
        vpc = world.vpcs[name]
        for index, problem in indexes.items():
            item = _item(built, "vpcs", name)
            report.note(Outcome.LEFT_OUT, item, f"prefix {vpc.cidrs[index]} of VPC {name}", _why(problem))
        cidrs = tuple(each for index, each in enumerate(vpc.cidrs) if index not in indexes)
        _put(built, "vpcs", name, replace(vpc, cidrs=cidrs) if cidrs else None)
        if not cidrs:
            report.gone(Kind.VPCS, _item(built, "vpcs", name), f"VPC {name}", "it has no prefix that a world can hold")
            _tell_subnets_gone(built, report, vpc)
    elif section == "groups":
        group = world.groups[name]
        for index, problem in indexes.items():
            item = _item(built, "groups", name, group.rules[index].key)
            report.gone(Kind.RULES, item, f"rule of {name}", _why(problem))
        rules = tuple(each for index, each in enumerate(group.rules) if index not in indexes)
        _put(built, "groups", name, replace(group, rules=rules))
    else:
        acl = world.acls[name]
        for index, problem in indexes.items():
            item = _item(built, "acls", name, acl.rules[index].id_in(name))
            report.gone(Kind.LINES, item, f"line of {name}", _why(problem))
        lines = tuple(each for index, each in enumerate(acl.rules) if index not in indexes)
        _put(built, "acls", name, replace(acl, rules=lines))


def _without(built: Built, report: Report, key: tuple[str, ...], problem: Problem) -> None:
    world, why = built.world, _why(problem)
    match key:
        case ("ports", name, port):
            _without_port(built, report, world.instances[name], port, why)
        case ("subnets" | "acl", vpc, subnet):
            _without_subnet(built, report, world.vpcs[vpc], subnet, why, acl_only=key[0] == "acl")
        case ("groups", name):
            report.gone(Kind.GROUPS, _item(built, *key), f"group {name}", why)
            for rule in world.groups[name].rules:
                report.gone(
                    Kind.RULES, _item(built, "groups", name, rule.key), f"rule of {name}", "its group is left out"
                )
            _put(built, key[0], key[1], None)
        case ("acls", name):
            report.gone(Kind.ACLS, _item(built, *key), f"ACL {name}", why)
            for line in world.acls[name].rules:
                report.gone(
                    Kind.LINES, _item(built, "acls", name, line.id_in(name)), f"line of {name}", "its ACL is left out"
                )
            _put(built, key[0], key[1], None)
        case ("instances", name):
            for each in world.instances[name].ports:
                _without_port(built, report, built.world.instances[name], each.name, why)
        case ("vpcs", name):
            report.gone(Kind.VPCS, _item(built, *key), f"VPC {name}", why)
            _tell_subnets_gone(built, report, world.vpcs[name])
            _put(built, key[0], key[1], None)
        case (section, name):
            report.gone(_KINDS[section], _item(built, *key), f"{_KINDS[section].value[:-1]} {name}", why)
            _put(built, key[0], key[1], None)


_KINDS = {"address_groups": Kind.ADDRESS_GROUPS, "peerings": Kind.PEERINGS}


def _without_port(built: Built, report: Report, instance: Instance, port: str, why: str) -> None:
    report.gone(Kind.INTERFACES, _item(built, "ports", instance.name, port), f"interface of {instance}", why)
    ports = tuple(each for each in instance.ports if each.name != port)
    _put(built, "instances", instance.name, replace(instance, ports=ports) if ports else None)


def _without_subnet(built: Built, report: Report, vpc: Vpc, name: str, why: str, *, acl_only: bool) -> None:
    item, subnet = _item(built, "subnets", name), vpc.subnets[name]
    if acl_only:
        report.note(Outcome.LEFT_OUT, item, f"ACL {subnet.acl} at subnet {name}", why, "the subnet has no ACL")
        subnets = {**vpc.subnets, name: replace(subnet, acl="")}
    else:
        report.gone(Kind.SUBNETS, item, f"subnet {name}", why)
        subnets = {key: each for key, each in vpc.subnets.items() if key != name}
    _put(built, "vpcs", vpc.name, replace(vpc, subnets=subnets))


def _tell_subnets_gone(built: Built, report: Report, vpc: Vpc) -> None:
    for subnet in vpc.subnets:
        report.gone(Kind.SUBNETS, _item(built, "subnets", subnet), f"subnet {subnet}", f"VPC {vpc} is left out")


def _put(built: Built, section: str, name: str, value: object) -> None:
    """Replace a thing of the world, or take it out."""
    known = {key: each for key, each in getattr(built.world, section).items() if key != name}
    if value is not None:
        known = dict(sorted([*known.items(), (name, value)]))
    changed: dict[str, Any] = {section: known}
    built.world = replace(built.world, **changed)
