from __future__ import annotations

import errno
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ringfence.backends.netns import inside
from ringfence.errors import ProbeFailed
from ringfence.lab import capture, conntrack, probe
from ringfence.lab.lab import Lab
from ringfence.lab.links import Spot, await_carrying
from ringfence.lab.locking import locked
from ringfence.lab.names import LabNames, near_mac
from ringfence.lab.netns import IpRoute
from ringfence.lab.packets import Sighting
from ringfence.lab.probe import Observation, Prober
from ringfence.lab.rounds import Probe
from ringfence.lab.sending import Salvo
from ringfence.lab.topology import Place, Places, build
from ringfence.model.address import Family
from ringfence.model.rule import Action
from ringfence.policy.evaluate import evaluate
from tests.lab.worlds import SHOP, flow, handmade, ip, nft, world

pytestmark = pytest.mark.packets

families = pytest.mark.parametrize("family", list(Family), ids=str)

OPEN = """
vpcs:
  shop:
    cidrs: [10.0.0.0/16, "fd00:10::/56"]
    subnets:
      web: {cidr: 10.0.1.0/24, cidr6: "fd00:10:0:1::/64"}
      db: {cidr: 10.0.2.0/24, cidr6: "fd00:10:0:2::/64"}
groups:
  open: {rules: [in allow all from any, out allow all to any]}
instances:
  a: {subnet: web, ip: 10.0.1.11, ip6: "fd00:10:0:1::11", groups: [open], serve: [tcp/80, udp/53]}
  b: {subnet: web, ip: 10.0.1.12, ip6: "fd00:10:0:1::12", groups: [open]}
  c:
    serve: [tcp/80, udp/53]
    ports:
      eth0: {subnet: web, ip: 10.0.1.13, ip6: "fd00:10:0:1::13", groups: [open]}
      eth1: {subnet: db, ip: 10.0.2.13, ip6: "fd00:10:0:2::13", groups: [open]}
      eth2: {subnet: db, ip: 10.0.2.14, ip6: "fd00:10:0:2::14", groups: [open]}
outside:
  laptop: [203.0.113.9, "2001:db8::9"]
"""

SERVICES = ["tcp/80", "tcp/81", "udp/53", "udp/54", "icmp", "gre", "132", "136", "33", "50", "99"]
PAIRS = ["a -> b", "a -> c.eth1", "c.eth2 -> a", "laptop -> a", "a -> laptop"]


@pytest.fixture(scope="module")
def shared(lab_names: Callable[[], str]) -> Iterator[Lab]:
    """Everything is allowed."""
    with Lab.up(world(OPEN), lab_names()) as lab:
        yield lab


@pytest.fixture
def lab(shared: Lab) -> Iterator[Lab]:
    """The same, and what a test adds by hand goes away."""
    yield shared
    nft(shared.names.vpc("shop"), "table inet handmade { }\ndelete table inet handmade\n")


def see(lab: Lab, text: str, family: Family = Family.IPV4, payload: bytes | None = None) -> Observation:
    (seen,) = lab.probe([flow(lab.world, text, family)], payload)
    return seen


def place(lab: Lab, name: str, family: Family = Family.IPV4) -> Place:
    found = Places(lab.world, lab.names).source(lab.world.endpoint(name, family))
    assert found
    return found


@families
@pytest.mark.parametrize("service", SERVICES)
def test_what_passes_arrives_and_what_is_dropped_does_not(lab: Lab, family: Family, service: str) -> None:
    """Of every pair, the same subnet's too: peers' bug 3, fakecloud#2101."""
    flows = [flow(lab.world, f"{pair} {service}", family) for pair in PAIRS]
    seen = lab.probe(flows)
    assert [(it.flow, it.left, it.arrived, it.failure) for it in seen] == [(it, True, True, "") for it in flows]
    handmade(lab, "drop")
    seen = lab.probe(flows)
    assert [(it.flow, it.left, it.arrived, it.failure) for it in seen] == [(it, True, False, "") for it in flows]
    assert {it.action for it in seen} == {Action.DENY}


@families
@pytest.mark.parametrize("service", ["udp/9", "icmp", "gre", "99", "253"])
def test_a_probe_may_carry_nothing(lab: Lab, family: Family, service: str) -> None:
    assert see(lab, f"a -> b {service}", family, b"").arrived
    handmade(lab, "drop")
    assert see(lab, f"a -> b {service}", family, b"").action is Action.DENY


@families
def test_one_batch_tells_its_probes_apart(lab: Lab, family: Family) -> None:
    handmade(lab, "tcp dport { 1000-1999, 5000 } drop; udp dport 1500-2500 drop")
    flows = [
        flow(lab.world, f"{pair} {protocol}/{port}", family)
        for pair in ("a -> b", "b -> a", "laptop -> c.eth1")
        for protocol in ("tcp", "udp")
        for port in (999, 1000, 1500, 1999, 2000, 2500, 2501, 5000)
    ]
    dropped = {"tcp": (1000, 1500, 1999, 5000), "udp": (1500, 1999, 2000, 2500)}
    for seen in lab.probe(flows):
        service = seen.flow.service
        assert (seen.action is Action.DENY) == (service.port in dropped[str(service.protocol)]), str(seen.flow)


@families
@pytest.mark.parametrize("end", ["outer", "inner"])
def test_a_dead_link_at_the_destination_is_no_denial(
    lab_name: str, family: Family, end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Peers' bug 25, feint limits.md: a lost probe is evidence of nothing."""
    monkeypatch.setattr(probe, "_TO_MARK", 0.2)
    with Lab.up(world(OPEN), lab_name) as lab:
        at = place(lab, "c.eth1", family)
        namespace, link = (at.gate_namespace, at.gate) if end == "outer" else (at.namespace, at.link)
        ip("-n", namespace, "link", "set", link, "down")
        for service in ("tcp/80", "udp/53", "icmp", "gre"):
            seen = see(lab, f"a -> c.eth1 {service}", family)
            assert seen.left
            assert not seen.arrived
            with pytest.raises(ProbeFailed, match=r"a -> c\.eth1 .*eth1 is dead"):
                _ = seen.action


@families
@pytest.mark.parametrize("service", ["tcp/80", "udp/53", "icmp", "gre"])
def test_a_link_that_comes_up_after_the_probe_is_no_denial(
    lab_name: str, family: Family, service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the time that markers prove the capture alive, they say nothing of the moment of the probe."""
    send = Salvo.send

    def sending(*args: Any, **more: Any) -> Sighting:
        first = send(*args, **more)
        ip("-n", at.namespace, "link", "set", at.link, "up")
        await_carrying([Spot(at.namespace, at.link), Spot(at.gate_namespace, at.gate)])
        return first

    with Lab.up(world(OPEN), lab_name) as lab:
        at = place(lab, "c.eth1", family)
        ip("-n", at.namespace, "link", "set", at.link, "down")
        monkeypatch.setattr(Salvo, "send", sending)
        seen = see(lab, f"a -> c.eth1 {service}", family)
        assert (seen.left, seen.arrived) == (True, False)
        with pytest.raises(ProbeFailed, match="eth1 of c carried nothing yet when it was sent; try again"):
            _ = seen.action
        assert see(lab, f"a -> c.eth1 {service}", family).action is Action.ALLOW


NEXT_HOP = {Family.IPV4: "10.0.1.1", Family.IPV6: "fe80::1"}


@families
@pytest.mark.parametrize("what", ["no route", "no link", "no address", "no neighbour", "a wrong neighbour"])
def test_a_source_that_cannot_send_is_no_denial(
    lab_name: str, family: Family, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Peers' bug 25."""
    monkeypatch.setattr(probe, "_TO_LEAVE", 0.3)
    with Lab.up(world(OPEN), lab_name) as lab:
        at = place(lab, "a", family)
        wrong = ("neigh", "replace", NEXT_HOP[family], "lladdr", "02:00:00:00:00:01", "dev", "eth0", "nud", "permanent")
        command: tuple[str, ...] = {
            "no route": (f"-{family:d}", "route", "flush", "dev", "eth0"),
            "no link": ("link", "set", "eth0", "down"),
            "no address": (f"-{family:d}", "addr", "flush", "dev", "eth0", "scope", "global"),
            "no neighbour": ("neigh", "flush", "all"),
            "a wrong neighbour": wrong,
        }[what]
        if what == "no neighbour":
            ip("-n", at.gate_namespace, "link", "set", at.gate, "arp", "off")
            ip("-n", at.gate_namespace, "-6", "addr", "flush", "dev", at.gate)
        ip("-n", at.namespace, *command)
        for service in ("tcp/80", "udp/53", "icmp", "gre"):
            seen = see(lab, f"a -> c.eth1 {service}", family)
            assert (seen.left, seen.arrived) == (False, False)
            with pytest.raises(ProbeFailed, match=r"a could not send it|not seen to leave a by eth0"):
                _ = seen.action


@families
@pytest.mark.parametrize("waits", [True, False])
def test_what_waited_for_a_neighbour_and_did_not_arrive_is_sent_again(
    lab_name: str, family: Family, waits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be under way yet, on another processor than the markers; here it is dropped the first time instead."""
    fire = Prober._fire
    fired: list[int] = []

    def firing(prober: Prober, batch: list[Probe], *args: Any) -> dict[int, Observation]:
        fired.append(len(batch))
        found = fire(prober, batch, *args)
        nft(LabNames(lab_name).vpc("shop"), "table inet handmade { }\ndelete table inet handmade\n")
        return found

    with Lab.up(world(OPEN), lab_name) as lab:
        at = place(lab, "a", family)
        flows = [flow(lab.world, f"{end} udp/9", family) for end in ("a -> laptop", "a -> c.eth1", "b -> laptop")]
        assert [it.arrived for it in lab.probe(flows)] == [True] * 3
        answer = ("neigh", "replace", NEXT_HOP[family], "lladdr", near_mac("a.eth0"), "dev", "eth0", "nud", "permanent")
        later = threading.Timer(0.3, ip, ("-n", at.namespace, *answer))
        if waits:
            ip("-n", at.gate_namespace, "link", "set", at.gate, "arp", "off")
            ip("-n", at.gate_namespace, "-6", "addr", "flush", "dev", at.gate)
            ip("-n", at.namespace, "neigh", "flush", "all")
            later.start()
        handmade(lab, "udp dport 9 drop")
        monkeypatch.setattr(Prober, "_fire", firing)
        assert [it.action is Action.ALLOW for it in lab.probe(flows)] == [waits, waits, False]
        assert fired == ([3, 2] if waits else [3])
        later.cancel()


@families
def test_before_the_first_policy_nothing_passes(lab_name: str, family: Family) -> None:
    """Peers' bug 10, Calico fail-closed: wired, but nobody has said yet what may pass."""
    names, shop = LabNames(lab_name), world(OPEN)
    with locked(names) as lock:
        names.directory.mkdir()
        build(shop, names, IpRoute(lock))
    with closing(Prober(shop, names)) as prober:
        for service in ("tcp/80", "udp/53", "icmp", "gre"):
            (seen,) = prober.probe([flow(shop, f"a -> c.eth1 {service}", family)])
            assert seen.action is Action.DENY


def test_a_capture_that_lost_packets_proves_nothing(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture, "_BUFFER", 1)
    monkeypatch.setattr(probe, "_TO_LEAVE", 0.3)
    flows = [flow(lab.world, f"a -> b udp/{port}") for port in range(1000, 1400)]
    with closing(Prober(lab.world, lab.names)) as prober, pytest.raises(ProbeFailed, match="lost"):
        prober.probe(flows)


def test_what_was_lost_while_nobody_looked_does_not_matter(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture, "_BUFFER", 8192)
    asked = flow(lab.world, "a -> b udp/9")
    with closing(Prober(lab.world, lab.names)) as prober:
        assert prober.probe([asked])[0].arrived
        assert {it.arrived for it in lab.probe([flow(lab.world, f"a -> b udp/{port}") for port in range(1, 400)])} == {
            True
        }
        assert prober.probe([asked])[0].arrived


def test_a_guest_that_lost_its_address_gives_no_answer(lab_name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "_TO_ANSWER", 0.3)
    with Lab.up(world(OPEN), lab_name) as lab:
        ip("-n", lab.namespace("b"), "addr", "flush", "dev", "eth0")
        lost, kept = lab.converse([flow(lab.world, text) for text in ("a -> b tcp/80", "a -> c tcp/80")])
        assert (lost.arrived, lost.answered, lost.failure) == (True, False, "")
        assert kept.answered


def test_what_never_leaves_its_guest_is_said_not_guessed(lab: Lab) -> None:
    assert "never leaves" in see(lab, "c.eth0 -> c.eth1 tcp/80").failure
    assert "nobody in the lab" in see(lab, "192.0.2.9 -> a tcp/80").failure


@families
def test_an_address_that_nobody_has_is_behind_the_uplink(lab: Lab, family: Family) -> None:
    nowhere = {Family.IPV4: "192.0.2.9", Family.IPV6: "2001:db8:1::9"}[family]
    unassigned = {Family.IPV4: "10.0.1.99", Family.IPV6: "fd00:10:0:1::99"}[family]
    assert see(lab, f"c.eth1 -> {nowhere} tcp/80", family).arrived
    assert see(lab, f"c.eth1 -> {unassigned} tcp/80", family).action is Action.DENY
    handmade(lab, "drop")
    assert see(lab, f"c.eth1 -> {nowhere} tcp/80", family).action is Action.DENY


@families
@pytest.mark.parametrize("service", ["tcp/80", "tcp/81", "udp/53", "udp/54", "icmp"])
def test_a_conversation_is_answered_whether_or_not_anything_serves(lab: Lab, family: Family, service: str) -> None:
    flows = [flow(lab.world, f"{pair} {service}", family) for pair in PAIRS]
    for _ in range(2):  # what the first left behind does not stand in the way of the second
        assert [(it.arrived, it.answered, it.failure) for it in lab.converse(flows)] == [(True, True, "")] * len(flows)


@families
@pytest.mark.parametrize("service", ["tcp/80", "udp/53", "icmp"])
def test_an_answer_that_is_dropped_is_no_answer(
    lab: Lab, family: Family, service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "_TO_ANSWER", 0.3)
    handmade(lab, "ct direction reply drop")
    (seen,) = lab.converse([flow(lab.world, f"a -> b {service}", family)])
    assert (seen.arrived, seen.answered, seen.failure) == (True, False, "")


@families
@pytest.mark.parametrize("service", ["tcp/80", "udp/53", "icmp", "gre", "132", "99"])
def test_every_probe_is_a_new_connection(lab: Lab, family: Family, service: str) -> None:
    """What passed a moment ago has left an entry in conntrack; a probe must not slip through by it."""
    there, back = (flow(lab.world, text, family) for text in (f"a -> b {service}", f"b -> a {service}"))
    remote = "ip saddr 10.0.1.12" if family is Family.IPV4 else "ip6 saddr fd00:10:0:1::12"
    assert [it.arrived for it in lab.probe([there, back, there])] == [True] * 3
    handmade(lab, f"ct state established accept; {remote} drop")
    assert [it.arrived for it in lab.probe([there, back, there, back])] == [True, False, True, False]
    nft(lab.names.vpc("shop"), "delete table inet handmade")
    handmade(lab, "ct state established accept; drop")
    assert [it.arrived for it in lab.probe([there, back])] == [False, False]


@pytest.mark.parametrize("port", [33000, 33050, 47999])
def test_a_destination_port_among_the_source_ports_is_no_trap(lab: Lab, port: int) -> None:
    """A probe from a:P to b:Q must not be the answer to one from b:Q to a:P."""
    handmade(lab, "ct state established accept; ip saddr 10.0.1.12 drop")
    there = [flow(lab.world, f"a -> b udp/{number}") for number in range(port - 20, port + 20)]
    back = [flow(lab.world, f"b -> a udp/{number}") for number in range(port - 20, port + 20)]
    for _ in range(3):
        assert {it.arrived for it in lab.probe(there)} == {True}
        assert {it.arrived for it in lab.probe(back)} == {False}
        assert [it.arrived for it in lab.probe([*there, *back])] == [True] * 40 + [False] * 40


@families
@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_a_flow_comes_from_the_port_that_it_names(lab: Lab, family: Family, protocol: str) -> None:
    """Also from one that is served there, and every time as a new connection."""
    ports = {"tcp": 80, "udp": 53}[protocol]
    flows = [
        replace(flow(lab.world, f"{pair} {protocol}/{port}", family), source_port=source)
        for pair in ("c.eth1 -> a", "a -> c.eth1", "a -> b", "laptop -> a")
        for port, source in ((ports, ports), (ports, 1), (7, ports), (33333, 65535), (65535, 33333))
    ]
    for _ in range(2):
        assert [(it.arrived, it.answered, it.failure) for it in lab.converse(flows)] == [(True, True, "")] * len(flows)
    handmade(lab, f"ct state established accept; {protocol} sport {{ {ports}, 65535 }} drop")
    for seen in (lab.probe(flows), lab.probe(list(reversed(flows)))[::-1]):
        assert [it.arrived for it in seen] == [it.source_port not in (ports, 65535) for it in flows]


def test_a_port_that_a_program_keeps_for_itself_is_no_denial(lab: Lab) -> None:
    with inside(lab.namespace("b")):
        kept = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with kept:
        kept.bind(("", 68))
        (seen,) = lab.probe([replace(flow(lab.world, "b -> a udp/67"), source_port=68)])
    with pytest.raises(ProbeFailed, match="b could not send it: Address already in use"):
        _ = seen.action


PICKY = """
profile: alibaba
vpcs: {v: {cidrs: [10.0.0.0/16, "fd00::/56"], subnets: {s: {cidr: 10.0.0.0/24, cidr6: "fd00::/64"}}}}
groups:
  g: {vpc: v, intra_group: drop, rules: [in allow tcp 80 from any port %s, in allow udp 80 from any port %s]}
instances:
  a: {subnet: s, ip: 10.0.0.5, ip6: "fd00::5", groups: g}
  b: {subnet: s, ip: 10.0.0.6, ip6: "fd00::6", groups: g}
"""


@families
@pytest.mark.parametrize(
    ("ports", "expected"),
    [
        (("33000-33999", "35000"), Action.DENY),  # some of the ports from which probes come
        (("1024-59999", "1024-59999"), Action.DENY),  # all of these
        (("32768-60999", "1-65535"), Action.ALLOW),  # every ephemeral port
        (("1-40000", "40001-65535"), None),  # no port stands for all
    ],
)
def test_a_flow_that_names_no_port_comes_from_one_that_stands_for_all(
    lab_name: str, family: Family, ports: tuple[str, str], expected: Action | None
) -> None:
    with Lab.up(world(PICKY % ports), lab_name) as lab:
        asked = [flow(lab.world, f"a -> b {what}/80", family) for what in ("tcp", "udp")]
        for seen in lab.probe(asked):
            if expected is None:
                assert "no source port stands for all" in seen.failure
            else:
                assert seen.action is expected is evaluate(lab.world, seen.flow).action


def test_probes_end_no_connection_of_a_user(lab: Lab) -> None:
    """Whatever they make conntrack forget: the same protocol number, the same ports, the end of their numbers."""
    with inside(lab.namespace("b")):
        server = socket.create_server(("10.0.1.12", 7777))
    with inside(lab.namespace("a")):
        client = socket.create_connection(("10.0.1.12", 7777), 5)
    with server, client, server.accept()[0] as other:
        assert 50000 <= client.getsockname()[1] <= 60999
        named = replace(flow(lab.world, "a -> b tcp/7777"), source_port=4444)
        lab.converse([flow(lab.world, text) for text in ("a -> b gre", "a -> b tcp/33333", "a -> b udp/47999")])
        lab.probe([named, named, replace(named, source_port=33000)])
        client.settimeout(2)
        other.send(b"still there")
        assert client.recv(20) == b"still there"


def test_flush_forgets_every_connection_of_its_namespace_only(lab: Lab, lab_names: Callable[[], str]) -> None:
    def tracked(of: Lab) -> int:
        with inside(of.names.vpc("shop")):
            return int(Path("/proc/sys/net/netfilter/nf_conntrack_count").read_text())

    with Lab.up(world(OPEN), lab_names()) as other:
        for each in (lab, other):
            with inside(each.namespace("a")), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                for port in range(100, 150):
                    sender.sendto(b"", ("10.0.1.12", port))
            assert tracked(each) >= 50
        conntrack.flush(lab.names.vpc("shop"))
        assert tracked(lab) == 0
        assert tracked(other) >= 50


@families
def test_a_guest_with_many_ports_answers_by_the_port_that_was_asked(lab: Lab, family: Family) -> None:
    """To a program that knows nothing of ports: the answer bears the address that was asked, or it is not heard."""
    for name in ("c.eth0", "c.eth1", "c.eth2"):
        address = str(lab.world.endpoint(name, family).address)
        with inside(lab.namespace("laptop")):
            client = socket.socket(socket.AF_INET if family == 4 else socket.AF_INET6, socket.SOCK_DGRAM)
        with client:
            client.settimeout(5)
            client.connect((address, 53))
            client.send(b"hello")
            assert client.recv(100) == b"hello"


@families
def test_ordinary_programs_see_an_ordinary_network(lab: Lab, family: Family) -> None:
    for name in ("b", "c.eth1", "laptop"):
        address = str(lab.world.endpoint(name, family).address)
        kind = "AF_INET" if family is Family.IPV4 else "AF_INET6"
        connect = f"import socket, sys; sys.exit(socket.socket(socket.{kind}).connect_ex(({address!r}, 80)))"
        expected = 0 if name.startswith("c") else errno.ECONNREFUSED  # the others serve nothing, and say so
        assert lab.exec("a", [sys.executable, "-I", "-S", "-c", connect]) == expected


ONE_FAMILY = {
    Family.IPV4: ("10.0.0.0/16", "cidr: 10.0.0.0/24", "ip: 10.0.0.5", "ip: 10.0.0.6", "203.0.113.9"),
    Family.IPV6: ('"fd00::/56"', 'cidr6: "fd00::/64"', 'ip6: "fd00::5"', 'ip6: "fd00::6"', '"2001:db8::9"'),
}


@families
def test_a_lab_of_one_family_only(lab_name: str, family: Family) -> None:
    space, subnet, a, b, laptop = ONE_FAMILY[family]
    only = f"""
vpcs: {{v: {{cidrs: [{space}], subnets: {{s: {{{subnet}}}}}}}}}
groups: {{open: {{rules: [in allow all from any, out allow all to any]}}}}
instances:
  a: {{subnet: s, groups: [open], {a}}}
  b: {{subnet: s, groups: [open], {b}}}
outside: {{laptop: [{laptop}]}}
"""
    with Lab.up(world(only), lab_name) as lab:
        flows = [flow(lab.world, f"{pair} tcp/80", family) for pair in ("a -> b", "laptop -> a", "b -> laptop")]
        assert [it.answered for it in lab.converse(flows)] == [True] * 3
        assert lab.verify().ok


def test_vpcs_may_use_the_same_addresses_and_do_not_meet(lab_name: str) -> None:
    twin = """
vpcs:
  one: {cidrs: [10.0.0.0/16, "fd00::/56"], subnets: {s: {cidr: 10.0.0.0/24, cidr6: "fd00::/64"}}}
  two: {cidrs: [10.0.0.0/16, "fd00::/56"], subnets: {t: {cidr: 10.0.0.0/24, cidr6: "fd00::/64"}}}
groups:
  open: {rules: [in allow all from any, out allow all to any]}
instances:
  a1: {subnet: s, ip: 10.0.0.5, ip6: "fd00::5", groups: [open]}
  b1: {subnet: s, ip: 10.0.0.6, ip6: "fd00::6", groups: [open]}
  a2: {subnet: t, ip: 10.0.0.5, ip6: "fd00::5", groups: [open]}
  c2: {subnet: t, ip: 10.0.0.7, ip6: "fd00::7", groups: [open]}
"""
    with Lab.up(world(twin), lab_name) as lab:
        for family in Family:
            pairs = {"a1 -> b1": True, "a2 -> c2": True, "a1 -> c2": False, "b1 -> a2": False, "c2 -> b1": False}
            seen = lab.probe([flow(lab.world, f"{pair} tcp/80", family) for pair in pairs])
            assert {str(it.flow): it.action is Action.ALLOW for it in seen} == {
                str(it.flow): arrives for it, arrives in zip(seen, pairs.values(), strict=True)
            }
            assert "never leaves" in see(lab, "a1 -> a2 tcp/80", family).failure
        report = lab.verify()
        assert report.ok
        assert report.count > 0


def test_the_lab_of_shop_agrees_with_its_file(lab_name: str) -> None:
    with Lab.up(world(SHOP), lab_name) as lab:
        rows = lab.check_expectations()
        assert [str(row.expectation) for row in rows if not row.ok] == []
        assert len(rows) == 5


def test_there_is_no_way_to_what_lies_in_another_vpc(lab_name: str) -> None:
    """Nobody has the address, and it is not on the internet either: the packet does not leave the VPC."""
    two = world("""
vpcs:
  here: {cidrs: [10.0.0.0/16], subnets: {one: 10.0.1.0/24}}
  there: {cidrs: [10.0.0.0/24, 10.1.0.0/16], subnets: {two: 10.1.1.0/24}}
groups: {open: [in allow all from any, out allow all to any]}
instances:
  a: {subnet: one, ip: 10.0.1.5, groups: [open]}
  b: {subnet: two, ip: 10.1.1.6, groups: [open]}
""")
    with Lab.up(two, lab_name) as lab:
        flows = [flow(two, f"a -> {end} tcp/80") for end in ("10.1.1.99", "b", "198.51.100.1")]
        seen = [observation.action for observation in lab.probe(flows)]
    assert seen == [evaluate(two, each).action for each in flows] == [Action.DENY, Action.DENY, Action.ALLOW]
