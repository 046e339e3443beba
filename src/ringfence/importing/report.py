"""What an import says of itself: what became of everything that it read, line by line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from ringfence.importing.source import Item, shown


class Outcome(StrEnum):
    """What became of a thing that is not in the world as it was in the file; what matters most is first."""

    LEFT_OUT = "left out"
    """It is not in the world."""
    CHANGED = "changed"
    """It is in the world, and means something else there."""
    TOLD = "not modelled"
    """Something that a world has no word for; the rest of the thing is in the world."""
    MADE_UP = "made up"
    """It is in the world, and no file says it."""
    MERGED = "merged"
    """The world says it once, and the files said it more often."""


@dataclass(frozen=True, slots=True)
class Note:
    """One thing to know: where it stands, what it is, why it could not stay as it was, and what was done instead."""

    outcome: Outcome
    source: str
    line: int
    where: str
    what: str
    why: str
    done: str = ""

    def __str__(self) -> str:
        done = f"; {self.done}" if self.done else ""
        return f"{self.source}:{self.line} {self.where}: {self.outcome}: {self.what}: {self.why}{done}"

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "outcome": self.outcome.value,
            "file": self.source,
            "line": self.line,
            "path": self.where,
            "what": self.what,
            "why": self.why,
            "done": self.done,
        }


class Kind(StrEnum):
    """What is counted."""

    VPCS = "vpcs"
    SUBNETS = "subnets"
    GROUPS = "groups"
    RULES = "rules"
    ADDRESS_GROUPS = "address groups"
    ACLS = "ACLs"
    LINES = "ACL lines"
    INTERFACES = "interfaces"
    PEERINGS = "peerings"
    INSTANCES = "instances"


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of all things of a kind: ``read + made_up == in_world + merged + left_out``."""

    read: int = 0
    made_up: int = 0
    merged: int = 0
    left_out: int = 0
    in_world: int = 0


@dataclass
class Report:
    """The report while it is written."""

    notes: list[Note] = field(default_factory=list)
    assumptions: list[str] = field(default_factory=list)
    """What holds of the world as a whole, and why."""
    names: list[tuple[Kind, str, str]] = field(default_factory=list)
    """Kind, id in the file and name in the world, where they differ."""
    unread: Counter[tuple[str, str]] = field(default_factory=Counter)
    """File and field, indexes left out: what nothing was made of."""
    in_world: Mapping[Kind, int] = field(default_factory=dict)
    _counts: Counter[tuple[Kind, str]] = field(default_factory=Counter)

    def count(self, kind: Kind, number: int = 1) -> None:
        """Things of a kind were read."""
        self._counts[kind, "read"] += number

    def note(self, outcome: Outcome, item: Item, what: str, why: str, done: str = "") -> None:
        """Tell something of an item."""
        self.notes.append(Note(outcome, item.source.name, item.line, item.where, what, why, done))

    def gone(self, kind: Kind, item: Item, what: str, why: str, *, merged: bool = False) -> None:
        """A thing that was read is not in the world."""
        outcome = Outcome.MERGED if merged else Outcome.LEFT_OUT
        self._counts[kind, outcome.value] += 1
        self.note(outcome, item, what, why)

    def made(self, kind: Kind, item: Item, what: str, why: str, done: str = "") -> None:
        """A thing was made that no file says."""
        self._counts[kind, Outcome.MADE_UP.value] += 1
        self.note(Outcome.MADE_UP, item, what, why, done)

    def assume(self, text: str) -> None:
        """Tell once what holds of the whole."""
        if text not in self.assumptions:
            self.assumptions.append(text)

    def tallies(self) -> dict[Kind, Tally]:
        """The counts of each kind of which there is something."""
        found = {kind: self._tally(kind) for kind in Kind}
        return {kind: tally for kind, tally in found.items() if tally != Tally()}

    def _tally(self, kind: Kind) -> Tally:
        made_up, merged, left_out = (
            self._counts[kind, outcome.value] for outcome in (Outcome.MADE_UP, Outcome.MERGED, Outcome.LEFT_OUT)
        )
        return Tally(self._counts[kind, "read"], made_up, merged, left_out, self.in_world.get(kind, 0))

    def as_json(self) -> dict[str, Any]:
        """The whole report for programs."""
        counts = {
            kind.value: {name: getattr(tally, name) for name in Tally.__slots__}
            for kind, tally in self.tallies().items()
        }
        return {
            "counts": counts,
            "notes": [note.as_json() for note in self.notes],
            "assumptions": self.assumptions,
            "names": [{"kind": kind.value, "id": id_, "name": name} for kind, id_, name in self.names],
            "not_read": [
                {"file": file, "field": name, "times": times} for (file, name), times in sorted(self.unread.items())
            ],
        }

    def lines(self) -> list[str]:
        """The whole report for people."""
        order = [*Outcome]
        lines = [
            *(f"{kind}: {_sum(tally)}" for kind, tally in self.tallies().items()),
            *map(str, sorted(self.notes, key=lambda note: order.index(note.outcome))),
            *(f"note: {text}" for text in self.assumptions),
            *(f"name: {kind.value} {id_} is called {name}" for kind, id_, name in self.names),
            *self._unread_lines(),
        ]
        return list(map(shown, lines))

    def _unread_lines(self) -> Iterator[str]:
        """The fields that were not read, those of one kind of thing in one line."""
        things: dict[tuple[str, str], list[str]] = {}
        for (file, shape), times in sorted(self.unread.items()):
            thing, _, name = shape.rpartition(".")
            things.setdefault((file, thing), []).append(f"{name} ({times})")
        for (file, thing), names in sorted(things.items()):
            yield f"not read: {file} {thing or 'the whole'}: {', '.join(names)}"

    def summary(self) -> str:
        """What became of what was read, in one line."""
        found = Counter(note.outcome for note in self.notes)
        parts = [f"{found[outcome]} {outcome}" for outcome in Outcome if found[outcome]]
        return f"{', '.join(parts)}: told above" if parts else "everything that was read is in the world"


def _sum(tally: Tally) -> str:
    rest = {"made up": tally.made_up, "merged": tally.merged, "left out": tally.left_out}
    parts = (f"{number} {words}" for words, number in rest.items() if number)
    return ", ".join([f"{tally.read} read", f"{tally.in_world} in the world", *parts])
