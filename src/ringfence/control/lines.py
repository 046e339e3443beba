"""Lines of network ACLs and of firewalls at borders and on peerings, one by one: their order is what they mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from ringfence.control.draft import Draft
from ringfence.control.kinds import Verb, action_of
from ringfence.control.settling import line_by_id
from ringfence.errors import FieldProblem, InvalidFields, NotationError
from ringfence.model.acl import AclRule, NetworkAcl
from ringfence.model.topology import Peering
from ringfence.ram import actions as ram
from ringfence.ram.arn import FIREWALL_POLICY
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource
from ringfence.resources.values import SharedVpc, Value

FIELDS: Mapping[Kind, str] = {Kind.ACL: "rules", Kind.VPC: "border", Kind.PEERING: "firewall"}
"""The kinds that have lines, and the field that holds them."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line: its id, its position (1 is judged first), and the rule."""

    id: str
    position: int
    rule: AclRule


@dataclass(frozen=True, slots=True)
class Place:
    """Where a line is to stand: before or after another one (an id or a position), or behind all."""

    before: str | int | None = None
    after: str | int | None = None


def lines(resource: Resource) -> list[Line]:
    """The lines of an ACL, of a VPC's border or of a peering, in their order."""
    owner, rules = _owner(resource.value)
    return [Line(rule.id_in(owner), position, rule) for position, rule in enumerate(rules, 1)]


def insert(draft: Draft, kind: Kind, ref: str, text: str, place: Place) -> Resource:
    """Add a line at a place. Raises `InvalidFields`, `NotFound`, `Forbidden`."""
    found = draft.find(kind, ref)
    try:
        rule = line_by_id(draft, AclRule.parse(text))
    except NotationError as error:
        raise InvalidFields((FieldProblem("rule", error.what, error.right, error.code, text),)) from None
    there = lines(found)
    rules = [line.rule for line in there]
    rules.insert(_index(there, place), rule)
    return _put(draft, found, rules)


def move(draft: Draft, kind: Kind, ref: str, line: str | int, place: Place) -> Resource:
    """Have a line (an id or a position) stand at another place. Raises as `insert`."""
    found = draft.find(kind, ref)
    there = lines(found)
    moved = there[_find(there, line, "line")]
    rest = [each for each in there if each is not moved]
    rules = [each.rule for each in rest]
    if moved.id in (place.before, place.after) or moved.position in (place.before, place.after):
        rules.insert(moved.position - 1, moved.rule)  # beside itself is where it is
    else:
        rules.insert(_index(rest, place), moved.rule)
    return _put(draft, found, rules)


def remove(draft: Draft, kind: Kind, ref: str, line: str | int) -> Resource:
    """Remove a line (an id or a position). Raises as `insert`."""
    found = draft.find(kind, ref)
    there = lines(found)
    gone = there[_find(there, line, "line")]
    return _put(draft, found, [each.rule for each in there if each is not gone])


def _index(there: Sequence[Line], place: Place) -> int:
    if place.before is not None and place.after is not None:
        what = "the line is to stand before one and after another one"
        raise InvalidFields((FieldProblem("before", what, "give one of before and after", value=place.before),))
    if place.before is not None:
        return _find(there, place.before, "before")
    return len(there) if place.after is None else _find(there, place.after, "after") + 1


def _find(there: Sequence[Line], ref: str | int, field: str) -> int:
    """Where a line is in a list; raises `InvalidFields`."""
    position = int(ref) if str(ref).isascii() and str(ref).isdigit() and len(str(ref)) < 7 else None
    for index, line in enumerate(there):
        if ref == line.id or position == line.position:
            return index
    what, right = f"there is no line {ref!r}", f"give the id of a line, or a position from 1 to {len(there)}"
    raise InvalidFields((FieldProblem(field, what, right, "resource.not_found", ref),))


def _owner(value: Value) -> tuple[str, tuple[AclRule, ...]]:
    """What lines are of, in their ids, and the lines."""
    if isinstance(value, SharedVpc):
        return value.vpc.border_owner, value.vpc.border
    if isinstance(value, Peering):
        return value.firewall_owner, value.firewall
    acl = cast("NetworkAcl", value)
    return acl.name, acl.rules


def _put(draft: Draft, resource: Resource, rules: Sequence[AclRule]) -> Resource:
    new = replace(resource, value=_with(resource.value, tuple(rules)))
    if resource.kind is Kind.ACL:
        return draft.put(ram.UPDATE_NETWORK_ACL_ENTRIES, new)
    draft.require_any(ram.MODIFY_FIREWALL_POLICY, FIREWALL_POLICY)
    return draft.put(action_of(Verb.UPDATE, resource.kind), new)


def _with(value: Value, rules: tuple[AclRule, ...]) -> Value:
    if isinstance(value, SharedVpc):
        return replace(value, vpc=replace(value.vpc, border=rules))
    if isinstance(value, Peering):
        return replace(value, firewall=rules)
    return replace(cast("NetworkAcl", value), rules=rules)
