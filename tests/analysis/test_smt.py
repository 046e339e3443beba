"""Redundancy, tidy and reachability against z3, on worlds of tens of groups and hundreds of rules; see `tests.smt`."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest
import z3

from ringfence.analysis.reach.reach import Reach
from ringfence.analysis.rules.tidy import tidied
from ringfence.analysis.sets.diagram import Diagram
from ringfence.model.address import Family
from ringfence.model.group import SecurityGroup
from ringfence.model.profile import ALIBABA, HUAWEI
from ringfence.model.rule import Direction, Rule
from ringfence.model.world import World
from tests.analysis.needless import needless
from tests.smt import Packet, Term, agree, can_be, groups_allow, passes, rule_matches
from tests.worlds import random_world


def member(group: str, own_vpc: bool) -> Term:
    """How the far end is in a group: not at all (0), in another VPC (1), in the same one (2)."""
    return z3.UGE(z3.BitVec(f"member {group}", 2), 2 if own_vpc else 1)


def meaning(world: World, groups: Sequence[SecurityGroup], direction: Direction, packet: Packet) -> Term:
    """What groups of no classic network allow together, by the profile of the first."""
    return groups_allow(world, groups, world.profile_of(groups[0]), direction, packet, member)


def worlds(seed: int) -> World:
    """A random world of one cloud or the other."""
    return random_world(random.Random(seed), [HUAWEI, ALIBABA][seed % 2])


def joined(world: World, rng: random.Random, count: int) -> SecurityGroup:
    """A group of so many rules of a world's groups, with priorities close to each other, so that they meet."""
    rules = [rule for group in world.groups.values() for rule in group.rules if rule.enabled and not rule.managed]
    some = [replace(it, priority=rng.randint(1, 4), nic=None) for it in rng.sample(rules, min(count, len(rules)))]
    home = next(group for group in world.groups.values() if group.vpc != "classic")
    made = {rule.key: rule for rule in some}
    return replace(home, name="joined", rules=tuple(made.values()), intra_group=home.intra_group)


@pytest.mark.parametrize("seed", range(4))
def test_needless_rules(seed: int) -> None:
    rng, world = random.Random(seed), worlds(seed)
    group = joined(world, rng, 60)
    world = world.edited(groups={"joined": group})
    found = needless(world, group)
    for rule_id, rule in rng.sample(sorted(group.by_id.items()), 15):
        without = replace(group, rules=tuple(it for it in group.rules if it != rule))
        packets = [Packet.unknown(family) for family in Family]
        same = all(_same(world, group, without, rule.direction, packet) for packet in packets)
        assert (rule_id in found) is same, str(rule)
        if same:
            assert found[rule_id] is not any(can_be(_decides(world, group, rule, packet), packet) for packet in packets)


def _same(world: World, one: SecurityGroup, two: SecurityGroup, direction: Direction, packet: Packet) -> bool:
    return agree(meaning(world, [one], direction, packet), meaning(world, [two], direction, packet), packet)


def _decides(world: World, group: SecurityGroup, rule: Rule, packet: Packet) -> Term:
    """Whether a rule is the first that matches: nothing stronger does. (Order on a tie as lists have it: by id.)"""
    ranked = sorted(
        (it for it in group.rules if it.direction is rule.direction),
        key=lambda it: (it.priority, it.action == "allow", it.id_in(group.name)),
    )
    before = [rule_matches(world, it, packet, member) for it in ranked[: ranked.index(rule)]]
    if group.intra_group == "accept" and group.type == "basic":
        before.append(member(group.name, True))
    return z3.And(rule_matches(world, rule, packet, member), z3.Not(z3.Or(before)))


@pytest.mark.parametrize(("seed", "effort"), [(0, 0), (1, 0), (2, 16_000), (3, 16_000), (4, 0), (5, 0)])
def test_what_is_tidied_says_the_same(seed: int, effort: int) -> None:
    rng, world = random.Random(seed), worlds(seed)
    group = joined(world, rng, 40)
    made = tidied(world.edited(groups={"joined": group}), group, effort)
    assert made.cost_after <= made.cost_before
    assert made.cost_after < made.cost_before or not needless(world, group)
    for direction in Direction:
        for family in Family:
            assert _same(world, made.before, made.after, direction, Packet.unknown(family))


@pytest.mark.parametrize("seed", range(4))
def test_what_reach_says_passes(seed: int) -> None:
    rng, world = random.Random(seed), worlds(seed)
    reach = Reach(world)
    ends = [each for each in reach.classes if each.port or each.is_outside]
    checked = 0
    while checked < 40:
        one, two = rng.choice(ends), rng.choice(ends)
        if one.family is not two.family or not (one.port or two.port):
            continue
        if one.port and two.port and one.port.guest == two.port.guest:
            continue  # what stays inside of a guest is left out, since nothing judges it
        packet = Packet.unknown(one.family, one.example, two.example)
        found = covers(reach.between(one, two).diagram, packet)
        said = passes(world, one.example, two.example, packet)
        assert agree(found, said, packet), f"{one.label} -> {two.label}"
        checked += 1


def covers(diagram: Diagram, packet: Packet) -> Term:
    """Whether a diagram of services has a packet, read off its pieces."""
    if not diagram.pieces:
        return z3.BoolVal(bool(diagram))
    value = (packet.number, packet.port, packet.source_port)[diagram.dimension]
    found = covers(diagram.pieces[-1], packet)
    for cut, piece in reversed([*zip(diagram.cuts, diagram.pieces, strict=False)]):
        found = z3.If(z3.ULT(value, cut), covers(piece, packet), found)
    return found
