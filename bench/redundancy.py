"""Time to lint and to tidy one group, of which hundreds of rules are needless: CPU seconds of this process, no ratio.

The shapes are what groups look like, and one that is as mean as a group can be: prefixes of every length, random port
ranges, groups, and both actions at all priorities, so that nearly every rule overlaps hundreds of others.
"""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

from bench.report import Figure, Relation, Target
from ringfence.analysis.lint.registry import lint
from ringfence.analysis.rules.tidy import tidied
from ringfence.model.address import Family, Prefix
from ringfence.model.group import SecurityGroup
from ringfence.model.profile import HUAWEI
from ringfence.model.rule import Rule
from ringfence.model.world import World, by_name

_LINT_SECONDS, _TIDY_SECONDS = 2.0, 5.0
_CROWD = "crowded"
Found = TypeVar("Found")
_SERVICES = ("tcp 22", "tcp 80,443", "tcp 3306", "tcp 8080-8090", "udp 53", "icmp", "tcp 1024-65535", "all")


@dataclass(frozen=True, slots=True)
class RedundancyCase:
    """How many rules the group has, and how often each shape is measured, each time with other rules."""

    rules: int
    rounds: int


def offices(chance: random.Random) -> str:
    """Services for small prefixes and for groups."""
    block = Prefix(Family.IPV4, 10 << 24 | chance.randrange(4096) << 8, 24)
    remote = chance.choice([str(block)] * 3 + [f"group g{chance.randrange(20)}"])
    return f"in allow {chance.choice(_SERVICES[:-1])} from {remote} priority {chance.choice([1, 10])}"


def anybody(chance: random.Random) -> str:
    """Single ports for everybody."""
    return f"in {_action(chance)} {chance.choice(['tcp', 'udp'])} {_ports(chance, 8)} from any"


def layered(chance: random.Random) -> str:
    """Exceptions from exceptions: prefixes within prefixes, allowed and denied by turns."""
    length = chance.choice([8, 12, 16, 20, 24, 28])
    block = _prefix(10 << 24 | chance.randrange(1 << 20) << 4, length)
    return f"in {_action(chance)} {chance.choice(_SERVICES)} from {block} priority {100 - 3 * length}".replace(
        "icmp", "gre"
    )


def mean(chance: random.Random) -> str:
    """All lengths from /4 on, all ports, all priorities."""
    block = _prefix(chance.getrandbits(32), chance.randint(4, 32))
    remote = chance.choice([str(block)] * 4 + [f"group g{chance.randrange(8)}"])
    what = f"{chance.choice(['tcp', 'udp'])} {_ports(chance, 65535)}"
    return f"in {_action(chance)} {what} from {remote} priority {chance.randint(1, 100)}"


def mixed(chance: random.Random) -> str:
    """Port ranges for everybody beside those for prefixes of all lengths, so that hundreds are about any address."""
    remote = chance.choice(["any", str(_prefix(chance.getrandbits(32), chance.randint(4, 32)))])
    return f"in {_action(chance)} tcp {_ports(chance, 3000)} from {remote} priority {chance.randint(1, 100)}"


Shape = Callable[[random.Random], str]
SHAPES: tuple[Shape, ...] = (offices, anybody, layered, mean, mixed)


def measure_redundancy(case: RedundancyCase) -> list[Figure]:
    """Measure every shape; of tidying, the one that takes longest is told."""
    return [*(_linting(case, shape) for shape in SHAPES), max(_tidying(case), key=lambda figure: figure.value)]


def _linting(case: RedundancyCase, shape: Shape) -> Figure:
    name = f"seconds to lint one group of {case.rules}: {shape.__name__}"
    times, found = _measured(case, shape, lint)
    return Figure.of(name, times, f"CPU; {len(found)} findings", Target(Relation.AT_MOST, _LINT_SECONDS))


def _tidying(case: RedundancyCase) -> Iterator[Figure]:
    name = f"seconds to tidy one group of {case.rules}: the worst shape"
    for shape in SHAPES:
        times, found = _measured(case, shape, lambda world: tidied(world, world.groups[_CROWD]))
        basis = f"CPU; {shape.__name__}, {len(found.after.rules)} rules are left"
        yield Figure.of(name, times, basis, Target(Relation.AT_MOST, _TIDY_SECONDS))


def _measured(case: RedundancyCase, shape: Shape, work: Callable[[World], Found]) -> tuple[list[float], Found]:
    """CPU seconds of each round, and what the last one found."""
    times = []
    for edition in range(case.rounds):
        world = world_of(shape, case.rules, edition)
        gc.collect()
        began = time.process_time()
        found = work(world)
        times.append(time.process_time() - began)
    return times, found


def world_of(shape: Callable[[random.Random], str], count: int, edition: int) -> World:
    """A group of so many different rules of one shape, among the groups that they name."""
    chance, rules = random.Random(edition), dict[str, Rule]()
    while len(rules) < count:
        rule = Rule.parse(shape(chance))
        rules[rule.key] = rule
    crowd = SecurityGroup(_CROWD, tuple(rules.values()))
    return World(
        replace(HUAWEI, rules_per_group=10 * count),
        groups=by_name([crowd, *(SecurityGroup(f"g{number}") for number in range(20))]),
    )


def _action(chance: random.Random) -> str:
    return chance.choice(["allow", "deny"])


def _ports(chance: random.Random, longest: int) -> str:
    first = chance.randint(1, 65535)
    return f"{first}-{min(65535, first + chance.randrange(longest))}"


def _prefix(address: int, length: int) -> Prefix:
    rest = Family.IPV4.bits - length
    return Prefix(Family.IPV4, address >> rest << rest, length)
