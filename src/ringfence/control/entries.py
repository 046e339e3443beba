"""Entries of address groups and port lists, one by one (SEMANTICS.md 1.3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from ringfence.control.draft import Draft
from ringfence.control.kinds import Verb, action_of
from ringfence.errors import FieldProblem, InvalidFields, NotationError
from ringfence.model.address import AddressRange
from ringfence.model.service import PortRange
from ringfence.resources.kind import Kind
from ringfence.resources.list_forms import PARSERS, REMARK, check_family
from ringfence.resources.resource import Resource, refuse
from ringfence.resources.values import Listing, listing

Entry = AddressRange | PortRange
ENTRIES_PER_CALL = 200
"""So many entries one call adds and removes."""


@dataclass(frozen=True, slots=True)
class Edited:
    """A list after an edit, and what the edit did: entries that were there before are not added again."""

    list: Resource
    added: tuple[Entry, ...]
    removed: tuple[Entry, ...]


def edit_entries(draft: Draft, kind: Kind, ref: str, add: Sequence[Any], remove: Sequence[Any]) -> Edited:
    """Add and remove entries, all or none; every rule that names the list follows.

    ``kind`` is that of address groups or of port lists. What is added is a text, or an object of ``entry`` and
    ``remark``. One that is there already gets the remark, if there is one, and is no mistake, nor is one to be removed
    that is not there any more. Raises `InvalidFields`, `NotFound`, `Forbidden`.
    """
    found = draft.find(kind, ref)
    it = cast("Listing", found.value)
    new, gone = _read(kind, add, remove)
    before: tuple[Any, ...] = it.listed.entries
    kept = [entry for entry in before if entry not in gone]
    added = tuple(entry for entry in new if entry not in kept)
    listed: Any = it.listed
    remarks = {**it.remarks, **{str(entry): remark for entry, remark in new.items() if remark}}
    edited = listing(replace(listed, entries=(*kept, *added)), remarks, it.family)
    try:
        check_family(edited)
    except NotationError as error:
        raise InvalidFields((FieldProblem("add", error.what, error.right, error.code),)) from None
    removed = tuple(entry for entry in before if entry in gone)
    return Edited(draft.put(action_of(Verb.UPDATE, kind), replace(found, value=edited)), added, removed)


def _read(kind: Kind, add: Sequence[Any], remove: Sequence[Any]) -> tuple[Mapping[Entry, str], Mapping[Entry, str]]:
    """What to add and what to remove, with remarks; raises `InvalidFields`."""
    number = len(add) + len(remove)
    if not 1 <= number <= ENTRIES_PER_CALL:
        what = f"{number} entries are too many for one call" if number else "no entry is given"
        right = f"give 1 to {ENTRIES_PER_CALL}"
        raise InvalidFields((FieldProblem("add", what, right, "limit.entries_per_call", number),))
    problems: list[FieldProblem] = []
    new, gone = (dict(_entries(kind, name, said, problems)) for name, said in (("add", add), ("remove", remove)))
    problems += [
        FieldProblem(f"remove.{index}", f"{entry} is to be added, too", "leave it out of one", value=str(entry))
        for index, entry in enumerate(gone)
        if entry in new
    ]
    refuse(problems)
    return new, gone


def _entries(kind: Kind, name: str, said: Sequence[Any], problems: list[FieldProblem]) -> Iterator[tuple[Entry, str]]:
    for index, each in enumerate(said):
        try:
            yield _entry(kind, each)
        except NotationError as error:
            problems.append(FieldProblem(f"{name}.{index}", error.what, error.right, error.code, each))


def _entry(kind: Kind, said: Any) -> tuple[Entry, str]:
    members = said if isinstance(said, Mapping) else {"entry": said}
    text, remark = members.get("entry"), members.get("remark", "")
    if not isinstance(text, str) or members.keys() - {"entry", "remark"}:
        raise NotationError(f"{said!r} is no entry", "give a text, or an object of entry and remark")
    return PARSERS[kind](text), REMARK.read(remark)
