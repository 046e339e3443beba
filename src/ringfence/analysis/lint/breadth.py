"""Rules about prefixes: too wide for an intranet, or where a group would say what is meant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ringfence.analysis.lint.finding import Finding, Fix, Severity, at_rule
from ringfence.analysis.lint.opening import is_all_ports
from ringfence.analysis.lint.subject import Subject
from ringfence.model.address import Prefix
from ringfence.model.group import SecurityGroup
from ringfence.model.rule import AnyRemote, GroupRemote, NicType, Rule
from ringfence.model.topology import Network
from ringfence.model.validation.rules import reference_problems
from ringfence.policy.decisions import rule_nic

WHOLE_PRIVATE_RANGE, PREFIX_FOR_GROUP = "whole-private-range", "prefix-for-group"
_PRIVATE = tuple(map(Prefix.parse, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fd00::/8")))


def whole_private_range(subject: Subject) -> Iterator[Finding]:
    """Rules that let a whole private range in on every port; in the classic network on any port, or everybody."""
    for group in subject.groups(managed=True):
        for rule in subject.lets_in(group):
            if text := _too_wide(subject, group, rule):
                fix = Fix("name the group whose members need it, or a prefix no wider than theirs, and the ports")
                yield Finding(WHOLE_PRIVATE_RANGE, Severity.WARNING, at_rule(group, rule), text, fix)


def _too_wide(subject: Subject, group: SecurityGroup, rule: Rule) -> str:
    vpc = subject.world.vpcs.get(group.vpc)
    classic = vpc is not None and vpc.network is Network.CLASSIC and rule_nic(vpc, rule) is NicType.INTRANET
    is_any = isinstance(rule.remote, AnyRemote) or (isinstance(rule.remote, Prefix) and not rule.remote.length)
    if classic and (is_any or rule.remote in _PRIVATE):
        return f"the intranet of the classic network is everybody's, and {rule.remote} lets other tenants in"
    if rule.remote in _PRIVATE and is_all_ports(rule, subject.world):
        return f"every machine with an address in {rule.remote} may use every port, also behind peerings and gateways"
    return ""


def prefix_for_group(subject: Subject) -> Iterator[Finding]:
    """Rules that name a prefix in which there are exactly a group's members, or a subnet whose ports share a group."""
    for group in subject.groups():
        for rule in group.rules:
            if rule.enabled and isinstance(rule.remote, Prefix) and rule.remote.length:
                yield from _better(subject, group, rule, rule.remote)


def _better(subject: Subject, group: SecurityGroup, rule: Rule, prefix: Prefix) -> Iterator[Finding]:
    homes = subject.homes(group)
    vpcs = frozenset(near for home in homes for near in subject.near(home))
    number, shared = subject.occupants.covered(prefix, vpcs)
    for name in sorted(shared):
        more = subject.occupants.size(name, vpcs, prefix.family) - number
        subnets = (it for vpc in vpcs for it in subject.world.vpcs[vpc].subnets.values())
        subnet = next((it for it in subnets if prefix in it.prefixes), None)
        if (more and not subnet) or more >= number or not _may_name(subject, group, rule, name):
            continue
        meant = (
            f"is subnet {subnet}, whose ports are all in group {name}"
            if subnet
            else f"holds just the members of {name}"
        )
        text = f"{prefix} {meant}; a prefix does not follow who joins and leaves the group"
        wider = f" (that means {more} more addresses, elsewhere)" if more else ""
        fix = Fix(f"write '{_said(rule, name)}'{wider}")
        yield Finding(PREFIX_FOR_GROUP, Severity.NOTE, at_rule(group, rule), text, fix)
        return


def _may_name(subject: Subject, group: SecurityGroup, rule: Rule, name: str) -> bool:
    """Whether the group's profile lets the rule name another group."""
    named, profile = subject.world.groups[name], subject.world.profile_of(group)
    if named.account != subject.account or rule.nic is NicType.INTERNET:
        return False
    if named is group:
        return profile.self_reference
    trial = replace(group, rules=(replace(rule, remote=GroupRemote(name), given_id=""),))
    return not any(reference_problems(subject.world, trial, profile))


def _said(rule: Rule, name: str) -> str:
    return replace(rule, remote=GroupRemote(name), given_id="", description="").key
