"""Lines of a list any of which may go: whichever of them do, every packet is judged as before. By trying all."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations, product

import pytest

from ringfence.analysis.rules.grid import is_plain
from ringfence.analysis.rules.lists import Line
from ringfence.analysis.rules.matched import Lines, listed_in, spares
from ringfence.analysis.rules.spare_rows import SpareRows
from ringfence.analysis.rules.spares import SpareSets
from ringfence.model.address import Address, Prefix
from ringfence.model.profile import ALIBABA, HUAWEI
from ringfence.model.rule import Action, AnyRemote, Direction, GroupRemote, NicType, Remote
from ringfence.model.service import ALL_PORTS, PortRange, PortSet, Protocol, Service
from ringfence.model.world import World
from ringfence.policy.decisions import Decision
from tests.worlds import random_world

ADDRESSES = [*(f"10.0.0.{last}" for last in range(4)), "192.0.2.1", "2001:db8::1"]
SERVICES = ["tcp/1", "tcp/2", "tcp/3", "tcp/9", "udp/1", "gre"]
PACKETS = [
    (Address.parse(address), Service.parse(service), {"a": a, "b": b})
    for address, service, a, b in product(ADDRESSES, SERVICES, range(3), range(3))
]
"""One of each kind that lists of `drawn` tell apart. A far end is in a group from another VPC (1) or from this (2)."""
PREFIXES = ["10.0.0.0/30", "10.0.0.0/31", "10.0.0.2/31", "10.0.0.1/32", "10.0.0.3/32"]


def drawn(rng: random.Random) -> tuple[Decision, ...]:
    def line(number: int) -> Decision:
        protocol = rng.choice([Protocol.TCP] * 4 + [Protocol.ALL, Protocol.parse("gre")])
        ports = rng.choice([ALL_PORTS, *(PortSet((PortRange(*ends),)) for ends in ((1, 2), (2, 3), (1, 3), (2, 2)))])
        remotes: list[Remote] = [AnyRemote.ANY, GroupRemote("a"), GroupRemote("a"), GroupRemote("b")]
        remote = rng.choice([*remotes, Prefix.parse(rng.choice(PREFIXES))])
        local = rng.choice([AnyRemote.ANY] * 3 + [Prefix.parse("0.0.0.0/0")])
        own = isinstance(remote, GroupRemote) and rng.random() < 0.4
        action = rng.choice(list(Action))
        kept = ports if protocol.has_ports else ALL_PORTS
        return Decision(f"r{number}", "g", action, remote, "", protocol, kept, local, own_vpc=own)

    lines = [line(number) for number in range(rng.randint(3, 8))]
    return (*lines, Decision("default", "", rng.choice(list(Action)), AnyRemote.ANY, ""))


def matched(decision: Decision) -> int:
    """The packets that a line matches, as bits."""
    return sum(1 << place for place, packet in enumerate(PACKETS) if is_matched(decision, *packet))


def is_matched(decision: Decision, address: Address, service: Service, members: dict[str, int]) -> bool:
    remote, local = decision.remote, decision.local
    is_far = members[remote.name] > decision.own_vpc if isinstance(remote, GroupRemote) else True
    return (
        is_far
        and decision.protocol.covers(service.number)
        and (not decision.ports or any(service.port in each for each in decision.ports.ranges if service.port))
        and (address in remote if isinstance(remote, Prefix) else True)
        and (address.family is local.family if isinstance(local, Prefix) else True)
    )


def decided(lines: Sequence[int], gone: frozenset[int] = frozenset()) -> list[int]:
    """What each line decides when some are gone: none of these anything."""
    covered, found = 0, []
    for place, packets in enumerate(lines):
        found.append(0 if place in gone else packets & ~covered)
        covered |= found[-1]
    return found


def allowed(listed: Sequence[Decision], lines: Sequence[int], gone: frozenset[int] = frozenset()) -> int:
    parts = zip(listed, decided(lines, gone), strict=True)
    return sum(own for line, own in parts if line.action is Action.ALLOW)


def may_go(listed: Sequence[Decision], lines: Sequence[int], some: Sequence[int]) -> bool:
    """Whether each subset may."""
    subsets = (frozenset(it) for count in range(len(some) + 1) for it in combinations(some, count))
    return all(allowed(listed, lines, gone) == allowed(listed, lines) for gone in subsets)


def in_sets(world: World, listed: Sequence[Decision], direction: Direction) -> SpareSets:
    lines = Lines(world, listed, direction)
    return SpareSets([Line(lines.packets(it), it.action) for it in listed])


@pytest.mark.parametrize("seed", range(4))
def test_any_of_them_may_go_and_no_other_beside_them(seed: int) -> None:
    rng, several, named = random.Random(seed), 0, 0
    for _ in range(100):
        listed = drawn(rng)
        lines = [matched(it) for it in listed]
        candidates = {place for place in range(len(listed) - 1) if rng.random() < 0.9}
        both = spares(World(HUAWEI), listed, Direction.INGRESS), in_sets(World(HUAWEI), listed, Direction.INGRESS)
        assert isinstance(both[0], SpareRows)
        for engine in both:
            found = engine.among(candidates)
            assert found <= candidates
            assert may_go(listed, lines, [*found]), (listed, found)
            assert not any(may_go(listed, lines, [*found, it]) for it in candidates - found), (listed, found)
            for place, own in enumerate(decided(lines)):
                assert engine.matches(place)
                assert engine.is_shadowed(place) is not bool(own), "every shadowed line, no other"
                assert place not in candidates or own or place in found
            for place in found:
                gone = {place, *rng.sample(sorted(found), rng.randint(0, len(found)))}
                left = decided(lines, frozenset(gone))
                assert engine.deciders(place, gone) == [it for it, own in enumerate(left) if own & lines[place]]
                named += isinstance(listed[place].remote, GroupRemote)
            several += len(found) > 1
    assert several > 50
    assert named > 50


@pytest.mark.parametrize("seed", range(4))
def test_one_line_more_makes_no_difference(seed: int) -> None:
    """When others are left out for good, and the line itself may be left out, too."""
    rng, outcomes = random.Random(seed), []
    for _ in range(100):
        listed = drawn(rng)
        bare = listed[:-1]
        without = frozenset(place for place in range(len(bare)) if rng.random() < 0.3)
        for engine, some in (
            (spares(World(HUAWEI), listed, Direction.INGRESS), listed),
            (in_sets(World(HUAWEI), listed, Direction.INGRESS), listed),
            (in_sets(World(HUAWEI), bare, Direction.INGRESS), bare),  # what no line matches is denied
        ):
            lines = [matched(it) for it in some]
            for place in range(len(bare)):
                one, two = (allowed(some, lines, it) for it in (without - {place}, without | {place}))
                outcomes.append(engine.is_needless(place, sum(1 << it for it in without)))
                assert outcomes[-1] is (one == two), (some, place, without)
    assert min(outcomes.count(True), outcomes.count(False)) > 300


@pytest.mark.parametrize("seed", range(4))
def test_rows_say_what_sets_say(seed: int) -> None:
    """The fast way held to the algebra, on longer lists of both families, with all that rules may name."""
    rng, kinds = random.Random(seed), set()
    world = random_world(rng, [HUAWEI, ALIBABA][seed % 2])
    pool = [rule for it in world.groups.values() for rule in it.rules if rule.enabled and not rule.source_ports]
    for _ in range(10):
        wholes = [rng.choice([None, None, Prefix(it.families[0], 0, 0)]) for it in pool]
        some = [
            replace(it, priority=rng.randint(1, 3), nic=None, local=whole)
            for it, whole in rng.sample([*zip(pool, wholes, strict=True)], 25)
        ]
        group = replace(
            rng.choice(list(world.groups.values())), rules=tuple({rule.key: rule for rule in some}.values())
        )
        for direction in Direction:
            listed = listed_in(world, group, direction, NicType.INTRANET)
            assert all(map(is_plain, listed))
            rows, sets = spares(world, listed, direction), in_sets(world, listed, direction)
            assert isinstance(rows, SpareRows)
            places = range(len(listed) - 1)
            found = rows.among(places)
            assert found == sets.among(places)
            for place in places:
                said = rows.matches(place), rows.is_shadowed(place), place in found
                assert said == (sets.matches(place), sets.is_shadowed(place), place in sets.among(places))
                kinds.add(said)
            for place in found:
                assert rows.deciders(place, found) == sets.deciders(place, found)
            without = sum(1 << place for place in places if rng.random() < 0.4)
            for place in places:
                assert rows.is_needless(place, without) is sets.is_needless(place, without)
    assert len(kinds) >= 4
