"""Files that tests give to an import, and what they look for in what it makes."""

from __future__ import annotations

import json
import re

from ringfence.importing import FileKind, Imported, import_files
from ringfence.importing.report import Note, Outcome
from ringfence.importing.source import Source
from ringfence.model.flow import Query
from ringfence.policy.evaluate import evaluate
from tests.importing.shapes import Files


def imported(files: Files, kind: FileKind | None = None, *, lenient: bool = False) -> Imported:
    """What an import makes of some files."""
    return import_files([Source(name, json.dumps(doc, indent=1)) for name, doc in files.items()], kind, lenient=lenient)


def rules(made: Imported, group: str) -> set[str]:
    """The rules of a group, in words, without the usual priority."""
    return {re.sub(r" priority 1\b", "", str(rule)) for rule in made.world.groups[group].rules}


def notes(made: Imported, outcome: Outcome) -> list[Note]:
    """The notes of one outcome."""
    return [note for note in made.report.notes if note.outcome is outcome]


def passes(made: Imported, query: str) -> bool:
    """Whether a flow passes in the world."""
    return evaluate(made.world, made.world.flow(Query.parse(query))).allowed
