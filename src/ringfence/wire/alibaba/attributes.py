"""What an account may have (DescribeAccountAttributes), and ClassicLink, which there is none of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from ringfence.control.draft import Draft
from ringfence.control.quotas import usage
from ringfence.errors import Refused
from ringfence.ram import actions as ram
from ringfence.resources.kind import Kind
from ringfence.wire.alibaba.common import REGION
from ringfence.wire.alibaba.operation import Call, Field, Operation, Product
from ringfence.wire.alibaba.paging import BY_NUMBER, by_number
from ringfence.wire.alibaba.parameters import invalid
from ringfence.wire.alibaba.regions import is_zone, zone_of
from ringfence.wire.request import Told

_GROUPS: Final = "groups_per_account"


def operations() -> Iterator[Operation]:
    """The operations."""
    fields = (REGION, Field("AttributeName.N", f"{', '.join(_ATTRIBUTES)}; all, where none is named"), Field("ZoneId"))
    doc = "Quotas, and the kinds of networks; there is no limit of network interfaces, so no value is told for it."
    yield Operation("DescribeAccountAttributes", Product.ECS, doc, (ram.DESCRIBE_QUOTAS,), _attributes, fields)
    doc = "Refused for every instance and VPC: the classic network has no links to VPCs here."
    fields = (REGION, Field("InstanceId", required=True), Field("VpcId", required=True))
    actions = (ram.MODIFY_INSTANCE_ATTRIBUTE,)
    yield Operation("AttachClassicLinkVpc", Product.ECS, doc, actions, _no_link, fields)
    yield Operation("DetachClassicLinkVpc", Product.ECS, doc, actions, _no_link, fields)
    doc, filters = "The links of the classic network to VPCs: none.", (Field("InstanceId"), Field("VpcId"), *BY_NUMBER)
    actions = (ram.DESCRIBE_INSTANCES,)
    yield Operation("DescribeClassicLinkInstances", Product.ECS, doc, actions, _links, (REGION, *filters))


# --- quotas


def _groups(call: Call) -> list[str]:
    state, account = call.state, call.caller.account
    return [str(it.allowed) for it in usage(state, account, fullest=0) if it.of is None and it.limit == _GROUPS]


def _nothing(_: Call) -> list[str]:
    return []


_ATTRIBUTES: Mapping[str, Callable[[Call], list[str]]] = {
    "max-security-groups": _groups,
    "max-elastic-network-interfaces": _nothing,
    "instance-network-type": lambda _: ["vpc", "classic"],
}
"""The values of what can be asked for."""


def _attributes(call: Call) -> Told:
    call.said.required("RegionId")
    call.control.authority.require_kind(call.caller, ram.DESCRIBE_QUOTAS, Kind.QUOTA)
    names = call.said.every("AttributeName") or tuple(_ATTRIBUTES)
    if unknown := [name for name in names if name not in _ATTRIBUTES]:
        raise invalid("AttributeName", f"use {', '.join(_ATTRIBUTES)}", unknown[0])
    told = [{"AttributeName": name, "AttributeValues": {"ValueItem": _items(call, name)}} for name in names]
    return {"AccountAttributeItems": {"AccountAttributeItem": told}}


def _items(call: Call, name: str) -> list[Told]:
    zone = call.said.text("ZoneId", zone_of(call))
    return [{"Value": value, "ZoneId": zone} for value in _ATTRIBUTES[name](call)] if is_zone(call, zone) else []


# --- ClassicLink


def _no_link(call: Call) -> Told:
    call.said.required("RegionId")
    instance, vpc = call.said.required("InstanceId"), call.said.required("VpcId")

    def work(draft: Draft) -> Told:
        found = draft.own(Kind.INSTANCE, instance)
        draft.require(ram.MODIFY_INSTANCE_ATTRIBUTE, found)
        draft.own(Kind.VPC, vpc)
        raise Refused("There is no ClassicLink here: the VPC has none enabled.", reason="UnsupportedOperation")

    return call.change(work)


def _links(call: Call) -> Told:
    call.said.required("RegionId")
    call.visible(Kind.INSTANCE)
    page, told = by_number(call.said, (), str, 100)
    return {"Links": {"Link": page}, **told}
