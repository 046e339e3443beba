"""VPCs, vSwitches, tags, quotas and ClassicLink, by both SDKs."""

from __future__ import annotations

from typing import Any

import pytest
from alibabacloud_ecs20140526 import models as ecs

from tests.wire.alibaba.estate import ZONE, Estate, old, refusal
from tests.wire.cloud import Cloud
from tests.wire.proving import proves
from tests.wire.sdks import REGION

pytestmark = pytest.mark.packets


@proves("alibaba CreateVpc", "alibaba DescribeVpcs", "alibaba ModifyVpcAttribute", "alibaba DeleteVpc")
@proves("alibaba CreateVSwitch", "alibaba DescribeVSwitches", "alibaba ModifyVSwitchAttribute", "alibaba DeleteVSwitch")
def test_vpcs_and_vswitches_live_and_die(shared: Cloud) -> None:
    estate = Estate.of(shared)
    vpc = old(estate.sdks, "CreateVpc", VpcName="shop", Description="of the shop")["VpcId"]
    names = {"vpc_name": "store", "description": "a store", "cidr_block": "192.168.0.0/16"}
    estate.ecs.modify_vpc_attribute(ecs.ModifyVpcAttributeRequest(vpc_id=vpc, **names))
    switch = old(estate.sdks, "CreateVSwitch", VpcId=vpc, CidrBlock="192.168.1.0/24", ZoneId=ZONE)["VSwitchId"]
    request = ecs.ModifyVSwitchAttributeRequest(v_switch_id=switch, v_switch_name="front", description="the front")
    estate.ecs.modify_vswitch_attribute(request)
    estate.instance(estate.group(vpc=vpc), subnet=switch)
    (told,) = estate.ecs.describe_vpcs(ecs.DescribeVpcsRequest(region_id=REGION, vpc_id=vpc)).body.vpcs.vpc
    assert {name: getattr(told, name) for name in names} == names
    assert (told.status, told.is_default, told.v_switch_ids.v_switch_id) == ("Available", False, [switch])
    body = estate.ecs.describe_vswitches(ecs.DescribeVSwitchesRequest(vpc_id=vpc, zone_id=ZONE)).body
    (front,) = body.v_switches.v_switch
    assert (front.v_switch_id, front.v_switch_name, front.available_ip_address_count) == (switch, "front", 252)
    body = estate.ecs.describe_vpcs(ecs.DescribeVpcsRequest(region_id=REGION, page_number=2, page_size=1)).body
    assert (body.total_count, body.page_number, len(body.vpcs.vpc)) == (2, 2, 1)
    with estate.native() as client:
        assert client.get(f"/v1/vpcs/{vpc}")["profile"] == "alibaba"
    assert refusal(old, estate.sdks, "DeleteVSwitch", VSwitchId=switch) == (400, "DependencyViolation")
    assert refusal(old, estate.sdks, "DeleteVpc", VpcId=vpc) == (400, "DependencyViolation.VSwitch")
    empty = estate.ecs.create_vpc(ecs.CreateVpcRequest(region_id=REGION)).body.vpc_id
    spare = old(estate.sdks, "CreateVSwitch", VpcId=empty, CidrBlock="172.16.0.0/24", ZoneId=ZONE)["VSwitchId"]
    estate.ecs.delete_vswitch(ecs.DeleteVSwitchRequest(v_switch_id=spare))
    estate.ecs.delete_vpc(ecs.DeleteVpcRequest(vpc_id=empty))
    assert old(estate.sdks, "DescribeVpcs", VpcId=empty)["TotalCount"] == 0


@proves("alibaba TagResources", "alibaba UntagResources", "alibaba ListTagResources", "alibaba AddTags")
@proves("alibaba RemoveTags", "alibaba DescribeTags", "alibaba DescribeResourceByTags", "alibaba JoinResourceGroup")
def test_tags_are_given_found_and_taken(shared: Cloud) -> None:
    estate = Estate.of(shared)
    groups = [estate.group() for _ in range(3)]
    tags = [ecs.TagResourcesRequestTag(key=key, value=value) for key, value in (("env", "prod"), ("team", "a"))]
    kind: dict[str, Any] = {"region_id": REGION, "resource_type": "securitygroup"}
    estate.ecs.tag_resources(ecs.TagResourcesRequest(**kind, resource_id=groups[:2], tag=tags))
    old(
        estate.sdks,
        "AddTags",
        ResourceType="securitygroup",
        ResourceId=groups[2],
        Tags=[{"Key": "env", "Value": "test"}],
    )

    def listed(**said: Any) -> list[tuple[str, str, str]]:
        found = estate.ecs.list_tag_resources(ecs.ListTagResourcesRequest(**kind, **said)).body.tag_resources
        return [(it.resource_id, it.tag_key, it.tag_value) for it in found.tag_resource]

    assert len(listed()) == 5
    assert listed(resource_id=[groups[2]]) == [(groups[2], "env", "test")]
    prod = ecs.ListTagResourcesRequestTag(key="env", value="prod")
    assert {it[0] for it in listed(tag=[prod])} == {*groups[:2]}
    either = ecs.ListTagResourcesRequestTagFilter(tag_key="env", tag_values=["test", "none"])
    assert listed(tag_filter=[either]) == [(groups[2], "env", "test")]
    told = estate.ecs.describe_tags(ecs.DescribeTagsRequest(region_id=REGION)).body
    counts = {(it.tag_key, it.tag_value): it.resource_type_count.securitygroup for it in told.tags.tag}
    assert counts == {("env", "prod"): 2, ("env", "test"): 1, ("team", "a"): 2}
    assert told.total_count == 3
    tag = ecs.DescribeResourceByTagsRequestTag(key="team", value="a")
    found = estate.ecs.describe_resource_by_tags(ecs.DescribeResourceByTagsRequest(region_id=REGION, tag=[tag])).body
    assert {(it.resource_id, it.resource_type) for it in found.resources.resource} == {
        (it, "securitygroup") for it in groups[:2]
    }
    estate.ecs.untag_resources(ecs.UntagResourcesRequest(**kind, resource_id=groups[:1], tag_key=["env"]))
    old(estate.sdks, "UntagResources", ResourceType="SecurityGroup", ResourceIds=groups[1:2], All=True)
    remove = {"ResourceType": "securitygroup", "ResourceId": groups[2]}
    old(estate.sdks, "RemoveTags", **remove, Tags=[{"Key": "env", "Value": "other"}])
    assert set(listed()) == {(groups[0], "team", "a"), (groups[2], "env", "test")}
    old(estate.sdks, "RemoveTags", **remove, Tags=[{"Key": "env", "Value": "test"}])
    assert listed() == [(groups[0], "team", "a")]
    estate.ecs.join_resource_group(ecs.JoinResourceGroupRequest(**kind, resource_id=groups[0]))


@proves("alibaba DescribeAccountAttributes", "alibaba AttachClassicLinkVpc", "alibaba DetachClassicLinkVpc")
@proves("alibaba DescribeClassicLinkInstances")
def test_quotas_are_told_and_links_are_refused(shared: Cloud) -> None:
    estate = Estate.of(shared)
    shared.native.put("/v1/quotas", {"target": estate.sdks.account, "limits": {"groups_per_account": 7}})
    request = ecs.DescribeAccountAttributesRequest(region_id=REGION, attribute_name=["max-security-groups"])
    (told,) = estate.ecs.describe_account_attributes(request).body.account_attribute_items.account_attribute_item
    assert (told.attribute_name, [it.value for it in told.attribute_values.value_item]) == (
        "max-security-groups",
        ["7"],
    )
    items = old(estate.sdks, "DescribeAccountAttributes")["AccountAttributeItems"]["AccountAttributeItem"]
    assert {it["AttributeName"] for it in items} >= {"max-security-groups", "instance-network-type"}
    instance = estate.instance(estate.group())
    link = {"region_id": REGION, "vpc_id": estate.vpc, "instance_id": instance}
    assert refusal(estate.ecs.attach_classic_link_vpc, ecs.AttachClassicLinkVpcRequest(**link)) == (
        400,
        "UnsupportedOperation",
    )
    assert refusal(old, estate.sdks, "DetachClassicLinkVpc", InstanceId=instance, VpcId=estate.vpc) == (
        400,
        "UnsupportedOperation",
    )
    none = estate.ecs.describe_classic_link_instances(ecs.DescribeClassicLinkInstancesRequest(region_id=REGION)).body
    assert (none.links.link, none.total_count) == ([], 0)


def test_what_makes_no_sense_is_refused(shared: Cloud) -> None:
    estate = Estate.of(shared)
    group = estate.group()
    switch = {"VpcId": estate.vpc, "CidrBlock": "10.2.0.0/24", "ZoneId": ZONE}
    tag = {"ResourceType": "securitygroup", "ResourceIds": [group], "Tags": [{"Key": "a", "Value": "b"}]}
    twice, many = [{"Key": "a", "Value": "b"}] * 2, [{"Key": f"k{it}", "Value": ""} for it in range(21)]
    link = {"InstanceId": "i-none", "VpcId": estate.vpc}
    for operation, said, wanted in (
        ("CreateVpc", {"VpcName": "1"}, (400, "InvalidVpcName.Malformed")),
        ("CreateVpc", {"Description": "x"}, (400, "InvalidVpcDiscription.Malformed")),
        ("CreateVpc", {"CidrBlock": "10.0.0.1/8"}, (400, "InvalidCidrBlock.Malformed")),
        ("DeleteVpc", {"VpcId": "vpc-none"}, (404, "InvalidVpcId.NotFound")),
        ("DeleteVpc", {}, (400, "MissingParameter")),
        ("ModifyVpcAttribute", {"VpcId": "vpc-none", "VpcName": "shop"}, (404, "InvalidVpcId.NotFound")),
        ("ModifyVpcAttribute", {"VpcId": estate.vpc}, (400, "MissingParameter")),
        ("DescribeVpcs", {"PageSize": 51}, (400, "InvalidParameter")),
        ("CreateVSwitch", {**switch, "VpcId": "vpc-none"}, (404, "InvalidVpcId.NotFound")),
        ("CreateVSwitch", {**switch, "ZoneId": "moon"}, (404, "InvalidZoneId.NotFound")),
        ("CreateVSwitch", {**switch, "CidrBlock": "10.1.0.0/25"}, (400, "InvalidCidrBlock.Overlapped")),
        ("CreateVSwitch", {**switch, "CidrBlock": "11.1.0.0/25"}, (400, "InvalidCidrBlock.Malformed")),
        ("CreateVSwitch", {**switch, "CidrBlock": "ten"}, (400, "InvalidCidrBlock.Malformed")),
        ("CreateVSwitch", {**switch, "VSwitchName": "1"}, (400, "InvalidVSwitchName.Malformed")),
        ("DeleteVSwitch", {"VSwitchId": "vsw-none"}, (404, "InvalidVSwitchId.NotFound")),
        ("ModifyVSwitchAttribute", {"VSwitchId": "vsw-1", "VSwitchName": "ab"}, (404, "InvalidVSwitchId.NotFound")),
        ("TagResources", {**tag, "ResourceIds": ["sg-none"]}, (404, "InvalidResourceId.NotFound")),
        ("TagResources", {**tag, "ResourceType": "disk"}, (404, "InvalidResourceId.NotFound")),
        ("TagResources", {**tag, "ResourceType": "moon"}, (404, "InvalidResourceType.NotFound")),
        ("TagResources", {**tag, "ResourceType": ""}, (404, "MissingParameter.ResourceType")),
        ("TagResources", {**tag, "Tags": []}, (404, "MissingParameter.Tags")),
        ("TagResources", {**tag, "Tags": twice}, (400, "Duplicate.TagKey")),
        ("TagResources", {**tag, "Tags": many}, (400, "NumberExceed.Tags")),
        ("TagResources", {**tag, "Tags": [{"Key": "aliyun1", "Value": ""}]}, (400, "InvalidTagKey.Malformed")),
        ("TagResources", {**tag, "Tags": [{"Key": "a", "Value": "b" * 129}]}, (400, "InvalidTagValue.Malformed")),
        ("TagResources", {**tag, "ResourceIds": [f"sg-{it}" for it in range(51)]}, (400, "NumberExceed.ResourceIds")),
        ("UntagResources", {"ResourceType": "instance", "ResourceIds": ["i-1"]}, (404, "MissingParameter.Tags")),
        ("ListTagResources", {"ResourceType": "moon"}, (404, "InvalidResourceType.NotFound")),
        ("ListTagResources", {"ResourceType": "eni", "NextToken": "!"}, (400, "InValidParameter.NextToken")),
        (
            "AddTags",
            {"ResourceType": "eni", "ResourceId": "e", "Tags": tag["Tags"]},
            (404, "InvalidResourceId.NotFound"),
        ),
        ("RemoveTags", {"ResourceType": "eni", "ResourceId": "eni-none"}, (404, "MissingParameter.Tags")),
        ("DescribeResourceByTags", {}, (404, "MissingParameter.Tags")),
        ("DescribeTags", {"PageNumber": 0}, (400, "InvalidParameter")),
        ("JoinResourceGroup", {"ResourceId": group, "ResourceGroupId": "rg-1"}, (404, "InvalidResourceGroup.NotFound")),
        ("DescribeAccountAttributes", {"AttributeNames": ["moons"]}, (400, "InvalidParameter")),
        ("AttachClassicLinkVpc", link, (404, "InvalidInstanceId.NotFound")),
        ("DetachClassicLinkVpc", link, (404, "InvalidInstanceId.NotFound")),
        ("DescribeClassicLinkInstances", {"PageSize": "x"}, (400, "InvalidParameter")),
    ):
        assert refusal(old, estate.sdks, operation, **said) == wanted, (operation, said)
