"""A fix lets the flow pass, by the evaluator and by the oracle, and nothing smaller does."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence import worldfile
from ringfence.analysis.fix import search
from ringfence.analysis.fix.fixes import Fixes, fixes
from ringfence.model.address import Address
from ringfence.model.flow import Endpoint, Flow, Query
from ringfence.model.rule import Action
from ringfence.model.validation import problems, tenant_edit_problems
from ringfence.model.world import World
from ringfence.policy.evaluate import evaluate
from ringfence.policy.verdict import Stage
from ringfence.worldfile.parse import parse
from tests import oracle
from tests.analysis.test_reach import flows as flows_of
from tests.fix.space import single_edits
from tests.full_worlds import full_worlds
from tests.topologies import TOPOLOGIES
from tests.worlds import random_flows, random_world

EXAMPLES = Path(__file__).parents[2] / "examples"
STRANGERS = {4: Endpoint(Address.parse("47.1.1.1")), 6: Endpoint(Address.parse("2a00::1"))}
"""Addresses of which no rule of the tests' worlds says more than of any."""


def denied(world: World, flows: list[Flow]) -> list[Flow]:
    return [flow for flow in flows if not evaluate(world, flow).allowed]


def broken(seed: int, count: int = 12) -> tuple[World, list[Flow]]:
    """A random world over one of the topologies, and flows that it denies."""
    rng = random.Random(seed)
    topology = list(TOPOLOGIES.values())[seed % len(TOPOLOGIES)]
    world = random_world(rng, topology.profile, topology)
    return world, denied(world, random_flows(rng, world, count))


def lets_in_strangers(world: World, flow: Flow) -> bool:
    """Whether the groups of the destination let anybody in by the flow's service."""
    steps = evaluate(world, Flow(STRANGERS[flow.family], flow.destination, flow.service, flow.source_port)).steps
    return any(step.stage is Stage.INGRESS and step.action is Action.ALLOW for step in steps)


def is_too_open(before: World, after: World, flow: Flow) -> bool:
    """Whether a fix lets in anybody who was not, for a risky port or to answer a question about one host."""
    port = before.port_at(flow.destination)
    if port is None or (before.port_at(flow.source) and flow.service not in before.vpcs[port.vpc].profile.risky_ports):
        return False
    return lets_in_strangers(after, flow) and not lets_in_strangers(before, flow)


def is_fix(before: World, after: World, flow: Flow) -> bool:
    """Whether an edited world is valid, lets a flow pass, and is what the house would propose."""
    return (
        evaluate(after, flow).allowed
        and not problems(after)
        and not tenant_edit_problems(before, after)
        and not is_too_open(before, after, flow)
    )


def check(world: World, flow: Flow, found: Fixes) -> None:
    """Each fix is one, all are of one size, and no two of them are the same."""
    assert not found.all or not found.obstacles
    for fix in found.all[:12]:
        assert oracle.allowed(fix.after, flow), f"{flow}: {fix}"
        assert is_fix(world, fix.after, flow), f"{flow}: {fix}"
        assert len(fix.edits) == len(found.all[0].edits)


def smaller(world: World, flow: Flow, found: Fixes, *, coarse: bool = False) -> Iterator[str]:
    """Single edits that would do where the answer is more of them, or none."""
    if not found.all or len(found.all[0].edits) > 1:
        yield from (words for words, after in single_edits(world, flow, coarse=coarse) if is_fix(world, after, flow))


def smaller_pairs(world: World, flow: Flow) -> Iterator[str]:
    """Pairs of edits that would do, rules and lines in their strongest form alone: one in another form does no more."""
    for one, step in single_edits(world, flow, coarse=True):
        for two, after in single_edits(step, flow, coarse=True):
            if is_fix(world, after, flow):
                yield f"{one}; {two}"


@pytest.mark.parametrize("seed", range(4))
def test_a_fix_lets_the_flow_pass(seed: int) -> None:
    world, flows = broken(seed)
    for flow in flows:
        found = fixes(world, flow, effort=0)
        check(world, flow, found)
        assert found.is_whole


@pytest.mark.parametrize("seed", [0, 4])
def test_where_a_fix_is_several_edits_no_single_one_does(seed: int) -> None:
    world, flows = broken(seed)
    answers = [(flow, fixes(world, flow, effort=0)) for flow in flows]
    several = [(flow, found) for flow, found in answers if not found.all or len(found.all[0].edits) > 1]
    for flow, found in several[:1]:
        assert list(smaller(world, flow, found, coarse=True)) == [], f"{flow}: {list(map(str, found.all))}"


@settings(max_examples=8, deadline=None)
@given(full_worlds(), st.integers(0, 2**32))
def test_so_in_worlds_with_a_little_of_everything(world: World, seed: int) -> None:
    rng = random.Random(seed)
    some = denied(world, rng.sample(pool := list(flows_of(world, rng, 1)), min(20, len(pool))))
    for flow in some[:1]:
        found = fixes(world, flow, effort=0)
        check(world, flow, found)
        assert list(smaller(world, flow, found)) == [], f"{flow}: {list(map(str, found.all))}"


THREE = """
vpcs:
  one: {cidrs: [10.1.0.0/16], subnets: {a: 10.1.1.0/24}}
  two: {cidrs: [10.2.0.0/16], subnets: {b: 10.2.1.0/24}}
groups: {sg-a: {rules: []}, sg-b: {rules: [in deny tcp from any priority 1]}, sg-c: {rules: [out allow tcp 80 to any]}}
instances:
  a-1: {subnet: one/a, ip: 10.1.1.11, groups: [sg-a]}
  b-1: {subnet: two/b, ip: 10.2.1.11, groups: [sg-b]}
"""
PAIRS = (
    (THREE, "a-1 -> b-1 tcp/80", 4),
    (THREE.replace("sg-b: {rules: [in deny tcp from any priority 1]}", "sg-b: {rules: []}"), "a-1 -> b-1 tcp/80", 3),
    (THREE + "blocks: {a-1: abuse, b-1: abuse}\n", "b-1 -> a-1 udp/53", 5),
)


@pytest.mark.parametrize(("text", "query", "size"), PAIRS, ids=[str(size) for _, _, size in PAIRS])
def test_where_a_fix_is_three_edits_or_more_no_two_do(text: str, query: str, size: int) -> None:
    world = parse(text, "world.yaml")
    flow = world.flow(Query.parse(query))
    found = fixes(world, flow)
    check(world, flow, found)
    assert len(found.all[0].edits) == size
    assert list(smaller(world, flow, found)) == []
    assert list(smaller_pairs(world, flow)) == []


@pytest.mark.parametrize(("bound", "value", "most"), [("LISTED", 1, 1), ("TRIED", 1, 1), ("LISTED", 2, 2)])
def test_what_was_left_out_for_being_too_much_is_said(
    bound: str, value: int, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = worldfile.read(EXAMPLES / "rules-that-come-near.yaml")
    flow = world.flow(Query.parse("web-1 -> db tcp/3306"))
    whole = fixes(world, flow)
    assert whole.is_whole
    assert len(whole.all) == 2
    monkeypatch.setattr(search, bound, value)
    found = fixes(world, flow)
    assert len(found.all) <= most
    assert found.is_whole is (found.all == whole.all)
