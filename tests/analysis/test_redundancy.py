"""Needless rules of a group: exactly those without which no packet is judged otherwise, whoever is in which group."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import product

import pytest

from ringfence.analysis.rules.matched import listed_in
from ringfence.model.address import Address, Prefix
from ringfence.model.flow import Endpoint, Flow
from ringfence.model.profile import ALIBABA, HUAWEI
from ringfence.model.rule import Action, AddressGroupRemote, Direction, GroupRemote, NicType, Remote
from ringfence.model.service import Service
from ringfence.model.world import World
from ringfence.policy.decisions import Decision
from ringfence.worldfile.parse import parse
from tests.analysis.needless import needless
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
def test_nobody_misses_a_needless_rule(seed: int) -> None:
    """Rules of every form, also such as name their own side and source ports. (z3 says that no other is needless.)"""
    rng, seen = random.Random(seed), set()
    world = random_world(rng, [HUAWEI, ALIBABA][seed % 2])
    for group, direction in product(rng.sample(list(world.groups.values()), 6), Direction):
        found = needless(world, group)
        listed, inward = [*listed_in(world, group, direction, NicType.INTRANET)], direction is Direction.INGRESS
        own = [(place, found[it.rule_id]) for place, it in enumerate(listed) if it.rule_id in found]
        seen |= {shadowed for _, shadowed in own}
        names = sorted({it.remote.name for it in listed if isinstance(it.remote, GroupRemote)})
        for _ in range(60 if own else 0):
            one, two = (Endpoint(address) for address in rng.choices(rng.choice(ADDRESSES), k=2))
            service = Service.parse(rng.choice([*(f"tcp/{port}" for port in PORTED), "udp/80", "gre", "132"]))
            flow = Flow(one, two, service, rng.choice(SOURCES) if service.port else None)
            members = {name: rng.choice([0, 0, 1, 2]) for name in names}
            now = judge(world, listed, flow, inward, members)
            for place, shadowed in own:
                assert judge(world, [*listed[:place], *listed[place + 1 :]], flow, inward, members) is now
                before = any(matches(world, it, flow, inward, members) for it in listed[:place])
                assert not shadowed or before or not matches(world, listed[place], flow, inward, members)
    assert seen


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
    web = world.groups["web"]
    assert {str(web.by_id[rule_id]): shadowed for rule_id, shadowed in needless(world, web).items()} == {
        "in allow tcp 85 from group db priority 2": True,
        "in allow tcp 22 from 192.0.2.0/24 priority 1": False,
        "in allow tcp 22 from office priority 2": True,
        "in deny udp 53 from 10.0.0.0/8 priority 1": False,
        "out allow udp 53 to 10.0.0.1/32 priority 1": False,
    }
    assert needless(world, replace(web, rules=())) == {}
