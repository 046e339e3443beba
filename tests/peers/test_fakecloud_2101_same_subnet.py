"""fakecloud#2101: traffic inside one subnet was switched, not routed, and so it never met the filter.

Here every packet between two ports of a subnet is routed and judged: a frame for the neighbour's own MAC address, an
address of the link, a borrowed source address or a forged answer to the router leads round nothing.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import permutations

import pytest

from ringfence.backends.netns import inside
from ringfence.lab.lab import Lab
from ringfence.model.address import Address, Family
from ringfence.model.profile import HUAWEI
from tests.peers import frames
from tests.peers.asking import command, passing, with_groups
from tests.peers.frames import BROADCAST, frame
from tests.peers.wire import address, listening, nic, send, send_packets, token
from tests.policy.build import build

pytestmark = pytest.mark.packets

OPEN = ["in allow all from any", "out allow all to any"]
WORLD = build(HUAWEI, "a: ga; b: gb; c: gc", {"ga": "", "gb": "", "gc": ""})
ALL_OPEN = with_groups(WORLD, {"ga": OPEN, "gb": OPEN, "gc": OPEN})
ONLY_C = with_groups(WORLD, {"ga": OPEN, "gb": ["in allow all from group gc"], "gc": OPEN})
"""A may send what it likes, but B takes it from C alone."""


def test_no_link_is_on_a_bridge(lab: Lab) -> None:
    """What passes a bridge meets no filter of the inet family, unless br_netfilter is loaded."""
    links = json.loads(command(nic(lab, "a").router, "ip", "-j", "link", "show"))
    assert {nic(lab, name).outer for name in "abc"} <= {link["ifname"] for link in links}
    assert [link["ifname"] for link in links if "master" in link] == []


def test_same_subnet_is_judged(lab: Lab, family: Family) -> None:
    pairs = [f"{one} -> {two} udp/9" for one, two in permutations("abc", 2)]
    lab.enforce(WORLD)
    assert passing(lab, family, pairs) == set()
    lab.enforce(ONLY_C)
    assert passing(lab, family, pairs) == {"c -> b udp/9", "a -> c udp/9", "c -> a udp/9"}


@pytest.mark.parametrize("policy", ["closed", "open"])
def test_a_frame_for_the_neighbours_own_mac_address_does_not_get_there(lab: Lab, family: Family, policy: str) -> None:
    """Even where the groups would let the packet pass by the router; with the source's own MAC address or another's."""
    lab.enforce(ALL_OPEN if policy == "open" else WORLD)
    a, b, c, mark = nic(lab, "a"), nic(lab, "b"), nic(lab, "c"), token()
    packet = frames.udp(address(lab, "a", family), address(lab, "b", family), 7, 7, mark)
    everybody = b"\x01\x00\x5e\x00\x00\x01" if family is Family.IPV4 else b"\x33\x33\x00\x00\x00\x01"
    with listening(b) as ear:
        for to in (b.mac, b.outer_mac, BROADCAST, everybody):
            for source in (a.mac, b.mac, c.mac, a.outer_mac):
                send(a, frame(to, source, frames.ethertype_of(packet), packet))
        assert not ear.hears(mark)


@pytest.mark.parametrize("policy", ["closed", "open"])
def test_the_neighbours_address_on_the_link_is_not_reached(lab: Lab, family: Family, policy: str) -> None:
    """Its own link-local address, and the groups of the link: nothing is routed there."""
    lab.enforce(ALL_OPEN if policy == "open" else WORLD)
    a, b, mark = nic(lab, "a"), nic(lab, "b"), token()
    own = address(lab, "a", family)
    if family is Family.IPV4:
        ends = [(own, Address.parse(to)) for to in ("169.254.0.1", "224.0.0.1", "255.255.255.255", "10.0.255.255")]
    else:
        targets = [b.link_local, Address.parse("ff02::1"), Address.parse("ff05::1")]
        ends = [(source, to) for source in (own, a.link_local) for to in targets]
        ends.append((a.link_local, address(lab, "b", family)))
    with listening(b) as ear:
        for source, to in ends:
            packet = frames.udp(source, to, 7, 7, mark)
            for mac in (a.outer_mac, b.mac, BROADCAST):
                send(a, frame(mac, a.mac, frames.ethertype_of(packet), packet))
        assert not ear.hears(mark)


def test_exempt_packets_lead_no_further_than_the_router(lab: Lab, family: Family) -> None:
    """DHCP and neighbour discovery pass the first hook; those for a neighbour stop at the router all the same."""
    lab.enforce(ALL_OPEN)
    a, b, mark = nic(lab, "a"), nic(lab, "b"), token()
    to = address(lab, "b", family)
    if family is Family.IPV4:
        packets = [frames.udp(Address(family, 0), to, 68, 67, mark)]
    else:
        solicit = bytes(4) + frames.packed(to) + mark
        packets = [frames.udp(a.link_local, to, 546, 547, mark)]
        packets += [
            frames.icmpv6(source, to, kind, solicit)
            for kind in (133, 134, 135, 136, 137)
            for source in (a.link_local, Address(family, 0))
        ]
    with listening(b) as ear:
        send_packets(a, *packets)
        assert not ear.hears(mark)


@pytest.mark.parametrize("kind", ["udp", "syn", "echo"])
def test_a_borrowed_source_address_does_not_arrive(lab: Lab, family: Family, kind: str) -> None:
    """B takes everything from C. What A, or a host outside, sends in C's name does not arrive; what C sends does."""
    lab.enforce(ONLY_C)
    b, mark = nic(lab, "b"), token()
    source, to = address(lab, "c", family), address(lab, "b", family)
    packet = {
        "udp": frames.udp(source, to, 7, 7, mark),
        "syn": frames.tcp(source, to, (41000, 7), frames.SYN, mark, (1, 0)),
        "echo": frames.echo(source, to, 7, mark),
    }[kind]
    a, c = nic(lab, "a"), nic(lab, "c")
    with listening(b) as ear:
        send_packets(a, packet)
        send(a, frame(a.outer_mac, c.mac, frames.ethertype_of(packet), packet))
        send(a, frame(c.outer_mac, c.mac, frames.ethertype_of(packet), packet))
        send_packets(b, packet)
        send_packets(nic(lab, "laptop"), packet)
        assert not ear.hears(mark)
        send_packets(c, packet)
        assert ear.hears(mark)


def test_nobody_may_send_as_nobody(lab: Lab, family: Family) -> None:
    """Addresses that no port has: of the subnet, the router's, the receiver's own, loopback, and of the outside."""
    lab.enforce(ALL_OPEN)
    a, b, laptop, mark = nic(lab, "a"), nic(lab, "b"), nic(lab, "laptop"), token()
    to = address(lab, "b", family)
    words = {
        Family.IPV4: ("10.0.0.99", "10.0.0.1", "10.0.0.0", "0.0.0.0", "127.0.0.1", "203.0.113.9", "10.1.0.11"),
        Family.IPV6: ("fd00::99", "fd00::1", "fd00::", "::", "::1", "2001:db8::9", "fd00:1::b", "fe80::1", "ff02::1"),
    }
    strangers = [to, *map(Address.parse, words[family])]
    inner = [it for it in strangers if str(it) not in ("203.0.113.9", "2001:db8::9", "10.1.0.11", "fd00:1::b")]
    with listening(b) as ear:
        send_packets(a, *(frames.udp(source, to, 7, 7, mark) for source in strangers))
        send_packets(laptop, *(frames.udp(source, to, 7, 7, mark) for source in inner))
        assert not ear.hears(mark)


def test_a_foreign_mac_address_makes_nobody_else_of_a_port(lab: Lab, family: Family) -> None:
    """A port is known by its link and its address: with C's MAC address A is judged as A, whether denied or allowed."""
    a, b, c = nic(lab, "a"), nic(lab, "b"), nic(lab, "c")
    for world, passes in ((ONLY_C, False), (ALL_OPEN, True)):
        lab.enforce(world)
        mark = token()
        packet = frames.udp(address(lab, "a", family), address(lab, "b", family), 7, 7, mark)
        with listening(b) as ear:
            send(a, frame(a.outer_mac, c.mac, frames.ethertype_of(packet), packet))
            assert ear.hears(mark) == passes
            assert all(it[6:12] == b.outer_mac for it in ear.heard() if mark in it)


@contextmanager
def connected(lab: Lab, family: Family) -> Iterator[tuple[socket.socket, socket.socket]]:
    """A TCP connection from C to B: C's end and B's."""
    kind = socket.AF_INET if family is Family.IPV4 else socket.AF_INET6
    ends = [str(address(lab, name, family)) for name in "cb"]
    with inside(lab.namespace("b")):
        server = socket.create_server((ends[1], 0), family=kind)
    with inside(lab.namespace("c")):
        client = socket.socket(kind)
    with server, client:
        client.settimeout(5)
        client.connect(server.getsockname()[:2])
        accepted, _ = server.accept()
        with accepted:
            accepted.settimeout(5)
            yield client, accepted


def test_nobody_gets_into_an_established_connection(lab: Lab, family: Family) -> None:
    """Its whole 5-tuple, sent from A, from A to C, and from outside; the connection itself goes on."""
    lab.enforce(ONLY_C)
    b, mark = nic(lab, "b"), token()
    with connected(lab, family) as (client, accepted), listening(b) as ear:
        client.sendall(b"one")
        assert accepted.recv(3) == b"one"
        source, to = address(lab, "c", family), address(lab, "b", family)
        ports = (client.getsockname()[1], accepted.getsockname()[1])
        forged = [frames.tcp(source, to, ports, flags, mark, (1, 1)) for flags in (frames.ACK, 0x18, 0x14, 0x11)]
        for name in ("a", "laptop", "b"):
            send_packets(nic(lab, name), *forged)
        assert not ear.hears(mark)
        own = frames.tcp(address(lab, "a", family), to, ports, frames.ACK, mark, (1, 1))
        send_packets(nic(lab, "a"), own)  # the ports of the connection in A's own name
        assert not ear.hears(mark)
        client.sendall(b"two")
        assert accepted.recv(3) == b"two"


def test_a_forged_answer_moves_no_address(lab: Lab, family: Family) -> None:
    """A claims C's and B's addresses before the router and everybody; packets still go to whom they belong."""
    lab.enforce(ALL_OPEN)
    a = nic(lab, "a")
    for name in "bc":
        claimed = address(lab, name, family)
        if family is Family.IPV4:
            claims = [
                frames.arp(kind, (a.mac, claimed), (to, claimed)) for kind in (1, 2) for to in (bytes(6), BROADCAST)
            ]
            send(a, *(frame(to, a.mac, frames.ARP, it) for it in claims for to in (BROADCAST, a.outer_mac)))
        else:
            advert = b"\x20\0\0\0" + frames.packed(claimed) + b"\2\1" + a.mac
            for source in (claimed, a.link_local):
                send_packets(
                    a, *(frames.icmpv6(source, Address.parse(to), 136, advert) for to in ("ff02::1", "fe80::1"))
                )
    mark = token()
    with listening(a) as at_a, listening(nic(lab, "b")) as at_b:
        send_packets(nic(lab, "c"), frames.udp(address(lab, "c", family), address(lab, "b", family), 7, 7, mark))
        assert at_b.hears(mark)
        assert not at_a.hears(mark)
