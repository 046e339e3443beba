"""What no edit mends: what the platform or carriers block, addresses of nobody, and servers that do not listen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ringfence.analysis.fix.asked import Asked
from ringfence.analysis.fix.search import denials
from ringfence.model.service import Listener, Protocol, Service
from ringfence.policy.platform import BLOCKED_EGRESS, CARRIER
from ringfence.policy.verdict import Step

_INSTEAD = {
    Service(Protocol.TCP, 25): "use tcp/465 or tcp/587 for mail, or ask the platform to unblock it",
}
"""What helps where the platform blocks a port (Security FAQ)."""
NOBODYS = "no-such-address"


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Something that no edit of a world mends, and what helps instead."""

    what: str
    instead: str

    def as_json(self) -> dict[str, object]:
        """For programs."""
        return {"what": self.what, "instead": self.instead}

    def __str__(self) -> str:
        return f"{self.what}: {self.instead}"


def obstacles(asked: Asked) -> tuple[Obstacle, ...]:
    """What stands in a flow's way for good."""
    return tuple(it for step, _ in denials(asked) if (it := _obstacle(asked, step)))


def _obstacle(asked: Asked, step: Step) -> Obstacle | None:
    service = asked.flow.service
    if step.rule_id == BLOCKED_EGRESS:
        return Obstacle(f"no port may send {service}, whatever rules say", _INSTEAD.get(service, "use another port"))
    if step.rule_id == CARRIER:
        what = f"carriers block {service} at the internet border, whatever rules say"
        return Obstacle(what, "serve it on another port, or reach it from inside of the VPC")
    if step.rule_id == NOBODYS:
        return Obstacle(step.text, "give the address to a port, or ask about an address that one has")
    return None


def silence(asked: Asked) -> Obstacle | None:
    """Whether nothing at the destination takes the flow, in a world that says what its instances serve."""
    port, service = asked.port(asked.flow.destination), asked.flow.service
    if port is None or not service.protocol.has_ports or not any(_served(asked)):
        return None
    ours = [it for it in asked.world.instances[port.instance].serve if it.service == service]
    if any(it.address in (None, asked.flow.destination.address) for it in ours):
        return None
    if ours:
        where = ", ".join(str(it.address) for it in ours)
        what = f"{port.instance} listens for {service} on {where} only"
        return Obstacle(what, f"have it listen on {asked.flow.destination.address}, or on every address")
    return Obstacle(f"nothing listens for {service} on {port.instance}", f"serve {service} there")


def _served(asked: Asked) -> Iterator[Listener]:
    return (it for instance in asked.world.instances.values() for it in instance.serve)
