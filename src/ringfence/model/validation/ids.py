"""Ids of rules: counters, logs and traces know a rule by its id alone, whatever its group, ACL or firewall."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from ringfence.model.acl import AclRule
from ringfence.model.facts import LINE_SECTIONS, LineOwner
from ringfence.model.rule import Rule
from ringfence.model.validation.problem import Path, Problem
from ringfence.model.validation.scope import Scope
from ringfence.model.world import World


class _Line(NamedTuple):
    path: Path
    owner: str
    rule: Rule | AclRule

    @property
    def id(self) -> str:
        return self.rule.id_in(self.owner)


def repeated_id_problems(scope: Scope) -> Iterator[Problem]:
    """An id that a rule brought along and another rule has or derives: one would vanish, and nobody be told."""
    owners: set[LineOwner] = set()
    for owner in scope.line_owners:
        owners.update(_sharing(scope.world, owner))
    for name, new in scope.new_rules.items():
        owners.update(scope.world.rule_ids.contested(new))
        ids = [rule.id_in(name) for rule in scope.world.groups[name].rules]
        if len({*ids}) < len(ids):  # before there were the new ones, each was there once
            owners.add((0, name))
    for owner in sorted(owners):
        yield from _owner_problems(scope.world, owner)


def _sharing(world: World, owner: LineOwner) -> Iterator[LineOwner]:
    """Those that have one of the owner's ids: itself if it has one twice, and others."""
    _, called, rules = _content(world, owner)
    ids = {rule.id_in(called) for rule in rules}
    if len(ids) < len(rules):
        yield owner
    yield from world.rule_ids.contested(ids)


def _owner_problems(world: World, owner: LineOwner) -> Iterator[Problem]:
    seen: dict[str, _Line] = {}
    for line in _lines(world, owner):
        first, claimant = seen.setdefault(line.id, line), world.rule_ids[line.id][0]
        if claimant != owner:
            first = next(it for it in _lines(world, claimant) if it.id == line.id)
        if first is not line and (line.rule.given_id or first.rule.given_id):
            kind = "group " if isinstance(first.rule, Rule) else ""
            what = f"a rule of {kind}{first.owner} has the id {line.id} already"
            yield Problem(line.path, "world.duplicate", what, "give each rule an id of its own")


def _lines(world: World, owner: LineOwner) -> Iterator[_Line]:
    """The lines of a group, an ACL, a border or a firewall on a peering; see `LINE_SECTIONS`."""
    path, called, rules = _content(world, owner)
    return (_Line((*path, number), called, rule) for number, rule in enumerate(rules))


def _content(world: World, owner: LineOwner) -> tuple[Path, str, Sequence[Rule | AclRule]]:
    at, name = owner
    path, called, rules = _CONTENT[at](world, name)
    return (LINE_SECTIONS[at], name, path), called, rules


_CONTENT: tuple[Callable[[World, str], tuple[str, str, Sequence[Rule | AclRule]]], ...] = (
    lambda world, name: ("rules", name, world.groups[name].rules),
    lambda world, name: ("rules", name, world.acls[name].rules),
    lambda world, name: ("border", world.vpcs[name].border_owner, world.vpcs[name].border),
    lambda world, name: ("firewall", world.peerings[name].firewall_owner, world.peerings[name].firewall),
)
