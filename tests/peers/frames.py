"""Packets and frames byte by byte, written anew: what a test sends is not what the code under test would have sent."""

from __future__ import annotations

import struct

from ringfence.model.address import Address, Family

IPV4, ARP, IPV6, VLAN = 0x0800, 0x0806, 0x86DD, 0x8100
BROADCAST = b"\xff" * 6
SYN, ACK = 0x02, 0x10


def mac(text: str) -> bytes:
    """A MAC address as it stands in a frame."""
    return bytes.fromhex(text.replace(":", ""))


def frame(destination: bytes, source: bytes, ethertype: int, data: bytes) -> bytes:
    """An Ethernet frame."""
    return destination + source + struct.pack("!H", ethertype) + data


def tagged(vlan: int, ethertype: int, data: bytes) -> bytes:
    """What follows the ethertype 802.1Q."""
    return struct.pack("!HH", vlan, ethertype) + data


def ethertype_of(packet: bytes) -> int:
    """The ethertype of an IP packet."""
    return IPV4 if packet[0] >> 4 == 4 else IPV6


def packed(address: Address) -> bytes:
    """An address as it stands in a packet."""
    return address.value.to_bytes(address.family.bits // 8)


def checksum(data: bytes) -> int:
    """The internet checksum (RFC 1071)."""
    data += b"\0" * (len(data) % 2)
    total = sum(int.from_bytes(data[place : place + 2]) for place in range(0, len(data), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ip(source: Address, destination: Address, protocol: int, body: bytes, hops: int = 64) -> bytes:
    """An IP packet of the addresses' family."""
    ends = packed(source) + packed(destination)
    if source.family is Family.IPV6:
        return struct.pack("!IHBB", 6 << 28, len(body), protocol, hops) + ends + body
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0, hops, protocol, 0)
    total = checksum(head + ends)
    return head[:10] + struct.pack("!H", total) + ends + body


def _with_checksum(source: Address, destination: Address, protocol: int, body: bytes, place: int) -> bytes:
    """The body with its checksum, which covers the addresses too, filled in."""
    pseudo = packed(source) + packed(destination) + struct.pack("!II", len(body), protocol)
    total = checksum(pseudo + body) or 0xFFFF
    return body[:place] + struct.pack("!H", total) + body[place + 2 :]


def udp(source: Address, destination: Address, source_port: int, port: int, data: bytes) -> bytes:
    """A UDP datagram."""
    body = struct.pack("!HHHH", source_port, port, 8 + len(data), 0) + data
    return ip(source, destination, 17, _with_checksum(source, destination, 17, body, 6))


def tcp(
    source: Address, destination: Address, ports: tuple[int, int], flags: int, data: bytes, numbers: tuple[int, int]
) -> bytes:
    """A TCP segment; ``ports`` and ``numbers`` are source and destination port, sequence and acknowledgement."""
    body = struct.pack("!HHIIBBHHH", *ports, *numbers, 5 << 4, flags, 65535, 0, 0) + data
    return ip(source, destination, 6, _with_checksum(source, destination, 6, body, 16))


def echo(source: Address, destination: Address, number: int, data: bytes) -> bytes:
    """An echo request of the family's ICMP."""
    if source.family is Family.IPV6:
        return icmpv6(source, destination, 128, struct.pack("!HH", number, 1) + data)
    return ip(source, destination, 1, icmp(8, 0, struct.pack("!HH", number, 1) + data))


def icmp(kind: int, code: int, body: bytes) -> bytes:
    """An ICMP message, as the body of an IPv4 packet."""
    total = checksum(bytes([kind, code, 0, 0]) + body)
    return struct.pack("!BBH", kind, code, total) + body


def icmpv6(source: Address, destination: Address, kind: int, body: bytes, hops: int = 255) -> bytes:
    """An ICMPv6 message, by default with the hop limit that neighbour discovery wants."""
    message = struct.pack("!BBH", kind, 0, 0) + body
    return ip(source, destination, 58, _with_checksum(source, destination, 58, message, 2), hops)


def arp(operation: int, sender: tuple[bytes, Address], target: tuple[bytes, Address]) -> bytes:
    """An ARP message for IPv4 over Ethernet; 1 asks, 2 answers."""
    ends = sender[0] + packed(sender[1]) + target[0] + packed(target[1])
    return struct.pack("!HHBBH", 1, IPV4, 6, 4, operation) + ends
