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
    """Both ends are in one guest: the packet does not leave it."""
    PLATFORM = "platform"
    """What the platform blocks whatever the tenant says (4.5); named only where it decides."""
    EGRESS = "egress"
    """The security groups of the source's port."""
    ACL_EGRESS = "acl-egress"
    """The network ACL of the source's subnet."""
    PEERING = "peering"
    """The firewall on the peering between two VPCs."""
    BORDER = "border"
    """The firewall between a VPC and the internet."""
    ROUTE = "route"
    """Whether there is a way from one end to the other at all; named only where it decides."""
    ACL_INGRESS = "acl-ingress"
    """The network ACL of the destination's subnet."""
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

    ``place`` is the port, subnet, peering or VPC that the stage is at. ``group`` is whose rule it is: a security
    group's, an ACL's or a firewall's. ``rule_id`` is the id that the kernel's counter carries too. ``text`` is the rule
    as written; for a decision that no rule took (``rule_id`` then names what did, such as ``default-ingress``) it says
    why in words.
    """

    stage: Stage
    action: Action
    port: Port | None
    group: str
    rule_id: str
    text: str
    late: tuple[Late, ...] = ()
    place: str = ""

    def as_json(self) -> dict[str, object]:
        """For programs."""
        return {
            "stage": str(self.stage),
            "verdict": str(self.action),
            "port": str(self.port) if self.port else None,
            "place": self.place or None,
            "group": self.group or None,
            "rule_id": self.rule_id,
            "text": self.text,
            "late": [{"group": late.group, "rule_id": late.rule_id, "text": late.text} for late in self.late],
        }


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer for one flow: every stage of its path, in order. Each must allow; the first that denies decides.

    ``back`` are the stages that judge the answer by itself, not as part of a connection: stateless ACLs.
    """

    flow: Flow
    steps: tuple[Step, ...]
    back: tuple[Step, ...] = ()

    @property
    def decided_by(self) -> Step:
        """The first stage that denied, or the last one on the way there if all allowed."""
        found = next((step for step in (*self.steps, *self.back) if step.action is Action.DENY), None)
        return found or self.steps[-1]

    @property
    def action(self) -> Action:
        """Allow if the packet arrives and its answer comes back; else deny."""
        return self.decided_by.action

    @property
    def allowed(self) -> bool:
        """Whether `action` is allow."""
        return self.action is Action.ALLOW

    @property
    def arrives(self) -> bool:
        """Whether the first packet arrives, answered or not."""
        return all(step.action is Action.ALLOW for step in self.steps)

    def as_json(self) -> dict[str, object]:
        """For programs: ``verdict``, ``decided_by``, ``arrives``, ``stages`` and ``back``, next to the flow itself."""
        return {
            "flow": str(self.flow),
            "verdict": str(self.action),
            "arrives": self.arrives,
            "decided_by": self.decided_by.as_json(),
            "stages": [step.as_json() for step in self.steps],
            "back": [step.as_json() for step in self.back],
        }

    def __str__(self) -> str:
        by = self.decided_by
        group = f" of {by.group}" if by.group else ""
        return f"{self.flow}: {self.action} at {by.stage} by {by.rule_id}{group}: {by.text}"
