"""spinifex#201 (and Calico's fail-closed rule): a port was plugged before its policy came, and passed everything.

Here what no plan names passes nothing in either direction: a link plugged by hand, a port taken out of the plan, a VPC
for which nothing was ever applied. What a lost table means is written down too.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from ringfence.backends.netns import inside
from ringfence.backends.nftables.names import port_link
from ringfence.compile.plan import PortPlan
from ringfence.lab import conntrack
from ringfence.lab.lab import Lab
from ringfence.lab.names import LabNames
from ringfence.lab.netns import IpRoute, make
from ringfence.lab.topology import build as wire_up
from ringfence.lab.topology import open_gates
from ringfence.model.address import Address, Family
from ringfence.model.profile import HUAWEI
from tests.peers import frames
from tests.peers.asking import VPC, audited, command, crossings, fresh_driver, passing, plan_of
from tests.peers.frames import mac
from tests.peers.wire import Nic, address, close_senders, listening, nic, send_packets, token
from tests.policy.build import build

pytestmark = pytest.mark.packets

WORLD = build(HUAWEI, "a: open; b: open", {"open": "in allow all from any; out allow all to any"})
NEW = {Family.IPV4: Address.parse("10.0.0.77"), Family.IPV6: Address.parse("fd00::77")}
_GUEST, _OUTER = "02:00:00:00:00:77", "02:00:00:00:00:01"
NAMES = {"the name that a plan would use": port_link("new.eth0"), "any name": "eth9", "a like name": "rf-uplink2"}


@pytest.fixture(params=[*NAMES.values()], ids=[*NAMES])
def plugged(lab: Lab, request: pytest.FixtureRequest) -> Iterator[Nic]:
    """A guest plugged by hand, as whoever starts machines would do it: link, addresses, routes, neighbours. No plan."""
    guest, router, outer = lab.names.instance("new"), lab.names.vpc(VPC), request.param
    card = Nic(guest, "eth0", mac(_GUEST), router, outer, mac(_OUTER))
    ip = IpRoute()
    make([guest], ip)
    ip.run(
        [
            f"link add {outer} address {_OUTER} type veth peer name eth0 address {_GUEST} netns {guest}",
            f"link set {outer} up",
            f"addr add fe80::1/64 dev {outer} nodad",
            *(f"route replace {it.host_prefix} dev {outer}" for it in NEW.values()),
            *(f"neigh replace {it} lladdr {_GUEST} dev {outer} nud permanent" for it in NEW.values()),
        ],
        router,
    )
    ip.run(["link set eth0 up", *(f"addr add {it.host_prefix} dev eth0 nodad" for it in NEW.values())], guest)
    try:
        yield card
    finally:
        close_senders()
        ip.run([f"link del {outer}"], router)
        ip.run([f"netns del {guest}"])
        lab.driver(VPC).apply(plan_of(WORLD))
        conntrack.flush(router)  # the next guest has the same addresses, and must not inherit connections


def crossed(sender: Nic, receiver: Nic, packets: list[bytes], mark: bytes) -> int:
    """How many of the packets arrived."""
    with listening(receiver) as ear:
        send_packets(sender, *packets)
        return sum(mark in each for each in ear.heard())


def test_a_port_without_a_policy_passes_nothing(lab: Lab, plugged: Nic, family: Family) -> None:
    """To and from a port whose own groups allow everything, and the outside; until a plan names it."""
    new, mark = NEW[family], token()
    plan = plan_of(WORLD)
    for name in ("b", "laptop"):
        other, its = nic(lab, name), address(lab, name, family)
        assert crossed(plugged, other, crossings(new, its, mark), mark) == 0
        assert crossed(other, plugged, crossings(its, new, mark), mark) == 0
        assert crossed(plugged, other, crossings(address(lab, "a", family), its, mark), mark) == 0  # as somebody known
    named = PortPlan("new.eth0", tuple(NEW.values()), plan.classes[0].id)
    lab.driver(VPC).apply(replace(plan, ports=(*plan.ports, named)))
    expected = 4 if plugged.outer == port_link("new.eth0") else 0  # a plan means its own link and no other
    for name in ("b", "laptop"):
        other, its = nic(lab, name), address(lab, name, family)
        assert crossed(plugged, other, crossings(new, its, mark), mark) == expected
        assert crossed(other, plugged, crossings(its, new, mark), mark) == expected


def test_a_port_taken_out_of_the_plan_passes_nothing(lab: Lab, family: Family) -> None:
    plan, flows = plan_of(WORLD), ["a -> b udp/7", "b -> a tcp/7", "laptop -> b udp/7", "b -> laptop 253"]
    assert passing(lab, family, flows) == set(flows)
    lab.driver(VPC).apply(replace(plan, ports=tuple(port for port in plan.ports if port.name != "b.eth0")))
    assert passing(lab, family, [*flows, "a -> laptop udp/8"]) == {"a -> laptop udp/8"}
    lab.driver(VPC).apply(replace(plan, ports=()))
    assert passing(lab, family, [*flows, "a -> laptop udp/9"]) == set()
    lab.driver(VPC).apply(plan)
    assert passing(lab, family, flows) == set(flows)


@pytest.fixture
def unjudged(lab_names: Callable[[], str]) -> Iterator[Lab]:
    """A lab that is wired, and in which nothing was ever applied. Whoever gave the name takes it down."""
    names = LabNames(lab_names())
    names.directory.mkdir(parents=True)
    wire_up(WORLD, names, IpRoute())
    lab = Lab(WORLD, names)
    yield lab
    lab.close()
    close_senders()


def across(lab: Lab, family: Family, marks: Iterator[bytes]) -> int:
    """How many packets get across a lab, in all directions."""
    found = 0
    for one, two in (("a", "b"), ("b", "a"), ("a", "laptop"), ("laptop", "b")):
        mark = next(marks)
        packets = crossings(address(lab, one, family), address(lab, two, family), mark)
        found += crossed(nic(lab, one), nic(lab, two), packets, mark)
    return found


def test_nothing_passes_before_the_first_plan_nor_by_an_empty_one(unjudged: Lab, family: Family) -> None:
    """Before the first plan it is forwarding, still off, that holds packets back; the table takes over before it is on.

    With forwarding on and a table that allows it, the same packets pass.
    """
    marks, plan = iter(token, b""), plan_of(WORLD)
    switches = "net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"
    assert command(unjudged.names.vpc(VPC), "sysctl", "-n", *switches).split() == ["0", "0"]
    assert across(unjudged, family, marks) == 0
    unjudged.driver(VPC).apply(replace(plan, classes=(), ports=()))
    assert across(unjudged, family, marks) == 0
    open_gates(WORLD, unjudged.names)
    assert across(unjudged, family, marks) == 0
    unjudged.driver(VPC).apply(plan)
    assert across(unjudged, family, marks) == 16


def test_a_lost_table_opens_the_gates_and_the_audit_says_so(lab: Lab, family: Family) -> None:
    """What it would be wrong to hide: who deletes the table while forwarding is on has no firewall until an apply.

    It is an apply that reads the kernel which mends it, by a new driver or after an audit.
    """
    closed = plan_of(build(HUAWEI, "a: shut; b: shut", {"shut": ""}))
    lab.driver(VPC).apply(closed)
    flows = ["a -> b udp/7", "b -> a tcp/7", "laptop -> b udp/7"]
    assert passing(lab, family, flows) == set()
    command(lab.names.vpc(VPC), "nft", "delete", "table", "inet", lab.names.table)
    assert passing(lab, family, flows) == set(flows)
    assert audited(lab, closed) != []
    driver = fresh_driver(lab)
    assert driver.apply(closed) > 0
    driver.close()
    assert passing(lab, family, flows) == set()
    assert audited(lab, closed) == []
    assert lab.driver(VPC).audit(closed) == []


def test_a_socket_of_the_router_is_no_way_round(lab: Lab, plugged: Nic, family: Family) -> None:
    """The router's own programs hear nothing from a port without a policy."""
    kind = socket.AF_INET if family is Family.IPV4 else socket.AF_INET6
    gateway = Address.parse("10.0.0.1" if family is Family.IPV4 else "fd00::1")
    with inside(plugged.router):
        server = socket.socket(kind, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    with server, listening(plugged) as ear:
        server.bind(("", 7))
        send_packets(plugged, *crossings(NEW[family], gateway, b"anyone?"))
        assert [it for it in ear.heard() if frames.packed(gateway) in it] == []
        with pytest.raises(BlockingIOError):
            server.recv(100)
