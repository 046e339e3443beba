from __future__ import annotations

import struct

import pytest

from ringfence.errors import InvalidInput
from ringfence.lab.packets import (
    DCCP,
    IPV4_TYPE,
    IPV6_TYPE,
    SCTP,
    UDPLITE,
    Part,
    Sighting,
    _crc32c,
    answer_to,
    craft,
    first_packet,
    recognise,
)
from ringfence.model.address import Address, Family
from ringfence.model.service import GRE, ICMP, ICMPV6, TCP, UDP

ENDS = {
    Family.IPV4: (Address.parse("10.0.0.1"), Address.parse("10.0.0.2"), IPV4_TYPE),
    Family.IPV6: (Address.parse("fd00::1"), Address.parse("fd00::2"), IPV6_TYPE),
}
CRAFTED = [
    (family, protocol)
    for family in Family
    for protocol in (0, 2, 4, GRE, 50, 59, 99, SCTP, DCCP, UDPLITE, 253, 255, ICMP if family == 4 else ICMPV6)
    if family == 4 or protocol not in (0, 59)
]


def body(packet: bytes) -> bytes:
    return packet[20 if packet[0] >> 4 == 4 else 40 :]


def ones_sum(data: bytes) -> int:
    data += b"\0" * (len(data) % 2)
    words: tuple[int, ...] = struct.unpack(f"!{len(data) // 2}H", data)
    return sum(words) % 0xFFFF


@pytest.mark.parametrize(("family", "protocol"), CRAFTED)
@pytest.mark.parametrize("payload", [b"", b"odd", b"token"])
def test_what_is_crafted_is_recognised(family: Family, protocol: int, payload: bytes) -> None:
    source, destination, ethertype = ENDS[family]
    first = first_packet(source, destination, protocol, 12345, 0)
    assert recognise(ethertype, craft(first, payload)) == first


@pytest.mark.parametrize(("family", "protocol"), [(f, p) for f, p in CRAFTED if p in (ICMP, ICMPV6, DCCP, UDPLITE)])
@pytest.mark.parametrize("payload", [b"", b"odd", bytes(range(256))])
def test_checksums_are_right(family: Family, protocol: int, payload: bytes) -> None:
    source, destination, _ = ENDS[family]
    packet = body(craft(first_packet(source, destination, protocol, 7, 9), payload))
    ends = b"".join(it.value.to_bytes(it.family.bits // 8) for it in (source, destination))
    pseudo = b"" if protocol == ICMP else ends + struct.pack("!II", len(packet), protocol)
    assert ones_sum(pseudo + packet) == 0


def test_crc32c_agrees_with_the_published_check_value() -> None:
    assert _crc32c(b"123456789") == 0xE3069283


@pytest.mark.parametrize("protocol", [0, 43, 44, 51, 59, 60])
def test_an_extension_header_is_no_protocol_on_ipv6(protocol: int) -> None:
    source, destination, _ = ENDS[Family.IPV6]
    with pytest.raises(InvalidInput):
        craft(first_packet(source, destination, protocol, 1, 1))


@pytest.mark.parametrize(
    ("protocol", "expected"),
    [
        (TCP, Sighting(b"\x0a\0\0\x02", b"\x0a\0\0\x01", TCP, 80, 5000, Part.ANSWER)),
        (UDP, Sighting(b"\x0a\0\0\x02", b"\x0a\0\0\x01", UDP, 80, 5000, Part.FIRST)),
        (ICMP, Sighting(b"\x0a\0\0\x02", b"\x0a\0\0\x01", ICMP, 5000, 0, Part.ANSWER)),
        (GRE, Sighting(b"\x0a\0\0\x02", b"\x0a\0\0\x01", GRE, 0, 0, Part.FIRST)),
    ],
)
def test_the_answer_goes_the_other_way(protocol: int, expected: Sighting) -> None:
    source, destination, _ = ENDS[Family.IPV4]
    assert answer_to(first_packet(source, destination, protocol, 5000, 80)) == expected


@pytest.mark.parametrize(
    ("flags", "part"),
    [(0x02, Part.FIRST), (0x12, Part.ANSWER), (0x10, Part.CONFIRM), (0x18, Part.CONFIRM), (0x14, Part.OTHER)],
)
def test_the_parts_of_a_handshake(flags: int, part: Part) -> None:
    header = bytes([0x45]) + bytes(8) + bytes([TCP]) + bytes(2) + b"\x0a\0\0\x01\x0a\0\0\x02"
    segment = struct.pack("!HHIIBBHHH", 1, 2, 0, 0, 0x50, flags, 0, 0, 0)
    found = recognise(IPV4_TYPE, header + segment)
    assert found is not None
    assert found.part is part


@pytest.mark.parametrize("data", [b"", b"\x45", bytes(19)])
def test_what_is_no_whole_packet_is_not_recognised(data: bytes) -> None:
    assert recognise(IPV4_TYPE, data) is None
    assert recognise(0x0806, data) is None
