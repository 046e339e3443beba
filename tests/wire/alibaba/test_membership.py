"""Instances and network interfaces in security groups: the situations of the requirement documents, packets and all."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from alibabacloud_ecs20140526 import models as ecs
from alibabacloud_tea_openapi.exceptions import AlibabaCloudException
from aliyunsdkecs.request.v20140526.JoinSecurityGroupRequest import JoinSecurityGroupRequest
from aliyunsdkecs.request.v20140526.LeaveSecurityGroupRequest import LeaveSecurityGroupRequest

from tests.wire.alibaba.estate import OPEN, Estate, old, refusal
from tests.wire.cloud import Cloud
from tests.wire.proving import proves
from tests.wire.sdks import REGION

pytestmark = pytest.mark.packets
_SNIPPETS = Path(__file__).parent / "snippets"


def _snippet(name: str, estate: Estate) -> Any:
    """The function of the vendor's document, whose names for its surroundings are all that is given to it."""
    known = {
        "JoinSecurityGroupRequest": JoinSecurityGroupRequest,
        "LeaveSecurityGroupRequest": LeaveSecurityGroupRequest,
        "clt": estate.sdks.old(),
        "json": json,
        "logging": logging,
    }
    exec((_SNIPPETS / f"{name}.txt").read_text(encoding="utf-8"), known)
    return known[name]


@proves("alibaba JoinSecurityGroup", "alibaba LeaveSecurityGroup")
def test_the_documents_snippets_run_unchanged(shared: Cloud) -> None:
    estate = Estate.of(shared)
    closed, web = estate.group(), estate.group("in allow tcp 80 from 0.0.0.0/0")
    server, client = estate.instance(closed), estate.instance(closed)
    flow = f"{client} -> {server} tcp/80"
    assert not shared.passes(flow)
    join_sg, leave_sg = _snippet("join_sg", estate), _snippet("leave_sg", estate)
    assert join_sg(web, server).keys() == {"RequestId"}
    assert estate.groups_of(server) == [closed, web]
    assert shared.passes(flow)
    assert not shared.passes(f"{client} -> {server} tcp/81"), "rules of both groups count, and no more"
    assert join_sg(web, server)["Code"] == "InvalidInstanceId.AlreadyExists"
    assert leave_sg(web, server).keys() == {"RequestId"}
    assert not shared.passes(flow)
    assert leave_sg(web, server)["Code"] == "InvalidSecurityGroupAssociation.NotFound"
    assert leave_sg(closed, server)["Code"] == "InstanceLastSecurityGroup"


@proves("alibaba JoinSecurityGroup", "alibaba LeaveSecurityGroup", "alibaba ModifyNetworkInterfaceAttribute")
def test_an_interface_joins_and_leaves_by_both_signatures(shared: Cloud) -> None:
    estate = Estate.of(shared)
    closed, opened = estate.group(), estate.group(OPEN)
    server, client = estate.instance(closed), estate.instance(closed)
    eni = estate.interface_of(server).network_interface_id
    said = {"network_interface_id": eni, "security_group_id": opened, "region_id": REGION}
    for signature in ("v2", "ACS3-HMAC-SHA256"):
        ask = estate.sdks.ecs(signature_algorithm=signature)
        assert ask.join_security_group(ecs.JoinSecurityGroupRequest(**said)).body.request_id
        assert shared.passes(f"{client} -> {server} tcp/80")
        assert ask.leave_security_group(ecs.LeaveSecurityGroupRequest(**said)).body.request_id
        assert not shared.passes(f"{client} -> {server} tcp/80")
    request = ecs.ModifyNetworkInterfaceAttributeRequest(
        region_id=REGION,
        network_interface_id=eni,
        network_interface_name="front",
        description="of the shop",
        security_group_id=[opened],
    )
    estate.ecs.modify_network_interface_attribute(request)
    told = estate.interface_of(server)
    assert (told.network_interface_name, told.description) == ("front", "of the shop")
    assert told.security_group_ids.security_group_id == [opened]
    assert shared.passes(f"{client} -> {server} tcp/80")


@proves("alibaba ModifyInstanceAttribute")
def test_the_groups_of_an_instance_are_replaced_as_one(shared: Cloud) -> None:
    estate = Estate.of(shared)
    closed, web, ssh = (
        estate.group(),
        estate.group("in allow tcp 80 from 0.0.0.0/0"),
        estate.group("in allow tcp 22 from 0.0.0.0/0"),
    )
    server, client = estate.instance(closed), estate.instance(closed)
    request = ecs.ModifyInstanceAttributeRequest(
        instance_id=server,
        instance_name="server",
        host_name="server-1",
        description="of the shop",
        deletion_protection=True,
        security_group_ids=[web, ssh],
        password="not kept",
    )
    estate.ecs.modify_instance_attribute(request)
    assert estate.groups_of(server) == [web, ssh]
    told = estate.ecs.describe_instance_attribute(ecs.DescribeInstanceAttributeRequest(instance_id=server)).body
    assert (told.instance_name, told.host_name, told.description) == ("server", "server-1", "of the shop")
    for port, passes in ((80, True), (22, True), (443, False)):
        assert shared.passes(f"{client} -> {server} tcp/{port}") is passes
    old(estate.sdks, "ModifyInstanceAttribute", InstanceId=server, SecurityGroupIdss=[ssh])
    assert estate.groups_of(server) == [ssh]
    assert not shared.passes(f"{client} -> {server} tcp/80")
    release = ecs.DeleteInstanceRequest(instance_id=server, force=True)
    assert refusal(estate.ecs.delete_instance, release) == (403, "InvalidOperation.DeletionProtection")
    old(estate.sdks, "ModifyInstanceAttribute", InstanceId=server, DeletionProtection=False)
    estate.ecs.delete_instance(release)


def test_what_the_documents_say_of_membership_is_refused(shared: Cloud) -> None:
    estate, other = Estate.of(shared), Estate.of(shared)
    elsewhere = Estate.of(shared, estate.sdks)
    groups = [estate.group() for _ in range(6)]
    advanced, abroad = estate.group(kind="advanced"), estate.group(vpc=elsewhere.vpc)
    huawei = estate.make("vpcs", name="hw", cidrs=["10.0.0.0/8"], profile="huawei")
    of_huawei = estate.group(vpc=huawei)
    instance = estate.instance(*groups[:4])
    eni = estate.interface_of(instance).network_interface_id

    def join(**said: Any) -> tuple[int, str]:
        request = ecs.JoinSecurityGroupRequest(**said)
        return refusal(estate.ecs.join_security_group, request)

    def leave(**said: Any) -> tuple[int, str]:
        request = ecs.LeaveSecurityGroupRequest(**said)
        return refusal(estate.ecs.leave_security_group, request)

    def put(*wanted: str) -> tuple[int, str]:
        request = ecs.ModifyInstanceAttributeRequest(instance_id=instance, security_group_ids=list(wanted))
        return refusal(estate.ecs.modify_instance_attribute, request)

    def put_port(*wanted: str) -> tuple[int, str]:
        request = ecs.ModifyNetworkInterfaceAttributeRequest(
            region_id=REGION, network_interface_id=eni, security_group_id=list(wanted)
        )
        return refusal(estate.ecs.modify_network_interface_attribute, request)

    at, by_eni = {"instance_id": instance}, {"network_interface_id": eni, "region_id": REGION}
    old(estate.sdks, "JoinSecurityGroup", InstanceId=instance, SecurityGroupId=groups[4])
    assert join(**at, security_group_id=groups[5]) == (400, "InstanceSecurityGroupLimitExceeded")
    assert put(*groups) == (400, "JoinedGroupLimitExceed")
    old(estate.sdks, "LeaveSecurityGroup", InstanceId=instance, SecurityGroupId=groups[4])
    for seen, wanted in (
        (join(**at, security_group_id=advanced), (400, "InvalidOperation.MultiGroupType")),
        (join(**at, security_group_id=abroad), (400, "InvalidInstanceId.Mismatch")),
        (join(**at, security_group_id=of_huawei), (400, "InvalidInstanceId.Mismatch")),
        (join(**by_eni, security_group_id=abroad), (403, "InvalidOperation.VpcMismatch")),
        (join(**at, security_group_id="sg-none"), (404, "InvalidSecurityGroupId.NotFound")),
        (join(**at, security_group_id=other.group()), (404, "InvalidSecurityGroupId.NotFound")),
        (join(instance_id="i-none", security_group_id=groups[5]), (404, "InvalidInstanceId.NotFound")),
        (
            join(network_interface_id="eni-none", region_id=REGION, security_group_id=groups[5]),
            (404, "InvalidEniId.NotFound"),
        ),
        (join(**at, **by_eni, security_group_id=groups[5]), (403, "InvalidParam.EniIdAndInstanceId.Conflict")),
        (join(security_group_id=groups[5]), (400, "MissingParameter")),
        (join(network_interface_id=eni, security_group_id=groups[5]), (400, "MissingParameter.RegionId")),
        (join(**at), (400, "MissingParameter")),
        (leave(**at, security_group_id=groups[5]), (400, "InvalidSecurityGroupAssociation.NotFound")),
        (leave(**at, security_group_id="sg-none"), (404, "InvalidSecurityGroupId.NotFound")),
        (put(groups[0], advanced), (403, "EnterpriseGroupLimited.MutliGroupType")),
        (put(groups[0], abroad), (404, "InvalidSecurityGroupVpc.NotBelongToOneVpc")),
        (put(groups[0], groups[0]), (404, "InvalidParameter.SecurityGroupIdRepeated")),
        (put("sg-none"), (404, "InvalidSecurityGroupId.NotFound")),
        (put_port(abroad), (403, "InvalidOperation.VpcMismatch")),
        (put_port("sg-none"), (404, "InvalidSecurityGroupId.NotFound")),
        (put_port(), (400, "MissingParameter")),
    ):
        assert seen == wanted
    for group in groups[1:4]:
        old(estate.sdks, "LeaveSecurityGroup", InstanceId=instance, SecurityGroupId=group)
    assert leave(**at, security_group_id=groups[0]) == (403, "InstanceLastSecurityGroup")
    assert leave(**by_eni, security_group_id=groups[0]) == (403, "InvalidOperation.AtLeastInOneGroup")


def test_limits_and_services_stand_in_the_way(shared: Cloud) -> None:
    estate = Estate.of(shared)
    full, other, large = (
        estate.group(),
        estate.group(),
        estate.group(*(f"in allow tcp {it} from any" for it in (80, 81))),
    )
    estate.instance(full)
    instance = estate.instance(other)
    eni = estate.interface_of(instance).network_interface_id

    def limited(**limits: int | None) -> None:
        shared.native.put("/v1/quotas", {"target": estate.sdks.account, "limits": limits})

    def asked(group: str) -> list[tuple[int, str]]:
        at = {"NetworkInterfaceId": eni, "SecurityGroupIds": [group, other]}
        return [
            refusal(old, estate.sdks, "JoinSecurityGroup", InstanceId=instance, SecurityGroupId=group),
            refusal(old, estate.sdks, "ModifyInstanceAttribute", InstanceId=instance, SecurityGroupIdss=[group]),
            refusal(old, estate.sdks, "ModifyNetworkInterfaceAttribute", **at),
        ]

    limited(members_per_group=1)
    limit = (403, "SecurityGroupInstanceLimitExceed")
    assert asked(full) == [(403, "SecurityGroupInstanceLimitExceeded"), limit, limit]
    limited(members_per_group=None, rules_per_port=3)
    assert asked(large) == [(403, "AclLimitExceed")] * 3
    request = ecs.JoinSecurityGroupRequest(instance_id=instance, security_group_id=large)
    with pytest.raises(AlibabaCloudException, match="the maximum number of security group rules"):
        estate.ecs.join_security_group(request)
    limited(rules_per_port=None)
    with estate.operator() as operator:
        said = {"name": "nat", "vpc": estate.vpc, "managed": "nat"}
        managed = operator.post("/v1/groups", said, headers={"x-ringfence-service": "nat"})["item"]["id"]
    assert asked(managed) == [(403, "InvalidOperation.ResourceManagedByCloudProduct")] * 3


def test_a_classic_instance_is_in_classic_groups_only(shared: Cloud) -> None:
    estate = Estate.of(shared)
    classic = estate.make("vpcs", name="classic", cidrs=["10.0.0.0/8"], profile="alibaba", network="classic")
    subnet = estate.make("subnets", name="intranet", vpc=classic, cidr="10.2.0.0/24")
    own, private = estate.group(vpc=classic), estate.group()
    instance, other = estate.instance(own, subnet=subnet), estate.instance(private)
    found = estate.ecs.describe_instances(
        ecs.DescribeInstancesRequest(region_id=REGION, instance_network_type="classic")
    )
    (told,) = found.body.instances.instance
    assert (told.instance_id, told.inner_ip_address.ip_address) == (instance, ["10.2.0.2"])
    for group, to in ((private, instance), (own, other)):
        request = ecs.JoinSecurityGroupRequest(instance_id=to, security_group_id=group)
        assert refusal(estate.ecs.join_security_group, request) == (400, "InvalidInstanceId.Mismatch")


def test_who_may_not_is_told_so(shared: Cloud) -> None:
    estate = Estate.of(shared)
    first, second = estate.group(), estate.group()
    instance = estate.instance(first)
    allow = {"Effect": "Allow", "Action": "ecs:*", "Resource": "*"}
    deny = {"Effect": "Deny", "Action": "ecs:JoinSecurityGroup", "Resource": f"acs:ecs:*:*:securitygroup/{second}"}
    ann = shared.user(estate.sdks, allow, deny).ecs()
    request = ecs.JoinSecurityGroupRequest(instance_id=instance, security_group_id=second)
    with pytest.raises(AlibabaCloudException) as refused:
        ann.join_security_group(request)
    assert refused.value.code == "Forbidden.RAM"
    told = refused.value.access_denied_detail
    assert (told["AuthAction"], told["NoPermissionType"]) == ("ecs:JoinSecurityGroup", "ExplicitDeny")
    nobody = shared.user(estate.sdks)
    tag = {"ResourceType": "instance", "ResourceIds": [instance], "Tags": [{"Key": "a", "Value": ""}]}
    for operation, said in (
        ("JoinSecurityGroup", {"InstanceId": instance, "SecurityGroupId": second}),
        ("LeaveSecurityGroup", {"InstanceId": instance, "SecurityGroupId": first}),
        ("ModifyInstanceAttribute", {"InstanceId": instance, "SecurityGroupIdss": [second]}),
        ("RunInstances", {"VSwitchId": estate.subnet, "SecurityGroupId": first}),
        ("DescribeInstances", {}),
        ("DescribeClassicLinkInstances", {}),
        ("DescribeAccountAttributes", {}),
        ("TagResources", tag),
        ("JoinResourceGroup", {"ResourceType": "instance", "ResourceId": instance}),
    ):
        assert refusal(old, nobody, operation, **said) == (403, "Forbidden.RAM"), operation
    estate.ecs.join_security_group(request)
