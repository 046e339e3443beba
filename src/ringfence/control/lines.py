"""Lines of network ACLs and of firewalls at borders and on peerings, one by one: their order is what they mean.

New lines are given as `AclRule`; what `ringfence.control.line_ids` says gives them their ids. Each operation puts the
whole list, so several on one draft are one revision.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ringfence.control.draft import Draft
from ringfence.control.kinds import Verb, action_of
from ringfence.control.line_ids import identified, lines_of, refuse_unknown, with_lines
from ringfence.control.settling import line_by_id
from ringfence.errors import FieldProblem, InvalidFields, NotationError
from ringfence.model.acl import AclRule
from ringfence.model.rule import AddressGroupRemote, Direction
from ringfence.ram import actions as ram
from ringfence.ram.arn import FIREWALL_POLICY
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource, refuse

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
    """Where a line is to stand: before or after another one (an id or a position), before all, or behind all."""

    before: str | int | None = None
    after: str | int | None = None
    first: bool = False


BEHIND_ALL = Place()


def lines(resource: Resource) -> list[Line]:
    """The lines of an ACL, of a VPC's border or of a peering, in their order."""
    owner, rules = lines_of(resource.value)
    return [Line(rule.id_in(owner), position, rule) for position, rule in enumerate(rules, 1)]


def insert(draft: Draft, kind: Kind, ref: str, text: str, place: Place) -> Resource:
    """Add a line at a place. Raises `InvalidFields`, `NotFound`, `Forbidden`."""
    found = draft.find(kind, ref)
    try:
        rule = AclRule.parse(text)
    except NotationError as error:
        raise InvalidFields((FieldProblem("rule", error.what, error.right, error.code, text),)) from None
    return insert_lines(draft, kind, found.id, (rule,), place)


def insert_lines(draft: Draft, kind: Kind, ref: str, new: Sequence[AclRule], place: Place = BEHIND_ALL) -> Resource:
    """Add new lines at a place, in their order; ids that they bring are not theirs. Raises as `insert`."""
    found = draft.find(kind, ref)
    there = lines(found)
    index, rules = _index(there, place), [_said(line) for line in there]
    made = [replace(rule, given_id="") for rule in new]
    return _put(draft, found, [*rules[:index], *made, *rules[index:]])


def change_line(draft: Draft, kind: Kind, ref: str, line: str | int, said: Mapping[str, Any]) -> Resource:
    """Have a line (an id or a position) say something else, by fields of `AclRule`; what is not said stays, and its id.

    Raises as `insert`.
    """
    found = draft.find(kind, ref)
    rules = [_said(each) for each in lines(found)]
    index = _find(lines(found), line, "line")
    try:
        rules[index] = replace(rules[index], **{**said, "given_id": rules[index].given_id})
    except NotationError as error:
        raise InvalidFields((FieldProblem("line", error.what, error.right, error.code, line),)) from None
    return _put(draft, found, rules)


def replace_direction(
    draft: Draft, kind: Kind, ref: str, direction: Direction | None, new: Sequence[AclRule]
) -> Resource:
    """Have the lines of one direction be these; those of the other stay. On a peering, the direction is None.

    A line that brings an id is the one that had it, and one that brings none may be one that says the same. Raises as
    `insert`, also for an id that no line of the direction has.
    """
    found = draft.find(kind, ref)
    refuse(_of_other_direction(index, rule) for index, rule in enumerate(new) if rule.direction is not direction)
    others = [_said(line) for line in lines(found) if line.rule.direction is not direction]
    return _put(draft, found, [*new, *others])


def _of_other_direction(index: int, rule: AclRule) -> FieldProblem:
    what = "the line is of another direction than the lines that it is to be among"
    return FieldProblem(f"lines.{index}", what, "give lines of one direction", "world.rule_direction", str(rule))


def move(draft: Draft, kind: Kind, ref: str, line: str | int, place: Place) -> Resource:
    """Have a line (an id or a position) stand at another place. Raises as `insert`."""
    found = draft.find(kind, ref)
    there = lines(found)
    moved = there[_find(there, line, "line")]
    rest = [each for each in there if each is not moved]
    rules = [_said(each) for each in rest]
    if moved.id in (place.before, place.after) or moved.position in (place.before, place.after):
        rules.insert(moved.position - 1, _said(moved))  # beside itself is where it is
    else:
        rules.insert(_index(rest, place), _said(moved))
    return _put(draft, found, rules)


def remove(draft: Draft, kind: Kind, ref: str, line: str | int) -> Resource:
    """Remove a line (an id or a position). Raises as `insert`."""
    return _without(draft, draft.find(kind, ref), {"line": line})


def remove_lines(draft: Draft, kind: Kind, ref: str, ids: Sequence[str]) -> Resource:
    """Remove lines by their ids. Raises as `insert`, also if one of them is not there."""
    return _without(draft, draft.find(kind, ref), {f"lines.{index}": id_ for index, id_ in enumerate(ids)})


def remove_naming(draft: Draft, found: Resource, address_group: str) -> Resource:
    """Remove the lines that name an address group (an id). Raises `Forbidden`."""
    gone = AddressGroupRemote(address_group)
    kept = [_said(line) for line in lines(found) if gone not in (line.rule.source, line.rule.destination)]
    return _put(draft, found, kept)


def _without(draft: Draft, found: Resource, gone: Mapping[str, str | int]) -> Resource:
    """What has lines without some, which are named by the fields that name them."""
    there = lines(found)
    indices = {_find(there, ref, field) for field, ref in gone.items()}
    return _put(draft, found, [_said(line) for index, line in enumerate(there) if index not in indices])


def _said(line: Line) -> AclRule:
    """A line that says which it is."""
    return replace(line.rule, given_id=line.id)


def _index(there: Sequence[Line], place: Place) -> int:
    if sum((place.before is not None, place.after is not None, place.first)) > 1:
        what = "the line is to stand at several places"
        raise InvalidFields((FieldProblem("before", what, "give one of before and after", value=place.before),))
    if place.before is not None:
        return _find(there, place.before, "before")
    if place.after is not None:
        return _find(there, place.after, "after") + 1
    return 0 if place.first else len(there)


def _find(there: Sequence[Line], ref: str | int, field: str) -> int:
    """Where a line is in a list; raises `InvalidFields`."""
    position = int(ref) if str(ref).isascii() and str(ref).isdigit() and len(str(ref)) < 7 else None
    for index, line in enumerate(there):
        if ref == line.id or position == line.position:
            return index
    what, right = f"there is no line {ref!r}", f"give the id of a line, or a position from 1 to {len(there)}"
    raise InvalidFields((FieldProblem(field, what, right, "resource.not_found", ref),))


def _put(draft: Draft, resource: Resource, rules: Sequence[AclRule]) -> Resource:
    said = with_lines(resource.value, tuple(line_by_id(draft, rule) for rule in rules))
    refuse_unknown(resource.value, said, "lines")
    new = replace(resource, value=identified(resource.value, said, draft.caller.ids))
    if resource.kind is Kind.ACL:
        return draft.put(ram.UPDATE_NETWORK_ACL_ENTRIES, new)
    draft.require_any(ram.MODIFY_FIREWALL_POLICY, FIREWALL_POLICY)
    return draft.put(action_of(Verb.UPDATE, resource.kind), new)
