"""Time to lint a world, and how it grows: all checks from a cold start, in CPU time of this process.

Nothing is sent and no root is needed. The estate is measured as it stands, and once more with rules in each group that
others make needless, so that there is something to find and to prove.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from statistics import median

from bench.report import Figure, Relation, Target
from bench.worlds import estate
from ringfence.analysis.lint.fixing import fixed_throughout
from ringfence.analysis.lint.registry import lint
from ringfence.model.group import SecurityGroup
from ringfence.model.rule import Rule
from ringfence.model.world import World, by_name

_NEEDLESS = ("in allow tcp 443 from 10.8.0.0/16 priority 2", "in deny tcp 80 from 10.7.0.0/16 priority 3")


@dataclass(frozen=True, slots=True)
class LintCase:
    """Ports of the small and the large estate (a tenth as many groups), and how often each."""

    ports: tuple[int, int]
    rounds: int


def measure_linting(case: LintCase) -> list[Figure]:
    """Measure both estates."""
    few, many = case.ports
    small, large = ([_seconds(lint, _littered(ports)) for _ in range(case.rounds)] for ports in case.ports)
    fixing = [_seconds(_fixed, _littered(many)) for _ in range(case.rounds)]
    base = median(small) * many / few
    return [
        Figure.of(
            f"lint, {many:,} over {few:,} instances, over their {many / few:g}",
            [seconds / base for seconds in large],
            f"{median(large):.1f} s / {median(small):.2f} s / {many / few:g}",
            Target(Relation.AT_MOST, 1.3),
        ),
        Figure.of(
            f"lint --fix with its proof over lint, {many:,} instances",
            [seconds / median(large) for seconds in fixing],
            f"{median(fixing):.1f} s / {median(large):.1f} s",
        ),
    ]


def _littered(ports: int) -> World:
    """The estate with two needless rules more in every group."""
    world = estate(ports)
    more = tuple(map(Rule.parse, _NEEDLESS))

    def with_more(group: SecurityGroup) -> SecurityGroup:
        return replace(group, rules=(*group.rules, *more))

    return replace(world, groups=by_name(map(with_more, world.groups.values())))


def _fixed(world: World) -> object:
    return fixed_throughout(world, lambda _: True)


def _seconds(work: Callable[[World], object], world: World) -> float:
    gc.collect()
    began = time.process_time()
    work(world)
    return time.process_time() - began
