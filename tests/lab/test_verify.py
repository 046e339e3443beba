from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import permutations
from pathlib import Path

import pytest

from ringfence.backends.netns import inside
from ringfence.errors import UnknownName
from ringfence.lab import probe
from ringfence.lab.lab import Lab
from ringfence.lab.verify import endpoints, interesting_flows, interesting_services
from ringfence.model.address import Family
from tests.lab.worlds import SHOP, handmade, nft, world

SMALL = """
vpcs:
  shop:
    cidrs: [10.0.0.0/16, "fd00:10::/56"]
    subnets: {web: {cidr: 10.0.1.0/24, cidr6: "fd00:10:0:1::/64"}}
groups:
  g:
    rules:
      - in allow tcp 80-90 from any
      - in allow udp 1 from any
      - in allow tcp 65535 from any
      - in deny gre from any
instances:
  a: {subnet: web, ip: 10.0.1.11, ip6: "fd00:10:0:1::11", groups: [g]}
  b: {ports: {x: {subnet: web, ip: 10.0.1.12, groups: [g]}, y: {subnet: web, ip: 10.0.1.13, groups: [g]}}}
outside: {one: 203.0.113.1, two: 203.0.113.2}
"""
PORTS = (1, 2, 79, 80, 81, 89, 90, 91, 48000, 65534, 65535)
BLOCKED = ["tcp/25", "tcp/42", "udp/135"]  # what the platform blocks, one of each kind


@pytest.mark.parametrize(("family", "echo"), [(Family.IPV4, "icmp"), (Family.IPV6, "icmpv6")])
def test_interesting_are_edges_and_their_neighbours_and_one_that_no_rule_knows(family: Family, echo: str) -> None:
    expected = [f"{protocol}/{port}" for protocol in ("tcp", "udp") for port in PORTS]
    assert [str(it) for it in interesting_services(world(SMALL), family)] == [*expected, *BLOCKED, echo, "gre"]


def test_the_quiet_port_is_none_that_a_range_covers() -> None:
    for covered, quiet in (("80-50000", 50001), ("48000-65534", 1024), ("2-65534", None)):
        ports = {it.port for it in interesting_services(world(SMALL.replace("80-90", covered)), Family.IPV4)}
        blocked = {25, 42, 135}
        first, _, last = covered.partition("-")
        near = {int(end) + step for end in (first, last) for step in (-1, 0, 1)} | {1, 2, 65534, 65535, None}
        assert ports - near - blocked == ({quiet} - near if quiet else set())


def test_every_pair_that_a_group_can_see_is_tried() -> None:
    small = world(SMALL)
    tried = {(str(flow.source), str(flow.destination)) for flow in interesting_flows(small)}
    names = ("a.eth0", "b.x", "b.y", "one", "two")
    unseen = {("b.x", "b.y"), ("b.y", "b.x"), ("one", "two"), ("two", "one")}
    assert tried == set(permutations(names, 2)) - unseen
    assert len(endpoints(small)) == 6
    assert len(list(interesting_flows(small))) == len(tried) * (2 * len(PORTS) + len(BLOCKED) + 2)


@pytest.fixture(scope="module")
def shop(lab_names: Callable[[], str]) -> Iterator[Lab]:
    with Lab.up(world(SHOP), lab_names()) as lab:
        yield lab


@pytest.mark.packets
def test_verify_finds_model_and_kernel_at_one(shop: Lab) -> None:
    steps: list[tuple[int, int]] = []
    report = shop.verify(lambda done, total: steps.append((done, total)))
    assert report.ok
    assert report.count == len(list(interesting_flows(shop.world)))
    assert steps[-1] == (report.count, report.count)


@pytest.mark.packets
def test_verify_finds_a_kernel_that_was_tampered_with(shop: Lab) -> None:
    """Both ways: what should pass and does not, and what should not and does."""
    handmade(shop, "tcp dport 80 drop")
    report = shop.verify()
    assert not report.ok
    assert {str(it.flow.service) for it in report.differences} == {"tcp/80"}
    assert {(it.verdict.allowed, it.observation.arrived) for it in report.differences} == {(True, False)}
    nft(shop.names.vpc("shop"), "delete table inet handmade\n")
    nft(shop.names.vpc("shop"), f"insert rule inet {shop.names.table} forward udp dport 53 accept\n")
    report = shop.verify()
    assert {str(it.flow.service) for it in report.differences} == {"udp/53"}
    assert {(it.verdict.allowed, it.observation.arrived) for it in report.differences} == {(False, True)}


@pytest.mark.packets
def test_verify_says_what_it_could_not_prove(lab_name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "_TO_MARK", 0.2)
    with Lab.up(world(SHOP), lab_name) as lab:
        assert lab.exec("web-2", ["ip", "link", "set", "eth0", "down"]) == 0
        report = lab.verify()
        assert not report.ok
        assert report.differences == ()
        ends = [{str(it.flow.source), str(it.flow.destination)} for it in report.unproved]
        assert ends
        assert all("web-2.eth0" in pair for pair in ends)


@pytest.mark.packets
@pytest.mark.parametrize(
    ("line", "ok"),
    [
        ("web-1 -> db-1 tcp/3306 allow", True),
        ("web-1 -> db-1 tcp/3306 deny", False),
        ("web-1 -> db-1 tcp/3307 deny", True),
        ("web-1 -> db-1 tcp/3307 allow", False),
        ("web-1 -> 192.0.2.7 udp/53 allow", True),
        ("web-1 -> db-1 gre allow", True),
        ("laptop -> db-1 icmp allow", False),
    ],
)
def test_an_expectation_holds_or_it_does_not(lab_name: str, line: str, ok: bool) -> None:
    head, _, _ = SHOP.partition("expect:")
    with Lab.up(world(f"{head}expect:\n  - {line}\n"), lab_name) as lab:
        (row,) = lab.check_expectations()
        assert row.ok is ok
        assert row.observation is not None
        assert row.verdict.allowed == row.observation.arrived


RICH = """
vpcs:
  ali:
    profile: alibaba
    cidrs: [10.1.0.0/16, "fd00:1::/56"]
    subnets:
      front: {cidr: 10.1.1.0/24, cidr6: "fd00:1:0:1::/64", acl: edge}
      back: {cidr: 10.1.2.0/24, cidr6: "fd00:1:0:2::/64"}
    border: [in deny tcp 8443 from any to any]
  hw:
    cidrs: [10.2.0.0/16, "fd00:2::/56"]
    subnets: {s: {cidr: 10.2.1.0/24, cidr6: "fd00:2:0:1::/64", acl: gate}}
peerings: [{vpcs: [ali, hw], firewall: [deny udp 53 from 10.1.1.0/24 port 5353 to any]}]
acls:
  edge:
    vpc: ali
    rules:
      - in allow tcp 80 from any to any
      - in allow tcp 32768-61000 from any to any
      - in allow udp 53 from any port 53 to any
      - out allow tcp 32768-61000 from any to any
      - out allow tcp 443 from any to any
      - out allow udp 53 from any to any
  gate:
    rules: [in deny tcp 443 from 10.1.1.0/24 to any, in allow all from any to any, out allow all from any to any]
groups:
  five:
    vpc: ali
    rules:
      - in allow tcp 80 from any port 1024-65535
      - in allow udp 53 from any port 53
      - out deny tcp 443 to any from 10.1.1.12/32
  open: {vpc: hw, rules: [in allow all from any, out allow all to any]}
instances:
  web:
    ports:
      eth0: {subnet: front, ip: 10.1.1.11, ip6: "fd00:1:0:1::11", groups: five}
      eth1: {subnet: back, ip: 10.1.2.11, groups: five, namespace: n}
    serve: [tcp/80, udp/53, tcp/81@10.1.2.11]
  web2: {subnet: front, ip: 10.1.1.12, ip6: "fd00:1:0:1::12", groups: five}
  dns: {subnet: s, ip: 10.2.1.53, ip6: "fd00:2:0:1::53", groups: open, serve: [udp/53, tcp/443]}
virtual_ips: {vip: {subnet: front, ip: 10.1.1.100, ip6: "fd00:1:0:1::100", ports: [web, web2]}}
blocks: {web2: mining}
outside: {laptop: [203.0.113.9, "2001:db8::9"]}
expect:
  - laptop -> vip tcp/80 allow
  - laptop -> vip tcp/80 over ipv6 allow
  - laptop -> web tcp/80 from port 1023 deny
  - dns -> web udp/53 from port 53 allow
  - web.eth1 -> web tcp/80 allow
  - laptop -> web.eth1 tcp/81 deny
  - laptop -> web2 tcp/80 deny
  - web -> laptop udp/53 allow
  - web -> laptop udp/53 deny
"""
NEITHER = ["web -> laptop udp/53 allow", "web -> laptop udp/53 deny"]


def test_whatever_a_rule_mentions_is_tried() -> None:
    """ACLs, firewalls and source ports; virtual IPs, guests' other namespaces and peers."""
    rich = world(RICH)
    flows = list(interesting_flows(rich))
    services = {str(flow.service) for flow in flows if flow.source_port is None}
    assert services >= {"tcp/443", "tcp/8443", "tcp/8442", "tcp/61001", "udp/53", "udp/54", "udp/444", *BLOCKED}
    sources = {(str(flow.service), flow.source_port) for flow in flows if flow.source_port is not None}
    assert sources == {
        *(("tcp/80", port) for port in (1023, 1024, 1025, 65534, 65535)),
        *(("udp/53", port) for port in (52, 53, 54, 5352, 5353, 5354)),
    }
    pairs = {(str(flow.source), str(flow.destination)) for flow in flows}
    assert pairs > {("vip", "dns.eth0"), ("laptop", "vip"), ("web.eth0", "web.eth1"), ("dns.eth0", "web.eth1")}
    assert pairs.isdisjoint({("web.eth0", "vip"), ("vip", "web.eth0")})  # its holder's own


@pytest.fixture(scope="module")
def rich(lab_names: Callable[[], str]) -> Iterator[Lab]:
    with Lab.up(world(RICH), lab_names()) as lab:
        yield lab


@pytest.mark.packets
def test_verify_of_a_whole_path(rich: Lab) -> None:
    for holder in ("web2", "web"):
        rich.move_vip("vip", holder)
        report = rich.verify()
        assert report.ok, [str(it.verdict) for it in report.differences] + [*map(str, report.unproved)]
    assert report.count > 2000


@pytest.mark.packets
def test_where_the_answer_is_dropped_neither_allow_nor_deny_holds(rich: Lab) -> None:
    rows = rich.check_expectations()
    assert [str(row.expectation) for row in rows if not row.ok] == NEITHER
    for row in rows:
        assert row.observation is not None
        assert row.observation.arrived is row.verdict.arrives
        assert (row.remark != "") == (str(row.expectation) in NEITHER)
    assert "answer is dropped (acl-ingress at ali/front): neither holds" in rows[-1].remark


@pytest.mark.packets
def test_an_instance_serves_in_each_of_its_namespaces(rich: Lab) -> None:
    """At every address in all of them, and at an address where it is."""
    listening = {target: _listening(rich, target) for target in ("web", "web/n", "dns")}
    assert listening == {"web": {80}, "web/n": {80, 81}, "dns": {443}}
    assert rich.exec("web/n", ["sh", "-c", "ip -o addr | grep -q 10.1.2.11"]) == 0
    with pytest.raises(UnknownName, match="'web/m'; did you mean 'web/n'"):
        rich.exec("web/m", ["true"])


def _listening(lab: Lab, target: str) -> set[int]:
    """The TCP ports on which anything listens (proc(5))."""
    with inside(lab.namespace(target)):
        lines = Path("/proc/thread-self/net/tcp").read_text().splitlines()[1:]
    return {int(fields[1].partition(":")[2], 16) for fields in map(str.split, lines) if fields[3] == "0A"}
