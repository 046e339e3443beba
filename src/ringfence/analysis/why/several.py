"""Answers to questions about ends of which there are several: the members of a group, or all of the internet.

Ends that no rule tells apart are one class (see `ringfence.analysis.reach.ends`): an address of each is judged. What
fares alike, for the same reasons, is one outcome.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from ringfence.analysis.reach.ends import EndClass
from ringfence.analysis.reach.reach import Reach
from ringfence.analysis.why.asking import Question, first_known, is_several
from ringfence.analysis.why.diagnosis import Diagnosis
from ringfence.errors import UnknownName
from ringfence.model.address import Family
from ringfence.model.flow import Endpoint, Flow, Query
from ringfence.model.service import Protocol, Service
from ringfence.model.world import World

Told = Mapping[str, Any]
"""A diagnosis as it is told to programs."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """Classes of ends, in words, each of which may be at either side of a flow."""

    sources: tuple[str, ...]
    destinations: tuple[str, ...]
    family: Family

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "sources": list(self.sources),
            "destinations": list(self.destinations),
            "family": str(self.family),
        }


@dataclass(frozen=True, slots=True)
class Outcome:
    """What fares alike for the same reasons, with the diagnosis of one flow of it."""

    pairs: tuple[Pairs, ...]
    example: Diagnosis

    def as_json(self, example: Told) -> dict[str, Any]:
        """For programs; ``example`` is the diagnosis as it is to be told."""
        return {
            "verdict": "allow" if example["works"] else "deny",
            "cause": example["cause"],
            "because": example["because"],
            "pairs": [pairs.as_json() for pairs in self.pairs],
            "example": example,
        }


@dataclass(frozen=True, slots=True)
class Answer:
    """All outcomes of a question, what passes first."""

    question: Question
    outcomes: tuple[Outcome, ...]

    @property
    def works(self) -> bool:
        """Whether everything that was asked about passes."""
        return all(outcome.example.works for outcome in self.outcomes)

    @property
    def word(self) -> str:
        """``allow``, ``deny``, or ``some``."""
        return "allow" if self.works else "some" if any(it.example.works for it in self.outcomes) else "deny"

    def as_json(self, tell: Callable[[Diagnosis], Told] = Diagnosis.as_json) -> dict[str, Any]:
        """For programs; ``tell`` is how a diagnosis is told."""
        return {
            "source": self.question.source,
            "destination": self.question.destination,
            "service": str(self.question.service),
            "verdict": self.word,
            "works": self.works,
            "outcomes": [outcome.as_json(tell(outcome.example)) for outcome in self.outcomes],
        }


_Pair = tuple[EndClass, EndClass]


class Several:
    """Answers questions about several ends of a world. ``judge`` diagnoses one flow of it."""

    def __init__(self, world: World, judge: Callable[[Flow], Diagnosis]) -> None:
        self._world, self._judge, self._reach = world, judge, Reach(world)

    def answer(self, question: Question) -> Answer:
        """Judge an address of each two classes. Raises `UnknownName`."""
        for name in (question.source, question.destination):
            if is_several(self._world, name) and not self._reach.named(name):
                raise UnknownName(f"nobody is in group {name}", "name a group with members, or an instance", name)
        judged = [(pair, self._judge(flow)) for pair, flow in self._flows(question)]
        if not judged:
            what = f"between {question.source} and {question.destination} there is no packet that anything judges"
            raise UnknownName(what, "name two ends that are not both outside, not in one guest, and of one family")
        alike: dict[object, list[tuple[_Pair, Diagnosis]]] = {}
        for pair, diagnosis in judged:
            alike.setdefault(_reasons(diagnosis), []).append((pair, diagnosis))
        outcomes = (Outcome(tuple(_together(pair for pair, _ in each)), each[0][1]) for each in alike.values())
        return Answer(question, tuple(sorted(outcomes, key=_rank)))

    def _flows(self, question: Question) -> Iterator[tuple[_Pair, Flow]]:
        for query in question.queries:
            sides = (self._classes(query.source, query.family), self._classes(query.destination, query.family))
            for pair in product(*sides):
                ends = None if all(end.is_outside for end in pair) else self._apart(*pair)
                if ends:
                    yield pair, Flow(*ends, query.service, query.source_port)

    def _classes(self, name: str, family: Family) -> list[EndClass]:
        """What a name means: classes, or the class of its one address, with this for its example."""
        if is_several(self._world, name):
            return [each for each in self._reach.named(name) if each.family is family]
        try:
            end = self._world.endpoint(name, family)
        except UnknownName:
            self._known(name)
            return []
        found = self._reach.at(end)
        port = self._world.port_at(end)
        guest = port.guest if port else None
        return [replace(found, label=name, example=end, port=port, guest=guest, size=1)] if found else []

    def _known(self, name: str) -> None:
        """Raise `UnknownName` unless a name has an address of any family."""
        first_known((Query.of(name, name, Service(Protocol.TCP, 1), it) for it in Family), self._world.flow)

    def _apart(self, source: EndClass, destination: EndClass) -> tuple[Endpoint, Endpoint] | None:
        """An address of each, not in one guest."""
        pairs = product(self._members(source), self._members(destination))
        return next((pair for pair in pairs if not self._world.in_one_guest(*pair)), None)

    def _members(self, end: EndClass) -> list[Endpoint]:
        """An address of a class, and one of another guest if it has some."""
        other = None if end.guest else end.other
        return [end.example, *([other] if other else [])]


def _reasons(diagnosis: Diagnosis) -> object:
    """What two flows have in common that are told together."""
    steps = ((it.step.stage, it.step.group, it.step.rule_id, it.answer) for it in diagnosis.blockers)
    return diagnosis.cause, tuple(steps)


def _rank(outcome: Outcome) -> int:
    cause = outcome.example.cause
    return -1 if cause is None else cause.place


def _together(pairs: Iterable[_Pair]) -> Iterator[Pairs]:
    """Pairs put together: all sources of a destination, and all destinations with the same sources."""
    sources: dict[tuple[Family, str], list[str]] = {}
    for one, two in pairs:
        sources.setdefault((one.family, str(two)), []).append(str(one))
    found: dict[tuple[Family, tuple[str, ...]], list[str]] = {}
    for (family, destination), names in sources.items():
        found.setdefault((family, tuple(names)), []).append(destination)
    yield from (Pairs(known, tuple(ends), family) for (family, known), ends in found.items())
