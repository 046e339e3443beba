"""neutron, LP#1934917 (`preventing_firewall_blink`): while rules were being rewritten, forbidden packets passed.

Here a change is one step: what is denied before and after it never passes in between, and what is allowed before and
after it is never dropped, however often the policy changes and however fast the packets come.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import cache

import pytest

from ringfence.compile.plan import VpcPlan
from ringfence.lab import conntrack
from ringfence.lab.lab import Lab
from ringfence.model.address import Family
from ringfence.model.profile import HUAWEI
from ringfence.model.world import World
from tests.peers import frames
from tests.peers.asking import VPC, plan_of, regrouped, with_groups
from tests.peers.talking import Conversation
from tests.peers.wire import Ear, address, flooding, listening, nic, token, until
from tests.policy.build import build

pytestmark = pytest.mark.packets

APPLIES = 100
OUT, IN_ALL = "out allow all to any", "in allow all from any priority 50"
WORLD = build(HUAWEI, "a: ga; b: gb; c: gc; d: gd", {"ga": OUT, "gb": "", "gc": OUT, "gd": "", "more": ""})
A = ("10.0.0.11/32", "fd00::b/128")

Rules = Callable[[int], list[str]]
"""B's rules: those that a test is about, and so many more."""


def guarded(count: int) -> list[str]:
    """Nothing from A to udp/7 and tcp/80, anything else from anybody."""
    forbidden = [f"in deny {service} from {prefix}" for prefix in A for service in ("udp 7", "tcp 80")]
    others = [f"in deny udp {1000 + 2 * number} from {prefix}" for number in range(count) for prefix in A]
    return [*forbidden, *others, IN_ALL]


def open_to_all(count: int) -> list[str]:
    """Udp/9, tcp/9 and echo from anybody."""
    wanted = [f"in allow {service} from any" for service in ("udp 9", "tcp 9", "icmp", "icmpv6")]
    return [*wanted, *(f"in allow udp {1000 + 2 * number} from any" for number in range(count))]


def _in_another_group(rules: Rules, step: int) -> World:
    others = [f"in allow tcp {port} from any" for port in range(1, 2 + step % 12)]
    return with_groups(WORLD, {"gb": rules(0), "gd": others})


def _few_rules(rules: Rules, step: int) -> World:
    return with_groups(WORLD, {"gb": rules(step % 6)})


def _many_rules(rules: Rules, step: int) -> World:
    return with_groups(WORLD, {"gb": rules(20 + step % 5)})


def _few_to_many(rules: Rules, step: int) -> World:
    """Over the edge from plain rules to a map and back: 8 boxes of a kind, then 9."""
    return with_groups(WORLD, {"gb": rules(6 + step % 2)})


def _membership(rules: Rules, step: int) -> World:
    world = with_groups(WORLD, {"gb": rules(1), "more": ["in allow tcp 22 from any"]})
    b = [("gb",), ("gb", "more"), ("gb", "gc"), ("gb", "gd", "more")][step % 4]
    return regrouped(
        world, a=[("ga",), ("ga", "more"), ("ga", "gd")][step % 3], b=b, d=[("gd",), ("gd", "more")][step % 2]
    )


def _gate_to_gate(rules: Rules, step: int) -> World:
    """A's own gate forbids it, then B's does, then A's."""
    return with_groups(WORLD, {"ga": [], "gb": [IN_ALL]} if step % 2 else {"ga": [OUT], "gb": rules(0)})


def _reason_to_reason(rules: Rules, step: int) -> World:
    """A rule denies it, then the lack of one."""
    reasons = [rules(0), ["in allow all from group gc"], ["in allow tcp 22 from any", "in allow icmp from any"]]
    return with_groups(WORLD, {"gb": reasons[step % 3]})


def _reason_to_reason_of_many(rules: Rules, step: int) -> World:
    """The same with a map among the rules."""
    return with_groups(WORLD, {"gb": [rule for rule in rules(20) if step % 2 or ("udp 10" in rule and "deny" in rule)]})


CHANGES: dict[str, Callable[[Rules, int], World]] = {
    "in another group": _in_another_group,
    "a few rules of the group": _few_rules,
    "many rules of the group": _many_rules,
    "from few rules to many": _few_to_many,
    "of membership": _membership,
}
FORBIDDING = CHANGES | {
    "from gate to gate": _gate_to_gate,
    "from reason to reason": _reason_to_reason,
    "from reason to reason, of many": _reason_to_reason_of_many,
}


@cache
def plans(what: str, rules: Rules) -> list[VpcPlan]:
    """A hundred of them, each another than the one before; after sixty the changes come round again."""
    some = [plan_of(FORBIDDING[what](rules, step)) for step in range(60)]
    return [some[step % 60] for step in range(APPLIES)]


def applying(lab: Lab, some: list[VpcPlan], ear: Ear) -> Iterator[int]:
    """Apply the plans, one after the other."""
    for plan in some:
        yield lab.driver(VPC).apply(plan)
        ear.collect()
        time.sleep(0.001)  # so that whoever sends gets on, on a busy machine too


@pytest.mark.parametrize("what", FORBIDDING)
def test_what_is_forbidden_never_passes_during_a_change(lab: Lab, family: Family, what: str) -> None:
    """A sends to B without pause through a hundred changes. Then it is allowed, and what it sends arrives at once."""
    some = plans(what, guarded)
    lab.driver(VPC).apply(some[1])  # another than the first
    a, b, mark = nic(lab, "a"), nic(lab, "b"), token()
    ends = address(lab, "a", family), address(lab, "b", family)
    datagrams = [frames.udp(*ends, 30000 + number, 7, mark) for number in range(16)]
    attempts = [frames.tcp(*ends, (30000 + number, 80), frames.SYN, mark, (1, 0)) for number in range(16)]
    with (
        listening(b) as ear,
        flooding(a, [it for pair in zip(datagrams, attempts, strict=True) for it in pair]) as flood,
    ):
        assert all(applying(lab, some, ear)), "a plan changed nothing"
        passed = sum(mark in each for each in ear.heard())
        lab.driver(VPC).apply(plan_of(with_groups(WORLD, {"gb": [IN_ALL]})))
        assert until(lambda: ear.hears(mark)), "nothing arrives where all is allowed: the flood proves nothing"
        sent = flood.end()
    assert sent > 10 * APPLIES, f"only {sent} packets in {APPLIES} changes"
    assert passed == 0, f"{passed} of about {sent} forbidden packets passed"


def numbered(lab: Lab, family: Family, mark: bytes, count: int) -> list[bytes]:
    """Packets from C to B, each the first of a new connection: datagrams, SYNs and echo requests in turn."""
    ends = address(lab, "c", family), address(lab, "b", family)
    found = []
    for number in range(count):
        data, port = mark + number.to_bytes(4), 1024 + number // 3
        packets = (
            frames.udp(*ends, port, 9, data),
            frames.tcp(*ends, (port, 9), frames.SYN, data, (1, 0)),
            frames.echo(*ends, port, data),
        )
        found.append(packets[number % 3])
    return found


def arrived(ear: Ear, mark: bytes) -> set[int]:
    """The numbers of those that have come."""
    return {int.from_bytes(each.partition(mark)[2][:4]) for each in ear.heard() if mark in each}


@pytest.mark.parametrize("what", CHANGES)
def test_what_is_allowed_loses_no_packet_during_a_change(lab: Lab, family: Family, what: str) -> None:
    """C opens new connections to B through a hundred changes, a few thousand a second."""
    some = plans(what, open_to_all)
    lab.driver(VPC).apply(some[1])  # another than the first
    conntrack.flush(lab.names.vpc(VPC))
    mark = token()
    packets = numbered(lab, family, mark, 20000)
    with listening(nic(lab, "b")) as ear:
        with flooding(nic(lab, "c"), packets, pause=0.00005) as flood:
            assert all(applying(lab, some, ear)), "a plan changed nothing"
            sent = flood.end()
        # They come by another processor's queue, which no marker waits for.
        missing = set(range(min(sent, len(packets))))
        until(lambda: not missing.difference(arrived(ear, mark)))
        missing.difference_update(arrived(ear, mark))
    assert sent > 2 * APPLIES, f"only {sent} packets in {APPLIES} changes"
    assert not missing, f"{len(missing)} of {sent} allowed packets were lost: {sorted(missing)[:9]}"


@pytest.mark.parametrize("what", CHANGES)
def test_a_conversation_under_way_loses_no_packet_during_a_change(lab: Lab, family: Family, what: str) -> None:
    some = plans(what, open_to_all)
    lab.driver(VPC).apply(some[1])
    with Conversation(lab, family, "c", "b", 9) as talk, listening(nic(lab, "b")) as ear:
        assert all(applying(lab, some, ear)), "a plan changed nothing"
        assert talk.goes_on(), "the conversation has stopped"
        assert talk.sent_again() == [0, 0]
    assert talk.turns > APPLIES // 2
