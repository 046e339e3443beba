"""The smallest fix of a denied flow: how long the search for it takes, and how long with all that it does besides.

The world is kept ready, as a server keeps it; there is no promise about it, so the figures have no target.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from bench.report import Figure
from bench.worlds import estate
from ringfence.analysis.difference.difference import Differ
from ringfence.analysis.fix.fixes import EFFORT, fixes
from ringfence.model.flow import Query

_QUERIES = (
    "vm-0-5 -> vm-0-9 tcp/3306",
    "vm-0-20 -> vm-0-40 tcp/22 over ipv6",
    "vm-0-50 -> vm-0-59 udp/53",
    "198.51.100.9 -> vm-0-77 tcp/22",
    "198.51.100.9 -> vm-0-78 udp/53",
)


@dataclass(frozen=True)
class FixCase:
    """How many instances the world has."""

    instances: int


def measure_fixing(case: FixCase) -> list[Figure]:
    """Each question twice: the search alone, and with the weighing of what it has found."""
    world = estate(case.instances).persistent()
    ready = Differ(world)
    ready.prepare()
    took: dict[int, list[float]] = {0: [], EFFORT: []}
    for query in map(Query.parse, _QUERIES):
        flow = world.flow(query)
        for effort, times in took.items():
            began = time.perf_counter()
            found = fixes(world, flow, effort=effort, about=ready)
            times.append(time.perf_counter() - began)
            assert found.all or found.verdict.allowed, query  # few instances are in few groups
    basis = f"{len(_QUERIES)} flows, {case.instances} instances"
    return [
        Figure.of("fixes found, over a second", took[0], basis),
        Figure.of("fixes found and weighed, over a second", took[EFFORT], basis),
    ]
