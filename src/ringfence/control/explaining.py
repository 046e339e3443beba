"""Why a flow passes or not, asked and told in an account's names, judged by all that is on its way.

What other accounts have on the way (the owner's ACL in a shared VPC, say) decides as well. It is told that it does, not
what it says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from ringfence.analysis.why.asking import Question, first_known, is_several
from ringfence.analysis.why.causes import Cause
from ringfence.analysis.why.diagnosis import Blocker, Diagnosis, cause_of, diagnosed, first_cause
from ringfence.analysis.why.near import NearMiss
from ringfence.analysis.why.several import Several
from ringfence.control.exporting import visible_world, world_of
from ringfence.control.naming import Naming
from ringfence.errors import UnknownName
from ringfence.model.flow import Endpoint, Expectation, Flow, Query
from ringfence.model.rule import Action, Rule
from ringfence.model.world import World
from ringfence.policy.evaluate import Policy
from ringfence.policy.expecting import unmet_line
from ringfence.policy.verdict import Stage, Step, Verdict
from ringfence.resources.kind import Kind
from ringfence.resources.state import State

_OTHERS = "something of another account"


@dataclass(frozen=True, slots=True)
class Unmet:
    """An expectation, in the account's names, that does not hold; ``verdict`` judges in ids."""

    expectation: Expectation
    verdict: Verdict


@dataclass(frozen=True)
class Explainer:
    """Answers for one account at one state. ``named`` is its world in names, where that is known already."""

    state: State
    account: str
    known: World | None = None

    @cached_property
    def named(self) -> World:
        """The account's world in names."""
        return self.known or world_of(self.state, self.account)

    @cached_property
    def _naming(self) -> Naming:
        return Naming(self.state, self.account)

    @cached_property
    def _policy(self) -> Policy:
        return Policy(visible_world(self.state, self.account))

    def answer(self, question: Question) -> Mapping[str, Any]:
        """Why it works or not, for programs, in the account's names. Raises `UnknownName`, `NotationError`.

        Where an end is a group or the internet, its classes are those that the account's own world tells apart.
        """
        if any(is_several(self.named, name) for name in (question.source, question.destination)):
            several = Several(self.named, lambda flow: diagnosed(self._policy, self._in_ids(flow)))
            return several.answer(question).as_json(self.told)
        return self.told(diagnosed(self._policy, first_known(question.queries, self._flow)))

    def verdict(self, query: Query) -> Verdict:
        """What becomes of a flow, in ids. Raises `UnknownName`, `NotationError`."""
        return self._policy.evaluate(self._flow(query))

    def _flow(self, query: Query) -> Flow:
        try:
            flow = self.named.flow(query)
        except UnknownName:
            self._check_alone(query.source, query.destination)
            raise
        return self._in_ids(flow)

    def _in_ids(self, flow: Flow) -> Flow:
        return replace(flow, source=self._placed(flow.source), destination=self._placed(flow.destination))

    def _check_alone(self, *ends: str) -> None:
        """Refuse what several instances are called, as both clouds allow: a world then has them by their ids."""
        for end in ends:
            alike = self.state.named(self.account, Kind.INSTANCE, end.partition(".")[0])
            if len(alike) > 1:
                ids = ", ".join(it.id for it in alike)
                raise UnknownName(f"several instances are called {alike[0].name!r}", f"give an id: {ids}")

    def _placed(self, end: Endpoint) -> Endpoint:
        """An end of the named world where it is in the real one: a neighbour's address is not outside."""
        if end.vpc:
            return replace(end, vpc=self._naming.ids["vpcs"].get(end.vpc, end.vpc))
        if end.name in self.named.outside:
            return end
        world = self._policy.world
        having = [vpc for vpc in world.vpcs if world.port_at(Endpoint(end.address, vpc))]
        if len(having) > 1:
            raise UnknownName(f"several VPCs use {end.address}", "name an instance")
        return replace(end, vpc=having[0]) if having else end

    def unmet(self) -> list[Unmet]:
        """The account's expectations that do not hold."""
        judged = ((each, self.verdict(each.query)) for each in self.named.expects)
        return [Unmet(each, verdict) for each, verdict in judged if verdict.action is not each.action]

    def is_denied_by_others(self, verdict: Verdict) -> bool:
        """Whether something of another account denies a flow."""
        steps = (*verdict.steps, *verdict.back)
        return any(step.action is Action.DENY and self._is_of_others(step) for step in steps)

    # --- as it is told

    def told(self, diagnosis: Diagnosis) -> dict[str, Any]:
        """A diagnosis for programs, in the account's names; the ids of rules are those of logs and counters."""
        verdict, blockers = diagnosis.verdict, [self._own_part(each) for each in diagnosis.blockers]
        cause = first_cause(blocker.cause for blocker in blockers)
        return diagnosis.as_json() | {
            "decided_by": self._step(verdict.decided_by),
            "stages": [self._step(step) for step in verdict.steps],
            "back": [self._step(step) for step in verdict.back],
            "cause": str(cause) if cause else None,
            "because": cause.sentence if cause else None,
            "blockers": [self._blocker(blocker) for blocker in blockers],
        }

    def _own_part(self, blocker: Blocker) -> Blocker:
        """What the account may know of what denies: not what others' rules nearly say."""
        if self._is_of_others(blocker.step):
            return replace(blocker, cause=Cause.ANOTHER_ACCOUNT, near=())
        near = tuple(it for it in blocker.near if not isinstance(it.rule, Rule) or self._has(Kind.GROUP, it.group))
        return replace(blocker, cause=cause_of(blocker.step, near), near=near)

    def _blocker(self, blocker: Blocker) -> dict[str, Any]:
        told = blocker.as_json() | self._step(blocker.step)
        groups = [] if blocker.cause is Cause.ANOTHER_ACCOUNT else told["groups"]
        return told | {
            "groups": [self._owner(name) for name in groups],
            "near_misses": [self._near_miss(near) for near in blocker.near],
        }

    def _near_miss(self, near: NearMiss) -> dict[str, Any]:
        told, words = near.as_json(), self._naming.words
        return told | {
            "group": self._owner(near.group),
            "text": words(str(near.rule)),
            "differences": [it.as_json() | {"text": words(it.text)} for it in near.differences],
            "would_match": words(str(near.edited)) if told["would_match"] else None,
        }

    def told_unmet(self, unmet: Unmet) -> dict[str, Any]:
        """An expectation that does not hold, and why."""
        found = {"expect": str(unmet.expectation), "found": str(unmet.verdict.action)}
        return found | {"decided_by": self._step(unmet.verdict.decided_by)}

    def line(self, unmet: Unmet) -> str:
        """The same in one line for people."""
        told = self._step(unmet.verdict.decided_by)
        return unmet_line(unmet.expectation, unmet.verdict.action, told["group"] or told["stage"], told["text"])

    def _step(self, step: Step) -> dict[str, Any]:
        if self._is_of_others(step):
            hidden: dict[str, Any] = {
                "port": None,
                "place": None,
                "group": None,
                "rule_id": "",
                "text": _OTHERS,
                "late": [],
            }
            return step.as_json() | hidden
        late = [
            {"group": self._owner(it.group), "rule_id": it.rule_id, "text": self._naming.words(it.text)}
            for it in step.late
        ]
        return step.as_json() | {
            "port": self._naming.port(str(step.port)) if step.port else None,
            "place": self._place(step.place) or None,
            "group": self._owner(step.group) or None,
            "text": self._naming.words(step.text),
            "late": late,
        }

    def _owner(self, group: str) -> str:
        return self._naming.words(group)

    def _place(self, place: str) -> str:
        vpc, slash, subnet = place.partition("/")
        if slash:
            return f"{self._naming.called('vpcs', vpc)}/{self._naming.subnet(vpc, subnet)}"
        return self._naming.port(place) if "." in place else self._naming.words(place)

    def _is_of_others(self, step: Step) -> bool:
        """Whether a step is at somebody else's port, or decided by somebody else's rules."""
        if step.port and not self._has(Kind.INSTANCE, step.port.instance):
            return True
        match step.stage:
            case Stage.ACL_EGRESS | Stage.ACL_INGRESS:
                return not self._has(Kind.VPC, step.place.partition("/")[0])
            case Stage.BORDER:
                return not self._has(Kind.VPC, step.place)
            case Stage.PEERING:
                return not self._has(Kind.PEERING, step.place)
            case Stage.ROUTE:
                return not all(map(self._may_name, self._policy.world.vpcs))
        return False

    def _has(self, kind: Kind, id_: str) -> bool:
        found = self.state.get(kind, id_)
        return found is not None and found.account == self.account

    def _may_name(self, vpc: str) -> bool:
        return self._has(Kind.VPC, vpc) or vpc in self.named.vpcs
