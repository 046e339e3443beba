"""The table that CSV and XLSX share: which columns it has, and rows of texts into cells of rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ringfence.exchange.rows import (
    ACTION,
    DESCRIPTION,
    DESTINATION,
    DIRECTION,
    ENABLED,
    ID,
    MODIFIED,
    NIC,
    PORT,
    PRIORITY,
    PROTOCOL,
    SOURCE,
    SOURCE_PORT,
    TYPE,
    Cells,
    cells_of,
)
from ringfence.exchange.values import BadRulesFile, ExportedRule, Limits, Names, by_family

COLUMNS = (DIRECTION, PRIORITY, ACTION, PROTOCOL, PORT, TYPE, SOURCE, DESTINATION, DESCRIPTION, MODIFIED)
"""Those of Huawei's template (SEMANTICS.md section 7)."""
_NEEDED = frozenset(COLUMNS) - {MODIFIED}
_EXTRA = (ID, ENABLED, SOURCE_PORT, NIC)
"""What the template has no column for; a file has these as far as it needs them."""
_PLAIN = {ENABLED: "Yes", SOURCE_PORT: "", NIC: ""}
"""What a rule says of them that does not need the column."""


def table(rules: Sequence[ExportedRule], names: Names, always: Sequence[str] = ()) -> Iterator[list[str]]:
    """The heading and a row for each rule, one for each family where the remote is ``any``."""
    rows = [
        {**cells_of(rule, names), MODIFIED: each.modified, ID: each.id}
        for each in rules
        for rule in by_family(each.rule)
    ]
    needed = [it for it in _EXTRA if it in always or any(row[it] != _PLAIN.get(it, row[it]) for row in rows)]
    columns = [*COLUMNS, *needed]
    yield columns
    yield from ([row[column] for column in columns] for row in rows)


def cells(lines: Iterable[tuple[int, Sequence[str]]], limits: Limits) -> list[Cells]:
    """The rows under the heading, by column; blank ones are left out. Raises `BadRulesFile`."""
    heading: list[str] = []
    found: list[Cells] = []
    for place, texts in lines:
        if place > limits.depth or len(texts) > limits.columns:
            raise BadRulesFile(f"row {place} lies beyond what a file of rules may have", _size(limits))
        if not any(text.strip() for text in texts):
            continue
        if not heading:
            heading = _heading(texts)
            continue
        if len(found) == limits.rows:
            raise BadRulesFile(f"the file has more than {limits.rows} rules", "split it into several files")
        if any(text.strip() for text in texts[len(heading) :]):
            raise BadRulesFile(f"row {place} has more cells than the heading", "leave out what stands under no column")
        found.append(Cells(place, dict(zip(heading, texts, strict=False))))
    if not heading:
        raise BadRulesFile("the file is empty", f"begin with the columns {', '.join(COLUMNS)}")
    return found


def _size(limits: Limits) -> str:
    return f"use at most {limits.depth} rows and {limits.columns} columns"


def _heading(texts: Sequence[str]) -> list[str]:
    names = [text.strip() for text in texts]
    while not names[-1]:
        names.pop()
    known = (*COLUMNS, *_EXTRA)
    wrong = [f"{name!r} is no column of a file of rules" for name in names if name not in known]
    wrong += [f"the column {name} is missing" for name in COLUMNS if name in _NEEDED - set(names)]
    wrong += [f"the column {name} is there twice" for name in known if names.count(name) > 1]
    if wrong:
        right = f"use {', '.join(COLUMNS)} and, where needed, {', '.join(_EXTRA)}"
        raise BadRulesFile("; ".join(wrong), right)
    return names
