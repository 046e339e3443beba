"""felix#724: a set was deleted while a rule still used it, or used before it was there, and the change stood half done.

Here a change is the old policy or the new one, also if the process that makes it is killed at any moment (an unused map
may be left, which judges nothing), and the next change repairs what there is to repair.
"""

from __future__ import annotations

import random
import time
from functools import partial
from statistics import median

import pytest

from ringfence.backends.nftables.library import Nft
from ringfence.compile.plan import VpcPlan
from ringfence.lab.lab import Lab
from ringfence.model.address import Family
from ringfence.model.world import World
from ringfence.policy.evaluate import evaluate
from tests.killing import apply_and_be_killed
from tests.peers.asking import VPC, audited, fresh_driver, passing, plan_of, with_groups
from tests.peers.drawing import GROUPS, SIX, draw
from tests.policy.build import ask

pytestmark = pytest.mark.packets

WORLD = SIX
TRIES = 6


def policy(port: int, seed: int) -> World:
    """Everybody may reach everybody on one port; some hundred other boxes make it long in coming."""
    chance = random.Random(seed)

    def rules() -> list[str]:
        numbers = chance.sample(range(1000, 60000), 25)
        others = [
            f"{way} deny tcp {number} {of} any" for number in numbers for way, of in (("in", "from"), ("out", "to"))
        ]
        return [*others, f"in allow udp {port} from any", f"out allow udp {port} to any"]

    return with_groups(SIX, {group: rules() for group in GROUPS})


def seconds_of_an_apply(lab: Lab, plans: list[VpcPlan]) -> float:
    """How long a change from one of two plans to the other takes."""
    driver, taken = fresh_driver(lab), []
    driver.apply(plans[-1])
    for plan in plans * 2:
        began = time.monotonic()
        assert driver.apply(plan) > 0
        taken.append(time.monotonic() - began)
    driver.close()
    return median(taken)


def only_unused(commands: list[str]) -> bool:
    """Whether all that is to be done is to take maps away, which then nothing refers to."""
    return all(command.startswith("delete map ") for command in commands)


def test_a_kill_at_any_moment_leaves_the_old_policy_or_the_new(lab: Lab, family: Family) -> None:
    """By what the kernel says of itself, and by packets: one of the two ports is open and never both, never neither."""
    worlds = [policy(101, 1), policy(102, 2)]
    plans = [plan_of(world) for world in worlds]
    flows = [f"{one} -> {two} udp/{port}" for one, two in ("ab", "fc") for port in (101, 102)]
    whole = seconds_of_an_apply(lab, plans)
    chance, held, outcomes = random.Random(int(family)), 1, []
    for attempt in range(TRIES):
        old, new = held, 1 - held
        # The first is killed at once, the second when it is through, the others in between.
        moment = {0: 0.0, 1: 20 * whole}.get(attempt, chance.uniform(0, 1.2) * whole)
        apply_and_be_killed(partial(fresh_driver, lab), plans[old], plans[new], moment)
        left = audited(lab, plans[old])
        held = old if only_unused(left) else new
        outcomes.append(held == new)
        assert passing(lab, family, flows) == {flow for flow in flows if flow.endswith(f"/{101 + held}")}
        if held == new:
            left = audited(lab, plans[new])
            assert only_unused(left)
        if left:
            repairing = fresh_driver(lab)
            assert repairing.apply(plans[held]) > 0
            repairing.close()
            assert audited(lab, plans[held]) == []
    assert set(outcomes) == {False, True}, "every kill came too early, or every kill too late"


def test_a_slow_change_is_the_old_policy_and_then_the_new(
    lab: Lab, family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Packets are sent while nftables takes its time between one transaction and the next."""
    worlds = [policy(101, 1), policy(102, 2)]
    flows = [f"{one} -> {two} udp/{port}" for one, two in ("ab", "fc") for port in (101, 102)]
    opened = [{flow for flow in flows if flow.endswith(f"/{port}")} for port in (101, 102)]
    run, seen = Nft.run, list[set[str]]()

    def slow(nft: Nft, commands: str) -> None:
        run(nft, commands)
        seen.append(passing(lab, family, flows))

    lab.enforce(worlds[0])
    with monkeypatch.context() as patch:
        patch.setattr(Nft, "run", slow)
        lab.driver(VPC).apply(plan_of(worlds[1]))
    assert len(seen) == 3
    assert seen == sorted(seen, key=opened.index)
    assert (seen[0], seen[-1]) == tuple(opened)


def test_any_order_of_plans_is_taken(lab: Lab, family: Family) -> None:
    """Twelve plans with hardly anything in common: each is taken, is what the kernel holds, and judges packets."""
    chance = random.Random(f"{family}")
    allowed = denied = 0
    for _ in range(12):
        world = draw(chance)
        lab.enforce(world)
        assert audited(lab, plan_of(world)) == []
        flows = [f"{one} -> {two} udp/{chance.randint(1, 7)}" for one, two in ("ab", "cd", "ef", "af", "bc")]
        expected = {flow for flow in flows if evaluate(world, ask(world, flow, family)).allowed}
        assert passing(lab, family, flows) == expected
        allowed, denied = allowed + len(expected), denied + len(flows) - len(expected)
    assert min(allowed, denied) > 7
