"""Flow logs of a lab: what was really sent stands there, at every port that it crossed, and nowhere twice."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from ringfence.analysis.records.flowlog import FlowRecord
from ringfence.backends.netns import inside
from ringfence.backends.nftables import conntrack
from ringfence.lab.flowlog import FlowLog
from ringfence.lab.lab import Lab
from ringfence.model.address import Family
from ringfence.model.packet import ACK, FIN, SYN
from ringfence.model.rule import Rule
from ringfence.model.service import TCP, UDP
from tests.lab.worlds import flow, world
from tests.logs.recording import PATIENCE
from tests.peers import frames
from tests.peers.wire import address, close_senders, nic, send_packets

pytestmark = pytest.mark.packets
DNS = Rule.parse("in allow udp 53 from group sg-web").id_in("sg-db")
MYSQL = Rule.parse("in allow tcp 3306 from group sg-web").id_in("sg-db")
OUT = Rule.parse("out allow all to any").id_in("sg-web")
HEADERS = {Family.IPV4: 28, Family.IPV6: 48}  # of a UDP datagram, in bytes


@pytest.fixture(scope="module")
def lab(lab_names: Callable[[], str]) -> Iterator[Lab]:
    with Lab.up(world(), lab_names()) as made:
        yield made
        close_senders()


@pytest.fixture
def log(lab: Lab) -> Iterator[FlowLog]:
    conntrack.flush(lab.names.vpc("shop"))
    with closing(FlowLog(lab.names)) as made:
        yield made


def client(lab: Lab, family: Family, kind: socket.SocketKind) -> socket.socket:
    with inside(lab.namespace("web-1")):
        made = socket.socket(socket.AF_INET if family is Family.IPV4 else socket.AF_INET6, kind)
    made.settimeout(PATIENCE)
    return made


def ask(asking: socket.socket, times: int) -> None:
    """Questions of 100 bytes, and answers of the same size."""
    for _ in range(times):
        asking.send(bytes(100))
        assert len(asking.recv(1000)) == 100


def told(records: list[FlowRecord], protocol: int) -> set[tuple[object, ...]]:
    """Port, direction, packets, bytes, outcome, rule and group of each record of a protocol."""
    return {
        (*it.key[:2], it.count.packets, it.count.bytes, str(it.key.outcome), it.key.rule_id, it.key.group)
        for it in records
        if it.key and it.key.protocol == protocol
    }


def lines(packets: int, family: Family) -> set[tuple[object, ...]]:
    """What stands there for so many questions and answers."""
    counted = (packets, packets * (100 + HEADERS[family]), "ACCEPT")
    ends = (("web-1.eth0", OUT, "sg-web"), ("db-1.eth0", DNS, "sg-db"))
    return {(port, direction, *counted, rule, group) for port, rule, group in ends for direction in ("in", "out")}


@pytest.mark.parametrize("family", Family)
def test_a_connection_is_told_window_by_window(lab: Lab, log: FlowLog, family: Family) -> None:
    with client(lab, family, socket.SOCK_DGRAM) as asking:
        asking.connect((str(address(lab, "db-1", family)), 53))
        ask(asking, 2)
        assert told(log.window(0.1), UDP) == lines(2, family)
        ask(asking, 3)
        assert told(log.window(0.1), UDP) == lines(3, family)
        assert told(log.window(0.1), UDP) == set()
        ask(asking, 4)
        conntrack.flush(lab.names.vpc("shop"))  # it ends within the window
        ask(asking, 1)
        assert told(log.window(0.1), UDP) == lines(5, family)
        conntrack.flush(lab.names.vpc("shop"))
        found = log.window(0.1)
    assert told(found, UDP) == set()
    assert [(str(it.port), it.status) for it in found] == [
        (f"{name}.eth0", "NODATA") for name in ("db-1", "web-1", "web-2")
    ]


@pytest.mark.parametrize("family", Family)
def test_a_whole_tcp_connection(lab: Lab, log: FlowLog, family: Family) -> None:
    with client(lab, family, socket.SOCK_STREAM) as asking:
        asking.connect((str(address(lab, "db-1", family)), 3306))
        assert asking.recv(100)
        asking.shutdown(socket.SHUT_WR)
        assert asking.recv(100) == b""
    found = [it for it in log.window(0.3) if it.key and it.key.protocol == TCP]
    flags = {(it.key.port, it.key.direction, it.key.rule_id): it.count.tcp_flags for it in found if it.key}
    assert flags == {
        ("web-1.eth0", "out", OUT): SYN | FIN,
        ("web-1.eth0", "in", OUT): SYN | ACK | FIN,
        ("db-1.eth0", "in", MYSQL): SYN | FIN,
        ("db-1.eth0", "out", MYSQL): SYN | ACK | FIN,
    }
    assert {it.count.packets for it in found} <= {3, 4, 5, 6}


@pytest.mark.parametrize("family", Family)
def test_what_is_refused_is_told_at_the_port_that_refused_it(lab: Lab, log: FlowLog, family: Family) -> None:
    assert not lab.probe([flow(lab.world, "laptop -> db-1 tcp/3306", family)])[0].arrived
    found = told(log.window(1.0), TCP)
    assert {(*line[:3], *line[4:]) for line in found} == {("db-1.eth0", "in", 1, "REJECT", "default-ingress", "")}


def test_more_than_is_recorded_is_told_as_skipped(lab: Lab, log: FlowLog) -> None:
    card, ends = nic(lab, "laptop"), [address(lab, name, Family.IPV4) for name in ("laptop", "db-1")]
    send_packets(card, *(frames.udp(ends[0], ends[1], 9, port, b"") for port in range(20000, 20400)))
    found = log.window(2.5)
    assert {str(it.port) for it in found if it.status == "SKIPDATA"} == {"db-1.eth0", "web-1.eth0", "web-2.eth0"}
    refused = [it for it in found if it.key and it.key.outcome == "REJECT"]
    assert 100 <= len(refused) < 400
    assert {(it.key.port, it.key.direction, it.key.stage) for it in refused if it.key} == {
        ("db-1.eth0", "in", "ingress")
    }
