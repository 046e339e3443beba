"""The forms of networks, groups and rules, and all the forms of what a world is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from ringfence.errors import NotationError
from ringfence.model.acl import AclRule, NetworkAcl
from ringfence.model.address import Family, Prefix
from ringfence.model.group import GroupType, SecurityGroup
from ringfence.model.names import check_name
from ringfence.model.port_list import NamedPorts, parse_ports
from ringfence.model.profile import HUAWEI, PROFILES, IntraGroup, Profile
from ringfence.model.rule import (
    Action,
    AddressGroupRemote,
    AnyRemote,
    Direction,
    GroupRemote,
    NicType,
    Remote,
    Rule,
    parse_remote,
)
from ringfence.model.service import ALL_PORTS, PortSet, Protocol
from ringfence.model.switches import switched, switches_of
from ringfence.model.topology import Network, Peering, Subnet, Vpc
from ringfence.resources.fields import Field, choice, flag, listed, mapping, number, parsed, reference
from ringfence.resources.form import Form
from ringfence.resources.kind import Kind
from ringfence.resources.list_forms import ADDRESS_GROUP, PORT_LIST
from ringfence.resources.machine_forms import EXPECTATION, INSTANCE, OUTSIDE_HOST, PENALTY, PORT, VIRTUAL_IP
from ringfence.resources.naming import Called, Key
from ringfence.resources.values import AclPolicy, RuleOf, SharedVpc

Fields = Mapping[str, Any]

_SWITCHES = mapping("switches", "switches of the profile that are set otherwise", dict, dict)


def _profile_name(name: str) -> str:
    if name not in PROFILES:
        raise NotationError(f"there is no profile {name!r}", f"use {' or '.join(PROFILES)}")
    return name


def _profile_field(default: str) -> Field:
    return parsed("profile", "huawei or alibaba", _profile_name, default=default, example="huawei")


def _profile(fields: Fields) -> Profile:
    return switched(PROFILES[fields["profile"]], fields["switches"])


def _profile_parts(profile: Profile) -> dict[str, Any]:
    return {"profile": profile.name, "switches": switches_of(profile)}


def _prefix_of(family: Family) -> Callable[[str], Prefix]:
    def parse(said: str) -> Prefix:
        prefix = Prefix.parse(said)
        if prefix.family is not family:
            raise NotationError(f"{prefix} is not {family}", f"give an {family} prefix")
        return prefix

    return parse


# --- VPCs and subnets


def _vpc(called: Called, fields: Fields) -> SharedVpc:
    cidrs = tuple(fields["cidrs"])
    vpc = Vpc(called.id, _profile(fields), cidrs, {}, fields["border"], fields["network"], called.account)
    return SharedVpc(vpc, tuple(sorted(fields["shared_with"])))


def _vpc_parts(it: SharedVpc) -> dict[str, Any]:
    vpc, shared = it.vpc, {"shared_with": it.shared_with}
    return {"cidrs": vpc.cidrs, "border": vpc.border, "network": vpc.network, **_profile_parts(vpc.profile), **shared}


def _vpc_refers(it: SharedVpc) -> Iterator[Key]:
    yield from (Key(Kind.ACCOUNT, account) for account in it.shared_with)
    yield from _lines_refer(it.vpc.border)


def _lists(*remotes: Remote) -> Iterator[Key]:
    for remote in remotes:
        if isinstance(remote, AddressGroupRemote):
            yield Key(Kind.ADDRESS_GROUP, remote.name)


def _lines_refer(lines: tuple[AclRule, ...]) -> Iterator[Key]:
    for line in lines:
        yield from _lists(line.source, line.destination)


def _lines(name: str, doc: str, *, example: str) -> Field:
    """Lines of an ACL or a firewall: each a text, or an object where the line has an id of its own or a name."""

    def read(json: object) -> tuple[AclRule, ...]:
        if not isinstance(json, list) or len(json) > _LONGEST_LIST:
            raise NotationError(
                f"{name} is not a list of at most {_LONGEST_LIST} rules", f"use a list like [{example!r}]"
            )
        return tuple(map(_read_line, json))

    text = {"type": "string", "maxLength": 4096}
    said = {"type": "object", "required": ["rule"], "additionalProperties": False}
    said["properties"] = {"id": {"type": "string", "maxLength": 64}, "name": text | {"maxLength": 128}, "rule": text}
    items = {"anyOf": [text, said]}
    schema = {"type": "array", "items": items, "maxItems": _LONGEST_LIST, "examples": [[example]]}
    return Field(name, doc, read, lambda value: list(map(_show_line, value)), schema, ())


_LONGEST_LIST = 1000


def _read_line(json: object) -> AclRule:
    if isinstance(json, str):
        return AclRule.parse(json)
    told = isinstance(json, Mapping) and "rule" in json and json.keys() <= {"id", "name", "rule"}
    if not (isinstance(json, Mapping) and told and all(isinstance(each, str) for each in json.values())):
        raise NotationError(f"{json!r} is not a rule", "use a text, or an object {id, name, rule} of texts")
    return replace(AclRule.parse(json["rule"]), given_id=json.get("id", ""), name=json.get("name", ""))


def _show_line(line: AclRule) -> str | dict[str, str]:
    own = {name: value for name, value in (("id", line.given_id), ("name", line.name)) if value}
    return own | {"rule": str(line)} if own else str(line)


_VPC = Form(
    kind=Kind.VPC,
    plural="vpcs",
    prefix="vpc",
    doc="A private network.",
    fields=(
        listed(
            "cidrs",
            "its address space; Huawei's API tells the first as its own",
            Prefix.parse,
            longest=50,
            example="10.0.0.0/16",
        ),
        _profile_field(HUAWEI.name),
        _SWITCHES,
        _lines("border", "rules of the firewall between it and the internet", example="in deny tcp 22 from any to any"),
        choice("network", "a VPC, or the classic network", Network, default=Network.VPC, fixed=True),
        listed("shared_with", "accounts that may have groups and ports in it", check_name, default=(), longest=100),
    ),
    build=_vpc,
    parts=_vpc_parts,
    refers=_vpc_refers,
)


def _subnet(called: Called, fields: Fields) -> Subnet:
    if not (fields["cidr"] or fields["cidr6"]):
        raise NotationError("the subnet has no prefix", "give cidr, cidr6 or both")
    return Subnet(called.id, fields["vpc"], fields["cidr"], fields["cidr6"], fields["acl"], fields["nic"])


def _subnet_parts(it: Subnet) -> dict[str, Any]:
    return {"vpc": it.vpc, "cidr": it.cidr, "cidr6": it.cidr6, "acl": it.acl, "nic": it.nic}


def _subnet_refers(it: Subnet) -> Iterator[Key]:
    yield Key(Kind.VPC, it.vpc)
    if it.acl:
        yield Key(Kind.ACL, it.acl)


_SUBNET = Form(
    kind=Kind.SUBNET,
    plural="subnets",
    prefix="subnet",
    doc="A part of a VPC.",
    fields=(
        reference("vpc", "the VPC that it is a part of", fixed=True),
        parsed("cidr", "IPv4 prefix", _prefix_of(Family.IPV4), default=None, example="10.0.1.0/24"),
        parsed("cidr6", "IPv6 prefix", _prefix_of(Family.IPV6), default=None, example="fd00:10:0:1::/64"),
        reference("acl", "the network ACL at its edge", default=""),
        choice("nic", "which interface of the classic network", NicType, default=NicType.INTRANET, fixed=True),
    ),
    build=_subnet,
    parts=_subnet_parts,
    refers=_subnet_refers,
)


# --- security groups and rules


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

_GROUP = Form(
    kind=Kind.GROUP,
    plural="groups",
    prefix="sg",
    doc="A security group: its rules guard every port in it.",
    fields=(
        reference(
            "vpc", "the VPC that it belongs to; empty where the profile lets it be used in any", default="", fixed=True
        ),
        parsed(
            "profile",
            "huawei or alibaba, where it belongs to no VPC; empty for that of the settings",
            _profile_name,
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
    said = {each.name: each.show(parts[each.name]) for each in _RULE.fields if each.name in _RULE_FIELDS}
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
    return {"group": it.group} | {name: getattr(it.rule, name) for name in _RULE_FIELDS}


def _rule_refers(it: RuleOf) -> Iterator[Key]:
    yield Key(Kind.GROUP, it.group)
    if isinstance(it.rule.remote, GroupRemote):
        yield Key(Kind.GROUP, it.rule.remote.name)
    yield from _lists(it.rule.remote)
    if isinstance(it.rule.ports, NamedPorts):
        yield Key(Kind.PORT_LIST, it.rule.ports.name)


_RULE = Form(
    kind=Kind.RULE,
    plural="rules",
    prefix="sgr",
    doc="A rule of a security group.",
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


# --- ACLs


def _acl(called: Called, fields: Fields) -> NetworkAcl:
    return NetworkAcl(called.id, fields["rules"], fields["vpc"], fields["enabled"], account=called.account)


def _acl_refers(it: NetworkAcl) -> Iterator[Key]:
    if it.vpc:
        yield Key(Kind.VPC, it.vpc)
    yield from _lines_refer(it.rules)


_ACL = Form(
    kind=Kind.ACL,
    plural="acls",
    prefix="acl",
    doc="A network ACL: rules in their order, at the edge of subnets.",
    fields=(
        _lines("rules", "its rules in their order", example="in allow tcp 80 from any to any"),
        reference("vpc", "the VPC whose subnets may use it; empty for any", default="", fixed=True),
        flag("enabled", "a disabled ACL denies everything but its fixed rules", default=True),
    ),
    build=_acl,
    parts=lambda it: {"rules": it.rules, "vpc": it.vpc, "enabled": it.enabled},
    refers=_acl_refers,
)


def _undirected(said: str) -> AclRule:
    rule = AclRule.parse(said)
    if rule.direction or rule.description:
        raise NotationError(f"{said!r} has a direction or a description", "leave it out: policies give the direction")
    return rule


_ACL_LINE = Form(
    kind=Kind.ACL_LINE,
    plural="acl-lines",
    prefix="acll",
    doc="A rule of network ACLs by itself, for ACL policies.",
    fields=(parsed("rule", "the rule without a direction", _undirected, example="allow tcp 80 from any to any"),),
    build=lambda called, fields: fields["rule"],
    parts=lambda it: {"rule": it},
    refers=lambda it: _lines_refer((it,)),
)


def _acl_policy_refers(it: AclPolicy) -> Iterator[Key]:
    yield from (Key(Kind.ACL_LINE, rule) for rule in it.rules)
    yield from (Key(Kind.ACL, acl) for acl in (*it.ingress_of, *it.egress_of))


def _acl_policy(called: Called, fields: Fields) -> AclPolicy:
    for name in ("rules", "ingress_of", "egress_of"):
        if len(set(fields[name])) < len(fields[name]):
            raise NotationError(f"{name} of {called.name or 'the policy'} name one twice", "name each once")
    return AclPolicy(**fields)


_ACL_POLICY = Form(
    kind=Kind.ACL_POLICY,
    plural="acl-policies",
    prefix="aclp",
    doc="ACL lines in their order, which network ACLs have as theirs in one direction or both.",
    fields=(
        listed("rules", "its rules (by id) in their order", check_name, default=(), longest=1000, example="acll-1"),
        listed("ingress_of", "the ACLs whose ingress rules they are", check_name, default=(), longest=1000),
        listed("egress_of", "the ACLs whose egress rules they are", check_name, default=(), longest=1000),
        flag("audited", "whether somebody has looked at it", default=False),
    ),
    build=_acl_policy,
    parts=lambda it: {name: getattr(it, name) for name in ("rules", "ingress_of", "egress_of", "audited")},
    refers=_acl_policy_refers,
)


def _peering(called: Called, fields: Fields) -> Peering:
    if len(fields["vpcs"]) != 2:
        raise NotationError("a peering joins two VPCs", "give two ids")
    one, two = sorted(fields["vpcs"])
    return Peering(called.id, (one, two), fields["firewall"])


def _peering_refers(it: Peering) -> Iterator[Key]:
    yield from (Key(Kind.VPC, vpc) for vpc in it.vpcs)
    yield from _lines_refer(it.firewall)


_PEERING = Form(
    kind=Kind.PEERING,
    plural="peerings",
    prefix="pcx",
    doc="A way between two VPCs, with a firewall on it.",
    fields=(
        listed("vpcs", "the two VPCs", check_name, longest=2, fixed=True, example="vpc-1"),
        _lines("firewall", "rules of the firewall on it", example="deny tcp 22 from any to any"),
    ),
    build=_peering,
    parts=lambda it: {"vpcs": it.vpcs, "firewall": it.firewall},
    refers=_peering_refers,
)


_SETTINGS = Form(
    kind=Kind.SETTINGS,
    plural="settings",
    prefix="settings",
    doc="The profile of what belongs to no VPC.",
    fields=(_profile_field(HUAWEI.name), _SWITCHES),
    build=lambda called, fields: _profile(fields),
    parts=_profile_parts,
    refers=lambda it: (),
)

FORMS: tuple[Form, ...] = (
    _VPC,
    _SUBNET,
    _GROUP,
    _RULE,
    ADDRESS_GROUP,
    PORT_LIST,
    _ACL,
    _ACL_LINE,
    _ACL_POLICY,
    _PEERING,
    INSTANCE,
    PORT,
    VIRTUAL_IP,
    PENALTY,
    OUTSIDE_HOST,
    EXPECTATION,
    _SETTINGS,
)
"""The forms of what a world is made of."""
