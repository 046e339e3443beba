"""neutron, LP#1934917, the other half: what has nothing to do with a flow may change as often as it likes.

A ping, a TCP stream and new connections run from A to C through a hundred applies, of rules of other groups, joins of
others, entries of address groups, lines of ACLs, firewalls, virtual IPs, penalties and switches, without losing a
packet; and a flow that is forbidden all the while never passes once.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import pytest

from ringfence.compile.plan import VpcPlan
from ringfence.lab import conntrack
from ringfence.lab.lab import Lab
from ringfence.model.acl import AclRule
from ringfence.model.address import AddressRange, Family
from ringfence.model.group import SecurityGroup
from ringfence.model.rule import Rule
from ringfence.model.world import World, by_name
from ringfence.policy.evaluate import evaluate
from tests.nftables.whole import EDITS, VPC, WHOLE, edited
from tests.peers import frames
from tests.peers.asking import plan_of
from tests.peers.talking import Conversation, Ping
from tests.peers.wire import Ear, address, flooding, listening, nic, token, until
from tests.policy.build import ask

pytestmark = pytest.mark.packets

APPLIES = 100
WORLD = replace(WHOLE, penalties={})
OWN = {"office": ["10.0.1.11", "10.0.1.8/29"], "office6": ["fd00:0:0:1::b", "fd00:0:0:1::8/125"]}
"""Entries that stay in the address groups: A's own address, at two lengths."""
GROUPS = {
    "web": ["out allow all to any"],
    "db": [
        *("in allow tcp 9,80 from group web", "in allow udp 9 from office", "in allow udp 9 from office6"),
        *("in deny udp 7 from office", "in deny tcp 7 from group web", "in deny udp 7 from office6"),
        *("in allow icmp from group web", "in allow icmpv6 from group web", "in allow all from any priority 100"),
        *(f"in deny udp {port} from any" for port in range(1000, 1020, 2)),
    ],
}
EDGE = [
    "in allow all from any to 10.0.1.0/24",
    "in allow all from any to fd00:0:0:1::/64",
    "out allow all from any to any",
]
DEEP = [
    "in deny tcp 25 from office to any",
    "in allow all from any to 10.0.2.0/24",
    "in allow all from any to fd00:0:0:2::/64",
]
ACLS = {"edge": EDGE, "deep": [*DEEP, "out allow all from any to any"]}


def guarded(world: World) -> World:
    """The world with all that concerns A and C as ever: their groups, ACLs, entries. The rest stays as edited."""
    groups = [SecurityGroup(name, tuple(map(Rule.parse, rules))) for name, rules in GROUPS.items()]
    entries = {name: tuple(map(AddressRange.parse, own)) for name, own in OWN.items()}
    lists = [
        replace(it, entries=tuple(dict.fromkeys((*entries[name], *it.entries))))
        for name, it in world.address_groups.items()
    ]
    lines = {name: tuple(map(AclRule.parse, texts)) for name, texts in ACLS.items()}
    acls = [
        replace(world.acls[name], rules=_before(own, world.acls[name].rules), enabled=True)
        for name, own in lines.items()
    ]
    vpc = world.vpcs[VPC]
    edges = {"front": "edge", "back": "deep"}
    subnets = {name: replace(it, acl=edges.get(name, it.acl)) for name, it in vpc.subnets.items()}
    return replace(
        world,
        groups=by_name([*world.groups.values(), *groups]),
        address_groups=by_name(lists),
        acls=by_name([*world.acls.values(), *acls]),
        vpcs=by_name([*world.vpcs.values(), replace(vpc, subnets=subnets)]),
        instances=by_name([*world.instances.values(), *(WORLD.instances[name] for name in "ac")]),
        penalties=by_name(it for it in world.penalties.values() if it.target[0] not in "ac"),
    )


def _before(own: tuple[AclRule, ...], others: tuple[AclRule, ...]) -> tuple[AclRule, ...]:
    return (*own, *(rule for rule in others if rule.key not in {it.key for it in own}))


@cache
def worlds() -> list[World]:
    """A hundred and one, each with another plan than the one before, and every kind of edit among what led to them."""
    found, kinds, plan = [], set(), None
    for kind, world in edited(WORLD, random.Random(5)):
        world = guarded(world)
        kinds.add(kind)
        if plan != (plan := plan_of(world)):
            found.append(world)
        if len(found) > APPLIES:
            break
    assert kinds == EDITS.keys()
    return found


@cache
def plans() -> list[VpcPlan]:
    return list(map(plan_of, worlds()))


ALLOWED = ("a -> c tcp/9", "a -> c udp/9", "a -> c {icmp}")
FORBIDDEN = ("a -> c udp/7", "a -> c tcp/7")


def test_the_flows_keep_their_verdicts(family: Family) -> None:
    """That the tests below are about changes elsewhere."""
    for world in worlds():
        assert all(evaluate(world, ask(world, flow, family)).allowed for flow in ALLOWED)
        assert not any(evaluate(world, ask(world, flow, family)).allowed for flow in FORBIDDEN)


def applying(lab: Lab) -> Iterator[int]:
    """Apply the plans, one after the other."""
    for plan in plans()[1:]:
        yield lab.driver(VPC).apply(plan)
        time.sleep(0.001)  # so that whoever sends gets on, on a busy machine too


def test_a_ping_and_a_stream_lose_nothing(lab: Lab, family: Family) -> None:
    lab.driver(VPC).apply(plans()[0])
    stream, ping = Conversation(lab, family, "a", "c", 9), Ping(lab, family, "a", "c")
    with stream, ping:
        assert all(applying(lab)), "a plan changed nothing"
        assert ping.goes_on(), "a request or its answer was lost"
        assert stream.goes_on()
        assert stream.sent_again() == [0, 0]
    assert min(stream.turns, ping.turns) > APPLIES


def packets(lab: Lab, family: Family, count: int, passing: bytes, forbidden: bytes) -> Iterator[bytes]:
    """First packets of new connections, in turn three that pass and two that are forbidden; the former are numbered."""
    ends = address(lab, "a", family), address(lab, "c", family)
    for number in range(count):
        port, name = 1024 + number, [passing + (3 * number + each).to_bytes(4) for each in range(3)]
        yield frames.udp(*ends, port, 9, name[0])
        yield frames.tcp(*ends, (port, 9), frames.SYN, name[1], (1, 0))
        yield frames.echo(*ends, port, name[2])
        yield frames.udp(*ends, port, 7, forbidden)
        yield frames.tcp(*ends, (port, 7), frames.SYN, forbidden, (1, 0))


def arrived(ear: Ear, mark: bytes) -> set[int]:
    """The numbers of those that have come."""
    return {int.from_bytes(each.partition(mark)[2][:4]) for each in ear.heard() if mark in each}


def test_new_connections_lose_nothing_and_forbidden_ones_never_pass(lab: Lab, family: Family) -> None:
    lab.driver(VPC).apply(plans()[0])
    conntrack.flush(lab.names.vpc(VPC))
    passing, forbidden = token(), token()
    made = list(packets(lab, family, 7000, passing, forbidden))
    with listening(nic(lab, "c")) as ear:
        with flooding(nic(lab, "a"), made, pause=0.00005) as flood:
            for changed in applying(lab):
                assert changed, "a plan changed nothing"
                ear.collect()
            sent = min(flood.end(), len(made))
        expected = {number for number in range(3 * 7000) if 5 * (number // 3) + number % 3 < sent}

        def arrived() -> set[int]:
            return {int.from_bytes(it.partition(passing)[2][:4]) for it in ear.heard() if passing in it}

        until(lambda: expected <= arrived())
        assert expected - arrived() == set()
        assert not any(forbidden in each for each in ear.heard())
        assert sent > 10 * APPLIES
        lab.driver(VPC).apply(plan_of(replace(worlds()[-1], groups={**worlds()[-1].groups, "db": _open()})))
        with flooding(nic(lab, "a"), made[3:4]):
            assert until(lambda: ear.hears(forbidden)), "it does not pass where it may: the test proves nothing"


def _open() -> SecurityGroup:
    return SecurityGroup("db", (Rule.parse("in allow all from any"),))
