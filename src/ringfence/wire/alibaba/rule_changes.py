"""Rules of security groups that are changed: by their ids, or found by what they say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final

from ringfence.control import basic, rules
from ringfence.control.draft import Draft
from ringfence.errors import Refused
from ringfence.ram import actions as ram
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource
from ringfence.resources.values import RuleOf
from ringfence.wire.alibaba.groups import GROUP, REGION
from ringfence.wire.alibaba.operation import Call, Field, Operation, Product
from ringfence.wire.alibaba.parameters import Parameters
from ringfence.wire.alibaba.permission_lists import parameters_of, parts_of
from ringfence.wire.alibaba.permissions import Reader
from ringfence.wire.alibaba.rules import faults_of, group_of, reader_of
from ringfence.wire.alibaba.ways import EGRESS, INGRESS, Way
from ringfence.wire.request import Fault, Told

_PORTS: Final = ("PortRange", "PortRangeListId")


def operations() -> Iterator[Operation]:
    """The operations."""
    for way, word, action in (
        (INGRESS, "", ram.MODIFY_SECURITY_GROUP_RULE),
        (EGRESS, "Egress", ram.MODIFY_SECURITY_GROUP_EGRESS_RULE),
    ):
        more = (Field("SecurityGroupRuleId", "which rule"), Field("PortRangeListId", "another list of its ports"))
        yield Operation(
            f"ModifySecurityGroup{word}Rule",
            Product.ECS,
            f"Change an {way.direction} rule by its id: what is not said stays, and it keeps the kind of its"
            f" {way.far.lower()}, of its interface, and of its ports. Without an id, change the description of the rule"
            " that says the rest.",
            (action,),
            partial(_modify, way),
            (REGION, GROUP, *way.parameters(), *more),
            faults={
                **faults_of(way),
                "world.duplicate": Fault(400, "InvalidOperation.RuleDuplicate"),
                "OperationDenied": Fault(400, "InvalidParam.ProtocolAndPortRangeMismatch"),
                "InvalidParam.Ipv4ProtocolConflictWithIpv6Address": _FAMILIES,
                "InvalidParam.Ipv6ProtocolConflictWithIpv4Address": _FAMILIES,
                "InvalidSecurityGroupRuleId.NotFound": Fault(404, "InvalidSecurityGroupRuleId.NotFound"),
                "SecurityGroupRule.NotFound": Fault(404, "SecurityGroupRule.NotFound"),
            },
        )


_FAMILIES: Final = Fault(400, "InvalidParam.ProtocolAndAddressFamilyMismatch")


def _modify(way: Way, call: Call) -> Told:
    said = call.said

    def work(draft: Draft) -> Told:
        group = group_of(call, draft)
        reader = reader_of(draft, way, group)
        with draft.telling(call.operation.actions[0], group):
            if "SecurityGroupRuleId" in said:
                rule = _by_id(draft, group, way, said.text("SecurityGroupRuleId"))
                changes = _changes(call, reader, rule)
            else:
                rule, changes = _by_content(draft, group, reader, said)
        basic.update(draft, Kind.RULE, rule.id, changes)
        return {}

    return call.change(work)


def _by_id(draft: Draft, group: Resource, way: Way, id_: str) -> Resource:
    found = draft.get(Kind.RULE, id_)
    at = found.value if found else None
    if found is None or not isinstance(at, RuleOf) or (at.group, at.rule.direction) != (group.id, way.direction):
        what = "The specified SecurityGroupRuleId does not exist."
        raise Refused(what, reason="InvalidSecurityGroupRuleId.NotFound", field="SecurityGroupRuleId", value=id_)
    return found


def _by_content(draft: Draft, group: Resource, reader: Reader, said: Parameters) -> tuple[Resource, dict[str, Any]]:
    if "Description" not in said:
        raise _nothing("give a SecurityGroupRuleId, or the Description that the rule is to have")
    found = rules.meant_by(draft, group, [reader.rule(said)])
    if not found:
        raise Refused("The specified security group rule does not exist.", reason="SecurityGroupRule.NotFound")
    return found[0], {"description": said.text("Description")}


def _changes(call: Call, reader: Reader, rule: Resource) -> dict[str, Any]:
    """The fields that a request changes, each read in the light of what the rest of the rule says."""
    said, way = call.said, reader.way
    before = parameters_of(call.state, next(parts_of(rule)), way)
    given = {name: said.text(name) for name in _fields_of(way) if name in said}
    changed = {field for name, field in _fields_of(way).items() if name in given}
    if not changed:
        raise _nothing("give what is to change")
    _check_kinds(before, given, way)
    replaced = {name for name, field in _fields_of(way).items() if field in changed}
    kept = {name: text for name, text in before.items() if name not in replaced}
    read = reader.rule(Parameters({**kept, **given}))
    return {field: read[field] for field in changed}


def _fields_of(way: Way) -> Mapping[str, str]:
    """The field of a rule that each parameter is about."""
    remotes = dict.fromkeys((*way.far_fields, *way.owner_fields), "remote")
    own = {"Policy": "action", "Priority": "priority", "IpProtocol": "protocol", "SourcePortRange": "source_ports"}
    near = dict.fromkeys(way.near_fields, "local")
    return {**remotes, **near, **own, **dict.fromkeys(_PORTS, "ports"), "Description": "description", "NicType": "nic"}


def _check_kinds(before: Mapping[str, str], given: Mapping[str, str], way: Way) -> None:
    """Refuse what would make another kind of rule of it (SEMANTICS.md 1.2)."""
    v4, v6, group, listed = way.far_fields
    kinds = ({v4, v6}, {group, *way.owner_fields}, {listed})
    is_of, to_be = ([kind for kind in kinds if kind & it.keys()][:1] for it in (before, given))
    if to_be and is_of != to_be:
        raise Refused(
            "The kind of the authorized object cannot be changed.", reason="InvalidOperation.ModifySgRuleEntityType"
        )
    if given.get("NicType", before["NicType"]).lower() != before["NicType"]:
        raise Refused("The NicType of a rule cannot be changed.", reason="InvalidOperation.ModifyNicType")
    is_of, to_be = ([{name} for name in _PORTS if name in it][:1] for it in (before, given))
    if to_be and is_of != to_be:
        raise Refused(
            "Ports cannot become a port list, nor the reverse.", reason="InvalidOperation.ModifyPortRangeType"
        )


def _nothing(right: str) -> Refused:
    return Refused(
        f"The request says nothing that changes a rule; {right}.", reason="InvalidParam.InvalidModifyRuleRequest"
    )
