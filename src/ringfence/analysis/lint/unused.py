"""Things that nothing uses any more, and prefixes that mean nobody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ringfence.analysis.lint.finding import Finding, Fix, Removal, Severity, at_rule, at_thing
from ringfence.analysis.lint.subject import Subject
from ringfence.model.address import Prefix
from ringfence.model.group import DEFAULT_GROUP
from ringfence.model.rule import Action, Remote
from ringfence.model.topology import Vpc

UNUSED_GROUP, UNUSED_OBJECT, STALE_PREFIX = "unused-group", "unused-object", "stale-prefix"
_OBJECTS: Mapping[str, tuple[str, str]] = {
    "address_groups": ("address group", "no rule names it"),
    "port_lists": ("port list", "no rule names it"),
    "acls": ("ACL", "it is bound to no subnet"),
}


def unused_group(subject: Subject) -> Iterator[Finding]:
    """Groups without a member that no rule of another group names."""
    world = subject.world
    for group in subject.groups() if not subject.is_bare else ():
        if group.name == DEFAULT_GROUP or world.sizes[group.name].ports:
            continue
        namers = {name for users in world.ties.kinds(group.name).values() for name in users} - {group.name}
        if not namers:
            place = at_thing("groups", "group", group.name)
            fix = Fix("remove it, or give it members", Removal("groups", group.name))
            text = "it has no member, and no rule of another group names it"
            yield Finding(UNUSED_GROUP, Severity.NOTE, place, text, fix)


def unused_object(subject: Subject) -> Iterator[Finding]:
    """Address groups and port lists that no rule names, and ACLs that no subnet has."""
    for section, (kind, why) in _OBJECTS.items():
        for thing in getattr(subject.world, section).values():
            if thing.account == subject.account and not any(subject.world.naming.kinds((section, thing.name))):
                fix = Fix("remove it", Removal(section, thing.name))
                yield Finding(UNUSED_OBJECT, Severity.NOTE, at_thing(section, kind, thing.name), why, fix)


def stale_prefix(subject: Subject) -> Iterator[Finding]:
    """Rules that allow a prefix inside a VPC's space in which nobody has an address."""
    for group in subject.groups():
        homes = [subject.world.vpcs[name] for name in sorted(subject.homes(group))]
        for rule in group.rules:
            vpc = _stale_in(subject, homes, rule.remote) if rule.enabled and rule.action is Action.ALLOW else None
            if vpc:
                text = f"{rule.remote} lies in VPC {vpc}, and nothing there has an address in it"
                fix = Fix("name what is meant today, a group at best, or remove the rule")
                yield Finding(STALE_PREFIX, Severity.NOTE, at_rule(group, rule), text, fix)


def _stale_in(subject: Subject, homes: list[Vpc], prefix: Remote) -> Vpc | None:
    """The VPC in whose space a prefix lies, if it means nobody in any, and no subnet; a VPC of nobody says nothing."""
    if not isinstance(prefix, Prefix):
        return None
    around = [vpc for vpc in homes if any(_lies_in(prefix, cidr) for cidr in vpc.cidrs)]
    for vpc in around:
        gateways = (it for subnet in vpc.subnets.values() for it in subnet.gateways)
        if any(it in prefix for it in gateways) or not subject.occupants.leaves_empty(prefix, vpc.name):
            return None
    return around[0] if around else None


def _lies_in(prefix: Prefix, cidr: Prefix) -> bool:
    return prefix.family is cidr.family and prefix.length >= cidr.length and prefix.range.overlaps(cidr.range)
