"""An analysis that follows a world through a history answers as one that is made of its last revision from nothing."""

from __future__ import annotations

import random
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.analysis.difference.difference import Differ, difference
from ringfence.model.address import Address, Prefix
from ringfence.model.rule import Rule
from ringfence.model.world import World
from tests.analysis.test_difference import both, check, edited, grouped, turns, world
from tests.analysis.test_reach import flows
from tests.full_worlds import full_worlds


def narrowed(before: World, rng: random.Random) -> World:
    """The world with a rule about a few addresses that nothing named before, or with another edit."""
    if not before.groups or rng.random() < 0.4:
        return edited(before, rng)
    own = rng.choice(
        [address for port in before.ports for address in port.addresses] or [Address.parse("198.51.100.9")]
    )
    length = own.family.bits - rng.randint(0, 4)
    prefix = Prefix(own.family, own.value >> own.family.bits - length << own.family.bits - length, length)
    group = before.groups[rng.choice(sorted(before.groups))]
    rule = Rule.parse(f"in {rng.choice(['allow', 'deny'])} tcp 80-90 from {prefix}")
    rules = (*(it for it in group.rules if it.key != rule.key), rule)
    return replace(before, groups={**before.groups, group.name: replace(group, rules=rules)})


def check_history(start: World, rng: random.Random, steps: int) -> int:
    """Follow some edits, and ask after each what one more would change; says how many were followed."""
    now, differ, followed = start, Differ(start), 0
    if rng.random() < 0.5:
        differ.prepare()
    for _ in range(steps):
        now = narrowed(now, rng)
        differ.follow(now)
        followed += differ.age > 0
        after = narrowed(now, rng)
        found, anew = differ.to(after), difference(now, after)
        check(found, now, after, both(now, after, rng))
        assert sorted(turns(found, now, after)) == sorted(turns(anew, now, after))
        assert not [it.label for it in found.ends if it.label.count("(") != it.label.count(")")]
        for flow in flows(now, rng, 1):
            assert (found.cuts(flow) is None) == (anew.cuts(flow) is None), str(flow)
    return followed


@settings(max_examples=5, deadline=None)
@given(full_worlds(), st.integers(0, 2**32))
def test_what_follows_a_world_answers_as_what_is_made_of_it(world: World, seed: int) -> None:
    check_history(world, random.Random(seed), 4)


def test_members_that_come_and_go_are_followed() -> None:
    followed = 0
    for seed in range(10):
        rng = random.Random(seed)
        followed += check_history(grouped(rng), rng, 6)
    assert followed > 15, followed


def test_classes_that_are_cut_again_and_again_are_followed() -> None:
    groups = "groups: {one: {rules: [in allow tcp 80 from any, out allow all to any]}, two: {}}\n"
    ports = "".join(
        f"  i{number}: {{subnet: all, ip: 10.0.0.{number + 4}, groups: [{'one' if number % 5 else 'two'}]}}\n"
        for number in range(12)
    )
    text = "vpcs: {v: {cidrs: [10.0.0.0/16], subnets: {all: 10.0.0.0/24}}}\n" + groups + "instances:\n" + ports
    assert sum(check_history(world(text), random.Random(seed), 5) for seed in range(4)) > 10
