"""A link that is plugged carries packets: what the lab waits for, and that it waits for all of them."""

from __future__ import annotations

import random
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ringfence.backends.netns import inside
from ringfence.errors import CannotRun
from ringfence.lab.links import Spot, await_carrying
from ringfence.lab.names import LabNames
from ringfence.lab.netns import IpRoute, make
from ringfence.lab.packets import MARKER_TYPE
from ringfence.lab.parts import parts
from ringfence.lab.topology import build
from ringfence.lab.wiring import Part, plug, unplug
from tests.lab.worlds import ip, world
from tests.topologies import TOPOLOGIES, Topology
from tests.worlds import random_world

_ADDED = re.compile(r"link add name (\S+) address \S+ type veth peer name (\S+) address \S+ netns (\S+)")
_FRAME = b"\xff" * 6 + b"\x02" + bytes(5) + MARKER_TYPE.to_bytes(2) + bytes(46)
_PAIRS = 100


@pytest.mark.parametrize("topology", TOPOLOGIES.values(), ids=TOPOLOGIES)
def test_a_part_names_both_ends_of_the_link_that_it_makes(topology: Topology) -> None:
    drawn = [random_world(random.Random(seed), topology.profile, topology) for seed in range(5)]
    assert any(it.peerings for it in drawn) is bool(topology.peerings)
    for part in (part for it in drawn for part in parts(it, LabNames("x"))):
        added = [(where.namespace, found) for where, line in part.plug if (found := _ADDED.match(line))]
        ends = {Spot(*end) for own, found in added for end in ((own, found[1]), (found[3], found[2]))}
        assert {*part.ends} == ends
        assert len(added) <= 1


@contextmanager
def links_come_and_go(namespace: str) -> Iterator[None]:
    """Many links, so that the kernel's link watch is always late."""
    pairs = range(_PAIRS)
    lines = [f"link add near{it} group 7 type veth peer name far{it}" for it in pairs]
    lines += [f"link set {end}{it} up" for it in pairs for end in ("near", "far")]
    over, begun = threading.Event(), threading.Event()

    def come_and_go() -> None:
        while not over.is_set():
            IpRoute().run([*lines, "link del group 7"], namespace)
            begun.set()

    running = threading.Thread(target=come_and_go)
    running.start()
    try:
        assert begun.wait(30)
        yield
    finally:
        over.set()
        running.join()


@pytest.fixture
def host(lab_name: str) -> Part:
    """The part of a host outside, plugged: its link's ends are the internet's and the host's."""
    names, only = LabNames(lab_name), world("outside: {laptop: [203.0.113.9]}")
    build(only, names, IpRoute())
    (found,) = (part for part in parts(only, names) if part.name)
    return found


def packets_at(spot: Spot) -> socket.socket:
    with inside(spot.namespace):
        return socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(MARKER_TYPE))


def is_plugged_anew(host: Part, sender: socket.socket, receiver: socket.socket) -> bool:
    """Whether a frame that is sent as soon as it is plugged comes in at the other end."""
    unplug([host], IpRoute())
    plug([host], IpRoute())
    sender.sendto(_FRAME, (host.ends[0].link, MARKER_TYPE))
    try:
        return receiver.recv(100) == _FRAME
    except TimeoutError:
        return False


@pytest.mark.packets
def test_what_is_plugged_carries_at_once_however_busy_the_kernel_is(host: Part, lab_name: str) -> None:
    """The first packets to a host that was plugged a moment before got lost, and were taken for denied ones."""
    out, laptop = host.ends
    busy = f"{LabNames(lab_name).prefix}busy"
    make([busy], IpRoute())
    with packets_at(out) as sender, packets_at(laptop) as receiver, links_come_and_go(busy):
        receiver.settimeout(0.1)
        assert [number for number in range(25) if not is_plugged_anew(host, sender, receiver)] == []


@pytest.mark.packets
def test_what_does_not_carry_is_told_in_time(host: Part) -> None:
    out, laptop = host.ends
    await_carrying(host.ends, 0)
    ip("-n", laptop.namespace, "link", "set", laptop.link, "down")
    begun = time.monotonic()
    with pytest.raises(CannotRun, match=rf"{out.link} of namespace {out.namespace} is .* for 0.2 seconds"):
        await_carrying([out], 0.2)
    assert 0.2 <= time.monotonic() - begun < 5
    later = threading.Timer(0.3, ip, ("-n", laptop.namespace, "link", "set", laptop.link, "up"))
    later.start()
    await_carrying(host.ends)
    later.join()
    with pytest.raises(CannotRun, match=f"no link eth7 in namespace {laptop.namespace}: No such device"):
        await_carrying([laptop._replace(link="eth7")])
