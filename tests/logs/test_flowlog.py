"""Flow records: both clouds' field orders, aggregation by window, and what stands where nothing is known."""

from __future__ import annotations

import json

import pytest

from ringfence.analysis.records.drops import Dropped, judge
from ringfence.analysis.records.flowlog import (
    ALIBABA_FIELDS,
    HUAWEI_FIELDS,
    Count,
    FlowRecord,
    Observed,
    Window,
    alibaba,
    huawei,
    of_connection,
    of_drop,
    records,
)
from ringfence.model.address import Family
from ringfence.model.connection import Connection
from ringfence.model.packet import ACK, FIN, PSH, RST, SYN, URG, Tracking
from ringfence.model.rule import Rule
from ringfence.model.service import ICMP, ICMPV6, TCP, UDP
from ringfence.policy.evaluate import Policy
from tests.logs.worlds import address, packet, port, world

WORLD = world()
POLICY = Policy(WORLD)
WINDOW = Window(1000, 1600)
HTTP = Rule.parse("in allow tcp 80 from any").id_in("sg-web")
MYSQL = Rule.parse("in allow tcp 3306 from any").id_in("sg-db")


def connection(vpc: str, text: str, protocol: int = TCP, family: Family = Family.IPV4) -> Connection:
    """``web-1:4 -> db-1:3306``, as the table of a VPC remembers it."""
    source, destination = (end.partition(":") for end in text.split(" -> "))
    ends = (address(WORLD, source[0], family), address(WORLD, destination[0], family))
    return Connection(vpc, protocol, *ends, int(source[2] or 0), int(destination[2] or 0))


def of(vpc: str, text: str, sent: Count, answered: Count, protocol: int = TCP) -> list[Observed]:
    return list(of_connection(POLICY, connection(vpc, text, protocol), sent, answered))


def log(observed: list[Observed], *names: str, skipped: tuple[str, ...] = ()) -> list[FlowRecord]:
    return records(WINDOW, observed, [port(WORLD, name) for name in names], skipped)


def refused(text: str, flags: int = SYN) -> list[Observed]:
    record = judge(POLICY, Dropped(7.5, "shop", packet(WORLD, text, flags=flags), Tracking.NEW, "outside", "outside"))
    assert record
    return list(of_drop(record))


CARRIED = of("shop", "web-1:40123 -> db-1:3306", Count(5, 500, SYN | FIN), Count(4, 4000, SYN | ACK))
LINES = [  # what was seen, whose records, ours at the end; before that in Huawei's and in Alibaba's order
    (
        CARRIED,
        "web-1",
        "default-egress - egress",
        "1 - web-1.eth0 10.0.1.11 10.0.2.21 40123 3306 6 5 500 1000 1600 ACCEPT OK",
        "1 web web-1 shop - web-1.eth0 - 10.0.1.11 40123 10.0.2.21 3306 6 out 5 500 1000 1600 OK ACCEPT 3 - - -",
    ),
    (
        CARRIED,
        "db-1",
        f"{MYSQL} sg-db ingress",
        "1 - db-1.eth0 10.0.1.11 10.0.2.21 40123 3306 6 5 500 1000 1600 ACCEPT OK",
        "1 db db-1 shop - db-1.eth0 - 10.0.1.11 40123 10.0.2.21 3306 6 in 5 500 1000 1600 OK ACCEPT 3 - - -",
    ),
    (
        refused("laptop:5 -> web-1:22"),
        "web-1",
        "default-ingress - ingress",
        "1 - web-1.eth0 203.0.113.9 10.0.1.11 5 22 6 1 60 1000 1600 REJECT OK",
        "1 web web-1 shop - web-1.eth0 - 203.0.113.9 5 10.0.1.11 22 6 in 1 60 1000 1600 OK REJECT 2 - - -",
    ),
    (
        of("ops", "ops-1 -> laptop", Count(2, 168), Count(0, 0), ICMP),
        "ops-1",
        "default-egress - egress",
        "1 - ops-1.eth0 10.9.1.5 203.0.113.9 - - 1 2 168 1000 1600 ACCEPT OK",
        "1 ops ops-1 ops 77 ops-1.eth0 - 10.9.1.5 - 203.0.113.9 - 1 out 2 168 1000 1600 OK ACCEPT - - - -",
    ),
    (
        [],
        "ops-1",
        "- - -",
        "1 - ops-1.eth0 - - - - - - - 1000 1600 - NODATA",
        "1 ops ops-1 ops 77 ops-1.eth0 - - - - - - - - - 1000 1600 NODATA - - - - -",
    ),
]


@pytest.mark.parametrize(("observed", "name", "ours", "in_huawei", "in_alibaba"), LINES)
def test_a_record_stands_in_the_field_order_of_each_cloud(
    observed: list[Observed], name: str, ours: str, in_huawei: str, in_alibaba: str
) -> None:
    found = [(huawei(it, WORLD), alibaba(it, WORLD)) for it in log(observed, name)]
    assert (f"{in_huawei} {ours}", f"{in_alibaba} {ours}") in found


def test_every_line_has_every_field() -> None:
    found = log([*CARRIED, *refused("laptop:5 -> web-1:22")], "web-1", "db-1", "ops-1", skipped=("shop",))
    assert {len(huawei(it, WORLD).split()) for it in found} == {len(HUAWEI_FIELDS.split())} == {14 + 3}
    assert {len(alibaba(it, WORLD).split()) for it in found} == {len(ALIBABA_FIELDS.split())} == {23 + 3}
    assert json.loads(json.dumps([it.as_json() for it in found]))


@pytest.mark.parametrize("family", Family)
def test_a_connection_is_seen_at_both_ports_in_both_directions(family: Family) -> None:
    carried = connection("shop", "web-1:9 -> web-2:80", TCP, family)
    found = list(of_connection(POLICY, carried, Count(3, 300), Count(2, 900)))
    one, two = address(WORLD, "web-1", family), address(WORLD, "web-2", family)
    assert {(key.port, key.direction, key.source, count.bytes) for key, count in found} == {
        ("web-1.eth0", "out", one, 300),
        ("web-1.eth0", "in", two, 900),
        ("web-2.eth0", "in", one, 300),
        ("web-2.eth0", "out", two, 900),
    }
    assert {(key.source_port, key.destination_port) for key, _ in found} == {(9, 80), (80, 9)}


def test_each_vpc_tells_of_its_own_ports_only() -> None:
    """Both VPCs of a peering remember the connection; nothing is counted twice."""
    found = [
        key.port for vpc in ("shop", "ops") for key, _ in of(vpc, "web-1:9 -> ops-1:22", Count(1, 60), Count(0, 0))
    ]
    assert sorted(found) == ["ops-1.eth0", "web-1.eth0"]


def test_a_connection_that_could_not_begin_any_more_names_no_rule() -> None:
    (key, _), *_ = of("shop", "laptop:9 -> web-1:22", Count(1, 60), Count(0, 0))
    assert (key.outcome, key.rule_id, key.group, key.stage) == ("ACCEPT", "", "", "")


@pytest.mark.parametrize(("protocol", "family"), [(ICMP, Family.IPV6), (ICMPV6, Family.IPV4)])
def test_no_flow_is_like_icmp_of_the_other_family(protocol: int, family: Family) -> None:
    odd = connection("shop", "web-1 -> web-2", protocol, family)
    assert list(of_connection(POLICY, odd, Count(1, 60), Count(0, 0))) == []


def test_packets_alike_are_one_record() -> None:
    seen = [*refused("laptop:5 -> web-1:22"), *refused("laptop:5 -> web-1:22", RST), *refused("laptop:6 -> web-1:22")]
    found = log([*seen, *CARRIED, *CARRIED], "web-1")
    assert [(it.key.destination_port, it.count) for it in found if it.key and it.key.outcome == "REJECT"] == [
        (22, Count(2, 120, SYN | RST)),
        (22, Count(1, 60, SYN)),
    ]
    assert [it.count for it in found if it.key and it.key.outcome == "ACCEPT" and it.key.direction == "out"] == [
        Count(10, 1000, SYN | FIN)
    ]


def test_skipped_data_is_said_for_each_port_of_the_vpc() -> None:
    found = log(CARRIED, "web-1", "web-2", "twin-1", skipped=("shop",))
    assert [(str(it.port), it.status) for it in found if it.key is None] == [
        ("web-1.eth0", "SKIPDATA"),
        ("web-2.eth0", "SKIPDATA"),
        ("twin-1.eth0", "NODATA"),
    ]


def test_a_drop_at_no_port_is_no_ports_record() -> None:
    seen = Dropped(7.5, "shop", packet(WORLD, "laptop:4 -> 10.0.1.99:80"), Tracking.NEW, "outside", "rf-void")
    record = judge(POLICY, seen)
    assert record
    assert list(of_drop(record)) == []


@pytest.mark.parametrize(
    ("seen", "told"),
    [(SYN, 2), (SYN | ACK, 18), (ACK, 0), (ACK | PSH | FIN, 9), (RST | ACK, 4), (URG | ACK, 32), (SYN | ACK | FIN, 19)],
)
def test_tcp_flags_are_the_ones_that_alibaba_tells(seen: int, told: int) -> None:
    (record,) = log(of("ops", "ops-1:9 -> laptop:80", Count(1, 60, seen), Count(0, 0)), "ops-1")
    assert dict(zip(ALIBABA_FIELDS.split(), alibaba(record, WORLD).split(), strict=True))["tcp-flags"] == str(told)


def test_udp_has_no_flags() -> None:
    (record,) = log(of("ops", "ops-1:9 -> laptop:53", Count(1, 60), Count(0, 0), UDP), "ops-1")
    assert dict(zip(ALIBABA_FIELDS.split(), alibaba(record, WORLD).split(), strict=True))["tcp-flags"] == "-"
