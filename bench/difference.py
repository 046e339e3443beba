"""What a change of one rule, or of one membership, changes in who reaches whom: how long the exact answer takes.

Warm, a `Differ` of the world before is kept: its classes, where their addresses lie, and what each class lets pass.
Cold, nothing is kept, and both worlds are compared from nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from bench.report import Figure, Relation, Target
from bench.worlds import estate
from ringfence.analysis.difference.difference import Differ, difference
from ringfence.model.rule import Rule
from ringfence.model.world import World

_LIMIT = 0.050
"""Seconds: what the difference of one rule may take in the world of 10,000 instances and 1,000 groups."""
_TARGET = Target(Relation.AT_MOST, 1.0)
_RULES = (
    "in allow tcp 9999 from any",
    "in allow tcp 22 from 10.1.0.0/16",
    "in allow tcp 22 from 203.0.113.0/24",
    "in allow udp 53 from group sg-7",
    "in deny tcp 443 from 10.1.7.0/24",
    "out deny tcp 8080 to any",
)
"""Added one at a time, and taken away one at a time."""


@dataclass(frozen=True)
class DifferenceCase:
    """How many instances, and how often each change is measured."""

    instances: int
    rounds: int


def measure_difference(case: DifferenceCase) -> list[Figure]:
    """A change of one rule, with a world before that is kept ready, and with one that is not."""
    before = estate(case.instances).persistent()
    some = [*_changes(before)]
    cold = [_took(partial(difference, before, after)) for after in some[:2]]
    ready = Differ(before)
    preparing = _took(ready.prepare)
    moves = [*_moves(before)]
    warm, moved = ([_took(partial(ready.to, it)) for _ in range(case.rounds) for it in each] for each in (some, moves))
    basis = f"median of {len(warm)} changes; making it ready took {preparing:.1f} s"
    joins = f"median of {len(moved)} changes"
    return [
        Figure.of("warm difference of a one-rule change over 50 ms", [it / _LIMIT for it in warm], basis, _TARGET),
        Figure.of("warm difference of a join or leave over 50 ms", [it / _LIMIT for it in moved], joins, _TARGET),
        Figure.of(
            "cold difference of a one-rule change over 50 ms", [it / _LIMIT for it in cold], f"{len(cold)} changes"
        ),
    ]


def _took(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _changes(before: World) -> Iterator[World]:
    """The world with a rule more, or a rule less, in one group after the other."""
    for number, text in enumerate(_RULES):
        group = before.groups[f"sg-{number % len(before.groups)}"]
        rules = group.rules
        yield before.edited(groups={group.name: replace(group, rules=(*rules, Rule.parse(text)))})
        yield before.edited(groups={group.name: replace(group, rules=rules[:number] + rules[number + 1 :])})


def _moves(before: World) -> Iterator[World]:
    """The world with an instance in a group more, or in another one."""
    for number, instance in enumerate([*before.instances.values()][:60:10]):
        (port,) = instance.ports
        group = f"sg-{(number + 3) % len(before.groups)}"
        for groups in ((*port.groups, group), (group, *port.groups[1:])):
            moved = replace(instance, ports=(replace(port, groups=tuple(dict.fromkeys(groups))),))
            yield before.edited(instances={instance.name: moved})
