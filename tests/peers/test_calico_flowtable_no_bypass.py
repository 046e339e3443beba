"""Calico's flowtable notes: packets of an offloaded flow pass by the hook, and so by its counters, limits and changes.

Here nothing is offloaded: there is no flow table, every packet of a busy connection passes the hook and is judged anew
once its connection is forgotten, and each new connection is counted exactly once, however many come at a time.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace

import pytest

from ringfence.backends.netns import inside
from ringfence.backends.nftables.render import render
from ringfence.backends.nftables.ruleset import Ruleset, difference
from ringfence.lab import conntrack
from ringfence.lab.lab import Lab
from ringfence.model.address import Family
from ringfence.model.profile import HUAWEI, OnChange
from ringfence.model.rule import Rule
from tests.peers import frames
from tests.peers.asking import VPC, command, plan_of, with_groups
from tests.peers.wire import address, flooding, listening, nic, send_packets, token, until
from tests.policy.build import build

pytestmark = pytest.mark.packets

WAY_OUT, UDP_IN, TCP_IN = "out allow all to any", "in allow udp 9 from any", "in allow tcp 9 from any"
KEEPING = replace(HUAWEI, on_change=OnChange.KEEP)  # here the test itself says when a connection is forgotten
WORLD = build(KEEPING, "a: ga; b: gb", {"ga": WAY_OUT, "gb": f"{UDP_IN}; {TCP_IN}"})
CLOSED = with_groups(WORLD, {"gb": []})
BUSY = 500  # packets of one connection


def test_there_is_no_flow_table(lab: Lab) -> None:
    lab.enforce(WORLD)
    commands = difference("table", Ruleset(), render(plan_of(WORLD)))
    assert not any(word in text for text in commands for word in ("flowtable", "flow add", "flow offload"))
    for namespace in (lab.names.vpc(VPC), lab.names.internet):
        listed = json.loads(command(namespace, "nft", "-j", "list", "flowtables"))["nftables"]
        assert [entry for entry in listed if "metainfo" not in entry] == []
    assert "offload" not in command(lab.names.vpc(VPC), "nft", "list", "ruleset")


def counts(lab: Lab) -> Mapping[str, int]:
    """How many packets each rule has decided."""
    return {key: hit.packets for key, hit in lab.driver(VPC).counters().items()}


def gained(lab: Lab, before: Mapping[str, int]) -> Mapping[str, int]:
    """What they have decided since, as people write the rules."""
    ids = {Rule.parse(text).id_in(group): text for group, text in (("ga", WAY_OUT), ("gb", UDP_IN), ("gb", TCP_IN))}
    return {
        ids.get(key, key): count - before.get(key, 0) for key, count in counts(lab).items() if count != before.get(key)
    }


class Hook:
    """A table of the test's own in the router: how many packets of the test's port pass its forward hook."""

    def __init__(self, lab: Lab) -> None:
        self._namespace = lab.names.vpc(VPC)

    def nft(self, *words: str) -> str:
        return command(self._namespace, "nft", *words)

    def __enter__(self) -> Hook:
        self.nft("add table inet witness")
        self.nft("add chain inet witness forward { type filter hook forward priority 10; policy accept; }")
        self.nft("add rule inet witness forward th dport 9 counter")
        return self

    def __exit__(self, *_: object) -> None:
        self.nft("delete table inet witness")

    @property
    def packets(self) -> int:
        (rule,) = (
            entry["rule"]
            for entry in json.loads(self.nft("-j", "list", "chain", "inet", "witness", "forward"))["nftables"]
            if "rule" in entry
        )
        counted = rule["expr"][-1]["counter"]["packets"]
        assert isinstance(counted, int)
        return counted


def test_every_packet_of_a_busy_flow_passes_the_hook_and_only_its_first_is_counted(lab: Lab, family: Family) -> None:
    lab.enforce(WORLD)
    conntrack.flush(lab.names.vpc(VPC))
    mark, ends = token(), (address(lab, "a", family), address(lab, "b", family))
    before = counts(lab)
    with Hook(lab) as hook, listening(nic(lab, "b")) as ear:
        packet = frames.udp(*ends, 40000, 9, mark)
        send_packets(nic(lab, "a"), packet)
        send_packets(nic(lab, "b"), frames.udp(ends[1], ends[0], 9, 40000, b""))
        send_packets(nic(lab, "a"), *[packet] * (BUSY - 1))
        assert sum(mark in it for it in ear.heard()) == BUSY
        assert hook.packets == BUSY
    assert gained(lab, before) == {WAY_OUT: 1, UDP_IN: 1}


def test_a_busy_flow_is_judged_again_once_it_is_forgotten(lab: Lab, family: Family) -> None:
    """Packets without end; then the rule goes and the connection is forgotten: not one more, and still they come."""
    lab.enforce(WORLD)
    mark, ends = token(), (address(lab, "a", family), address(lab, "b", family))
    with flooding(nic(lab, "a"), [frames.udp(*ends, 40001, 9, mark)], pause=0.0001) as flood:
        with listening(nic(lab, "b")) as ear:
            assert until(lambda: sum(mark in it for it in ear.heard()) >= BUSY), "the flow does not pass"
        lab.enforce(CLOSED)
        conntrack.flush(lab.names.vpc(VPC))
        denied = counts(lab)["default-ingress"]
        with listening(nic(lab, "b")) as ear:
            assert until(lambda: counts(lab)["default-ingress"] >= denied + BUSY), "the flow is not judged"
            assert not ear.hears(mark)
        sent = flood.end()
    assert sent > 2 * BUSY


def test_a_busy_tcp_connection_stops_once_it_is_forgotten(lab: Lab, family: Family) -> None:
    """A packet in mid-stream that nobody knows is dropped (SEMANTICS.md 13.13), whatever it was before."""
    lab.enforce(WORLD)
    kind = socket.AF_INET if family is Family.IPV4 else socket.AF_INET6
    target = str(address(lab, "b", family))
    with ExitStack() as held:
        with inside(lab.namespace("b")):
            server = held.enter_context(socket.create_server((target, 9), family=kind))
        with inside(lab.namespace("a")):
            client = held.enter_context(socket.socket(kind))
        client.settimeout(5)
        client.connect((target, 9))
        accepted = held.enter_context(server.accept()[0])
        accepted.settimeout(0.3)
        for number in range(BUSY):
            client.sendall(b"%04d" % number)
            assert accepted.recv(4, socket.MSG_WAITALL) == b"%04d" % number
        lab.enforce(CLOSED)
        conntrack.flush(lab.names.vpc(VPC))
        client.sendall(b"more")
        with pytest.raises(TimeoutError):
            accepted.recv(4)
        lab.enforce(WORLD)  # an allow does not bring it back: its next packet is no first packet
        with pytest.raises(TimeoutError):
            accepted.recv(4)


def test_each_new_connection_is_counted_once_under_load(lab: Lab, family: Family) -> None:
    """Thousands of first packets without a pause, then their answers, then more packets of the same connections.

    Until the first answer every datagram is a first packet to conntrack, and is judged and counted as one.
    """
    lab.enforce(WORLD)
    conntrack.flush(lab.names.vpc(VPC))
    ends, connections = (address(lab, "a", family), address(lab, "b", family)), 3000
    mark, a, b, before = token(), nic(lab, "a"), nic(lab, "b"), counts(lab)
    datagrams = [frames.udp(*ends, 10000 + number, 9, mark) for number in range(connections)]
    answers = [frames.udp(ends[1], ends[0], 9, 10000 + number, b"") for number in range(connections)]
    attempts = [frames.tcp(*ends, (10000 + number, 9), frames.SYN, mark, (1, 0)) for number in range(connections)]
    with listening(b) as ear:
        for card, packets in ((a, datagrams), (a, attempts), (b, answers), (a, datagrams)):
            for first in range(0, connections, 500):  # the ear's buffer is not endless
                send_packets(card, *packets[first : first + 500])
                ear.collect()
        assert sum(mark in it for it in ear.heard()) == 3 * connections
    assert gained(lab, before) == {WAY_OUT: 2 * connections, UDP_IN: connections, TCP_IN: connections}
