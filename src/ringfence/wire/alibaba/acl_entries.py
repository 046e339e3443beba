"""Entries of network ACLs, as they are told and read (SEMANTICS.md 4.2; apis/alibaba.md, network ACLs).

An entry names one address: where a packet comes from, on the way in, or where it goes. A line with ``any`` there, which
this API does not make, is told as one entry for each family, the second without an id: it would be one of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ringfence.control.draft import Draft
from ringfence.errors import NotationError
from ringfence.model.acl import AclRule, Side
from ringfence.model.address import Family, Prefix
from ringfence.model.rule import Action, AddressGroupRemote, AnyRemote, Direction
from ringfence.model.service import ALL_PORTS, PortRange, PortSet, Protocol
from ringfence.resources.kind import Kind
from ringfence.wire.alibaba.parameters import Parameters, invalid
from ringfence.wire.alibaba.texts import description_of
from ringfence.wire.request import Told

ADDRESS: Final = {Direction.INGRESS: "SourceCidrIp", Direction.EGRESS: "DestinationCidrIp"}
"""The field of the address, by the direction of the entry."""
FIELDS: Final = (
    "Description",
    "EntryType",
    "IpVersion",
    "NetworkAclEntryId",
    "NetworkAclEntryName",
    "Policy",
    "Port",
    "Protocol",
)
"""The other fields of an entry."""
_ACTIONS: Final = {"accept": Action.ALLOW.value, "drop": Action.DENY.value}
_POLICIES: Final = {Action.ALLOW: "accept", Action.DENY: "drop"}
_FAMILIES: Final = {"ipv4": "ipv4", "ipv6": "ipv6"}
_EVERYWHERE: Final = {Family.IPV4: Prefix.parse("0.0.0.0/0"), Family.IPV6: Prefix.parse("::/0")}
_NO_PORTS: Final = "-1/-1"
_HIGHEST: Final = 65535
_LONGEST_NAME: Final = 128


# --- told


def told(rules: tuple[AclRule, ...], acl: str, direction: Direction) -> Iterator[Told]:
    """The entries of one direction in their order; not the lines that this API cannot say."""
    for rule in rules:
        if rule.direction is direction and _can_be_said(rule):
            yield from _entries(rule, rule.id_in(acl))


def _far(rule: AclRule) -> Side:
    return rule.source if rule.direction is Direction.INGRESS else rule.destination


def _can_be_said(rule: AclRule) -> bool:
    """Whether a line has one address, one range of ports, and is not disabled."""
    near = rule.destination if rule.direction is Direction.INGRESS else rule.source
    return near is AnyRemote.ANY and rule.enabled and not rule.source_ports and len(rule.ports.ranges) < 2


def _entries(rule: AclRule, id_: str) -> Iterator[Told]:
    far = _far(rule)
    if far is not AnyRemote.ANY:
        yield _entry(rule, id_, str(far), rule.families[0])
        return
    for index, family in enumerate(rule.families):
        yield _entry(rule, "" if index else id_, str(_EVERYWHERE[family]), family)


def _entry(rule: AclRule, id_: str, address: str, family: Family) -> Told:
    assert rule.direction
    return {
        "NetworkAclEntryId": id_,
        "NetworkAclEntryName": rule.name,
        "Description": rule.description,
        "EntryType": "custom",
        "IpVersion": str(family).lower(),
        "Policy": _POLICIES[rule.action],
        "Protocol": str(rule.protocol),
        "Port": _ports_told(rule),
        ADDRESS[rule.direction]: address,
    }


def _ports_told(rule: AclRule) -> str:
    if not rule.protocol.has_ports:
        return _NO_PORTS
    return f"{rule.ports.ranges[0].first}/{rule.ports.ranges[0].last}" if rule.ports else f"1/{_HIGHEST}"


# --- read


def read(draft: Draft, said: Parameters, direction: Direction) -> AclRule:
    """An entry as a line; raises `InvalidFields`, `Refused`."""
    if said.text("EntryType", "custom").lower() != "custom":
        raise invalid(f"{said.path}EntryType", "use custom: the others are fixed", said.text("EntryType"))
    protocol, action = _protocol(said), Action(said.choice("Policy", _ACTIONS) or said.required("Policy"))
    side = _side(draft, said, direction)
    name = said.text("NetworkAclEntryName")
    if len(name) > _LONGEST_NAME or not name.isprintable():
        raise invalid(f"{said.path}NetworkAclEntryName", f"use at most {_LONGEST_NAME} characters", name)
    try:
        rule = AclRule(
            action,
            protocol,
            side if direction is Direction.INGRESS else AnyRemote.ANY,
            side if direction is Direction.EGRESS else AnyRemote.ANY,
            direction,
            _ports(said, protocol),
            description=description_of(said, "IllegalParam.Description", low=1),
            given_id=said.text("NetworkAclEntryId"),
            name=name,
        )
    except NotationError as error:
        raise invalid(f"{said.path}{ADDRESS[direction]}", error.right, said.text(ADDRESS[direction])) from None
    _check_family(said, rule)
    return rule


def _protocol(said: Parameters) -> Protocol:
    try:
        return Protocol.parse(said.required("Protocol"))
    except NotationError as error:
        raise invalid(f"{said.path}Protocol", error.right, said.text("Protocol")) from None


def _ports(said: Parameters, protocol: Protocol) -> PortSet:
    """``a/b`` for TCP and UDP, and ``-1/-1`` for what has no ports."""
    text = said.required("Port")
    low, _, high = text.partition("/")
    if not protocol.has_ports:
        if text == _NO_PORTS:
            return ALL_PORTS
        raise invalid(f"{said.path}Port", f"use {_NO_PORTS} for {protocol}", text)
    if (low, high) in (("0", str(_HIGHEST)), ("1", str(_HIGHEST))):
        return ALL_PORTS
    try:
        return PortSet((PortRange.parse(f"{low}-{high}"),))
    except NotationError:
        raise invalid(f"{said.path}Port", "use first/last, like 80/80", text) from None


def _side(draft: Draft, said: Parameters, direction: Direction) -> Side:
    name = ADDRESS[direction]
    text = said.required(name)
    if found := draft.usable(Kind.ADDRESS_GROUP, text):
        return AddressGroupRemote(found.id)
    try:
        return Prefix.parse(text)
    except NotationError as error:
        raise invalid(said.path + name, error.right, text) from None


def _check_family(said: Parameters, rule: AclRule) -> None:
    wanted = said.choice("IpVersion", _FAMILIES)
    if wanted and isinstance(_far(rule), Prefix) and wanted not in (str(it).lower() for it in rule.families):
        raise invalid(f"{said.path}IpVersion", f"the address is of {rule.families[0]}", wanted)
