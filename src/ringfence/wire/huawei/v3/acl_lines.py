"""Lines of network ACLs as version 3 says and tells them.

A line of Huawei's is of one IP version: a side that it leaves out is every address of that version.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ringfence.control.draft import Draft
from ringfence.control.lines import Line
from ringfence.errors import FieldProblem, InvalidFields, NotationError
from ringfence.model.acl import AclRule, Side
from ringfence.model.address import Family, Prefix
from ringfence.model.rule import Action, AddressGroupRemote, Direction
from ringfence.model.service import ALL_PORTS, GRE, PortSet, Protocol
from ringfence.resources.kind import Kind
from ringfence.wire.huawei.members import Member, invalid
from ringfence.wire.huawei.said import DESCRIPTION, NEW_NAME, named

KEYS: Final[Mapping[Direction, str]] = {Direction.INGRESS: "ingress_rules", Direction.EGRESS: "egress_rules"}
"""The two lists of a firewall."""
_FAMILIES: Final = {4: Family.IPV4, 6: Family.IPV6}
_PROTOCOLS: Final = ("any", "tcp", "udp", "icmp", "icmpv6", "gre")
_SIDES: Final = ("source", "destination")
_OPTIONAL: Final = (
    NEW_NAME,
    DESCRIPTION,
    Member("source_ip_address", (str,)),
    Member("destination_ip_address", (str,)),
    Member("source_port", (str,)),
    Member("destination_port", (str,)),
    Member("source_address_group_id", (str,)),
    Member("destination_address_group_id", (str,)),
    Member("enabled", (bool,)),
)


def _core(*, required: bool) -> tuple[Member, ...]:
    core = (("action", str), ("protocol", str), ("ip_version", int))
    return tuple(Member(name, (kind,), required=required) for name, kind in core)


NEW: Final = (*_core(required=True), *_OPTIONAL)
"""The members of a new line."""
CHANGED: Final = (Member("id", (str,), required=True), *_core(required=False), *_OPTIONAL)
"""Those of a line that is to say something else."""
GONE: Final = (Member("id", (str,), required=True),)


# --- told


def line_told(line: Line) -> dict[str, Any]:
    """A line. One of both versions, as the native API can make it, has none."""
    rule = line.rule
    number = rule.protocol.number
    return {
        "id": line.id,
        "name": rule.name,
        "description": rule.description,
        "action": rule.action.value,
        "protocol": "any" if number is None else str(GRE) if number == GRE else str(rule.protocol),
        "ip_version": int(rule.families[0]) if len(rule.families) == 1 else None,
        "source_ip_address": _address(rule.source),
        "destination_ip_address": _address(rule.destination),
        "source_port": str(rule.source_ports) or None,
        "destination_port": str(rule.ports) or None,
        "source_address_group_id": _listed(rule.source),
        "destination_address_group_id": _listed(rule.destination),
        "enabled": rule.enabled,
    }


def _address(side: Side) -> str | None:
    return str(side) if isinstance(side, Prefix) else None


def _listed(side: Side) -> str | None:
    return side.name if isinstance(side, AddressGroupRemote) else None


# --- read


def line_of(draft: Draft, said: Mapping[str, Any], direction: Direction) -> AclRule:
    """A new line. Raises `InvalidFields`, `NotFound`."""
    family = _FAMILIES.get(said["ip_version"])
    if family is None:
        raise invalid("ip_version", "use 4 or 6", said["ip_version"])
    if said["action"] not in (each.value for each in Action):
        raise invalid("action", "use allow or deny", said["action"])
    source, destination = (_side(draft, said, name, family) for name in _SIDES)
    try:
        return AclRule(
            Action(said["action"]),
            _protocol(said["protocol"]),
            source,
            destination,
            direction,
            _ports(said.get("destination_port")),
            _ports(said.get("source_port")),
            said.get("enabled") is not False,
            **_words(said),
        )
    except NotationError as error:
        raise InvalidFields((FieldProblem(KEYS[direction], error.what, error.right, error.code),)) from None


def _words(said: Mapping[str, Any]) -> dict[str, str]:
    return named({name: said[name] for name in ("name", "description") if said.get(name)})


def _protocol(text: str) -> Protocol:
    word = text.lower()
    if word not in _PROTOCOLS and not (word.isascii() and word.isdigit()):
        raise invalid("protocol", "use any, tcp, udp, icmp, icmpv6, gre or a number from 0 to 255", text)
    return Protocol.ALL if word == "any" else Protocol.parse(word)


def _ports(text: str | None) -> PortSet:
    return PortSet.parse(text) if text else ALL_PORTS


def _side(draft: Draft, said: Mapping[str, Any], name: str, family: Family) -> Side:
    address, listed = said.get(f"{name}_ip_address"), said.get(f"{name}_address_group_id")
    if address and listed:
        raise invalid(f"{name}_address_group_id", f"give an address or an address group as the {name}", listed)
    if listed:
        return AddressGroupRemote(draft.own(Kind.ADDRESS_GROUP, listed).id)
    try:
        prefix = Prefix.parse(address) if address else Prefix(family, 0, 0)
    except NotationError as error:
        raise InvalidFields((FieldProblem(f"{name}_ip_address", error.what, error.right, error.code),)) from None
    if prefix.family is not family:
        raise invalid(f"{name}_ip_address", "give one of the ip_version", address)
    return prefix


def changed_line(draft: Draft, line: Line, said: Mapping[str, Any]) -> dict[str, Any]:
    """What a line is to say, by fields of `AclRule`: what is not said stays. Raises as `line_of`."""
    given = {name: value for name, value in said.items() if value is not None}
    before = line_told(line)
    for side in _SIDES:
        pair = (f"{side}_ip_address", f"{side}_address_group_id")
        if any(name in given for name in pair):
            before |= dict.fromkeys(pair)
    new = line_of(draft, {**before, **given}, line.rule.direction or Direction.INGRESS)
    fields = ("action", "protocol", "source", "destination", "ports", "source_ports", "enabled")
    return {name: getattr(new, name) for name in (*fields, "name", "description")}
