"""Lists of instances, and one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from ringfence.errors import Refused
from ringfence.ram import actions as ram
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource
from ringfence.wire.alibaba.common import REGION, json_list, matches
from ringfence.wire.alibaba.interface_lists import has_asked_address
from ringfence.wire.alibaba.machine_shapes import instance_told, ports_in
from ringfence.wire.alibaba.operation import Call, Field, Operation, Product
from ringfence.wire.alibaba.paging import BY_NUMBER, BY_TOKEN, either
from ringfence.wire.alibaba.parameters import Parameters, invalid
from ringfence.wire.alibaba.tagged import TAGS, has_tags
from ringfence.wire.request import Told

_EQUAL: Final = (
    *("HpcClusterId", "ImageId", "InstanceChargeType", "InstanceNetworkType", "InstanceType", "InstanceTypeFamily"),
    *("KeyPairName", "ResourceGroupId", "Status", "ZoneId"),
)
"""Filters that are told under the same name; of what is told as empty, nothing is found."""
_NEVER: Final = ("HttpEndpoint", "HttpPutResponseHopLimit", "HttpTokens", "InternetChargeType")
"""Filters by what no instance has here."""
_PLACES: Final[Mapping[str, Callable[[Mapping[str, Any]], list[str]]]] = {
    "InstanceIds": lambda told: [told["InstanceId"]],
    "PrivateIpAddresses": lambda told: told["VpcAttributes"]["PrivateIpAddress"]["IpAddress"],
    "InnerIpAddresses": lambda told: told["InnerIpAddress"]["IpAddress"],
    "PublicIpAddresses": lambda told: told["PublicIpAddress"]["IpAddress"],
    "EipAddresses": lambda _: [],
    "RdmaIpAddresses": lambda _: [],
}
"""Filters that are lists as JSON, and what of an instance may be in them."""
_HAD: Final[Mapping[str, Callable[[Mapping[str, Any]], list[str]]]] = {
    "LockReason": lambda told: [it["LockReason"] for it in told["OperationLocks"]["LockReason"]],
    "SecurityGroupId": lambda told: told["SecurityGroupIds"]["SecurityGroupId"],
    "VpcId": lambda told: [told["VpcAttributes"]["VpcId"]],
    "VSwitchId": lambda told: [told["VpcAttributes"]["VSwitchId"]],
}
_SINCE: Final = {"CreationStartTime": "since then", "CreationEndTime": "until then"}
_OF_LISTS: Final = (
    *("DeletionProtection", "HpcClusterId", "InstanceTypeFamily", "KeyPairName", "NetworkInterfaces", "RdmaIpAddress"),
    *("ResourceGroupId", "Tags"),
)
"""What lists tell of an instance, and `DescribeInstanceAttribute` does not."""
_OF_WORLD = frozenset({"AdditionalAttributes.N", "DeviceAvailable", "IoOptimized", "NeedSaleCycle"})


def operations() -> Iterator[Operation]:
    """The operations."""
    names = (*_EQUAL, *_NEVER, *_PLACES, *_HAD, "InstanceName", "Ipv6Address.N")
    fields = (Field("Filter.N.Key", f"one of {', '.join(_SINCE)}"), Field("Filter.N.Value", "2018-12-12T07:28Z"))
    actions = (ram.DESCRIBE_INSTANCES,)
    doc = "The account's instances. Filters by what is not kept, like images, find nothing."
    asked = (REGION, *map(Field, names), *fields, *TAGS, *BY_NUMBER, *BY_TOKEN)
    yield Operation("DescribeInstances", Product.ECS, doc, actions, _describe, asked, _OF_WORLD)
    doc, id_ = "One instance.", Field("InstanceId", required=True)
    yield Operation("DescribeInstanceAttribute", Product.ECS, doc, actions, _one, (id_,))


def _describe(call: Call) -> Told:
    said = call.said
    lists = {name: wanted for name in _PLACES if (wanted := json_list(said, name)) is not None}
    found = [it for it in call.visible(Kind.INSTANCE) if _is_asked_for(call, it, lists)]
    if said.flag("DryRun"):
        raise Refused("Request validation has been passed with DryRun flag set.", reason="DryRunOperation")
    page, more = either(said, found, lambda it: it.id, 100)
    return {**more, "Instances": {"Instance": [instance_told(call, it) for it in page]}}


def _is_asked_for(call: Call, resource: Resource, lists: Mapping[str, list[str]]) -> bool:
    said = call.said
    if any(name in said for name in _NEVER) or not (has_tags(resource, said) and _is_of_time(call, resource)):
        return False
    if resource.id not in lists.get("InstanceIds", (resource.id,)):
        return False
    if said.every("Ipv6Address"):
        ports = ports_in(call.state, resource.id)
        if not any(has_asked_address(call, port, "Ipv6Address") for port in ports):
            return False
    by_told = lists or any(name in said for name in (*_EQUAL, *_HAD, "InstanceName"))
    return not by_told or _is_told(said, instance_told(call, resource), lists)


def _is_told(said: Parameters, told: Mapping[str, Any], lists: Mapping[str, list[str]]) -> bool:
    """Whether what is told of an instance is what the filters ask for."""
    return (
        matches(told["InstanceName"], said.text("InstanceName", "*"))
        and all(said.text(name, told[name]) == told[name] for name in _EQUAL)
        and all(name not in said or said.text(name) in of(told) for name, of in _HAD.items())
        and all(set(_PLACES[name](told)) & set(wanted) for name, wanted in lists.items())
    )


def _is_of_time(call: Call, resource: Resource) -> bool:
    made = resource.created[:16]
    for each in call.said.parts("Filter"):
        key, value = each.required("Key"), each.required("Value")
        if key not in _SINCE:
            raise invalid(f"{each.path}Key", f"use {' or '.join(_SINCE)}", key)
        if (key == "CreationStartTime" and made < value[:16]) or (key == "CreationEndTime" and made > value[:16]):
            return False
    return True


def _one(call: Call) -> Told:
    told = instance_told(call, call.find(Kind.INSTANCE, call.said.required("InstanceId")))
    return {name: value for name, value in told.items() if name not in _OF_LISTS}
