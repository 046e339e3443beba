"""Ids of lines of network ACLs and firewalls: a line keeps its own, whatever becomes of what it says and around it.

What an API with ids of its own makes has a made-up id from the start. Else a line's id is made of what it says, as in a
world file, until it comes to say something else: then it is kept with the line.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import cast

from ringfence.control.ids import IdStyle, made_up
from ringfence.errors import FieldProblem
from ringfence.model.acl import AclRule, NetworkAcl
from ringfence.model.topology import Peering
from ringfence.resources.resource import refuse
from ringfence.resources.values import SharedVpc, Value

_PREFIX = "nar"
Lines = tuple[AclRule, ...]


def lines_of(value: Value) -> tuple[str, Lines]:
    """Whose lines they are, as their ids are made of it, and the lines of an ACL, a border or a peering."""
    if isinstance(value, SharedVpc):
        return value.vpc.border_owner, value.vpc.border
    if isinstance(value, Peering):
        return value.firewall_owner, value.firewall
    acl = cast("NetworkAcl", value)
    return acl.name, acl.rules


def with_lines(value: Value, lines: Lines) -> Value:
    """The same ACL, VPC or peering with other lines."""
    if isinstance(value, SharedVpc):
        return replace(value, vpc=replace(value.vpc, border=lines))
    if isinstance(value, Peering):
        return replace(value, firewall=lines)
    return replace(cast("NetworkAcl", value), rules=lines)


def identified(before: Value | None, after: Value, style: IdStyle) -> Value:
    """What has lines, with the id of each: of those there were before, or a new one. Any other value is as it was.

    A line that brings an id is the line that had it; one that brings none is one that says the same, if there is.
    """
    if not isinstance(after, NetworkAcl | SharedVpc | Peering):
        return after
    owner, new = lines_of(after)
    _, old = lines_of(before) if before is not None else ("", ())
    return with_lines(after, _Ids(owner, old, style).given(new))


def refuse_unknown(before: Value | None, after: Value, field: str) -> None:
    """Raise `InvalidFields` for ids that a request gives to lines, and that no line has, or that it gives twice."""
    if isinstance(after, NetworkAcl | SharedVpc | Peering):
        owner, new = lines_of(after)
        old = lines_of(before)[1] if before is not None else ()
        refuse(_unknown({line.id_in(owner) for line in old}, new, field))


def _unknown(known: set[str], lines: Sequence[AclRule], field: str) -> Iterator[FieldProblem]:
    for index, line in enumerate(lines):
        if line.given_id and line.given_id not in known:
            what = f"there is no line {line.given_id!r}, or it is given twice"
            right = "give the id of a line that is there; a new line gets its own"
            yield FieldProblem(f"{field}.{index}", what, right, "resource.not_found", line.given_id)
        known.discard(line.given_id)


class _Ids:
    """Gives their ids to the lines that are to be in an ACL or a firewall."""

    def __init__(self, owner: str, old: Sequence[AclRule], style: IdStyle) -> None:
        self._owner, self._style = owner, style
        self._left = {line.id_in(owner): line for line in old}  # that no new line is yet
        self._used = {id_: line.key for id_, line in self._left.items()}

    def given(self, new: Sequence[AclRule]) -> Lines:
        """The lines with their ids: first those that say which they are."""
        by_id = [self._left.pop(line.given_id, None) if line.given_id else None for line in new]
        self._used |= {line.given_id: line.key for line, was in zip(new, by_id, strict=True) if was}
        pairs = [(line, was or self._alike(line)) for line, was in zip(new, by_id, strict=True)]
        return tuple(self._kept(line, was) if was else self._new(line) for line, was in pairs)

    def _alike(self, line: AclRule) -> AclRule | None:
        own = replace(line, given_id="").id_in(self._owner)
        ids = (own, *(id_ for id_, was in self._left.items() if was.key == line.key))
        found = next((id_ for id_ in ids if id_ in self._left and self._left[id_].key == line.key), None)
        return self._left.pop(found) if found else None

    def _kept(self, line: AclRule, was: AclRule) -> AclRule:
        same = line.key == was.key
        return replace(line, given_id=was.given_id or ("" if same else was.id_in(self._owner)))

    def _new(self, line: AclRule) -> AclRule:
        own = replace(line, given_id="").id_in(self._owner)
        twice = self._used.get(own) == line.key and not line.given_id  # which is refused, where nobody wanted two
        speaking = self._style is IdStyle.SPEAKING and (own not in self._used or twice)
        made = "" if speaking else made_up(_PREFIX, self._style, self._used.__contains__)
        self._used[made or own] = line.key
        return replace(line, given_id=made)
