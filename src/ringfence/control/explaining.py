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
from ringfence.control.view import View
from ringfence.model.flow import Expectation, Query
from ringfence.model.rule import Action, Rule
from ringfence.policy.evaluate import Policy
from ringfence.policy.expecting import unmet_line
from ringfence.policy.verdict import Stage, Verdict
from ringfence.resources.kind import Kind


@dataclass(frozen=True, slots=True)
class Unmet:
    """An expectation, in the account's names, that does not hold; ``verdict`` judges in ids."""

    expectation: Expectation
    verdict: Verdict


@dataclass(frozen=True)
class Explainer:
    """Answers for one account at one state."""

    view: View

    @cached_property
    def _policy(self) -> Policy:
        return Policy(self.view.around)

    def answer(self, question: Question) -> Mapping[str, Any]:
        """Why it works or not, for programs, in the account's names. Raises `UnknownName`, `NotationError`.

        Where an end is a group or the internet, its classes are those that the account's own world tells apart.
        """
        own = self.view.said
        if any(is_several(own, name) for name in (question.source, question.destination)):
            several = Several(own, lambda flow: diagnosed(self._policy, self.view.in_ids(flow)))
            return several.answer(question).as_json(self.told)
        return self.told(diagnosed(self._policy, first_known(question.queries, self.view.flow)))

    def verdict(self, query: Query) -> Verdict:
        """What becomes of a flow, in ids. Raises `UnknownName`, `NotationError`."""
        return self._policy.evaluate(self.view.flow(query))

    def unmet(self) -> list[Unmet]:
        """The account's expectations that do not hold."""
        judged = ((each, self.verdict(each.query)) for each in self.view.expects)
        return [Unmet(each, verdict) for each, verdict in judged if verdict.action is not each.action]

    def is_denied_by_others(self, verdict: Verdict) -> bool:
        """Whether something of another account denies a flow."""
        steps = (*verdict.steps, *verdict.back)
        return any(step.action is Action.DENY and not self.view.may_tell(step) for step in steps)

    # --- as it is told

    def told(self, diagnosis: Diagnosis) -> dict[str, Any]:
        """A diagnosis for programs, in the account's names; the ids of rules are those of logs and counters."""
        verdict, blockers = diagnosis.verdict, [self._own_part(each) for each in diagnosis.blockers]
        cause = first_cause(blocker.cause for blocker in blockers)
        return diagnosis.as_json() | {
            "decided_by": self.view.step(verdict.decided_by),
            "stages": [self.view.step(step) for step in verdict.steps],
            "back": [self.view.step(step) for step in verdict.back],
            "cause": str(cause) if cause else None,
            "because": cause.sentence if cause else None,
            "blockers": [self._blocker(blocker) for blocker in blockers],
        }

    def _own_part(self, blocker: Blocker) -> Blocker:
        """What the account may know of what denies: not what others' rules nearly say."""
        if not self.view.may_tell(blocker.step):
            return replace(blocker, cause=Cause.ANOTHER_ACCOUNT, near=())
        near = tuple(it for it in blocker.near if not isinstance(it.rule, Rule) or self.view.owns(Kind.GROUP, it.group))
        return replace(blocker, cause=cause_of(blocker.step, near), near=near)

    def _blocker(self, blocker: Blocker) -> dict[str, Any]:
        told = blocker.as_json() | self.view.step(blocker.step)
        groups = [] if blocker.cause is Cause.ANOTHER_ACCOUNT else told["groups"]
        return told | {
            "groups": [self.view.naming.called("groups", name) for name in groups],
            "near_misses": [self._near_miss(blocker.step.stage, near) for near in blocker.near],
        }

    def _near_miss(self, stage: Stage, near: NearMiss) -> dict[str, Any]:
        told, words = near.as_json(), self.view.naming.words
        return told | {
            "group": self.view.owner(stage, near.group),
            "text": words(str(near.rule)),
            "differences": [it.as_json() | {"text": words(it.text)} for it in near.differences],
            "would_match": words(str(near.edited)) if told["would_match"] else None,
        }

    def told_unmet(self, unmet: Unmet) -> dict[str, Any]:
        """An expectation that does not hold, and why."""
        found = {"expect": str(unmet.expectation), "found": str(unmet.verdict.action)}
        return found | {"decided_by": self.view.step(unmet.verdict.decided_by)}

    def line(self, unmet: Unmet) -> str:
        """The same in one line for people."""
        told = self.view.step(unmet.verdict.decided_by)
        return unmet_line(unmet.expectation, unmet.verdict.action, told["group"] or told["stage"], told["text"])
