"""Clone a security group: into another VPC, or as one of the other type (SEMANTICS.md 7; Security FAQ)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from ringfence.control import basic
from ringfence.control.draft import Draft
from ringfence.control.telling import code_of
from ringfence.errors import FieldProblem, InvalidFields
from ringfence.model.group import GroupType, SecurityGroup
from ringfence.model.rule import GroupRemote, Rule
from ringfence.model.validation import Problem, Touched, problems
from ringfence.ram import actions as ram
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource
from ringfence.resources.values import RuleOf


@dataclass(frozen=True, slots=True)
class Skipped:
    """A rule that the clone does not have, as it cannot stand there: its id, what it says, and why not."""

    id: str
    rule: str
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Clone:
    """A new group, its rules, and what it lacks of the group that it was made of."""

    group: Resource
    rules: tuple[Resource, ...]
    skipped: tuple[Skipped, ...]


def clone(draft: Draft, ref: str, said: Mapping[str, Any]) -> Clone:
    """Make a group with the rules of another one. Members are not cloned, nor is who manages the group.

    ``said`` has a name, and may have description, vpc, type, copy_tags, skip. Without ``skip`` a rule that cannot stand
    in the new group is refused. A rule that names the group itself names the new one there. Raises `InvalidFields`,
    `NotFound`, `Forbidden`.
    """
    source = draft.find(Kind.GROUP, ref)
    draft.require(ram.CLONE_SECURITY_GROUP, source)
    made = basic.create(draft, Kind.GROUP, _group(source, said))
    old = draft.rules(source.id)
    rules = [_moved(cast("RuleOf", each.value).rule, source.id, made.id) for each in old]
    wrong = _cannot_stand(draft, cast("SecurityGroup", made.value), rules)
    if wrong and not said.get("skip"):
        raise InvalidFields(tuple(_told(old[index].id, rules[index], each) for index, each in wrong.items()))
    kept = [(each, rule) for index, (each, rule) in enumerate(zip(old, rules, strict=True)) if index not in wrong]
    added = (basic.add_rule(draft, made, rule, each.tags if said.get("copy_tags") else {}) for each, rule in kept)
    skipped = (Skipped(old[at].id, str(rules[at]), code_of(it), it.what) for at, it in wrong.items())
    return Clone(made, tuple(added), tuple(skipped))


def _group(source: Resource, said: Mapping[str, Any]) -> dict[str, Any]:
    group = cast("SecurityGroup", source.value)
    kind, vpc = GroupType(said.get("type") or group.type), said.get("vpc") or group.vpc
    return {
        "name": said["name"],
        "description": said.get("description", source.description),
        "tags": dict(source.tags) if said.get("copy_tags") else {},
        "vpc": vpc,
        "profile": "" if vpc else group.profile,
        "type": kind.value,
        "intra_group": group.intra_group.value if kind is group.type else None,
        "ftp_helper": group.ftp_helper,
    }


def _moved(rule: Rule, old: str, new: str) -> Rule:
    """The rule as one of another group."""
    remote = GroupRemote(new) if rule.remote == GroupRemote(old) else rule.remote
    return replace(rule, remote=remote, managed="", given_id="")


def _cannot_stand(draft: Draft, group: SecurityGroup, rules: Sequence[Rule]) -> dict[int, Problem]:
    """What is wrong with rules in a new group, by their places: the first thing with each."""
    world = draft.state.world.edited(groups={group.name: replace(group, rules=tuple(rules))})
    wrong: dict[int, Problem] = {}
    for problem in problems(world, Touched(groups={group.name})):
        match problem.path:
            case ("groups", group.name, "rules", int(index), *_):
                wrong.setdefault(index, problem)
    return wrong


def _told(id_: str, rule: Rule, problem: Problem) -> FieldProblem:
    right = f"{problem.right}, or skip such rules"
    return FieldProblem(f"rules.{id_}", problem.what, right, code_of(problem), str(rule))
