"""Laws of world files in the service: what was applied is what is exported, and applying it again changes nothing."""

from __future__ import annotations

import random
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from ringfence import worldfile
from ringfence.control.authority import OPERATOR
from ringfence.control.caller import Caller
from ringfence.control.planning import plan
from ringfence.model.group import DEFAULT_GROUP, SecurityGroup
from ringfence.model.rule import GroupRemote, Rule
from ringfence.model.world import World, by_name
from ringfence.policy.evaluate import Policy
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource
from ringfence.resources.state import State
from tests.declare.desk import Desk, bare, said
from tests.full_worlds import full_worlds
from tests.worlds import random_flows

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.yaml"))
NOT_ALONE = {"group-of-other-account.yaml", "managed-rules.yaml"}
"""Files about others: an account cannot make those alone."""
LAW = settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
OPERATORS = Caller(OPERATOR, operator=True)
TENANT = Caller("tenant-1", operator=True, home=OPERATOR)
"""The operator acting on a tenant: a tenant's file may name blocks, which only operators set."""


def _one_line(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _own_rule(rule: Rule) -> Rule:
    remote = GroupRemote(rule.remote.name) if isinstance(rule.remote, GroupRemote) else rule.remote
    return replace(rule, remote=remote, managed="", description=_one_line(rule.description))


def _own_group(group: SecurityGroup) -> SecurityGroup:
    return replace(
        group,
        account="",
        managed="",
        rules=tuple(map(_own_rule, group.rules)),
        description=_one_line(group.description),
        tags={},
    )


@st.composite
def own_worlds(draw: st.DrawFn) -> World:
    """Valid worlds that one account can have all by itself, with texts as the service takes them."""
    world = draw(full_worlds())
    acls = by_name(replace(acl, description=_one_line(acl.description)) for acl in world.acls.values())
    penalties = by_name(replace(it, reason=_one_line(it.reason)) for it in world.penalties.values())
    return replace(world, groups=by_name(map(_own_group, world.groups.values())), acls=acls, penalties=penalties)


def _with_settings(world: World) -> State:
    return State.of(1, [Resource(Kind.SETTINGS, Kind.SETTINGS.value, OPERATOR, world.profile)])


@pytest.mark.parametrize("caller", [OPERATORS, TENANT], ids=lambda caller: str(caller.account))
@pytest.mark.parametrize("path", [it for it in EXAMPLES if it.name not in NOT_ALONE], ids=lambda path: str(path.stem))
def test_examples_come_back(path: Path, caller: Caller) -> None:
    world = worldfile.read(path)
    made = plan(_with_settings(world), caller, world, "now")
    exported = made.views[1].own
    assert bare(exported) == said(world)
    assert worldfile.parse(worldfile.dump(exported), "exported") == exported
    assert plan(made.after, caller, exported, "later").changes == ()


@LAW
@given(own_worlds(), st.sampled_from([OPERATORS, TENANT]))
def test_what_is_planned_is_what_the_file_says(world: World, caller: Caller) -> None:
    made = plan(_with_settings(world), caller, world, "2026-11-22T10:00:00.000Z")
    assert bare(made.views[1].own) == said(world)
    assert plan(made.after, caller, made.views[1].own, "later").changes == ()
    stored = [change.after for change in made.changes if change.after]
    for resource in stored:
        assert Resource.parse(resource.text()) == resource
    back = made.after.after(2, [change.reversed for change in reversed(made.changes)])
    assert back.world == made.before.world


@settings(LAW, max_examples=6)
@given(st.lists(own_worlds(), min_size=2, max_size=3))
def test_one_file_after_the_other(worlds: list[World]) -> None:
    """On a real store: each file leads to what it says, whatever was before, in one revision."""
    directory = tempfile.TemporaryDirectory()  # no fixture: hypothesis would print it with a failure
    desk = Desk(Path(directory.name))
    me = desk.caller()
    try:
        for world in worlds:
            assume(_can_follow(desk.export(me), world))
            before = desk.control.state.revision
            made = desk.apply(me, world)
            assert desk.control.state.revision == before + bool(made.plan.changes)
            assert bare(desk.export(me)) == said(world)
            assert desk.apply(me, desk.export(me)).plan.changes == ()
        number, rows = desk.store.load()
        assert State.of(number, (Resource.parse(row.body) for row in rows)).world == desk.control.state.world
    finally:
        desk.store.close()
        directory.cleanup()


def _can_follow(before: World, after: World) -> bool:
    """Whether nothing changes that only a new VPC or subnet could have, and no default group would be left over."""
    return after.groups.keys() >= before.groups.keys() & {DEFAULT_GROUP} and all(
        before.vpcs[name].network is vpc.network
        and all(before.vpcs[name].subnets[it].nic is subnet.nic
                for it, subnet in vpc.subnets.items() if it in before.vpcs[name].subnets)
        for name, vpc in after.vpcs.items()
        if name in before.vpcs
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_verdicts_stay_whoever_has_the_world(seed: int) -> None:
    """What a world in names says is what the service's world in made-up ids says, for the same packets."""
    rng = random.Random(seed)
    world = worldfile.read(rng.choice([path for path in EXAMPLES if path.name not in NOT_ALONE]))
    made = plan(_with_settings(world), TENANT, world, "now")
    flows = random_flows(rng, world, 40)
    ids = {
        change.after.name: change.after.id for change in made.changes if change.after and change.key.kind is Kind.VPC
    }
    named, real = Policy(world), Policy(made.after.world)
    for flow in flows:
        ends = (replace(end, vpc=ids.get(end.vpc, "")) for end in (flow.source, flow.destination))
        source, destination = ends
        moved = replace(flow, source=source, destination=destination)
        assert named.evaluate(flow).action is real.evaluate(moved).action, str(flow)
