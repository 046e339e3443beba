"""`fixes`: the smallest change that makes a flow pass, and every other one of its size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, reduce

from ringfence.analysis.difference.difference import Differ
from ringfence.analysis.fix.asked import Asked
from ringfence.analysis.fix.consequence import Consequence, consequence
from ringfence.analysis.fix.edits import Edit
from ringfence.analysis.fix.obstacles import Obstacle, obstacles, silence
from ringfence.analysis.fix.search import May, Search
from ringfence.analysis.fix.ways import AddPeering
from ringfence.model.flow import Flow
from ringfence.model.validation import Problem
from ringfence.model.world import World
from ringfence.policy.verdict import Verdict

Found = list[tuple[tuple[Edit, ...], Asked]]
EFFORT = 48
"""Of so many fixes of one size it is worked out what else they do, unless somebody says otherwise."""


@dataclass(frozen=True)
class Fix:
    """Edits that together make a flow pass, to be made in this order. ``differ`` has the world that they are of."""

    edits: tuple[Edit, ...]
    differ: Differ = field(repr=False, compare=False)

    @cached_property
    def after(self) -> World:
        """The world that they lead to."""
        return reduce(lambda world, edit: edit.applied(world), self.edits, self.differ.before)

    @cached_property
    def consequence(self) -> Consequence:
        """What else they do. Worked out when somebody asks."""
        return consequence(self.differ, self.after, self.edits)

    @property
    def commands(self) -> tuple[str, ...]:
        """The commands that make them."""
        return tuple(each for edit in self.edits for each in edit.commands)

    def as_json(self, *, full: bool = False) -> dict[str, object]:
        """For programs; in ``full`` with all that they do."""
        told: dict[str, object] = {"edits": list(map(str, self.edits)), "commands": list(self.commands)}
        return told | self.consequence.as_json() if full else told

    def __str__(self) -> str:
        return "; ".join(map(str, self.edits))


@dataclass(frozen=True)
class Fixes:
    """What would make a flow pass.

    ``all`` are the smallest fixes, the best first. ``withheld`` are others as small or smaller, or the only ones,
    that are not proposed since they would let in anybody. Where there is no fix, ``obstacles`` and ``refused`` (edits
    that the world would not be valid with) say why. ``silence`` is told of a server that does not listen, fixed or not.
    """

    verdict: Verdict
    """Of the flow as it is."""
    all: tuple[Fix, ...] = ()
    withheld: tuple[Fix, ...] = ()
    obstacles: tuple[Obstacle, ...] = ()
    refused: tuple[Obstacle, ...] = ()
    silence: Obstacle | None = None
    is_whole: bool = True
    """Whether nothing was left out for being too much."""
    weighed: int = 0
    """Of how many, the first ones, it was worked out what else they do."""

    @cached_property
    def smallest(self) -> Fix | None:
        """The best."""
        return self.all[0] if self.all else None

    def as_json(self, *, everything: bool = False) -> dict[str, object]:
        """For programs: the best first, with all that each does if it was weighed, or ``everything`` is to be told."""
        full = len(self.all) if everything else self.weighed
        return {
            "flow": str(self.verdict.flow),
            "verdict": str(self.verdict.action),
            "fixes": [it.as_json(full=number < full) for number, it in enumerate(self.all)],
            "withheld": [it.as_json() for it in self.withheld],
            "obstacles": [it.as_json() for it in self.obstacles],
            "refused": [it.as_json() for it in self.refused],
            "silence": self.silence.as_json() if self.silence else None,
            "whole": self.is_whole,
        }


def everything(edit: Edit) -> bool:
    """Anybody may make any edit."""
    return True


def fixes(world: World, flow: Flow, may: May = everything, effort: int = EFFORT, about: Differ | None = None) -> Fixes:
    """The smallest fixes of a flow. ``may`` says which edits whoever asks may make.

    The best is found among as many as ``effort`` goes, in the order of preference: what else each does is to be worked
    out, of the world of ``about`` where that is another one: who may not see all of ``world`` may see that one.
    """
    search = Search(world, flow, may)
    start = search.start
    known = Fixes(start.verdict, silence=silence(start))
    if known.verdict.allowed:
        return known
    if there := obstacles(start):
        return replace(known, obstacles=there)
    smallest = _apart(search.smallest())
    differ = about or Differ(start.world)
    ranked, weighed = _ranked([Fix(path, differ) for path, _ in smallest], effort)
    return replace(
        known,
        all=tuple(ranked),
        weighed=weighed,
        withheld=tuple(Fix(path, differ) for path in _withheld(search, smallest)),
        refused=() if smallest else tuple(_refusals(search.refused)),
        is_whole=search.is_whole,
    )


def _withheld(search: Search, found: Found) -> Iterator[tuple[Edit, ...]]:
    """Fixes that let in anybody, where they are no larger than those that do not: the smallest of them."""
    size = min(map(len, search.withheld), default=0)
    if not found or size <= len(found[0][0]):
        smallest = [(path, at) for path, at in search.withheld.items() if len(path) == size]
        yield from (path for path, _ in _apart(smallest))


def _refusals(refused: Mapping[Edit, Problem]) -> Iterator[Obstacle]:
    """Why edits may not be made: of a way that cannot be, that alone, since nothing else helps without it."""
    ways = {edit: problem for edit, problem in refused.items() if isinstance(edit, AddPeering)}
    for edit, problem in (ways or refused).items():
        yield Obstacle(f"{edit}: {problem.what}", problem.right)


def _ranked(found: list[Fix], effort: int) -> tuple[list[Fix], int]:
    """The best first, as far as the effort goes: what closes nothing, breaks no expectation, opens the least.

    The rest, and what is as good, in the order of preference. With the number of those that were weighed.
    """
    preferred = sorted(found, key=lambda fix: [edit.order for edit in fix.edits])
    weighed, others = preferred[:effort], preferred[effort:]
    return [*sorted(weighed, key=lambda fix: fix.consequence.weight), *others], len(weighed)


def _apart(found: Found) -> Found:
    """Without those that lead to a world that another one leads to: some edits may be made in either order."""
    kept: Found = []
    known: dict[frozenset[tuple[str, str]], list[list[object]]] = {}
    for path, at in found:
        things = sorted({edit.thing for edit in path})
        left = [getattr(at.world, section).get(name) for section, name in things]
        same = known.setdefault(frozenset(things), [])
        if left not in same:
            same.append(left)
            kept.append((path, at))
    return kept
