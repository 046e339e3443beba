"""Network ACLs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ringfence.model.acl import AclRule, NetworkAcl
from ringfence.model.profile import Profile
from ringfence.model.world import by_name
from ringfence.worldfile.networks import Surroundings
from ringfence.worldfile.nodes import Cursor, given
from ringfence.worldfile.rules import read_lines
from ringfence.worldfile.switches import truth

_KEYS = ("rules", "vpc", "enabled", "template", "description")


def read_acls(cursor: Cursor, around: Surroundings) -> Mapping[str, NetworkAcl]:
    """The network ACLs, rules in the order of the file. Broken ones keep their names and readable rules."""
    return by_name(_read_acl(name, each, around) for name, each in cursor.named("NAME: [RULE]").items())


def _read_acl(name: str, cursor: Cursor, around: Surroundings) -> NetworkAcl:
    path = (*cursor.path, "rules")
    if cursor.is_list:
        fields = {"rules": replace(cursor, path=path)}
    else:
        fields = cursor.fields(_KEYS, "{rules: [RULE]}, or a list of rules")
    vpc = given(fields, "vpc", lambda each: each.text("the name of a VPC"), "")
    enabled = given(fields, "enabled", lambda each: each.read(truth, "true or false"), True)
    description = given(fields, "description", lambda each: each.text("a text"), "")
    rules = read_lines(fields["rules"], path) if "rules" in fields else ()
    if "template" in fields and fields["template"].choice({"default": True}):
        # Behind the listed ones: they allow everything, and the first that matches decides.
        made = _template(around.profile_in(vpc))
        for index in range(len(rules), len(rules) + len(made)):
            cursor.notes.place((*path, index), fields["template"].mark)
        rules += made
    return NetworkAcl(name, rules, vpc, enabled, description)


def _template(profile: Profile) -> tuple[AclRule, ...]:
    return tuple(map(AclRule.parse, profile.acl_default))
