"""What the headers of one packet say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from ringfence.model.address import Address, Family
from ringfence.model.flow import Endpoint, Flow
from ringfence.model.service import ICMP, ICMPV6, TCP, UDP, Protocol, Service

FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32
"""The bits of `Packet.tcp_flags` (RFC 9293)."""

_HOP_BY_HOP, _ROUTING, _FRAGMENT, _AUTHENTICATION, _DESTINATION = 0, 43, 44, 51, 60
_SHORTEST = {4: 20, 6: 40}


class Tracking(StrEnum):
    """What conntrack says of a packet. Each word but the first is also the prefix with which it is logged."""

    NEW = "new"
    """It is the first packet of a connection, or one like it."""
    INVALID = "invalid"
    """It belongs to no connection and cannot begin one."""
    RELATED = "related"
    """It is about a connection, such as an ICMP error, or begins one that belongs to another."""
    ESTABLISHED = "established"
    """It belongs to a connection and goes the way of its first packet."""
    REPLY = "reply"
    """It belongs to a connection and goes the other way."""
    HELD = "held"
    """It belongs to a connection that was cut, and whose key is held."""
    UNSEEN = "unseen"
    """Conntrack has not seen it yet."""


@dataclass(frozen=True, slots=True)
class Packet:
    """An IP packet by its headers. Ports and flags are there for TCP and UDP, where enough of the packet is."""

    source: Address
    destination: Address
    protocol: int
    length: int
    """The whole packet in bytes, from the IP header on."""
    source_port: int | None = None
    port: int | None = None
    tcp_flags: int = 0

    @classmethod
    def parse(cls, data: bytes) -> Packet | None:
        """Read the beginning of a packet; None if it is no IP packet. IPv6's own headers are passed over."""
        version = data[0] >> 4 if data else 0
        if version not in _SHORTEST or len(data) < _SHORTEST[version]:
            return None
        return _parse4(data) if version == 4 else _parse6(data)

    @property
    def is_icmp(self) -> bool:
        """Whether it is of ICMP or ICMPv6."""
        return self.protocol in (ICMP, ICMPV6)

    @property
    def service(self) -> Service:
        """What it asks for."""
        return Service(Protocol(self.protocol), self.port)

    def flow(self, source: Endpoint, destination: Endpoint) -> Flow:
        """The flow whose first packet it is, between two ends; raises `NotationError` for ICMP of the other family."""
        return Flow(source, destination, self.service, self.source_port)

    def __str__(self) -> str:
        family = self.source.family
        source, destination = (
            _end(address, port) for address, port in ((self.source, self.source_port), (self.destination, self.port))
        )
        return f"{source} -> {destination} {Protocol(self.protocol)} over {family}"


def _end(address: Address, port: int | None) -> str:
    if port is None:
        return str(address)
    return f"{address}:{port}" if address.family is Family.IPV4 else f"[{address}]:{port}"


def _parse4(data: bytes) -> Packet:
    source, destination = (Address(Family.IPV4, _number(data, at, 4)) for at in (12, 16))
    is_first = not _number(data, 6, 2) & 0x1FFF
    rest = data[(data[0] & 15) * 4 :] if is_first else b""
    return _packet(source, destination, data[9], _number(data, 2, 2), rest)


def _parse6(data: bytes) -> Packet:
    source, destination = (Address(Family.IPV6, _number(data, at, 16)) for at in (8, 24))
    *_, (protocol, rest) = _headers(data[6], data[40:])
    return _packet(source, destination, protocol, 40 + _number(data, 4, 2), rest)


def _headers(protocol: int, rest: bytes) -> Iterator[tuple[int, bytes]]:
    """Each header after IPv6's first (RFC 8200), down to the one that is none of IPv6's own."""
    while True:
        yield protocol, rest
        if len(rest) < 8 or protocol not in (_HOP_BY_HOP, _ROUTING, _FRAGMENT, _AUTHENTICATION, _DESTINATION):
            return
        length = 8 if protocol == _FRAGMENT else (rest[1] + 2) * 4 if protocol == _AUTHENTICATION else (rest[1] + 1) * 8
        is_later = protocol == _FRAGMENT and _number(rest, 2, 2) & 0xFFF8
        protocol, rest = rest[0], b"" if is_later else rest[length:]


def _packet(source: Address, destination: Address, protocol: int, length: int, data: bytes) -> Packet:
    if protocol not in (TCP, UDP) or len(data) < 4:
        return Packet(source, destination, protocol, length)
    flags = data[13] & 0x3F if protocol == TCP and len(data) > 13 else 0
    return Packet(source, destination, protocol, length, _number(data, 0, 2), _number(data, 2, 2), flags)


def _number(data: bytes, at: int, length: int) -> int:
    return int.from_bytes(data[at : at + length])
