"""Decision lists: what guards one direction of a port, an ACL or a firewall, in the order in which it counts.

This is the one place where rules of several groups, intra-group policy, fixed rules and defaults are put in order
(SEMANTICS.md 2.1, 2.2, 4, 8.1). `evaluate` walks the lists, the compiler turns them into boxes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from ringfence.model.acl import AclRule, NetworkAcl
from ringfence.model.group import GroupType, SecurityGroup
from ringfence.model.port_list import PortLists, resolved
from ringfence.model.profile import DefaultAction, GroupOrder, IntraGroup, Profile
from ringfence.model.rule import Action, AnyRemote, Direction, GroupRemote, NicType, Remote, Rule, content_id
from ringfence.model.service import ALL_PORTS, PortSet, Protocol
from ringfence.model.topology import Network, Peering, Port, Vpc


@dataclass(frozen=True, slots=True)
class Decision:
    """One line of a list: what it matches, what it decides, and the id by which kernel and people know it.

    ``owner`` is the group, ACL or firewall whose rule it is; empty for a default. ``remote`` is the far side of the
    packet: where it comes from on the way in, where it goes to on the way out; ``local`` is the other side. ``own_vpc``
    narrows a group down to its members in the same VPC.
    """

    rule_id: str
    owner: str
    action: Action
    remote: Remote
    text: str
    protocol: Protocol = Protocol.ALL
    ports: PortSet = ALL_PORTS
    local: Remote = AnyRemote.ANY
    source_ports: PortSet = ALL_PORTS
    own_vpc: bool = False


class PolicyClass(NamedTuple):
    """What decides about a port: two ports of one class have the same policy."""

    vpc: str
    groups: tuple[str, ...]
    """As far as their order matters."""
    nic: NicType = NicType.INTRANET


def class_of(vpc: Vpc, port: Port) -> PolicyClass:
    """The class of a port of a VPC."""
    ordered = vpc.profile.group_order is GroupOrder.SEQUENCE
    return PolicyClass(vpc.name, port.groups if ordered else tuple(sorted(port.groups)), vpc.subnets[port.subnet].nic)


def decisions(
    vpc: Vpc, groups: Mapping[str, SecurityGroup], port_lists: PortLists, of: PolicyClass, direction: Direction
) -> tuple[Decision, ...]:
    """The decision list of the ports of a class; the first decision that matches a packet decides it.

    Intra-group accept comes first and cannot be overridden (SEMANTICS.md 2.2), then rules by priority, deny before
    allow on a tie, and by id so that the list has one order only; last a default that matches everything. A rule that
    names a port list has the ports that the list has, and is left out where that is empty.
    """
    members = [groups[name] for name in of.groups]
    ranked = [_ranked(vpc, of.nic, group, direction) for group in members]
    if vpc.profile.group_order is GroupOrder.AGGREGATE:
        ranked = [sorted((entry for entries in ranked for entry in entries), key=_rank)]
    rules = [
        from_rule(group, rule_id, rule, ports)
        for entries in ranked
        for group, rule_id, rule in entries
        if (ports := resolved(rule.ports, port_lists)) is not None
    ]
    intra = [_intra_group(group) for group in members if _is_open(group) and of.nic is NicType.INTRANET]
    return (*intra, *rules, _default(vpc.profile, members, direction))


_Entry = tuple[str, str, Rule]


def _rank(entry: _Entry) -> tuple[int, bool, str]:
    _, rule_id, rule = entry
    return (rule.priority, rule.action is Action.ALLOW, rule_id)


def _ranked(vpc: Vpc, nic: NicType, group: SecurityGroup, direction: Direction) -> list[_Entry]:
    entries = [
        (group.name, rule_id, rule)
        for rule_id, rule in group.rules_of(direction)
        if rule.enabled and rule_nic(vpc, rule) is nic
    ]
    return sorted(entries, key=_rank)


def rule_nic(vpc: Vpc, rule: Rule) -> NicType:
    """Which interface a rule is for: the one it names; else, in the classic network, that of the internet (1.2)."""
    if rule.nic:
        return rule.nic
    classic = vpc.network is Network.CLASSIC and not isinstance(rule.remote, GroupRemote)
    return NicType.INTERNET if classic else NicType.INTRANET


def from_rule(group: str, rule_id: str, rule: Rule, ports: PortSet) -> Decision:
    """What a group's rule decides; ``ports`` are those that it means, see `resolved`."""
    return Decision(
        rule_id,
        group,
        rule.action,
        rule.remote,
        str(rule),
        rule.protocol,
        ports,
        rule.local or AnyRemote.ANY,
        rule.source_ports,
    )


def _is_open(group: SecurityGroup) -> bool:
    return group.intra_group is IntraGroup.ACCEPT and group.type is GroupType.BASIC


def _intra_group(group: SecurityGroup) -> Decision:
    return Decision(
        content_id("intra", group.name),  # a hash, since a kernel comment cannot hold every name
        group.name,
        Action.ALLOW,
        GroupRemote(group.name),
        f"members of {group.name} reach each other (intra_group: accept), before any rule",
        own_vpc=True,
    )


def _default(profile: Profile, members: list[SecurityGroup], direction: Direction) -> Decision:
    if direction is Direction.INGRESS:
        action = DefaultAction.DENY
    elif any(group.type is GroupType.ADVANCED for group in members):
        action = profile.default_egress_advanced
    else:
        action = profile.default_egress
    verdict = "allowed" if action is DefaultAction.ALLOW else "denied"
    text = f"no rule matched, and {direction} is {verdict} by default"
    return _everything(f"default-{direction}", Action(action.value), text)


def _everything(rule_id: str, action: Action, text: str) -> Decision:
    return Decision(rule_id, "", action, AnyRemote.ANY, text)


def acl_decisions(acl: NetworkAcl, profile: Profile, direction: Direction) -> tuple[Decision, ...]:
    """One direction of a network ACL: the fixed rules of the profile, its own in their order, then deny (4.1, 4.2)."""
    exempt = [rule for rule in map(AclRule.parse, profile.acl_exempt) if rule.direction is direction]
    what = "no rule matched" if acl.enabled else "the ACL is disabled"
    return (
        *(from_acl_rule("", content_id("exempt", rule.key), rule, "always: ") for rule in exempt),
        *_from_acl_rules(acl.name, acl.rules_of(direction)),
        _everything(f"default-acl-{direction}", Action.DENY, f"{what}, and ACL {acl.name} denies by default"),
    )


def border_decisions(vpc: Vpc, direction: Direction) -> tuple[Decision, ...]:
    """The firewall between a VPC and the internet; nothing where it has no rules of the direction."""
    return _firewall(vpc.border_owner, [rule for rule in vpc.border if rule.direction is direction])


def peering_decisions(peering: Peering) -> tuple[Decision, ...]:
    """The firewall on a peering, from a packet's sender; nothing where it has no rules."""
    return _firewall(peering.firewall_owner, peering.firewall)


def _firewall(owner: str, rules: Iterable[AclRule]) -> tuple[Decision, ...]:
    """Rules in their order, then allow (4.3)."""
    found = _from_acl_rules(owner, (rule for rule in rules if rule.enabled))
    text = f"no rule matched, and the firewall at the {owner} allows by default"
    return (*found, _everything("default-firewall", Action.ALLOW, text)) if found else ()


def _from_acl_rules(owner: str, rules: Iterable[AclRule]) -> tuple[Decision, ...]:
    return tuple(from_acl_rule(owner, rule.id_in(owner), rule) for rule in rules)


def from_acl_rule(owner: str, rule_id: str, rule: AclRule, prefix: str = "") -> Decision:
    """What a line of an ACL or a firewall decides; one without a direction is seen from the sender."""
    inward = rule.direction is Direction.INGRESS
    remote, local = (rule.source, rule.destination) if inward else (rule.destination, rule.source)
    return Decision(
        rule_id,
        owner,
        rule.action,
        remote,
        f"{prefix}{rule}",
        rule.protocol,
        rule.ports,
        local,
        rule.source_ports,
    )
