"""Time to compile a world, over the time that loading the result takes.

Compiling is everything from a World to the text of one transaction: plan, table, commands. Loading is libnftables
reading that text and the kernel committing it into an empty namespace. Both run in this process, in turns; every
repetition compiles a world of other names, so that no cache of an earlier one helps. Times are CPU time of this
process, the kernel's work for it included: neither waits for anything but a CPU, and others may have that at the time.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple

from bench.report import Figure, Relation, Target
from bench.track import namespaces, require_root
from bench.worlds import VPC, estate
from ringfence import garbage
from ringfence.backends.nftables.library import Nft
from ringfence.backends.nftables.render import render
from ringfence.backends.nftables.ruleset import Ruleset, difference
from ringfence.compile.compiler import compile_world
from ringfence.model.world import World

_TABLE = "ringfence"
_NO_FASTER = 1.1
"""Growth that counts as no faster than the input: larger worlds miss the processor's caches more often."""


@dataclass(frozen=True, slots=True)
class CompileCase:
    """How much to measure: ports of the small and the large world, and how often each."""

    ports: tuple[int, int]
    repetitions: tuple[int, int]


class Times(NamedTuple):
    """CPU seconds of one repetition."""

    compiling: float
    loading: float


def measure_compiling(case: CompileCase) -> list[Figure]:
    """Measure both worlds; raises `NotRoot`."""
    require_root()
    times = [
        [_measure(estate(ports, edition)) for edition in range(count)]
        for ports, count in zip(case.ports, case.repetitions, strict=True)
    ]
    figures = [_over_load(ports, measured) for ports, measured in zip(case.ports, times, strict=True)]
    return [*figures, _growth(case, *times)]


def commands(world: World) -> str:
    """The transaction that enforces a world in an empty namespace."""
    ruleset = render(compile_world(world).vpcs[VPC])
    return "\n".join([f"add table inet {_TABLE}", *difference(_TABLE, Ruleset(), ruleset)])


def _measure(world: World) -> Times:
    gc.collect()
    began = time.process_time()
    with garbage.paused():
        text = commands(world)
    compiling = time.process_time() - began
    with namespaces("load") as (namespace,):
        nft = Nft(namespace)
        try:
            began = time.process_time()
            nft.run(text)
            return Times(compiling, time.process_time() - began)
        finally:
            nft.close()


def _over_load(ports: int, times: Sequence[Times]) -> Figure:
    middle = Times(*(median(column) for column in zip(*times, strict=True)))
    return Figure.of(
        f"compile time over load time, {ports:,} ports",
        [one.compiling / one.loading for one in times],
        f"{middle.compiling:.2f} s / {middle.loading:.2f} s",
        Target(Relation.AT_MOST, 3),
    )


def _growth(case: CompileCase, small: Sequence[Times], large: Sequence[Times]) -> Figure:
    few, many = case.ports
    base = median(one.compiling for one in small)
    return Figure.of(
        f"compile time, {many:,} over {few:,} ports, over their {many / few:g}",
        [one.compiling / base / (many / few) for one in large],
        f"{median(one.compiling for one in large):.2f} s / {base:.2f} s / {many / few:g}",
        Target(Relation.AT_MOST, _NO_FASTER),
    )
