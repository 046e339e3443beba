"""Lists of network interfaces, and one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, cast

from ringfence.errors import NotationError
from ringfence.model.address import Address
from ringfence.ram import actions as ram
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource
from ringfence.resources.values import PortAt
from ringfence.wire.alibaba.common import REGION, matches
from ringfence.wire.alibaba.machine_shapes import interface_told, port_of, primary_address, status_of, type_of
from ringfence.wire.alibaba.operation import Call, Field, Operation, Product
from ringfence.wire.alibaba.paging import BY_NUMBER, BY_TOKEN, Sizes, either
from ringfence.wire.alibaba.parameters import invalid
from ringfence.wire.alibaba.tagged import TAGS, has_tags
from ringfence.wire.request import Told

_MOST = 500
_NAMES = (
    *("InstanceId", "Ipv6Address.N", "NetworkInterfaceId.N", "NetworkInterfaceName", "PrimaryIpAddress"),
    *("PrivateIpAddress.N", "ResourceGroupId", "SecurityGroupId", "ServiceManaged", "Status", "Type"),
    *("VSwitchId", "VpcId"),
)
_EQUAL: Final[Mapping[str, Callable[[Call, Resource], str]]] = {
    "InstanceId": lambda _, it: port_of(it).instance,
    "PrimaryIpAddress": lambda _, it: primary_address(port_of(it)),
    "Status": lambda _, it: status_of(port_of(it)),
    "Type": lambda call, it: type_of(call.state, it),
    "VSwitchId": lambda _, it: port_of(it).subnet,
    "VpcId": lambda _, it: port_of(it).vpc,
    "ResourceGroupId": lambda _, it: "",
}
"""Filters, and what of a port must be so."""


def operations() -> Iterator[Operation]:
    """The operations."""
    actions = (ram.DESCRIBE_NETWORK_INTERFACES,)
    fields = (REGION, *map(Field, _NAMES), *TAGS, *BY_NUMBER, *BY_TOKEN)
    doc = "The account's network interfaces, attached or not; every filter is served. The source check is always on."
    yield Operation("DescribeNetworkInterfaces", Product.ECS, doc, actions, _describe, fields)
    fields = (
        REGION,
        Field("NetworkInterfaceId", required=True),
        Field("Attribute", "everything is told anyway"),
        *TAGS,
    )
    doc = "One network interface."
    yield Operation("DescribeNetworkInterfaceAttribute", Product.ECS, doc, actions, _one, fields)


def has_asked_address(call: Call, resource: Resource, name: str) -> bool:
    """Whether a port has one of the addresses of a list, or none is asked for; raises `InvalidFields`."""
    wanted = [_address(name, text) for text in call.said.every(name)]
    return not wanted or any(address in wanted for address in port_of(resource).addresses)


def _address(name: str, text: str) -> Address:
    try:
        return Address.parse(text)
    except NotationError as error:
        raise invalid(name, error.right, text) from None


def _describe(call: Call) -> Told:
    said = call.said
    said.required("RegionId")
    seen = [] if said.flag("ServiceManaged") else call.visible(Kind.PORT)
    found = [it for it in seen if _is_asked_for(call, it)]
    page, told = either(said, found, lambda it: it.id, _MOST, Sizes(most=_MOST))
    return {**told, "NetworkInterfaceSets": {"NetworkInterfaceSet": [interface_told(call, it) for it in page]}}


def _is_asked_for(call: Call, resource: Resource) -> bool:
    said = call.said
    ids, group = said.every("NetworkInterfaceId"), said.text("SecurityGroupId")
    return (
        (not ids or resource.id in ids)
        and (not group or group in port_of(resource).groups)
        and matches(cast("PortAt", resource.value).label, said.text("NetworkInterfaceName", "*"))
        and all(name not in said or said.text(name) == of(call, resource) for name, of in _EQUAL.items())
        and has_asked_address(call, resource, "PrivateIpAddress")
        and has_asked_address(call, resource, "Ipv6Address")
        and has_tags(resource, said)
    )


def _one(call: Call) -> Told:
    call.said.required("RegionId")
    found = call.find(Kind.PORT, call.said.required("NetworkInterfaceId"))
    if not has_tags(found, call.said):
        return {}
    return interface_told(call, found) | {"Attachment": _attachment(call, found)}


def _attachment(call: Call, resource: Resource) -> Told:
    told: Told = interface_told(call, resource)["Attachment"]
    hanging: Sequence[str] = [key.id for key in call.state.referrers(resource.key) if key.kind is Kind.PORT]
    return {**told, "MemberNetworkInterfaceIds": {"MemberNetworkInterfaceId": hanging}}
