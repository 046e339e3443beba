"""Prefix lists and port range lists through both SDKs, and the packets of the rules that name them."""

from __future__ import annotations

from typing import Any

import pytest
from alibabacloud_ecs20140526 import models as m

from ringfence.model.address import Family
from tests.wire.alibaba.shop import Shop, Told
from tests.wire.proving import proves

pytestmark = pytest.mark.packets
_ANYWHERE = {"IpProtocol": "tcp", "SourceCidrIp": "0.0.0.0/0"}


@proves(
    "alibaba CreatePrefixList",
    "alibaba ModifyPrefixList",
    "alibaba DeletePrefixList",
    "alibaba DescribePrefixLists",
    "alibaba DescribePrefixListAttributes",
    "alibaba DescribePrefixListAssociations",
)
def test_rules_follow_a_prefix_list(shop: Shop) -> None:
    clients, servers = shop.group("clients"), shop.group("servers")
    client, server = shop.instance(clients), shop.instance(servers)
    entries = [{"Cidr": "10.0.1.77", "Description": "nobody"}]
    tags = [{"Key": "team", "Value": "net"}]
    office = shop.old(
        "CreatePrefixList",
        PrefixListName="办公室",
        Description="of the office",
        AddressFamily="IPv4",
        MaxEntries=190,
        Entrys=entries,
        Tags=tags,
    )["PrefixListId"]
    six = shop.ask(
        "CreatePrefixList",
        prefix_list_name="six",
        address_family="ipv6",
        max_entries=5,
        entry=[m.CreatePrefixListRequestEntry(cidr="fd00:10::/48")],
    )["PrefixListId"]
    rule = {"IpProtocol": "tcp", "PortRange": "80/80", "SourcePrefixListId": office}
    wide = shop.old("CreatePrefixList", PrefixListName="wide", AddressFamily="IPv4", MaxEntries=200)["PrefixListId"]
    shop.old("AuthorizeSecurityGroup", SecurityGroupId=servers, **rule)
    shop.old("AuthorizeSecurityGroup", SecurityGroupId=servers, **rule | {"SourcePrefixListId": six})
    costly = shop.refused_old("AuthorizeSecurityGroup", SecurityGroupId=servers, **rule | {"SourcePrefixListId": wide})
    assert costly == (403, "AuthorizationLimitExceed")  # a list costs what it may ever have
    shop.ask("DeletePrefixList", prefix_list_id=wide)
    assert shop.passes(client, server, family=Family.IPV6)
    assert not shop.passes(client, server)
    shop.old("ModifyPrefixList", PrefixListId=office, AddEntrys=[{"Cidr": "10.0.1.0/24", "Description": "all of it"}])
    assert shop.passes(client, server)
    shop.ask(
        "ModifyPrefixList",
        prefix_list_id=office,
        prefix_list_name="desk",
        add_entry=[m.ModifyPrefixListRequestAddEntry(cidr="10.0.1.77/32", description="somebody")],
        remove_entry=[m.ModifyPrefixListRequestRemoveEntry(cidr="10.0.1.0/24")],
    )
    assert not shop.passes(client, server)
    told = shop.old("DescribePrefixListAttributes", PrefixListId=office)
    assert told == {
        "RequestId": told["RequestId"],
        "PrefixListId": office,
        "PrefixListName": "desk",
        "AddressFamily": "IPv4",
        "Description": "of the office",
        "CreationTime": told["CreationTime"],
        "MaxEntries": 190,
        "Entries": {"Entry": [{"Cidr": "10.0.1.77/32", "Description": "somebody"}]},
    }
    listed = shop.old("DescribePrefixLists", Tags=tags)["PrefixLists"]["PrefixList"]
    assert [(it["PrefixListId"], it["AssociationCount"]) for it in listed] == [(office, 1)]
    assert listed[0]["Tags"] == {"Tag": [{"TagKey": "team", "TagValue": "net"}]}
    for said, found in (
        ({"AddressFamily": "IPv6"}, {six}),
        ({"PrefixListName": "desk"}, {office}),
        ({"PrefixListIds": [six, "pl-none"]}, {six}),
        ({}, {office, six}),
    ):
        answer = shop.old("DescribePrefixLists", **said)["PrefixLists"]["PrefixList"]
        assert {it["PrefixListId"] for it in answer} == found
    first = shop.ask("DescribePrefixLists", max_results=1)
    second = shop.ask("DescribePrefixLists", max_results=1, next_token=first["NextToken"])
    pages = [it["PrefixListId"] for page in (first, second) for it in page["PrefixLists"]["PrefixList"]]
    assert (set(pages), second["NextToken"]) == ({office, six}, "")
    named = shop.old("DescribePrefixListAssociations", PrefixListId=office)["PrefixListAssociations"]
    assert named == {"PrefixListAssociation": [{"ResourceType": "securitygroup", "ResourceId": servers}]}
    assert shop.refused("DeletePrefixList", prefix_list_id=office) == (400, "NotAllowed.AssociationExist")
    shop.old("RevokeSecurityGroup", SecurityGroupId=servers, **rule)
    shop.old("DeletePrefixList", PrefixListId=office)
    assert shop.refused("DescribePrefixListAttributes", prefix_list_id=office) == (404, "InvalidPrefixListId.NotFound")


@proves(
    "alibaba CreatePortRangeList",
    "alibaba ModifyPortRangeList",
    "alibaba DeletePortRangeList",
    "alibaba DescribePortRangeLists",
    "alibaba DescribePortRangeListEntries",
    "alibaba DescribePortRangeListAssociations",
)
def test_rules_follow_a_port_range_list(shop: Shop) -> None:
    clients, servers = shop.group("clients"), shop.group("servers")
    client, server = shop.instance(clients), shop.instance(servers)
    entries = [{"PortRange": "8080/8090", "Description": "tests"}]
    web = shop.old("CreatePortRangeList", PortRangeListName="web", MaxEntries=3, Entrys=entries)["PortRangeListId"]
    permission = [{**_ANYWHERE, "PortRangeListId": web}]
    shop.old("AuthorizeSecurityGroup", SecurityGroupId=servers, Permissions=permission)
    (rule,) = shop.rules(servers)
    assert (rule["PortRange"], rule["PortRangeListId"], rule["PortRangeListName"]) == ("", web, "web")
    assert not shop.passes(client, server)
    assert shop.passes(client, server, service="tcp/8080")
    more = [{"PortRange": "80/80", "Description": "http"}]
    shop.old("ModifyPortRangeList", PortRangeListId=web, AddEntrys=more)
    assert shop.passes(client, server)
    shop.ask(
        "ModifyPortRangeList",
        port_range_list_id=web,
        description="of the web",
        remove_entry=[m.ModifyPortRangeListRequestRemoveEntry(port_range="8080/8090")],
    )
    assert not shop.passes(client, server, service="tcp/8080")
    told = shop.old("DescribePortRangeListEntries", PortRangeListId=web)
    assert told["Entries"] == [{"PortRange": "80/80", "Description": "http"}]
    (listed,) = shop.old("DescribePortRangeLists")["PortRangeLists"]
    assert listed == {
        "PortRangeListId": web,
        "PortRangeListName": "web",
        "Description": "of the web",
        "CreationTime": listed["CreationTime"],
        "MaxEntries": 3,
        "AssociationCount": 1,
        "ResourceGroupId": "",
        "Tags": [],
    }
    assert shop.ask("DescribePortRangeLists", port_range_list_name="none")["PortRangeLists"] == []
    named = shop.old("DescribePortRangeListAssociations", PortRangeListId=web)["PortRangeListAssociations"]
    assert named == [{"ResourceType": "securitygroup", "ResourceId": servers}]
    for change in ({"PortRangeListId": web}, {"PortRange": "80/80"}):
        its = {"SecurityGroupId": servers, "SecurityGroupRuleId": rule["SecurityGroupRuleId"], **change}
        if "PortRange" in change:
            kind = shop.refused_old("ModifySecurityGroupRule", **its)
            assert kind == (400, "InvalidOperation.ModifyPortRangeType")
        else:
            shop.old("ModifySecurityGroupRule", **its)
    assert shop.refused("DeletePortRangeList", port_range_list_id=web) == (400, "NotAllowed.AssociationExist")
    shop.old("RevokeSecurityGroup", SecurityGroupId=servers, Permissions=permission)
    shop.ask("DeletePortRangeList", port_range_list_id=web)
    assert shop.ask("DescribePortRangeLists")["PortRangeLists"] == []


BOUND = {"PrefixListName": "office", "AddressFamily": "IPv4", "MaxEntries": 2}
PORTS = {"PortRangeListName": "web", "MaxEntries": 2}
LIST_ERRORS: list[tuple[str, Told, int, str]] = [
    ("CreatePrefixList", {"PrefixListName": None}, 400, "MissingParameter"),
    ("CreatePrefixList", {"MaxEntries": None}, 400, "MissingParameter"),
    ("CreatePrefixList", {"AddressFamily": None}, 400, "MissingParameter"),
    ("CreatePrefixList", {"AddressFamily": "IPX"}, 400, "InvalidParameter.AddressFamily"),
    ("CreatePrefixList", {"PrefixListName": "com.aliyun.x"}, 400, "InvalidParameter.PrefixListName"),
    ("CreatePrefixList", {"Description": "x"}, 400, "InvalidDescription.Malformed"),
    ("CreatePrefixList", {"MaxEntries": 201}, 400, "LimitExceed.MaxEntries"),
    ("CreatePrefixList", {"MaxEntries": 0}, 400, "LimitExceed.MaxEntries"),
    ("CreatePrefixList", {"Entrys": [{"Cidr": "10.0.0.1/8"}]}, 400, "InvalidParameter.CidrMalformed"),
    ("CreatePrefixList", {"Entrys": [{"Cidr": "::/0"}]}, 400, "InvalidParameter.AddressFamily"),
    ("CreatePrefixList", {"Entrys": [{"Description": "no cidr"}]}, 400, "MissingParameter"),
    (
        "CreatePrefixList",
        {"Entrys": [{"Cidr": "10.0.0.1"}, {"Cidr": "10.0.0.1/32"}]},
        400,
        "InvalidParameter.CidrDuplicated",
    ),
    ("CreatePrefixList", {"Entrys": [{"Cidr": f"10.0.0.{n}"} for n in (1, 2, 3)]}, 400, "LimitExceed.Entry"),
    ("CreatePrefixList", {"Entrys": [{"Cidr": "10.0.0.1", "Description": "x"}]}, 400, "InvalidDescription.Malformed"),
    ("CreatePrefixList", {"ResourceGroupId": "rg-1"}, 404, "InvalidResourceGroup.NotFound"),
    ("ModifyPrefixList", {"PrefixListId": "pl-none"}, 404, "InvalidPrefixListId.NotFound"),
    ("ModifyPrefixList", {"AddEntrys": [{"Cidr": "::1"}]}, 400, "InvalidParameter.AddressFamily"),
    ("ModifyPrefixList", {"AddEntrys": [{"Cidr": f"10.0.0.{n}"} for n in (1, 2, 3)]}, 400, "LimitExceed.Entry"),
    ("DeletePrefixList", {"PrefixListId": "pl-none"}, 404, "InvalidPrefixListId.NotFound"),
    ("DescribePrefixLists", {"MaxResults": 101}, 400, "InvalidParameter"),
    ("DescribePrefixLists", {"AddressFamily": "IPv5"}, 400, "InvalidParameter.AddressFamily"),
    ("DescribePrefixListAssociations", {"PrefixListId": "pl-none"}, 404, "InvalidPrefixListId.NotFound"),
    ("CreatePortRangeList", {"MaxEntries": 2001}, 400, "LimitExceed.MaxEntries"),
    ("CreatePortRangeList", {"PortRangeListName": "http://x"}, 400, "InvalidParameter.PortRangeListName"),
    ("CreatePortRangeList", {"Entrys": [{"PortRange": "80"}]}, 400, "InvalidParameter.PortRange"),
    ("CreatePortRangeList", {"Entrys": [{"PortRange": "9/8"}]}, 400, "InvalidParameter.PortRange"),
    ("CreatePortRangeList", {"Entrys": [{"PortRange": "1/1"}] * 2}, 400, "InvalidParameter.PortRangeDuplicated"),
    ("CreatePortRangeList", {"Entrys": [{"PortRange": f"{n}/{n}"} for n in (1, 2, 3)]}, 400, "LimitExceed.Entry"),
    ("ModifyPortRangeList", {"PortRangeListId": "prl-none"}, 404, "InvalidPortRangeListId.NotFound"),
    ("DeletePortRangeList", {"PortRangeListId": "prl-none"}, 404, "InvalidPortRangeListId.NotFound"),
    ("DescribePortRangeListEntries", {"PortRangeListId": "prl-none"}, 404, "InvalidPortRangeListId.NotFound"),
]


def test_what_is_refused_of_lists(shop: Shop) -> None:
    office, web = shop.old("CreatePrefixList", **BOUND)["PrefixListId"], shop.old("CreatePortRangeList", **PORTS)
    usual: dict[str, dict[str, Any]] = {
        "CreatePrefixList": BOUND,
        "CreatePortRangeList": PORTS,
        "ModifyPrefixList": {"PrefixListId": office},
        "ModifyPortRangeList": {"PortRangeListId": web["PortRangeListId"]},
    }
    for operation, more, status, code in LIST_ERRORS:
        said = {name: value for name, value in (usual.get(operation, {}) | more).items() if value is not None}
        assert shop.refused_old(operation, **said) == (status, code), (operation, more)
    group = shop.group()
    for permission, expected in (
        ({**_ANYWHERE, "PortRangeListId": "prl-none"}, (400, "InvalidPortRangeListId.NotFound")),
        (
            {**_ANYWHERE, "IpProtocol": "all", "PortRangeListId": web["PortRangeListId"]},
            (400, "InvalidParam.ProtocolNotSupportPortRangeList"),
        ),
        (
            {"IpProtocol": "icmpv6", "SourcePrefixListId": office},
            (400, "InvalidParam.PrefixListAddressFamilyMismatch"),
        ),
    ):
        shop.old("ModifyPrefixList", PrefixListId=office, AddEntrys=[{"Cidr": "10.0.0.9"}])
        refused = shop.refused_old("AuthorizeSecurityGroup", SecurityGroupId=group, Permissions=[permission])
        assert refused == expected
    limits = {"address_groups_per_account": 1}
    shop.cloud.native.put("/v1/quotas", {"target": shop.sdks.account, "limits": limits})
    assert shop.refused_old("CreatePrefixList", **BOUND) == (404, "LimitExceed.PrefixListPerRegion")
