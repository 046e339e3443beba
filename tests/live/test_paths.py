"""Live connections that are not alone: between peered VPCs, of an FTP session, thousands at once, in mid-flood."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import product

import pytest

from ringfence import worldfile
from ringfence.backends.netns import inside
from ringfence.backends.nftables import conntrack
from ringfence.compile.compiler import compile_world
from ringfence.lab.lab import Lab
from ringfence.lab.live import LiveConnections
from ringfence.model.address import Family
from ringfence.model.flow import Query
from ringfence.model.service import TCP, UDP
from tests.live.cells import CELLS, Cell
from tests.live.flows import begin, closing_all, living

pytestmark = pytest.mark.packets

families = pytest.mark.parametrize("family", list(Family), ids=str)
KINDS = {Family.IPV4: socket.AF_INET, Family.IPV6: socket.AF_INET6}

TWO_VPCS = """
profile: huawei
vpcs:
  shop:
    switches: {{on_change: {shop}}}
    cidrs: [10.0.0.0/16, "fd00:10::/56"]
    subnets: {{s: {{cidr: 10.0.1.0/24, cidr6: "fd00:10:0:1::/64"}}}}
  ops:
    switches: {{on_change: {ops}}}
    cidrs: [10.9.0.0/16, "fd00:90::/56"]
    subnets: {{s: {{cidr: 10.9.1.0/24, cidr6: "fd00:90:0:1::/64"}}}}
peerings:
  - {{vpcs: [shop, ops], firewall: [deny tcp 1 from any to any]}}
groups:
  sg-a: {{rules: [out allow all to any priority 50]}}
  sg-b: {{rules: [in allow all from any priority 50]}}
instances:
  a: {{subnet: shop/s, ip: 10.0.1.11, ip6: "fd00:10:0:1::11", groups: [sg-a]}}
  b: {{subnet: ops/s, ip: 10.9.1.11, ip6: "fd00:90:0:1::11", groups: [sg-b]}}
"""
RECEIVER = "sg-b: {rules: ["
PEERED = [  # what each VPC does on a change; where and what changes; whose tables forget the connection
    ("clear_inbound", "clear_inbound", RECEIVER, "in allow tcp 9 from any", "ops"),
    ("clear_inbound", "keep", RECEIVER, "in deny all from any", ""),
    ("rejudge", "keep", RECEIVER, "in deny all from any", ""),
    ("keep", "rejudge", RECEIVER, "in deny all from any", "ops"),
    ("clear_inbound", "clear_inbound", "sg-a: {rules: [", "out deny all to any", ""),
    ("rejudge", "rejudge", "sg-a: {rules: [", "out deny all to any", "shop"),
    ("rejudge", "clear_inbound", "firewall: [", "deny all from any to any", "shop"),
    ("rejudge", "rejudge", "firewall: [", "deny all from any to any", "ops shop"),
]


@pytest.fixture(scope="module")
def peered(lab_names: Callable[[], str]) -> Iterator[Lab]:
    with Lab.up(worldfile.parse(TWO_VPCS.format(shop="keep", ops="keep"), "two"), lab_names()) as made:
        yield made


@pytest.mark.parametrize(("shop", "ops", "where", "what", "cut"), PEERED)
def test_each_vpc_decides_about_its_own_table(
    peered: Lab, shop: str, ops: str, where: str, what: str, cut: str
) -> None:
    text = TWO_VPCS.format(shop=shop, ops=ops)
    peered.enforce(worldfile.parse(text, "before"))
    for vpc in ("shop", "ops"):
        conntrack.flush(peered.names.vpc(vpc))
    with closing_all() as flows:
        flows += [begin(peered, "a b", *which) for which in product(("tcp", "udp", "icmp"), Family)]
        assert living(flows, flows) == set(flows)
        peered.enforce(worldfile.parse(text.replace(where, f"{where}{what}, "), "after"))
        told = {(cut.connection.vpc, one) for cut in peered.cuts for one in flows if one.is_known_as(cut.connection)}
        assert told == set(product(cut.split(), flows))
        assert len(told) == len(peered.cuts)
        alive = set() if cut else set(flows)
        assert living(flows, alive) == alive


FTP = """
profile: huawei
vpcs:
  v:
    cidrs: [10.0.0.0/16, "fd00:10::/56"]
    subnets: {{s: {{cidr: 10.0.1.0/24, cidr6: "fd00:10:0:1::/64"}}}}
groups:
  sg-client: {{ftp_helper: true, rules: [out allow tcp 21 to any]}}
  sg-server: {{ftp_helper: true, rules: [in allow tcp 21 from any{more}]}}
instances:
  client: {{subnet: s, ip: 10.0.1.11, ip6: "fd00:10:0:1::11", groups: [sg-client]}}
  server: {{subnet: s, ip: 10.0.1.12, ip6: "fd00:10:0:1::12", groups: [sg-server]}}
"""
PASSIVE = {
    Family.IPV4: b"227 Entering Passive Mode (10,0,1,12,4,1)\r\n",
    Family.IPV6: b"229 Entering Extended Passive Mode (|||1025|)\r\n",
}


def test_an_ftp_data_connection_is_cut_with_its_session(lab_name: str) -> None:
    """No rule allows it, before or after: it lives by its session, and dies with it."""
    with Lab.up(worldfile.parse(FTP.format(more=""), "ftp"), lab_name) as lab, ExitStack() as sockets:
        kept = [_open_session(lab, family, sockets) for family in Family]
        listed = (entry.connection for entry in conntrack.entries(lab.names.vpc("v"), "v"))
        known = {str(one): one for one in listed if one.protocol == TCP}
        children = [one for one in known.values() if one.parent]
        assert {(one.destination_port, one.parent and one.parent.destination_port) for one in children} == {(1025, 21)}
        lab.enforce(worldfile.parse(FTP.format(more=", in allow tcp 9 from any"), "ftp"))
        assert {str(cut.connection) for cut in lab.cuts} == known.keys()
        assert len(known) == 4
        assert {cut.hold for cut in lab.cuts} == {600}
        for one, other in (pair for pairs in kept for pair in pairs):
            one.send(b"still there?")
            other.settimeout(0.3)
            with pytest.raises(TimeoutError):
                other.recv(100)


_Pair = tuple[socket.socket, socket.socket]


def _open_session(lab: Lab, family: Family, sockets: ExitStack) -> list[_Pair]:
    """A control connection in which a data connection is announced, and that data connection."""
    control = _connect(lab, family, 21, sockets)
    control[1].sendall(b"220 ready\r\n")
    assert control[0].recv(100)
    control[1].sendall(PASSIVE[family])
    assert control[0].recv(100)
    return [control, _connect(lab, family, 1025, sockets)]


def _connect(lab: Lab, family: Family, port: int, sockets: ExitStack) -> _Pair:
    """Both ends of a connection from client to server."""
    address = str(lab.world.endpoint("server", family).address)
    with inside(lab.namespace("server")):
        listener = sockets.enter_context(socket.create_server((address, port), family=KINDS[family]))
    with inside(lab.namespace("client")):
        client = sockets.enter_context(socket.create_connection((address, port), 5))
    return client, sockets.enter_context(listener.accept()[0])


ADDED, DENIED = (next(cell for cell in CELLS if cell.name == name) for name in ("rule added", "rule added that denies"))


@pytest.fixture(scope="module")
def lab(lab_names: Callable[[], str]) -> Iterator[Lab]:
    with Lab.up(ADDED.before("huawei"), lab_names()) as made:
        yield made


def test_thousands_are_cut_as_one(lab: Lab) -> None:
    lab.enforce(ADDED.before("huawei"))
    conntrack.flush(lab.names.vpc("shop"))
    ports = range(10_000, 12_000)
    for family in Family:
        with inside(lab.namespace("laptop")), socket.socket(KINDS[family], socket.SOCK_DGRAM) as sender:
            for port in ports:
                sender.sendto(b"x", (str(lab.world.endpoint("web-1", family).address), port))
    assert len(lab.preview(ADDED.after("huawei"))) == 2 * len(ports)
    lab.enforce(ADDED.after("huawei"))
    assert {(cut.connection.destination_port, cut.hold) for cut in lab.cuts} == {(port, 30) for port in ports}
    assert len(lab.cuts) == 2 * len(ports)
    assert not any(entry.connection.protocol == UDP for entry in conntrack.entries(lab.names.vpc("shop"), "shop"))


def test_probes_are_no_connections_of_anybodys(lab: Lab) -> None:
    """What `verify` and its like have sent is neither cut nor held by the next change."""
    lab.enforce(ADDED.before("huawei"))
    conntrack.flush(lab.names.vpc("shop"))
    with closing_all() as flows:
        flows += [begin(lab, "in", "udp", family) for family in Family]
        assert living(flows, flows) == set(flows)
        services = ("tcp/80", "udp/80", "gre", "132", "udp/80 from port 1000")
        texts = [f"laptop -> web-1 {service}{over}" for service in services for over in ("", " over ipv6")]
        asked = [lab.world.flow(Query.parse(text)) for text in (*texts, "laptop -> web-1 icmp")]
        assert all(seen.arrived for seen in lab.probe(asked))
        assert all(seen.arrived for seen in lab.converse(asked))
        cuts = lab.preview(ADDED.after("huawei"))
        assert [one for one in flows if any(one.is_known_as(cut.connection) for cut in cuts)] == flows
        assert len(cuts) == len(flows)


@families
def test_no_packet_passes_once_a_connection_is_cut(lab: Lab, family: Family) -> None:
    """A flood goes on while the change comes: what is answered is its beginning, without a gap, and nothing later."""
    lab.enforce(DENIED.before("huawei"))
    conntrack.flush(lab.names.vpc("shop"))
    flood = Flood(lab, family)
    with flood:
        flood.await_answers(200)
        lab.enforce(DENIED.after("huawei"))
        flood.go_on(200)
    assert flood.answered == list(range(len(flood.answered)))
    assert 200 <= len(flood.answered) < flood.sent


class Flood:
    """Echo requests of one id, as fast as a thread sends them."""

    def __init__(self, lab: Lab, family: Family) -> None:
        self.sent = 0
        self.answered: list[int] = []
        self._family, self._stop = family, threading.Event()
        with inside(lab.namespace("laptop")):
            protocol = socket.IPPROTO_ICMP if family is Family.IPV4 else socket.IPPROTO_ICMPV6
            self._socket = socket.socket(KINDS[family], socket.SOCK_RAW, protocol)
        self._socket.settimeout(0.002)
        self._socket.connect((str(lab.world.endpoint("web-1", family).address), 0))
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._socket.close()

    def await_answers(self, count: int) -> None:
        while len(self.answered) < count:
            assert self._thread.is_alive()
            self._stop.wait(0.01)

    def go_on(self, count: int) -> None:
        until = self.sent + count
        while self.sent < until:
            assert self._thread.is_alive()
            self._stop.wait(0.01)

    def _run(self) -> None:
        kind = 8 if self._family is Family.IPV4 else 128
        while not self._stop.is_set() and self.sent < 0xFFFF:
            total = (kind << 8) + 7777 + self.sent
            checksum = ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF
            self._socket.send(struct.pack("!BBHHH", kind, 0, checksum, 7777, self.sent))
            self.sent += 1
            self._receive()

    def _receive(self) -> None:
        """One answer, or none; requests of our own come back from nowhere."""
        try:
            packet = self._socket.recv(100)
        except TimeoutError:
            return
        echo = packet[20:] if self._family is Family.IPV4 else packet
        if echo[0] in (0, 129) and echo[4:6] == struct.pack("!H", 7777):
            self.answered.append(int.from_bytes(echo[6:8]))


@pytest.mark.parametrize(("cell", "late_are_cut"), [(ADDED, False), (DENIED, True)], ids=str)
def test_what_began_while_the_policy_changed_is_cut_if_the_new_one_denies_it(
    lab: Lab, cell: Cell, late_are_cut: bool
) -> None:
    before, after = cell.before("huawei"), cell.after("huawei")
    lab.enforce(before)
    conntrack.flush(lab.names.vpc("shop"))
    with closing_all() as flows:
        early = [begin(lab, "in", *which) for which in product(("tcp", "udp", "icmp"), Family)]
        flows += early
        assert living(flows, flows) == set(flows)
        change = LiveConnections(before, after, lab.names)
        late = [begin(lab, "in", *which) for which in product(("tcp", "udp", "icmp"), Family)]
        flows += late
        assert living(flows, flows) == set(flows)
        lab.driver("shop").apply(compile_world(after).vpcs["shop"])
        cuts = change.cut(lab.driver)
        doomed = flows if late_are_cut else early
        assert [one for one in flows if any(one.is_known_as(cut.connection) for cut in cuts)] == doomed
        alive = set(flows) - set(doomed)
        assert living(flows, alive) == alive
