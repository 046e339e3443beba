"""Network ACLs through the SDK of the Vpc product, packets and all."""

from __future__ import annotations

from typing import Any

import pytest
from alibabacloud_vpc20160428 import models as vpc

from tests.wire.alibaba.estate import OPEN, Estate, refusal
from tests.wire.cloud import Cloud
from tests.wire.proving import proves
from tests.wire.sdks import REGION

pytestmark = pytest.mark.packets
In, Out = vpc.UpdateNetworkAclEntriesRequestIngressAclEntries, vpc.UpdateNetworkAclEntriesRequestEgressAclEntries


def _acl(estate: Estate, **said: Any) -> str:
    request = vpc.CreateNetworkAclRequest(region_id=REGION, vpc_id=estate.vpc, **said)
    return str(estate.sdks.alibaba_vpc().create_network_acl(request).body.network_acl_id)


def _told(estate: Estate, acl: str) -> Any:
    request = vpc.DescribeNetworkAclAttributesRequest(region_id=REGION, network_acl_id=acl)
    return estate.sdks.alibaba_vpc().describe_network_acl_attributes(request).body.network_acl_attribute


def _update(estate: Estate, acl: str, **said: Any) -> None:
    request = vpc.UpdateNetworkAclEntriesRequest(region_id=REGION, network_acl_id=acl, **said)
    assert estate.sdks.alibaba_vpc().update_network_acl_entries(request).body.request_id


def _resources(kind: Any, *ids: str) -> list[Any]:
    return [kind(resource_id=id_, resource_type="VSwitch") for id_ in ids]


@proves("alibaba CreateNetworkAcl", "alibaba AssociateNetworkAcl", "alibaba UpdateNetworkAclEntries")
@proves("alibaba DescribeNetworkAclAttributes", "alibaba DescribeNetworkAcls", "alibaba CopyNetworkAclEntries")
@proves("alibaba UnassociateNetworkAcl", "alibaba ModifyNetworkAclAttributes", "alibaba DeleteNetworkAcl")
def test_entries_decide_at_the_edge_of_a_vswitch(shared: Cloud) -> None:
    estate = Estate.of(shared)
    ask, group = estate.sdks.alibaba_vpc(), estate.group(OPEN)
    far = estate.make("subnets", name="far", vpc=estate.vpc, cidr="10.2.0.0/24")
    server, client = estate.instance(group), estate.instance(group, subnet=far)
    acl = _acl(estate, network_acl_name="edge", tag=[vpc.CreateNetworkAclRequestTag(key="env", value="prod")])
    fresh = _told(estate, acl)
    entries = fresh.ingress_acl_entries.ingress_acl_entry
    assert [(it.source_cidr_ip, it.policy, it.port, it.protocol) for it in entries] == [
        ("0.0.0.0/0", "accept", "-1/-1", "all"),
        ("::/0", "accept", "-1/-1", "all"),
    ]
    assert (fresh.status, fresh.vpc_id, fresh.tags.tag[0].key) == ("Available", estate.vpc, "env")
    bind = vpc.AssociateNetworkAclRequestResource
    request = vpc.AssociateNetworkAclRequest(
        region_id=REGION, network_acl_id=acl, resource=_resources(bind, estate.subnet)
    )
    ask.associate_network_acl(request)
    flow = f"{client} -> {server} tcp/80"
    assert shared.passes(flow)
    drop = In(
        policy="drop", protocol="tcp", port="80/80", source_cidr_ip="10.2.0.0/24", network_acl_entry_name="no web"
    )
    keep = In(policy="accept", protocol="all", port="-1/-1", source_cidr_ip="0.0.0.0/0", ip_version="ipv4")
    _update(estate, acl, update_ingress_acl_entries=True, ingress_acl_entries=[drop, keep])
    assert not shared.passes(flow)
    assert shared.passes(f"{client} -> {server} tcp/81")
    first, second = _told(estate, acl).ingress_acl_entries.ingress_acl_entry
    assert (first.network_acl_entry_name, first.port, first.entry_type, first.ip_version) == (
        *("no web", "80/80", "custom", "ipv4"),
    )
    drop.network_acl_entry_id, drop.port = first.network_acl_entry_id, "443/443"
    keep.network_acl_entry_id = second.network_acl_entry_id
    _update(estate, acl, update_ingress_acl_entries=True, ingress_acl_entries=[keep, drop])
    told = _told(estate, acl)
    assert [it.network_acl_entry_id for it in told.ingress_acl_entries.ingress_acl_entry] == [
        *(second.network_acl_entry_id, first.network_acl_entry_id),
    ]
    assert len(told.egress_acl_entries.egress_acl_entry) == 2, "the other direction stays"
    assert shared.passes(flow)
    answers = Out(policy="drop", protocol="tcp", port="1024/65535", destination_cidr_ip="10.2.0.0/24")
    _update(estate, acl, update_egress_acl_entries=True, egress_acl_entries=[answers])
    assert not shared.passes(f"{server} -> {client} tcp/1024")
    assert shared.passes(f"{server} -> {client} icmp") is False, "what no entry allows"
    found = ask.describe_network_acls(
        vpc.DescribeNetworkAclsRequest(region_id=REGION, resource_id=estate.subnet, resource_type="VSwitch")
    ).body
    assert (found.total_count, found.page_number, found.page_size) == ("1", "1", "10")
    (one,) = found.network_acls.network_acl
    assert [(it.resource_id, it.status) for it in one.resources.resource] == [(estate.subnet, "BINDED")]
    other = _acl(estate)
    for said, number in (
        ({"network_acl_name": "edge"}, "1"),
        ({"vpc_id": estate.vpc}, "2"),
        ({"vpc_id": "vpc-none"}, "0"),
        ({"tags": [vpc.DescribeNetworkAclsRequestTags(key="env", value="prod")]}, "1"),
    ):
        body = ask.describe_network_acls(vpc.DescribeNetworkAclsRequest(region_id=REGION, **said)).body
        assert body.total_count == number, said
    copied = {"region_id": REGION, "network_acl_id": acl, "source_network_acl_id": other}
    ask.copy_network_acl_entries(vpc.CopyNetworkAclEntriesRequest(**copied))
    assert shared.passes(flow)
    renamed = {"region_id": REGION, "network_acl_id": acl, "network_acl_name": "border", "description": "of the shop"}
    ask.modify_network_acl_attributes(vpc.ModifyNetworkAclAttributesRequest(**renamed))
    assert _told(estate, acl).network_acl_name == "border"
    _update(estate, acl, update_ingress_acl_entries=True, update_egress_acl_entries=True)
    assert not shared.passes(flow), "no entry allows it"
    unbind = vpc.UnassociateNetworkAclRequestResource
    ask.unassociate_network_acl(
        vpc.UnassociateNetworkAclRequest(
            region_id=REGION, network_acl_id=acl, resource=_resources(unbind, estate.subnet)
        )
    )
    assert shared.passes(flow)
    ask.delete_network_acl(vpc.DeleteNetworkAclRequest(region_id=REGION, network_acl_id=acl))
    assert refusal(_told, estate, acl) == (404, "InvalidNetworkAcl.NotFound")


def test_what_an_acl_cannot_be_is_refused(shared: Cloud) -> None:
    estate = Estate.of(shared)
    elsewhere = Estate.of(shared, estate.sdks)
    ask, acl, other = estate.sdks.alibaba_vpc(), _acl(estate), _acl(estate)
    at: dict[str, Any] = {"region_id": REGION, "network_acl_id": acl}
    bind, unbind = vpc.AssociateNetworkAclRequestResource, vpc.UnassociateNetworkAclRequestResource
    ask.associate_network_acl(vpc.AssociateNetworkAclRequest(**at, resource=_resources(bind, estate.subnet)))
    entry = {"policy": "accept", "protocol": "tcp", "port": "80/80", "source_cidr_ip": "10.0.0.0/8"}

    def updated(**said: Any) -> dict[str, Any]:
        return {**at, "update_ingress_acl_entries": True, "ingress_acl_entries": [In(**{**entry, **said})]}

    many = {**at, "update_ingress_acl_entries": True, "ingress_acl_entries": [In(**entry) for _ in range(21)]}
    bad = (400, "InvalidParameter")
    for operation, said, wanted in (
        ("CreateNetworkAcl", {"region_id": REGION, "vpc_id": "vpc-none"}, (404, "InvalidVpcId.NotFound")),
        ("CreateNetworkAcl", {"region_id": REGION}, (400, "MissingParameter")),
        (
            "CreateNetworkAcl",
            {"region_id": REGION, "vpc_id": estate.vpc, "dry_run": True},
            (400, "DryRunOperation"),
        ),
        ("DeleteNetworkAcl", at, (403, "DependencyViolation")),
        ("DeleteNetworkAcl", {**at, "network_acl_id": "nacl-none"}, (404, "InvalidNetworkAcl.NotFound")),
        ("ModifyNetworkAclAttributes", at, (400, "MissingParameter")),
        ("AssociateNetworkAcl", {**at, "resource": _resources(bind, elsewhere.subnet)}, bad),
        ("AssociateNetworkAcl", {**at, "resource": _resources(bind, "vsw-none")}, (404, "InvalidVSwitchId.NotFound")),
        ("AssociateNetworkAcl", {**at, "resource": [bind(resource_id="i-1", resource_type="Instance")]}, bad),
        (
            "AssociateNetworkAcl",
            {**at, "network_acl_id": other, "resource": _resources(bind, estate.subnet)},
            (400, "OperationConflict"),
        ),
        (
            "UnassociateNetworkAcl",
            {**at, "network_acl_id": other, "resource": _resources(unbind, estate.subnet)},
            (400, "OperationConflict"),
        ),
        ("UnassociateNetworkAcl", at, (400, "MissingParameter")),
        ("UpdateNetworkAclEntries", updated(port="90/80"), bad),
        ("UpdateNetworkAclEntries", updated(port="-1/-1"), bad),
        ("UpdateNetworkAclEntries", updated(protocol="icmp"), bad),
        ("UpdateNetworkAclEntries", updated(protocol="moon"), bad),
        ("UpdateNetworkAclEntries", updated(policy="maybe"), bad),
        ("UpdateNetworkAclEntries", updated(source_cidr_ip="10.0.0.1/8"), bad),
        ("UpdateNetworkAclEntries", updated(ip_version="ipv6"), bad),
        ("UpdateNetworkAclEntries", updated(entry_type="system"), bad),
        ("UpdateNetworkAclEntries", updated(network_acl_entry_id="nae-none"), bad),
        ("UpdateNetworkAclEntries", {**at, "ingress_acl_entries": [In(**entry)]}, (400, "MissingParameter")),
        ("UpdateNetworkAclEntries", many, (400, "QuotaExceeded.NetworkAclEntry")),
        ("CopyNetworkAclEntries", {**at, "source_network_acl_id": "nacl-none"}, (404, "InvalidNetworkAcl.NotFound")),
        ("DescribeNetworkAcls", {"region_id": REGION, "page_size": 51}, bad),
    ):
        request = getattr(vpc, f"{operation}Request")(**said)
        call = next(it for it in dir(ask) if it.replace("_", "") == operation.lower())
        assert refusal(getattr(ask, call), request) == wanted, (operation, said)


def test_what_is_read_can_be_written_back(shared: Cloud) -> None:
    estate = Estate.of(shared)
    acl, pl = _acl(estate), estate.make("address-groups", name="office", entries=["10.9.0.0/16"], max_entries=5)
    listed = In(policy="drop", protocol="udp", port="53/53", source_cidr_ip=pl, description="the office")

    def entries() -> list[dict[str, Any]]:
        return [it.to_map() for it in _told(estate, acl).ingress_acl_entries.ingress_acl_entry]

    for _ in range(2):
        there = [In().from_map(it) for it in entries()]
        more = [] if len(there) > 2 else [listed]
        _update(estate, acl, update_ingress_acl_entries=True, ingress_acl_entries=[*more, *there])
    office, four, six = entries()
    assert (office["SourceCidrIp"], office["Description"], office["Port"]) == (pl, "the office", "53/53")
    assert [it["SourceCidrIp"] for it in (four, six)] == ["0.0.0.0/0", "::/0"]
    assert len({it["NetworkAclEntryId"] for it in (office, four, six)} - {""}) == 3


def test_who_may_not_bind_an_acl_is_told_so(shared: Cloud) -> None:
    estate = Estate.of(shared)
    acl = _acl(estate)
    allow = {"Effect": "Allow", "Action": "vpc:*", "Resource": "*"}
    deny = {"Effect": "Deny", "Action": "vpc:AssociateNetworkAcl", "Resource": f"acs:vpc:*:*:vswitch/{estate.subnet}"}
    ann = shared.user(estate.sdks, allow, deny).alibaba_vpc()
    bind = _resources(vpc.AssociateNetworkAclRequestResource, estate.subnet)
    request = vpc.AssociateNetworkAclRequest(region_id=REGION, network_acl_id=acl, resource=bind)
    assert refusal(ann.associate_network_acl, request) == (403, "Forbidden.RAM")
    assert ann.describe_network_acls(vpc.DescribeNetworkAclsRequest(region_id=REGION)).body.total_count == "1"
