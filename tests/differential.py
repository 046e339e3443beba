"""One random world, three judges: the evaluator, the oracle and the kernel.

The kernel answers twice: by whether the packet arrived, and by the hit counters, which must name the very rules that
the evaluator names.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping

from ringfence.lab.lab import Lab
from ringfence.model.flow import Flow
from ringfence.model.profile import ALIBABA, HUAWEI, Profile
from ringfence.model.rule import Action
from ringfence.model.world import World
from ringfence.policy.evaluate import Policy
from ringfence.policy.verdict import Stage, Verdict
from tests.oracle import allowed, reason
from tests.worlds import random_flows, random_world

PROFILES: Mapping[str, Profile] = {"huawei": HUAWEI, "alibaba": ALIBABA}


def differences(lab: Lab, seed: int, count: int) -> Iterator[str]:
    """Enforce the world of a seed, send ``count`` first packets, and tell every difference with both explanations."""
    rng = random.Random(seed)
    world = random_world(rng, lab.world.profile)
    flows = random_flows(rng, world, count)
    lab.enforce(world)
    policy = Policy(world)
    verdicts = [policy.evaluate(flow) for flow in flows]
    before = hits(lab)
    observations = lab.probe(flows)
    counted = hits(lab) - before
    assert len(observations) == count
    for flow, verdict, observation in zip(flows, verdicts, observations, strict=True):
        assert not observation.failure, f"seed {seed}: {flow}: {observation.failure}"
        if allowed(world, flow) != verdict.allowed:
            yield _told(seed, world, flow, f"evaluator: {verdict}")
        if observation.arrived != verdict.allowed:
            yield _told(
                seed, world, flow, f"packet {'arrived' if observation.arrived else 'dropped'}, model: {verdict}"
            )
    expected = expected_hits(verdicts)
    for rule_id in sorted(set(counted) | set(expected)):
        if counted[rule_id] != expected[rule_id]:
            yield f"seed {seed}: {rule_id} decided {expected[rule_id]} packets, its counter says {counted[rule_id]}"


def hits(lab: Lab) -> Counter[str]:
    """Hits by rule id over all VPCs of a lab."""
    parts = [lab.driver(vpc).counters() for vpc in lab.world.vpcs]
    return sum((Counter({key: hit.packets for key, hit in part.items()}) for part in parts), Counter())


def expected_hits(verdicts: list[Verdict]) -> Counter[str]:
    """What the counters should say: a packet comes to the second gate only if the first let it through."""
    found: Counter[str] = Counter()
    for verdict in verdicts:
        for step in verdict.steps:
            if step.stage in (Stage.EGRESS, Stage.INGRESS):
                found[step.rule_id] += 1
            if step.action is Action.DENY:
                break
    return found


def _told(seed: int, world: World, flow: Flow, what: str) -> str:
    return f"seed {seed}: {flow}\n  {what}\n  oracle: {reason(world, flow)}"
