"""What a guest says when it takes over an address, written and read: gratuitous ARP and neighbour advertisements."""

from __future__ import annotations

import struct

from ringfence.lab.packets import IPV6_TYPE, checksum, packed
from ringfence.model.address import Address, Family
from ringfence.model.service import ICMPV6

ARP_TYPE = 0x0806
_ETHERNET, _IPV4 = 1, 0x0800
_REQUEST = 1
ADVERTISEMENT = 136
"""The ICMPv6 type of a neighbour advertisement (RFC 4861, 4.4)."""
_SOLICITED, _OVERRIDE = 0x40, 0x20
_ALL_NODES, _ALL_NODES_MAC = bytes.fromhex("ff02" + "00" * 13 + "01"), bytes.fromhex("333300000001")
_BROADCAST = b"\xff" * 6
_HOP_LIMIT = 255  # no router has passed it on


def announcement(address: Address, mac: bytes) -> bytes:
    """The frame by which the machine with a MAC address says that it has an address now."""
    if address.family is Family.IPV4:
        return _BROADCAST + mac + ARP_TYPE.to_bytes(2) + _gratuitous_arp(packed(address), mac)
    return _ALL_NODES_MAC + mac + IPV6_TYPE.to_bytes(2) + _advertisement(packed(address), mac)


def _gratuitous_arp(address: bytes, mac: bytes) -> bytes:
    """A request for one's own address (RFC 5944, 4.6)."""
    return struct.pack("!HHBBH", _ETHERNET, _IPV4, 6, 4, _REQUEST) + mac + address + bytes(6) + address


def _advertisement(address: bytes, mac: bytes) -> bytes:
    """An unsolicited neighbour advertisement to all nodes (RFC 4861, 7.2.6)."""
    option = b"\x02\x01" + mac  # target link-layer address

    def message(found: int) -> bytes:
        return struct.pack("!BBHBxxx", ADVERTISEMENT, 0, found, _OVERRIDE) + address + option

    pseudo = address + _ALL_NODES + struct.pack("!II", len(message(0)), ICMPV6)
    header = struct.pack("!IHBB", 6 << 28, len(message(0)), ICMPV6, _HOP_LIMIT)
    return header + address + _ALL_NODES + message(checksum(pseudo + message(0)))


def claimed_by_arp(packet: bytes) -> Address | None:
    """The address that a gratuitous ARP (request or reply) is about; None for any other ARP packet."""
    if len(packet) < 28 or packet[:6] != struct.pack("!HHBB", _ETHERNET, _IPV4, 6, 4) or packet[14:18] != packet[24:28]:
        return None
    return Address(Family.IPV4, int.from_bytes(packet[14:18]))


def claimed_by_advertisement(packet: bytes) -> Address | None:
    """The address that an unsolicited neighbour advertisement is about; None for any other IPv6 packet."""
    if len(packet) < 64 or packet[6:8] != bytes([ICMPV6, _HOP_LIMIT]) or packet[40] != ADVERTISEMENT:
        return None
    if packet[44] & (_SOLICITED | _OVERRIDE) != _OVERRIDE:
        return None
    return Address(Family.IPV6, int.from_bytes(packet[48:64]))
