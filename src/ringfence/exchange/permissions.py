"""JSON in the fields of a ``Permission`` of Alibaba's DescribeSecurityGroupAttribute (shared with its API)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ringfence.errors import FieldProblem
from ringfence.exchange.cells import kind_of, named_cell
from ringfence.exchange.rows import (
    ACTION,
    DESCRIPTION,
    DESTINATION,
    DIRECTION,
    ENABLED,
    EVERYTHING,
    NIC,
    PORT,
    PRIORITY,
    PROTOCOL,
    SOURCE,
    SOURCE_PORT,
    Cells,
)
from ringfence.exchange.values import BadRulesFile, ExportedRule, Limits, Names, by_family
from ringfence.model.address import Family, Prefix
from ringfence.model.port_list import NamedPorts
from ringfence.model.rule import Action, AddressGroupRemote, Direction, GroupRemote, Rule
from ringfence.model.service import PortSet, Protocol

_LABELS = {
    DIRECTION: "Direction",
    PRIORITY: "Priority",
    ACTION: "Policy",
    PROTOCOL: "IpProtocol",
    PORT: "PortRange",
    DESCRIPTION: "Description",
    ENABLED: "Enabled",
    SOURCE_PORT: "SourcePortRange",
    NIC: "NicType",
}
"""Columns of the table by what they are called here; ``Enabled`` is ours."""
_SIDES = {SOURCE: "Source", DESTINATION: "Dest"}
_SIDE_FIELDS = ("{}CidrIp", "Ipv6{}CidrIp", "{}GroupId", "{}PrefixListId")
_MORE_SIDE_FIELDS = ("{}GroupName", "{}GroupOwnerAccount", "{}PrefixListName")
_FIELDS = frozenset(
    {*_LABELS.values(), "SecurityGroupRuleId", "CreateTime", "PortRangeListId", "PortRangeListName"}
    | {form.format(side) for side in _SIDES.values() for form in (*_SIDE_FIELDS, *_MORE_SIDE_FIELDS)}
)
_AROUND = frozenset(
    {
        *("Description", "InnerAccessPolicy", "NextToken", "Permissions", "RegionId", "RequestId"),
        *("SecurityGroupId", "SecurityGroupName", "SnapshotPolicyIds", "VpcId"),
    }
)
"""What stands beside the rules in the answer of the API, and says nothing of them."""
_LIST, _LIST_NAME = "PortRangeListId", "PortRangeListName"
_NO_PORTS = "-1/-1"
_ALL_PORTS = "1/65535"


def write(rules: Sequence[ExportedRule], names: Names, group_id: str) -> bytes:
    """The rules of a group, two for one whose remote is ``any``."""
    listed = [permission(each, rule, names) for each in rules for rule in by_family(each.rule)]
    content = {"SecurityGroupId": group_id, "Permissions": {"Permission": listed}}
    return json.dumps(content, ensure_ascii=False, indent=1).encode()


def permission(exported: ExportedRule, rule: Rule, names: Names) -> dict[str, Any]:
    """What is told of a rule, or of the part of it that ``rule`` is; nothing of what it leaves open."""
    inward = rule.direction is Direction.INGRESS
    far, near = ("Source", "Dest") if inward else ("Dest", "Source")
    content = {
        "SecurityGroupRuleId": exported.id,
        "Direction": rule.direction.value,
        "Policy": "Accept" if rule.action is Action.ALLOW else "Drop",
        "Priority": str(rule.priority),
        "IpProtocol": str(rule.protocol).upper().replace("V6", "v6"),
        **_rule_ports(rule, names),
        **_side(far, rule, names),
        **({_cidr(near, rule.local): str(rule.local)} if rule.local else {}),
        "SourcePortRange": _range(rule.source_ports, rule.protocol) if rule.source_ports else "",
        "NicType": str(rule.nic or ""),
        "Enabled": "" if rule.enabled else "false",
        "Description": rule.description,
        "CreateTime": exported.modified,
    }
    return {name: value for name, value in content.items() if value}


def _rule_ports(rule: Rule, names: Names) -> dict[str, str]:
    if isinstance(rule.ports, NamedPorts):
        return {_LIST: rule.ports.name, _LIST_NAME: names.get(rule.ports, rule.ports.name)}
    return {"PortRange": _range(rule.ports, rule.protocol)}


def _side(side: str, rule: Rule, names: Names) -> dict[str, str]:
    remote = rule.remote
    if isinstance(remote, GroupRemote):
        group = {f"{side}GroupId": remote.name, f"{side}GroupName": names.get(remote, remote.name)}
        return {**group, f"{side}GroupOwnerAccount": remote.account}
    if isinstance(remote, AddressGroupRemote):
        return {f"{side}PrefixListId": remote.name, f"{side}PrefixListName": names.get(remote, remote.name)}
    assert isinstance(remote, Prefix)
    return {_cidr(side, remote): str(remote)}


def _cidr(side: str, prefix: Prefix) -> str:
    return f"{side}CidrIp" if prefix.family is Family.IPV4 else f"Ipv6{side}CidrIp"


def _range(ports: PortSet, protocol: Protocol) -> str:
    if not protocol.has_ports:
        return _NO_PORTS
    return ",".join(f"{each.first}/{each.last}" for each in ports.ranges) or _ALL_PORTS


def read(data: bytes, limits: Limits) -> list[Cells]:
    """Each permission as cells of the table, from 0. Raises `BadRulesFile`."""
    try:
        content = json.loads(data.decode("utf-8-sig"), object_pairs_hook=_object, parse_constant=_constant)
        json.dumps(content, ensure_ascii=False).encode()  # refuses half characters, which nothing else takes
    except (ValueError, RecursionError) as error:
        what = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise BadRulesFile(f"the file is not JSON: {what}", "write JSON in UTF-8") from None
    listed = _listed(content)
    if len(listed) > limits.rows:
        raise BadRulesFile(f"the file has {len(listed)} rules", f"use at most {limits.rows}, in several files")
    return [_cells(index, each) for index, each in enumerate(listed)]


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError(f"an object names a field twice: {', '.join(name for name, _ in pairs)}"[:200])
    return found


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is no value of JSON")


def _listed(content: Any) -> list[Mapping[str, Any]]:
    """The rules: in a list, or where the answer of the API has them."""
    right = 'write {"Permissions": {"Permission": [...]}} or the list alone'
    if isinstance(content, dict):
        if unknown := sorted(content.keys() - _AROUND):
            raise BadRulesFile(f"{', '.join(unknown)} cannot stand beside the rules"[:200], right)
        around = content.get("Permissions")
        content = around.get("Permission") if isinstance(around, dict) and len(around) == 1 else around
    if not isinstance(content, list):
        raise BadRulesFile("the file has no list of rules", right)
    for index, each in enumerate(content):
        if not isinstance(each, dict) or any(isinstance(value, dict | list) for value in each.values()):
            raise BadRulesFile(f"entry {index} is not an object of plain values", right)
    unknown = sorted({name for each in content for name in each} - _FIELDS)
    if unknown:
        raise BadRulesFile(f"{', '.join(unknown)} is no field of a rule"[:200], f"use {', '.join(sorted(_FIELDS))}")
    return content


def _cells(index: int, permission: Mapping[str, Any]) -> Cells:
    said = {name: _said(value) for name, value in permission.items()}
    texts = {column: said.get(label, "") for column, label in _LABELS.items()}
    texts[PORT] = _ports(texts[PORT], texts[PROTOCOL])
    texts[SOURCE_PORT] = re.sub(r"(\d+)/(\d+)", r"\1-\2", texts[SOURCE_PORT])
    problems = []
    labels = dict(_LABELS)
    if listed := said.get(_LIST):
        if said.get("PortRange"):
            what, right = f"PortRange and {_LIST} are given, and a rule has one", "leave out the other"
            problems.append(FieldProblem(_LIST, what, right, "exchange.sides", listed))
        labels[PORT], texts[PORT] = _LIST, _list_cell(said)
    for column, side in _SIDES.items():
        given = [name for form in _SIDE_FIELDS if said.get(name := form.format(side))]
        labels[column] = given[0] if given else f"{side}CidrIp"
        texts[column] = _remote(side, given[0], said) if given else ""
        if len(given) > 1:
            what = f"{' and '.join(given)} are given, and a rule has one"
            problems.append(FieldProblem(given[1], what, "leave out the others", "exchange.sides", said[given[1]]))
    shown = {column: said.get(labels[column], "") for column in texts}
    return Cells(index, texts, labels, shown, tuple(problems))


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def _ports(text: str, protocol: str) -> str:
    """The notation of the table; ``-1/-1`` is for protocols without ports (SEMANTICS.md 1.2)."""
    if text == _ALL_PORTS or (text == _NO_PORTS and protocol.lower() not in ("tcp", "udp", "6", "17")):
        return EVERYTHING
    return re.sub(r"(\d+)/(\d+)", r"\1-\2", text)


def _remote(side: str, field: str, said: Mapping[str, str]) -> str:
    """The cell of the table that says the same."""
    if field.endswith("CidrIp"):
        return said[field]
    if field.endswith("GroupId"):
        owner = said.get(f"{side}GroupOwnerAccount", "")
        remote: GroupRemote | AddressGroupRemote = GroupRemote(said[field], owner)
        name = said.get(f"{side}GroupName", "")
        alone = f"{owner}/{said[field]}" if owner else said[field]
    else:
        remote, name, alone = AddressGroupRemote(said[field]), said.get(f"{side}PrefixListName", ""), said[field]
    return f"{kind_of(remote)} {named_cell(remote, name) if name else alone}"


def _list_cell(said: Mapping[str, str]) -> str:
    """The cell of the table that names a port list."""
    name, id_ = said.get(_LIST_NAME, ""), said.get(_LIST, "")
    return f"{name}[{id_}]" if name else id_
