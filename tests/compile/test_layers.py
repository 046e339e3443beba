"""Layers: nothing overlaps inside one, and the first that holds a packet names the rule that comes first."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.compile.boxes import (
    ANY_CLASS,
    ANY_PORT,
    ANY_PROTOCOL,
    Box,
    Interval,
    Kind,
    boxes_of,
    is_everything,
)
from ringfence.compile.layers import Layer, layers_of
from ringfence.model.address import Address, Family, Prefix
from ringfence.model.port_list import resolved
from ringfence.model.rule import Action, Rule
from ringfence.model.service import ALL_PORTS
from ringfence.policy.decisions import Decision

Point = tuple[int, ...]

TOPS = (ANY_CLASS[1], Family.IPV4.top, ANY_PROTOCOL[1], ANY_PORT[1], Family.IPV4.top, ANY_PORT[1])
"""The highest value of each dimension."""


def intervals(top: int) -> st.SearchStrategy[Interval]:
    """Intervals that meet often: the ends are few, at both ends of the dimension and in its middle."""
    ends = st.sampled_from([0, 1, 2, 3, top // 2, top // 2 + 1, top - 2, top - 1, top])
    return st.tuples(ends, ends).map(lambda pair: (min(pair), max(pair))) | st.just((0, top))


@st.composite
def policies(draw: st.DrawFn) -> list[Box]:
    """Boxes, strongest first, each with an id of its own; the last covers everything, as a default does.

    Some are narrowed down by an address group, of which layers know nothing.
    """
    shapes = draw(st.lists(st.tuples(*map(intervals, TOPS)), max_size=14))
    actions = st.sampled_from(Action)
    groups = st.sampled_from(["", "", "", "even", "odd"])
    boxes = [
        Box(a, b, c, d, e, f, draw(actions), f"r{number}", draw(groups), draw(groups))
        for number, (a, b, c, d, e, f) in enumerate(shapes)
    ]
    everywhere = (0, Family.IPV4.top)
    default = Box(ANY_CLASS, everywhere, ANY_PROTOCOL, ANY_PORT, everywhere, ANY_PORT, Action.DENY, "default")
    return [*boxes, default]


def is_in(value: int, group: str) -> bool:
    return not group or (group == "odd") == value % 2


def holds(box: Box, point: Point) -> bool:
    inside = all(first <= value <= last for (first, last), value in zip(box.intervals, point, strict=True))
    return inside and is_in(point[1], box.remote_group) and is_in(point[4], box.local_group)


def overlap(one: Box, two: Box) -> bool:
    pairs = zip(one.intervals, two.intervals, strict=True)
    return all(first <= other_last and other_first <= last for (first, last), (other_first, other_last) in pairs)


def covers(outer: Box, inner: Box) -> bool:
    pairs = zip(outer.intervals, inner.intervals, strict=True)
    return outer.is_plain and all(
        first <= inner_first and inner_last <= last for (first, last), (inner_first, inner_last) in pairs
    )


def look_up(layers: Sequence[Layer], point: Point) -> Box:
    """What the kernel does: one look-up a layer, and the first hit decides."""
    return next(box for layer in layers for box in layer if holds(box, point))


def interesting(boxes: Sequence[Box], chance: random.Random, count: int) -> list[Point]:
    """Points at the ends of boxes and right beside them, where mistakes live."""
    columns = list(zip(*(box.intervals for box in boxes), strict=True))
    edges = [
        sorted({min(max(end + step, 0), top) for interval in column for end in interval for step in (-1, 0, 1)})
        for column, top in zip(columns, TOPS, strict=True)
    ]
    return [(chance.choice(edges[0]), *map(chance.choice, edges[1:])) for _ in range(count)]


law = settings(max_examples=150, deadline=None)


@law
@given(policies(), st.randoms(use_true_random=False))
def test_the_first_layer_that_hits_holds_the_first_box(boxes: list[Box], chance: random.Random) -> None:
    layers = layers_of(boxes)
    for point in interesting(boxes, chance, 60):
        assert look_up(layers, point) == next(box for box in boxes if holds(box, point))


@law
@given(policies())
def test_no_two_boxes_of_a_layer_overlap_and_the_last_layer_is_everything(boxes: list[Box]) -> None:
    layers = layers_of(boxes)
    for layer in layers:
        assert list(layer) == sorted(layer)
        assert not any(overlap(one, two) for one, two in combinations(layer, 2))
    assert len(layers[-1]) == 1
    assert is_everything(layers[-1][0], Family.IPV4)


@law
@given(policies())
def test_layers_hold_each_box_once_but_for_the_covered_and_no_deeper_than_need_be(boxes: list[Box]) -> None:
    layers = layers_of(boxes)
    kept = {box: depth for depth, layer in enumerate(layers) for box in layer}
    assert len(kept) == sum(map(len, layers))
    for number, box in enumerate(boxes):
        stronger = boxes[:number]
        assert (box in kept) is not any(covers(other, box) for other in stronger)
        if box in kept:
            depths = [kept[other] + 1 for other in stronger if other in kept and overlap(other, box)]
            assert kept[box] == max(depths, default=0)


def compiled(rules: Sequence[str]) -> tuple[Layer, ...]:
    """The layers of IPv4 packets with ports, of rules in the order of their strength."""
    parsed = map(Rule.parse, rules)
    decisions = [
        Decision(f"r{n}", "g", it.action, it.remote, "", it.protocol, resolved(it.ports, {}) or ALL_PORTS)
        for n, it in enumerate(parsed)
    ]
    default = Rule.parse("in deny all from any")
    decisions.append(Decision("default", "", default.action, default.remote, ""))
    return layers_of(boxes_of(decisions, Kind(Family.IPV4, True), lambda name, own: ()))


def usual_rules(chance: random.Random, count: int) -> list[str]:
    """A usual policy: services opened to prefixes and hosts, few to everybody, some hosts shut out before all."""
    services = ["tcp 22", "tcp 80,443", "tcp 3306", "tcp 5432", "tcp 6379", "udp 53", "tcp 8000-8100", "tcp 3389"]
    deny = [f"in deny all from {_host(chance)}/32" for _ in range(count // 20)]
    hosts = [f"in allow {chance.choice(services)} from {_host(chance)}/32" for _ in range(count // 2)]
    blocks = [f"in allow {chance.choice(services)} from {_block(chance)}" for _ in range(count - 8 - len(deny + hosts))]
    return [*deny, *hosts, *blocks, *(f"in allow {service} from any" for service in services)]


def _host(chance: random.Random) -> Address:
    return Address(Family.IPV4, chance.randrange(1 << 24, 224 << 24))


def _block(chance: random.Random) -> Prefix:
    return Prefix(Family.IPV4, chance.randrange(1 << 16, 224 << 16) << 8, 24)


@pytest.mark.parametrize("seed", range(5))
def test_a_thousand_usual_rules_are_at_most_four_look_ups(seed: int) -> None:
    rules = usual_rules(random.Random(seed), 1000)
    assert len(rules) == 1000
    *layers, _ = compiled(rules)
    assert 1 <= len(layers) <= 4
    assert sum(map(len, layers)) >= 900


@pytest.mark.parametrize("seed", range(5))
def test_two_hundred_rules_that_overlap_heavily_are_few_look_ups(seed: int) -> None:
    """The spike of the design had 13 layers, most with a handful of elements."""
    layers = compiled([_heavy_rule(random.Random(1000 * seed + number)) for number in range(200)])
    assert 4 <= len(layers) <= 13
    assert sorted(map(len, layers))[len(layers) // 2] <= 20


def _heavy_rule(chance: random.Random) -> str:
    """A rule on one /8 that overlaps many of its kind: both actions, short prefixes, wide ranges of ports."""
    length = chance.choice([8, 12, 16, 20, 24])
    network = (10 << 24 | chance.randrange(1 << 24)) >> 32 - length << 32 - length
    first = chance.randrange(1, 2000)
    return (
        f"in {chance.choice(['allow', 'deny'])} {chance.choice(['tcp', 'udp'])} {first}-{first + chance.randrange(200)}"
        f" from {Prefix(Family.IPV4, network, length)}"
    )
