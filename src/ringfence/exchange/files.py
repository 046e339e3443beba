"""Out and in: a group's rules as a file, and a file as a preview that names every row that cannot be imported."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import replace

from ringfence.errors import FieldProblem
from ringfence.exchange import comma, permissions, sheet
from ringfence.exchange.cells import RemoteCells
from ringfence.exchange.port_cells import PortCells
from ringfence.exchange.rows import ACTION, ENABLED, ID, Cells, RowReader
from ringfence.exchange.table import cells, table
from ringfence.exchange.values import (
    BadRulesFile,
    ExportedRule,
    Format,
    Limits,
    Names,
    Preview,
    Row,
    by_family,
)
from ringfence.model.profile import Profile
from ringfence.model.rule import Action, GroupRemote, Rule
from ringfence.model.validation.rules import form_problems


def export(to: Format, group_id: str, rules: Sequence[ExportedRule], names: Names) -> bytes:
    """The rules of a group as a file. A rule whose remote is ``any`` is two lines, one for each family."""
    if to is Format.JSON:
        return permissions.write(rules, names, group_id)
    if to is Format.CSV:
        return comma.write(table(rules, names, always=(ID, ENABLED)))
    return sheet.write(table(rules, names))


def preview(
    of: Format,
    data: bytes,
    group_id: str,
    existing: Iterable[Rule],
    profile: Profile,
    names: Names,
    *,
    refuse_opposites: bool = True,
    limits: Limits = Limits(),  # noqa: B008 (a frozen value)
) -> Preview:
    """Read a file of rules for a group that has ``existing`` ones, without importing anything.

    ``names`` are all groups and lists that a rule of the group may name. A row is refused that says what
    another row or an existing rule says; with ``refuse_opposites`` also one that differs from such a one in its action
    (SEMANTICS.md section 7, Huawei). Raises `BadRulesFile` where the file as a whole cannot be read.
    """
    if len(data) > limits.bytes:
        raise BadRulesFile(f"the file has {len(data)} bytes", f"use at most {limits.bytes}")
    remotes, lists = RemoteCells(names), PortCells(names)
    rows = [_row(RowReader(each, remotes, lists, profile), profile, group_id) for each in _read(of, data, limits)]
    return Preview(tuple(_Others(of, existing, refuse_opposites=refuse_opposites).judged(rows)))


def _read(of: Format, data: bytes, limits: Limits) -> list[Cells]:
    if of is Format.JSON:
        return permissions.read(data, limits)
    return cells(comma.read(data) if of is Format.CSV else sheet.read(data, limits), limits)


def _row(reader: RowReader, profile: Profile, group_id: str) -> Row:
    rule = reader.rule()
    problems = [*reader.problems, *(_profile_problems(rule, profile, group_id) if rule else ())]
    return Row(reader.place, rule, tuple(problems))


def _profile_problems(rule: Rule, profile: Profile, group_id: str) -> Iterator[FieldProblem]:
    for problem in form_problems(profile, rule, ()):
        yield FieldProblem("", problem.what, problem.right, problem.code, rule.key)
    if rule.remote == GroupRemote(group_id) and not profile.self_reference:
        what = f"the group may not name itself in the {profile.name} profile"
        yield FieldProblem("", what, "leave out the row", "InvalidParamter.Conflict", rule.key)


class _Others:
    """What a row must not repeat or contradict: existing rules, and the rows before it."""

    def __init__(self, of: Format, existing: Iterable[Rule], *, refuse_opposites: bool) -> None:
        self._word = {Format.JSON: "entry", Format.CSV: "line", Format.XLSX: "row"}[of]
        self._refuse_opposites = refuse_opposites
        self._same: dict[str, str] = {}
        self._sides: dict[Hashable, str] = {}
        for rule in existing:
            self._note(rule, "a rule of the group")

    def judged(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The rows with what is wrong with them beside the others."""
        for row in rows:
            problems = tuple(self._problems(row.rule)) if row.rule else ()
            yield replace(row, problems=(*row.problems, *problems))
            if row.rule:
                self._note(row.rule, f"{self._word} {row.place}")

    def _note(self, rule: Rule, what: str) -> None:
        for each in by_family(rule):
            self._same.setdefault(each.key, what)
            self._sides.setdefault((_tuple(each), each.action), what)

    def _problems(self, rule: Rule) -> Iterator[FieldProblem]:
        each = list(by_family(rule))
        other = Action.DENY if rule.action is Action.ALLOW else Action.ALLOW
        if same := next((self._same[it.key] for it in each if it.key in self._same), ""):
            yield FieldProblem("", f"{same} says the same: {rule.key}", "leave out one", "exchange.duplicate", rule.key)
        opposite = next((self._sides[key] for it in each if (key := (_tuple(it), other)) in self._sides), "")
        if opposite and self._refuse_opposites:
            what = f"{opposite} says the opposite of {rule.key}"
            yield FieldProblem(ACTION, what, "leave out one of the two", "exchange.opposite", str(rule.action))


def _tuple(rule: Rule) -> Hashable:
    """What a rule is about, whatever it does with it and however strong it is."""
    return (
        rule.direction,
        rule.protocol,
        rule.ports,
        rule.remote,
        rule.local,
        rule.source_ports,
        rule.nic,
    )
