"""`fixes`: the smallest change that makes a flow pass, and every other one of its size."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from ringfence.analysis.fix.asked import Asked
from ringfence.analysis.fix.edits import Edit
from ringfence.analysis.fix.search import May, Search
from ringfence.model.flow import Flow
from ringfence.model.world import World
from ringfence.policy.verdict import Verdict


@dataclass(frozen=True)
class Fix:
    """Edits that together make a flow pass, to be made in this order."""

    edits: tuple[Edit, ...]
    before: World = field(repr=False)
    after: World = field(repr=False)

    @property
    def commands(self) -> tuple[str, ...]:
        """The commands that make them."""
        return tuple(each for edit in self.edits for each in edit.commands)

    def __str__(self) -> str:
        return "; ".join(map(str, self.edits))


@dataclass(frozen=True)
class Fixes:
    """What would make a flow pass. ``all`` are the smallest fixes, the best first; ``obstacles`` what none mends."""

    verdict: Verdict
    all: tuple[Fix, ...] = ()
    is_whole: bool = True
    refused: tuple[str, ...] = ()

    @cached_property
    def smallest(self) -> Fix | None:
        """The best."""
        return self.all[0] if self.all else None


def everything(edit: Edit) -> bool:
    """Anybody may make any edit."""
    return True


def fixes(world: World, flow: Flow, may: May = everything) -> Fixes:
    """The smallest fixes of a flow. ``may`` says which edits whoever asks may make."""
    search = Search(world, flow, may)
    verdict = search.start.verdict
    if verdict.allowed:
        return Fixes(verdict)
    found = [Fix(path, search.start.world, at.world) for path, at in _apart(search.smallest())]
    return Fixes(verdict, tuple(found), search.is_whole)


def _apart(found: Iterable[tuple[tuple[Edit, ...], Asked]]) -> list[tuple[tuple[Edit, ...], Asked]]:
    """Without those that lead to a world that another one leads to: some edits may be made in either order."""
    kept: list[tuple[tuple[Edit, ...], Asked]] = []
    known: dict[frozenset[tuple[str, str]], list[list[object]]] = {}
    for path, at in found:
        things = sorted({edit.thing for edit in path})
        left = [getattr(at.world, section).get(name) for section, name in things]
        same = known.setdefault(frozenset(things), [])
        if left not in same:
            same.append(left)
            kept.append((path, at))
    return kept
