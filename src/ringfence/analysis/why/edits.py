"""A line as it would have to be to match a flow: changed in the respects in which it differs, and in no other."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ringfence.analysis.why.lines import Beside, Gate, Kind, Line
from ringfence.model.acl import AclRule
from ringfence.model.address import Address, Prefix
from ringfence.model.flow import EPHEMERAL
from ringfence.model.profile import GroupOrder
from ringfence.model.rule import AnyRemote, Direction, GroupRemote, Remote, Rule
from ringfence.model.service import ALL_PORTS, PortRange, PortSet
from ringfence.model.topology import Network
from ringfence.policy.decisions import rule_nic
from ringfence.policy.matching import Respect


def edited(gate: Gate, line: Line) -> Rule | AclRule:
    """The line that would match. Where it is in a group that the port is not in, it is as it was."""
    rule, kinds = line.rule, line.kinds
    changes: dict[str, Any] = {"given_id": ""}
    if Beside.DISABLED in kinds:
        changes["enabled"] = True
    if Respect.PROTOCOL in kinds or (Respect.FAMILY in kinds and gate.asked.family not in rule.protocol.families):
        changes["protocol"] = gate.asked.flow.service.protocol
    changes |= _ports(gate, rule, kinds)
    if isinstance(rule, Rule):
        return replace(rule, **changes, **_of_rule(gate, line, rule))
    return replace(rule, **changes, **_of_line(gate, rule, kinds))


def _ports(gate: Gate, rule: Rule | AclRule, kinds: tuple[Kind, ...]) -> dict[str, Any]:
    service = gate.asked.flow.service
    if not service.protocol.has_ports:  # nor may a rule for it have some
        return {"ports": ALL_PORTS, "source_ports": ALL_PORTS}
    changes: dict[str, Any] = {}
    if Respect.PORT in kinds:
        wanted = EPHEMERAL if service.port is None else PortRange(service.port, service.port)
        changes["ports"] = PortSet((wanted,))
    if Respect.SOURCE_PORT in kinds:
        changes["source_ports"] = ALL_PORTS
    return changes


def _of_rule(gate: Gate, line: Line, rule: Rule) -> dict[str, Any]:
    near, far, kinds = gate.asked.near, gate.asked.far, line.kinds
    changes: dict[str, Any] = {}
    if Beside.DIRECTION in kinds:
        changes["direction"] = gate.direction
    remote = _side(rule.remote, far.address, kinds, Respect.REMOTE)
    local = _side(rule.local or AnyRemote.ANY, near.address, kinds, Respect.LOCAL)
    changes["remote"], changes["local"] = remote, local if isinstance(local, Prefix) else None
    if near.vpc and near.vpc.network is Network.CLASSIC and near.port:
        nic = gate.policy.world.nic_of(near.port)
        if Beside.INTERFACE in kinds and isinstance(remote, GroupRemote):
            changes["remote"] = far.address.host_prefix  # no rule of the internet interface names a group
        if rule_nic(near.vpc, replace(rule, remote=changes["remote"])) is not nic:
            changes["nic"] = nic
    if Beside.PRIORITY in kinds:
        changes["priority"] = max(1, min(rule.priority, _priority_of_decider(gate, line) - 1))
    return changes


def _of_line(gate: Gate, rule: AclRule, kinds: tuple[Kind, ...]) -> dict[str, Any]:
    inward = rule.direction is Direction.INGRESS
    remote, local = (rule.source, rule.destination) if inward else (rule.destination, rule.source)
    changes: dict[str, Any] = {}
    if Beside.DIRECTION in kinds:
        changes["direction"], inward = gate.direction, not inward
    sides = (
        _side(remote, gate.asked.far.address, kinds, Respect.REMOTE),
        _side(local, gate.asked.near.address, kinds, Respect.LOCAL),
    )
    changes["source"], changes["destination"] = sides if inward else reversed(sides)
    return changes


def _side(side: Remote, address: Address, kinds: tuple[Kind, ...], respect: Respect) -> Remote:
    if respect in kinds:
        return address.host_prefix
    if Respect.FAMILY in kinds and isinstance(side, Prefix) and side.family is not address.family:
        return address.host_prefix if side.length else Prefix(address.family, 0, 0)
    return side


def _priority_of_decider(gate: Gate, line: Line) -> int:
    """The priority of the rule that denied; the weakest where a group that comes first did, which none can beat."""
    group, vpc = gate.policy.world.groups[gate.step.group], gate.asked.near.vpc
    if vpc and vpc.profile.group_order is GroupOrder.SEQUENCE and group.name != line.owner:
        return 101
    return group.by_id[gate.step.rule_id].priority
