"""Security groups through both SDKs: made, told, listed in parts, changed and deleted."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree

import pytest
from alibabacloud_ecs20140526 import models as m

from ringfence.wire.alibaba import (
    group_lists,
    groups,
    permission_lists,
    port_lists,
    prefix_lists,
    rule_changes,
    rules,
)
from ringfence.wire.alibaba.operation import ALWAYS, COMMON, LEGACY
from tests.wire.alibaba.models import request_names
from tests.wire.alibaba.shop import Shop
from tests.wire.proving import proves
from tests.wire.sdks import REGION

pytestmark = pytest.mark.packets
ROOMS = (groups, group_lists, rules, rule_changes, permission_lists, prefix_lists, port_lists)


def test_every_parameter_of_the_sdks_models_is_known() -> None:
    operations = [it for room in ROOMS for it in room.operations() if it.name != "ConfigureSecurityGroupPermissions"]
    assert len(operations) == 25
    for operation in operations:
        unknown = set(request_names(operation.name)) - operation.known - COMMON - LEGACY - ALWAYS
        assert not unknown, (operation.name, unknown)


@proves(
    "alibaba CreateSecurityGroup",
    "alibaba DeleteSecurityGroup",
    "alibaba ModifySecurityGroupAttribute",
    "alibaba ModifySecurityGroupPolicy",
    "alibaba DescribeSecurityGroups",
    "alibaba DescribeSecurityGroupAttribute",
)
def test_a_groups_life_by_both_sdks(shop: Shop) -> None:
    tags = [{"Key": "env", "Value": "生产"}]
    made = shop.old(
        "CreateSecurityGroup",
        VpcId=shop.vpc,
        SecurityGroupName="网站",
        Description="first",
        SecurityGroupType="normal",
        Tags=tags,
    )["SecurityGroupId"]
    other = shop.group("second", security_group_type="enterprise", description="of both")
    assert made.startswith("sg-")
    listed = shop.old("DescribeSecurityGroups", IsQueryEcsCount=True)
    told = {it["SecurityGroupId"]: it for it in listed["SecurityGroups"]["SecurityGroup"]}
    assert told == {
        each: {
            "SecurityGroupId": each,
            "SecurityGroupName": name,
            "Description": about,
            "SecurityGroupType": kind,
            "VpcId": shop.vpc,
            "CreationTime": told[each]["CreationTime"],
            "RuleCount": 0,
            "GroupToGroupRuleCount": 0,
            "ResourceGroupId": "",
            "ServiceManaged": False,
            "Tags": {"Tag": [{"TagKey": "env", "TagValue": "生产"}] if each == made else []},
            "EcsCount": 0,
            "AvailableInstanceAmount": room,
        }
        for each, name, about, kind, room in (
            (made, "网站", "first", "normal", 6000),
            (other, "second", "of both", "enterprise", 65536),
        )
    }
    assert (listed["TotalCount"], listed["PageNumber"], listed["PageSize"], listed["NextToken"]) == (2, 1, 10, "")
    shop.old("ModifySecurityGroupAttribute", SecurityGroupId=made, SecurityGroupName="shop")
    shop.ask("ModifySecurityGroupAttribute", security_group_id=made, description="renamed")
    seen = shop.old("DescribeSecurityGroupAttribute", SecurityGroupId=made)
    assert (seen["SecurityGroupName"], seen["Description"]) == ("shop", "renamed")
    assert (seen["InnerAccessPolicy"], seen["VpcId"]) == ("Accept", shop.vpc)
    one, two = shop.instance(made), shop.instance(made)
    assert shop.passes(one, two)
    shop.old("ModifySecurityGroupPolicy", SecurityGroupId=made, InnerAccessPolicy="drop")
    assert not shop.passes(one, two)
    assert shop.ask("DescribeSecurityGroupAttribute", security_group_id=made)["InnerAccessPolicy"] == "Drop"
    shop.ask("ModifySecurityGroupPolicy", security_group_id=made, inner_access_policy="Accept")
    assert shop.passes(one, two)
    (counted,) = shop.ask("DescribeSecurityGroups", security_group_id=made, is_query_ecs_count=True)["SecurityGroups"][
        "SecurityGroup"
    ]
    assert (counted["EcsCount"], counted["AvailableInstanceAmount"]) == (2, 6000 - 4)  # of both families
    for instance in (one, two):
        shop.native.delete(f"/v1/instances/{instance}")
    shop.old("DeleteSecurityGroup", SecurityGroupId=made)
    shop.ask("DeleteSecurityGroup", security_group_id=other)
    assert shop.ask("DescribeSecurityGroups")["SecurityGroups"]["SecurityGroup"] == []


def test_lists_are_narrowed_and_paged_both_ways(shop: Shop) -> None:
    def found(**said: Any) -> list[str]:
        listed = shop.ask("DescribeSecurityGroups", **said)["SecurityGroups"]["SecurityGroup"]
        return [it["SecurityGroupName"] for it in listed]

    def by_tag(*tags: dict[str, str]) -> list[str]:
        told = shop.old("DescribeSecurityGroups", Tags=list(tags))
        return sorted(it["SecurityGroupName"] for it in told["SecurityGroups"]["SecurityGroup"])

    prod, env = {"Key": "env", "Value": "prod"}, {"Key": "env"}
    named = {f"g{number:02}": shop.group(f"g{number:02}") for number in range(12)}
    for name, kind, value in (("prod-web", "enterprise", "prod"), ("test-web", "normal", "test")):
        tags = [{"Key": "env", "Value": value}, {"Key": "tier"}]
        told = shop.old(
            "CreateSecurityGroup", VpcId=shop.vpc, SecurityGroupName=name, SecurityGroupType=kind, Tags=tags
        )
        named[name] = told["SecurityGroupId"]
    assert (by_tag(prod), by_tag(env), by_tag(env, {"Key": "none"})) == (["prod-web"], ["prod-web", "test-web"], [])
    assert by_tag(prod, {"Key": "tier"}) == ["prod-web"]
    ids = json.dumps([named["g01"], named["g07"], "sg-none"])
    assert sorted(found(security_group_ids=ids)) == ["g01", "g07"]
    assert found(security_group_ids=ids, security_group_id=named["g07"]) == ["g07"]
    assert found(security_group_name="g03") == ["g03"]
    assert sorted(found(security_group_name="web", fuzzy_query=True)) == ["prod-web", "test-web"]
    assert found(security_group_type="enterprise") == ["prod-web"]
    assert (found(vpc_id="vpc-none"), found(network_type="classic")) == ([], [])
    assert (len(found(vpc_id=shop.vpc, network_type="vpc")), len(found())) == (10, 10)
    assert (found(service_managed=True), found(resource_group_id="rg-1")) == ([], [])
    pages = [shop.old("DescribeSecurityGroups", PageNumber=number, PageSize=6) for number in (1, 2, 3, 4)]
    assert [len(page["SecurityGroups"]["SecurityGroup"]) for page in pages] == [6, 6, 2, 0]
    assert {(page["TotalCount"], page["PageSize"], page.get("NextToken")) for page in pages} == {(14, 6, None)}
    seen, token = [], ""
    while True:
        page = shop.old("DescribeSecurityGroups", MaxResults=5, **({"NextToken": token} if token else {}))
        assert page.keys() & {"TotalCount", "PageNumber"} == set()
        seen += [it["SecurityGroupId"] for it in page["SecurityGroups"]["SecurityGroup"]]
        token = page["NextToken"]
        if not token:
            break
        if len(seen) == 5:  # what was told goes, and nothing is told twice or left out
            shop.ask("DeleteSecurityGroup", security_group_id=seen[4])
    assert (len(seen), set(seen)) == (14, set(named.values()))


@proves("alibaba DescribeSecurityGroupReferences")
def test_who_names_a_group_is_told_of_other_accounts_too(shop: Shop) -> None:
    named, naming, alone = shop.group("db"), shop.group("web"), shop.group("alone")
    other = shop.cloud.tenant()
    shop.native.patch(f"/v1/vpcs/{shop.vpc}", {"shared_with": [other.account]})
    theirs = other.ecs()
    foreign = theirs.create_security_group(
        m.CreateSecurityGroupRequest(region_id=REGION, vpc_id=shop.vpc, security_group_name="theirs")
    ).body.security_group_id
    rule = {"ip_protocol": "tcp", "port_range": "80/80", "source_group_id": named}
    shop.ask("AuthorizeSecurityGroup", security_group_id=naming, **rule)
    request = m.AuthorizeSecurityGroupRequest(
        region_id=REGION, security_group_id=foreign, source_group_owner_account=shop.sdks.account, **rule
    )
    theirs.authorize_security_group(request)
    told = shop.old("DescribeSecurityGroupReferences", SecurityGroupIds=[named, alone])
    assert told["SecurityGroupReferences"]["SecurityGroupReference"] == [
        {
            "SecurityGroupId": named,
            "ReferencingSecurityGroups": {
                "ReferencingSecurityGroup": [
                    {"AliUid": account, "SecurityGroupId": group}
                    for account, group in sorted([(shop.sdks.account, naming), (other.account, foreign)])
                ]
            },
        },
        {"SecurityGroupId": alone, "ReferencingSecurityGroups": {"ReferencingSecurityGroup": []}},
    ]
    assert len(shop.ask("DescribeSecurityGroupReferences", security_group_id=[named])) == 2


def test_xml_is_what_the_vendors_is(shop: Shop) -> None:
    shop.group("a & b <c>", description="见 <说明>")
    root = ElementTree.fromstring(shop.raw("DescribeSecurityGroups", "XML").decode())
    assert root.tag == "DescribeSecurityGroupsResponse"
    assert root.findtext("TotalCount") == "1"
    (group,) = root.findall("SecurityGroups/SecurityGroup")
    assert (group.findtext("SecurityGroupName"), group.findtext("Description")) == ("a & b <c>", "见 <说明>")
    assert group.findtext("ServiceManaged") == "false"
    for form in ("XML", "xml", "None"):  # the last one is what the SDK says where nobody has said anything
        body = shop.raw("DescribeSecurityGroupAttribute", form, SecurityGroupId="sg-none").decode()
        error = ElementTree.fromstring(body)
        assert (error.tag, error.findtext("Code")) == ("Error", "InvalidSecurityGroupId.NotFound")
        assert error.findtext("Message") == "The specified SecurityGroupId does not exist."


def test_a_client_token_makes_a_group_once(shop: Shop) -> None:
    said = {"security_group_name": "once", "client_token": "token-1", "vpc_id": shop.vpc}
    first, again = (shop.ask("CreateSecurityGroup", **said)["SecurityGroupId"] for _ in range(2))
    assert first == again
    assert shop.refused("CreateSecurityGroup", **said, description="more") == (400, "IdempotentParameterMismatch")
    assert shop.refused("CreateSecurityGroup", **said | {"client_token": "é" * 3}) == (
        400,
        "InvalidClientToken.ValueNotSupported",
    )
    assert shop.ask("DescribeSecurityGroups")["TotalCount"] == 1


TOO_MANY = [{"Key": f"k{number}", "Value": "v"} for number in range(21)]
GROUP_ERRORS: list[tuple[str, dict[str, Any], int, str]] = [
    ("CreateSecurityGroup", {"SecurityGroupName": "1st"}, 400, "InvalidSecurityGroupName.Malformed"),
    ("CreateSecurityGroup", {"SecurityGroupName": "http://web"}, 400, "InvalidSecurityGroupName.Malformed"),
    ("CreateSecurityGroup", {"SecurityGroupName": "w" * 129}, 400, "InvalidSecurityGroupName.Malformed"),
    ("CreateSecurityGroup", {"Description": "x"}, 400, "InvalidSecurityGroupDiscription.Malformed"),
    ("CreateSecurityGroup", {"Description": "https://x"}, 400, "InvalidSecurityGroupDiscription.Malformed"),
    ("CreateSecurityGroup", {"SecurityGroupType": "basic"}, 400, "InvalidParams.GroupType"),
    ("CreateSecurityGroup", {"Tags": [{"Key": "aliyun-x"}]}, 400, "InvalidTagKey.Malformed"),
    ("CreateSecurityGroup", {"Tags": [{"Key": "x", "Value": "http://x"}]}, 400, "InvalidTagValue.Malformed"),
    ("CreateSecurityGroup", {"Tags": [{"Key": "x"}, {"Key": "x"}]}, 400, "Duplicate.TagKey"),
    ("CreateSecurityGroup", {"Tags": TOO_MANY}, 403, "QuotaExceed.Tags"),
    ("CreateSecurityGroup", {"VpcId": "vpc-none"}, 404, "InvalidVpcId.NotFound"),
    ("CreateSecurityGroup", {"VpcId": ""}, 403, "InvalidVpcId.NotFound"),
    ("CreateSecurityGroup", {"ResourceGroupId": "rg-1"}, 404, "InvalidResourceGroup.NotFound"),
    ("CreateSecurityGroup", {"ServiceManaged": True}, 403, "InvalidOperation.ResourceManagedByCloudProduct"),
    ("DeleteSecurityGroup", {"SecurityGroupId": "sg-none"}, 404, "InvalidSecurityGroup.NotFound"),
    ("DeleteSecurityGroup", {}, 400, "MissingParameter"),
    ("ModifySecurityGroupAttribute", {"SecurityGroupName": "-x"}, 400, "InvalidSecurityGroupName.Malformed"),
    ("ModifySecurityGroupAttribute", {"Description": "x"}, 400, "InvalidSecurityGroupDiscription.Malformed"),
    ("ModifySecurityGroupAttribute", {"SecurityGroupId": "sg-none"}, 404, "InvalidSecurityGroupId.NotFound"),
    ("ModifySecurityGroupPolicy", {"InnerAccessPolicy": "maybe"}, 400, "InvalidPolicy.Malformed"),
    ("ModifySecurityGroupPolicy", {}, 400, "MissingParameter"),
    (
        "ModifySecurityGroupPolicy",
        {"SecurityGroupId": "sg-none", "InnerAccessPolicy": "Drop"},
        404,
        "InvalidSecurityGroupId.NotFound",
    ),
    ("DescribeSecurityGroups", {"PageNumber": 1, "MaxResults": 10}, 400, "NotSupported.PageNumberAndPageSize"),
    ("DescribeSecurityGroups", {"NextToken": "!"}, 400, "InValidParameter.NextToken"),
    ("DescribeSecurityGroups", {"PageSize": 51}, 400, "InvalidParameter"),
    ("DescribeSecurityGroups", {"MaxResults": 0}, 400, "InvalidParameter"),
    ("DescribeSecurityGroups", {"SecurityGroupType": "basic"}, 400, "InvalidParameter.SecurityGroupType"),
    ("DescribeSecurityGroups", {"SecurityGroupIds": "sg-1"}, 400, "InvalidSecurityGroupId.Malformed"),
    ("DescribeSecurityGroups", {"SecurityGroupIds": json.dumps(["sg"] * 101)}, 400, "InvalidSecurityGroupId.Malformed"),
    ("DescribeSecurityGroups", {"DryRun": True}, 400, "DryRunOperation"),
    ("DescribeSecurityGroupAttribute", {"SecurityGroupId": "sg-none"}, 404, "InvalidSecurityGroupId.NotFound"),
    ("DescribeSecurityGroupAttribute", {"NicType": "both"}, 400, "InvalidNicType.ValueNotSupported"),
    ("DescribeSecurityGroupAttribute", {"Direction": "up"}, 400, "InvalidParamter"),
    ("DescribeSecurityGroupAttribute", {"MaxResults": 5}, 400, "InvalidParameter"),
    ("DescribeSecurityGroupReferences", {"SecurityGroupIds": []}, 400, "InvalidSecurityGroupId.Malformed"),
    ("DescribeSecurityGroupReferences", {"SecurityGroupIds": ["sg"] * 11}, 400, "InvalidSecurityGroupId.Malformed"),
    ("DescribeSecurityGroupReferences", {"SecurityGroupIds": ["sg-none"]}, 404, "InvalidSecurityGroupId.NotFound"),
]


def test_what_is_refused_of_groups(shop: Shop) -> None:
    own = shop.group()
    before = shop.ask("DescribeSecurityGroups")
    for operation, said, status, code in GROUP_ERRORS:
        usual = {"VpcId": shop.vpc} if operation == "CreateSecurityGroup" else {"SecurityGroupId": own}
        if operation in ("DescribeSecurityGroups", "DescribeSecurityGroupReferences") or not said:
            usual = {}
        assert shop.refused_old(operation, **usual | said) == (status, code), (operation, said)
    for operation, code in (
        ("DescribeSecurityGroups", "MissingParameter.RegionId"),
        ("ModifySecurityGroupPolicy", "MissingParamter.RegionId"),
    ):
        assert shop.refused(operation, region_id=None) == (400, code)
    enterprise = shop.group("big", security_group_type="enterprise")
    said = {"security_group_id": enterprise, "inner_access_policy": "Accept"}
    assert shop.refused("ModifySecurityGroupPolicy", **said) == (404, "InvalidParameter.InnerAccessPolicy")
    shop.ask("DeleteSecurityGroup", security_group_id=enterprise)
    assert shop.ask("DescribeSecurityGroups")["SecurityGroups"] == before["SecurityGroups"]
    dry = {"vpc_id": shop.vpc, "security_group_name": "dry"}
    assert shop.ask("CreateSecurityGroup", **dry)["SecurityGroupId"]


def test_an_account_has_so_many_groups(shop: Shop) -> None:
    shop.cloud.native.put("/v1/quotas", {"target": shop.sdks.account, "limits": {"groups_per_account": 1}})
    shop.group()
    assert shop.refused("CreateSecurityGroup", vpc_id=shop.vpc) == (403, "QuotaExceed.SecurityGroup")


def test_what_policies_do_not_allow_is_refused_with_details(shop: Shop) -> None:
    group = shop.group()
    allow = {"Effect": "Allow", "Resource": f"acs:ecs:*:*:securitygroup/{group}"}
    reads = {**allow, "Action": ["ecs:DescribeSecurityGroupAttribute", "ecs:ModifySecurityGroupPolicy"]}
    user = shop.user(reads)
    assert user.ask("DescribeSecurityGroupAttribute", security_group_id=group)["SecurityGroupName"] == "web"
    user.ask("ModifySecurityGroupPolicy", security_group_id=group, inner_access_policy="Drop")
    its = {"security_group_id": group}
    for operation, said in (
        ("DeleteSecurityGroup", its),
        ("ModifySecurityGroupAttribute", {**its, "security_group_name": "mine"}),
        ("DescribeSecurityGroups", {}),
        ("CreateSecurityGroup", {"vpc_id": shop.vpc}),
    ):
        assert user.denied(operation, **said) == (f"ecs:{operation}", "SubUser", "ImplicitDeny")
