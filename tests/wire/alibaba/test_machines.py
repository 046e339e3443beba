"""Instances and network interfaces: made, told, changed, attached, moved and released, by both SDKs."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest
from alibabacloud_ecs20140526 import models as ecs
from aliyunsdkecs.request.v20140526.DescribeInstancesRequest import DescribeInstancesRequest

from ringfence.model.address import Family
from tests.wire.alibaba.estate import OPEN, ZONE, Estate, old, refusal
from tests.wire.cloud import Cloud
from tests.wire.proving import proves
from tests.wire.sdks import REGION

pytestmark = pytest.mark.packets


def _interface(estate: Estate, id_: str) -> Any:
    request = ecs.DescribeNetworkInterfaceAttributeRequest(region_id=REGION, network_interface_id=id_)
    return estate.ecs.describe_network_interface_attribute(request).body


def _listed(estate: Estate, **said: Any) -> list[str]:
    found = estate.ecs.describe_instances(ecs.DescribeInstancesRequest(region_id=REGION, **said)).body
    return [it.instance_id for it in found.instances.instance]


def _interfaces(estate: Estate, **said: Any) -> list[str]:
    request = ecs.DescribeNetworkInterfacesRequest(region_id=REGION, **said)
    found = estate.ecs.describe_network_interfaces(request).body
    return [it.network_interface_id for it in found.network_interface_sets.network_interface_set]


@proves("alibaba RunInstances", "alibaba CreateInstance", "alibaba DescribeInstances")
def test_an_instance_without_a_group_makes_the_default_group(shared: Cloud) -> None:
    estate = Estate.of(shared)
    first = estate.instance()
    told = old(
        estate.sdks, "CreateInstance", ImageId="img", InstanceType="ecs.g1", VSwitchId=estate.subnet, InstanceName="two"
    )
    second = told["InstanceId"]
    (default,) = estate.groups_of(first)
    assert estate.groups_of(second) == [default]
    client = estate.instance(estate.group())
    for port, passes in ((22, True), (3389, True), (80, False)):
        assert shared.passes(f"{client} -> {first} tcp/{port}") is passes
    assert shared.passes(f"{second} -> {first} tcp/80"), "members reach each other"
    with estate.native() as native:
        assert native.get(f"/v1/groups/{default}")["name"] == "default"
    (two,) = estate.ecs.describe_instances(
        ecs.DescribeInstancesRequest(region_id=REGION, instance_name="t*")
    ).body.instances.instance
    assert (two.instance_id, two.status, two.instance_network_type) == (second, "Stopped", "vpc")
    assert two.vpc_attributes.private_ip_address.ip_address == ["10.1.0.3"]
    assert two.zone_id == ZONE
    assert two.network_interfaces.network_interface[0].type == "Primary"


@proves("alibaba RunInstances", "alibaba DescribeInstances", "alibaba DescribeInstanceAttribute")
def test_several_instances_at_once_are_told_and_found(shared: Cloud) -> None:
    estate = Estate.of(shared)
    group, other = estate.group(), estate.group(OPEN)
    nic = ecs.RunInstancesRequestNetworkInterface
    request = ecs.RunInstancesRequest(
        region_id=REGION,
        amount=2,
        client_token="again",
        description="of the shop",
        host_name="web",
        instance_name="web",
        instance_type="ecs.g7.large",
        network_interface=[
            nic(instance_type="Primary", v_switch_id=estate.subnet, security_group_ids=[group]),
            nic(security_group_id=other, network_interface_name="back", secondary_private_ip_address_count=1),
        ],
        tag=[ecs.RunInstancesRequestTag(key="role", value="web")],
        unique_suffix=True,
    )
    ids = estate.ecs.run_instances(request).body.instance_id_sets.instance_id_set
    assert estate.ecs.run_instances(request).body.instance_id_sets.instance_id_set == ids, "the same token"
    filters: list[tuple[dict[str, Any], list[str]]] = [
        ({}, ids),
        ({"instance_ids": f'["{ids[0]}", "i-none"]'}, ids[:1]),
        ({"private_ip_addresses": '["10.1.0.2"]'}, ids[:1]),
        ({"instance_name": "web002"}, ids[1:]),
        ({"security_group_id": group, "vpc_id": estate.vpc, "v_switch_id": estate.subnet, "status": "Running"}, ids),
        ({"security_group_id": other}, []),
        ({"tag": [ecs.DescribeInstancesRequestTag(key="role", value="web")]}, ids),
        ({"tag": [ecs.DescribeInstancesRequestTag(key="role", value="db")]}, []),
        ({"image_id": "img"}, []),
        ({"eip_addresses": '["203.0.113.9"]'}, []),
        ({"status": "Stopped"}, []),
        ({"resource_group_id": "rg-1"}, []),
        ({"lock_reason": "security"}, []),
        ({"filter": [ecs.DescribeInstancesRequestFilter(key="CreationStartTime", value="2018-12-12T07:28Z")]}, ids),
        ({"filter": [ecs.DescribeInstancesRequestFilter(key="CreationEndTime", value="2018-12-12T07:28Z")]}, []),
    ]
    for said, wanted in filters:
        assert sorted(_listed(estate, **said)) == sorted(wanted), said
    with estate.operator() as operator:
        operator.post("/v1/penalties", {"instance": ids[1], "reason": "mining"})
    assert _listed(estate, lock_reason="security") == [ids[1]]
    assert _pages(estate) == sorted(ids)
    assert _in_xml(estate) == sorted(ids)
    told = estate.ecs.describe_instance_attribute(ecs.DescribeInstanceAttributeRequest(instance_id=ids[0])).body
    assert (told.instance_name, told.host_name, told.description) == ("web001", "web001", "of the shop")
    assert told.vpc_attributes.v_switch_id == estate.subnet
    (eni,) = _interfaces(estate, instance_id=ids[0], type="Secondary", network_interface_name="b*")
    assert len(_interface(estate, eni).private_ip_sets.private_ip_set) == 2


def _in_xml(estate: Estate) -> list[str]:
    """The instances as an old client asks for them: by GET, and in XML."""
    request = DescribeInstancesRequest()
    request.set_accept_format("xml")
    request.set_method("GET")
    root = ElementTree.fromstring(estate.sdks.old().do_action(request))
    assert root.tag == "DescribeInstancesResponse"
    return [str(it.findtext("InstanceId")) for it in root.findall("Instances/Instance")]


def _pages(estate: Estate) -> list[str]:
    """The instances by token, one at a time, and by number."""
    found: list[str] = []
    token: Any = None
    while token != "":
        request = ecs.DescribeInstancesRequest(region_id=REGION, max_results=1, next_token=token)
        body = estate.ecs.describe_instances(request).body
        found += [it.instance_id for it in body.instances.instance]
        token = body.next_token
    request = ecs.DescribeInstancesRequest(region_id=REGION, page_number=2, page_size=1)
    body = estate.ecs.describe_instances(request).body
    assert (body.total_count, body.page_number, body.page_size) == (len(found), 2, 1)
    assert [it.instance_id for it in body.instances.instance] == found[1:2]
    return found


@proves(
    "alibaba CreateNetworkInterface", "alibaba DescribeNetworkInterfaces", "alibaba DescribeNetworkInterfaceAttribute"
)
@proves("alibaba AttachNetworkInterface", "alibaba DetachNetworkInterface", "alibaba DeleteNetworkInterface")
def test_an_interface_passes_what_its_groups_say_while_it_is_attached(shared: Cloud) -> None:
    estate = Estate.of(shared)
    closed, opened = estate.group(), estate.group(OPEN)
    server, client = estate.instance(closed), estate.instance(closed)
    made = estate.ecs.create_network_interface(
        ecs.CreateNetworkInterfaceRequest(
            region_id=REGION,
            v_switch_id=estate.subnet,
            security_group_ids=[opened],
            network_interface_name="back",
            description="of the shop",
            primary_ip_address="10.1.0.50",
            private_ip_address=["10.1.0.51"],
            tag=[ecs.CreateNetworkInterfaceRequestTag(key="role", value="back")],
        )
    ).body
    eni, mac = made.network_interface_id, made.mac_address
    assert (made.status, made.private_ip_address, made.v_switch_id) == ("Available", "10.1.0.50", estate.subnet)
    assert [it.private_ip_address for it in made.private_ip_sets.private_ip_set] == ["10.1.0.50", "10.1.0.51"]
    assert made.security_group_ids.security_group_id == [opened]
    filters: list[tuple[dict[str, Any], bool]] = [
        ({"status": "Available"}, True),
        ({"network_interface_id": [eni]}, True),
        ({"private_ip_address": ["10.1.0.51"], "v_switch_id": estate.subnet, "vpc_id": estate.vpc}, True),
        ({"primary_ip_address": "10.1.0.51"}, False),
        ({"security_group_id": opened, "tag": [ecs.DescribeNetworkInterfacesRequestTag(key="role")]}, True),
        ({"security_group_id": closed}, False),
        ({"service_managed": True}, False),
        ({"type": "Primary"}, False),
        ({"resource_group_id": "rg-1"}, False),
        ({"private_ip_address": ["10.1.0.50"], "ipv_6address": ["fd00::1"]}, False),
    ]
    for said, there in filters:
        assert (eni in _interfaces(estate, **said)) is there, said
    home = {"region_id": REGION, "network_interface_id": eni, "instance_id": server}
    estate.ecs.attach_network_interface(ecs.AttachNetworkInterfaceRequest(**home))
    told = _interface(estate, eni)
    assert (told.status, told.instance_id, told.attachment.device_index, told.type) == ("InUse", server, 1, "Secondary")
    assert told.mac_address == mac
    flow = f"{client} -> {server}.eth1 tcp/80"
    assert shared.passes(flow)
    old(estate.sdks, "ModifyNetworkInterfaceAttribute", NetworkInterfaceId=eni, SecurityGroupIds=[closed])
    assert not shared.passes(flow)
    delete = ecs.DeleteNetworkInterfaceRequest(region_id=REGION, network_interface_id=eni)
    assert refusal(estate.ecs.delete_network_interface, delete) == (400, "InvalidOperation.InvalidEniState")
    old(estate.sdks, "DetachNetworkInterface", NetworkInterfaceId=eni, InstanceId=server)
    assert _interface(estate, eni).status == "Available"
    estate.ecs.delete_network_interface(delete)
    assert eni not in _interfaces(estate)


@proves("alibaba AssignPrivateIpAddresses", "alibaba UnassignPrivateIpAddresses")
@proves("alibaba AssignIpv6Addresses", "alibaba UnassignIpv6Addresses")
def test_addresses_come_and_go(shared: Cloud) -> None:
    estate = Estate.of(shared)
    both = estate.make("vpcs", name="both", cidrs=["10.0.0.0/8", "fd00:5::/32"], profile="alibaba")
    subnet = estate.make("subnets", name="both", vpc=both, cidr="10.3.0.0/24", cidr6="fd00:5:0:1::/64")
    group = estate.group("in allow tcp 80 from ::/0", "in allow tcp 81 from 0.0.0.0/0", vpc=both)
    server, client = (estate.instance(group, subnet=subnet) for _ in range(2))
    ports = [estate.interface_of(it).network_interface_id for it in (server, client)]
    assert not estate.interface_of(server).ipv_6sets.ipv_6set, "only if one asks for it"
    for port in ports:
        request = ecs.AssignIpv6AddressesRequest(region_id=REGION, network_interface_id=port, ipv_6address_count=1)
        (six,) = estate.ecs.assign_ipv_6addresses(request).body.ipv_6sets.ipv_6address
    assert shared.passes(f"{server} -> {client} tcp/80", Family.IPV6)
    assert not shared.passes(f"{server} -> {client} tcp/81", Family.IPV6)
    assert shared.passes(f"{server} -> {client} tcp/81")
    assert _interface(estate, ports[1]).ipv_6sets.ipv_6set[0].ipv_6address == six
    assert _listed(estate, ipv_6address=[six]) == [client]
    old(estate.sdks, "UnassignIpv6Addresses", NetworkInterfaceId=ports[1], Ipv6Addresss=[six])
    assign = ecs.AssignPrivateIpAddressesRequest(
        region_id=REGION, network_interface_id=ports[0], private_ip_address=["10.3.0.20"]
    )
    body = estate.ecs.assign_private_ip_addresses(assign).body.assigned_private_ip_addresses_set
    assert body.private_ip_set.private_ip_address == ["10.3.0.20"]
    old(estate.sdks, "AssignPrivateIpAddresses", NetworkInterfaceId=ports[0], SecondaryPrivateIpAddressCount=1)
    own = [it.private_ip_address for it in _interface(estate, ports[0]).private_ip_sets.private_ip_set]
    assert own == ["10.3.0.2", "10.3.0.20", "10.3.0.4"]
    old(estate.sdks, "UnassignPrivateIpAddresses", NetworkInterfaceId=ports[0], PrivateIpAddresss=own[1:])
    assert refusal(
        old, estate.sdks, "UnassignPrivateIpAddresses", NetworkInterfaceId=ports[0], PrivateIpAddresss=own
    ) == (
        400,
        "InvalidIp.Address",
    )


@proves("alibaba StartInstance", "alibaba StopInstance", "alibaba RebootInstance", "alibaba DeleteInstance")
@proves("alibaba ModifyInstanceVpcAttribute")
def test_an_instance_is_stopped_moved_and_released(shared: Cloud) -> None:
    estate = Estate.of(shared)
    there = Estate.of(shared, estate.sdks)
    group, opened = estate.group(), estate.group(OPEN, vpc=there.vpc)
    server, client = estate.instance(group), there.instance(opened)
    move = ecs.ModifyInstanceVpcAttributeRequest(
        instance_id=server,
        vpc_id=there.vpc,
        v_switch_id=there.subnet,
        security_group_id=[opened],
        private_ip_address="10.1.0.9",
    )
    assert refusal(estate.ecs.modify_instance_vpc_attribute, move) == (400, "IncorrectInstanceStatus")
    estate.ecs.reboot_instance(ecs.RebootInstanceRequest(instance_id=server))
    estate.ecs.stop_instance(ecs.StopInstanceRequest(instance_id=server, force_stop=True))
    assert _listed(estate, status="Stopped") == [server]
    assert refusal(old, estate.sdks, "StopInstance", InstanceId=server) == (403, "IncorrectInstanceStatus")
    assert refusal(old, estate.sdks, "RebootInstance", InstanceId=server) == (403, "IncorrectInstanceStatus")
    estate.ecs.modify_instance_vpc_attribute(move)
    assert estate.interface_of(server).private_ip_address == "10.1.0.9"
    assert shared.passes(f"{client} -> {server} tcp/80")
    estate.ecs.start_instance(ecs.StartInstanceRequest(instance_id=server))
    assert refusal(old, estate.sdks, "StartInstance", InstanceId=server) == (403, "IncorrectInstanceStatus")
    release = ecs.DeleteInstanceRequest(instance_id=server)
    assert refusal(estate.ecs.delete_instance, release) == (403, "IncorrectInstanceStatus")
    old(estate.sdks, "DeleteInstance", InstanceId=server, Force=True)
    assert _listed(estate, vpc_id=there.vpc) == [client]


def test_what_cannot_be_made_or_moved_is_refused(shared: Cloud) -> None:
    estate = Estate.of(shared)
    abroad = Estate.of(shared, estate.sdks)
    group, far = estate.group(), estate.group(vpc=abroad.vpc)
    instance, stranger = estate.instance(group), abroad.instance(far)
    eni = estate.interface_of(instance).network_interface_id
    run = {"VSwitchId": estate.subnet, "SecurityGroupId": group}
    port = {"VSwitchId": estate.subnet, "SecurityGroupId": group}
    spare = old(estate.sdks, "CreateNetworkInterface", **port)["NetworkInterfaceId"]
    at, nic, conflict = {"NetworkInterfaceId": eni}, {"SecurityGroupId": group}, (400, "InvalidParameter.Conflict")
    for operation, said, wanted in (
        ("RunInstances", {**run, "VSwitchId": "vsw-none"}, (404, "InvalidVSwitchId.NotFound")),
        ("RunInstances", {"SecurityGroupId": group}, (400, "MissingParameter")),
        ("RunInstances", {**run, "SecurityGroupId": "sg-none"}, (404, "InvalidSecurityGroupId.NotFound")),
        ("RunInstances", {**run, "SecurityGroupId": far}, (400, "InvalidParameter.Mismatch")),
        ("RunInstances", {**run, "SecurityGroupIdss": [group]}, (400, "InvalidParameter.Conflict")),
        ("RunInstances", {**run, "PrivateIpAddress": "10.1.0.2"}, (400, "InvalidPrivateIpAddress.Duplicated")),
        ("RunInstances", {**run, "PrivateIpAddress": "10.9.0.2"}, (400, "InvalidPrivateIpAddress")),
        ("RunInstances", {**run, "PrivateIpAddress": "ten"}, (400, "InvalidPrivateIpAddress.Malformed")),
        ("RunInstances", {**run, "Amount": 101}, (400, "InvalidParameter")),
        ("RunInstances", {**run, "InstanceName": "1"}, (400, "InvalidInstanceName.Malformed")),
        ("RunInstances", {**run, "Description": "x"}, (400, "InvalidDescription.Malformed")),
        ("RunInstances", {**run, "HostName": "-"}, (400, "InvalidHostName.Malformed")),
        ("RunInstances", {**run, "HostNamess": ["a1", "a2"]}, (400, "InvalidParameter")),
        ("RunInstances", {**run, "Tags": [{"Key": "acs:x", "Value": ""}]}, (400, "InvalidTagKey.Malformed")),
        ("RunInstances", {**run, "NetworkInterfaces": [{**nic, "InstanceType": "Primary"}]}, conflict),
        ("RunInstances", {**run, "NetworkInterfaces": [{**nic, "NetworkInterfaceId": eni}]}, conflict),
        (
            "RunInstances",
            {**run, "NetworkInterfaces": [{"NetworkInterfaceId": eni}]},
            (400, "InvalidOperation.InvalidEniState"),
        ),
        ("RunInstances", {**run, "NetworkInterfaces": [{"VSwitchId": estate.subnet}]}, (400, "MissingParameter")),
        ("RunInstances", {**run, "LaunchTemplateId": "lt-1"}, (400, "UnsupportedOperation")),
        ("RunInstances", {**run, "ResourceGroupId": "rg-1"}, (404, "InvalidResourceGroup.NotFound")),
        ("RunInstances", {**run, "ZoneId": "z"}, (404, "InvalidZoneId.NotFound")),
        ("RunInstances", {**run, "Ipv6AddressCount": 1}, (400, "InvalidVSwitch.Ipv6NotTurnOn")),
        ("RunInstances", {**run, "DryRun": True}, (400, "DryRunOperation")),
        ("CreateInstance", {**run, "InstanceType": "x"}, (400, "MissingParameter")),
        ("DescribeInstanceAttribute", {"InstanceId": "i-none"}, (404, "InvalidInstanceId.NotFound")),
        ("DescribeInstances", {"InstanceIds": "i-1"}, (400, "InvalidParameter")),
        ("DescribeInstances", {"DryRun": True}, (400, "DryRunOperation")),
        ("DescribeInstances", {"PageSize": 10, "NextToken": "aQ=="}, (400, "NotSupported.PageNumberAndPageSize")),
        ("StartInstance", {"InstanceId": "i-none"}, (404, "InvalidInstanceId.NotFound")),
        ("StopInstance", {"InstanceId": instance, "DryRun": True}, (400, "DryRunOperation")),
        ("DeleteInstance", {"InstanceId": "i-none"}, (404, "InvalidInstanceId.NotFound")),
        (
            "ModifyInstanceAttribute",
            {"InstanceId": instance, "InstanceName": "9"},
            (400, "InvalidInstanceName.Malformed"),
        ),
        ("ModifyInstanceVpcAttribute", {"InstanceId": instance, "VSwitchId": estate.subnet}, (400, "MissingParameter")),
        ("CreateNetworkInterface", {"VSwitchId": estate.subnet}, (400, "MissingParameter")),
        ("CreateNetworkInterface", {**port, "VSwitchId": "vsw-1"}, (404, "InvalidVSwitchId.NotFound")),
        ("CreateNetworkInterface", {**port, "SecurityGroupId": far}, (403, "InvalidOperation.VpcMismatch")),
        ("CreateNetworkInterface", {**port, "PrimaryIpAddress": "10.1.0.2"}, (400, "InvalidIp.IpAssigned")),
        ("CreateNetworkInterface", {**port, "PrimaryIpAddress": "10.2.0.2"}, (400, "InvalidIp.Address")),
        ("CreateNetworkInterface", {**port, "SourceDestCheck": False}, (400, "UnsupportedOperation")),
        ("CreateNetworkInterface", {**port, "Ipv4PrefixCount": 1}, (400, "UnsupportedOperation")),
        (
            "ModifyNetworkInterfaceAttribute",
            {"NetworkInterfaceId": "eni-1", "Description": "ab"},
            (404, "InvalidEniId.NotFound"),
        ),
        ("DescribeNetworkInterfaceAttribute", {"NetworkInterfaceId": "eni-1"}, (404, "InvalidEniId.NotFound")),
        ("AttachNetworkInterface", {**at, "InstanceId": instance}, (400, "InvalidOperation.InvalidEniState")),
        (
            "AttachNetworkInterface",
            {"NetworkInterfaceId": spare, "InstanceId": stranger},
            (403, "InvalidOperation.VpcMismatch"),
        ),
        (
            "AttachNetworkInterface",
            {"NetworkInterfaceId": spare, "InstanceId": "i-1"},
            (404, "InvalidEcsId.NotFound"),
        ),
        (
            "DetachNetworkInterface",
            {**at, "InstanceId": instance},
            (400, "InvalidOperation.DetachPrimaryEniNotAllowed"),
        ),
        (
            "DetachNetworkInterface",
            {"NetworkInterfaceId": spare, "InstanceId": instance},
            (400, "InvalidOperation.InvalidEniState"),
        ),
        (
            "DetachNetworkInterface",
            {**at, "InstanceId": instance, "TrunkNetworkInstanceId": "eni-2"},
            (400, "UnsupportedOperation"),
        ),
        ("AssignPrivateIpAddresses", {**at}, (400, "MissingParameter")),
        ("AssignPrivateIpAddresses", {**at, "PrivateIpAddresss": ["10.1.0.2"]}, (400, "InvalidIp.IpRepeated")),
        ("AssignPrivateIpAddresses", {**at, "PrivateIpAddresss": ["10.7.0.2"]}, (400, "InvalidIp.Address")),
        ("UnassignPrivateIpAddresses", {**at, "PrivateIpAddresss": ["10.1.0.2"]}, (400, "InvalidIp.Address")),
        ("DeleteNetworkInterface", {"NetworkInterfaceId": "eni-1"}, (404, "InvalidEniId.NotFound")),
    ):
        assert refusal(old, estate.sdks, operation, **said) == wanted, (operation, said)
