"""The forms of security groups and their rules."""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter
from typing import Any

from ringfence.errors import NotationError
from ringfence.model.address import Prefix
from ringfence.model.group import GroupType, SecurityGroup
from ringfence.model.names import check_name
from ringfence.model.port_list import NamedPorts, parse_ports
from ringfence.model.profile import IntraGroup
from ringfence.model.rule import (
    Action,
    AnyRemote,
    Direction,
    GroupRemote,
    NicType,
    Rule,
    parse_remote,
)
from ringfence.model.service import ALL_PORTS, PortSet, Protocol
from ringfence.resources.fields import choice, flag, number, parsed, reference
from ringfence.resources.form import Form
from ringfence.resources.kind import Kind
from ringfence.resources.line_fields import lists_named
from ringfence.resources.naming import Called, Key
from ringfence.resources.profile_forms import profile_name
from ringfence.resources.values import RuleOf

Fields = Mapping[str, Any]


def _group(called: Called, fields: Fields) -> SecurityGroup:
    return SecurityGroup(
        called.id,
        (),
        fields["vpc"],
        fields["type"],
        fields["intra_group"],
        account=called.account,
        ftp_helper=fields["ftp_helper"],
        managed=fields["managed"],
        profile=fields["profile"],
    )


def _group_parts(it: SecurityGroup) -> dict[str, Any]:
    return {name: getattr(it, name) for name in ("vpc", "profile", "type", "intra_group", "ftp_helper", "managed")}


_MANAGED = parsed(
    "managed", "the service that it belongs to; the tenant may not change it", check_name, default="", fixed=True
)

GROUP = Form(
    kind=Kind.GROUP,
    plural="groups",
    prefix="sg",
    fields=(
        reference(
            "vpc", "the VPC that it belongs to; empty where the profile lets it be used in any", default="", fixed=True
        ),
        parsed(
            "profile",
            "huawei or alibaba, where it belongs to no VPC; empty for that of the settings",
            profile_name,
            default="",
            fixed=True,
            example="huawei",
        ),
        choice("type", "basic or advanced", GroupType, default=GroupType.BASIC, fixed=True),
        choice(
            "intra_group", "whether its members reach each other without a rule", IntraGroup, default=IntraGroup.DROP
        ),
        flag("ftp_helper", "whether data connections of an allowed FTP session pass", default=False),
        _MANAGED,
    ),
    build=_group,
    parts=_group_parts,
    refers=lambda group: [Key(Kind.VPC, group.vpc)] if group.vpc else [],
)

_RULE_FIELDS = (
    "direction",
    "action",
    "protocol",
    "ports",
    "remote",
    "priority",
    "enabled",
    "local",
    "source_ports",
    "nic",
    "managed",
)


def _own_side(said: str) -> Prefix | None:
    side = parse_remote(said)
    if isinstance(side, Prefix):
        return side
    if side is AnyRemote.ANY:
        return None
    raise NotationError(f"{said!r} cannot stand for the port's own side", "use any or a prefix")


def _expand_rule(given: dict[str, Any]) -> dict[str, Any]:
    """A rule may be said in one line: ``{"group": "sg-web", "rule": "in allow tcp 80 from any"}``."""
    line = given.pop("rule", None)
    if line is None:
        return given
    if not isinstance(line, str):
        raise NotationError(f"{line!r} is not a rule", "write it like: in allow tcp 80 from any")
    rule = Rule.parse(line)
    parts = _rule_parts(RuleOf("", rule))
    said = {each.name: each.show(parts[each.name]) for each in RULE.fields if each.name in _RULE_FIELDS}
    if rule != Rule.parse(line, default_priority=2):  # it names none, and the profile's holds
        del said["priority"]
    if rule.description:
        said["description"] = rule.description
    return said | given


def _rule(called: Called, fields: Fields) -> RuleOf:
    rule = Rule(
        fields["direction"],
        fields["action"],
        fields["protocol"],
        fields["remote"],
        fields["ports"],
        fields["priority"],
        fields["enabled"],
        called.description,
        called.id,
        fields["local"],
        fields["source_ports"],
        fields["nic"],
        fields["managed"],
    )
    return RuleOf(fields["group"], rule)


def _rule_parts(it: RuleOf) -> dict[str, Any]:
    return dict(zip(_RULE_FIELDS, _of_rule(it.rule), strict=True), group=it.group)


_of_rule = attrgetter(*_RULE_FIELDS)


def _rule_refers(it: RuleOf) -> list[Key]:
    found = [Key(Kind.GROUP, it.group)]
    if isinstance(it.rule.remote, GroupRemote):
        found.append(Key(Kind.GROUP, it.rule.remote.name))
    found += lists_named(it.rule.remote)
    if isinstance(it.rule.ports, NamedPorts):
        found.append(Key(Kind.PORT_LIST, it.rule.ports.name))
    return found


RULE = Form(
    kind=Kind.RULE,
    plural="rules",
    prefix="sgr",
    fields=(
        reference("group", "the group that it belongs to", fixed=True),
        choice("direction", "which way", Direction, fixed=True),
        choice("action", "allow or deny", Action, default=Action.ALLOW),
        parsed(
            "protocol",
            "all, tcp, udp, icmp, icmpv6, gre or a number",
            Protocol.parse,
            default=Protocol.ALL,
            example="tcp",
        ),
        parsed(
            "ports",
            "destination ports, or the id of a port list; none is all",
            parse_ports,
            default=ALL_PORTS,
            example="22,80-90",
        ),
        parsed(
            "remote",
            "any, a prefix, 'group ID' or the id of an address group",
            parse_remote,
            default=AnyRemote.ANY,
            example="10.0.0.0/8",
        ),
        number("priority", "1 is strongest", 1, 100, default=1),
        flag("enabled", "a disabled rule is not evaluated", default=True),
        parsed("local", "the port's own address: any or a prefix", _own_side, default=None, example="10.0.1.11/32"),
        parsed(
            "source_ports", "ports that the packet comes from", PortSet.parse, default=ALL_PORTS, example="1024-65535"
        ),
        choice("nic", "which interface of the classic network", NicType, default=None),
        _MANAGED,
    ),
    build=_rule,
    parts=_rule_parts,
    refers=_rule_refers,
    expand=_expand_rule,
    derived={"rule": lambda it: str(it.rule)},
)
