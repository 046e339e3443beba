"""Calico's named_port_index tests: two ports share an address for a moment, and the sets forget it or keep it for good.

Here the sets follow the plan whatever the way to it: an address that goes from one port to another, by one change or
through a moment in which both or neither has it, is judged by the class of the port that has it now.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import count, product

import pytest

from ringfence.compile.plan import VpcPlan
from ringfence.lab.lab import Lab
from ringfence.lab.netns import IpRoute
from ringfence.model.address import Address, Family
from ringfence.model.profile import HUAWEI
from tests.peers import frames
from tests.peers.asking import VPC, audited, plan_of, with_addresses
from tests.peers.wire import address, listening, nic, send_packets, token
from tests.policy.build import build

pytestmark = pytest.mark.packets

OPEN = "in allow all from any; out allow all to any"
BY_CLASS = "; ".join(
    f"{way} allow udp {port} {of} group {group}"
    for way, of in (("in", "from"), ("out", "to"))
    for port, group in ((1, "ga"), (2, "gb"))
)
WORLD = build(HUAWEI, "a: ga; b: gb; c: gc", {"ga": OPEN, "gb": OPEN, "gc": BY_CLASS})
SHARED = {Family.IPV4: Address.parse("10.0.0.50"), Family.IPV6: Address.parse("fd00::50")}
STATES = ("", "a", "b", "ab")
"""Who has the shared addresses."""
_source_ports = count(20000)


def plan_in(state: str) -> VpcPlan:
    plan = plan_of(WORLD)
    sharing = {it.name: (*it.addresses, *SHARED.values()) for it in plan.ports if it.name[0] in state}
    return with_addresses(plan, sharing)


def routed_to(lab: Lab, owner: str) -> None:
    """Lead the shared addresses to a port, as whoever moves them would."""
    card = nic(lab, owner)
    far = ":".join(f"{byte:02x}" for byte in card.mac)
    lines = [f"route replace {it.host_prefix} dev {card.outer}" for it in SHARED.values()]
    lines += [f"neigh replace {it} lladdr {far} dev {card.outer} nud permanent" for it in SHARED.values()]
    IpRoute().run(lines, card.router)


def sent(lab: Lab, family: Family) -> Iterator[str]:
    """What gets from A and from B, in the name of the shared address, to C on either port, as in ``a1``."""
    c = nic(lab, "c")
    for name, port in product("ab", (1, 2)):
        mark = token()
        packet = frames.udp(SHARED[family], address(lab, "c", family), next(_source_ports), port, mark)
        with listening(c) as ear:
            send_packets(nic(lab, name), packet)
            if ear.hears(mark):
                yield f"{name}{port}"


def received(lab: Lab, family: Family, owner: str) -> Iterator[str]:
    """What gets from C to the shared address while it is routed to a port, as in ``a1``."""
    routed_to(lab, owner)
    for port in (1, 2):
        mark = token()
        packet = frames.udp(address(lab, "c", family), SHARED[family], next(_source_ports), port, mark)
        with listening(nic(lab, owner)) as ear:
            send_packets(nic(lab, "c"), packet)
            if ear.hears(mark):
                yield f"{owner}{port}"


def check(lab: Lab, family: Family, state: str) -> None:
    """That the kernel judges by the present owner; where two have it, by the class of one of them, always the same."""
    assert audited(lab, plan_in(state)) == []
    expected = {"": set(), "a": {"a1"}, "b": {"b2"}, "ab": {"a2", "b2"}}[state]
    assert set(sent(lab, family)) == expected, f"sent in state {state!r}"
    for owner in state:
        assert set(received(lab, family, owner)) == expected & {f"{owner}1", f"{owner}2"}, f"received in {state!r}"


@pytest.mark.parametrize("way", [("a", "b", "a"), ("a", "ab", "b", "ab", "a"), ("a", "", "b", "", "a")], ids="-".join)
def test_the_address_is_its_present_owners(lab: Lab, family: Family, way: tuple[str, ...]) -> None:
    """From one port to the other and back: at once, with both having it in between, and with neither."""
    for state in way:
        assert lab.driver(VPC).apply(plan_in(state)) > 0 or state == way[0]
        check(lab, family, state)


def test_whatever_the_way_the_state_is_the_same(lab: Lab, family: Family) -> None:
    """A random walk through the four states, each judged as if the way to it had been another."""
    chance = random.Random(int(family))
    for _ in range(12):
        state = chance.choice(STATES)
        lab.driver(VPC).apply(plan_in(state))
        check(lab, family, state)


def test_two_addresses_that_change_places(lab: Lab, family: Family) -> None:
    """A and B exchange all their addresses in one change; each may send from its new ones and from none of the old."""
    plan = plan_in("")
    addresses = {port.name: port.addresses for port in plan.ports}
    swapped = with_addresses(plan, {"a.eth0": addresses["b.eth0"], "b.eth0": addresses["a.eth0"]})
    c, own = nic(lab, "c"), {name: address(lab, name, family) for name in "abc"}
    for wanted, expected in ((plan, {"aa1", "bb2"}), (swapped, {"ba1", "ab2"})) * 2:
        lab.driver(VPC).apply(wanted)
        assert audited(lab, wanted) == []
        got = set()
        for whose, sender, asked in product("ab", "ab", (1, 2)):
            mark = token()
            packet = frames.udp(own[whose], own["c"], next(_source_ports), asked, mark)
            with listening(c) as ear:
                send_packets(nic(lab, sender), packet)
                if ear.hears(mark):
                    got.add(f"{whose}{sender}{asked}")
        # whose address, sent by whom, to which port: the sender's class decides that
        assert got == expected
