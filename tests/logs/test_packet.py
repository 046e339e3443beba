from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.model.address import Address
from ringfence.model.packet import ACK, SYN, Packet
from ringfence.model.service import GRE, ICMP, ICMPV6, TCP, UDP

FOUR = (Address.parse("10.0.1.11"), Address.parse("203.0.113.9"))
SIX = (Address.parse("fd00:10::11"), Address.parse("2001:db8::9"))


def ipv4(protocol: int, rest: bytes, options: int = 0, offset: int = 0, length: int = 0) -> bytes:
    head = struct.pack(
        "!BBHHHBBH4s4s",
        4 << 4 | 5 + options,
        0,
        length or 20 + options * 4 + len(rest),
        7,
        offset,
        64,
        protocol,
        0,
        *(end.value.to_bytes(4) for end in FOUR),
    )
    return head + bytes(options * 4) + rest


def ipv6(protocol: int, rest: bytes, length: int = -1) -> bytes:
    ends = (end.value.to_bytes(16) for end in SIX)
    return struct.pack("!IHBB16s16s", 6 << 28, len(rest) if length < 0 else length, protocol, 64, *ends) + rest


def tcp(flags: int = SYN) -> bytes:
    return struct.pack("!HHIIBBHHH", 40000, 443, 1, 0, 5 << 4, flags, 100, 0, 0)


UDP_HEADER = struct.pack("!HHHH", 5353, 53, 8, 0)
HOP = bytes([TCP, 1]) + bytes(14)
AUTHENTICATION = bytes([UDP, 4]) + bytes(22)


def fragment(offset: int) -> bytes:
    return bytes([UDP, 0]) + struct.pack("!HI", offset << 3, 1)


@pytest.mark.parametrize(
    ("data", "parts"),
    [
        (ipv4(TCP, tcp()), (TCP, 40, 40000, 443, SYN)),
        (ipv4(TCP, tcp(SYN | ACK), options=3), (TCP, 52, 40000, 443, SYN | ACK)),
        (ipv4(TCP, tcp()[:4], length=1500), (TCP, 1500, 40000, 443, 0)),  # what the log has of it
        (ipv4(UDP, UDP_HEADER), (UDP, 28, 5353, 53, 0)),
        (ipv4(UDP, UDP_HEADER, offset=100), (UDP, 28, None, None, 0)),  # no first fragment
        (ipv4(ICMP, bytes(8)), (ICMP, 28, None, None, 0)),
        (ipv4(132, tcp()), (132, 40, None, None, 0)),
        (ipv4(UDP, b"\0"), (UDP, 21, None, None, 0)),
        (ipv6(TCP, tcp()), (TCP, 60, 40000, 443, SYN)),
        (ipv6(ICMPV6, bytes(8)), (ICMPV6, 48, None, None, 0)),
        (ipv6(0, HOP + tcp()), (TCP, 76, 40000, 443, SYN)),
        (ipv6(51, AUTHENTICATION + UDP_HEADER), (UDP, 72, 5353, 53, 0)),
        (ipv6(44, fragment(0) + UDP_HEADER), (UDP, 56, 5353, 53, 0)),
        (ipv6(44, fragment(9) + UDP_HEADER), (UDP, 56, None, None, 0)),
        (ipv6(60, bytes([44, 0]) + bytes(6) + fragment(0) + UDP_HEADER), (UDP, 64, 5353, 53, 0)),
        (ipv6(GRE, bytes(4)), (GRE, 44, None, None, 0)),
        (ipv6(0, HOP[:6], length=900), (0, 940, None, None, 0)),  # cut off within its own headers
    ],
)
def test_a_packet_is_what_its_headers_say(data: bytes, parts: tuple[int, int, int | None, int | None, int]) -> None:
    found = Packet.parse(data)
    assert found
    assert (found.source, found.destination) == (FOUR if data[0] >> 4 == 4 else SIX)
    assert (found.protocol, found.length, found.source_port, found.port, found.tcp_flags) == parts


@pytest.mark.parametrize("data", [b"", b"\x45", bytes(60), b"\x60" + bytes(38), b"\xf0" + bytes(60)])
def test_what_is_no_ip_packet_is_none(data: bytes) -> None:
    assert Packet.parse(data) is None


@given(st.sampled_from([b"", b"\x45", b"\x46", b"\x60"]), st.binary(max_size=160))
def test_no_packet_is_too_odd_to_read(start: bytes, rest: bytes) -> None:
    found = Packet.parse(start + rest)
    assert found is None or str(found)
