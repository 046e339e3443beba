"""How long one ``why`` takes in a large world: verdict, every blocker, what comes near, told as text.

With the smallest fix, which is only told where it is asked for, there is no promise.

The world is there and its indexes are warm, as in a server or a lab; decision lists are put in order anew for each
question, so that it costs what the first question about its groups costs. Times are CPU time of this process.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bench.report import Figure, Relation, Target
from bench.worlds import estate
from ringfence.analysis.fix.brief import Brief
from ringfence.analysis.why.diagnosis import diagnose
from ringfence.analysis.why.telling import explain
from ringfence.model.flow import Flow, Query
from ringfence.model.world import World

_SERVICES = ("tcp/5432", "tcp/9999", "udp/8001", "tcp/22", "icmp", "tcp/443")
"""What some rules allow, from somebody else; what none allows; what many allow."""
_FIXES = 30
"""Of so many questions the smallest fix is asked for as well."""


@dataclass(frozen=True, slots=True)
class WhyCase:
    """How many instances the world has (a tenth as many groups), and how many questions are asked."""

    instances: int
    questions: int


def measure_why(case: WhyCase) -> list[Figure]:
    """Measure one question after the other; nothing is needed of the kernel."""
    world = estate(case.instances)
    flows = list(_flows(world, case))
    diagnose(world, flows[0])  # which makes the world's indexes
    gc.collect()
    samples = [_milliseconds(world, flow) for flow in flows]
    basis = f"{case.questions} questions, {len(world.instances):,} instances, {len(world.groups):,} groups, fresh lists"
    target = Target(Relation.AT_MOST, 20)
    ordered = sorted(samples)
    slowest = Figure(
        "slowest of them, milliseconds", ordered[-1], ordered[len(ordered) // 2], ordered[-1], basis, target
    )
    asked = flows[:: max(1, len(flows) // _FIXES)]
    fixed = [_milliseconds(world, flow, Brief.of) for flow in asked]
    with_fix = Figure.of("one why with the smallest fix, milliseconds", fixed, f"{len(asked)} of them")
    return [Figure.of("one why, milliseconds", samples, basis, target), slowest, with_fix]


def _flows(world: World, case: WhyCase) -> Iterator[Flow]:
    """Questions from all over the world, over both families, from the outside too; most of them are denied."""
    for number in range(case.questions):
        one, two = (f"vm-0-{(number * step + 1) % case.instances}" for step in (7919, 104_729))
        over = " over ipv6" if number % 3 == 2 else ""
        outside = "2001:db8::9" if over else "203.0.113.9"
        source = outside if number % 4 == 3 or one == two else one
        yield world.flow(Query.parse(f"{source} -> {two} {_SERVICES[number % len(_SERVICES)]}{over}"))


def _milliseconds(world: World, flow: Flow, fix: Callable[[World, Flow], Brief] | None = None) -> float:
    began = time.process_time()
    explain(diagnose(world, flow).as_json() | (fix(world, flow).as_json() if fix else {}))
    return (time.process_time() - began) * 1000
