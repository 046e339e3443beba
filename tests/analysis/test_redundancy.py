"""Needless rules of a group: exactly those without which no packet is judged otherwise, whoever is in which group."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from ringfence.analysis.rules.grid import is_plain
from ringfence.analysis.rules.needed import needs
from ringfence.analysis.rules.redundancy import Lines, effects, needless_rules
from ringfence.analysis.sets.packets import service_box
from ringfence.model.address import Address, Prefix
from ringfence.model.flow import Endpoint, Flow
from ringfence.model.profile import ALIBABA, HUAWEI
from ringfence.model.rule import Action, AddressGroupRemote, Direction, GroupRemote, Remote
from ringfence.model.service import Service
from ringfence.model.world import World
from ringfence.policy.decisions import Decision
from ringfence.worldfile.parse import parse
from tests.rules import PORTED, SOURCES
from tests.worlds import random_world

ADDRESSES = [
    [Address.parse(it) for it in ("10.0.1.11", "10.0.1.5", "10.0.2.16", "203.0.113.9", "203.0.113.30", "198.51.100.7")],
    [Address.parse(it) for it in ("fd00:10:0:1::b", "fd00:10:0:2::9", "2001:db8::9", "2001:db8:2::7", "2600::1")],
]


def matches(world: World, decision: Decision, flow: Flow, inward: bool, members: dict[str, int]) -> bool:
    """What a line says of a packet from or to somebody in some groups, without the algebra."""
    ends = (flow.source.address, flow.destination.address)
    far, near = ends if inward else ends[::-1]

    def is_side(side: Remote, address: Address) -> bool:
        if isinstance(side, GroupRemote):
            return members[side.name] > decision.own_vpc
        if isinstance(side, AddressGroupRemote):
            return any(address in entry for entry in world.address_groups[side.name].entries)
        return not isinstance(side, Prefix) or address in side

    return (
        decision.protocol.covers(flow.service.number)
        and flow.family in decision.protocol.families
        and flow.goes_to(decision.ports)
        and (not decision.source_ports or flow.comes_from(decision.source_ports))
        and is_side(decision.remote, far)
        and is_side(decision.local, near)
    )


def judge(world: World, listed: list[Decision], flow: Flow, inward: bool, members: dict[str, int]) -> Action:
    return next((it.action for it in listed if matches(world, it, flow, inward, members)), Action.DENY)


@pytest.mark.parametrize("seed", range(8))
def test_what_a_line_changes_is_what_is_judged_otherwise_without_it(seed: int) -> None:
    rng = random.Random(seed)
    world = random_world(rng, [HUAWEI, ALIBABA][seed % 2])
    for group in rng.sample(list(world.groups.values()), 4):
        for direction in Direction:
            found = list(effects(world, group, direction))
            listed, inward = [decision for decision, _ in found], direction is Direction.INGRESS
            names = sorted({it.remote.name for it in listed if isinstance(it.remote, GroupRemote)})
            for _ in range(60):
                addresses = rng.choice(ADDRESSES)
                text = rng.choice([*(f"tcp/{port}" for port in PORTED), "udp/80", "gre", "132"])
                service = Service.parse(text)
                one, two = (Endpoint(rng.choice(addresses)) for _ in range(2))
                flow = Flow(one, two, service, rng.choice(SOURCES) if service.port else None)
                members = {name: rng.choice([0, 0, 1, 2]) for name in names}
                ends = [(end.address.value, end.address.value) for end in (one, two)]
                box = (*service_box(service, flow.source_port), *ends, *((it, it) for it in members.values()))
                now = judge(world, listed, flow, inward, members)
                for index, (_, effect) in enumerate(found):
                    without = [*listed[:index], *listed[index + 1 :]]
                    changed = judge(world, without, flow, inward, members) is not now
                    assert effect.changed.of_family(flow.family).covers(box) is changed


@pytest.mark.parametrize("seed", range(6))
def test_cells_say_what_sets_say(seed: int) -> None:
    """The fast way of `needless_rules`, held to the algebra; many rules of few priorities, so that they meet."""
    rng, seen = random.Random(seed), set()
    world = random_world(rng, [HUAWEI, ALIBABA][seed % 2])
    pool = [rule for it in world.groups.values() for rule in it.rules if rule.enabled and not rule.source_ports]
    for _ in range(12):
        home = rng.choice(list(world.groups.values()))
        wholes = [rng.choice([None, None, Prefix(it.families[0], 0, 0)]) for it in pool]
        some = [
            replace(it, priority=rng.randint(1, 3), nic=None, local=whole)
            for it, whole in rng.sample([*zip(pool, wholes, strict=True)], 25)
        ]
        group = replace(home, rules=tuple({rule.key: rule for rule in some}.values()))
        for direction in Direction:
            found = list(effects(world, group, direction))
            listed = [decision for decision, _ in found]
            assert all(map(is_plain, listed))
            fast = needs(listed, Lines(world, listed, direction).ranges)
            for need, (decision, effect) in zip(fast[:-1], found, strict=False):
                said = need.decides, need.missed
                assert said == (not effect.is_shadowed, not effect.is_redundant), decision.text
                seen.add(said)
    assert len(seen) == 3


WORLD = """
vpcs: {shop: {cidrs: [10.0.0.0/16], subnets: {web: 10.0.1.0/24}}}
address_groups: {office: [192.0.2.0/25, 192.0.2.128/25]}
groups:
  db: {}
  web:
    rules:
      - in allow tcp 80-90 from any
      - in allow tcp 85 from group db priority 2
      - in allow tcp 22 from 192.0.2.0/24
      - in allow tcp 22 from office priority 2
      - in allow tcp 5432 from group db
      - in allow tcp 5432 from 10.0.0.0/8 priority 2
      - in deny udp 53 from 10.0.0.0/8
      - in deny tcp 443 from 10.0.0.0/8
      - in allow tcp 443 from any priority 2
      - out allow udp 53 to 10.0.0.1
      - out allow udp to any priority 2
"""


def test_what_people_are_told() -> None:
    world = parse(WORLD, "world.yaml")
    found = {str(it.rule): it.shadowed for it in needless_rules(world, world.groups["web"])}
    assert found == {
        "in allow tcp 85 from group db priority 2": True,
        "in allow tcp 22 from 192.0.2.0/24 priority 1": False,
        "in allow tcp 22 from office priority 2": True,
        "in deny udp 53 from 10.0.0.0/8 priority 1": False,
        "out allow udp 53 to 10.0.0.1/32 priority 1": False,
    }
    assert needless_rules(world, replace(world.groups["web"], rules=())) == ()
