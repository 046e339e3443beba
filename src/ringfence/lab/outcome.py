"""What came of judging flows: the model's verdict, and beside it what a packet did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringfence.model.flow import Expectation, Flow
from ringfence.model.rule import Action
from ringfence.policy.verdict import Verdict

if TYPE_CHECKING:  # where the model alone is asked nothing of packets is loaded
    from ringfence.lab.probe import Observation


@dataclass(frozen=True, slots=True)
class Difference:
    """A flow of which model and packet do not say the same."""

    verdict: Verdict
    observation: Observation

    @property
    def flow(self) -> Flow:
        """The flow."""
        return self.verdict.flow


@dataclass(frozen=True, slots=True)
class Report:
    """What a verify found: how many flows it probed, where they differ, and the probes that proved nothing."""

    count: int
    differences: tuple[Difference, ...]
    unproved: tuple[Observation, ...]

    @property
    def ok(self) -> bool:
        """Whether every flow was proved and none differs."""
        return not self.differences and not self.unproved


@dataclass(frozen=True, slots=True)
class Row:
    """An expectation with what the model says and what a packet did.

    ``allow`` expects that the first packet arrives and is answered, ``deny`` that it does not arrive. Where it arrives
    and its answer is dropped, as by a stateless ACL, neither holds. ``observation`` is None where no packet can tell:
    both ends are one guest, and the packet stays in it.
    """

    expectation: Expectation
    verdict: Verdict
    observation: Observation | None

    @property
    def _model_agrees(self) -> bool:
        if self.expectation.action is Action.ALLOW:
            return self.verdict.allowed
        return not self.verdict.arrives

    @property
    def unproved(self) -> bool:
        """Whether only evidence is missing: the model says what is expected, and the probe proved nothing."""
        seen = self.observation
        return self._model_agrees and seen is not None and bool(seen.failure)

    @property
    def ok(self) -> bool:
        """Whether both say what is expected; an allowed packet must be answered too, where somebody can answer."""
        seen = self.observation
        if not self._model_agrees or seen is None:
            return self._model_agrees
        if seen.failure:
            return False
        if self.expectation.action is Action.DENY:
            return not seen.arrived
        return seen.arrived and seen.answered is not False

    @property
    def remark(self) -> str:
        """Why neither allow nor deny would hold, if so; else nothing."""
        if self.verdict.allowed or not self.verdict.arrives:
            return ""
        where = self.verdict.decided_by
        return f"the first packet arrives and its answer is dropped ({where.stage} at {where.place}): neither holds"
