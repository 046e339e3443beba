"""Entries of address groups, one by one (SEMANTICS.md 1.3)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from ringfence.control.draft import Draft
from ringfence.errors import FieldProblem, InvalidFields, NotationError
from ringfence.model.address import AddressRange
from ringfence.model.group import AddressGroup
from ringfence.ram import actions as ram
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource, refuse

ENTRIES_PER_CALL = 200
"""So many entries one call adds and removes."""


@dataclass(frozen=True, slots=True)
class Edited:
    """An address group after an edit, and what the edit did: entries that were there before are not added again."""

    group: Resource
    added: tuple[AddressRange, ...]
    removed: tuple[AddressRange, ...]


def edit_entries(draft: Draft, ref: str, add: Sequence[Any], remove: Sequence[Any]) -> Edited:
    """Add and remove entries, all or none; every rule that names the group follows.

    One that is there already, or not there any more, is no mistake. Raises `InvalidFields`, `NotFound`, `Forbidden`.
    """
    found = draft.find(Kind.ADDRESS_GROUP, ref)
    value = cast("AddressGroup", found.value)
    new, gone = _read(add, remove)
    kept = [entry for entry in value.entries if entry not in gone]
    added = tuple(dict.fromkeys(entry for entry in new if entry not in kept))
    edited = replace(found, value=replace(value, entries=(*kept, *added)))
    removed = tuple(entry for entry in value.entries if entry in gone)
    return Edited(draft.put(ram.MODIFY_PREFIX_LIST, edited), added, removed)


def _read(add: Sequence[Any], remove: Sequence[Any]) -> tuple[list[AddressRange], list[AddressRange]]:
    number = len(add) + len(remove)
    if not 1 <= number <= ENTRIES_PER_CALL:
        what = f"{number} entries are too many for one call" if number else "no entry is given"
        right = f"give 1 to {ENTRIES_PER_CALL}"
        raise InvalidFields((FieldProblem("add", what, right, "limit.entries_per_call", number),))
    problems: list[FieldProblem] = []
    new, gone = (list(_entries(name, said, problems)) for name, said in (("add", add), ("remove", remove)))
    problems += [
        FieldProblem(f"remove.{index}", f"{entry} is to be added, too", "leave it out of one", value=str(entry))
        for index, entry in enumerate(gone)
        if entry in new
    ]
    refuse(problems)
    return new, gone


def _entries(name: str, said: Sequence[Any], problems: list[FieldProblem]) -> Iterator[AddressRange]:
    for index, each in enumerate(said):
        try:
            yield AddressRange.parse(each)
        except NotationError as error:
            problems.append(FieldProblem(f"{name}.{index}", error.what, error.right, error.code, each))
