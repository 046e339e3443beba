"""Cells put together into edges: what the same nodes may use of several others is drawn once."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from ringfence.analysis.picture.folding import Line, Scene
from ringfence.analysis.reach.answer import Grade, Kind

Lines = tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Edge:
    """Services that each of some nodes may use of each of some *other* nodes."""

    sources: tuple[int, ...]
    destinations: tuple[int, ...]
    lines: Lines

    @property
    def pairs(self) -> set[tuple[int, int]]:
        """The cells that it stands for."""
        return {(one, two) for one in self.sources for two in self.destinations if one != two}

    @property
    def grade(self) -> Grade:
        """The highest of its lines'."""
        return max((line.grade for line in self.lines), key=lambda it: it.rank)


def loops(scene: Scene) -> dict[int, Lines]:
    """What the ends of a node may use of each other."""
    return {one: lines for (one, two), lines in scene.cells.items() if one == two}


def edges(scene: Scene) -> list[Edge]:
    """All that passes between two nodes; what comes from the internet apart from the rest."""
    inward: dict[tuple[int, Lines, bool], set[int]] = defaultdict(set)
    for (one, two), lines in scene.cells.items():
        if one != two:
            inward[two, lines, scene.nodes[one].kind is Kind.INTERNET].add(one)
    columns = {key: frozenset(sources) for key, sources in inward.items()}
    return sorted(_joined(columns), key=lambda it: (it.sources, it.destinations, it.lines))


def _joined(columns: Mapping[tuple[int, Lines, bool], frozenset[int]]) -> list[Edge]:
    """Columns with the same sources in one edge, or with the same but for themselves: so all that is mutual is one."""
    plain = Counter((lines, sources) for (_, lines, _), sources in columns.items())
    mutual = Counter((lines, sources | {to}) for (to, lines, _), sources in columns.items())
    found: dict[tuple[Lines, frozenset[int], bool], list[int]] = defaultdict(list)
    for (to, lines, _), sources in columns.items():
        is_mutual = mutual[lines, sources | {to}] > plain[lines, sources]
        found[lines, sources | {to} if is_mutual else sources, is_mutual].append(to)
    return [Edge(tuple(sorted(sources)), tuple(sorted(to)), lines) for (lines, sources, _), to in found.items()]
