"""Rules of one group, many at a time: authorize and revoke (SEMANTICS.md 1.2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from ringfence.control.basic import TAGS, add_rule, expanded
from ringfence.control.draft import Draft
from ringfence.control.kinds import Verb, action_for
from ringfence.control.settling import profile_of, rule_by_id, settle
from ringfence.errors import FieldProblem, InvalidFields, NotationError
from ringfence.model.rule import Rule
from ringfence.resources.forms import FORMS
from ringfence.resources.kind import Kind
from ringfence.resources.naming import Called
from ringfence.resources.resource import NO_TAGS, Resource, common_problems, refuse
from ringfence.resources.values import RuleOf

RULES_PER_CALL = 100
"""So many rules one call authorizes or revokes (SEMANTICS.md 1.2)."""

Tagged = tuple[Rule, Mapping[str, str]]
"""A rule without an id, and the tags that it is to have."""


@dataclass(frozen=True, slots=True)
class Authorized:
    """What became of rules that were to be there: those that are new, and those that were there before."""

    added: tuple[Resource, ...]
    already: tuple[Resource, ...]


def authorize(draft: Draft, group: str, said: Sequence[Any]) -> Authorized:
    """Have a group allow or deny what some rules say, each a line of the notation or an object: all, or none.

    A rule that is there already is as good as added. Raises `InvalidFields` (a mistake in one is at ``rules.3.ports``),
    `NotFound`, `Forbidden`.
    """
    found = draft.find(Kind.GROUP, group)
    _check_number(len(said), "rules")
    return add(draft, found, _read(draft, found, said), [f"rules.{index}" for index in range(len(said))])


def add(draft: Draft, group: Resource, rules: Iterable[Tagged], places: Iterable[str]) -> Authorized:
    """Have a group have some rules; ``places`` are where the request says them."""
    known = {_key(each): each for each in draft.rules(group.id)}
    added, already = [], []
    for (rule, tags), place in zip(rules, places, strict=True):
        if there := known.get(rule.key):
            draft.require(action_for(Verb.CREATE, there), group)
            already.append(there)
        else:
            made = add_rule(draft, group, rule, tags)
            draft.places[made.key] = place
            known[rule.key] = made
            added.append(made)
    return Authorized(tuple(added), tuple(already))


def revoke(draft: Draft, group: str, ids: Sequence[str] = (), said: Sequence[Any] = ()) -> tuple[Resource, ...]:
    """Remove rules of a group by their ids, and by what they say; gives those that were there.

    An id that none of them has is refused; of what is said, none need be there. Raises as `authorize`.
    """
    found = draft.find(Kind.GROUP, group)
    _check_number(len(ids) + len(said), "ids")
    own = {each.id: each for each in draft.rules(found.id)}
    refuse(_unknown_id(index, id_, found) for index, id_ in enumerate(ids) if id_ not in own)
    meant = [own[id_] for id_ in ids] + meant_by(draft, found, said)
    gone = {each.id: each for each in meant}
    for each in gone.values():
        draft.remove(action_for(Verb.DELETE, each), each)
    return tuple(gone.values())


def meant_by(draft: Draft, group: Resource, said: Sequence[Any]) -> list[Resource]:
    """The rules of a group that say the same as some that a request says; raises `InvalidFields`."""
    by_key = {_key(each): each for each in draft.rules(group.id)}
    return [there for rule, _ in _read(draft, group, said) if (there := by_key.get(rule.key))]


def _check_number(number: int, field: str) -> None:
    if not 1 <= number <= RULES_PER_CALL:
        what = f"{number} rules are too many for one call" if number else "no rule is given"
        problem = FieldProblem(field, what, f"give 1 to {RULES_PER_CALL}", "limit.rules_per_call", number)
        raise InvalidFields((problem,))


def _unknown_id(index: int, id_: object, group: Resource) -> FieldProblem:
    what = f"{group.key} has no rule {id_!r}"
    return FieldProblem(f"ids.{index}", what, "give ids of its rules", "InvalidParam.SecurityGroupRuleId", id_)


def _key(resource: Resource) -> str:
    return cast("RuleOf", resource.value).rule.key


def _read(draft: Draft, group: Resource, said: Sequence[Any]) -> list[Tagged]:
    """The rules of a request, without ids; raises `InvalidFields` with what is wrong with all of them."""
    rules, problems = [], []
    priority = profile_of(draft, group).default_priority
    for index, each in enumerate(said):
        try:
            rules.append(_of_line(draft, each, priority) if isinstance(each, str) else _one(draft, group, each))
        except NotationError as error:
            problems.append(FieldProblem(f"rules.{index}", error.what, error.right, error.code, each))
        except InvalidFields as error:
            problems += [replace(it, field=f"rules.{index}.{it.field}") for it in error.problems]
    refuse(problems)
    return rules


def _of_line(draft: Draft, line: str, priority: int) -> Tagged:
    return rule_by_id(draft, Rule.parse(line, default_priority=priority)), NO_TAGS


def _one(draft: Draft, group: Resource, said: Mapping[str, Any]) -> Tagged:
    wanted = expanded(Kind.RULE, said)
    if wanted.get("group", group.id) not in (group.id, group.name):
        what = f"the request is about {group.key}"
        raise InvalidFields((FieldProblem("group", what, "leave it out", value=wanted["group"]),))
    wanted = settle(draft, Kind.RULE, wanted | {"group": group.id})
    refuse(common_problems(wanted, TAGS))
    tags, description = wanted.pop("tags", {}), wanted.pop("description", "")
    value = FORMS[Kind.RULE].read(Called("", "", group.account, description), wanted)
    return cast("RuleOf", value).rule, tags
