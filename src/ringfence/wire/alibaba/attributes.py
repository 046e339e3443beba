"""What an account may have (DescribeAccountAttributes)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from ringfence.control.quotas import usage
from ringfence.ram import actions as ram
from ringfence.resources.kind import Kind
from ringfence.wire.alibaba.common import REGION
from ringfence.wire.alibaba.operation import Call, Field, Operation, Product
from ringfence.wire.alibaba.parameters import invalid
from ringfence.wire.alibaba.regions import is_zone, zone_of
from ringfence.wire.request import Told

_GROUPS: Final = "groups_per_account"


def operations() -> Iterator[Operation]:
    """The operations."""
    names = Field("AttributeName.N", f"{', '.join(_ATTRIBUTES)}; all, where none is named")
    doc = "Quotas, and the kinds of networks; there is no limit of network interfaces, so no value is told for it."
    actions, fields = (ram.DESCRIBE_QUOTAS,), (REGION, names, Field("ZoneId"))
    yield Operation("DescribeAccountAttributes", Product.ECS, doc, actions, _attributes, fields)


def _groups(call: Call) -> list[str]:
    found = usage(call.state, call.caller.account, fullest=0)
    return [str(it.allowed) for it in found if it.of is None and it.limit == _GROUPS]


_ATTRIBUTES: Mapping[str, Callable[[Call], list[str]]] = {
    "max-security-groups": _groups,
    "max-elastic-network-interfaces": lambda _: [],
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
    """The values of one, in the zone that the request asks for: there is one."""
    zone = call.said.text("ZoneId", zone_of(call))
    return [{"Value": value, "ZoneId": zone} for value in _ATTRIBUTES[name](call)] if is_zone(call, zone) else []
