"""Live connections: what conntrack remembers of the first packet of each."""

from __future__ import annotations

from dataclasses import dataclass

from ringfence.model.address import Address
from ringfence.model.flow import Endpoint, Flow
from ringfence.model.service import ICMP, ICMPV6, Protocol, Service


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection that the router of a VPC remembers, by the addresses and ports of its first packet.

    A connection between two peered VPCs is in the table of both. Of ICMP ``source_port`` is the id and
    ``destination_port`` type and code, 256 x type + code; a protocol of which conntrack knows addresses only has 0.
    """

    vpc: str
    protocol: int
    source: Address
    destination: Address
    source_port: int = 0
    destination_port: int = 0
    answered: bool = False
    """Whether packets were seen in both directions."""
    ended: bool = False
    """Whether it is over, and only remembered for a while (TCP: closed, or in TIME-WAIT)."""
    parent: Connection | None = None
    """The session that it belongs to, such as the control connection of an FTP data connection."""

    @property
    def is_icmp(self) -> bool:
        """Whether it is known by an id instead of ports."""
        return self.protocol in (ICMP, ICMPV6)

    def flow(self, source: Endpoint, destination: Endpoint) -> Flow:
        """The flow that began it, between two ends; raises `NotationError` for ICMP of the other family."""
        protocol = Protocol(self.protocol)
        ports = (self.source_port, self.destination_port) if protocol.has_ports else (None, None)
        return Flow(source, destination, Service(protocol, ports[1]), ports[0])

    def as_json(self) -> dict[str, object]:
        """For programs."""
        ports = {"id": self.source_port} if self.is_icmp else {}
        if self.source_port and not self.is_icmp:
            ports = {"source_port": self.source_port, "destination_port": self.destination_port}
        return {
            "vpc": self.vpc,
            "protocol": str(Protocol(self.protocol)),
            "source": str(self.source),
            "destination": str(self.destination),
            **ports,
            "answered": self.answered,
        }

    def __str__(self) -> str:
        service = str(Protocol(self.protocol))
        if self.is_icmp:
            service += f" id {self.source_port}"
        elif self.source_port or self.destination_port:
            service += f"/{self.destination_port} from port {self.source_port}"
        return f"{self.source} -> {self.destination} {service}"
