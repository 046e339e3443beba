"""What `evaluate` answers: allowed or denied, and the whole path that led there."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ringfence.model.flow import Flow
from ringfence.model.rule import Action
from ringfence.model.topology import Port


class Stage(StrEnum):
    """A place on the path that can stop a packet, in the order of the path (SEMANTICS.md 4.4)."""

    LOCAL = "local"
    """Both ends are ports of one instance: the packet stays in the guest."""
    EGRESS = "egress"
    """The security groups of the source's port."""
    ROUTE = "route"
    """Whether there is a way from one end to the other at all; named only where it decides."""
    INGRESS = "ingress"
    """The security groups of the destination's port."""


@dataclass(frozen=True, slots=True)
class Late:
    """A rule that matched as well, but after another had decided."""

    group: str
    rule_id: str
    text: str


@dataclass(frozen=True, slots=True)
class Step:
    """What one stage said: the decision and the rule that took it.

    ``rule_id`` is the id that the kernel's counter carries too. ``text`` is the rule as written; for a decision that no
    rule took (``rule_id`` then names what did, such as ``default-ingress``) it says why in words.
    """

    stage: Stage
    action: Action
    port: Port | None
    group: str
    rule_id: str
    text: str
    late: tuple[Late, ...] = ()

    def as_json(self) -> dict[str, object]:
        """For programs."""
        return {
            "stage": str(self.stage),
            "verdict": str(self.action),
            "port": str(self.port) if self.port else None,
            "group": self.group or None,
            "rule_id": self.rule_id,
            "text": self.text,
            "late": [{"group": late.group, "rule_id": late.rule_id, "text": late.text} for late in self.late],
        }


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer for one flow: every stage of its path, in order. Each must allow; the first that denies decides."""

    flow: Flow
    steps: tuple[Step, ...]

    @property
    def decided_by(self) -> Step:
        """The first stage that denied, or the last one if all allowed."""
        return next((step for step in self.steps if step.action is Action.DENY), self.steps[-1])

    @property
    def action(self) -> Action:
        """Allow or deny."""
        return self.decided_by.action

    @property
    def allowed(self) -> bool:
        """Whether the first packet arrives."""
        return self.action is Action.ALLOW

    def as_json(self) -> dict[str, object]:
        """For programs: ``verdict``, ``decided_by`` and ``stages``, next to the flow itself."""
        return {
            "flow": str(self.flow),
            "verdict": str(self.action),
            "decided_by": self.decided_by.as_json(),
            "stages": [step.as_json() for step in self.steps],
        }

    def __str__(self) -> str:
        by = self.decided_by
        group = f" of {by.group}" if by.group else ""
        return f"{self.flow}: {self.action} at {by.stage} by {by.rule_id}{group}: {by.text}"
