"""VPCs, by the operations that the ECS package still has for them. What is made here has the profile alibaba.

There are no routers and no default VPCs: ids of routers are empty, and nothing is a default.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, cast

from ringfence.control import basic
from ringfence.control.draft import Draft
from ringfence.model.profile import ALIBABA
from ringfence.ram import actions as ram
from ringfence.resources.kind import Kind
from ringfence.resources.naming import Key
from ringfence.resources.resource import Resource
from ringfence.resources.values import SharedVpc
from ringfence.wire.alibaba.common import REGION, changed_fields, deleting, minute
from ringfence.wire.alibaba.operation import Call, Field, Operation, Product
from ringfence.wire.alibaba.paging import BY_NUMBER, by_number
from ringfence.wire.alibaba.parameters import Parameters, missing
from ringfence.wire.alibaba.texts import description_of, name_of
from ringfence.wire.request import Fault, Told

_CIDR: Final = "172.16.0.0/12"
"""The vendor's, where a request says none."""
_NAMES: Final = {"VpcName": "name", "Description": "description", "CidrBlock": "cidrs"}
_SAID = (Field("VpcName"), Field("Description"), Field("CidrBlock"))
_ROUTES = frozenset({"UserCidr"})
_FAULTS = {
    "resource.in_use": Fault(400, "DependencyViolation.VSwitch", "Specified VPC has dependent resources."),
    "QuotaExceed.Vpc": Fault(400, "QuotaExceeded.Vpc", "VPC quota exceeded."),
    "input.notation": Fault(400, "InvalidCidrBlock.Malformed", "Specified CIDR block is not valid."),
}


def operations() -> Iterator[Operation]:
    """The operations."""
    doc = "Makes a VPC of the profile alibaba; RouteTableId and VRouterId are empty: there are no routers."
    fields, actions = (REGION, *_SAID), (ram.CREATE_VPC,)
    yield Operation("CreateVpc", Product.ECS, doc, actions, _create, fields, _ROUTES, _FAULTS)
    doc, id_ = "Deletes a VPC with nothing in it.", Field("VpcId", required=True)
    yield Operation(
        "DeleteVpc", Product.ECS, doc, (ram.DELETE_VPC,), deleting(Kind.VPC, "VpcId"), (id_,), faults=_FAULTS
    )
    doc, asked = "The account's VPCs, of every profile.", (REGION, Field("VpcId"), Field("IsDefault"), *BY_NUMBER)
    yield Operation("DescribeVpcs", Product.ECS, doc, (ram.DESCRIBE_VPCS,), _describe, asked)
    doc, actions = "Changes name, description and address space.", (ram.MODIFY_VPC_ATTRIBUTE,)
    yield Operation("ModifyVpcAttribute", Product.ECS, doc, actions, _modify, (id_, *_SAID), _ROUTES, _FAULTS)


def _said(said: Parameters) -> dict[str, Any]:
    given = {
        "VpcName": name_of(said, "VpcName", "InvalidVpcName.Malformed"),
        "Description": description_of(said, "InvalidVpcDiscription.Malformed"),
        "CidrBlock": [said.text("CidrBlock")],
    }
    return changed_fields(said, given, _NAMES)


def _create(call: Call) -> Told:
    wanted = {"cidrs": [_CIDR]} | _said(call.said)

    def work(draft: Draft) -> Told:
        made = basic.create(draft, Kind.VPC, {**wanted, "profile": ALIBABA.name})
        return {"VpcId": made.id, "VRouterId": "", "RouteTableId": ""}

    return call.change(work)


def _modify(call: Call) -> Told:
    id_, wanted = call.said.required("VpcId"), _said(call.said)
    if not wanted:
        raise missing("VpcName")

    def work(draft: Draft) -> Told:
        found = draft.own(Kind.VPC, id_)
        more = [str(it) for it in cast("SharedVpc", found.value).vpc.cidrs[1:]]  # that another API gave it: they stay
        cidrs = {"cidrs": [*wanted["cidrs"], *more]} if "cidrs" in wanted else {}
        basic.update(draft, Kind.VPC, found.id, {**wanted, **cidrs})
        return {}

    return call.change(work)


def _describe(call: Call) -> Told:
    said = call.said
    found = call.visible(Kind.VPC)
    if id_ := said.text("VpcId"):
        found = [it for it in found if it.id in id_.split(",")]
    if said.flag("IsDefault"):
        found = []
    page, told = by_number(said, found, lambda it: it.id)
    return {**told, "Vpcs": {"Vpc": [_told(call, it) for it in page]}}


def _told(call: Call, resource: Resource) -> Told:
    vpc = cast("SharedVpc", resource.value).vpc
    subnets = [it.id for it in call.state.referrers(Key(Kind.VPC, resource.id)) if it.kind is Kind.SUBNET]
    return {
        "VpcId": resource.id,
        "VpcName": resource.name,
        "Description": resource.description,
        "CidrBlock": str(vpc.cidrs[0]) if vpc.cidrs else "",
        "UserCidrs": {"UserCidr": []},
        "VSwitchIds": {"VSwitchId": subnets},
        "IsDefault": False,
        "Status": "Available",
        "VRouterId": "",
        "RegionId": call.region,
        "CreationTime": minute(resource),
    }
