"""The diagnosis of a flow: the verdict with all stages, everything that keeps it from working, and the cause of each.

Where `evaluate` decides, this only looks at what it decided by; the near misses come from the same comparison.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ringfence.analysis.why.causes import Cause
from ringfence.analysis.why.guest import Finding, Guest
from ringfence.analysis.why.lines import Gate
from ringfence.analysis.why.near import NearMiss, near_misses
from ringfence.model.flow import Endpoint, Flow
from ringfence.model.rule import Action
from ringfence.model.world import World
from ringfence.policy.evaluate import Policy
from ringfence.policy.matching import Asked, End
from ringfence.policy.platform import BLOCKED_EGRESS, CARRIER
from ringfence.policy.verdict import Stage, Step, Verdict


@dataclass(frozen=True, slots=True)
class Blocker:
    """One place that keeps a flow from working: a stage that denies it, with the rules that come nearest there."""

    cause: Cause
    step: Step
    near: tuple[NearMiss, ...] = ()
    answer: bool = False
    """Whether it is the answer that it denies."""

    def as_json(self) -> dict[str, Any]:
        """For programs: the stage's step, its cause, and what comes near."""
        own = {
            "cause": str(self.cause),
            "because": self.cause.sentence,
            "answer": self.answer,
            "groups": list(self.step.port.groups) if self._is_of_groups and self.step.port else [],
            "near_misses": [near.as_json() for near in self.near],
        }
        return self.step.as_json() | own

    @property
    def _is_of_groups(self) -> bool:
        return self.step.stage in (Stage.EGRESS, Stage.INGRESS)


@dataclass(frozen=True, slots=True)
class GuestBlocker:
    """A finding in a guest that keeps a flow from working though the network may let it pass."""

    cause: Cause
    guest: Guest
    finding: Finding

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "stage": "guest",
            "verdict": str(Action.DENY),
            "port": str(self.guest.port),
            "place": str(self.guest),
            "direction": str(self.guest.direction),
            "cause": str(self.cause),
            "because": self.cause.sentence,
            "text": self.finding.text,
        }


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Whether a flow works, and all that keeps it from it.

    ``guests`` is what was found inside the guests at its ends; None where nobody looked.
    """

    verdict: Verdict
    blockers: tuple[Blocker, ...]
    guests: tuple[Guest, ...] | None = None

    @property
    def in_guests(self) -> tuple[GuestBlocker, ...]:
        """What keeps it from working inside the guests."""
        findings = ((guest, finding) for guest in self.guests or () for finding in guest.findings)
        return tuple(GuestBlocker(it.cause, guest, it) for guest, it in findings if it.action is Action.DENY)

    @property
    def works(self) -> bool:
        """Whether nothing is known to keep it from working."""
        return self.verdict.allowed and not self.in_guests

    @property
    def cause(self) -> Cause | None:
        """The first cause in the order of the requirement document; None if it works."""
        return first_cause(blocker.cause for blocker in self.all_blockers)

    @property
    def all_blockers(self) -> tuple[Blocker | GuestBlocker, ...]:
        """Those of the network, and behind them those in the guests."""
        return (*self.blockers, *self.in_guests)

    def as_json(self) -> dict[str, Any]:
        """For programs: the verdict as it ever was, with cause, blockers and, where somebody looked, guests."""
        flow = self.verdict.flow
        told = self.verdict.as_json() | {
            "source": end_json(flow.source),
            "destination": end_json(flow.destination),
            "service": str(flow.service),
            "source_port": flow.source_port,
            "works": self.works,
            "cause": str(self.cause) if self.cause else None,
            "because": self.cause.sentence if self.cause else None,
            "blockers": [blocker.as_json() for blocker in self.all_blockers],
        }
        return told if self.guests is None else told | {"guests": [guest.as_json() for guest in self.guests]}


def end_json(end: Endpoint) -> dict[str, str]:
    """An end of a flow for programs: what it is called, and its address."""
    return {"name": str(end), "address": str(end.address)}


def first_cause(causes: Iterable[Cause]) -> Cause | None:
    """The first of some causes in their order."""
    return min(causes, key=lambda cause: cause.place, default=None)


def diagnose(world: World, flow: Flow, guests: Sequence[Guest] | None = None) -> Diagnosis:
    """Say of one flow whether it works, and all that keeps it from it. For many flows, keep a `Policy`.

    ``guests`` is what was found inside the guests at its ends, where somebody looked.
    """
    return diagnosed(Policy(world), flow, guests)


def diagnosed(policy: Policy, flow: Flow, guests: Sequence[Guest] | None = None) -> Diagnosis:
    """The same, by a policy that is there already."""
    verdict = policy.evaluate(flow)
    return Diagnosis(verdict, tuple(_blockers(policy, verdict)), None if guests is None else tuple(guests))


def _blockers(policy: Policy, verdict: Verdict) -> Iterator[Blocker]:
    for steps, answer in ((verdict.steps, False), (verdict.back, True)):
        for step in steps:
            if step.action is Action.DENY:
                gate = _gate(policy, verdict.flow, step, answer=answer)
                near = near_misses(gate) if gate else ()
                yield Blocker(cause_of(step, near), step, near, answer)


def _gate(policy: Policy, flow: Flow, step: Step, *, answer: bool) -> Gate | None:
    """The place that denied: what its lines were asked, and at which end of the flow."""
    source, destination = policy.ends(flow)
    if answer:
        flow, source, destination = flow.back, destination, source
    inward = step.stage in (Stage.INGRESS, Stage.ACL_INGRESS)
    if step.stage in (Stage.PEERING, Stage.BORDER):  # they know addresses alone
        inward = step.stage is Stage.BORDER and source.port is None
        source, destination = (End(end.address, None, None, None) for end in (source, destination))
    near, far = (destination, source) if inward else (source, destination)
    return Gate.of(policy, step, Asked.of(policy.world, flow, near, far), inward=inward, answer=answer)


_STAGES = {
    Stage.ACL_EGRESS: Cause.ACL,
    Stage.ACL_INGRESS: Cause.ACL,
    Stage.PEERING: Cause.FIREWALL,
    Stage.BORDER: Cause.FIREWALL,
}
_IDS = {
    BLOCKED_EGRESS: Cause.BLOCKED_PORT,
    CARRIER: Cause.BLOCKED_PORT,
    "no-route": Cause.NO_ROUTE,
    "no-such-address": Cause.NO_SUCH_ADDRESS,
}


def cause_of(step: Step, near: Sequence[NearMiss]) -> Cause:
    """The cause of a denial, as what comes near to allowing it shows it; ``near`` is in the order of likelihood."""
    if step.stage in (Stage.EGRESS, Stage.INGRESS):
        shown = next((miss.cause for miss in near if miss.cause), None)
        return shown or (Cause.DENY_RULE if step.group else Cause.NO_RULE)
    return _STAGES.get(step.stage) or _IDS.get(step.rule_id, Cause.PENALTY)
