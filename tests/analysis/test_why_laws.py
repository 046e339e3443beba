"""Laws of the diagnosis on random worlds with everything there is: it says what `evaluate` says, and nothing untrue."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace

from hypothesis import HealthCheck, given, settings

from ringfence import worldfile
from ringfence.analysis.why.diagnosis import Blocker, Diagnosis, diagnosed
from ringfence.analysis.why.lines import Beside, Kind
from ringfence.analysis.why.near import MOST, NearMiss
from ringfence.analysis.why.part import part_of
from ringfence.model.acl import AclRule
from ringfence.model.rule import Action, Rule
from ringfence.model.world import World
from ringfence.policy.evaluate import Policy, evaluate
from ringfence.policy.matching import Respect
from ringfence.policy.verdict import Stage, Step
from tests.full_worlds import full_worlds
from tests.policy.draw import flows_of, worlds

SIDES = {"remote", "local", "source", "destination"}
CHANGED: dict[Kind, set[str]] = {
    Beside.DIRECTION: {"direction", "source", "destination"},
    Beside.INTERFACE: {"nic", "remote"},
    Beside.DISABLED: {"enabled"},
    Beside.PRIORITY: {"priority"},
    Beside.MEMBERSHIP: set(),
    Respect.PROTOCOL: {"protocol", "ports", "source_ports"},
    Respect.FAMILY: {"protocol"} | SIDES,
    Respect.PORT: {"ports"},
    Respect.SOURCE_PORT: {"source_ports"},
    Respect.LOCAL: SIDES - {"remote"},
    Respect.REMOTE: SIDES - {"local"} | {"nic"},  # in the classic network a prefix is the internet's, a group is not
}
"""What a near miss may change of its rule, by what it says that is different."""


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(full_worlds() | worlds())
def test_a_diagnosis_is_true(world: World) -> None:
    policy = Policy(world)
    for flow in flows_of(world, 40):
        found = diagnosed(policy, flow)
        assert found.verdict == policy.evaluate(flow)
        assert [(it.step, it.answer) for it in found.blockers] == list(denying(found))
        assert found.works is found.verdict.allowed is (found.cause is None)
        assert found.cause in {None, *(blocker.cause for blocker in found.blockers)}
        for blocker in found.blockers:
            assert len(blocker.near) <= MOST
            for near in blocker.near:
                is_true(world, found, blocker, near)


def denying(found: Diagnosis) -> Iterator[tuple[Step, bool]]:
    for steps, answer in ((found.verdict.steps, False), (found.verdict.back, True)):
        yield from ((step, answer) for step in steps if step.action is Action.DENY)


def is_true(world: World, found: Diagnosis, blocker: Blocker, near: NearMiss) -> None:
    """The rule is there and does not decide; changed as it is said, and in nothing else, it matches."""
    kinds = {difference.kind for difference in near.differences}
    said = f"{near} at {blocker.step}"
    matched = {blocker.step.rule_id, *(late.rule_id for late in blocker.step.late)}
    assert (near.rule_id in matched) is (kinds == {Beside.PRIORITY}), said
    differing = {it.name for it in fields(near.rule) if getattr(near.rule, it.name) != getattr(near.edited, it.name)}
    assert differing <= {"given_id"}.union(*(CHANGED[kind] for kind in kinds)), said
    step = again(edited(world, blocker, near), found, blocker)
    own = near.edited.id_in(near.group)
    assert own in {step.rule_id, *(late.rule_id for late in step.late)}, said
    assert near.passes is (step.action is Action.ALLOW), said


def again(world: World, found: Diagnosis, blocker: Blocker) -> Step:
    verdict = evaluate(world, found.verdict.flow)
    steps = verdict.back if blocker.answer else verdict.steps
    return next(it for it in steps if (it.stage, it.place) == (blocker.step.stage, blocker.step.place))


def edited(world: World, blocker: Blocker, near: NearMiss) -> World:
    """The world in which the near miss is as it is said that it would match."""
    step, owner, changed = blocker.step, near.group, near.edited
    if isinstance(changed, Rule):
        group = world.groups[owner]
        others = tuple(rule for rule in group.rules if rule.id_in(owner) != near.rule_id)
        world = replace(world, groups={**world.groups, owner: replace(group, rules=(*others, changed))})
        return joined(world, step, owner)
    if step.stage in (Stage.ACL_EGRESS, Stage.ACL_INGRESS):
        acl = world.acls[owner]
        acl = replace(acl, enabled=True, rules=put(acl.rules, near.rule, changed))
        return replace(world, acls={**world.acls, owner: acl})
    if step.stage is Stage.BORDER:
        vpc = world.vpcs[step.place]
        vpc = replace(vpc, border=put(vpc.border, near.rule, changed))
        return replace(world, vpcs={**world.vpcs, step.place: vpc})
    peering = world.peerings[step.place]
    peering = replace(peering, firewall=put(peering.firewall, near.rule, changed))
    return replace(world, peerings={**world.peerings, step.place: peering})


def put(lines: tuple[AclRule, ...], old: object, new: AclRule) -> tuple[AclRule, ...]:
    return tuple(new if line == old else line for line in lines)


def joined(world: World, step: Step, group: str) -> World:
    """The world in which the port that is judged is in a group."""
    port = step.port
    assert port
    if group in port.groups:
        return world
    instance = world.instances[port.instance]
    ports = tuple(replace(it, groups=(*it.groups, group)) if it == port else it for it in instance.ports)
    return replace(world, instances={**world.instances, instance.name: replace(instance, ports=ports)})


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(full_worlds() | worlds())
def test_a_part_of_a_world_read_back_gives_the_same_verdict(world: World) -> None:
    """And it holds no machine that is not at an end."""
    for flow in flows_of(world, 8):
        part = part_of(world, [flow])
        assert len(part.instances) <= 2
        assert part.vpcs.keys() <= world.vpcs.keys()
        assert part.groups.keys() <= world.groups.keys()
        again = worldfile.parse(worldfile.dump(part), "part")
        found = diagnosed(Policy(world), flow)
        assert evaluate(again, flow) == found.verdict
        assert [near.rule_id for it in diagnosed(Policy(again), flow).blockers for near in own(it)] == [
            near.rule_id for it in found.blockers for near in own(it)
        ]


def own(blocker: Blocker) -> Iterator[NearMiss]:
    """The near misses that are not about other machines."""
    return (near for near in blocker.near if near.differences[0].kind is not Beside.MEMBERSHIP)
