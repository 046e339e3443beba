"""A group's rules as a file, and a file's rules into a group (SEMANTICS.md section 7)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import cast

from ringfence.control.draft import Draft
from ringfence.control.rules import Authorized, add
from ringfence.control.settling import profile_of
from ringfence.errors import FieldProblem, InvalidFields
from ringfence.exchange.files import export, preview
from ringfence.exchange.values import ExportedRule, Format, Names, Preview
from ringfence.model.port_list import NamedPorts
from ringfence.model.rule import AddressGroupRemote, GroupRemote, Rule
from ringfence.ram import actions as ram
from ringfence.resources.kind import Kind
from ringfence.resources.resource import NO_TAGS, Resource
from ringfence.resources.state import State
from ringfence.resources.values import RuleOf

_ROWS = "rows."
"""Before the place of a row, in the fields of what is wrong."""


@dataclass(frozen=True, slots=True)
class File:
    """A file and its name."""

    name: str
    content: bytes


def export_rules(state: State, group: Resource, to: Format, day: str, region: str) -> File:
    """The rules of a group as a file, called as the clouds call it; ``day`` is that of the export (ISO)."""
    rules = state.rules(group.id)
    listed = [ExportedRule(each.id, cast("RuleOf", each.value).rule, each.created) for each in rules]
    names = _names(state, group.account, [each.rule for each in listed])
    return File(_file_name(group, to, day, region), export(to, group.id, listed, names))


def _file_name(group: Resource, to: Format, day: str, region: str) -> str:
    return {
        Format.JSON: f"ecs_{region}_{group.id}.json",
        Format.CSV: f"ecs_sgRule_{group.id}_{region}_{day.replace('-', '')}.csv",
        Format.XLSX: f"{group.name or group.id}_{region}_{day.replace('-', '')}.xlsx",
    }[to]


def _names(state: State, account: str, rules: Iterable[Rule]) -> Names:
    """The groups and lists of an account, and the groups of others that its rules name."""
    own: dict[GroupRemote | AddressGroupRemote | NamedPorts, str] = {
        GroupRemote(it.id): it.name or it.id for it in state.owned(account, Kind.GROUP)
    }
    own |= {AddressGroupRemote(it.id): it.name or it.id for it in state.owned(account, Kind.ADDRESS_GROUP)}
    own |= {NamedPorts(it.id): it.name or it.id for it in state.owned(account, Kind.PORT_LIST)}
    remotes = {rule.remote for rule in rules}
    return own | {it: it.name for it in remotes if isinstance(it, GroupRemote) and it.account}


def read_rules(draft: Draft, group: str, of: Format, data: bytes, *, opposites: bool = False) -> Preview:
    """What a file would bring into a group, and which of its rows cannot come in. Nothing is changed.

    ``opposites``: rows may say the opposite of other rules. Raises `BadRulesFile`, `NotFound`, `Forbidden`.
    """
    found = draft.find(Kind.GROUP, group)
    draft.require(ram.IMPORT_SECURITY_GROUP_RULES, found)
    rules = [cast("RuleOf", each.value).rule for each in draft.rules(found.id)]
    names = _names(draft.state, found.account, rules)
    profile = profile_of(draft, found)
    return preview(of, data, found.id, rules, profile, names, refuse_opposites=not opposites)


def import_rules(draft: Draft, group: str, read: Preview) -> Authorized:
    """Add the rules of a file to those of a group: all, or none. Raises `InvalidFields` with each row that fails."""
    if not read.ok:
        raise InvalidFields(
            tuple(
                replace(problem, field=".".join(filter(None, (f"{_ROWS}{row.place}", problem.field))))
                for row in read.failing
                for problem in row.problems
            )
        )
    return try_rules(draft, group, read)


def try_rules(draft: Draft, group: str, read: Preview) -> Authorized:
    """Add those rules of a file that can be read, so that they are judged beside all that is there. To be dropped."""
    rows = [(row.place, row.rule) for row in read.rows if row.rule and not row.problems]
    found, places = draft.find(Kind.GROUP, group), [f"{_ROWS}{place}" for place, _ in rows]
    return add(draft, found, [(rule, NO_TAGS) for _, rule in rows], places)


def judged(read: Preview, problems: Iterable[FieldProblem]) -> Preview:
    """A file with what the judgement of its rules has found, in the rows that it is about."""
    by_place: dict[str, list[FieldProblem]] = {}
    for problem in problems:
        place, _, field = problem.field.removeprefix(_ROWS).partition(".")
        by_place.setdefault(place if problem.field.startswith(_ROWS) else "", []).append(replace(problem, field=field))
    rows = (replace(row, problems=(*row.problems, *by_place.get(str(row.place), ()))) for row in read.rows)
    return Preview(tuple(rows))
