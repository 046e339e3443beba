"""Lists of instances, and one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from ringfence.errors import Refused
from ringfence.ram import actions as ram
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource
from ringfence.wire.alibaba.common import REGION, json_list, matches, refuse_resource_group
from ringfence.wire.alibaba.interface_lists import addresses_asked
from ringfence.wire.alibaba.machine_shapes import has_address, instance_told, ports_in
from ringfence.wire.alibaba.operation import Call, Field, Operation, Product
from ringfence.wire.alibaba.paging import BY_NUMBER, BY_TOKEN, either
from ringfence.wire.alibaba.parameters import invalid
from ringfence.wire.alibaba.tagged import TAGS, has_tags
from ringfence.wire.request import Told

_EQUAL: Final = ("HpcClusterId", "ImageId", "InstanceNetworkType", "InstanceType", "KeyPairName", "Status", "ZoneId")
_EQUAL_TOO: Final = ("InstanceChargeType", "InstanceTypeFamily")
"""Filters that are told under the same name; of what is told as empty, nothing is found."""
_NEVER: Final = ("HttpEndpoint", "HttpPutResponseHopLimit", "HttpTokens", "InternetChargeType", "LockReason")
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
    "SecurityGroupId": lambda told: told["SecurityGroupIds"]["SecurityGroupId"],
    "VpcId": lambda told: [told["VpcAttributes"]["VpcId"]],
    "VSwitchId": lambda told: [told["VpcAttributes"]["VSwitchId"]],
}
_SINCE: Final = {"CreationStartTime": "since then", "CreationEndTime": "until then"}
_OF_WORLD = frozenset({"AdditionalAttributes.N", "DeviceAvailable", "IoOptimized", "NeedSaleCycle"})


def operations() -> Iterator[Operation]:
    """The operations."""
    names = (*_EQUAL, *_EQUAL_TOO, *_NEVER, *_PLACES, *_HAD, "InstanceName", "Ipv6Address.N", "ResourceGroupId")
    fields = (Field("Filter.N.Key", f"one of {', '.join(_SINCE)}"), Field("Filter.N.Value", "2018-12-12T07:28Z"))
    actions = (ram.DESCRIBE_INSTANCES,)
    doc = "The account's instances. Filters by what is not kept, like images, find nothing."
    asked = (REGION, *map(Field, names), *fields, *TAGS, *BY_NUMBER, *BY_TOKEN)
    yield Operation("DescribeInstances", Product.ECS, doc, actions, _describe, asked, _OF_WORLD)
    doc, id_ = "One instance.", Field("InstanceId", required=True)
    yield Operation("DescribeInstanceAttribute", Product.ECS, doc, actions, _one, (id_,))


def _describe(call: Call) -> Told:
    said = call.said
    said.required("RegionId")
    refuse_resource_group(call)
    wanted, lists = addresses_asked(call, "Ipv6Address"), {name: json_list(said, name) for name in _PLACES}
    found = []
    for each in call.visible(Kind.INSTANCE):
        told = instance_told(call, each)
        ports = ports_in(call.state, each.id)
        fits = not wanted or any(has_address(port, wanted) for port in ports)
        if fits and has_tags(each, said) and _is_asked_for(call, told, lists) and _is_of_time(call, each):
            found.append(told)
    if said.flag("DryRun"):
        raise Refused("Request validation has been passed with DryRun flag set.", reason="DryRunOperation")
    page, more = either(said, found, lambda it: str(it["InstanceId"]), 100)
    return {**more, "Instances": {"Instance": page}}


def _is_asked_for(call: Call, told: Mapping[str, Any], lists: Mapping[str, list[str] | None]) -> bool:
    said = call.said
    return (
        matches(told["InstanceName"], said.text("InstanceName", "*"))
        and not any(name in said for name in _NEVER)
        and all(told[name] == said.text(name, told[name]) for name in (*_EQUAL, *_EQUAL_TOO))
        and all(name not in said or said.text(name) in of(told) for name, of in _HAD.items())
        and all(lists[name] is None or set(of(told)) & set(lists[name] or ()) for name, of in _PLACES.items())
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
    return {name: value for name, value in told.items() if name not in ("Tags", "NetworkInterfaces")}
