"""What a question about reachability is answered: values that tables, programs and pictures are made from.

An answer has no world behind it: it is the same whether it was worked out here or came as JSON from a server.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """Where an end is."""

    INSIDE = "inside"
    INTERNET = "internet"
    OTHERS = "others"


class Grade(StrEnum):
    """How much a way permits, each more than the one before it."""

    SOME = "some"
    RISKY = "risky"
    """Some services, and among them one of the risky ports of the destination's profile (SEMANTICS.md 13.11)."""
    ALL = "all"
    """Everything that platform and carriers let pass at all."""

    @property
    def rank(self) -> int:
        """Higher is more."""
        return list(Grade).index(self)


@dataclass(frozen=True, slots=True)
class End:
    """A class of ends of one family: addresses that no rule tells apart. ``name`` is unique in its family.

    ``members`` are the first few by the names that people give them, ``size`` counts addresses (0: not told).
    """

    name: str
    family: str
    kind: Kind = Kind.INSIDE
    vpc: str = ""
    groups: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    size: int = 0

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        told = {"name": self.name, "family": self.family, "kind": str(self.kind), "vpc": self.vpc}
        return {**told, "groups": [*self.groups], "members": [*self.members], "addresses": self.size}

    @classmethod
    def of_json(cls, said: Mapping[str, Any]) -> End:
        """Read it back."""
        named = said["name"], said["family"], Kind(said["kind"]), said["vpc"]
        return cls(*named, tuple(said["groups"]), tuple(said["members"]), said["addresses"])


@dataclass(frozen=True, slots=True)
class Passage:
    """Services that each of some ends may use of each of some others, all of one family. ``risky`` is what of these is.

    ``example`` is a flow of it, as the command ``why`` takes it; empty where an end is another account's.
    """

    sources: tuple[str, ...]
    destinations: tuple[str, ...]
    family: str
    services: tuple[str, ...]
    grade: Grade
    risky: tuple[str, ...] = ()
    example: str = ""

    @property
    def short(self) -> tuple[str, ...]:
        """Its services for people: of everything that may pass at all, the list of what may not is left out."""
        is_long = self.grade is Grade.ALL and self.services[0].startswith("all but")
        return (ALL_THAT_MAY,) if is_long else self.services

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        sides = {"from": [*self.sources], "to": [*self.destinations], "family": self.family}
        what = {"services": [*self.services], "grade": str(self.grade), "risky": [*self.risky]}
        return {**sides, **what, "example": self.example}

    @classmethod
    def of_json(cls, said: Mapping[str, Any]) -> Passage:
        """Read it back."""
        sides = tuple(said["from"]), tuple(said["to"])
        services, risky = tuple(said["services"]), tuple(said["risky"])
        return cls(*sides, said["family"], services, Grade(said["grade"]), risky, said["example"])


ALL_THAT_MAY = "all*"
"""Short for everything but what platform and carriers never let pass."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The ends that a question is about and all ways between them, what comes from the internet and is risky first."""

    ends: tuple[End, ...]
    ways: tuple[Passage, ...]

    def over(self, family: str) -> Answer:
        """What of it is of one address family."""
        ends = (it for it in self.ends if it.family == family)
        return Answer(tuple(ends), tuple(it for it in self.ways if it.family == family))

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {"ends": [it.as_json() for it in self.ends], "ways": [it.as_json() for it in self.ways]}

    @classmethod
    def of_json(cls, said: Mapping[str, Any]) -> Answer:
        """Read it back."""
        return cls(tuple(map(End.of_json, said["ends"])), tuple(map(Passage.of_json, said["ways"])))
