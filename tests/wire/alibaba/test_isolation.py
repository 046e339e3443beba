"""What is another account's looks as if it was not there, and names are not taken for ids: in every parameter."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import pytest

from ringfence.wire.alibaba.operation import Operation
from ringfence.wire.alibaba.registry import OPERATIONS
from tests.wire.alibaba.peopled import GOOD, NAME, Peopled, kind_of
from tests.wire.sdks import REGION
from tests.wire.test_refusals import asked

_RULE: Final = {"IpProtocol": "tcp", "PortRange": "80/80"}
_TAG: Final = {"ResourceType": "securitygroup", "Tag.1.Key": "env", "Tag.1.Value": "test"}
_ENTRY: Final = {"Policy": "accept", "Protocol": "tcp", "Port": "80/80"}
_MORE: Final[dict[str, dict[str, str]]] = {
    "AssignIpv6Addresses": {"Ipv6AddressCount": "1"},
    "AssignPrivateIpAddresses": {"SecondaryPrivateIpAddressCount": "1"},
    "AssociateNetworkAcl": {"Resource.1.ResourceType": "VSwitch", "Resource.1.ResourceId": "switch"},
    "AuthorizeSecurityGroup": {**_RULE, "SourceCidrIp": "10.0.0.0/8"},
    "AuthorizeSecurityGroupEgress": {**_RULE, "DestCidrIp": "10.0.0.0/8"},
    **{
        f"{verb}SecurityGroup{way} Permissions": {f"Permissions.1.{name}": text for name, text in _RULE.items()}
        | {f"Permissions.1.{side}CidrIp": "10.0.0.0/8"}
        for verb in ("Authorize", "Revoke")
        for way, side in (("", "Source"), ("Egress", "Dest"))
    },
    "ConfigureSecurityGroupPermissions": {
        f"{verb}Permissions.1.{name}": text
        for verb in ("Authorize", "Revoke")
        for name, text in {**_RULE, "SourceCidrIp": "10.0.0.0/8", "DestCidrIp": "10.9.0.0/16"}.items()
    },
    "CreateNetworkInterface": {"SecurityGroupId": "group"},
    "JoinResourceGroup": {"ResourceType": "securitygroup", "ResourceId": "group"},
    "JoinSecurityGroup": {"InstanceId": "instance"},
    "LeaveSecurityGroup": {"InstanceId": "instance"},
    "ModifyNetworkAclAttributes": {"NetworkAclName": "edge"},
    "ModifyNetworkInterfaceAttribute": {"Description": "an interface"},
    "ModifySecurityGroupRule": {"SecurityGroupRuleId": "rule", "Policy": "drop"},
    "ModifySecurityGroupEgressRule": {"SecurityGroupRuleId": "rule", "Policy": "drop"},
    "ModifyVpcAttribute": {"VpcName": "store"},
    "ModifyVSwitchAttribute": {"VSwitchName": "store"},
    "RevokeSecurityGroup": {**_RULE, "SourceCidrIp": "10.0.0.0/8"},
    "RevokeSecurityGroupEgress": {**_RULE, "DestCidrIp": "10.0.0.0/8"},
    "CreateNetworkInterface SecurityGroupIds": {},
    "RunInstances SecurityGroupIds": {"VSwitchId": "switch"},
    "RunInstances": {"VSwitchId": "switch", "SecurityGroupId": "group", "NetworkInterface.1.SecurityGroupId": "group"},
    "CreateInstance": {"VSwitchId": "switch", "SecurityGroupId": "group"},
    "AddTags": {**_TAG, "ResourceId": "group"},
    "RemoveTags": {**_TAG, "ResourceId": "group"},
    "TagResources": {**_TAG, "ResourceId.1": "group"},
    "UntagResources": {"ResourceType": "securitygroup", "TagKey.1": "env", "ResourceId.1": "group"},
    "ListTagResources": {"ResourceType": "securitygroup"},
    "UnassignIpv6Addresses": {"Ipv6Address.1": "fd00::9"},
    "UnassignPrivateIpAddresses": {"PrivateIpAddress.1": "10.1.0.99"},
    "UnassociateNetworkAcl": {"Resource.1.ResourceType": "VSwitch", "Resource.1.ResourceId": "switch"},
    "UpdateNetworkAclEntries": {
        **{f"{way}AclEntries.1.{name}": text for way in ("Ingress", "Egress") for name, text in _ENTRY.items()},
        **dict.fromkeys(("UpdateIngressAclEntries", "UpdateEgressAclEntries"), "true"),
        "IngressAclEntries.1.SourceCidrIp": "0.0.0.0/0",
        "EgressAclEntries.1.DestinationCidrIp": "0.0.0.0/0",
    },
}
"""What an operation needs besides what it says to be required; words for kinds stand for ids of such things."""
_ALONE: Final = {
    "InstanceId": ("NetworkInterfaceId",),
    "NetworkInterfaceId": ("InstanceId", "SecurityGroupId"),
    "SecurityGroupIds.N": ("SecurityGroupId",),
    "SourceGroupId": ("SourceCidrIp",),
    "SourcePrefixListId": ("SourceCidrIp",),
    "DestGroupId": ("DestCidrIp",),
    "DestPrefixListId": ("DestCidrIp",),
    "PortRangeListId": ("PortRange",),
}
"""What must not be said besides some parameters, for these to mean something."""
_NEVER_FOUND: Final = (
    "DescribeClassicLinkInstances",  # there are no links
    *("ModifySecurityGroupEgressRule", "RevokeSecurityGroupEgress SecurityGroupRuleId"),  # the rules are ingress ones
    # a rule keeps the kind of what it names
    *(f"ModifySecurityGroupRule {name}" for name in ("PortRangeListId", "SourceGroupId", "SourcePrefixListId")),
    "UpdateNetworkAclEntries EgressAclEntries.1.NetworkAclEntryId",
)
"""What nothing of one's own is, in these accounts."""


@dataclass(frozen=True)
class Place:
    """A parameter that names something, in a request that is right otherwise."""

    operation: Operation
    parameter: str
    kind: str
    said: dict[str, str]


def _places(own: Peopled) -> Iterator[Place]:
    for operation in OPERATIONS.values():
        for name in sorted(operation.known - operation.ignored):
            if kind := _kind(operation, name):
                yield Place(operation, _first(name), kind, _said(own, operation, name))


def _first(name: str) -> str:
    return re.sub(r"\.N(?=\.|$)", ".1", name)


def _kind(operation: Operation, name: str) -> str:
    if name in ("IngressAclEntries.N.SourceCidrIp", "EgressAclEntries.N.DestinationCidrIp"):
        return "list"
    if "ResourceId" in name:
        return "switch" if "Acl" in operation.name else "group"
    return kind_of(name)


def _said(own: Peopled, operation: Operation, tried: str) -> dict[str, str]:
    """A request that is right, but for what is tried in it."""
    needed = {it.name for it in operation.fields if it.required and it.name.count(".") == it.name.endswith(".N")}
    said = {name: own.ids[kind][0] if (kind := kind_of(name)) else GOOD.get(name, "") for name in needed}
    more = _MORE.get(f"{operation.name} {tried.partition('.')[0]}", _MORE.get(operation.name, {}))
    said |= {name: own.ids.get(text, [text])[0] for name, text in more.items()}
    path, _, last = tried.removesuffix(".N").rpartition(".")
    path = _first(f"{path}." if path else "")
    for other in set(_ALONE.get(f"{last}.N" if tried.endswith(".N") else last, ())) - needed:
        said.pop(path + other, None)
    if path.endswith("ePermissions.1.") and last.startswith("Dest"):
        said[f"{path}Direction"] = "egress"
    changes = not operation.name.startswith(("Describe", "List"))
    always = {"RegionId": REGION} | ({"DryRun": "true"} if changes else {})
    return {_first(name): text for name, text in (said | always).items()}


@pytest.fixture(scope="module")
def accounts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Peopled, Peopled]]:
    with asked(tmp_path_factory.mktemp("service")) as service:
        yield Peopled.of(service.alibaba), Peopled.of(service.alibaba)


def _told(own: Peopled, place: Place, text: str) -> tuple[int, str]:
    """Status and code; of what is not refused, the answer, without what was asked for."""
    listed = place.parameter in ("InstanceIds", "SecurityGroupIds")
    said = place.said | {place.parameter: json.dumps([text]) if listed else text}
    answer = own.alibaba.answer(own.raw.rpc(place.operation.name, place.operation.product, said))
    told = json.loads(answer.body)
    del told["RequestId"]
    return answer.status, told.get("Code") or json.dumps(told).replace(text, "?")


def test_what_is_anothers_looks_as_if_it_was_not_there(accounts: tuple[Peopled, Peopled]) -> None:
    own, other = accounts
    before = own.alibaba.service.control.state
    places = list(_places(own))
    for place in places:
        theirs = other.ids[place.kind][0]
        told = {_told(own, place, text) for text in (theirs, f"{theirs[:-4]}0000", NAME)}
        assert len(told) == 1, (place.operation.name, place.parameter, told)
        ((_, code),) = told
        assert not code.startswith("MissingParameter"), (place.operation.name, place.parameter)
    assert len(places) > 150
    assert own.alibaba.service.control.state is before


def test_what_is_ones_own_is_found(accounts: tuple[Peopled, Peopled]) -> None:
    """So that the test above is of ids that mean something where they are tried."""
    own, _ = accounts
    for place in _places(own):
        mine = {_told(own, place, id_) for id_ in own.ids[place.kind]}
        nothing = _told(own, place, f"{own.ids[place.kind][0][:-4]}0000")
        where = f"{place.operation.name} {place.parameter}"
        assert mine != {nothing} or any(map(where.startswith, _NEVER_FOUND)), (where, nothing)
