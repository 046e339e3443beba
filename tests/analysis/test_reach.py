"""Reachability over classes says of every flow what `evaluate` says of it, and its queries are views of one matrix."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.analysis.reach.ends import EndClass
from ringfence.analysis.reach.reach import Reach, Way
from ringfence.analysis.sets.notation import Services
from ringfence.model.address import Address
from ringfence.model.flow import Endpoint, Flow
from ringfence.model.profile import ALIBABA, HUAWEI, Profile
from ringfence.model.service import Service
from ringfence.model.world import World, by_name
from ringfence.policy.evaluate import Policy
from ringfence.policy.verdict import Stage
from ringfence.worldfile.parse import parse
from tests.full_worlds import full_worlds
from tests.rules import PORTED, SOURCES
from tests.worlds import random_world

OUTSIDE = (
    *("203.0.113.9", "203.0.113.66", "203.0.113.200", "198.51.100.20", "100.64.0.1", "127.9.9.9"),
    *("2001:db8::9", "2001:db8:1::9", "2600::1", "fe80::1"),
)
NOBODYS = ("10.1.1.200", "10.0.1.200", "fd00:1::99", "fd00:10:0:1::99")
PORTLESS = ("icmp", "icmpv6", "gre", "132", "253", "0", "255")


def everybody(world: World) -> list[Endpoint]:
    """Every address of a port or virtual IP, some outside, and some that nobody has."""
    found = {(port.vpc, address) for port in world.ports for address in port.addresses}
    found |= {(vip.vpc, address) for vip in world.virtual_ips.values() for address in vip.addresses}
    found |= {("", Address.parse(text)) for text in (*OUTSIDE, *NOBODYS)}
    found |= {("", address) for host in world.outside.values() for address in host.addresses}
    return [Endpoint(address, vpc) for vpc, address in sorted(found)]


def flows(world: World, rng: random.Random, each: int) -> Iterator[Flow]:
    """Some flows between each two of them; every source port is named, since the sets are about single ones."""
    for source, destination in permutations(everybody(world), 2):
        if source.address.family is destination.address.family and (source.vpc or destination.vpc):
            for _ in range(each):
                text = rng.choice([f"{name}/{rng.choice(PORTED)}" for name in ("tcp", "tcp", "udp")] + [*PORTLESS])
                service = Service.parse(text)
                if source.address.family in service.protocol.families:
                    yield Flow(source, destination, service, rng.choice(SOURCES) if service.port else None)


def check(world: World, rng: random.Random, each: int) -> None:
    reach, policy = Reach(world), Policy(world)
    for flow in flows(world, rng, each):
        verdict = policy.evaluate(flow)
        if verdict.decided_by.stage is not Stage.LOCAL:
            unicast = flow.source.address.is_unicast and flow.destination.address.is_unicast
            assert reach.allows(flow) == (verdict.allowed and unicast), str(verdict)


@settings(max_examples=25, deadline=None)
@given(full_worlds(), st.integers(0, 2**32))
def test_reach_is_what_the_evaluator_says(world: World, seed: int) -> None:
    check(world, random.Random(seed), 4)


@pytest.mark.parametrize("seed", range(6))
def test_reach_is_what_the_evaluator_says_of_worlds_with_many_rules(seed: int) -> None:
    rng = random.Random(seed)
    profile: Profile = [HUAWEI, ALIBABA][seed % 2]
    check(random_world(rng, profile), rng, 2)


@pytest.mark.parametrize("seed", range(6))
def test_what_is_at_the_edge_of_an_answer_is_so(seed: int) -> None:
    """A witness of services that pass between two classes, and one of all others, against the evaluator."""
    rng = random.Random(seed)
    world = random_world(rng, [HUAWEI, ALIBABA][seed % 2])
    reach, policy, asked = Reach(world), Policy(world), 0
    members = {each: [end for end in everybody(world) if reach.at(end) is each] for each in reach.classes}
    for way in reach.matrix():
        one, two = (rng.choice(list(each)) for each in (way.sources, way.destinations))
        assert way.services
        assert reach.between(one, two) == way.services
        for services, allowed in ((way.services, True), (way.services.others, False)):
            ends = apart(world, members[one] or [one.example], members[two] or [two.example])
            if (sample := services.sample) and ends:
                asked += 1
                assert policy.evaluate(Flow(*ends, *sample)).allowed is allowed
    assert asked > 20


@pytest.mark.parametrize("seed", [1, 2])
def test_every_query_is_a_view_of_the_matrix(seed: int) -> None:
    reach = Reach(random_world(random.Random(seed), [HUAWEI, ALIBABA][seed % 2]))
    whole = cells(reach.matrix())
    inside = [each for each in reach.classes if not each.is_outside]
    assert whole == {
        (one, two): found
        for one, two in product(reach.classes, repeat=2)
        if one.family is two.family and (found := reach.between(one, two))
    }
    assert cells(reach.of(reach.classes)) == whole
    few = random.Random(seed).sample(reach.classes, 5)
    assert cells(reach.of(few)) == {pair: it for pair, it in whole.items() if pair[0] in few}
    assert cells(reach.to(inside)) == {pair: it for pair, it in whole.items() if not pair[1].is_outside}
    some = random.Random(seed).sample(reach.classes, len(reach.classes) // 2)
    assert cells(reach.ways(some, inside)) == {
        pair: it for pair, it in whole.items() if pair[0] in some and not pair[1].is_outside
    }
    assert cells(reach.open_to_internet()) == {pair: it for pair, it in whole.items() if pair[0].is_outside}


def cells(ways: tuple[Way, ...]) -> dict[tuple[EndClass, EndClass], Services]:
    found = [((one, two), way.services) for way in ways for one in way.sources for two in way.destinations]
    assert len(dict(found)) == len(found), "two ways have a pair in common"
    return dict(found)


def apart(world: World, sources: list[Endpoint], destinations: list[Endpoint]) -> tuple[Endpoint, Endpoint] | None:
    """One of each that are not in one guest."""
    for one, two in product(sources, destinations):
        ports = world.port_at(one), world.port_at(two)
        if not (ports[0] and ports[1] and ports[0].guest == ports[1].guest):
            return one, two
    return None


THREE_TIERS = """
vpcs: {shop: {cidrs: [10.0.0.0/16], subnets: {web: 10.0.1.0/24, db: 10.0.2.0/24}}}
groups:
  web:
    rules:
      - in allow tcp 80,443 from any
      - in allow tcp 22 from 203.0.113.0/24
      - out allow all to any
  db:
    rules:
      - in allow tcp 3306 from group web
      - out allow udp 53 to any
instances:
  web-1: {subnet: web, ip: 10.0.1.11, groups: [web]}
  web-2: {subnet: web, ip: 10.0.1.12, groups: [web]}
  db-1: {subnet: db, ip: 10.0.2.11, groups: [db]}
outside: {laptop: 203.0.113.9}
"""


def lines(ways: tuple[Way, ...]) -> list[str]:
    return sorted(str(way) for way in ways if way.services.family == 4)


def test_queries_of_people() -> None:
    reach = Reach(parse(THREE_TIERS, "world.yaml"))
    web, db = (reach.members(name) for name in ("web", "db"))
    assert lines(reach.to(db)) == ["web (2 addresses) -> db-1.eth0: tcp 3306"]
    assert lines(reach.to(db, Service.parse("tcp/3307"))) == []
    assert lines(reach.to(web)) == [
        "203.0.113.0/24 (laptop) -> web (2 addresses): tcp 22,80,443",
        "web (2 addresses), outside -> web (2 addresses): tcp 80,443",
    ]
    assert lines(reach.of(db)) == ["db-1.eth0 -> outside, 203.0.113.0/24 (laptop): udp 53"]
    assert lines(reach.open_to_internet(Service.parse("tcp/22"))) == [
        "203.0.113.0/24 (laptop) -> web (2 addresses): tcp 22,80,443"
    ]


def grown(world: World, more: int) -> World:
    """The same world with more instances like those that there are."""
    there = list(world.instances.values())
    made = [
        replace(
            it,
            name=f"more-{number}",
            ports=tuple(
                replace(
                    port,
                    instance=f"more-{number}",
                    addresses=(Address(port.addresses[0].family, port.addresses[0].value + 20 + number),),
                )
                for port in it.ports
            ),
        )
        for number in range(more)
        for it in [there[number % len(there)]]
    ]
    return replace(world, instances=by_name([*there, *made]))


def test_more_instances_of_the_same_kind_make_no_more_classes() -> None:
    small = parse(THREE_TIERS, "world.yaml")
    few, many = (Reach(it) for it in (grown(small, 9), grown(small, 99)))
    assert [len(few.classes), len(few.matrix())] == [len(many.classes), len(many.matrix())]
    assert sum(it.size for it in many.classes if not it.is_outside) == 102
