"""The search for the smallest fixes: by size, over the edits that may turn a denial, judged by the evaluator alone.

Whatever turns a denied flow turns each stage that denies it. So it is enough to look, at one stage that denies, at the
edits that may have a part in turning that stage, and to go on from each; which stage that is does not matter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from ringfence.analysis.fix.asked import Asked
from ringfence.analysis.fix.edges import Edge
from ringfence.analysis.fix.edits import Edit
from ringfence.analysis.fix.exposing import exposes
from ringfence.analysis.fix.gates import Gate
from ringfence.analysis.fix.ways import AddPeering, LiftPenalty
from ringfence.model.flow import Flow
from ringfence.model.rule import Action, Direction
from ringfence.model.validation import Problem, problems, tenant_edit_problems
from ringfence.model.world import World
from ringfence.policy.platform import penalty_of
from ringfence.policy.verdict import Stage, Step

LARGEST = 8
"""So many edits a fix may have at most."""
LISTED = 256
"""So many fixes of one size are found at most."""
TRIED = 6000
"""So many edits are tried at most, each by judging the flow once more."""

May = Callable[[Edit], bool]
"""Whether whoever asks may make an edit."""
Path = tuple[Edit, ...]
_GATES = {Stage.EGRESS: Direction.EGRESS, Stage.INGRESS: Direction.INGRESS}
_EDGES = (Stage.ACL_EGRESS, Stage.ACL_INGRESS, Stage.PEERING, Stage.BORDER)


class Search:
    """Finds the smallest fixes of one flow in one world."""

    def __init__(self, world: World, flow: Flow, may: May) -> None:
        self.start = Asked(world.persistent(), flow)
        self._flow, self._may = flow, may
        self._known: dict[frozenset[Edit], Asked | None] = {frozenset(): self.start}
        self.refused: dict[Edit, Problem] = {}
        """What the world would not be valid with."""
        self.withheld: dict[Path, Asked] = {}
        """What would let the flow pass, but by letting in anybody: see `exposes`."""
        self.is_whole = True
        """Whether nothing was left out for being too much."""
        self._tries = 0

    def smallest(self) -> list[tuple[Path, Asked]]:
        """Every fix of the smallest size there is; none if there is none."""
        for size in range(1, LARGEST + 1):
            found = _Sized(self, size).found
            if found or not self.is_whole:
                return found
        return []

    def outcome(self, at: Asked, path: Path, edit: Edit) -> Asked | None:
        """What becomes of the flow with one edit more; None if it may not be made."""
        key = frozenset((*path, edit))
        if key not in self._known:
            self._known[key] = self._tried(at, edit)
        return self._known[key]

    def _tried(self, at: Asked, edit: Edit) -> Asked | None:
        if self._tries == TRIED:
            self.is_whole = False
            return None
        self._tries += 1
        if not self._may(edit):
            return None
        after = edit.applied(at.world)
        problem = next(iter(problems(after, edit.touched)), None)
        problem = problem or next(iter(tenant_edit_problems(at.world, after, edit.touched)), None)
        if problem:
            self.refused[edit] = problem
            return None
        return Asked(after, self._flow)

    def candidates(self, at: Asked, path: Path, step: Step, *, is_back: bool) -> list[Edit]:
        """Every edit that may have a part in turning a step, those that are preferred first."""
        found = dict.fromkeys(self._candidates(at, path, step, is_back=is_back))
        return sorted((it for it in found if it not in path), key=lambda it: it.order)

    def _candidates(self, at: Asked, path: Path, step: Step, *, is_back: bool) -> Iterator[Edit]:
        if step.stage in _GATES:
            works = partial(self._turns, at, path, step)
            return Gate(at, step, _GATES[step.stage], works).candidates()
        if step.stage in _EDGES:
            return Edge(at, step, is_back).candidates()
        return iter(_peerings(at) if step.stage is Stage.ROUTE else _penalties(at, step))

    def _turns(self, at: Asked, path: Path, step: Step, edit: Edit) -> bool:
        after = self.outcome(at, path, edit)
        return after is not None and any(
            it.stage is step.stage and it.action is Action.ALLOW for it in after.verdict.steps
        )


def _peerings(at: Asked) -> Iterator[Edit]:
    ends = (at.flow.source, at.flow.destination)
    one, two = sorted(port.vpc if (port := at.port(end)) else end.vpc for end in ends)
    if one and two and one != two:
        name, number = f"{one}-{two}", 1
        while name in at.world.peerings:
            number += 1
            name = f"{one}-{two}-{number}"
        yield AddPeering(name, (one, two))


def _penalties(at: Asked, step: Step) -> Iterator[Edit]:
    found = penalty_of(at.world, step.port) if step.port else None
    if found:
        yield LiftPenalty(found.target)


class _Sized:
    """The fixes of one size."""

    def __init__(self, search: Search, size: int) -> None:
        self._search, self._size = search, size
        self._seen: set[frozenset[Edit]] = set()
        self.found: list[tuple[Path, Asked]] = []
        self._go_on(search.start, ())

    def _go_on(self, at: Asked, path: Path) -> None:
        key = frozenset(path)
        if key in self._seen:
            return
        if len(self.found) == LISTED:
            self._search.is_whole = False
            return
        self._seen.add(key)
        if at.verdict.allowed:
            if exposes(self._search.start, at):
                self._search.withheld[path] = at
            else:
                self.found.append((path, at))
            return
        for edit in self._next(at, path):
            after = self._search.outcome(at, path, edit)
            if after:
                self._go_on(after, (*path, edit))

    def _next(self, at: Asked, path: Path) -> Sequence[Edit]:
        """The edits to go on with: those for one of the stages that deny, if so few may still turn all of them."""
        left = self._size - len(path)
        if not left:
            return ()
        each = [self._search.candidates(at, path, step, is_back=back) for step, back in denials(at)]
        if left == 1:
            return [edit for edit in each[0] if all(edit in other for other in each[1:])]
        return min(each, key=len) if left >= _at_least(each) else ()


def denials(asked: Asked) -> list[tuple[Step, bool]]:
    """The steps that deny, each with whether it judges the answer. Behind a way that is not there, nobody was asked."""
    steps = [*((step, False) for step in asked.verdict.steps), *((step, True) for step in asked.verdict.back)]
    return [(step, back) for step, back in steps if step.action is Action.DENY]


def _at_least(stages: Sequence[Sequence[Edit]]) -> int:
    """No fewer edits turn all of some stages: one turns as many as it is among the candidates of."""
    if not all(stages):
        return LARGEST + 1  # no number of edits does
    often = max(Counter(edit for each in stages for edit in each).values())
    return -(-len(stages) // often)
