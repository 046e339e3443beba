"""What a fix does besides: the flows it opens and closes, the live connections it cuts, the expectations it breaks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ringfence.analysis.difference.difference import Differ, Difference
from ringfence.analysis.difference.telling import FlowChange
from ringfence.analysis.fix.edits import Edit
from ringfence.analysis.sets.diagram import Diagram
from ringfence.analysis.sets.packets import PORTS, PROTOCOL, PROTOCOLS, SOURCE_PORT
from ringfence.errors import UnknownName
from ringfence.model.flow import Expectation
from ringfence.model.world import World
from ringfence.policy.change import Change
from ringfence.policy.evaluate import Policy


@dataclass(frozen=True)
class Consequence:
    """What a change does. ``difference`` has the flows that turn and the connections that die, exactly."""

    difference: Difference
    breaks: tuple[Expectation, ...]
    """Expectations that held before and do not hold after."""

    @property
    def weight(self) -> tuple[int, int, int]:
        """The less of these, the better: flows closed, expectations broken, flows opened."""
        return _volume_of(self.difference.denied), len(self.breaks), _volume_of(self.difference.allowed)

    def as_json(self) -> dict[str, object]:
        """For programs."""
        found = self.difference
        kinds = (("opens", found.allowed), ("closes", found.denied), ("cuts", found.endings))
        told = {name: [it.as_json() for it in each] for name, each in kinds}
        return {**told, "breaks": list(map(str, self.breaks))}


def consequence(differ: Differ, after: World, edits: Iterable[Edit]) -> Consequence:
    """What some edits do to the world of ``differ``, which lead to ``after``."""
    return Consequence(differ.to(after, _change_of(edits)), tuple(_broken(differ.before, after)))


def _change_of(edits: Iterable[Edit]) -> Change:
    """What some edits change together."""
    names: dict[str, set[str]] = {}
    for edit in edits:
        section, name = edit.thing
        names.setdefault(section, set()).add(name)
    return Change(**{section: frozenset(found) for section, found in names.items()})


def _volume_of(changes: Iterable[FlowChange]) -> int:
    """How much some changes are: pairs of addresses, times services from any source port."""
    return sum(_pairs(it) * _volume(it.services.diagram) for it in changes)


def _pairs(change: FlowChange) -> int:
    sources, destinations = (sum(each.size for each in side) for side in (change.sources, change.destinations))
    return sources * destinations


def _volume(diagram: Diagram, dimension: int = PROTOCOL) -> int:
    if dimension > SOURCE_PORT or not diagram:
        return 1 if diagram else 0
    bounds = (PROTOCOLS, PORTS, PORTS)[dimension]
    spans = diagram.spans(bounds) if diagram.dimension == dimension else [(bounds, diagram)]
    return sum((last - first + 1) * _volume(inner, dimension + 1) for (first, last), inner in spans)


def _broken(before: World, after: World) -> Iterator[Expectation]:
    was, now = Policy(before), Policy(after)
    for each in before.expects:
        try:
            flow = before.flow(each.query)
        except UnknownName:  # of something that somebody else has
            continue
        if was.evaluate(flow).action is each.action and now.evaluate(flow).action is not each.action:
            yield each
