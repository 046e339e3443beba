"""Hits told to people: what each rule of a world has matched, also those that have matched nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from ringfence.model.acl import AclRule
from ringfence.model.rule import Direction
from ringfence.model.world import World
from ringfence.policy.decisions import Decision, class_of
from ringfence.policy.evaluate import Policy
from ringfence.policy.platform import BLOCKED_EGRESS, CARRIER, penalty_id

Matched = tuple[int, int]
"""Packets and bytes."""

_GONE = "no longer in the policy"


class RuleHits(NamedTuple):
    """A rule, and what it has matched in all VPCs together.

    ``owner`` is the group, ACL or firewall that it belongs to; empty for a default, a block of the platform, and a rule
    that is no longer in the policy. ``text`` is the rule as written.
    """

    owner: str
    rule_id: str
    text: str
    packets: int
    bytes: int

    def as_json(self) -> dict[str, object]:
        """For programs."""
        return {
            "group": self.owner or None,
            "rule_id": self.rule_id,
            "text": self.text,
            "packets": self.packets,
            "bytes": self.bytes,
        }


def rule_hits(world: World, counted: Iterable[Mapping[str, Matched]]) -> list[RuleHits]:
    """Every rule of the world with the sum of what the VPCs have counted; behind them what else has counted."""
    sums: dict[str, Matched] = {}
    for counts in counted:
        for rule_id, (packets, size) in counts.items():
            before = sums.get(rule_id, (0, 0))
            sums[rule_id] = before[0] + packets, before[1] + size
    rules = {rule_id: (owner, text) for owner, rule_id, text in _rules(world)}
    others = {rule_id: (owner, text) for owner, rule_id, text in _others(world)} if sums.keys() - rules.keys() else {}
    rest = sorted(sums.keys() - rules.keys())
    told = [(rule_id, *rules[rule_id]) for rule_id in rules]
    told += [(rule_id, *others.get(rule_id, ("", _GONE))) for rule_id in rest]
    return [RuleHits(owner, rule_id, text, *sums.get(rule_id, (0, 0))) for rule_id, owner, text in told]


_Told = tuple[str, str, str]


def _rules(world: World) -> Iterator[_Told]:
    """Owner, id and text of everything that people have written, by owner."""
    for group in world.groups.values():
        yield from ((group.name, rule_id, str(rule)) for rule_id, rule in group.by_id.items())
    for acl in world.acls.values():
        yield from _written(acl.name, acl.rules)
    for vpc in world.vpcs.values():
        yield from _written(vpc.border_owner, vpc.border)
    for peering in world.peerings.values():
        yield from _written(peering.firewall_owner, peering.firewall)


def _written(owner: str, rules: Iterable[AclRule]) -> Iterator[_Told]:
    return ((owner, rule.id_in(owner), str(rule)) for rule in rules)


def _others(world: World) -> Iterator[_Told]:
    """The same of what decides and nobody has written: defaults, fixed rules, intra-group policy, the platform."""
    yield "", BLOCKED_EGRESS, "no port may send it: the platform blocks it"
    yield "", CARRIER, "carriers block it at the internet border as a high-risk port"
    for penalty in world.penalties.values():
        yield "", penalty_id(penalty), f"{penalty.target} is cut off by a penalty: {penalty.reason}"
    yield from ((it.owner, it.rule_id, it.text) for it in _decisions(Policy(world)))


def _decisions(policy: Policy) -> Iterator[Decision]:
    world = policy.world
    for direction in Direction:
        for of in {class_of(world.vpcs[port.vpc], port) for port in world.ports}:
            yield from policy.decisions(of, direction)
        for vpc in world.vpcs.values():
            yield from policy.border(vpc, direction)
            for subnet in vpc.subnets.values():
                yield from policy.acl(subnet, direction)
    for peering in world.peerings.values():
        yield from policy.peering(*peering.vpcs)
