"""Virtual IPs (SEMANTICS.md section 5): who has one, how it moves, and that policy follows."""

from __future__ import annotations

import socket
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from ringfence.backends.netns import inside
from ringfence.errors import CannotRun, UnknownName
from ringfence.lab import virtual
from ringfence.lab.claims import announcement, claimed_by_advertisement, claimed_by_arp
from ringfence.lab.lab import Lab
from ringfence.lab.names import guest_link
from ringfence.lab.netns import end_inhabitants
from ringfence.model.address import Address, Family
from ringfence.model.mac import mac_of
from tests.lab.worlds import flow, ip, remains, world
from tests.peers import frames

packets = pytest.mark.packets
families = pytest.mark.parametrize("family", list(Family), ids=str)

WORLD = """
switches: {on_change: keep}
vpcs:
  a: {cidrs: [10.1.0.0/16, "fd00:1::/56"], subnets: {sa: {cidr: 10.1.1.0/24, cidr6: "fd00:1:0:1::/64"}}}
  b: {cidrs: [10.2.0.0/16, "fd00:2::/56"], subnets: {sb: {cidr: 10.2.1.0/24, cidr6: "fd00:2:0:1::/64"}}}
peerings: [{vpcs: [a, b]}]
groups:
  web: [in allow tcp 80 from any, in allow udp 7 from any, out allow all to any]
  dns: [in allow udp 53 from any, out deny tcp 80 to any, out allow all to any]
  by-group:
    - in allow tcp 90 from group web
    - in allow tcp 91 from 10.1.1.100/32
    - in allow tcp 91 from fd00:1:0:1::100/128
    - out allow all to any
instances:
  one: {subnet: sa, ip: 10.1.1.11, ip6: "fd00:1:0:1::11", groups: web}
  two:
    ports:
      eth0: {subnet: sa, ip: 10.1.1.12, ip6: "fd00:1:0:1::12", groups: web}
      eth1: {subnet: sa, ip: 10.1.1.13, ip6: "fd00:1:0:1::13", groups: dns}
  other: {subnet: sa, ip: 10.1.1.14, ip6: "fd00:1:0:1::14", groups: by-group}
  far: {subnet: sb, ip: 10.2.1.15, ip6: "fd00:2:0:1::15", groups: web}
virtual_ips: {vip: {subnet: sa, ip: 10.1.1.100, ip6: "fd00:1:0:1::100", ports: [one, two.eth1]}}
outside: {laptop: [203.0.113.9, "2001:db8::9"]}
"""
VIP = {Family.IPV4: Address.parse("10.1.1.100"), Family.IPV6: Address.parse("fd00:1:0:1::100")}
ASKERS = ("other", "far", "laptop")


@pytest.fixture(scope="module")
def shared(lab_names: Callable[[], str]) -> Iterator[Lab]:
    with Lab.up(world(WORLD), lab_names()) as lab:
        yield lab


@pytest.fixture
def lab(shared: Lab) -> Lab:
    """The virtual IP is at the first port."""
    shared.move_vip("vip", "one")
    return shared


def agrees(lab: Lab) -> None:
    report = lab.verify()
    assert report.ok, [(str(it.flow), it.observation) for it in report.differences] + [*map(str, report.unproved)]


def answers(lab: Lab, family: Family) -> dict[str, tuple[bool, bool]]:
    """Whether the virtual IP answers each asker over tcp/80 and udp/53: as ``one`` does, or as ``two.eth1``."""
    asked = [flow(lab.world, f"{asker} -> vip {what}", family) for asker in ASKERS for what in ("tcp/80", "udp/53")]
    found = iter(lab.converse(asked))
    return {asker: (bool(next(found).answered), bool(next(found).answered)) for asker in ASKERS}


AT_ONE, AT_TWO = dict.fromkeys(ASKERS, (True, False)), dict.fromkeys(ASKERS, (False, True))


@packets
@families
def test_policy_follows_a_move(lab: Lab, family: Family) -> None:
    for port, holder, expected in (
        ("one", "one.eth0", AT_ONE),
        ("two.eth1", "two.eth1", AT_TWO),
        ("one", "one.eth0", AT_ONE),
    ):
        lab.move_vip("vip", port)
        assert lab.world.virtual_ips["vip"].active == holder
        assert Lab.attach(lab.names.lab).world == lab.world
        assert answers(lab, family) == expected
        agrees(lab)


@packets
def test_what_is_sent_from_it_is_judged_by_its_holder_and_is_no_members(lab: Lab) -> None:
    """A reference to the holder's group does not match it; its address does."""
    expected = {"other tcp/90": False, "other tcp/91": True, "far tcp/80": True}
    for port, far in (("one", True), ("two.eth1", False)):
        lab.move_vip("vip", port)
        expected["far tcp/80"] = far  # group dns sends nothing to port 80
        for family in Family:
            seen = lab.probe([flow(lab.world, f"vip -> {text}", family) for text in expected])
            assert [it.action == "allow" for it in seen] == [*expected.values()]
    (seen_from_own,) = lab.probe([flow(lab.world, "far -> two.eth1 udp/53")])
    assert seen_from_own.arrived


def say(lab: Lab, name: str, data: bytes) -> None:
    """Send a frame from a port's guest."""
    port = lab.world.port_by_name[name]
    with inside(lab.names.guest(*port.guest)):
        raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    with raw:
        raw.sendto(data, (guest_link(port.name), 0))


def _mac(name: str) -> str:
    return mac_of(world(WORLD).port_by_name[name])


def gratuitous(name: str, address: Address, operation: int) -> bytes:
    own = frames.mac(_mac(name))
    target = frames.BROADCAST if operation == 2 else bytes(6)
    return frames.frame(frames.BROADCAST, own, frames.ARP, frames.arp(operation, (own, address), (target, address)))


def advertisement(name: str, address: Address, flags: int = 0x20, hops: int = 255) -> bytes:
    own, all_nodes = frames.mac(_mac(name)), Address.parse("ff02::1")
    body = struct.pack("!Bxxx", flags) + frames.packed(address) + b"\x02\x01" + own
    packet = frames.icmpv6(address, all_nodes, 136, body, hops)
    return frames.frame(bytes.fromhex("333300000001"), own, frames.IPV6, packet)


def holder(lab: Lab, expected: str, patience: float = 3) -> str:
    until = time.monotonic() + patience
    while (found := lab.world.virtual_ips["vip"].active) != expected and time.monotonic() < until:
        time.sleep(0.005)
    return found


@packets
@pytest.mark.parametrize("how", ["request", "reply", "advertisement"])
def test_a_guest_may_take_it_without_us(lab: Lab, how: str) -> None:
    """As keepalived does: the addresses change hands, and the new guest says so for one of them."""
    for address in VIP.values():
        ip("-n", lab.namespace("one"), "addr", "del", f"{address.host_prefix}", "dev", "eth0")
        ip("-n", lab.namespace("two"), "addr", "add", f"{address.host_prefix}", "dev", "eth1")
    assert holder(lab, "two.eth1", 0.1) == "one.eth0"
    frame = {
        "request": gratuitous("two.eth1", VIP[Family.IPV4], 1),
        "reply": gratuitous("two.eth1", VIP[Family.IPV4], 2),
        "advertisement": advertisement("two.eth1", VIP[Family.IPV6]),
    }[how]
    say(lab, "two.eth1", frame)
    assert holder(lab, "two.eth1") == "two.eth1"
    for family in Family:
        assert answers(lab, family) == AT_TWO
    agrees(lab)


@packets
def test_ipv6_of_linux_says_so_by_itself(lab: Lab) -> None:
    """With its own notification switched on, as some distributions have it; no code of ours takes part."""
    with inside(lab.namespace("two")):
        subprocess.run(["sysctl", "-qw", "net.ipv6.conf.eth1.ndisc_notify=1"], check=True)
    ip("-n", lab.namespace("one"), "addr", "del", f"{VIP[Family.IPV6]}/128", "dev", "eth0")
    ip("-n", lab.namespace("two"), "addr", "add", f"{VIP[Family.IPV6]}/128", "dev", "eth1")
    assert holder(lab, "two.eth1") == "two.eth1"
    ip("-n", lab.namespace("two"), "addr", "del", f"{VIP[Family.IPV6]}/128", "dev", "eth1")


OWN = {Family.IPV4: Address.parse("10.1.1.14"), Family.IPV6: Address.parse("fd00:1:0:1::14")}
NOT_CLAIMS = {
    "another instance's request": ("other.eth0", gratuitous("other.eth0", VIP[Family.IPV4], 1)),
    "another instance's advertisement": ("other.eth0", advertisement("other.eth0", VIP[Family.IPV6])),
    "another port of the same guest": ("two.eth0", gratuitous("two.eth0", VIP[Family.IPV4], 1)),
    "a port's own address": ("two.eth1", gratuitous("two.eth1", OWN[Family.IPV4], 1)),
    "a port's own address over ipv6": ("two.eth1", advertisement("two.eth1", OWN[Family.IPV6])),
    "a question by who has it too": (
        "two.eth1",
        frames.frame(
            frames.BROADCAST,
            frames.mac(_mac("two.eth1")),
            frames.ARP,
            frames.arp(1, (frames.mac(_mac("two.eth1")), VIP[Family.IPV4]), (bytes(6), Address.parse("10.1.1.1"))),
        ),
    ),
    "an answer to a question": ("two.eth1", advertisement("two.eth1", VIP[Family.IPV6], flags=0x60)),
    "what came from afar": ("two.eth1", advertisement("two.eth1", VIP[Family.IPV6], hops=64)),
    "half a frame": ("two.eth1", gratuitous("two.eth1", VIP[Family.IPV4], 1)[:30]),
}


@packets
def test_nothing_else_moves_it(lab: Lab) -> None:
    routes = ["ip", "-n", lab.names.vpc("a"), "route"]
    before = subprocess.check_output(routes)
    for port, frame in NOT_CLAIMS.values():
        say(lab, port, frame)
    say(lab, "one.eth0", gratuitous("one.eth0", VIP[Family.IPV4], 1))  # queues behind them, and changes nothing
    assert holder(lab, "anybody else", 0.5) == "one.eth0"
    assert subprocess.check_output(routes) == before
    agrees(lab)


@packets
@families
def test_connections_do_not_move_along(lab: Lab, family: Family) -> None:
    """A flow that the old holder's groups allowed is judged by the new holder's."""
    kind = socket.AF_INET if family is Family.IPV4 else socket.AF_INET6
    with inside(lab.namespace("far")):
        client = socket.socket(kind, socket.SOCK_DGRAM)
    with client:
        for where, heard in (("one", True), ("two", False)):
            lab.move_vip("vip", "one" if heard else "two.eth1")
            with inside(lab.namespace(where)):
                server = socket.socket(kind, socket.SOCK_DGRAM)
            with server:
                server.bind((str(VIP[family]), 7))
                server.settimeout(2 if heard else 0.3)
                client.sendto(b"there?", (str(VIP[family]), 7))
                if heard:
                    data, who = server.recvfrom(10)
                    server.sendto(data, who)
                else:
                    with pytest.raises(TimeoutError):
                        server.recv(10)


@packets
def test_a_guest_keeps_what_it_took_unless_the_world_moves_it(lab: Lab) -> None:
    filed = world(WORLD)
    lab.move_vip("vip", "two.eth1")
    lab.enforce(world(WORLD.replace("udp 53", "udp 54")))
    assert lab.world.virtual_ips["vip"].active == "two.eth1"
    lab.enforce(filed)
    assert lab.world.virtual_ips["vip"].active == "two.eth1"
    lab.enforce(world(WORLD.replace("ports: [one, two.eth1]", "ports: [one, two.eth1], active: two.eth1")))
    assert lab.world.virtual_ips["vip"].active == "two.eth1"
    lab.enforce(filed)
    assert lab.world.virtual_ips["vip"].active == "one.eth0"
    lab.move_vip("vip", "two.eth1")
    lab.enforce(world(WORLD.replace("ports: [one, two.eth1]", "ports: [one, two.eth0]")))
    assert lab.world.virtual_ips["vip"].active == "one.eth0"
    agrees(lab)
    lab.move_vip("vip", "two")
    agrees(lab)
    lab.enforce(replace(filed, virtual_ips={}))
    lab.enforce(filed)
    assert lab.world == filed
    agrees(lab)


@packets
@pytest.mark.parametrize(
    ("name", "to", "said"),
    [
        ("vap", "one", "no virtual IP 'vap'; did you mean 'vip'"),
        ("vip", "three", "'three'; did you mean"),
        ("vip", "other", r"other\.eth0 is not behind virtual IP vip; name one of one\.eth0, two\.eth1"),
        ("vip", "two", r"two\.eth0 is not behind"),
        ("vip", "laptop", "laptop is not behind"),
        ("vip", "vip", "vip is not behind"),
    ],
)
def test_a_move_that_makes_no_sense_moves_nothing(lab: Lab, name: str, to: str, said: str) -> None:
    with pytest.raises(UnknownName, match=said):
        lab.move_vip(name, to)
    assert lab.world.virtual_ips["vip"].active == "one.eth0"


@packets
def test_a_network_that_does_not_follow_is_said(lab_name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(virtual, "_PATIENCE", 0.3)
    lab = Lab.up(world(WORLD), lab_name)
    end_inhabitants([lab.names.vpc("a")], virtual.WATCHER)
    with pytest.raises(CannotRun, match="does not lead vip to two"):
        lab.move_vip("vip", "two.eth1")
    lab.down()
    assert remains(lab_name) == []


@pytest.mark.parametrize("family", list(Family), ids=str)
def test_what_is_announced_is_what_the_standards_say(family: Family) -> None:
    """Byte for byte what the frames of this test are, and read back as what it was."""
    name, address = "two.eth1", VIP[family]
    said = announcement(address, frames.mac(_mac(name)))
    assert said == (gratuitous(name, address, 1) if family is Family.IPV4 else advertisement(name, address))
    read = {Family.IPV4: claimed_by_arp, Family.IPV6: claimed_by_advertisement}
    assert read[family](said[14:]) == address
    assert all(read[family](said[14:end]) is None for end in range(14, 42 if family is Family.IPV4 else 78))
