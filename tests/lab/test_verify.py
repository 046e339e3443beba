from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import permutations

import pytest

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
PORTS = (1, 2, 79, 80, 81, 89, 90, 91, 40000, 65534, 65535)


@pytest.mark.parametrize(("family", "echo"), [(Family.IPV4, "icmp"), (Family.IPV6, "icmpv6")])
def test_interesting_are_edges_and_their_neighbours_and_one_that_no_rule_knows(family: Family, echo: str) -> None:
    expected = [f"{protocol}/{port}" for protocol in ("tcp", "udp") for port in PORTS]
    assert [str(it) for it in interesting_services(world(SMALL), family)] == [*expected, echo, "gre"]


def test_the_quiet_port_is_none_that_a_range_covers() -> None:
    wide = world(SMALL.replace("80-90", "80-50000"))
    ports = {service.port for service in interesting_services(wide, Family.IPV4)}
    assert 50001 in ports
    assert 40000 not in ports
    every = world(SMALL.replace("80-90", "1-65535"))
    assert {service.port for service in interesting_services(every, Family.IPV4)} == {1, 2, 65534, 65535, None}


def test_every_pair_that_a_group_can_see_is_tried() -> None:
    small = world(SMALL)
    tried = {(str(flow.source), str(flow.destination)) for flow in interesting_flows(small)}
    names = ("a.eth0", "b.x", "b.y", "one", "two")
    unseen = {("b.x", "b.y"), ("b.y", "b.x"), ("one", "two"), ("two", "one")}
    assert tried == set(permutations(names, 2)) - unseen
    assert len(endpoints(small)) == 6
    assert len(list(interesting_flows(small))) == len(tried) * (2 * len(PORTS) + 2)


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
