"""The plan says what the evaluator says, and says it the same way every time."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.backends.nftables.render import render
from ringfence.backends.nftables.ruleset import Ruleset, difference
from ringfence.compile.boxes import ANY_PORT, ANY_PROTOCOL
from ringfence.compile.classes import RESERVED, class_ids, subnet_numbers
from ringfence.compile.compiler import compile_world
from ringfence.compile.plan import OUTSIDE_CLASS
from ringfence.compile.prefixes import PrefixGroup, prefixes_of
from ringfence.model.address import Address, AddressRange, Family
from ringfence.model.flow import EPHEMERAL, Flow
from ringfence.model.profile import ALIBABA, HUAWEI, GroupOrder, Profile
from ringfence.model.service import ICMP, ICMPV6, TCP, UDP
from ringfence.model.world import World
from ringfence.policy.decisions import PolicyClass
from ringfence.policy.evaluate import Policy, evaluate
from ringfence.policy.verdict import Stage
from tests.compile.walk import box_of
from tests.full_worlds import full_worlds
from tests.policy.build import ask, build
from tests.policy.draw import chances, flows_of, worlds
from tests.policy.edits import shuffled, with_profile

STAGES = (Stage.EGRESS, Stage.ACL_EGRESS, Stage.PEERING, Stage.BORDER, Stage.ACL_INGRESS, Stage.INGRESS)


def from_a_port(flow: Flow) -> Flow:
    """The flow with its source port named, at an edge of those that programs use, if it has one."""
    return replace(flow, source_port=EPHEMERAL.first) if flow.service.protocol.has_ports else flow


def rendered(world: World) -> dict[str, str]:
    """The whole text that each VPC's kernel would get."""
    plans = compile_world(world).vpcs
    return {name: "\n".join(difference("t", Ruleset(), render(plan))) for name, plan in plans.items()}


@settings(max_examples=60, deadline=None)
@given(worlds() | full_worlds())
def test_the_plan_gives_the_verdict_and_the_rule_of_the_evaluator(world: World) -> None:
    """At every stage of the way that has a decision list."""
    policy, plan = Policy(world), compile_world(world)
    for flow in map(from_a_port, flows_of(world, 60)):
        for step in policy.evaluate(flow).steps:
            if step.stage in STAGES and (flow.destination.vpc or step.stage is not Stage.PEERING):
                box = box_of(plan, step, flow)
                assert (box.action, box.rule_id) == (step.action, step.rule_id), f"{flow} at {step.stage}"


@settings(max_examples=25, deadline=None)
@given(worlds())
def test_each_kind_of_packet_has_boxes_of_its_own_protocols(world: World) -> None:
    """A backend may look up one kind after the other: no box may match a packet of another kind by mistake."""
    alien = {Family.IPV4: ICMPV6, Family.IPV6: ICMP}
    for plan in compile_world(world).vpcs.values():
        gates = [gate for entry in plan.classes for gate in entry.gates.values()]
        boxes = [(kind, box) for gate in gates for kind, layers in gate.items() for layer in layers for box in layer]
        for kind, box in boxes:
            if box.protocols != ANY_PROTOCOL:
                assert box.protocols[0] == box.protocols[1] != alien[kind.family]
                assert (box.protocols[0] in (TCP, UDP)) is kind.ported
            assert kind.ported or box.ports == ANY_PORT
            assert kind.ported or box.sources == ANY_PORT
            assert max(box.addresses[1], box.locals[1]) <= kind.family.top


@settings(max_examples=25, deadline=None)
@given(worlds(), chances())
def test_the_order_in_which_a_world_is_said_does_not_show(world: World, chance: random.Random) -> None:
    aggregate = all(vpc.profile.group_order is GroupOrder.AGGREGATE for vpc in world.vpcs.values())
    again = shuffled(world, chance, memberships=aggregate)
    assert repr(compile_world(again)) == repr(compile_world(world))
    assert rendered(again) == rendered(world)


def test_the_order_of_groups_shows_only_in_sequence() -> None:
    """Two ports with the same groups in another order: one class under `aggregate`, two under `sequence`."""
    world = build(HUAWEI, "a: g1 g2; b: g2 g1; c: g1", {"g1": "in allow tcp 22 from any", "g2": "in deny all from any"})
    for order, count in ((GroupOrder.AGGREGATE, 2), (GroupOrder.SEQUENCE, 3)):
        plan = compile_world(with_profile(world, lambda it, order=order: replace(it, group_order=order)))  # type: ignore[misc]
        assert len(plan.vpcs["main"].classes) == count


_SCRIPT = """
import hashlib, random
from tests.compile.test_plan import rendered
from tests.worlds import random_world
from ringfence.model.profile import PROFILES
for profile in PROFILES.values():
    for seed in range(4):
        print(hashlib.sha256(repr(rendered(random_world(random.Random(seed), profile))).encode()).hexdigest())
"""


def test_another_process_with_another_hash_seed_says_the_same() -> None:
    outputs = {
        subprocess.run(
            [sys.executable, "-c", _SCRIPT],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1
    assert len(set(outputs.pop().split())) == 8


names = st.text("abcdefgh", min_size=1, max_size=4)
group_lists = st.lists(names, min_size=1, max_size=3, unique=True).map(tuple)
classes = st.sets(st.builds(PolicyClass, st.sampled_from(["v", "w"]), group_lists), max_size=30)


@settings(max_examples=100, deadline=None)
@given(classes, classes)
def test_a_class_keeps_its_number_whatever_else_comes(some: set[PolicyClass], more: set[PolicyClass]) -> None:
    before, after = class_ids(some), class_ids(some | more)
    assert {of: after[of] for of in some} == before
    assert len(set(after.values())) == len(after)
    assert OUTSIDE_CLASS not in after.values()


@settings(max_examples=50, deadline=None)
@given(st.sets(names), st.sets(names))
def test_a_subnet_keeps_its_number_whatever_else_comes(some: set[str], more: set[str]) -> None:
    """Else an ACL elsewhere would lead a packet under way from the number of one subnet to the ACL of another."""
    before, after = subnet_numbers(some), subnet_numbers(some | more)
    assert {name: after[name] for name in some} == before
    assert len(set(after.values())) == len(after)
    assert RESERVED.isdisjoint(after.values())


TWINS = ("g110395", "g56592")
"""Two names whose classes have the same 32 bits of hash, found by search; the next test proves it."""


def test_two_classes_with_one_hash_are_told_apart() -> None:
    one, two = (PolicyClass("main", (name,)) for name in TWINS)
    hashed = int.from_bytes(hashlib.sha256(f"main\nintranet\n{TWINS[0]}".encode()).digest()[:4])
    assert class_ids([one]) == {one: hashed}
    assert class_ids([two]) == {two: hashed}
    assert class_ids([one, two]) == class_ids([two, one]) == {one: hashed, two: hashed + 1}


@pytest.mark.parametrize("profile", [HUAWEI, ALIBABA], ids=lambda profile: profile.name)
def test_policies_of_two_classes_with_one_hash_do_not_mix(profile: Profile) -> None:
    one, two = TWINS
    groups = {one: "in allow all from any; out allow all to any", two: "in deny all from any; out allow all to any"}
    guard = f"in allow tcp 22 from group {one}; in deny tcp 22 from any priority 2"
    world = build(profile, f"a: {one}; b: {two}; c: guarded", {**groups, "guarded": guard})
    plan = compile_world(world)
    for family in Family:
        for text in ("a -> c tcp/22", "b -> c tcp/22", "b -> a tcp/22", "a -> b tcp/22"):
            flow = from_a_port(ask(world, text, family))
            step = evaluate(world, flow).steps[-1]
            assert box_of(plan, step, flow).action is step.action
        assert evaluate(world, ask(world, "a -> c tcp/22", family)).allowed
        assert not evaluate(world, ask(world, "b -> c tcp/22", family)).allowed


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 300), st.integers(0, 90)), max_size=6),
    st.sampled_from([0, Family.IPV6.top - 400]),
)
def test_an_address_group_is_cut_into_prefixes_with_the_same_members(drawn: list[tuple[int, int]], base: int) -> None:
    entries = [AddressRange(Family.IPV6, base + first, base + first + more) for first, more in drawn]
    prefixes = PrefixGroup(entries).prefixes
    members = [address for prefix in prefixes for address in range(prefix.range.first, prefix.range.last + 1)]
    assert set(members) == {value for entry in entries for value in range(entry.first, entry.last + 1)}
    assert list(prefixes) == sorted(set(prefixes))
    assert all(Address(prefix.family, prefix.network) in prefix for prefix in prefixes)


def test_the_longest_ranges_are_one_prefix() -> None:
    for family in Family:
        assert [str(each) for each in prefixes_of(AddressRange.all(family))] == [("0.0.0.0/0", "::/0")[family == 6]]
