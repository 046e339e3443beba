"""Rules and members beyond a limit, or near one (SEMANTICS.md 6)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ringfence.analysis.lint.finding import Finding, Fix, Place, Severity, at_group
from ringfence.analysis.lint.subject import Subject
from ringfence.model.group import GroupType, SecurityGroup
from ringfence.model.profile import Counted, Profile
from ringfence.model.rule import GroupRemote
from ringfence.model.validation.quotas import group_cost

OVER_LIMIT, NEAR_LIMIT = "over-limit", "near-limit"
NEAR = 0.9
"""From this share of a limit on it is near."""


@dataclass(frozen=True, slots=True)
class _Count:
    place: Place
    what: str
    number: int
    most: int
    fix: str


def over_limit(subject: Subject) -> Iterator[Finding]:
    """Groups and ports with more than their profile allows: the cloud takes no more, or advises against it."""
    for it in _counts(subject):
        if it.number > it.most:
            text = f"{it.what}: {it.number} where {it.most} are allowed"
            yield Finding(OVER_LIMIT, Severity.ERROR, it.place, text, Fix(it.fix), it.what)


def near_limit(subject: Subject) -> Iterator[Finding]:
    """Groups and ports that are nearly full."""
    for it in _counts(subject):
        if it.most * NEAR <= it.number <= it.most:
            text = f"{it.what}: {it.number} of {it.most}"
            yield Finding(NEAR_LIMIT, Severity.NOTE, it.place, text, Fix(it.fix), it.what)


def _counts(subject: Subject) -> Iterator[_Count]:
    world = subject.world
    for group in subject.groups():
        yield from _of_group(subject, group, world.profile_of(group))
    for names, vpc in sorted({(port.groups, port.vpc) for port in world.ports if subject.owns(port.instance)}):
        profile = world.profile_in(vpc, subject.account)
        if len(names) > 1 or profile.rules_per_port < profile.rules_per_group:
            known = [world.groups[name] for name in names]
            cost = sum(group_cost(each, profile, world) for each in known)
            what = f"rules that guard one port, in {'+'.join(names)} together"
            fix = "take the ports out of a group, or merge groups that say the same"
            yield _Count(at_group(known[0]), what, cost, profile.rules_per_port, fix)


def _of_group(subject: Subject, group: SecurityGroup, profile: Profile) -> Iterator[_Count]:
    place, tidy = at_group(group), "remove what is redundant, or make one rule of several"
    cost = group_cost(group, profile, subject.world)
    yield _Count(place, "rules of the group", cost, profile.rules_per_group, tidy)
    references = sum(isinstance(remote, GroupRemote) for remote in group.named)
    if profile.group_rules_per_group < profile.rules_per_group:
        what = "rules of the group that name a group"
        yield _Count(place, what, references, profile.group_rules_per_group, "name fewer groups, or use prefixes")
    advanced = group.type is GroupType.ADVANCED
    counted = Counted.PORTS if advanced else profile.members_counted
    most = profile.members_per_advanced_group if advanced else profile.members_per_group
    number = getattr(subject.world.sizes[group.name], counted)
    yield _Count(place, f"{counted} in the group", number, most, "spread the members over several groups")
