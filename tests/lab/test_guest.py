"""What `why` finds inside a guest, against what the guest's kernel really does with packets and connections."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from ringfence.analysis.why.guest import About, Guest
from ringfence.backends.netns import inside
from ringfence.lab import probe
from ringfence.lab.guest import look, look_and_probe
from ringfence.lab.lab import Lab
from ringfence.model.address import Family
from ringfence.model.rule import Direction
from tests.lab.legacy import drop_all_input
from tests.lab.worlds import flow, ip, nft, world

pytestmark = pytest.mark.packets

families = pytest.mark.parametrize("family", list(Family), ids=str)

WORLD = """
vpcs:
  v:
    cidrs: [10.0.0.0/16, "fd00:10::/56"]
    subnets:
      s: {cidr: 10.0.1.0/24, cidr6: "fd00:10:0:1::/64"}
groups:
  open: {rules: [in allow all from any, out allow all to any]}
  shut: {rules: [out allow all to any]}
instances:
  a: {subnet: s, ip: 10.0.1.11, ip6: "fd00:10:0:1::11", groups: [open]}
  b:
    serve: [tcp/80, udp/53]
    ports:
      eth0: {subnet: s, ip: 10.0.1.12, ip6: "fd00:10:0:1::12", groups: [open]}
      eth1: {subnet: s, ip: 10.0.1.13, ip6: "fd00:10:0:1::13", groups: [open]}
  c: {subnet: s, ip: 10.0.1.14, ip6: "fd00:10:0:1::14", groups: [shut]}
  old: {subnet: s, ip: 10.0.1.15, ip6: "fd00:10:0:1::15", groups: [open]}
  split:
    ports:
      eth0: {subnet: s, ip: 10.0.1.16, ip6: "fd00:10:0:1::16", groups: [open]}
      eth1: {subnet: s, ip: 10.0.1.17, ip6: "fd00:10:0:1::17", groups: [open], namespace: blue}
virtual_ips: {vip: {subnet: s, ip: 10.0.1.100, ip6: "fd00:10:0:1::100", ports: [a, b], active: b}}
outside: {laptop: [203.0.113.9, "2001:db8::9"]}
"""
SOCKETS = {Family.IPV4: socket.AF_INET, Family.IPV6: socket.AF_INET6}
KINDS = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}
SOON, LATE = 0.3, 10.0  # seconds: to wait for what must not come, and for what must
FREE = 7000
"""A port that nothing serves but a test."""


@pytest.fixture(scope="module")
def lab(lab_names: Callable[[], str]) -> Iterator[Lab]:
    with Lab.up(world(WORLD), lab_names()) as built:
        yield built


def address(lab: Lab, name: str, family: Family) -> str:
    return str(lab.world.endpoint(name, family).address)


def at(guests: tuple[Guest, ...], direction: Direction = Direction.INGRESS) -> Guest:
    (found,) = (guest for guest in guests if guest.direction is direction)
    return found


def told(guest: Guest, about: About) -> list[tuple[str, str]]:
    return [(finding.word, finding.text) for finding in guest.findings if finding.about is about]


@contextmanager
def firewall(lab: Lab, instance: str, rules: str, family: str = "inet") -> Iterator[None]:
    """Rules of the guest's own; a brace and a semicolon end a line."""
    namespace = lab.namespace(instance)
    lines = rules.replace("{ ", "{\n").replace("; ", ";\n").replace(" }", "\n}")
    nft(namespace, f"table {family} guest {{\n{lines}\n}}\n")
    try:
        yield
    finally:
        nft(namespace, f"delete table {family} guest\n")


def ruleset(lab: Lab, instance: str) -> str:
    with inside(lab.namespace(instance)):
        return subprocess.run(["nft", "-a", "-s", "list", "ruleset"], check=True, capture_output=True, text=True).stdout


def is_served(lab: Lab, family: Family, kind: str, server: socket.socket) -> bool:
    """Whether a client in ``a`` comes to this very socket by the address of ``b``."""
    target = (address(lab, "b", family), FREE)
    with inside(lab.namespace("a")):
        client = socket.socket(SOCKETS[family], KINDS[kind])
    with client:
        client.settimeout(LATE)
        if kind == "tcp":
            return client.connect_ex(target) == 0
        server.settimeout(SOON)
        client.sendto(b"x", target)
        try:
            return server.recv(10) == b"x"
        except TimeoutError:
            return False


@families
@pytest.mark.parametrize("kind", ["tcp", "udp"])
@pytest.mark.parametrize(
    ("bound", "device", "only_v6", "serves", "words"),
    [
        ("0.0.0.0", "", False, {4}, "at any address (ipv4 only) only, not at"),
        ("::", "", True, {6}, "at any address (ipv6 only) only, not at"),
        ("::", "", False, {4, 6}, ""),
        ("127.0.0.1", "", False, set(), "on loopback only (127.0.0.1), not at"),
        ("::1", "", False, set(), "on loopback only (::1), not at"),
        ("10.0.1.12", "", False, {4}, "at 10.0.1.12 only, not at"),
        ("::ffff:10.0.1.12", "", False, {4}, "at 10.0.1.12 only, not at"),
        ("10.0.1.13", "", False, set(), "at 10.0.1.13 only, not at"),
        ("fd00:10:0:1::12", "", False, {6}, "at fd00:10:0:1::12 only, not at"),
        ("::", "eth0", False, {4, 6}, ""),
        ("::", "eth1", False, set(), "at any address on eth1 only, not at"),
        ("0.0.0.0", "lo", False, set(), "on loopback only (any address (ipv4 only) on lo), not at"),
    ],
)
def test_a_socket_is_said_to_serve_if_it_does(
    lab: Lab, family: Family, kind: str, bound: str, device: str, only_v6: bool, serves: set[int], words: str
) -> None:
    with inside(lab.namespace("b")):
        server = socket.socket(socket.AF_INET6 if ":" in bound else socket.AF_INET, KINDS[kind])
        with server:
            if server.family == socket.AF_INET6:
                server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, only_v6)
            if device:
                server.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
            server.bind((bound, FREE))
            if kind == "tcp":
                server.listen()
            guest = at(look(lab, flow(lab.world, f"a -> b {kind}/{FREE}", family)))
            ((word, text),) = told(guest, About.SOCKET)
            assert is_served(lab, family, kind, server) is (family.value in serves)
            assert guest.word == word == ("allow" if family.value in serves else "deny")
            own = address(lab, "b", family)
            expected = f"something listens on {kind}/{FREE} at" if family.value in serves else f"{words} {own}"
            assert expected in text


@families
@pytest.mark.parametrize(
    ("service", "word", "text"),
    [
        ("tcp/80", "allow", "something listens on tcp/80 at any address"),
        ("udp/53", "allow", "something listens on udp/53 at any address"),
        ("udp/80", "deny", "nothing listens on udp/80"),
        ("tcp/53", "deny", "nothing listens on tcp/53"),
        ("icmp", "allow", "its kernel answers echo requests"),
    ],
)
def test_without_a_firewall_the_sockets_decide(lab: Lab, family: Family, service: str, word: str, text: str) -> None:
    observation, guests = look_and_probe(lab, flow(lab.world, f"a -> b {service}", family))
    assert observation.arrived
    for found in (look(lab, observation.flow), guests):
        ((said, why),) = told(at(found), About.SOCKET)
        assert (at(found).word, said) == (word, word)
        assert text in why
        assert told(at(found), About.FIREWALL) == [("allow", "it has no firewall of its own")]
        assert at(found, Direction.EGRESS).word == "allow"


HOOKED = "chain input { type filter hook input priority 0; policy accept; "
RULES = f"""{HOOKED}\
ct state established accept
tcp dport 7001 counter drop comment "no # handle 1"
tcp dport {{7002, 7003}} reject
udp dport 7001 jump named
tcp dport 7004 goto {{ counter
drop }}
meta l4proto {{icmp, icmpv6}} limit rate over 1/day burst 1 packets drop
tcp dport 7005-7999 accept }}
chain named {{ meta nfproto {{ipv4, ipv6}} log prefix "x" drop }}
chain pre {{ type nat hook prerouting priority -100; policy accept; \
tcp dport 7006 redirect to :80
tcp dport 7007 redirect to :7001 }}
chain post {{ type nat hook postrouting priority 100; policy accept; }}"""


@families
@pytest.mark.parametrize(
    ("service", "place", "rule"),
    [
        ("tcp/7001", "chain input of table inet guest", 'tcp dport 7001 counter drop comment "no # handle 1"'),
        ("tcp/7003", "chain input of table inet guest", "tcp dport { 7002, 7003 } reject"),
        ("udp/7001", "chain named of table inet guest", 'meta nfproto { ipv4, ipv6 } log prefix "x" drop'),
        ("tcp/7004", "chain input of table inet guest", "tcp dport 7004 goto { counter drop }"),
        ("tcp/7007", "chain input of table inet guest", 'tcp dport 7001 counter drop comment "no # handle 1"'),
    ],
)
def test_the_rule_that_drops_the_packet_is_named(lab: Lab, family: Family, service: str, place: str, rule: str) -> None:
    with firewall(lab, "b", RULES):
        before = ruleset(lab, "b")
        found = flow(lab.world, f"a -> b {service}", family)
        ((word, text),) = told(at(look(lab, found)), About.FIREWALL)
        assert word == "unknown"
        assert "(12 rules in table inet guest); --probe tells" in text
        observation, guests = look_and_probe(lab, found)
        assert observation.arrived
        assert told(at(guests), About.FIREWALL) == [("deny", f"its own firewall drops the packet, {place}: {rule}")]
        assert ruleset(lab, "b") == before


@families
def test_a_policy_that_drops_and_one_at_the_door(lab: Lab, family: Family) -> None:
    found = flow(lab.world, "a -> b tcp/80", family)
    policy = HOOKED.replace("accept", "drop")
    with firewall(lab, "b", f"{policy}udp dport 53 accept }}"):
        text = "its own firewall drops the packet, chain input of table inet guest: policy drop"
        assert told(at(look_and_probe(lab, found)[1]), About.FIREWALL) == [("deny", text)]
        passed = look_and_probe(lab, flow(lab.world, "a -> b udp/53", family))[1]
        assert at(passed).word == "allow"
        assert "lets the packet pass" in told(at(passed), About.FIREWALL)[0][1]
    door = 'chain door { type filter hook ingress device "eth0" priority -500; policy accept; tcp dport 80 drop }'
    with firewall(lab, "b", door, "netdev"):
        text = "its own firewall drops the packet, chain door of table netdev guest: tcp dport 80 drop"
        assert told(at(look_and_probe(lab, found)[1]), About.FIREWALL) == [("deny", text)]


@families
@pytest.mark.parametrize(
    ("service", "word", "text"),
    [
        ("tcp/7006", "allow", "tcp/80; something listens on tcp/80"),
        ("tcp/7008", "deny", "nothing listens on tcp/7008"),
    ],
)
def test_rules_that_rewrite_are_followed_to_the_socket(
    lab: Lab, family: Family, service: str, word: str, text: str
) -> None:
    """Without a probe nobody knows: what is not served may be turned to what is."""
    with firewall(lab, "b", RULES):
        found = flow(lab.world, f"a -> b {service}", family)
        ((said, why),) = told(at(look(lab, found)), About.SOCKET)
        assert said == "unknown"
        assert "rewrite" in why
        guest = at(look_and_probe(lab, found)[1])
        ((said, why),) = told(guest, About.SOCKET)
        assert (guest.word, said) == (word, word)
        assert text in why


@families
def test_a_packet_that_the_guest_passes_on_or_cannot(lab: Lab, family: Family) -> None:
    """A guest that leads it to another machine forwards it, or loses it on the way with no rule to blame."""
    target = address(lab, "a", family)
    to = {Family.IPV4: f"ip to {target}:81", Family.IPV6: f"ip6 to [{target}]:81"}[family]
    chain = f"chain pre {{ type nat hook prerouting priority -100; policy accept; tcp dport {FREE} dnat {to} }}"
    switch = {Family.IPV4: "net/ipv4/ip_forward", Family.IPV6: "net/ipv6/conf/all/forwarding"}[family]
    found = flow(lab.world, f"split -> b tcp/{FREE}", family)
    lost = "the packet came into the guest and not to its sockets, and no rule of nftables dropped it"
    on = f"its own firewall (1 rule in table inet guest) sends the packet on to {target} port 81"
    with firewall(lab, "b", chain):
        for forwards, word, text in (("0", "deny", lost), ("1", "unknown", on)):
            with inside(lab.namespace("b")):
                Path("/proc/sys", switch).write_text(forwards)
            try:
                guest = at(look_and_probe(lab, found)[1])
            finally:
                with inside(lab.namespace("b")):
                    Path("/proc/sys", switch).write_text("0")
            assert told(guest, About.FIREWALL) == [(word, text)]
            assert bool(told(guest, About.SOCKET)) is (forwards == "0")


@families
@pytest.mark.parametrize("service", ["tcp/80", "udp/53", "icmp"])
def test_the_senders_own_rules_are_named(
    lab: Lab, family: Family, service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its kernel tells a sender of UDP at once and one of TCP never; the rule is found either way."""
    monkeypatch.setattr(probe, "_TO_LEAVE", SOON)
    chain = (
        "chain out { type filter hook output priority 0; policy accept; meta l4proto {icmpv6, icmp, tcp, udp} drop }"
    )
    if family is Family.IPV6:  # it must find its router
        chain = chain.replace(
            "meta l4proto", "icmpv6 type {nd-neighbor-solicit, nd-neighbor-advert} accept\nmeta l4proto"
        )
    with firewall(lab, "a", chain):
        observation, guests = look_and_probe(lab, flow(lab.world, f"a -> b {service}", family))
        assert observation.failure
        assert not observation.left
        ((word, text),) = told(at(guests, Direction.EGRESS), About.FIREWALL)
        assert word == "deny"
        assert text.startswith("its own firewall drops the packet, chain out of table inet guest: meta l4proto {")
        assert told(at(guests), About.FIREWALL) == [("allow", "it has no firewall of its own")]


@families
def test_what_the_network_drops_never_comes_to_the_guest(lab: Lab, family: Family) -> None:
    with firewall(lab, "c", f"{HOOKED}drop }}"):
        observation, guests = look_and_probe(lab, flow(lab.world, "a -> c tcp/80", family))
        assert not observation.arrived
        assert told(at(guests), About.FIREWALL) == [
            ("unknown", "the packet did not come to its own firewall (1 rule in table inet guest)")
        ]
        assert told(at(guests), About.SOCKET) == [("deny", "nothing listens on tcp/80")]


@families
def test_rules_of_xtables_legacy_are_said_to_be_there(lab: Lab, family: Family) -> None:
    """The kernel traces none of them: what is known is that the packet came in and not through."""
    found = flow(lab.world, "a -> old tcp/80", family)
    with inside(lab.namespace("old")), drop_all_input(family):
        assert told(at(look(lab, found)), About.FIREWALL)[0][0] == "unknown"
        observation, guests = look_and_probe(lab, found)
        assert observation.arrived
        ((word, text),) = told(at(guests), About.FIREWALL)
        assert word == "deny"
        assert text.startswith("the packet came into the guest and not to its sockets")
        assert text.endswith("tables of xtables-legacy, which tell nothing, are there: filter")


@families
def test_a_guest_that_has_lost_its_address(lab: Lab, family: Family) -> None:
    own, namespace = address(lab, "c", family), lab.namespace("c")
    length = {Family.IPV4: 24, Family.IPV6: 128}[family]
    ip("-n", namespace, "addr", "del", f"{own}/{length}", "dev", "eth0")
    try:
        guest = at(look(lab, flow(lab.world, "a -> c tcp/80", family)))
        assert told(guest, About.ADDRESS) == [("deny", f"the guest does not have the address {own}")]
    finally:
        ip("-n", namespace, "addr", "add", f"{own}/{length}", "dev", "eth0")


@families
def test_a_guest_that_answers_no_echo(lab: Lab, family: Family) -> None:
    switch = {Family.IPV4: "net/ipv4/icmp_echo_ignore_all", Family.IPV6: "net/ipv6/icmp/echo_ignore_all"}[family]
    file = Path("/proc/sys", switch)
    with inside(lab.namespace("b")):
        file.write_text("1")
    try:
        guest = at(look(lab, flow(lab.world, "a -> b icmp", family)))
        assert told(guest, About.SOCKET) == [("deny", f"it answers no echo request: {switch.replace('/', '.')} is 1")]
    finally:
        with inside(lab.namespace("b")):
            file.write_text("0")


def test_only_instances_are_guests(lab: Lab) -> None:
    of_laptop = look(lab, flow(lab.world, "laptop -> b tcp/80"))
    assert [(str(guest.port), guest.direction) for guest in of_laptop] == [("b.eth0", Direction.INGRESS)]
    assert [str(guest.port) for guest in look(lab, flow(lab.world, "a -> 192.0.2.1 tcp/80"))] == ["a.eth0"]
    within = look_and_probe(lab, flow(lab.world, "b.eth0 -> b.eth1 tcp/80"))
    assert within[0].failure
    assert [guest.word for guest in within[1]] == ["allow", "allow"]


@families
def test_each_namespace_of_a_guest_is_looked_at_by_itself(lab: Lab, family: Family) -> None:
    """Between two of them a packet leaves the guest, with rules on its way out and on its way in."""
    with inside(lab.namespace("split/blue")):
        server = socket.create_server((address(lab, "split.eth1", family), FREE), family=SOCKETS[family])
    with server, firewall(lab, "split/blue", f"{HOOKED}tcp dport {FREE} drop }}"):
        found = flow(lab.world, f"split.eth0 -> split.eth1 tcp/{FREE}", family)
        observation, guests = look_and_probe(lab, found)
        assert observation.arrived
        assert [str(guest.port) for guest in guests] == ["split.eth0", "split.eth1"]
        assert told(guests[0], About.FIREWALL) == [("allow", "it has no firewall of its own")]
        assert f"drops the packet, chain input of table inet guest: tcp dport {FREE} drop" in guests[1].findings[0].text
        assert [word for word, _ in told(guests[1], About.SOCKET)] == ["allow"]
        back = at(look(lab, flow(lab.world, f"split.eth1 -> split.eth0 tcp/{FREE}", family)))
        assert told(back, About.SOCKET) == [("deny", f"nothing listens on tcp/{FREE}")]


@families
def test_a_virtual_ip_is_looked_for_where_it_is(lab: Lab, family: Family) -> None:
    observation, guests = look_and_probe(lab, flow(lab.world, "old -> vip tcp/80", family))
    assert observation.arrived
    assert (str(at(guests).port), at(guests).word) == ("b.eth0", "allow")


@families
@pytest.mark.parametrize(("port", "word"), [(5353, "deny"), (5354, "allow")])
def test_a_named_source_port_is_the_packets(lab: Lab, family: Family, port: int, word: str) -> None:
    with firewall(lab, "b", f"{HOOKED}udp sport 5353 drop }}"):
        guests = look_and_probe(lab, replace(flow(lab.world, "a -> b udp/53", family), source_port=port))[1]
        assert [said for said, _ in told(at(guests), About.FIREWALL)] == [word]


TRACER = """
import sys, time
from ringfence.lab.lab import Lab
from ringfence.lab.tracing import Tracer
from ringfence.model.flow import Query
from ringfence.model.rule import Direction
lab = Lab.attach(sys.argv[1])
flow = lab.world.flow(Query.parse("a -> b tcp/80"))
held = Tracer(lab.namespace("b"), "rf-killed", flow, Direction.INGRESS, "eth0")
print("ready", flush=True)
time.sleep(60)
"""


def test_nothing_is_left_in_the_guest_by_a_trace_that_was_killed(lab: Lab) -> None:
    before = ruleset(lab, "b")
    command = [sys.executable, "-c", TRACER, lab.names.lab]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout
        assert running.stdout.readline() == "ready\n"
        assert "rf-killed" in ruleset(lab, "b")
        assert told(at(look(lab, flow(lab.world, "a -> b tcp/80"))), About.FIREWALL)
        running.send_signal(signal.SIGKILL)
        running.wait(10)
    assert ruleset(lab, "b") == before
