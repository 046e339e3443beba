"""Version 1: VPCs, subnets and quotas through the SDK."""

from __future__ import annotations

from typing import Any

import pytest

from tests.wire.cloud import Cloud
from tests.wire.huawei.calling import Table, ask, check, native, refused
from tests.wire.proving import proves
from tests.wire.sdks import Sdks

pytestmark = pytest.mark.packets


def a_vpc(sdks: Sdks, cidr: str = "10.0.0.0/16", **more: Any) -> Any:
    """A new VPC, as the SDK tells it."""
    return ask(sdks, "create_vpc", {"vpc": {"name": "shop", "cidr": cidr, **more}}).vpc


def a_subnet(sdks: Sdks, vpc: str, net: str = "10.0.1", **more: Any) -> Any:
    """A new subnet, as the SDK tells it."""
    said = {"name": "web", "cidr": f"{net}.0/24", "gateway_ip": f"{net}.1", "vpc_id": vpc, **more}
    return ask(sdks, "create_subnet", {"subnet": said}).subnet


@proves(*(f"huawei v1 {it}_vpc" for it in ("create", "show", "update", "delete")), "huawei v1 list_vpcs")
def test_a_vpc_from_its_making_to_its_end(shared: Cloud) -> None:
    sdks = shared.tenant()
    made = a_vpc(sdks, tags=["env*prod"], description="d")
    assert (made.name, made.cidr, made.description, made.status) == ("shop", "10.0.0.0/16", "d", "OK")
    assert (made.routes, made.enterprise_project_id, made.tenant_id) == ([], "0", sdks.account)
    others = [a_vpc(sdks, f"10.{n}.0.0/16", name=f"v{n}") for n in (1, 2)]
    every = sorted(it.id for it in (made, *others))
    listed = [it.id for it in ask(sdks, "list_vpcs").vpcs]
    first = [it.id for it in ask(sdks, "list_vpcs", limit=2).vpcs]
    rest = [it.id for it in ask(sdks, "list_vpcs", limit=2, marker=first[-1]).vpcs]
    assert (listed, first, rest) == (every, every[:2], every[2:])
    assert [it.id for it in ask(sdks, "list_vpcs", id=made.id, enterprise_project_id="0").vpcs] == [made.id]
    assert ask(sdks, "list_vpcs", enterprise_project_id="another").vpcs == []
    changed = ask(sdks, "update_vpc", {"vpc": {"name": "bank", "cidr": "10.9.0.0/16"}}, vpc_id=made.id).vpc
    assert (changed.name, changed.cidr, changed.description) == ("bank", "10.9.0.0/16", "d")
    shown = ask(sdks, "show_vpc", vpc_id=made.id).vpc
    assert shown == changed
    with native(sdks) as client:
        assert client.get(f"/v1/vpcs/{made.id}")["profile"] == "huawei"
    ask(sdks, "delete_vpc", vpc_id=made.id)
    assert refused(sdks, "show_vpc", vpc_id=made.id) == (404, "VPC.0003")


@proves(*(f"huawei v1 {it}_subnet" for it in ("create", "show", "update", "delete")), "huawei v1 list_subnets")
def test_a_subnet_from_its_making_to_its_end(shared: Cloud) -> None:
    sdks = shared.tenant()
    vpc, other = a_vpc(sdks), a_vpc(sdks, "10.1.0.0/16")
    made = a_subnet(sdks, vpc.id, primary_dns="10.0.1.2", dhcp_enable=True, description="d")
    assert (made.vpc_id, made.cidr, made.gateway_ip, made.status) == (vpc.id, "10.0.1.0/24", "10.0.1.1", "ACTIVE")
    assert (made.ipv6_enable, made.cidr_v6, made.neutron_subnet_id_v6) == (False, "", "")
    assert made.neutron_network_id == made.id != made.neutron_subnet_id
    assert made.available_ip_address_count == 253
    second = a_subnet(sdks, vpc.id, "10.0.2", ipv6_enable=True)
    third = a_subnet(sdks, other.id, "10.1.1", ipv6_enable=True)
    assert second.cidr_v6.endswith("::/64")
    assert second.gateway_ip_v6 == second.cidr_v6.replace("/64", "1")
    assert second.cidr_v6[:10] != third.cidr_v6[:10]
    assert {it.id for it in ask(sdks, "list_subnets", vpc_id=vpc.id).subnets} == {made.id, second.id}
    assert len(ask(sdks, "list_subnets", limit=2).subnets) == 2
    said = {"subnet": {"name": "db", "ipv6_enable": True}}
    told = ask(sdks, "update_subnet", said, vpc_id=vpc.id, subnet_id=made.id).subnet
    shown = ask(sdks, "show_subnet", subnet_id=made.id).subnet
    assert (told.id, told.status, shown.name, shown.description) == (made.id, "ACTIVE", "db", "d")
    assert (shown.ipv6_enable, shown.cidr_v6[:12]) == (True, second.cidr_v6[:12])
    assert shown.cidr_v6 != second.cidr_v6
    assert shown.neutron_subnet_id == made.neutron_subnet_id != shown.neutron_subnet_id_v6
    ask(sdks, "delete_subnet", vpc_id=vpc.id, subnet_id=made.id)
    assert refused(sdks, "show_subnet", subnet_id=made.id) == (404, "VPC.2204")


@proves("huawei v1 show_quota")
def test_quotas_are_what_is_used_and_allowed(shared: Cloud) -> None:
    sdks = shared.tenant()
    a_subnet(sdks, a_vpc(sdks).id)
    (vpcs,) = ask(sdks, "show_quota", type="vpc").quotas.resources
    assert (vpcs.type, vpcs.used, vpcs.quota, vpcs.min) == ("vpc", 1, 200, 0)
    every = {it.type: (it.used, it.quota) for it in ask(sdks, "show_quota").quotas.resources}
    assert (every["subnet"], every["securityGroup"]) == ((1, -1), (0, 100))
    shared.native.put("/v1/quotas", {"target": sdks.account, "limits": {"vpcs_per_account": 1}})
    assert refused(sdks, "create_vpc", {"vpc": {"cidr": "10.2.0.0/16"}}) == (409, "VPC.0114")


def test_what_is_refused_of_networks(shared: Cloud) -> None:
    sdks, stranger = shared.tenant(), shared.tenant()
    vpc, foreign = a_vpc(sdks), a_vpc(stranger)
    subnet = a_subnet(sdks, vpc.id, ipv6_enable=True)
    good = {"name": "w", "cidr": "10.0.9.0/24", "gateway_ip": "10.0.9.1", "vpc_id": vpc.id}
    at = {"vpc_id": vpc.id, "subnet_id": subnet.id}
    table: Table = [
        ("create_vpc", {"vpc": {"cidr": "10.0.0.0/33"}}, {}, (400, "VPC.0101")),
        ("create_vpc", {"vpc": {"cidr": "10.0.0.1/16"}}, {}, (400, "VPC.0101")),
        ("create_vpc", {"vpc": {"name": 7}}, {}, (400, "VPC.0101")),
        ("create_vpc", {"vpc": {"name": "x" * 200}}, {}, (400, "VPC.0101")),
        ("create_vpc", {"vpc": {"enterprise_project_id": "1"}}, {}, (400, "VPC.0011")),
        ("create_vpc", {"vpc": {"tags": ["aliyun*1"]}}, {}, (400, "VPC.1801")),
        ("create_vpc", {"vpc": {"tags": ["k*1", "k*2"]}}, {}, (400, "VPC.1814")),
        ("list_vpcs", None, {"limit": 2001}, (400, "VPC.0101")),
        ("show_vpc", None, {"vpc_id": foreign.id}, (404, "VPC.0003")),
        ("update_vpc", {"vpc": {"name": "n"}}, {"vpc_id": foreign.id}, (404, "VPC.0003")),
        ("update_vpc", {"vpc": {"cidr": "10.7.0.0/16"}}, {"vpc_id": vpc.id}, (400, "VPC.0101")),
        ("update_vpc", {"vpc": {"routes": [{"destination": "0.0.0.0/0"}]}}, {"vpc_id": vpc.id}, (400, "VPC.0101")),
        ("delete_vpc", None, {"vpc_id": foreign.id}, (404, "VPC.0003")),
        ("delete_vpc", None, {"vpc_id": vpc.id}, (409, "VPC.0602")),
        ("create_subnet", {"subnet": {**good, "vpc_id": foreign.id}}, {}, (404, "VPC.0003")),
        ("create_subnet", {"subnet": {**good, "cidr": "10.1.9.0/24"}}, {}, (400, "VPC.0101")),
        ("create_subnet", {"subnet": {**good, "gateway_ip": "10.0.9.9"}}, {}, (400, "VPC.0101")),
        ("create_subnet", {"subnet": {**good, "cidr": "10.0.1.0/24"}}, {}, (400, "VPC.0101")),
        ("create_subnet", {"subnet": {"name": "w"}}, {}, (400, "VPC.0101")),
        ("show_subnet", None, {"subnet_id": "none"}, (404, "VPC.2204")),
        ("update_subnet", {"subnet": {"name": "n"}}, {**at, "subnet_id": "none"}, (404, "VPC.2204")),
        ("update_subnet", {"subnet": {"name": "n", "ipv6_enable": False}}, at, (400, "VPC.0101")),
        ("delete_subnet", None, {**at, "vpc_id": foreign.id}, (404, "VPC.0003")),
        ("show_quota", None, {"type": "elasticIp"}, (400, "VPC.0601")),
    ]
    check(sdks, table)
