"""Rules through both SDKs, down to packets: every form, idempotence, changes, and what is refused."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest
from alibabacloud_ecs20140526 import models as m
from aliyunsdkcore.request import CommonRequest

from ringfence.model.address import Family
from tests.wire.alibaba.shop import Shop, Told
from tests.wire.proving import proves
from tests.wire.sdks import REGION

pytestmark = pytest.mark.packets
V4, V6 = Family.IPV4, Family.IPV6
TCP: Told = {"IpProtocol": "tcp", "PortRange": "80/80"}


def wire(name: str) -> str:
    """A parameter's name as the new SDK's models spell it."""
    spelled = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
    return spelled.replace("ipv6_", "ipv_6")


def new(said: Told) -> Told:
    return {wire(name): value for name, value in said.items()}


FORMS: list[tuple[Told, str, Family]] = [
    ({**TCP, "SourceCidrIp": "0.0.0.0/0"}, "tcp/80", V4),
    ({**TCP, "Ipv6SourceCidrIp": "::/0"}, "tcp/80", V6),
    ({"IpProtocol": "6", "PortRange": "1/65535", "SourceCidrIp": "{client}"}, "tcp/80", V4),
    ({"IpProtocol": "UDP", "PortRange": "50/60", "SourceCidrIp": "10.0.1.0/24"}, "udp/53", V4),
    ({"IpProtocol": "ICMP", "PortRange": "-1/-1", "SourceCidrIp": "0.0.0.0/0"}, "icmp", V4),
    ({"IpProtocol": "icmpv6", "Ipv6SourceCidrIp": "fd00:10::/48"}, "icmpv6", V6),
    ({"IpProtocol": "ALL", "PortRange": "-1/-1", "SourceCidrIp": "0.0.0.0/0"}, "tcp/80", V4),
    ({"IpProtocol": "GRE", "PortRange": "-1/-1", "SourceCidrIp": "0.0.0.0/0"}, "47", V4),
    ({**TCP, "SourceGroupId": "{clients}"}, "tcp/80", V4),
    ({**TCP, "SourceGroupId": "{clients}"}, "tcp/80", V6),
    ({**TCP, "SourceCidrIp": "10.0.1.0/24", "DestCidrIp": "{server}"}, "tcp/80", V4),
    ({**TCP, "SourceCidrIp": "0.0.0.0/0", "SourcePortRange": "1024/65535"}, "tcp/80", V4),
    # of several sources the first one counts: a prefix before a group
    ({**TCP, "SourceCidrIp": "10.0.1.0/24", "SourceGroupId": "{servers}"}, "tcp/80", V4),
]


@proves("alibaba AuthorizeSecurityGroup", "alibaba RevokeSecurityGroup")
def test_what_is_authorised_passes_and_what_is_revoked_does_not(shop: Shop) -> None:
    clients, servers = shop.group("clients"), shop.group("servers")
    client, server = shop.instance(clients), shop.instance(servers)
    names = {"clients": clients, "servers": servers, "client": "10.0.1.2", "server": "10.0.1.3"}
    for number, (form, service, family) in enumerate(FORMS):
        said = {key: str(value).format(**names) for key, value in form.items()}
        listed = {"Permissions": [{**said, "Policy": "Accept", "Priority": "1", "NicType": "intranet"}]}
        authorize, revoke = (said, listed) if number % 3 else (listed, said)
        ask = shop.old if number % 2 else partial(_ask_new, shop)
        assert not shop.passes(client, server, service=service, family=family), said
        ask("AuthorizeSecurityGroup", SecurityGroupId=servers, **authorize)
        assert shop.passes(client, server, service=service, family=family), said
        ask("RevokeSecurityGroup", SecurityGroupId=servers, **revoke)
        assert shop.rules(servers) == [], said
    assert not shop.passes(client, server)


def _ask_new(shop: Shop, operation: str, **said: Any) -> Told:
    """Ask the new SDK in the words of the old one."""
    if "Permissions" in said:
        said["Permissions"] = [m.AuthorizeSecurityGroupRequestPermissions(**new(it)) for it in said["Permissions"]]
    return shop.ask(operation, **new(said))


@proves("alibaba AuthorizeSecurityGroupEgress", "alibaba RevokeSecurityGroupEgress")
def test_egress_is_denied_and_opened(shop: Shop) -> None:
    clients, servers = shop.group("clients", security_group_type="enterprise"), shop.group("servers")
    client, server = shop.instance(clients), shop.instance(servers)
    shop.ask("AuthorizeSecurityGroup", security_group_id=servers, **new({**TCP, "SourceCidrIp": "0.0.0.0/0"}))
    egress = {**TCP, "DestCidrIp": "10.0.1.3", "SourceCidrIp": "10.0.1.2/32", "Description": "out"}
    assert not shop.passes(client, server)  # an enterprise group denies what no rule allows
    shop.old("AuthorizeSecurityGroupEgress", SecurityGroupId=clients, **egress)
    assert shop.passes(client, server)
    (rule,) = shop.rules(clients)
    assert (rule["Direction"], rule["DestCidrIp"], rule["SourceCidrIp"]) == ("egress", "10.0.1.3/32", "10.0.1.2/32")
    shop.ask("RevokeSecurityGroupEgress", security_group_id=clients, **new(egress))
    assert not shop.passes(client, server)
    everything = {"IpProtocol": "all", "PortRange": "-1/-1", "DestCidrIp": "0.0.0.0/0"}
    shop.ask("AuthorizeSecurityGroupEgress", security_group_id=clients, **new(everything))
    assert shop.passes(client, server)
    denied = [{**TCP, "DestCidrIp": "10.0.1.3", "Policy": "drop", "Priority": "1"}]
    shop.old("AuthorizeSecurityGroupEgress", SecurityGroupId=clients, Permissions=denied)
    assert not shop.passes(client, server)
    (deny,) = (it["SecurityGroupRuleId"] for it in shop.rules(clients) if it["Policy"] == "Drop")
    shop.old("RevokeSecurityGroupEgress", SecurityGroupId=clients, SecurityGroupRuleIds=[deny])
    assert shop.passes(client, server)


def test_rules_are_told_with_every_field(shop: Shop) -> None:
    group, peer = shop.group("web"), shop.group("peer")
    listed = shop.old("CreatePrefixList", PrefixListName="office", AddressFamily="IPv4", MaxEntries=1, Entrys=[])
    said = [
        {**TCP, "SourceGroupId": peer, "Priority": "7", "Description": "from peers"},
        {**TCP, "SourcePrefixListId": listed["PrefixListId"], "Priority": "9", "Policy": "drop"},
        {"IpProtocol": "all", "SourceCidrIp": "192.0.2.1", "DestCidrIp": "10.0.1.0/24", "Priority": "8"},
    ]
    shop.old("AuthorizeSecurityGroup", SecurityGroupId=group, Permissions=said)
    shop.native.post(f"/v1/groups/{group}/rules", {"rules": ["out deny tcp 80-81,90 to any priority 3 disabled"]})
    told = shop.raw("DescribeSecurityGroupAttribute", "json", SecurityGroupId=group)
    rules: list[Told] = json.loads(told)["Permissions"]["Permission"]
    assert all(len(it.pop("SecurityGroupRuleId")) == 21 and it.pop("CreateTime").endswith("Z") for it in rules)
    empty = dict.fromkeys(rules[0], "") | {"NicType": "intranet", "IpProtocol": "TCP", "Direction": "ingress"}
    native = {"Direction": "egress", "Policy": "Drop", "Priority": "3", "Enabled": "false"}
    assert sorted(rules, key=str) == sorted(
        [
            empty
            | {"Policy": "Accept", "Priority": "7", "SourceGroupId": peer, "SourceGroupName": "peer"}
            | {"PortRange": "80/80", "Description": "from peers"},
            empty
            | {"Policy": "Drop", "Priority": "9", "PortRange": "80/80"}
            | {"SourcePrefixListId": listed["PrefixListId"], "SourcePrefixListName": "office"},
            empty
            | {"Policy": "Accept", "Priority": "8", "IpProtocol": "ALL", "PortRange": "-1/-1"}
            | {"SourceCidrIp": "192.0.2.1/32", "DestCidrIp": "10.0.1.0/24"},
            *(
                empty | native | {side: prefix, "PortRange": ports}
                for side, prefix in (("DestCidrIp", "0.0.0.0/0"), ("Ipv6DestCidrIp", "::/0"))
                for ports in ("80/81", "90/90")
            ),
        ],
        key=str,
    )
    egress = shop.ask("DescribeSecurityGroupAttribute", security_group_id=group, direction="egress")
    assert len(egress["Permissions"]["Permission"]) == 4
    many = [{**TCP, "IpProtocol": "udp", "PortRange": f"{n}/{n}", "SourceCidrIp": "10.0.0.0/8"} for n in range(1, 13)]
    shop.old("AuthorizeSecurityGroup", SecurityGroupId=group, Permissions=many)
    seen: list[str] = []
    page: Told = {"NextToken": ""}
    while not seen or page["NextToken"]:
        page = shop.ask(
            "DescribeSecurityGroupAttribute", security_group_id=group, max_results=10, next_token=page["NextToken"]
        )
        seen += [
            f"{it['IpProtocol']} {it['PortRange']} {it['Ipv6DestCidrIp']}" for it in page["Permissions"]["Permission"]
        ]
    assert len(seen) == len(set(seen)) + 1 == 19  # two rules of tcp/80
    ids = {it["SecurityGroupRuleId"] for it in shop.rules(group) if it["Direction"] == "egress"}
    assert len(ids) == 1  # one rule of ours is four permissions of theirs
    shop.old("RevokeSecurityGroupEgress", SecurityGroupId=group, SecurityGroupRuleIds=list(ids))
    assert not [it for it in shop.rules(group) if it["Direction"] == "egress"]


def test_rules_are_added_and_removed_once(shop: Shop) -> None:
    group = shop.group()
    said = {**TCP, "SourceCidrIp": "10.0.0.0/8"}
    for description in ("first", "second"):
        shop.ask("AuthorizeSecurityGroup", security_group_id=group, **new({**said, "Description": description}))
    assert len(shop.rules(group)) == 1
    for _ in range(2):
        shop.old(
            "RevokeSecurityGroup", SecurityGroupId=group, **said, Policy="Accept", Priority="1", NicType="intranet"
        )
    assert shop.rules(group) == []
    for other in ({"Priority": "2"}, {"Policy": "drop"}, {"SourcePortRange": "1/2"}, {"DestCidrIp": "10.0.1.9"}):
        shop.old("AuthorizeSecurityGroup", SecurityGroupId=group, **said)
        shop.old("RevokeSecurityGroup", SecurityGroupId=group, **said, **other)  # another rule, which is not there
        assert len(shop.rules(group)) == 1, other
    once = {"security_group_id": group, "client_token": "t", **new({**TCP, "SourceCidrIp": "192.0.2.0/24"})}
    for _ in range(2):
        shop.ask("AuthorizeSecurityGroup", **once)
    assert len(shop.rules(group)) == 2
    mismatch = shop.refused("AuthorizeSecurityGroup", **once | {"port_range": "81/81"})
    assert mismatch == (400, "IdempotentParameterMismatch")
    dry = shop.refused_old("AuthorizeSecurityGroup", SecurityGroupId=group, **TCP, SourceCidrIp="::")
    assert dry == (400, "InvalidSourceCidrIp.Malformed")
    permission = {**TCP, "SourceCidrIp": "198.51.100.1"}
    wrong = {**permission, "PortRange": "81/80"}  # all or none
    refused = shop.refused_old("AuthorizeSecurityGroup", SecurityGroupId=group, Permissions=[permission, wrong])
    assert refused == (400, "InvalidPortRange.Malformed")
    assert len(shop.rules(group)) == 2


def test_a_hundred_rules_with_long_descriptions_come_in_one_request(shop: Shop) -> None:
    group = shop.group()
    for operation, ask in (("new", shop.ask), ("old", shop.old)):
        text = ("安全组规则说明" * 80)[:512]
        rules = [
            {"IpProtocol": "TCP", "PortRange": f"{port}/{port}", "SourceCidrIp": "10.0.0.0/8", "Description": text}
            | {"Priority": "1", "Policy": "Accept", "NicType": "intranet"}
            for port in range(1, 101)
        ]
        if operation == "new":
            models = [m.AuthorizeSecurityGroupRequestPermissions(**new(it)) for it in rules]
            ask("AuthorizeSecurityGroup", security_group_id=group, permissions=models)
        else:
            ask("AuthorizeSecurityGroup", SecurityGroupId=group, Permissions=rules)
        told = shop.rules(group)
        assert (len(told), {it["Description"] for it in told}) == (100, {text})
        ids = [it["SecurityGroupRuleId"] for it in told]
        shop.ask("RevokeSecurityGroup", security_group_id=group, security_group_rule_id=ids)
    over = [*rules, {**rules[0], "PortRange": "101/101"}]
    refused = shop.refused_old("AuthorizeSecurityGroup", SecurityGroupId=group, Permissions=over)
    assert refused == (400, "InvalidParam.Permissions")


@proves("alibaba ModifySecurityGroupRule", "alibaba ModifySecurityGroupEgressRule")
def test_a_rule_is_changed_by_its_id(shop: Shop) -> None:
    clients, servers = shop.group("clients"), shop.group("servers")
    client, server = shop.instance(clients), shop.instance(servers)
    shop.ask("AuthorizeSecurityGroup", security_group_id=servers, **new({**TCP, "SourceCidrIp": "10.0.1.0/24"}))
    (rule,) = shop.rules(servers)
    its = {"SecurityGroupId": servers, "SecurityGroupRuleId": rule["SecurityGroupRuleId"]}
    for passes, change in (
        (True, {"Description": "now told"}),
        (False, {"Policy": "drop"}),
        (True, {"Policy": "accept", "Priority": "5"}),
        (False, {"PortRange": "8080/8080"}),
        (True, {"PortRange": "1/100", "SourceCidrIp": "10.0.0.0/16"}),
        (False, {"SourceCidrIp": "10.0.1.77"}),
        (False, {"Ipv6SourceCidrIp": "::/0"}),
        (True, {"SourceCidrIp": "0.0.0.0/0", "IpProtocol": "ALL", "PortRange": "-1/-1"}),
    ):
        shop.old("ModifySecurityGroupRule", **its, **change)
        assert shop.passes(client, server) is passes, change
    (now,) = shop.rules(servers)
    assert {key for key in now if now[key] != rule[key]} == {
        *("Description", "Priority", "PortRange", "SourceCidrIp", "IpProtocol")
    }
    shop.old("AuthorizeSecurityGroupEgress", SecurityGroupId=clients, **TCP, DestCidrIp="0.0.0.0/0", Priority="9")
    (out,) = shop.rules(clients)
    that = {"security_group_id": clients, "security_group_rule_id": out["SecurityGroupRuleId"]}
    shop.ask("ModifySecurityGroupEgressRule", **that, policy="drop")
    assert not shop.passes(client, server)
    by_content = {"security_group_id": clients, **new({**TCP, "DestCidrIp": "0.0.0.0/0", "Priority": "9"})}
    shop.ask("ModifySecurityGroupEgressRule", **by_content, policy="drop", description="by what it says")
    assert shop.rules(clients)[0]["Description"] == "by what it says"


OWN = "{group}"
NOT = (404, "InvalidSecurityGroupRuleId.NotFound")
RULE_ERRORS: list[tuple[str, Told, tuple[int, str]]] = [
    ("", {"IpProtocol": None}, (400, "MissingParameter")),
    ("", {"PortRange": None}, (400, "MissingParameter")),
    ("", {"SourceCidrIp": None}, (400, "MissingParameter.Source")),
    ("Egress", {"SourceCidrIp": None}, (400, "MissingParameter.Dest")),
    ("", {"IpProtocol": "http"}, (400, "InvalidIpProtocol.ValueNotSupported")),
    ("", {"IpProtocol": "256"}, (400, "InvalidIpProtocol.ValueNotSupported")),
    ("", {"IpProtocol": "t-p"}, (400, "InvalidIpProtocol.Malformed")),
    ("", {"PortRange": "200/1"}, (400, "InvalidPortRange.Malformed")),
    ("", {"PortRange": "80"}, (400, "InvalidPortRange.Malformed")),
    ("", {"PortRange": "0/80"}, (400, "InvalidPortRange.Malformed")),
    ("", {"PortRange": "1/65536"}, (400, "InvalidPortRange.Malformed")),
    ("", {"PortRange": "-1/-1"}, (400, "OperationDenied")),
    ("", {"IpProtocol": "icmp"}, (400, "OperationDenied")),
    ("", {"IpProtocol": "all", "PortRange": "1/65535"}, (400, "OperationDenied")),
    ("", {"SourcePortRange": "5"}, (400, "InvalidSourcePortRange.Malformed")),
    ("", {"SourceCidrIp": "10.0.0.0/33"}, (400, "InvalidSourceCidrIp.Malformed")),
    ("Egress", {"SourceCidrIp": None, "DestCidrIp": "x"}, (400, "InvalidDestCidrIp.Malformed")),
    ("", {"DestCidrIp": "10.0.0"}, (400, "InvalidDestCidrIp.Malformed")),
    ("", {"SourceCidrIp": None, "Ipv6SourceCidrIp": "10.0.0.1"}, (400, "InvalidParam.Ipv6SourceCidrIp")),
    ("", {"Ipv6DestCidrIp": "fe80::/x"}, (400, "InvalidParam.Ipv6DestCidrIp")),
    ("", {"Ipv6SourceCidrIp": "::/0"}, (400, "InvalidParam.SourceIp")),
    ("", {"DestCidrIp": "10.0.0.1", "Ipv6DestCidrIp": "::1"}, (400, "InvalidParam.DestIp")),
    ("", {"Ipv6DestCidrIp": "fd00::/8"}, (400, "InvalidParameter.Conflict")),
    ("", {"DestCidrIp": "10.0.0.0/8"}, (403, "InvalidParamter.Conflict")),
    (
        "",
        {"IpProtocol": "icmp", "PortRange": "-1/-1", "SourceCidrIp": None, "Ipv6SourceCidrIp": "::/0"},
        (400, "InvalidParam.Ipv4ProtocolConflictWithIpv6Address"),
    ),
    ("", {"IpProtocol": "icmpv6", "PortRange": None}, (400, "InvalidParam.Ipv6ProtocolConflictWithIpv4Address")),
    ("", {"Policy": "allow"}, (400, "InvalidPolicy.Malformed")),
    ("", {"NicType": "both"}, (400, "InvalidNicType.ValueNotSupported")),
    ("", {"NicType": "internet"}, (400, "InvalidNicType.Mismatch")),
    ("", {"Priority": "first"}, (400, "InvalidPriority.Malformed")),
    ("", {"Priority": "101"}, (400, "InvalidPriority.ValueNotSupported")),
    ("", {"Description": "x" * 513}, (400, "InvalidSecurityGroupDiscription.Malformed")),
    ("", {"SourceCidrIp": None, "SourceGroupId": "sg-none"}, (404, "InvalidSourceGroupId.NotFound")),
    ("", {"SourceCidrIp": None, "SourceGroupId": "web"}, (404, "InvalidSourceGroupId.NotFound")),
    ("Egress", {"SourceCidrIp": None, "DestGroupId": "sg-none"}, (404, "InvalidDestGroupId.NotFound")),
    ("", {"SourceCidrIp": None, "SourceGroupId": "{elsewhere}"}, (400, "InvalidSourceGroupId.Mismatch")),
    ("Egress", {"SourceCidrIp": None, "DestGroupId": "{elsewhere}"}, (400, "InvalidDestGroupId.Mismatch")),
    ("", {"SourceCidrIp": None, "SourceGroupId": OWN}, (403, "InvalidParamter.Conflict")),
    (
        "",
        {"SourceCidrIp": None, "SourceGroupId": "{big}"},
        (400, "InvalidGroupParameter.OperationDenied"),
    ),
    ("", {"SourceCidrIp": None, "SourcePrefixListId": "pl-none"}, (404, "InvalidPrefixListId.NotFound")),
    ("", {"SecurityGroupId": "sg-none"}, (404, "InvalidSecurityGroupId.NotFound")),
    ("", {"SecurityGroupId": None}, (400, "MissingParameter")),
    ("", {"Permissions": [{**TCP, "SourceCidrIp": "10.0.0.1"}]}, (400, "InvalidParam.Permissions")),
]


def test_what_is_refused_of_rules(shop: Shop) -> None:
    group = shop.group()
    away = shop.native.post("/v1/vpcs", {"name": "b", "profile": "alibaba", "cidrs": ["10.9.0.0/16"]})["item"]["id"]
    names = {"group": group, "elsewhere": shop.group("elsewhere", vpc_id=away)}
    names["big"] = shop.group("big", security_group_type="enterprise")

    def filled(said: Told) -> Told:
        texts = {key: value.format(**names) if isinstance(value, str) else value for key, value in said.items()}
        return {key: value for key, value in texts.items() if value is not None}

    for word, more, expected in RULE_ERRORS:
        said = filled({"SecurityGroupId": OWN, **TCP, "SourceCidrIp": "10.0.0.0/8", **more})
        assert shop.refused_old(f"AuthorizeSecurityGroup{word}", **said) == expected, (word, more)
        if (
            "Permissions" not in more
            and expected[1] not in ("InvalidSecurityGroupId.NotFound",)
            and "SecurityGroupId" in said
        ):
            permission = {key: value for key, value in said.items() if key != "SecurityGroupId"}
            listed = {"SecurityGroupId": group, "Permissions": [permission]}
            assert shop.refused_old(f"AuthorizeSecurityGroup{word}", **listed) == expected, (word, more)
    twice = [{**TCP, "SourceCidrIp": "10.0.0.1", "Description": text} for text in ("one", "other")]
    refused = shop.refused_old("AuthorizeSecurityGroup", SecurityGroupId=group, Permissions=twice)
    assert refused == (400, "InvalidParam.DuplicatePermissions")
    assert shop.rules(group) == []
    _check_refusals_of_revoking(shop, group)
    _check_refusals_of_changes(shop, group)


def _check_refusals_of_revoking(shop: Shop, group: str) -> None:
    shop.old("AuthorizeSecurityGroupEgress", SecurityGroupId=group, **TCP, DestCidrIp="10.0.0.1")
    (egress,) = (it["SecurityGroupRuleId"] for it in shop.rules(group))
    for ids, code in (
        (["sgr-none"], "InvalidParam.SecurityGroupRuleId"),
        ([egress], "InvalidParam.SecurityGroupRuleId"),
        ([egress, egress], "InvalidParam.SecurityGroupRuleIdRepeated"),
    ):
        said = {"SecurityGroupId": group, "SecurityGroupRuleIds": ids}
        assert shop.refused_old("RevokeSecurityGroup", **said) == (400, code), ids
    wrong = shop.refused_old("RevokeSecurityGroup", SecurityGroupId=group, **TCP, SourceCidrIp="x")
    assert wrong == (400, "InvalidSourceCidrIp.Malformed")
    shop.old("RevokeSecurityGroupEgress", SecurityGroupId=group, SecurityGroupRuleIds=[egress])


def _check_refusals_of_changes(shop: Shop, group: str) -> None:
    listed = shop.old("CreatePortRangeList", PortRangeListName="web", MaxEntries=2)["PortRangeListId"]
    peer = shop.group("peer")
    for port in (80, 81):
        said = {"IpProtocol": "tcp", "PortRange": f"{port}/{port}", "SourceCidrIp": "10.0.0.0/8"}
        shop.old("AuthorizeSecurityGroup", SecurityGroupId=group, **said)
    (rule,) = (it["SecurityGroupRuleId"] for it in shop.rules(group) if it["PortRange"] == "80/80")
    for operation, change, expected in (
        ("Rule", {"SourceGroupId": peer}, (400, "InvalidOperation.ModifySgRuleEntityType")),
        ("Rule", {"NicType": "internet"}, (400, "InvalidOperation.ModifyNicType")),
        ("Rule", {"PortRangeListId": listed}, (400, "InvalidOperation.ModifyPortRangeType")),
        ("Rule", {"PortRange": "81/81"}, (400, "InvalidOperation.RuleDuplicate")),
        ("Rule", {"IpProtocol": "icmp"}, (400, "InvalidParam.ProtocolAndPortRangeMismatch")),
        (
            "Rule",
            {"IpProtocol": "icmpv6", "PortRange": "-1/-1"},
            (400, "InvalidParam.ProtocolAndAddressFamilyMismatch"),
        ),
        ("Rule", {}, (400, "InvalidParam.InvalidModifyRuleRequest")),
        ("Rule", {"Priority": "0"}, (400, "InvalidPriority.ValueNotSupported")),
        ("Rule", {"SecurityGroupRuleId": "sgr-none", "Priority": "2"}, NOT),
        ("Rule", {"SecurityGroupId": peer, "Priority": "2"}, NOT),
        ("EgressRule", {"Priority": "2"}, NOT),
    ):
        said = {"SecurityGroupId": group, "SecurityGroupRuleId": rule, **change}
        assert shop.refused_old(f"ModifySecurityGroup{operation}", **said) == expected, change
    absent = {"SecurityGroupId": group, **TCP, "SourceCidrIp": "10.0.0.1"}
    assert shop.refused_old("ModifySecurityGroupRule", **absent, Description="x") == (404, "SecurityGroupRule.NotFound")
    assert shop.refused_old("ModifySecurityGroupRule", **absent) == (400, "InvalidParam.InvalidModifyRuleRequest")


def test_a_group_of_another_account_is_named_with_its_owner(shop: Shop) -> None:
    other = shop.cloud.tenant()
    shop.native.patch(f"/v1/vpcs/{shop.vpc}", {"shared_with": [other.account]})
    made = other.ecs().create_security_group(m.CreateSecurityGroupRequest(region_id=REGION, vpc_id=shop.vpc))
    theirs, own = made.body.security_group_id, shop.group()
    said = {"security_group_id": own, **new(TCP), "source_group_id": theirs}
    assert shop.refused("AuthorizeSecurityGroup", **said) == (404, "InvalidSourceGroupId.NotFound")
    wrong = {**said, "source_group_owner_id": shop.sdks.account}
    assert shop.refused("AuthorizeSecurityGroup", **wrong) == (404, "InvalidSourceGroupId.NotFound")
    shop.ask("AuthorizeSecurityGroup", **said, source_group_owner_id=other.account)
    (rule,) = shop.rules(own)
    assert (rule["SourceGroupId"], rule["SourceGroupOwnerAccount"], rule["SourceGroupName"]) == (
        theirs,
        other.account,
        "",
    )
    shop.ask("AuthorizeSecurityGroup", **said, source_group_owner_account="tenant")  # the account's name: the same rule
    assert len(shop.rules(own)) == 1
    shop.ask("RevokeSecurityGroup", **said, source_group_owner_account=other.account)
    assert shop.rules(own) == []


@proves("alibaba ConfigureSecurityGroupPermissions")
def test_rules_of_both_directions_change_in_one_go(shop: Shop) -> None:
    clients, servers = shop.group("clients"), shop.group("servers")
    client, server = shop.instance(clients), shop.instance(servers)

    def configure(**said: Any) -> Told:
        request = CommonRequest()
        request.set_domain(shop.sdks.url.removeprefix("http://"))
        request.set_version("2014-05-26")
        request.set_action_name("ConfigureSecurityGroupPermissions")
        request.set_accept_format("json")
        for name, value in {"SecurityGroupId": servers, **said}.items():
            request.add_query_param(name, value)
        found: Told = json.loads(shop.former.do_action(request))
        return found

    allow = {"IpProtocol": "tcp", "PortRange": "80/80", "SourceCidrIp": "0.0.0.0/0"}
    deny = {"Direction": "egress", "Policy": "drop", "IpProtocol": "all", "DestCidrIp": "0.0.0.0/0"}
    added = {f"AuthorizePermissions.1.{name}": value for name, value in allow.items()}
    added |= {f"AuthorizePermissions.2.{name}": value for name, value in deny.items()}
    assert configure(**added).keys() == {"RequestId"}
    assert shop.passes(client, server)
    assert {it["Direction"] for it in shop.rules(servers)} == {"ingress", "egress"}
    gone = {f"RevokePermissions.1.{name}": value for name, value in allow.items()}
    assert configure(**gone).keys() == {"RequestId"}
    assert not shop.passes(client, server)
    assert configure()["Code"] == "MissingParameter"
    assert configure(**{"AuthorizePermissions.1.IpProtocol": "tcp"})["Code"] == "MissingParameter.Source"


def test_rules_are_judged_by_ram(shop: Shop) -> None:
    group = shop.group()
    resource = f"acs:ecs:*:*:securitygroup/{group}"
    allow = {"Effect": "Allow", "Action": "ecs:AuthorizeSecurityGroup", "Resource": resource}
    user = shop.user(allow)
    said = {"security_group_id": group, **new(TCP)}
    user.ask("AuthorizeSecurityGroup", **said, source_cidr_ip="10.0.0.1")
    implicit = ("SubUser", "ImplicitDeny")
    egress = user.denied("AuthorizeSecurityGroupEgress", **said, dest_cidr_ip="10.0.0.1")
    assert egress == ("ecs:AuthorizeSecurityGroupEgress", *implicit)
    revoked = user.denied("RevokeSecurityGroup", **said, source_cidr_ip="10.0.0.1")
    assert revoked == ("ecs:RevokeSecurityGroup", *implicit)
