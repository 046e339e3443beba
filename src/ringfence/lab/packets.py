"""The packets that probes send and captures see: crafted where the kernel makes none, and told apart by tuples."""

from __future__ import annotations

import struct
from collections.abc import Callable
from enum import IntEnum
from typing import NamedTuple

from ringfence.errors import InvalidInput
from ringfence.model.address import Address, Family
from ringfence.model.service import GRE, ICMP, ICMPV6, TCP, UDP

IPV4_TYPE, IPV6_TYPE = 0x0800, 0x86DD
MARKER_TYPE = 0x88B5
"""The ethertype for local experiments (IEEE 802, annex): no network layer takes it, so no policy judges it."""

SCTP, DCCP, UDPLITE = 132, 33, 136
_PORTED = frozenset({TCP, UDP, SCTP, DCCP, UDPLITE})
_ECHO = {ICMP: (8, 0), ICMPV6: (128, 129)}  # request, reply
_EXTENSION_HEADERS = frozenset({0, 43, 44, 51, 59, 60})  # what IPv6 itself reads; 59 says "nothing" (RFC 8200)
_TOKEN = b"ringfence"


class Part(IntEnum):
    """Which part of a conversation a packet is, as far as a capture can tell."""

    OTHER = 0
    FIRST = 1
    """A TCP SYN, an echo request, any packet of another protocol."""
    ANSWER = 2
    """A TCP SYN with ACK, an echo reply."""
    CONFIRM = 3
    """A TCP ACK: the handshake is whole."""


class Sighting(NamedTuple):
    """What tells one packet from another: addresses (packed), protocol, ports (or the ICMP id), and its part."""

    source: bytes
    destination: bytes
    protocol: int
    source_port: int
    port: int
    part: Part


_TCP_PARTS = {0x02: Part.FIRST, 0x12: Part.ANSWER, 0x10: Part.CONFIRM}  # of FIN, SYN, RST and ACK


def packed(address: Address) -> bytes:
    """An address as it stands in a packet."""
    return address.value.to_bytes(address.family.bits // 8)


def recognise(ethertype: int, data: bytes) -> Sighting | None:
    """Read a captured IP packet; None for what cannot belong to a probe."""
    if ethertype == IPV4_TYPE and len(data) >= 20:
        return _recognise(data[9], data[12:16], data[16:20], data[(data[0] & 15) * 4 :])
    if ethertype == IPV6_TYPE and len(data) >= 40:
        return _recognise(data[6], data[8:24], data[24:40], data[40:])
    return None


def _recognise(protocol: int, source: bytes, destination: bytes, data: bytes) -> Sighting:
    if protocol in _PORTED and len(data) >= 4:
        source_port, port = struct.unpack_from("!HH", data)
        part = Part.FIRST
        if protocol == TCP:
            part = _TCP_PARTS.get(data[13] & 0x17, Part.OTHER) if len(data) >= 14 else Part.OTHER
        return Sighting(source, destination, protocol, source_port, port, part)
    if protocol in _ECHO and len(data) >= 8:
        request, reply = _ECHO[protocol]
        part = {request: Part.FIRST, reply: Part.ANSWER}.get(data[0], Part.OTHER)
        return Sighting(source, destination, protocol, int.from_bytes(data[4:6]), 0, part)
    return Sighting(source, destination, protocol, 0, 0, Part.FIRST)


def first_packet(source: Address, destination: Address, protocol: int, number: int, port: int) -> Sighting:
    """What a capture sees of a probe; ``number`` is its source port or ICMP id."""
    ends = packed(source), packed(destination), protocol
    if protocol in _PORTED:
        return Sighting(*ends, number, port, Part.FIRST)
    return Sighting(*ends, number if protocol in _ECHO else 0, 0, Part.FIRST)


def answer_to(first: Sighting) -> Sighting:
    """What a capture sees of the answer to a probe."""
    back = first._replace(source=first.destination, destination=first.source)
    if first.protocol in _ECHO:
        return back._replace(part=Part.ANSWER)
    part = Part.ANSWER if first.protocol == TCP else Part.FIRST
    return back._replace(source_port=first.port, port=first.source_port, part=part)


def is_tracked_by_addresses(protocol: int) -> bool:
    """Whether conntrack may know a connection of it by addresses and protocol alone (SEMANTICS.md 3.1)."""
    return protocol not in (TCP, UDP, ICMP, ICMPV6)


def is_probeable(family: Family, protocol: int) -> bool:
    """Whether a packet of the protocol can be sent at all: on IPv6, extension headers are no protocols."""
    return family is Family.IPV4 or protocol not in _EXTENSION_HEADERS


def craft(first: Sighting, payload: bytes = _TOKEN) -> bytes:
    """A whole IP packet, well-formed for its protocol, so that conntrack takes it for the first of a connection.

    ``payload`` is what follows the header of the protocol. TCP and UDP come from the kernel's own sockets instead.
    """
    family = Family.IPV4 if len(first.source) == 4 else Family.IPV6
    if not is_probeable(family, first.protocol):
        raise InvalidInput(f"protocol {first.protocol} is an extension header of IPv6; name one that carries something")
    body = _BODIES.get(first.protocol, _plain)(first, payload)
    if family is Family.IPV4:
        # The kernel fills in the checksum (raw(7)).
        header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0, 64, first.protocol, 0)
    else:
        header = struct.pack("!IHBB", 6 << 28, len(body), first.protocol, 64)
    return header + first.source + first.destination + body


def _plain(_first: Sighting, payload: bytes) -> bytes:
    return payload


def _gre(_first: Sighting, payload: bytes) -> bytes:
    return struct.pack("!HH", 0, MARKER_TYPE) + payload  # version 0, no options (RFC 2784)


def _echo(first: Sighting, payload: bytes) -> bytes:
    def message(checksum: int) -> bytes:
        return struct.pack("!BBHHH", _ECHO[first.protocol][0], 0, checksum, first.source_port, 1) + payload

    pseudo = _pseudo_header(first, len(message(0))) if first.protocol == ICMPV6 else b""
    return message(checksum(pseudo + message(0)))


def _udplite(first: Sighting, payload: bytes) -> bytes:
    def datagram(checksum: int) -> bytes:  # coverage 0: all of it (RFC 3828)
        return struct.pack("!HHHH", first.source_port, first.port, 0, checksum) + payload

    return datagram(checksum(_pseudo_header(first, len(datagram(0))) + datagram(0)))


def _dccp(first: Sighting, _payload: bytes) -> bytes:
    def request(checksum: int) -> bytes:  # long sequence numbers, DCCP-Request, service code 0 (RFC 4340)
        ports = struct.pack("!HHBBH", first.source_port, first.port, 5, 0, checksum)
        return ports + struct.pack("!BBHII", 1, 0, 0, 1, 0)

    return request(checksum(_pseudo_header(first, len(request(0))) + request(0)))


def _sctp(first: Sighting, _payload: bytes) -> bytes:
    init = struct.pack("!BBHIIHHI", 1, 0, 20, 0x52464E43, 65536, 1, 1, 1)  # RFC 9260, 3.3.2

    def packet(checksum: bytes) -> bytes:
        return struct.pack("!HHI", first.source_port, first.port, 0) + checksum + init

    return packet(_crc32c(packet(bytes(4))).to_bytes(4, "little"))


_BODIES: dict[int, Callable[[Sighting, bytes], bytes]] = {
    ICMP: _echo,
    ICMPV6: _echo,
    GRE: _gre,
    SCTP: _sctp,
    DCCP: _dccp,
    UDPLITE: _udplite,
}


def _pseudo_header(first: Sighting, length: int) -> bytes:
    return first.source + first.destination + struct.pack("!II", length, first.protocol)


def checksum(data: bytes) -> int:
    """The internet checksum (RFC 1071); 0 becomes its twin, which means no less and never "none"."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF or 0xFFFF


def _crc32c(data: bytes) -> int:
    """CRC-32C, bit by bit: it is used on 32 bytes (RFC 9260, appendix A)."""
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    return value ^ 0xFFFFFFFF
