"""feint, limits.md: a probe that got lost on its way was read as a success of the firewall.

Here a probe says "allow" if its packet was captured at the destination, "deny" if it was seen to leave and the
destination's capture was proved alive afterwards, and otherwise nothing: a broken measurement is a failure.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from ringfence.errors import CannotRun, ProbeFailed
from ringfence.lab.lab import Lab
from ringfence.lab.probe import Observation
from ringfence.model.address import Family
from ringfence.model.flow import Expectation
from ringfence.model.profile import HUAWEI
from ringfence.model.rule import Action
from tests.peers.asking import command
from tests.peers.wire import Nic, nic
from tests.policy.build import ask, build

pytestmark = pytest.mark.packets

GROUPS = {"ga": "out allow all to any", "gb": "in allow udp 9 from any; in allow tcp 9 from any"}
ALLOWED, DENIED = ["a -> b udp/9", "a -> b tcp/9"], ["a -> b udp/10", "a -> b tcp/10", "a -> b {icmp}", "a -> b 253"]
OTHERS = ["c -> d udp/9", "c -> d udp/10"]
"""What the breakage does not touch."""
WORLD = replace(
    build(HUAWEI, "a: ga; b: gb; c: ga; d: gb", GROUPS),
    expects=tuple(
        Expectation.parse(f"{flow}{over} {action}")
        for over in ("", " over ipv6")
        for flow, action in (("a -> b udp/9", "allow"), ("a -> b udp/10", "deny"))
    ),
)

# Where (a guest or its router), and the words for `ip`.
BREAKAGES = {
    "the receiver's link is down": ("b", "guest", "link set eth0 down"),
    "the receiver has no link": ("b", "guest", "link del eth0"),
    "the router's end to the receiver is down": ("b", "router", "link set {outer} down"),
    "the sender's link is down": ("a", "guest", "link set eth0 down"),
    "the router's end to the sender is down": ("a", "router", "link set {outer} down"),
    "the sender has no route": ("a", "guest", "{family} route flush table main"),
    "the sender has no address": ("a", "guest", "{family} addr flush dev eth0"),
    "the sender has the wrong neighbour": (
        "a",
        "guest",
        "neigh replace {gateway} lladdr 02:00:00:00:00:99 dev eth0 nud permanent",
    ),
}


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seconds that the probes wait for what never comes."""
    monkeypatch.setattr("ringfence.lab.probe._TO_LEAVE", 0.3)
    monkeypatch.setattr("ringfence.lab.probe._TO_MARK", 0.3)


def broken(lab: Lab, what: str, family: Family) -> None:
    name, side, words = BREAKAGES[what]
    card: Nic = nic(lab, name)
    # Over IPv4 a guest asks for its neighbour itself, over IPv6 it sends everything to the router.
    gateway = "10.0.0.12" if family is Family.IPV4 else "fe80::1"
    text = words.format(outer=card.outer, family=f"-{int(family)}", gateway=gateway)
    command(card.namespace if side == "guest" else card.router, "ip", *text.split())


def observed(lab: Lab, family: Family, flows: list[str]) -> list[Observation]:
    return lab.probe([ask(lab.world, flow, family) for flow in flows])


def test_a_whole_lab_gives_verdicts(lab: Lab, family: Family) -> None:
    """And none of them is a failure; they are what the rules say."""
    seen = observed(lab, family, [*ALLOWED, *DENIED])
    assert [it.action for it in seen] == [Action.ALLOW] * len(ALLOWED) + [Action.DENY] * len(DENIED)
    assert all(row.ok for row in lab.check_expectations())


@pytest.mark.parametrize("what", BREAKAGES)
def test_a_broken_measurement_is_neither_allow_nor_deny(lab_name: str, family: Family, what: str) -> None:
    with Lab.up(WORLD, lab_name) as lab:
        broken(lab, what, family)
        for seen in observed(lab, family, [*ALLOWED, *DENIED]):
            assert seen.failure
            assert not seen.arrived
            assert str(seen).startswith("proves nothing: ")
            with pytest.raises(ProbeFailed):
                _ = seen.action
        assert [it.action for it in observed(lab, family, OTHERS)] == [Action.ALLOW, Action.DENY]


@pytest.mark.parametrize("what", ["the receiver's link is down", "the router's end to the sender is down"])
def test_what_proves_nothing_fulfils_no_expectation(lab_name: str, family: Family, what: str) -> None:
    """Not one of the lines that expect a denial either, and a verify is not content."""
    with Lab.up(WORLD, lab_name) as lab:
        broken(lab, what, family)
        rows = lab.check_expectations()
        assert len(rows) == 4
        over = [row for row in rows if row.expectation.query.family is family]
        assert len(over) == 2
        assert not any(row.ok for row in over)
        report = lab.verify()
    assert not report.ok
    assert report.unproved
    assert all(it.failure for it in report.unproved)
    assert report.differences == ()


def test_where_there_is_no_capture_there_is_no_verdict(lab_name: str, family: Family) -> None:
    with Lab.up(WORLD, lab_name) as lab:
        command(lab.names.internet, "ip", "netns", "del", lab.namespace("b"))
        for flow in (*ALLOWED, *DENIED):
            with pytest.raises(CannotRun):
                observed(lab, family, [flow])
        assert [it.action for it in observed(lab, family, OTHERS)] == [Action.ALLOW, Action.DENY]


@contextmanager
def a_small_buffer() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ringfence.lab.capture._BUFFER", 1)  # the kernel makes it the least there is
        yield


def test_a_capture_that_lost_packets_gives_no_verdict(lab_name: str, family: Family) -> None:
    """Absence from a capture with holes proves nothing, for none of the probes."""
    flows = [f"a -> b udp/{port}" for port in range(1, 500)]
    with Lab.up(WORLD, lab_name) as lab:
        with a_small_buffer(), pytest.raises(ProbeFailed, match="lost packets"):
            observed(lab, family, flows)
        lab.close()
        verdicts = [it.action for it in observed(lab, family, flows)]
    assert verdicts == [Action.ALLOW if port == 9 else Action.DENY for port in range(1, 500)]
