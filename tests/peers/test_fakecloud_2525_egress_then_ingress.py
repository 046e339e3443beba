"""fakecloud#2525: an accept of the sender's group ended the one chain, and the receiver's deny was never asked.

Here the two gates are independent: a packet passes if the sender's gate allows it and the receiver's gate does,
whatever the order of priorities and rule ids.
"""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import product

import pytest

from ringfence.lab.lab import Lab
from ringfence.model.address import Family
from ringfence.model.profile import HUAWEI
from ringfence.model.rule import Action, Direction, Rule
from tests.peers.asking import passing, with_groups
from tests.policy.build import build

pytestmark = pytest.mark.packets

SENDERS = [f"s{number}" for number in range(4)]
RECEIVERS = [f"r{number}" for number in range(4)]
WORLD = build(
    HUAWEI, "; ".join(f"{name}: {name}" for name in SENDERS + RECEIVERS), dict.fromkeys(SENDERS + RECEIVERS, "")
)
WAY_OUT, WAY_IN = "out allow all to any", "in allow all from any"


@pytest.mark.parametrize("service", ["tcp/80", "udp/80", "{icmp}", "253"])
def test_a_packet_passes_only_if_both_gates_allow_it(lab: Lab, family: Family, service: str) -> None:
    lab.enforce(with_groups(WORLD, {"s0": [WAY_OUT], "s1": [], "r0": [WAY_IN], "r1": []}))
    ends = product(("s0", "s1", "laptop"), ("r0", "r1", "visitor"))
    flows = [f"{one} -> {two} {service}" for one, two in ends if (one, two) != ("laptop", "visitor")]
    expected = {f"{one} -> {two} {service}" for one, two in (("s0", "r0"), ("s0", "visitor"), ("laptop", "r0"))}
    assert passing(lab, family, flows) == expected


@pytest.mark.parametrize("ids", [*product(("0", "zz"), repeat=2)], ids="-".join)
def test_an_allow_on_the_way_out_never_skips_a_deny_on_the_way_in(
    lab: Lab, family: Family, ids: tuple[str, str]
) -> None:
    """Whichever of the two has the lower id, and whichever the stronger priority."""
    sender_id, receiver_id = ids
    for ours, theirs in product((1, 100), repeat=2):
        way_out = replace(Rule.parse(f"{WAY_OUT} priority {ours}"), given_id=sender_id)
        deny = replace(Rule.parse(f"in deny all from any priority {theirs}"), given_id=receiver_id)
        lab.enforce(with_groups(WORLD, {"s0": [way_out], "r0": [deny], "r1": [WAY_IN]}))
        assert passing(lab, family, ["s0 -> r0 tcp/80", "s0 -> r1 tcp/80"]) == {"s0 -> r1 tcp/80"}
        assert passing(lab, family, ["s0 -> r0 udp/80", "s0 -> r1 udp/80"]) == {"s0 -> r1 udp/80"}


def gate(chance: random.Random, direction: Direction) -> tuple[list[Rule], bool]:
    """A gate of random rules for everything, with random ids, and whether it allows."""
    drawn = chance.sample(list(product(range(1, 6), Action)), chance.randint(0, 4))
    rules = [
        replace(
            Rule.parse(f"{direction.word} {action} all {direction.preposition} any priority {priority}"),
            given_id=f"{chance.randrange(36**4):04x}",
        )
        for priority, action in drawn
    ]
    strongest = min(drawn, key=lambda it: (it[0], it[1] is Action.ALLOW), default=(0, Action.DENY))
    return rules, strongest[1] is Action.ALLOW


def test_random_gates_are_asked_one_after_the_other(lab: Lab, family: Family) -> None:
    verdicts = set()
    for seed in range(12):
        chance = random.Random(seed)
        senders = {name: gate(chance, Direction.EGRESS) for name in SENDERS}
        receivers = {name: gate(chance, Direction.INGRESS) for name in RECEIVERS}
        rules = {name: rules for name, (rules, _) in (senders | receivers).items()}
        lab.enforce(with_groups(WORLD, rules))
        both = {
            f"{one} -> {two} udp/9": (senders[one][1], receivers[two][1]) for one, two in product(SENDERS, RECEIVERS)
        }
        assert passing(lab, family, both) == {text for text, allows in both.items() if all(allows)}, f"seed {seed}"
        verdicts |= set(both.values())
    assert verdicts == set(product((True, False), repeat=2))
