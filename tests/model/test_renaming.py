"""The same world under other names: there and back, verdicts as before, and never two things with one name."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from ringfence.errors import NotationError
from ringfence.model.flow import Endpoint, Flow
from ringfence.model.renaming import KINDS, renamed
from ringfence.model.service import Service
from ringfence.model.validation import problems
from ringfence.model.world import World
from ringfence.policy.evaluate import Policy
from tests.full_worlds import full_worlds
from tests.strategies import worlds

Pairs = dict[str, dict[str, str]]
SERVICES = [Service.parse(text) for text in ("tcp/80", "tcp/22", "udp/53", "tcp/25", "gre")]


def mentioned(world: World) -> dict[str, list[str]]:
    """Every name of a world, by kind."""
    found = {kind: list(getattr(world, kind)) for kind in KINDS if kind != "subnets"}
    return found | {"subnets": [f"{vpc.name}/{name}" for vpc in world.vpcs.values() for name in vpc.subnets]}


@st.composite
def renamings(draw: DrawFn, world: World) -> Pairs:
    """New names for some things: some exchange their names, some get new ones."""
    pairs: Pairs = {}
    for kind, names in mentioned(world).items():
        fresh = [f"{kind[:2]}-neu-{number}" for number in range(len(names))]
        pool = fresh if kind in ("subnets", "instances", "outside", "virtual_ips") else [*names, *fresh]
        chosen = draw(st.permutations(pool))[: len(names)]
        kept = draw(st.lists(st.booleans(), min_size=len(names), max_size=len(names))) if pool is fresh else []
        pairs[kind] = dict(zip(names, chosen, strict=True))
        for name, keep in zip(names, kept, strict=False):
            if keep:
                del pairs[kind][name]
    return pairs


def back(pairs: Pairs) -> Pairs:
    """The renaming that undoes another one."""
    undone = {kind: {new: old for old, new in names.items()} for kind, names in pairs.items() if kind != "subnets"}
    subnets = {}
    for place, new in pairs.get("subnets", {}).items():
        vpc, _, old = place.partition("/")
        subnets[f"{pairs.get('vpcs', {}).get(vpc, vpc)}/{new}"] = old
    return undone | {"subnets": subnets}


def ends(world: World) -> list[Endpoint]:
    ports = [Endpoint(address, port.vpc) for port in world.ports for address in port.addresses]
    vips = [Endpoint(address, vip.vpc) for vip in world.virtual_ips.values() for address in vip.addresses]
    return [*ports, *vips, *(Endpoint(address) for host in world.outside.values() for address in host.addresses)]


def flows(world: World) -> list[Flow]:
    pairs = [pair for pair in permutations(ends(world), 2) if pair[0].address.family is pair[1].address.family]
    return [Flow(*pair, service) for pair in pairs for service in SERVICES]


def told(policy: Policy, flow: Flow, vpcs: dict[str, str]) -> list[tuple[str, str, bool]]:
    source, destination = (replace(end, vpc=vpcs.get(end.vpc, end.vpc)) for end in (flow.source, flow.destination))
    verdict = policy.evaluate(Flow(source, destination, flow.service))
    way = [(step.stage.value, step.action.value, step.rule_id.startswith("default")) for step in verdict.steps]
    return [*way, *((step.stage.value, step.action.value, True) for step in verdict.back)]


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_renaming_there_and_back_is_the_identity_and_changes_no_verdict(data: st.DataObject) -> None:
    world = data.draw(full_worlds())
    pairs = data.draw(renamings(world))
    other = renamed(world, pairs)
    assert renamed(other, back(pairs)) == world
    assert problems(other) == ()  # so nothing is mentioned by its old name
    one, two = Policy(world), Policy(other)
    for flow in flows(world)[:150]:
        assert told(one, flow, {}) == told(two, flow, pairs["vpcs"])


@settings(max_examples=15, deadline=None)
@given(worlds(), st.data())
def test_a_renaming_that_would_make_two_things_one_is_refused(world: World, data: st.DataObject) -> None:
    ends = ("instances", "virtual_ips", "outside")
    all_of = [(kind, name) for kind, names in mentioned(world).items() for name in names]
    kind, name = data.draw(st.sampled_from(all_of))
    kinds = ends if kind in ends else (kind,)
    rivals = [other for each, other in all_of if each in kinds and (each, other) != (kind, name)]
    if kind == "subnets":
        vpc = name.partition("/")[0]
        rivals = [other.partition("/")[2] for other in rivals if other.partition("/")[0] == vpc]
    for rival in rivals:
        with pytest.raises(NotationError, match=r"would be|has a dot"):
            renamed(world, {kind: {name: rival}})


@pytest.mark.parametrize(
    ("kind", "name", "match"),
    [
        ("groups", "to", "word of the rule notation"),
        ("groups", "a b", "is not a name"),
        ("instances", "web.1", "has a dot"),
        ("outside", "203.0.113.7", "has a dot"),
        ("address_groups", "10.0.0.1", "reads as an address"),
        ("ports", "eth0", "nothing that has a name"),
    ],
)
def test_a_name_that_would_be_misread_is_refused(kind: str, name: str, match: str) -> None:
    with pytest.raises(NotationError, match=match):
        renamed(World(), {kind: {"old": name}})
