"""What goes into a file of rules, and what is found in one before anything is imported."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from ringfence.errors import FieldProblem, InvalidInput
from ringfence.model.address import Family, Prefix
from ringfence.model.port_list import NamedPorts
from ringfence.model.rule import AddressGroupRemote, AnyRemote, GroupRemote, Rule

Names = Mapping[GroupRemote | AddressGroupRemote | NamedPorts, str]
"""The groups, address groups and port lists that a rule may name, each with the name that people know it by."""


class Format(StrEnum):
    """The formats of files of rules."""

    JSON = "json"
    CSV = "csv"
    XLSX = "xlsx"

    @property
    def media_type(self) -> str:
        """What HTTP calls it."""
        return _MEDIA_TYPES[self]


_MEDIA_TYPES = {
    Format.JSON: "application/json",
    Format.CSV: "text/csv; charset=utf-8",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class BadRulesFile(InvalidInput):
    """A file that cannot be read row by row: not of its format, too large, or with other columns than it may have."""

    code = "exchange.file"

    def __init__(self, what: str, right: str) -> None:
        super().__init__(f"{what}; {right}")
        self.what, self.right = what, right


@dataclass(frozen=True, slots=True)
class ExportedRule:
    """A rule to be written. ``modified`` is when it last changed, as text for people (UTC)."""

    id: str
    rule: Rule
    modified: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a file is read. Beyond any of them the file is refused before it costs memory or time.

    ``rows`` is the clouds' own limit of an import (section 7). ``unpacked`` bounds what is in an XLSX, in bytes.
    """

    rows: int = 200
    bytes: int = 1 << 20
    unpacked: int = 8 << 20
    columns: int = 64
    depth: int = 10_000
    """The lowest line or sheet row in which something may stand, blank ones above it included."""


@dataclass(frozen=True, slots=True)
class Row:
    """One rule of a file: the row of the sheet, the line of the CSV (both from 1) or the index in the JSON (from 0).

    ``rule`` is None where the row says none. With a rule *and* problems, the rule is clear, and cannot be imported.
    """

    place: int
    rule: Rule | None
    problems: tuple[FieldProblem, ...] = ()


@dataclass(frozen=True, slots=True)
class Preview:
    """A whole file, before anything of it is imported."""

    rows: tuple[Row, ...]

    @property
    def failing(self) -> tuple[Row, ...]:
        """The rows that cannot be imported."""
        return tuple(row for row in self.rows if row.problems)

    @property
    def ok(self) -> bool:
        """Whether every row can be imported; there is no importing a part."""
        return not self.failing

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules of the rows that can be imported, in the order of the file."""
        return tuple(row.rule for row in self.rows if row.rule and not row.problems)


_EVERYTHING = {family: Prefix(family, 0, 0) for family in Family}


def by_family(rule: Rule) -> Iterator[Rule]:
    """The rule itself; or, where its remote is ``any``, one rule for each family in which it can match."""
    if rule.remote is AnyRemote.ANY:
        yield from (replace(rule, remote=_EVERYTHING[family]) for family in rule.families)
    else:
        yield rule
