"""Reach against the evaluator over all flows that can differ: each two ends, each protocol, each edge of a port range.

The worlds are small and have what stands on a path: virtual IPs, penalties, the classic network with both kinds of
interface, ports that carriers block, ACLs, firewalls at borders and in peerings; and intra-group accept where members
of one group are in VPCs that are peered, which random worlds seldom have.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from itertools import permutations, product

import pytest

from ringfence.analysis.reach.reach import Reach
from ringfence.model.address import Address, Family
from ringfence.model.flow import Endpoint, Flow
from ringfence.model.profile import ALIBABA, HUAWEI, IntraGroup, Profile
from ringfence.model.service import Service
from ringfence.model.world import World
from ringfence.policy.evaluate import Policy
from ringfence.policy.verdict import Stage
from ringfence.worldfile.parse import parse
from tests.analysis.test_reach import PORTLESS, everybody
from tests.rules import PORTED, SOURCES
from tests.worlds import random_world

_MOST_ENDS, _SOURCES = 8, 3
"""Ends of a family, and source ports for each two of them: as much as there is time for."""
_EDGES = ("tcp/24", "tcp/25", "tcp/26", "tcp/134", "tcp/135", "tcp/136", "udp/134", "udp/135", "udp/139", "udp/140")
"""Around ports that the platform and carriers block, beside those of the rules."""
_PORTED = sorted({*(f"{name}/{port}" for name in ("tcp", "udp") for port in PORTED), *_EDGES})


def services(rng: random.Random) -> list[tuple[Service, int | None]]:
    """Every service that some rule of these worlds tells from another, from some source ports."""
    sources = rng.sample(SOURCES, _SOURCES)
    ported: list[tuple[Service, int | None]] = [(Service.parse(it), port) for it, port in product(_PORTED, sources)]
    return ported + [(Service.parse(text), None) for text in PORTLESS]


def some_ends(world: World, rng: random.Random) -> list[Endpoint]:
    """Of each family some ends: one of each class first, then others of the same."""
    reach, found = Reach(world), []
    for family in Family:
        ends = [it for it in everybody(world) if it.address.family is family]
        rng.shuffle(ends)
        first = {reach.at(end): end for end in ends}
        found += [*first.values(), *(it for it in ends if first[reach.at(it)] is not it)][:_MOST_ENDS]
    return found


def check_all(world: World, ends: Iterable[Endpoint], rng: random.Random) -> int:
    """Compare every flow between some ends; gives back how many pass."""
    reach, policy, passed = Reach(world), Policy(world), 0
    for one, two in pairs(ends):
        source, destination = reach.at(one), reach.at(two)
        allowed = reach.between(source, destination) if source and destination else None
        for service, source_port in services(rng):
            if one.address.family in service.protocol.families:
                verdict = policy.evaluate(Flow(one, two, service, source_port))
                if verdict.decided_by.stage is Stage.LOCAL:
                    break
                wanted = verdict.allowed and one.address.is_unicast and two.address.is_unicast
                assert (allowed is not None and allowed.covers(service, source_port)) == wanted, str(verdict)
                passed += wanted
    return passed


def pairs(ends: Iterable[Endpoint]) -> Iterator[tuple[Endpoint, Endpoint]]:
    return ((one, two) for one, two in permutations(ends, 2) if one.address.family is two.address.family
            and (one.vpc or two.vpc))  # fmt: skip


@pytest.mark.parametrize("seed", range(2))
def test_every_flow_of_random_worlds(seed: int) -> None:
    rng = random.Random(100 + seed)
    profile: Profile = [HUAWEI, ALIBABA][seed % 2]
    world = random_world(rng, profile)
    check_all(world, some_ends(world, rng), rng)


PEERED = """
profile: {profile}
switches: {{peer_references: {peers}, groups_need_vpc: false, self_reference: true, group_order: {order}}}
vpcs:
  one: {{cidrs: [10.1.0.0/16], subnets: {{net: 10.1.1.0/24}}}}
  two: {{cidrs: [10.2.0.0/16], subnets: {{net: 10.2.1.0/24}}}}
  three: {{cidrs: [10.3.0.0/16], subnets: {{net: 10.3.1.0/24}}}}
groups:
  g:
    intra_group: {intra}
    rules: [in allow tcp 80 from group g priority 2, in deny tcp 443 from group g, out deny udp 53 to group g]
  h: {{intra_group: {other}, rules: [in allow tcp 22 from group g, out allow all to any]}}
peerings: [{{vpcs: [one, two]}}, {{vpcs: [two, three], firewall: [deny tcp 80 from any to any]}}]
instances:
  a1: {{subnet: one/net, ip: 10.1.1.11, groups: [g]}}
  a2: {{subnet: one/net, ip: 10.1.1.12, groups: [g, h]}}
  b1: {{subnet: two/net, ip: 10.2.1.11, groups: [g]}}
  b2: {{subnet: two/net, ip: 10.2.1.12, groups: [h]}}
  c1: {{subnet: three/net, ip: 10.3.1.11, groups: [g]}}
  c2: {{subnet: three/net, ip: 10.3.1.12, groups: [h, g]}}
"""
"""Members of one group in three VPCs, of which the middle one is peered with both others."""


@pytest.mark.parametrize(
    ("profile", "intra", "other", "peers", "order"),
    [
        ("alibaba", "accept", "drop", "true", "aggregate"),
        ("alibaba", "accept", "accept", "true", "sequence"),
        ("alibaba", "accept", "drop", "false", "aggregate"),
        ("alibaba", "drop", "accept", "true", "aggregate"),
        ("huawei", "accept", "drop", "true", "aggregate"),
        ("huawei", "drop", "drop", "true", "sequence"),
    ],
)
def test_intra_group_accept_ends_at_the_vpc(profile: str, intra: str, other: str, peers: str, order: str) -> None:
    world = parse(PEERED.format(profile=profile, intra=intra, other=other, peers=peers, order=order), "peered.yaml")
    assert world.groups["g"].intra_group is IntraGroup(intra)
    ends = [it for it in everybody(world) if it.vpc or it.address == Address.parse("203.0.113.9")]
    assert check_all(world, ends, random.Random(1))
    reach = Reach(world)
    of = {name: reach.named(name)[0] for name in ("a1", "a2", "b1", "c1")}
    gre = Service.parse("gre")
    assert (gre in reach.between(of["a1"], of["a2"])) == (intra == "accept")
    assert gre not in reach.between(of["a1"], of["b1"])
    assert not reach.between(of["a1"], of["c1"])
