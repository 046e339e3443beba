"""How long all of reachability takes to work out, and what it costs that there are more instances of the same kinds.

The whole matrix is every two classes of ends between which something may pass, exactly, from nothing but the world:
what a review asks for. CPU time of this process; each repetition is of a world of other names, so that nothing is left
over from an earlier one. The ratio is of worlds with the same groups and rules, and ten or a hundred times as many
instances: what is worked out is for classes, and only gathering these looks at each port.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from bench.report import Figure, Relation, Target
from bench.worlds import PORTS_PER_GROUP, estate
from ringfence import garbage
from ringfence.analysis.reach.reach import Reach
from ringfence.model.world import World

_WHOLE = 10.0
"""Seconds that the whole of it may take."""
_GROWTH = 1.3


@dataclass(frozen=True, slots=True)
class ReachCase:
    """How much to measure: the instances of the large estate, ten to a group; and how many there are of few groups."""

    instances: int
    growing: tuple[int, ...]
    groups: int
    rounds: int


def measure_reaching(case: ReachCase) -> list[Figure]:
    """The time of a whole matrix in seconds, and how it grows with the instances of the same groups."""
    groups = case.instances // PORTS_PER_GROUP
    whole = [_matrix(estate(case.instances, edition)) for edition in range(case.rounds)]
    figures = [
        Figure.of(
            f"whole reachability of {case.instances:,} instances in {groups:,} groups, seconds",
            [took for took, _ in whole],
            f"{whole[0][1]:,} ways, cold",
            Target(Relation.AT_MOST, _WHOLE),
        )
    ]
    sizes = {size: [_matrix(estate(size, it, case.groups)) for it in range(case.rounds)] for size in case.growing}
    least = median(took for took, _ in sizes[case.growing[0]])
    return figures + [_growth(case, size, measured, least) for size, measured in [*sizes.items()][1:]]


def _matrix(world: World) -> tuple[float, int]:
    """The time of a whole matrix, and how many ways are in it."""
    gc.collect()
    with garbage.paused():
        began = time.process_time()
        ways = Reach(world).matrix()
        return time.process_time() - began, len(ways)


def _growth(case: ReachCase, size: int, measured: Sequence[tuple[float, int]], least: float) -> Figure:
    first = case.growing[0]
    return Figure.of(
        f"whole reachability, {size:,} over {first:,} instances of the same {case.groups:,} groups",
        [took / least for took, _ in measured],
        f"{median(took for took, _ in measured):.2f} s / {least:.2f} s, {measured[0][1]:,} ways",
        Target(Relation.AT_MOST, _GROWTH),
    )
