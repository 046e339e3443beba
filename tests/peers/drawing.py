"""Small random worlds over six ports, quick to compile: for tests that go through many of them."""

from __future__ import annotations

import random
from dataclasses import replace

from ringfence.model.profile import HUAWEI
from ringfence.model.topology import Instance
from ringfence.model.world import World, by_name
from tests.peers.asking import with_groups
from tests.policy.build import build

GROUPS = [f"g{number}" for number in range(6)]
SIX = build(
    HUAWEI,
    "; ".join(f"{name}: {group}" for name, group in zip("abcdef", GROUPS, strict=True)),
    dict.fromkeys(GROUPS, ""),
)
"""Instances a to f, each in a group of its own, which has no rules."""


def joined(chance: random.Random, world: World) -> World:
    """Every port in some of the groups."""
    made = (
        Instance(
            name, tuple(replace(port, groups=tuple(chance.sample(GROUPS, chance.randint(1, 3)))) for port in it.ports)
        )
        for name, it in world.instances.items()
    )
    return replace(world, instances=by_name(made))


def draw(chance: random.Random) -> World:
    """A policy with layers that are absent, few and many boxes deep, and references between groups that come and go."""

    def rule(number: int) -> str:
        way, of = chance.choice([("in", "from"), ("out", "to")])
        remote = chance.choice(["any", "10.0.0.0/28", "fd00::/124", f"group {chance.choice(GROUPS)}"])
        action = chance.choice(["allow", "allow", "deny"])
        ports = chance.choice(["udp 1-5", f"udp {number + 1}", "all"])
        return f"{way} {action} {ports} {of} {remote} priority {chance.randint(1, 50)}"

    sizes = {group: chance.choice([0, 1, 5, 12, 30]) for group in GROUPS}
    groups = {group: dict.fromkeys(rule(number) for number in range(size)) for group, size in sizes.items()}
    return joined(chance, with_groups(SIX, groups))
