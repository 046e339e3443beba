"""One random world, three judges: the evaluator, the oracle and the kernel.

The kernel answers three times: by whether the packet arrived, by whether an answer came back, and by the hit counters,
which must name the very rules that the evaluator names.
"""

from __future__ import annotations

import math
import random
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from ringfence.lab import conntrack
from ringfence.lab.lab import Lab
from ringfence.model.address import Family
from ringfence.model.flow import Flow
from ringfence.model.rule import Action
from ringfence.model.service import Protocol, Service
from ringfence.model.world import World
from ringfence.policy.evaluate import Policy
from ringfence.policy.verdict import Stage, Step, Verdict
from tests import oracle
from tests.topologies import Topology
from tests.worlds import random_flows, random_world

_COUNTED = frozenset(Stage) - {Stage.LOCAL, Stage.ROUTE}
"""The stages at which a rule of the kernel decides."""
_PART = 100
"""So many packets at a time: together they take less than a second, after which guests would repeat theirs."""
_ACLS = (Stage.ACL_EGRESS, Stage.ACL_INGRESS)
_SURE_TO_ANSWER = (Protocol.TCP, Protocol.ICMP, Protocol.ICMPV6)
"""Guests answer each packet of these themselves: with a reset where nothing listens, or with an echo."""


def disagreements(world: World, flows: Iterable[Flow], seed: int) -> Iterator[str]:
    """Every flow of which evaluator and oracle say different things, with both explanations."""
    policy = Policy(world)
    for flow in flows:
        verdict = policy.evaluate(flow)
        if (verdict.arrives, verdict.allowed) != (oracle.arrives(world, flow), oracle.allowed(world, flow)):
            yield _told(seed, world, flow, f"evaluator: {verdict}")


def differences(lab: Lab, topology: Topology, seed: int, count: int) -> Iterator[str]:
    """Enforce the world of a seed, send ``count`` first packets and tell every difference, with both explanations.

    In every third world a quarter as many flows are whole conversations.
    """
    rng = random.Random(seed)
    world = random_world(rng, topology.profile, topology)
    flows = random_flows(rng, world, count)
    conversations = random_flows(rng, world, 0 if seed % 3 else count // 4)
    for vpc in lab.world.vpcs:  # a change may hold the keys of connections that live (SEMANTICS.md 3.3): none does
        conntrack.flush(lab.names.vpc(vpc))
    lab.enforce(world)
    yield from disagreements(world, [*flows, *conversations], seed)
    policy = Policy(world)
    verdicts = [policy.evaluate(flow) for flow in flows]
    yield from _arrivals(lab, world, verdicts, seed)
    yield from _answers(lab, world, [policy.evaluate(flow) for flow in conversations], seed)


def _arrivals(lab: Lab, world: World, verdicts: Sequence[Verdict], seed: int) -> Iterator[str]:
    """Where the kernel lets other packets arrive than the evaluator, or counts them for other rules."""
    before, least, most = hits(lab), Counter[str](), Counter[str]()
    for part in (verdicts[first : first + _PART] for first in range(0, len(verdicts), _PART)):
        start = time.monotonic()
        observations = lab.probe(verdict.flow for verdict in part)
        sure, perhaps = expected_hits(world, part, time.monotonic() - start)
        least, most = least + sure, most + sure + perhaps
        for verdict, observation in zip(part, observations, strict=True):
            assert not observation.failure, f"seed {seed}: {verdict.flow}: {observation.failure}"
            if observation.arrived != verdict.arrives:
                yield _told(seed, world, verdict.flow, f"packet {observation}, model: {verdict}")
    counted = hits(lab) - before
    for rule_id in sorted(set(counted) | set(most)):
        if not least[rule_id] <= counted[rule_id] <= most[rule_id]:
            decided = f"{least[rule_id]} to {most[rule_id]}" if least[rule_id] != most[rule_id] else least[rule_id]
            yield f"seed {seed}: {rule_id} decided {decided} packets, its counter says {counted[rule_id]}"


def _answers(lab: Lab, world: World, verdicts: Sequence[Verdict], seed: int) -> Iterator[str]:
    """Where other conversations come about than the evaluator says."""
    observations = lab.converse(verdict.flow for verdict in verdicts)
    for verdict, observation in zip(verdicts, observations, strict=True):
        assert not observation.failure, f"seed {seed}: {verdict.flow}: {observation.failure}"
        if observation.arrived != verdict.arrives or observation.answered not in (None, verdict.allowed):
            yield _told(seed, world, verdict.flow, f"conversation {observation}, model: {verdict}")


def hits(lab: Lab) -> Counter[str]:
    """Hits by rule id over all VPCs of a lab."""
    parts = [lab.driver(vpc).counters() for vpc in lab.world.vpcs]
    return sum((Counter({key: hit.packets for key, hit in part.items()}) for part in parts), Counter())


def expected_hits(world: World, verdicts: Iterable[Verdict], seconds: float) -> tuple[Counter[str], Counter[str]]:
    """What the counters count for some probes that took so long altogether: for sure, and perhaps on top of it.

    A packet comes to a stage only if all before it let it through. Perhaps counted, by ACLs without state, are errors
    that guests send back for what nobody takes: a kernel sends as many as it likes. And by all who count, where the
    machine is so busy that it takes a second or more, the first packets of TCP again: after one second, three, seven.
    """
    policy = Policy(world)
    sure, perhaps = Counter[str](), Counter[str]()
    again = int(math.log2(seconds + 1))
    for verdict in verdicts:
        own = Counter(_decided(_as_met(verdict)))
        if verdict.arrives and verdict.flow.service.protocol in _SURE_TO_ANSWER:
            own.update(_decided(verdict.back))
        elif verdict.arrives:
            perhaps.update(_decided(_stateless(world, policy.evaluate(_error(verdict.flow)))))
        sure += own
        if verdict.flow.service.protocol == Protocol.TCP:
            perhaps += Counter({rule_id: count * again for rule_id, count in own.items()})
    return sure, perhaps


def _decided(steps: Iterable[Step]) -> Iterator[str]:
    """The ids of the rules that decide about a packet, up to the first that denies it."""
    for step in steps:
        if step.stage in _COUNTED:
            yield step.rule_id
        if step.action is Action.DENY:
            return


def _as_met(verdict: Verdict) -> list[Step]:
    """The steps in the order in which the packet meets them.

    The verdict names penalties first. But that of a port in another VPC is enforced there, after everything that the
    source's own VPC says, and if there is a way to it.
    """
    home = verdict.flow.source.vpc

    def turn(step: Step) -> int:
        if step.stage is Stage.PLATFORM:
            return 2 if home and step.port and step.port.vpc != home else 0
        return 3 if step.stage in (Stage.ACL_INGRESS, Stage.INGRESS) else 1

    return sorted(verdict.steps, key=turn)


def _error(flow: Flow) -> Flow:
    """An error about a flow's packet, as an ACL sees it."""
    error = Protocol.ICMP if flow.family is Family.IPV4 else Protocol.ICMPV6
    return Flow(flow.destination, flow.source, Service(error))


def _stateless(world: World, verdict: Verdict) -> Iterator[Step]:
    """What ACLs without state say."""
    for step in verdict.steps:
        if step.stage in _ACLS and step.port and not world.vpcs[step.port.vpc].profile.acl_stateful:
            yield step


def _told(seed: int, world: World, flow: Flow, what: str) -> str:
    return f"seed {seed}: {flow}\n  {what}\n  oracle: {oracle.reason(world, flow)}"
