"""What was found inside a guest; `ringfence.analysis.why.diagnosis` puts it beside the verdict. The lab looks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ringfence.analysis.why.causes import Cause
from ringfence.model.rule import Action, Direction
from ringfence.model.topology import Port


class About(StrEnum):
    """What a finding is about; programs may rely on the words."""

    FIREWALL = "firewall"
    """The guest's own packet filter: nftables, or xtables."""
    ADDRESS = "address"
    """Whether the guest has the address that it should have."""
    SOCKET = "socket"
    """Whether anything in the guest takes what arrives."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One fact about a guest. ``action`` is what it means for the flow; None where that cannot be told.

    ``loopback`` is whether the service is there, but for the guest itself only.
    """

    about: About
    action: Action | None
    text: str
    loopback: bool = False

    @property
    def cause(self) -> Cause:
        """The cause that it is where it keeps the flow from working."""
        if self.about is About.SOCKET:
            return Cause.LOOPBACK_ONLY if self.loopback else Cause.NOT_LISTENING
        return Cause.GUEST_FIREWALL if self.about is About.FIREWALL else Cause.NO_SUCH_ADDRESS

    @property
    def word(self) -> str:
        """``allow``, ``deny`` or ``unknown``."""
        return str(self.action or "unknown")

    def as_json(self) -> dict[str, object]:
        """For programs."""
        return {"about": str(self.about), "verdict": self.word, "text": self.text}


@dataclass(frozen=True, slots=True)
class Guest:
    """What was found in the guest at one end of a flow: the one that sends (egress) or the one that takes (ingress).

    ``filtered`` is whether it has a firewall of its own, which may keep answers from passing.
    """

    port: Port
    direction: Direction
    findings: tuple[Finding, ...]
    filtered: bool = False

    @property
    def denied_by(self) -> Finding | None:
        """The first finding that keeps the flow from working."""
        return next((finding for finding in self.findings if finding.action is Action.DENY), None)

    @property
    def word(self) -> str:
        """``deny`` if anything in the guest does, ``unknown`` if something may, else ``allow``."""
        words = {finding.word for finding in self.findings}
        return next((word for word in ("deny", "unknown") if word in words), "allow")

    def as_json(self) -> dict[str, object]:
        """For programs: a stage of its own kind."""
        return {
            "stage": "guest",
            "verdict": self.word,
            "port": str(self.port),
            "place": str(self),
            "direction": str(self.direction),
            "findings": [finding.as_json() for finding in self.findings],
        }

    def __str__(self) -> str:
        way = "leaving" if self.direction is Direction.EGRESS else "inside"
        return f"{way} the guest of {self.port}"
