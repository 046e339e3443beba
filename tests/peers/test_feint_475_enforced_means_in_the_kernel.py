"""feint#475, CloudStack#4351: the API said that a group was attached, and the host had no rule of it.

Here "enforced" means that the kernel, read back by a driver that remembers nothing, holds the plan; and what the kernel
did not take is an error, never a success.
"""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import permutations

import pytest

from ringfence.compile.plan import Gate, VpcPlan
from ringfence.errors import CannotRun, KernelRefused
from ringfence.lab.lab import Lab
from ringfence.model.address import Family
from ringfence.model.world import World
from ringfence.policy.evaluate import evaluate
from tests.peers.asking import VPC, audited, command, fresh_driver, passing, plan_of
from tests.peers.drawing import SIX, draw
from tests.policy.build import ask

pytestmark = pytest.mark.packets

WORLD = SIX
STEPS = 12


def differing(lab: Lab, world: World) -> list[str]:
    """What a fresh driver finds different between the kernel and what a world means."""
    return audited(lab, plan_of(world))


def test_after_every_change_the_kernel_holds_what_was_asked_for(lab: Lab, family: Family) -> None:
    """Twelve changes of everything a family, each read back and each tried with packets."""
    allowed = denied = 0
    for step in range(STEPS):
        chance = random.Random(f"{family} {step}")
        world = draw(chance)
        flows = [f"{one} -> {two} udp/{chance.randint(1, 7)}" for one, two in permutations("abcd", 2)]
        assert lab.enforce(world) > 0
        assert differing(lab, world) == []
        expected = {flow for flow in flows if evaluate(world, ask(world, flow, family)).allowed}
        assert passing(lab, family, flows) == expected
        allowed, denied = allowed + len(expected), denied + len(flows) - len(expected)
    assert min(allowed, denied) > STEPS // 2


def test_a_readback_tells_a_change_that_did_not_take_place(lab: Lab) -> None:
    """That the test above can fail: the audit of a world that is not the one enforced is never empty."""
    for step in range(10):
        lab.enforce(draw(random.Random(f"one {step}")))
        assert differing(lab, draw(random.Random(f"another {step}"))) != []


def agree(lab: Lab, family: Family) -> bool:
    """Whether packets do what the model says of the world that the lab says it enforces."""
    flows = [f"{one} -> {two} udp/{port}" for one, two in permutations("abcdef", 2) for port in (1, 6)]
    return passing(lab, family, flows) == {
        it for it in flows if evaluate(lab.world, ask(lab.world, it, family)).allowed
    }


def test_a_table_taken_away_is_no_reason_to_believe_it_is_there(lab: Lab, family: Family) -> None:
    """Somebody flushed the VPC's namespace under the driver. The same world again is then no change of nothing."""
    world = draw(random.Random(f"flushed {family}"))
    lab.enforce(world)
    assert lab.enforce(world) == 0
    command(lab.names.vpc(VPC), "nft", "flush", "ruleset")  # of the run's own namespace
    assert lab.enforce(world) > 0
    assert differing(lab, world) == []
    assert agree(lab, family)


def impossible(plan: VpcPlan) -> VpcPlan:
    """A plan that no kernel takes: the layers of every gate pressed into one, in which boxes overlap."""

    def pressed(gate: Gate) -> Gate:
        return {
            kind: (tuple(sorted(box for layer in layers[:-1] for box in layer)), layers[-1])
            for kind, layers in gate.items()
            if len(layers) > 2
        } | {kind: layers for kind, layers in gate.items() if len(layers) <= 2}

    return replace(
        plan,
        classes=tuple(
            replace(it, gates={direction: pressed(gate) for direction, gate in it.gates.items()}) for it in plan.classes
        ),
    )


def test_a_change_that_the_kernel_refuses_is_no_success(lab: Lab, family: Family) -> None:
    """It is an error each time, what was enforced stays in force, and the next good change is taken."""
    before, wanted = (draw(random.Random(f"{name} {family}")) for name in ("before", "wanted"))
    lab.enforce(before)
    broken = impossible(plan_of(wanted))
    for driver in (lab.driver(VPC), lab.driver(VPC), fresh_driver(lab)):
        with pytest.raises(KernelRefused):
            driver.apply(broken)
        assert differing(lab, before) == []
    driver.close()
    assert agree(lab, family)
    assert lab.enforce(wanted) > 0
    assert differing(lab, wanted) == []
    assert agree(lab, family)


def test_another_process_enforced_something_else_in_between(lab: Lab) -> None:
    """Two take hold of one lab, as `Lab.attach` allows; what the first enforces then is in force all the same."""
    one, two, three = (draw(random.Random(f"{name} of three")) for name in ("one", "two", "three"))
    other = Lab.attach(lab.names.lab)
    lab.enforce(one)
    other.enforce(two)
    other.close()
    lab.enforce(three)
    assert differing(lab, three) == []


def test_a_namespace_that_is_gone_is_no_success(lab_name: str) -> None:
    lab = Lab.up(WORLD, lab_name)
    command(lab.names.internet, "ip", "netns", "del", lab.names.vpc(VPC))
    with pytest.raises(CannotRun, match="no network namespace"):
        lab.enforce(draw(random.Random(1)))
    assert lab.world is WORLD
    lab.close()
