"""Laws of the evaluator, each on random worlds of both profiles."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.model.address import Family, Prefix
from ringfence.model.flow import Flow
from ringfence.model.profile import GroupOrder
from ringfence.model.rule import Action, Direction, Rule
from ringfence.model.world import World
from ringfence.policy.evaluate import Policy
from ringfence.policy.verdict import Stage, Step, Verdict
from tests import oracle
from tests.policy.draw import chances, flows_of, worlds
from tests.policy.edits import edit_groups, shuffled, with_memberships, with_profile, with_rule, with_rules

OTHER = {Action.ALLOW: Action.DENY, Action.DENY: Action.ALLOW}
GATES = (Stage.EGRESS, Stage.INGRESS)

law = settings(max_examples=20, deadline=None)


def judge(world: World, flows: Iterable[Flow]) -> list[Verdict]:
    policy = Policy(world)
    return [policy.evaluate(flow) for flow in flows]


def told(verdicts: Iterable[Verdict]) -> list[dict[str, object]]:
    return [verdict.as_json() for verdict in verdicts]


def any_rule(world: World, chance: random.Random) -> tuple[str, Rule]:
    """A group, and a rule from anywhere in the world, perhaps with another priority."""
    rules = [rule for group in world.groups.values() for rule in group.rules] or [Rule.parse("in deny all from any")]
    priority = chance.choice([1, 2, 50, 100])
    return chance.choice(list(world.groups)), replace(
        chance.choice(rules), priority=priority, enabled=True, given_id=""
    )


def decided(world: World, verdicts: Iterable[Verdict]) -> Iterator[tuple[Verdict, Step, Rule]]:
    """Each step that a rule decided, and that rule."""
    for verdict in verdicts:
        for step in verdict.steps:
            if step.stage in GATES and step.group and (rule := world.groups[step.group].by_id.get(step.rule_id)):
                yield verdict, step, rule


def step_again(world: World, verdict: Verdict, step: Step) -> Step:
    """What the same stage says of the same flow in another world."""
    return next(again for again in Policy(world).evaluate(verdict.flow).steps if again.stage is step.stage)


@law
@given(worlds(), chances())
def test_deny_beats_allow_on_a_tie(world: World, chance: random.Random) -> None:
    for verdict, step, rule in decided(world, judge(world, flows_of(world, 15))):
        twin = replace(rule, action=OTHER[rule.action], given_id="")
        again = step_again(with_rule(world, step.group, twin), verdict, step)
        decider = twin if twin.action is Action.DENY else rule
        assert again.rule_id == decider.id_in(step.group)
        assert again.action is Action.DENY


@law
@given(worlds(), chances())
def test_the_smaller_priority_number_wins(world: World, chance: random.Random) -> None:
    for verdict, step, rule in decided(world, judge(world, flows_of(world, 15))):
        other = replace(rule, action=OTHER[rule.action], given_id="")
        rival, weaker = (replace(other, priority=min(max(rule.priority + by, 1), 100)) for by in (-1, 1))
        if rival.priority < rule.priority:
            assert step_again(with_rule(world, step.group, rival), verdict, step).rule_id == rival.id_in(step.group)
        if weaker.priority > rule.priority:
            again = step_again(with_rule(world, step.group, weaker), verdict, step)
            assert again.rule_id == step.rule_id
            assert weaker.id_in(step.group) in {late.rule_id for late in again.late}


@law
@given(worlds(), chances())
def test_one_more_allow_never_removes_reachability(world: World, chance: random.Random) -> None:
    group, rule = any_rule(world, chance)
    flows = flows_of(world)
    after = judge(with_rule(world, group, replace(rule, action=Action.ALLOW)), flows)
    for before, now in zip(judge(world, flows), after, strict=True):
        assert now.allowed or not before.allowed, f"{rule} in {group}: {before}, then {now}"


@law
@given(worlds(), chances())
def test_one_more_deny_never_adds_reachability(world: World, chance: random.Random) -> None:
    group, rule = any_rule(world, chance)
    flows = flows_of(world)
    after = judge(with_rule(world, group, replace(rule, action=Action.DENY)), flows)
    for before, now in zip(judge(world, flows), after, strict=True):
        assert before.allowed or not now.allowed, f"{rule} in {group}: {before}, then {now}"


@law
@given(worlds(), chances())
def test_a_disabled_rule_is_an_absent_one(world: World, chance: random.Random) -> None:
    flows = flows_of(world)
    off = {id(rule) for group in world.groups.values() for rule in group.rules if chance.random() < 0.5}
    disabled = edit_groups(
        world,
        lambda group: replace(
            group, rules=tuple(replace(it, enabled=False) if id(it) in off else it for it in group.rules)
        ),
    )
    absent = edit_groups(
        world, lambda group: replace(group, rules=tuple(it for it in group.rules if id(it) not in off))
    )
    assert told(judge(disabled, flows)) == told(judge(absent, flows))


@law
@given(worlds(), chances())
def test_the_order_in_which_a_world_is_said_never_matters(world: World, chance: random.Random) -> None:
    flows = flows_of(world)
    aggregate = all(vpc.profile.group_order is GroupOrder.AGGREGATE for vpc in world.vpcs.values())
    assert told(judge(shuffled(world, chance, memberships=aggregate), flows)) == told(judge(world, flows))


@law
@given(worlds(), chances())
def test_a_rule_says_nothing_about_flows_between_ports_of_other_groups(world: World, chance: random.Random) -> None:
    group, rule = any_rule(world, chance)
    ends = [{*port.groups} for port in world.ports]
    flows = [
        flow
        for flow in flows_of(world)
        if all(group not in port.groups for end in (flow.source, flow.destination) if (port := world.port_at(end)))
    ]
    assert ends
    assert told(judge(with_rule(world, group, rule), flows)) == told(judge(world, flows))


@law
@given(worlds(), chances(), st.sampled_from(list(Family)))
def test_a_rule_of_one_family_says_nothing_about_the_other(world: World, chance: random.Random, family: Family) -> None:
    group, rule = any_rule(world, chance)
    if family not in rule.protocol.families:
        rule = replace(rule, protocol=type(rule.protocol)(None))
    local = rule.local if rule.local and rule.local.family is family else None
    remote = Prefix(family, 0, chance.choice([0, 1]))
    edited = with_rule(world, group, replace(rule, remote=remote, local=local))
    flows = flows_of(world)
    for flow, before, now in zip(flows, judge(world, flows), judge(edited, flows), strict=True):
        assert flow.family is family or now.as_json() == before.as_json()


@law
@given(worlds(), st.sampled_from(list(Direction)))
def test_the_two_gates_are_independent(world: World, kept: Direction) -> None:
    one_sided = edit_groups(
        world, lambda group: replace(group, rules=tuple(rule for rule in group.rules if rule.direction is kept))
    )
    flows = flows_of(world)
    for before, now in zip(judge(world, flows), judge(one_sided, flows), strict=True):
        assert [step.stage for step in before.steps] == [step.stage for step in now.steps]
        other = Stage.EGRESS if kept is Direction.INGRESS else Stage.INGRESS
        assert [it for it in before.steps if it.stage is not other] == [it for it in now.steps if it.stage is not other]


@law
@given(worlds())
def test_a_flow_is_allowed_if_every_stage_allows_and_the_first_that_denies_decides(world: World) -> None:
    for verdict in judge(world, flows_of(world)):
        denials = [step for step in (*verdict.steps, *verdict.back) if step.action is Action.DENY]
        assert verdict.allowed is (not denials)
        assert verdict.decided_by is (denials[0] if denials else verdict.steps[-1])


@law
@given(worlds())
def test_sequence_and_aggregate_agree_on_one_group_a_port(world: World) -> None:
    single = with_memberships(world, lambda names: names[:1])
    flows = flows_of(world)
    answers = [
        told(judge(with_profile(single, lambda it, order=order: replace(it, group_order=order)), flows))  # type: ignore[misc]
        for order in GroupOrder
    ]
    assert answers[0] == answers[1]


@law
@given(worlds())
def test_sequence_and_aggregate_agree_where_nothing_is_denied_by_a_rule(world: World) -> None:
    for group in world.groups.values():
        world = with_rules(world, group.name, [rule for rule in group.rules if rule.action is Action.ALLOW])
    flows = flows_of(world)
    sequence, aggregate = (
        [it.allowed for it in judge(with_profile(world, lambda it, order=order: replace(it, group_order=order)), flows)]  # type: ignore[misc]
        for order in (GroupOrder.SEQUENCE, GroupOrder.AGGREGATE)
    )
    assert sequence == aggregate


@settings(law, max_examples=50)
@given(worlds())
def test_evaluate_agrees_with_the_oracle(world: World) -> None:
    for verdict in judge(world, flows_of(world, 100)):
        assert verdict.allowed is oracle.allowed(world, verdict.flow), (
            f"{verdict}; {oracle.reason(world, verdict.flow)}"
        )
