"""The rules of a group as they are told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final, cast

from ringfence.exchange.permissions import permission
from ringfence.exchange.values import ExportedRule, Names, by_family
from ringfence.model.group import SecurityGroup
from ringfence.model.port_list import NamedPorts, RulePorts
from ringfence.model.profile import IntraGroup
from ringfence.model.rule import Action, AddressGroupRemote, Direction, GroupRemote, Rule
from ringfence.model.service import PortSet
from ringfence.policy.decisions import rule_nic
from ringfence.ram import actions as ram
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource
from ringfence.resources.state import State
from ringfence.resources.values import RuleOf
from ringfence.wire.alibaba.group_lists import vpc_id
from ringfence.wire.alibaba.groups import GROUP, REGION
from ringfence.wire.alibaba.operation import Call, Field, Operation, Product
from ringfence.wire.alibaba.paging import BY_TOKEN, Sizes, by_token
from ringfence.wire.alibaba.texts import time_of
from ringfence.wire.alibaba.ways import Way
from ringfence.wire.request import Told

_SIZES: Final = Sizes(default=500, most=1000, least=10)
_DIRECTIONS: Final = {each.value: each.value for each in Direction} | {"all": ""}
_KINDS: Final[Mapping[type, Kind]] = {
    GroupRemote: Kind.GROUP,
    AddressGroupRemote: Kind.ADDRESS_GROUP,
    NamedPorts: Kind.PORT_LIST,
}
"""What rules may name."""
_BOTH: Final = ("{}CidrIp", "Ipv6{}CidrIp", "{}GroupId", "{}GroupName", "{}GroupOwnerAccount", "{}PrefixListId")
_EMPTY: Final[Mapping[str, str]] = dict.fromkeys(
    (
        *("CreateTime", "Description", "IpProtocol", "NicType", "Policy", "PortRange", "Priority", "SourcePortRange"),
        *("PortRangeListId", "PortRangeListName", "SourcePrefixListName", "DestPrefixListName"),
        *(form.format(side) for side in ("Source", "Dest") for form in _BOTH),
    ),
    "",
)


def operations() -> Iterator[Operation]:
    """The operations."""
    yield Operation(
        "DescribeSecurityGroupAttribute",
        Product.ECS,
        "Show a group and its rules. A rule of another API that says more than one permission can (both families,"
        " several ranges of ports) is told as several, with one id, by which it can be revoked; one that is disabled"
        " has Enabled false, which ECS does not know.",
        (ram.DESCRIBE_SECURITY_GROUP_ATTRIBUTE,),
        _describe,
        (
            *(REGION, GROUP, Field("Direction", "egress, ingress or all"), Field("NicType", "internet or intranet")),
            *BY_TOKEN,
        ),
        frozenset({"Attribute"}),
    )


def _describe(call: Call) -> Told:
    found = call.find(Kind.GROUP, call.said.required("SecurityGroupId"), ram.DESCRIBE_SECURITY_GROUP_ATTRIBUTE)
    group = call.state.world.groups[found.id]
    parts = [part for rule in call.state.rules(found.id) for part in parts_of(rule)]
    page, paged = by_token(call.said, _wanted(call, group, parts), _order, _SIZES)
    names = _names(call.state, call.caller.account, page)
    return {
        "RegionId": call.region,
        "SecurityGroupId": found.id,
        "SecurityGroupName": found.name,
        "Description": found.description,
        "VpcId": vpc_id(call, group),
        "InnerAccessPolicy": "Accept" if group.intra_group is IntraGroup.ACCEPT else "Drop",
        "SnapshotPolicyIds": {"SnapshotPolicyId": []},
        "Permissions": {"Permission": [_told(call.state, each, names) for each in page]},
        **paged,
    }


def _wanted(call: Call, group: SecurityGroup, parts: list[Resource]) -> Iterator[Resource]:
    direction = call.said.choice("Direction", _DIRECTIONS, code="InvalidParamter")
    nics = {"internet": "internet", "intranet": "intranet"}
    nic = call.said.choice("NicType", nics, code="InvalidNicType.ValueNotSupported")
    for each in parts:
        rule = rule_of(each)
        if direction in ("", rule.direction) and nic in ("", _nic(call.state, group, rule)):
            yield each


def rule_of(resource: Resource) -> Rule:
    """The rule that a resource is."""
    return cast("RuleOf", resource.value).rule


def _nic(state: State, group: SecurityGroup, rule: Rule) -> str:
    vpc = state.world.vpcs.get(group.vpc)
    return rule_nic(vpc, rule).value if vpc else "intranet"


def parts_of(resource: Resource) -> Iterator[Resource]:
    """The rule as permissions can say it: of one family, and one range of ports on either side."""
    at = cast("RuleOf", resource.value)
    for one in by_family(at.rule):
        for ports in _ranges(one.ports):
            for source_ports in _ranges(one.source_ports):
                part = replace(one, ports=ports, source_ports=cast("PortSet", source_ports))
                yield replace(resource, value=RuleOf(at.group, part))


def _ranges(ports: RulePorts) -> Iterator[RulePorts]:
    if isinstance(ports, PortSet) and ports.ranges:
        yield from (PortSet((each,)) for each in ports.ranges)
    else:
        yield ports


def _order(part: Resource) -> str:
    """Ingress first; the strongest first, of equals the one that denies."""
    rule = rule_of(part)
    egress, allows = rule.direction is Direction.EGRESS, rule.action is Action.ALLOW
    return f"{egress:d} {rule.priority:03} {allows:d} {part.id} {rule.remote} {rule.ports} {rule.source_ports}"


def _names(state: State, account: str, rules: list[Resource]) -> Names:
    """What is named in rules, by its name: only of one's own things it is told."""
    found: dict[Any, str] = {}
    for rule in map(rule_of, rules):
        for named in {rule.remote, rule.ports}:
            if kind := _KINDS.get(type(named)):
                thing = state.get(kind, cast("Any", named).name)
                found[named] = thing.name if thing and thing.account == account else ""
    return found


def _told(state: State, part: Resource, names: Names) -> Told:
    rule, group = rule_of(part), cast("RuleOf", part.value).group
    told = permission(ExportedRule(part.id, rule, time_of(part.created)), rule, names)
    return {**_EMPTY, **told, "NicType": _nic(state, state.world.groups[group], rule)}


def parameters_of(state: State, part: Resource, way: Way) -> Mapping[str, str]:
    """The parameters by which a request would say a part of a rule."""
    told = _told(state, part, {})
    wanted = {each.name for each in way.parameters()} | {"PortRangeListId"}
    return {name: value for name, value in told.items() if name in wanted and value}
