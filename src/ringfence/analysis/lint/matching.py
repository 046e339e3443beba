"""Rules that can never match, or whose packets never come (SEMANTICS.md 2.3, 4.5, 5)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ringfence.analysis.lint.finding import Finding, Fix, Removal, Severity, at_rule
from ringfence.analysis.lint.subject import Subject
from ringfence.model.address import Address, Family, Prefix
from ringfence.model.group import SecurityGroup
from ringfence.model.port_list import resolved
from ringfence.model.rule import Action, AddressGroupRemote, Direction, GroupRemote, Rule
from ringfence.model.service import ServiceSet

NEVER_MATCHES = "rule-never-matches"
_Told = tuple[str, str] | None
"""Why a rule does not match, and what to do."""


def rule_never_matches(subject: Subject) -> Iterator[Finding]:
    """Rules that cannot match: for as long as somebody or something is missing, or at all."""
    for group in subject.groups():
        needless = {each.rule_id for each in subject.removable[group.name]}
        for rule_id, rule in group.by_id.items():
            if told := never_for_good(subject, group, rule):
                gone = None if rule.managed else Removal("groups", group.name, rule_id)
                yield Finding(NEVER_MATCHES, Severity.WARNING, at_rule(group, rule), told[0], Fix(told[1], gone))
            elif rule_id in needless:  # said already, with the same fix
                continue
            elif told := next(filter(None, (reason(subject, group, rule) for reason in _FOR_NOW)), None):
                yield Finding(NEVER_MATCHES, Severity.NOTE, at_rule(group, rule), told[0], Fix(told[1]))


def never_for_good(subject: Subject, group: SecurityGroup, rule: Rule) -> _Told:
    """Why a rule cannot match whoever comes, and what to do; None if it can."""
    return next(filter(None, (reason(subject, group, rule) for reason in _FOR_GOOD)), None)


def _disabled(_: Subject, __: SecurityGroup, rule: Rule) -> _Told:
    return None if rule.enabled else ("it is disabled, and counts as a rule all the same", "enable it, or remove it")


def _group_elsewhere(subject: Subject, group: SecurityGroup, rule: Rule) -> _Told:
    """The named group has members, but none in a VPC where a rule of this one means them."""
    if not isinstance(rule.remote, GroupRemote) or not _is_known(subject, rule.remote.name):
        return None
    theirs = {port.vpc for port in subject.members[rule.remote.name]}
    homes = {port.vpc for port in subject.members[group.name]}
    if not theirs or not homes or any(theirs & subject.near(home) for home in homes):
        return None
    text = f"the members of {rule.remote.name} are in VPC {', '.join(sorted(theirs))}, those of {group.name} in "
    text += f"{', '.join(sorted(homes))}, and a rule does not mean a group's members there without a peering"
    return text, "peer the VPCs, or remove the rule"


def _blocked(subject: Subject, group: SecurityGroup, rule: Rule) -> _Told:
    """What it allows never passes, as the platform or the carriers block it."""
    homes = [subject.world.vpcs[name] for name in sorted(subject.homes(group))]
    if rule.action is Action.DENY or not rule.enabled or not homes:
        return None
    out = rule.direction is Direction.EGRESS
    if out and all(_within(subject, rule, vpc.profile.blocked_egress) for vpc in homes):
        return "the platform lets no port send it, whatever the rules say", "remove it, or use another port"
    outside = isinstance(rule.remote, Prefix) and not any(
        cidr.range.overlaps(rule.remote.range) for vpc in subject.world.vpcs.values() for cidr in vpc.cidrs
    )
    if outside and all(_within(subject, rule, vpc.profile.carrier_blocks) for vpc in homes):
        return "carriers block it at the internet border as a high-risk port", "remove it, or use another port"
    return None


def _within(subject: Subject, rule: Rule, listed: ServiceSet) -> bool:
    """Whether all that a rule is for is in a list of services."""
    ports = resolved(rule.ports, subject.world.port_lists)
    known = [each for protocol, each in listed.ranges if protocol == rule.protocol]
    wanted = [port for each in ports.ranges for port in range(each.first, each.last + 1)] if ports else []
    return bool(wanted) and all(any(port in each for each in known) for port in wanted)


def _is_known(subject: Subject, name: str) -> bool:
    """Whether all members of a group are known: it is the account's own."""
    found = subject.world.groups.get(name)
    return found is not None and found.account == subject.account


def _empty_group(subject: Subject, _: SecurityGroup, rule: Rule) -> _Told:
    if not isinstance(rule.remote, GroupRemote) or subject.is_bare or not _is_known(subject, rule.remote.name):
        return None
    if subject.world.sizes[rule.remote.name].ports:
        return None
    return f"group {rule.remote.name} has no member", f"add members to {rule.remote.name}, or remove the rule"


def _empty_list(subject: Subject, _: SecurityGroup, rule: Rule) -> _Told:
    world = subject.world
    if isinstance(rule.remote, AddressGroupRemote) and not world.address_groups[rule.remote.name].entries:
        return f"address group {rule.remote.name} has no entry", "add entries to it, or remove the rule"
    if resolved(rule.ports, world.port_lists) is None:
        return f"port list {rule.ports} has no entry", "add entries to it, or remove the rule"
    return None


def _no_family(subject: Subject, group: SecurityGroup, rule: Rule) -> _Told:
    """It is about one family by what it names (one for every address of it is of the usual pair), which nobody has."""
    families = rule.families
    if isinstance(rule.remote, AddressGroupRemote):
        entries = subject.world.address_groups[rule.remote.name].entries
        families = tuple(family for family in families if any(it.family is family for it in entries))
    whole = isinstance(rule.remote, Prefix) and not rule.remote.length
    if len(families) != 1 or whole or (rule.local and not isinstance(rule.remote, Prefix)):
        return None
    (family,) = families
    ports = subject.members[group.name]
    if not ports or any(port.address(family) for port in ports):
        return None
    return f"it is about {family}, and no member of {group.name} has such an address", _remedy(family)


def _remedy(family: Family) -> str:
    return f"give the members {family} addresses, or remove the rule"


def _local_of_nobody(subject: Subject, group: SecurityGroup, rule: Rule) -> _Told:
    ports = subject.members[group.name]
    if not rule.local or not ports:
        return None
    if not rule.local.length or any(address in rule.local for address in _own_addresses(subject, group)):
        return None
    return f"no member of {group.name} has an address in {rule.local}", "name an address of a member, or remove it"


def _own_addresses(subject: Subject, group: SecurityGroup) -> Iterator[Address]:
    ports = subject.members[group.name]
    yield from (address for port in ports for address in port.addresses)
    names = {str(port) for port in ports}
    virtual = (it for it in subject.world.virtual_ips.values() if not names.isdisjoint(it.ports))
    yield from (address for it in virtual for address in it.addresses)


_Reason = Callable[[Subject, SecurityGroup, Rule], _Told]
_FOR_GOOD: tuple[_Reason, ...] = (_group_elsewhere, _blocked)
"""True whoever comes and goes, until a VPC or the profile changes: such a rule may be removed."""
_FOR_NOW: tuple[_Reason, ...] = (_disabled, _empty_group, _empty_list, _no_family, _local_of_nobody)
"""True until somebody joins, an entry is added, or somebody changes their mind."""
