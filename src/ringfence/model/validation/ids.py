"""Ids of rules: counters, logs and traces know a rule by its id alone, whatever its group, ACL or firewall."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ringfence.model.acl import AclRule
from ringfence.model.rule import Rule
from ringfence.model.validation.problem import Path, Problem
from ringfence.model.world import World


class _Line(NamedTuple):
    path: Path
    owner: str
    rule: Rule | AclRule


def repeated_id_problems(world: World) -> Iterator[Problem]:
    """An id that a rule brought along and another rule has or derives: one would vanish, and nobody be told."""
    owners: dict[str, _Line] = {}
    for line in _lines(world):
        rule_id = line.rule.id_in(line.owner)
        first = owners.setdefault(rule_id, line)
        if first is not line and (line.rule.given_id or first.rule.given_id):
            kind = "group " if isinstance(first.rule, Rule) else ""
            what = f"a rule of {kind}{first.owner} has the id {rule_id} already"
            yield Problem(line.path, "world.duplicate", what, "give each rule an id of its own")


def _lines(world: World) -> Iterator[_Line]:
    for group in world.groups.values():
        yield from (_Line(("groups", group.name, "rules", at), group.name, it) for at, it in enumerate(group.rules))
    for acl in world.acls.values():
        yield from (_Line(("acls", acl.name, "rules", at), acl.name, it) for at, it in enumerate(acl.rules))
    for vpc in world.vpcs.values():
        yield from (_Line(("vpcs", vpc.name, "border", at), vpc.border_owner, it) for at, it in enumerate(vpc.border))
    for way in world.peerings.values():
        lines = enumerate(way.firewall)
        yield from (_Line(("peerings", way.name, "firewall", at), way.firewall_owner, it) for at, it in lines)
