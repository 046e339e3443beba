"""VPCs and quotas of version 3, through the SDK."""

from __future__ import annotations

import pytest

from ringfence.client.client import Client
from tests.wire.cloud import Cloud
from tests.wire.huawei.v3.asking import ask, dry_run, refused
from tests.wire.huawei.v3.estate import Estate, ids
from tests.wire.proving import proves

pytestmark = pytest.mark.packets

NOBODY = "11111111-2222-3333-4444-555555555555"


@proves(
    "huawei v3 create_vpc",
    "huawei v3 list_vpcs",
    "huawei v3 show_vpc",
    "huawei v3 update_vpc",
    "huawei v3 add_vpc_extend_cidr",
    "huawei v3 remove_vpc_extend_cidr",
    "huawei v3 delete_vpc",
)
def test_vpcs(shared: Cloud) -> None:
    sdks = shared.tenant()
    client = sdks.huawei()
    tags = [{"key": "env", "value": "prod"}]
    body = {"vpc": {"name": "shop", "description": "d", "cidr": "10.0.0.0/16", "tags": tags}}
    assert dry_run(client, "create_vpc", body) == 202
    ask(client, "create_vpc", body)
    ask(client, "create_vpc", {"vpc": {"name": "bank", "cidr": "10.1.0.0/16"}})
    shop, bank = (ask(client, "list_vpcs", name=[name]).vpcs[0] for name in ("shop", "bank"))
    assert (shop.cidr, shop.extend_cidrs, shop.status, shop.tags[0].value) == ("10.0.0.0/16", [], "ACTIVE", "prod")
    with Client(shared.url, key=sdks.key) as native:
        assert native.get(f"/v1/vpcs/{shop.id}")["profile"] == "huawei"
    assert len(ids(ask(client, "list_vpcs").vpcs)) == 2
    assert ids(ask(client, "list_vpcs", cidr=["10.1.0.0/16"]).vpcs) == [bank.id]
    ask(client, "update_vpc", {"vpc": {"name": "mall"}}, vpc_id=shop.id)
    assert ask(client, "show_vpc", vpc_id=shop.id).vpc.name == "mall"
    more = {"vpc": {"extend_cidrs": ["172.16.0.0/16", "9.9.0.0/16"]}}
    told = ask(client, "add_vpc_extend_cidr", more, vpc_id=shop.id).vpc
    assert (told.cidr, sorted(told.extend_cidrs)) == ("10.0.0.0/16", ["172.16.0.0/16", "9.9.0.0/16"])
    subnet = {"name": "s", "vpc": shop.id, "cidr": "172.16.1.0/24"}
    with Client(shared.url, key=sdks.key) as native:
        subnet_id = native.post("/v1/subnets", subnet)["item"]["id"]
    (resources,) = ask(client, "show_vpc", vpc_id=shop.id).vpc.cloud_resources
    assert (resources.resource_type, resources.resource_count) == ("virsubnet", 1)
    add, remove = "add_vpc_extend_cidr", "remove_vpc_extend_cidr"
    for method, cidrs, expected in (
        (add, [], (400, "VPC.0101")),
        (add, ["fd00::/48"], (400, "VPC.0101")),
        (add, ["10.0.0.0/33"], (400, "VPC.0101")),
        (add, ["172.16.0.0/16"], (409, "VPC.0602")),
        (remove, ["10.0.0.0/16"], (400, "VPC.0101")),
        (remove, ["192.168.0.0/16"], (400, "VPC.0101")),
        (remove, ["172.16.0.0/16"], (400, "VPC.0101")),
    ):
        assert refused(client, method, {"vpc": {"extend_cidrs": cidrs}}, vpc_id=shop.id)[:2] == expected, cidrs
    told = ask(client, remove, {"vpc": {"extend_cidrs": ["9.9.0.0/16"]}}, vpc_id=shop.id).vpc
    assert told.extend_cidrs == ["172.16.0.0/16"]
    assert refused(client, "delete_vpc", vpc_id=shop.id)[0] == 409
    with Client(shared.url, key=sdks.key) as native:
        native.delete(f"/v1/subnets/{subnet_id}")
    ask(client, "delete_vpc", vpc_id=shop.id)
    for method in ("show_vpc", "delete_vpc"):
        assert refused(client, method, vpc_id=shop.id) == (404, "VPC.0003", "VPC does not exist.")
    assert refused(client, "update_vpc", {"vpc": {"name": "x"}}, vpc_id=NOBODY)[:2] == (404, "VPC.0003")
    for said in ({"cidr": "x"}, {"cidr": "fd00::/48"}, {"name": "a b"}, {"tags": [{"key": "", "value": ""}]}):
        status, code, _ = refused(client, "create_vpc", {"vpc": {"name": "n", "cidr": "10.0.0.0/16", **said}})
        assert (status, code) == (400, "VPC.1801" if "tags" in said else "VPC.0101"), said


@proves("huawei v3 show_quota", "huawei v3 create_security_group", "huawei v3 create_vpc")
def test_quotas_are_told_and_hold(shared: Cloud) -> None:
    estate = Estate.of(shared)
    client, account = estate.client, estate.sdks.account
    quota = ask(client, "show_quota").quota
    assert (quota.security_group, quota.secgroup_contain_rules, quota.eni_contain_secgroup) == (100, 50, 5)
    assert (quota.vip, quota.address_group_contain_ipset) == (-1, 20)
    limits = {"groups_per_account": 1, "vpcs_per_account": 1, "rules_per_group": 6}
    shared.native.put("/v1/quotas", {"target": account, "limits": limits})
    assert ask(client, "show_quota").quota.security_group == 1
    group = estate.group()
    more = refused(client, "create_security_group", {"security_group": {"name": "one-more"}})
    assert more == (409, "VPC.0604", "Quota exceeded for resources: ['security_group'].")
    more = refused(client, "create_vpc", {"vpc": {"name": "v", "cidr": "10.0.0.0/16"}})
    assert more == (409, "VPC.0114", "Quota exceeded for resources: ['router'].")
    for port in ("1", "2"):
        estate.rule(group, multiport=port)
    body = {"security_group_rule": {"security_group_id": group, "direction": "ingress"}}
    more = refused(client, "create_security_group_rule", body)
    assert more == (409, "VPC.0602", "Quota exceeded for resources: ['security_group_rule'].")
    reader = shared.user(estate.sdks).huawei()
    assert refused(reader, "show_quota")[:2] == (403, "VPC.2201")
