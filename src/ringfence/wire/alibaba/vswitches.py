"""vSwitches: subnets, by the operations that the ECS package still has for them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, cast

from ringfence.control import basic
from ringfence.control.draft import Draft
from ringfence.control.reading import addresses_left
from ringfence.model.topology import Subnet
from ringfence.ram import actions as ram
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource
from ringfence.wire.alibaba.common import changed_fields, deleting, minute
from ringfence.wire.alibaba.operation import Call, Field, Operation, Product
from ringfence.wire.alibaba.paging import BY_NUMBER, by_number
from ringfence.wire.alibaba.parameters import Parameters, invalid, missing
from ringfence.wire.alibaba.regions import is_zone, zone_of
from ringfence.wire.alibaba.texts import description_of, name_of
from ringfence.wire.request import Fault, Told

_NAMES: Final = {"VSwitchName": "name", "Description": "description"}
_ID = Field("VSwitchId", required=True)
_SAID = (Field("VSwitchName"), Field("Description"))
_MALFORMED = Fault(400, "InvalidCidrBlock.Malformed", "Specified CIDR block is not valid.")
_FAULTS = {
    "resource.in_use": Fault(400, "DependencyViolation", "Specified object has dependent resources."),
    "input.notation": _MALFORMED,
    "world.outside_vpc": Fault(400, "InvalidCidrBlock.Malformed"),
    "world.subnet_size": Fault(400, "InvalidCidrBlock.Malformed"),
    "world.overlap": Fault(400, "InvalidCidrBlock.Overlapped"),
    "InvalidZoneId.NotFound": Fault(404, "InvalidZoneId.NotFound"),
    "limit.subnets_per_vpc": Fault(400, "QuotaExceeded"),
}


def operations() -> Iterator[Operation]:
    """The operations."""
    needed = (Field("VpcId", required=True), Field("CidrBlock", required=True), Field("ZoneId", required=True))
    doc, actions = "Makes a vSwitch, in the server's only zone.", (ram.CREATE_V_SWITCH,)
    yield Operation("CreateVSwitch", Product.ECS, doc, actions, _create, (*needed, *_SAID), faults=_FAULTS)
    doc, actions = "Deletes a vSwitch with nothing in it.", (ram.DELETE_V_SWITCH,)
    yield Operation(
        "DeleteVSwitch", Product.ECS, doc, actions, deleting(Kind.SUBNET, "VSwitchId"), (_ID,), faults=_FAULTS
    )
    fields = (*map(Field, ("VSwitchId", "VpcId", "ZoneId", "IsDefault")), *BY_NUMBER)
    doc, actions = "The account's vSwitches.", (ram.DESCRIBE_V_SWITCHES,)
    yield Operation("DescribeVSwitches", Product.ECS, doc, actions, _describe, fields)
    doc, actions = "Changes name and description.", (ram.MODIFY_V_SWITCH_ATTRIBUTE,)
    yield Operation("ModifyVSwitchAttribute", Product.ECS, doc, actions, _modify, (_ID, *_SAID))


def _said(said: Parameters) -> dict[str, Any]:
    given = {
        "VSwitchName": name_of(said, "VSwitchName", "InvalidVSwitchName.Malformed"),
        "Description": description_of(said, "InvalidDescription.Malformed"),
    }
    return changed_fields(said, given, _NAMES)


def _create(call: Call) -> Told:
    said = call.said
    vpc, cidr, wanted = said.required("VpcId"), said.required("CidrBlock"), _said(said)
    if not is_zone(call, said.required("ZoneId")):
        what = f"the zone is {zone_of(call)}"
        raise invalid("ZoneId", what, said.text("ZoneId"), "InvalidZoneId.NotFound")

    def work(draft: Draft) -> Told:
        made = basic.create(draft, Kind.SUBNET, {**wanted, "vpc": draft.own(Kind.VPC, vpc).id, "cidr": cidr})
        return {"VSwitchId": made.id}

    return call.change(work)


def _modify(call: Call) -> Told:
    id_, wanted = call.said.required("VSwitchId"), _said(call.said)
    if not wanted:
        raise missing("VSwitchName")

    def work(draft: Draft) -> Told:
        basic.update(draft, Kind.SUBNET, draft.own(Kind.SUBNET, id_).id, wanted)
        return {}

    return call.change(work)


def _describe(call: Call) -> Told:
    said = call.said
    found = call.visible(Kind.SUBNET)
    if id_ := said.text("VSwitchId"):
        found = [it for it in found if it.id in id_.split(",")]
    if vpc := said.text("VpcId"):
        found = [it for it in found if cast("Subnet", it.value).vpc == vpc]
    if said.flag("IsDefault") or not is_zone(call, said.text("ZoneId", zone_of(call))):
        found = []
    page, told = by_number(said, found, lambda it: it.id)
    return {**told, "VSwitches": {"VSwitch": [_told(call, it) for it in page]}}


def _told(call: Call, resource: Resource) -> Told:
    subnet = cast("Subnet", resource.value)
    return {
        "VSwitchId": resource.id,
        "VSwitchName": resource.name,
        "Description": resource.description,
        "VpcId": subnet.vpc,
        "CidrBlock": str(subnet.cidr or ""),
        "AvailableIpAddressCount": addresses_left(call.state, subnet),
        "ZoneId": zone_of(call),
        "IsDefault": False,
        "Status": "Available",
        "ResourceGroupId": "",
        "CreationTime": minute(resource),
    }
