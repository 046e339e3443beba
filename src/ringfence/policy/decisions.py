"""The decision list: what the groups of a port say about one direction, in the order in which it counts.

This is the one place where rules of several groups, intra-group policy and defaults are put in order (SEMANTICS.md
2.1, 2.2, 8.1). `evaluate` walks the list, the compiler turns it into boxes.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from ringfence.model.group import GroupType, SecurityGroup
from ringfence.model.profile import DefaultAction, GroupOrder, IntraGroup, Profile
from ringfence.model.rule import Action, AnyRemote, Direction, GroupRemote, Remote, Rule
from ringfence.model.service import ALL_PORTS, PortSet, Protocol
from ringfence.model.topology import Port
from ringfence.model.world import World


@dataclass(frozen=True, slots=True)
class Decision:
    """One line of the list: what it matches, what it decides, and the id by which kernel and people know it.

    ``group`` is empty for a default. Protocol, ports and remote are those of a rule; an implicit decision has its own.
    """

    rule_id: str
    group: str
    action: Action
    remote: Remote
    text: str
    protocol: Protocol = Protocol.ALL
    ports: PortSet = ALL_PORTS


def policy_groups(world: World, port: Port) -> tuple[str, ...]:
    """The groups of a port as far as their order matters: ports with the same answer have the same policy."""
    if world.vpcs[port.vpc].profile.group_order is GroupOrder.AGGREGATE:
        return tuple(sorted(port.groups))
    return port.groups


def decisions(world: World, vpc: str, groups: tuple[str, ...], direction: Direction) -> tuple[Decision, ...]:
    """The decision list of ports of ``vpc`` in ``groups``; the first decision that matches a packet decides it.

    Intra-group accept comes first and cannot be overridden (SEMANTICS.md 2.2), then rules by priority, deny before
    allow on a tie, and by id so that the list has one order only; last a default that matches everything.
    """
    profile = world.vpcs[vpc].profile
    members = [world.groups[name] for name in groups]
    open_groups = [it for it in members if it.intra_group is IntraGroup.ACCEPT and it.type is GroupType.BASIC]
    intra = [_intra_group(group) for group in open_groups]
    ranked = [_ranked(world, group, direction) for group in members]
    if profile.group_order is GroupOrder.AGGREGATE:
        ranked = [sorted((entry for entries in ranked for entry in entries), key=_rank)]
    rules = [_from_rule(group, rule_id, rule) for entries in ranked for group, rule_id, rule in entries]
    return (*intra, *rules, _default(profile, members, direction))


_Entry = tuple[str, str, Rule]


def _rank(entry: _Entry) -> tuple[int, bool, str]:
    _, rule_id, rule = entry
    return (rule.priority, rule.action is Action.ALLOW, rule_id)


def _ranked(world: World, group: SecurityGroup, direction: Direction) -> list[_Entry]:
    entries = [(group.name, rule_id, rule) for rule_id, rule in group.rules_of(direction) if rule.enabled]
    return sorted(entries, key=_rank)


def _from_rule(group: str, rule_id: str, rule: Rule) -> Decision:
    return Decision(rule_id, group, rule.action, rule.remote, str(rule), rule.protocol, rule.ports)


def _intra_group(group: SecurityGroup) -> Decision:
    return Decision(
        intra_group_id(group.name),
        group.name,
        Action.ALLOW,
        GroupRemote(group.name),
        f"members of {group.name} reach each other (intra_group: accept), before any rule",
    )


def intra_group_id(group: str) -> str:
    """The id of a group's intra-group decision; a hash, since a kernel comment cannot hold every name."""
    return "intra-" + hashlib.sha256(group.encode()).hexdigest()[:12]


def _default(profile: Profile, members: list[SecurityGroup], direction: Direction) -> Decision:
    if direction is Direction.INGRESS:
        action = DefaultAction.DENY
    elif any(group.type is GroupType.ADVANCED for group in members):
        action = profile.default_egress_advanced
    else:
        action = profile.default_egress
    verdict = "allowed" if action is DefaultAction.ALLOW else "denied"
    text = f"no rule matched, and {direction} is {verdict} by default"
    return Decision(f"default-{direction}", "", Action(action.value), AnyRemote.ANY, text)
