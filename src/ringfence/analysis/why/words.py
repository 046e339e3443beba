"""In what a line differs from a flow, in words: what it says, and what would have to be so."""

from __future__ import annotations

from ringfence.analysis.why.lines import Beside, Gate, Kind, Line, nearby
from ringfence.model.address import Address, Family, Prefix
from ringfence.model.flow import EPHEMERAL, Endpoint
from ringfence.model.port_list import NamedPorts
from ringfence.model.profile import GroupOrder
from ringfence.model.rule import AddressGroupRemote, AnyRemote, Direction, GroupRemote, NicType, Remote, Rule
from ringfence.policy.decisions import rule_nic
from ringfence.policy.matching import Respect, is_within

_WIDER = 8
"""A prefix is said to be too small by so many bits; what misses by more is not meant."""


def words(gate: Gate, line: Line, kind: Kind) -> str:
    """One difference."""
    match kind:
        case Beside.DIRECTION:
            return _direction(gate)
        case Beside.DISABLED:
            return "it is disabled" if not line.rule.enabled else f"ACL {line.owner} is disabled, and its lines with it"
        case Beside.INTERFACE:
            return _interface(gate, line)
        case Beside.PRIORITY:
            return _priority(gate, line)
        case Beside.MEMBERSHIP:
            return _membership(gate, line)
        case Respect.PROTOCOL:
            return f"it is for {line.rule.protocol}, and {gate.asked.flow.service.protocol} is asked for"
        case Respect.PORT:
            return _port(gate, line)
        case Respect.SOURCE_PORT:
            port = gate.asked.flow.source_port or f"any of {EPHEMERAL}"
            return f"it is for packets from port {line.rule.source_ports}, and this comes from {port}"
        case Respect.FAMILY:
            return _family(gate, line)
        case Respect.LOCAL:
            return f"it is for {_sides(line)[1]} only, and the packet is for {gate.asked.near.address}"
    return _remote(gate, line)


def _direction(gate: Gate) -> str:
    if gate.direction is Direction.INGRESS:
        return "it is an 'out' rule, and the packet comes in"
    return "it is an 'in' rule, and the packet goes out"


def _interface(gate: Gate, line: Line) -> str:
    near = gate.asked.near
    assert isinstance(line.rule, Rule)
    assert near.vpc
    assert near.port
    return f"it is for the {rule_nic(near.vpc, line.rule)} interface, and {near.port} is the other one"


def _priority(gate: Gate, line: Line) -> str:
    decider = f"{gate.step.rule_id}, which denies it"
    if not isinstance(line.rule, Rule):
        return f"it stands behind {decider}"
    world, near = gate.policy.world, gate.asked.near
    other = world.groups[gate.step.group].by_id[gate.step.rule_id]
    if near.vpc and near.vpc.profile.group_order is GroupOrder.SEQUENCE and gate.step.group != line.owner:
        return f"group {gate.step.group} comes first, and there {gate.step.rule_id} denies it"
    if other.priority == line.rule.priority:
        return f"it has the priority of {decider}: deny wins then"
    return f"its priority {line.rule.priority} is weaker than {other.priority}, that of {decider}"


def _membership(gate: Gate, line: Line) -> str:
    port = gate.asked.near.port
    assert port
    return f"{port} is not in {line.owner}, and {nearby(gate.policy, port)[line.owner]} is"


def _port(gate: Gate, line: Line) -> str:
    service = gate.asked.flow.service
    asked = f"{service.port}" if service.port else f"all of {EPHEMERAL}"
    ports = line.rule.ports
    if isinstance(ports, NamedPorts):
        named = gate.policy.world.port_lists.get(ports.name)
        listed = ",".join(map(str, named.entries)) if named else ""
        return f"port list {ports} has {listed} and not {asked}" if listed else f"port list {ports} is empty"
    if not service.protocol.has_ports:
        return f"it is for ports, and {service} has none"
    return f"it covers {ports} and not {asked}" if ports else f"it names no port, and {asked} is asked for"


def _family(gate: Gate, line: Line) -> str:
    asked = gate.asked
    if asked.family not in line.rule.protocol.families:
        return f"{line.rule.protocol} is not {asked.flow.service.protocol}, which is what {_called(asked.family)} has"
    side = next(it for it in _sides(line) if isinstance(it, Prefix) and it.family is not asked.family)
    return f"{side} does not cover {_called(asked.family)}"


def _called(family: Family) -> str:
    return "IPv4" if family is Family.IPV4 else "IPv6"


def _remote(gate: Gate, line: Line) -> str:
    remote = _sides(line)[0]
    preposition = "to" if gate.direction is Direction.EGRESS else "from"
    if line.rule.direction is not None and Beside.DIRECTION in line.kinds:
        preposition = line.rule.direction.preposition
    far, address = _far(gate), gate.asked.far.address
    if isinstance(remote, GroupRemote):
        return f"it is {preposition} {remote}, and {_no_member(gate, remote, str(far))}"
    if isinstance(remote, AddressGroupRemote):
        return f"it is {preposition} {remote}, and that address group does not hold {address}"
    wider = _wider(remote, address)
    return f"it is {preposition} {remote}, and {address} is not in it" + (f" ({wider} holds both)" if wider else "")


def _no_member(gate: Gate, remote: GroupRemote, name: str) -> str:
    """Why an address is none of those that a group means (SEMANTICS.md section 5)."""
    near, far, world = gate.asked.near, gate.asked.far, gate.policy.world
    if not far.port:
        where = "lies outside of every VPC" if not far.vpc else "is nobody's address"
        return f"{name} {where}: a group means its members' private addresses"
    if far.address not in far.port.addresses:
        return f"{name} is a virtual IP: a group means its members' own addresses"
    if remote.name not in far.port.groups:
        return f"{name} is not a member"
    if world.nic_of(far.port) is not NicType.INTRANET:
        return f"{name} is a member by its internet interface: a group means intranet addresses"
    if near.vpc and far.vpc and not is_within(world, near.vpc, far.vpc):
        why = "which is not peered" if near.vpc.profile.peer_references else "and a reference ends at its own VPC"
        return f"{name} is a member in another VPC, {why}"
    return f"{name} is none of those that it means"


def _far(gate: Gate) -> Endpoint:
    flow = gate.asked.flow
    return flow.source if gate.direction is Direction.INGRESS else flow.destination


def _wider(side: Remote, address: Address) -> Prefix | None:
    """The smallest prefix that holds a prefix and an address too, if it is not much larger."""
    if not isinstance(side, Prefix) or side.family is not address.family:
        return None
    differing = (side.network ^ address.value).bit_length()
    length = min(side.length, side.family.bits - differing)
    if not 0 < side.length - length <= _WIDER or not length:
        return None
    rest = side.family.bits - length
    return Prefix(side.family, side.network >> rest << rest, length)


def _sides(line: Line) -> tuple[Remote, Remote]:
    """The far side of a line, and its own."""
    rule = line.rule
    if isinstance(rule, Rule):
        return rule.remote, rule.local or AnyRemote.ANY
    inward = rule.direction is Direction.INGRESS
    return (rule.source, rule.destination) if inward else (rule.destination, rule.source)
