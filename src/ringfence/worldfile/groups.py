"""Address groups and security groups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import TypeVar

from yaml import Mark

from ringfence.model.group import DEFAULT_GROUP, GroupType, SecurityGroup
from ringfence.model.names import check_name
from ringfence.model.profile import PROFILES, IntraGroup, Profile
from ringfence.model.rule import Rule
from ringfence.model.topology import Port
from ringfence.model.world import by_name
from ringfence.worldfile.networks import Surroundings
from ringfence.worldfile.nodes import Cursor, given
from ringfence.worldfile.notes import Notes
from ringfence.worldfile.rules import read_rule
from ringfence.worldfile.switches import truth

Word = TypeVar("Word", bound=StrEnum)
Placed = list[tuple[Rule, Mark]]

_GROUP_KEYS = (
    *("rules", "vpc", "profile", "type", "intra_group", "template", "tags", "description"),
    *("account", "ftp_helper", "managed"),
)


def read_groups(cursor: Cursor, around: Surroundings) -> Mapping[str, SecurityGroup]:
    """The security groups, rules in the order of their keys. Broken ones keep their names and readable rules."""
    named = cursor.named("NAME: {rules: [RULE]}")
    return by_name(_read_group(name, each, around) for name, each in named.items())


def _read_group(name: str, cursor: Cursor, around: Surroundings) -> SecurityGroup:
    if cursor.is_list:
        fields = {"rules": replace(cursor, path=(*cursor.path, "rules"))}
    else:
        fields = cursor.fields(_GROUP_KEYS, "{rules: [RULE]}, or a list of rules")
    vpc = given(fields, "vpc", lambda each: each.text("the name of a VPC"), "")
    named = given(fields, "profile", lambda each: each.choice({known: known for known in PROFILES}), "")
    profile = around.profile_in(vpc, named)
    kind = _word(fields, "type", GroupType, GroupType.BASIC)
    own_intra = profile.intra_group if kind is GroupType.BASIC else IntraGroup.DROP
    template = fields.get("template")
    rules = _template_rules(name, cursor, template, kind, profile) if template else []
    rules += _listed_rules(fields["rules"], profile) if "rules" in fields else []
    return SecurityGroup(
        name,
        _in_order(cursor, rules),
        vpc,
        kind,
        _word(fields, "intra_group", IntraGroup, own_intra),
        given(fields, "description", lambda each: each.text("a text"), ""),
        given(fields, "tags", _read_tags, {}),
        _name(fields, "account", "the account that the group belongs to"),
        given(fields, "ftp_helper", lambda each: each.read(truth, "true or false"), False),
        _name(fields, "managed", "the service that the group belongs to"),
        named,
    )


def _name(fields: Mapping[str, Cursor], key: str, form: str) -> str:
    return given(fields, key, lambda each: each.read(check_name, form), "")


def _word(fields: Mapping[str, Cursor], key: str, kind: type[Word], default: Word) -> Word:
    choices = {member.value: member for member in kind}
    return given(fields, key, lambda each: each.choice(choices), default)


def _read_tags(cursor: Cursor) -> dict[str, str]:
    read = {key.value: value.text("a text ('' for none)") for key, value in cursor.entries("{KEY: VALUE}")}
    return {key: value for key, value in read.items() if value is not None}


def _in_order(cursor: Cursor, rules: Placed) -> tuple[Rule, ...]:
    """The rules by their keys, so that their order in the file means nothing; their places move with them."""
    ordered = sorted(rules, key=lambda placed: placed[0].key)
    for index, (_, mark) in enumerate(ordered):
        cursor.notes.place((*cursor.path, "rules", index), mark)
    return tuple(rule for rule, _ in ordered)


def _listed_rules(cursor: Cursor, profile: Profile) -> Placed:
    items = cursor.items("a list of rules like: - in allow tcp 80,443 from any")
    read = [(read_rule(item, profile.default_priority), item.mark) for item in items]
    return [(rule, mark) for rule, mark in read if rule]


def _template_rules(name: str, group: Cursor, template: Cursor, kind: GroupType, profile: Profile) -> Placed:
    # With a broken name or type nobody knows which rules these are.
    if not template.choice({"default": True}) or group.broken:
        return []
    texts = profile.default_rules if kind is GroupType.BASIC else profile.default_rules_advanced
    return [(rule, template.mark) for rule in _template(name, texts, profile)]


def _template(name: str, texts: Iterable[str], profile: Profile) -> list[Rule]:
    priority = profile.system_rule_priority
    return [Rule.parse(text.format(group=name), default_priority=priority) for text in texts]


def default_group(notes: Notes, needing: Sequence[Port], around: Surroundings) -> SecurityGroup:
    """The default group of ports that name no group, for a file that defines none (Security FAQ).

    It belongs to a VPC where the VPC's profile wants groups to, or has switches of its own; else it is of that profile.
    It is a mistake if one group cannot serve all of the ports.
    """
    paths = [("instances", port.instance, "ports", port.name) for port in needing]
    path = min(paths, key=lambda path: notes.where(path).line)
    mark = notes.where(path)
    notes.place(("groups", DEFAULT_GROUP), mark)
    homes = sorted({port.vpc for port in needing})
    needed = sorted({_home_of_default(around, home) for home in homes})
    if len(needed) > 1:
        what = f"ports of several VPCs ({', '.join(homes)}) name no group, and one default group cannot serve them all"
        notes.add(path, mark, "world.default_group", what, "name a group for each of them")
        notes.doubt(("groups", DEFAULT_GROUP))
    vpc, named = needed[0]
    profile = around.profile_in(vpc, named)
    rules = sorted(_template(DEFAULT_GROUP, profile.default_rules, profile), key=lambda rule: rule.key)
    return SecurityGroup(DEFAULT_GROUP, tuple(rules), vpc, intra_group=profile.intra_group, profile=named)


def _home_of_default(around: Surroundings, vpc: str) -> tuple[str, str]:
    """The VPC that the default group of a VPC's ports belongs to, or the profile that it is of."""
    profile = around.profile_in(vpc)
    if profile.groups_need_vpc or profile != around.profile_in("", profile.name):
        return vpc, ""
    return "", "" if profile.name == around.profile.name else profile.name
