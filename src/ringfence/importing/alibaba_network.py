"""Where things are, as Alibaba's DescribeVpcs, -VSwitches, -Instances and -NetworkInterfaces tell it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ringfence.importing.alibaba import classic, read_attribute, read_group
from ringfence.importing.drafted import InterfaceDraft
from ringfence.importing.reading import Read, Reading, fields
from ringfence.importing.report import Outcome
from ringfence.importing.services import address_of, prefix_of
from ringfence.importing.source import Item
from ringfence.model.address import Address


def read_vpc(reading: Reading, item: Item) -> None:
    """One of ``Vpcs``."""
    names = [name for name in ("CidrBlock", "Ipv6CidrBlock") if item.text(name)]
    prefixes = [item.parsed(prefix_of, name) for name in names]
    prefixes += [each.parsed(prefix_of) for each in item.part("SecondaryCidrBlocks").items("SecondaryCidrBlock")]
    reading.draft.vpc(item, item.need("VpcId"), item.text("VpcName"), prefixes)


def read_vswitch(reading: Reading, item: Item) -> None:
    """One of ``VSwitches``. Its network ACL is told: its lines are another product's answers."""
    names = [name for name in ("CidrBlock", "Ipv6CidrBlock") if item.text(name)]
    id_ = item.need("VSwitchId")
    prefixes = [item.parsed(prefix_of, name) for name in names]
    reading.draft.subnet(item, id_, item.need("VpcId"), item.text("VSwitchName"), prefixes)
    if acl := item.text("NetworkAclId"):
        reading.draft.edges[id_] = (item, acl)


def read_instance(reading: Reading, item: Item) -> None:
    """One of ``Instances``: its interfaces, or where they are not listed, the one that it tells of itself."""
    id_, place = item.need("InstanceId"), item.part("VpcAttributes")
    groups = item.part("SecurityGroupIds").texts("SecurityGroupId")
    vpc = place.text("VpcId") or classic(reading, item)
    own = [each.parsed(address_of) for each in place.part("PrivateIpAddress").items("IpAddress")]
    own += [each.parsed(address_of) for each in item.part("InnerIpAddress").items("IpAddress")]
    listed = item.part("NetworkInterfaces").items("NetworkInterface")
    primary = next((each for each in listed if each.text("Type") != "Secondary"), None)
    key = primary.text("NetworkInterfaceId") if primary else ""
    label = item.text("InstanceName")
    new = InterfaceDraft(item, id_, label, vpc, place.text("VSwitchId"), own, groups)
    reading.draft.interface(key or f"{id_}-eth0", new)
    _tell_public(reading, item, id_)
    for each in listed:
        if each is not primary and each.text("NetworkInterfaceId") not in reading.draft.interfaces:
            why = "DescribeInstances tells no groups of it; give DescribeNetworkInterfaces first"
            reading.draft.no_interface(each, f"interface {each.text('NetworkInterfaceId')}", why)


def _tell_public(reading: Reading, item: Item, id_: str) -> None:
    public = [each.text() for each in item.part("PublicIpAddress").items("IpAddress")]
    for text in filter(None, [*public, item.part("EipAddress").text("IpAddress")]):
        why = "a world knows machines by their private addresses"
        done = "rules that name it mean nobody here"
        reading.draft.report.note(Outcome.TOLD, item, f"public address {text} of {id_}", why, done)


def read_interface(reading: Reading, item: Item) -> None:
    """One of ``NetworkInterfaceSets``; one that no instance has meets no packet."""
    id_, machine = item.need("NetworkInterfaceId"), item.text("InstanceId")
    if not machine:
        reading.draft.no_interface(item, f"interface {id_}", "no machine has it, so no packet meets it")
        return
    groups = item.part("SecurityGroupIds").texts("SecurityGroupId")
    order = 1 if item.text("Type") == "Secondary" else 0
    place = (item.text("VpcId"), item.text("VSwitchId"))
    reading.draft.interface(id_, InterfaceDraft(item, machine, "", *place, _addresses(item), groups, order))


def _addresses(item: Item) -> list[Address]:
    found = [item] if item.text("PrivateIpAddress") else []
    found += item.part("PrivateIpSets").items("PrivateIpSet")
    own = [each.parsed(address_of, "PrivateIpAddress") for each in found]
    own += [each.parsed(address_of, "Ipv6Address") for each in item.part("Ipv6Sets").items("Ipv6Set")]
    return list(dict.fromkeys(own))


LISTS: Final[Mapping[tuple[str, str], Read]] = {
    ("SecurityGroups", "SecurityGroup"): read_group,
    ("Vpcs", "Vpc"): read_vpc,
    ("VSwitches", "VSwitch"): read_vswitch,
    ("Instances", "Instance"): read_instance,
    ("NetworkInterfaceSets", "NetworkInterfaceSet"): read_interface,
}
"""What reads the things of a list, by the names of the list and of the list inside of it."""
_PASSED: Final = fields("RequestId RegionId PageNumber PageSize TotalCount NextToken MaxResults")


def read_answer(reading: Reading, item: Item) -> None:
    """One answer of an API."""
    if item.has("Permissions"):
        read_attribute(reading, item)
        return
    lists = {outer: inner for outer, inner in LISTS if item.has(outer)}
    if not lists:
        known = ", ".join(outer for outer, _ in LISTS)
        raise item.bad("no list is in it that such an answer has", f"give one of {known}, or Permissions")
    reading.decisive(item, lists.keys(), _PASSED)
    for outer, inner in lists.items():
        listed = item.part(outer).items(inner)
        for each in listed:
            LISTS[outer, inner](reading, each)
        total = item.number("TotalCount")
        if item.text("NextToken") or (total is not None and total > len(listed)):
            why = f"the answer is one page of several: {len(listed)} of {total or 'more'}"
            reading.draft.report.note(
                Outcome.TOLD, item.get(outer), f"further {outer}", why, "the other pages must be among the files"
            )
