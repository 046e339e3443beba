"""spinifex#947: the default deny was written for IPv4 alone, and frames of other ethertypes went past it.

Here two ports have no wire between them, only a router: no frame of any other ethertype gets across, whatever the
groups say, and IPv4 and IPv6 get across as the groups say. To the router itself go neighbour discovery and DHCP.
"""

from __future__ import annotations

import itertools
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ringfence.backends.netns import inside
from ringfence.lab.lab import Lab
from ringfence.lab.netns import IpRoute
from ringfence.model.address import Address, Family
from ringfence.model.profile import HUAWEI
from tests.peers import frames
from tests.peers.asking import with_groups
from tests.peers.frames import BROADCAST, frame
from tests.peers.wire import Nic, address, listening, nic, send, send_packets, token
from tests.policy.build import build

pytestmark = pytest.mark.packets

OPEN = ["in allow all from any", "out allow all to any"]
POLICIES = {"closed": [], "open": OPEN}
WORLD = build(HUAWEI, "a: both; b: both", {"both": ""})

LLC_STP = b"\x42\x42\x03" + bytes(35)
ETHERTYPES = {
    "length of 802.3, spanning tree": (0x0026, LLC_STP),
    "ARP": (frames.ARP, b""),
    "RARP": (0x8035, b""),
    "wake on LAN": (0x0842, b""),
    "IPX": (0x8137, b""),
    "AppleTalk": (0x809B, b""),
    "MPLS": (0x8847, struct.pack("!I", 16 << 12 | 1 << 8 | 64)),
    "PPPoE discovery": (0x8863, b"\x11\x09\x00\x00\x00\x00"),
    "EAPOL": (0x888E, b"\x01\x01\x00\x00"),
    "local experiment 2": (0x88B6, b""),
    "LLDP": (0x88CC, b"\x02\x07\x04"),
    "MACsec": (0x88E5, b""),
    "PTP": (0x88F7, b""),
    "ethernet loopback": (0x9000, b"\0\0\1\0"),
    "unknown": (0xABCD, b""),
}
GROUP_ADDRESSES = [
    "ff:ff:ff:ff:ff:ff",
    "01:80:c2:00:00:00",
    "01:80:c2:00:00:0e",
    "01:00:5e:00:00:01",
    "33:33:00:00:00:01",
]


def destinations(a: Nic, b: Nic) -> list[bytes]:
    """The neighbour, the router, and everybody in the ways there are."""
    return [b.mac, a.outer_mac, *map(frames.mac, GROUP_ADDRESSES)]


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("what", ETHERTYPES)
def test_no_other_ethertype_gets_across(lab: Lab, policy: str, what: str) -> None:
    lab.enforce(with_groups(WORLD, {"both": POLICIES[policy]}))
    a, b, mark = nic(lab, "a"), nic(lab, "b"), token()
    ethertype, head = ETHERTYPES[what]
    with listening(b) as ear:
        send(a, *(frame(to, a.mac, ethertype, head + mark + bytes(40)) for to in destinations(a, b)))
        assert not ear.hears(mark)


@contextmanager
def bridged(a: Nic, b: Nic) -> Iterator[None]:
    """What the lab is not: both links on one bridge."""
    ip = IpRoute()
    join = [f"link set {card.outer} master wrong" for card in (a, b)]
    ip.run(["link add wrong type bridge", "link set wrong up", *join], a.router)
    try:
        yield
    finally:
        ip.run(["link del wrong"], a.router)


def test_on_one_bridge_every_one_of_them_would_get_across(lab: Lab) -> None:
    """That the tests above can fail: same frames, same ear, a wire between."""
    a, b = nic(lab, "a"), nic(lab, "b")
    marks = {what: token() for what in ETHERTYPES}
    with bridged(a, b), listening(b) as ear:
        for to in (BROADCAST, b.mac):
            send(a, *(frame(to, a.mac, number, head + marks[it]) for it, (number, head) in ETHERTYPES.items()))
        heard = ear.heard()
    assert {what: sum(mark in each for each in heard) for what, mark in marks.items()} == dict.fromkeys(ETHERTYPES, 2)


def datagram(lab: Lab, source: str, destination: str, family: Family, mark: bytes) -> bytes:
    return frames.udp(address(lab, source, family), address(lab, destination, family), 7, 7, mark)


def gets_across(lab: Lab, family: Family) -> bool:
    """Whether an ordinary packet does."""
    mark = token()
    with listening(nic(lab, "b")) as ear:
        send_packets(nic(lab, "a"), datagram(lab, "a", "b", family, mark))
        return ear.hears(mark)


TAGS = {
    "no tag": None,
    "priority tag": 5 << 13,
    "VLAN 1": 1,
    "VLAN 5": 5,
}


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("tag", TAGS)
def test_ip_gets_across_as_the_policy_says_and_in_no_vlan(lab: Lab, family: Family, policy: str, tag: str) -> None:
    """A tag without a VLAN (802.1Q, 6.9) leaves the packet what it is: the policy judges it."""
    lab.enforce(with_groups(WORLD, {"both": POLICIES[policy]}))
    a, b, mark = nic(lab, "a"), nic(lab, "b"), token()
    packet, vlan = datagram(lab, "a", "b", family, mark), TAGS[tag]
    ethertype, data = frames.ethertype_of(packet), packet
    if vlan is not None:
        ethertype, data = frames.VLAN, frames.tagged(vlan, ethertype, packet)
    with listening(b) as ear:
        send(a, frame(a.outer_mac, a.mac, ethertype, data))
        expected = policy == "open" and tag in ("no tag", "priority tag")
        assert ear.hears(mark) == expected
        send(a, *(frame(to, a.mac, ethertype, data) for to in destinations(a, b) if to != a.outer_mac))
        assert sum(mark in each for each in ear.heard()) == expected
        assert gets_across(lab, family) == (policy == "open")


def test_ip_of_the_wrong_ethertype_does_not_get_across(lab: Lab, family: Family) -> None:
    """An IPv4 packet that calls itself IPv6 on the wire, and the other way round."""
    lab.enforce(with_groups(WORLD, {"both": OPEN}))
    a, b, mark = nic(lab, "a"), nic(lab, "b"), token()
    wrong = frames.IPV6 if family is Family.IPV4 else frames.IPV4
    with listening(b) as ear:
        send(a, frame(a.outer_mac, a.mac, wrong, datagram(lab, "a", "b", family, mark)))
        assert not ear.hears(mark)
    assert gets_across(lab, family)


def to_group(group: Address) -> bytes:
    """The MAC address of an IPv6 multicast group."""
    return b"\x33\x33" + frames.packed(group)[12:]


def question(card: Nic, own: Address, asked: Address) -> bytes:
    """A frame that asks who has an address: ARP, or a neighbour solicitation."""
    if asked.family is Family.IPV4:
        return frame(BROADCAST, card.mac, frames.ARP, frames.arp(1, (card.mac, own), (bytes(6), asked)))
    node = Address(Family.IPV6, 0xFF02 << 112 | 1 << 32 | 0xFF << 24 | asked.value & 0xFFFFFF)
    solicit = bytes(4) + frames.packed(asked) + b"\1\1" + card.mac
    return frame(to_group(node), card.mac, frames.IPV6, frames.icmpv6(card.link_local, node, 135, solicit))


def answered(card: Nic, asked: Address, heard: list[bytes]) -> bool:
    """Whether the router said that the address is at its own end of the link."""
    if asked.family is Family.IPV4:
        answer = struct.pack("!H", 2) + card.outer_mac + frames.packed(asked)
        return any(it[12:14] == b"\x08\x06" and answer in it for it in heard)
    advert = frames.packed(asked) + b"\2\1" + card.outer_mac
    return any(it[12:14] == b"\x86\xdd" and it[54] == 136 and advert in it for it in heard)


@pytest.mark.parametrize("policy", POLICIES)
def test_the_router_answers_for_itself_and_neighbours_hear_nothing(lab: Lab, family: Family, policy: str) -> None:
    """Over IPv4 the router answers for the neighbours too (proxy ARP); over IPv6 nobody needs to ask for them."""
    lab.enforce(with_groups(WORLD, {"both": POLICIES[policy]}))
    a, b = nic(lab, "a"), nic(lab, "b")
    own, neighbour = address(lab, "a", family), address(lab, "b", family)
    router = Address.parse("10.0.0.1" if family is Family.IPV4 else "fe80::1")
    with listening(a) as at_a, listening(b) as at_b:
        send(a, question(a, own, router), question(a, own, neighbour))
        assert answered(a, router, at_a.heard())
        assert answered(a, neighbour, at_a.heard()) == (family is Family.IPV4)
        assert at_b.heard() == []
    assert gets_across(lab, family) == (policy == "open")


def is_about_neighbours(heard: bytes) -> bool:
    """ARP, or a neighbour solicitation or advertisement: the router may ask who we are."""
    return heard[12:14] == b"\x08\x06" or (heard[12:14] == b"\x86\xdd" and heard[20] == 58 and heard[54] in (135, 136))


def discover(lab: Lab, card: Nic, family: Family, mark: bytes) -> bytes:
    """What a guest sends that has no address yet: a DHCP discover (RFC 2131, 4.1), a DHCPv6 solicit (RFC 8415, 7.1)."""
    if family is Family.IPV4:
        nowhere, everybody = Address(family, 0), Address(family, family.top)
        return frame(BROADCAST, card.mac, frames.IPV4, frames.udp(nowhere, everybody, 68, 67, mark))
    servers = Address.parse("ff02::1:2")
    return frame(to_group(servers), card.mac, frames.IPV6, frames.udp(card.link_local, servers, 546, 547, mark))


def server(card: Nic, family: Family, kind: socket.SocketKind, port: int) -> socket.socket:
    """A socket of the router that takes what comes for a port, by any of its addresses."""
    with inside(card.router):
        made = socket.socket(socket.AF_INET if family is Family.IPV4 else socket.AF_INET6, kind | socket.SOCK_NONBLOCK)
        if family is Family.IPV6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            member = frames.packed(Address.parse("ff02::1:2")) + struct.pack("I", socket.if_nametoindex(card.outer))
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, member)
        made.bind(("", port))
    return made


def received(made: socket.socket) -> list[bytes]:
    """Every datagram that waits."""
    found = []
    while True:
        try:
            found.append(made.recv(2048))
        except BlockingIOError:
            return found


@pytest.mark.parametrize("policy", POLICIES)
def test_dhcp_reaches_the_router_whatever_the_groups_say(lab: Lab, family: Family, policy: str) -> None:
    lab.enforce(with_groups(WORLD, {"both": POLICIES[policy]}))
    a, b, mark = nic(lab, "a"), nic(lab, "b"), token()
    with server(a, family, socket.SOCK_DGRAM, 67 if family is Family.IPV4 else 547) as dhcp, listening(b) as ear:
        send(a, discover(lab, a, family, mark))
        assert not ear.hears(mark)  # and by then the router has it
        assert received(dhcp) == [mark]


SERVICES = list(itertools.product([53, 67, 547, 65535], [68, 546, 40000]))


@pytest.mark.parametrize("policy", POLICIES)
def test_nothing_else_reaches_the_router(lab: Lab, family: Family, policy: str) -> None:
    """Neither its address in the subnet nor, over IPv6, that on the link; the groups do not matter."""
    lab.enforce(with_groups(WORLD, {"both": POLICIES[policy]}))
    a = nic(lab, "a")
    is_dhcp = {(67, 68)} if family is Family.IPV4 else {(547, 546)}
    own, router = address(lab, "a", family), Address.parse("10.0.0.1" if family is Family.IPV4 else "fd00::1")
    pairs = [(own, router)] if family is Family.IPV4 else [(own, router), (a.link_local, Address.parse("fe80::1"))]
    for port in sorted({port for port, _ in SERVICES}):
        with server(a, family, socket.SOCK_DGRAM, port) as datagrams, listening(a) as ear:
            sources = [source for asked, source in SERVICES if asked == port]
            for source, (from_, to) in itertools.product(sources, pairs):
                send_packets(a, frames.udp(from_, to, source, port, f"{port},{source}".encode()))
            ear.heard()
            answers = {tuple(map(int, it.decode().split(","))) for it in received(datagrams)}
            assert answers == {it for it in is_dhcp if it[0] == port}
            for from_, to in pairs:
                send_packets(a, frames.tcp(from_, to, (40001, port), frames.SYN, b"", (1, 0)))
                send_packets(a, frames.echo(from_, to, 7, b"anyone?"))
            to_us = [it for it in ear.heard() if it[:6] == a.mac and not is_about_neighbours(it)]
            assert to_us == []  # no answer, no reset, no unreachable


def test_dhcp_of_the_outside_does_not_reach_the_router(lab: Lab, family: Family) -> None:
    """A guest may renew its lease from its own address, by unicast; a stranger may not ask at all."""
    router, source, port = ("10.0.0.1", 68, 67) if family is Family.IPV4 else ("fd00::1", 546, 547)
    a, laptop = nic(lab, "a"), nic(lab, "laptop")
    with server(a, family, socket.SOCK_DGRAM, port) as dhcp, listening(a) as ear:
        for name, card in (("laptop", laptop), ("a", a)):
            send_packets(
                card, frames.udp(address(lab, name, family), Address.parse(router), source, port, name.encode())
            )
        ear.heard()
        assert received(dhcp) == [b"a"]
