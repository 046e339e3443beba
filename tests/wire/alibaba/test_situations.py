"""The situations of the cloud's own documents (security FAQ; best practices of inbound rules), through its SDKs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ringfence.errors import RingfenceError
from ringfence.model.validation.quotas import TOO_MANY_RULES_ON_PORT
from tests.wire.alibaba.shop import Shop, Told
from tests.wire.proving import proves

pytestmark = pytest.mark.packets
WEB: Told = {"IpProtocol": "tcp", "PortRange": "80/80", "SourceCidrIp": "0.0.0.0/0"}


def allow(shop: Shop, group: str, **said: Any) -> None:
    shop.old("AuthorizeSecurityGroup", SecurityGroupId=group, **{**WEB, **said})


def rejoin(shop: Shop, instance: str, *groups: str) -> None:
    """Put an instance's primary port into groups, in place of those that it is in."""
    (port,) = shop.native.get("/v1/ports", {"instance": instance})["items"]
    shop.native.patch(f"/v1/ports/{port['id']}", {"groups": list(groups)})


def test_the_default_group_comes_with_the_first_instance(shop: Shop) -> None:
    """It is basic; ICMP, 22 and 3389 are open to 0.0.0.0/0 at priority 100, and all outbound traffic is allowed."""
    first, second = shop.instance(), shop.instance()
    (group,) = shop.old("DescribeSecurityGroups")["SecurityGroups"]["SecurityGroup"]
    assert (group["SecurityGroupName"], group["SecurityGroupType"]) == ("default", "normal")
    rules = shop.rules(group["SecurityGroupId"])
    assert {(it["IpProtocol"], it["PortRange"], it["SourceCidrIp"], it["Priority"]) for it in rules} == {
        ("ICMP", "-1/-1", "0.0.0.0/0", "100"),
        ("TCP", "22/22", "0.0.0.0/0", "100"),
        ("TCP", "3389/3389", "0.0.0.0/0", "100"),
    }
    assert {(it["Policy"], it["Direction"], it["NicType"]) for it in rules} == {("Accept", "ingress", "intranet")}
    other = shop.instance(shop.group("other"))
    paths = ((first, second), (other, first, "icmp"), (other, first), (first, other, "icmp"))
    assert shop.verdicts(*paths) == [True, True, False, False]  # members of a basic group reach each other


def test_an_instance_is_in_five_groups_and_no_more(shop: Shop) -> None:
    groups = [shop.group(f"g{number}") for number in range(6)]
    shop.instance(*groups[:5])
    with pytest.raises(RingfenceError, match="6 groups, alibaba allows 5"):
        shop.instance(*groups)


def test_limits_of_rules_have_the_vendors_words(shop: Shop) -> None:
    """200 rules a group, in and out together; 1,000 rules on an interface; 20 rules that name groups."""
    group, peer = shop.group("full"), shop.group("peer")
    for first in (1, 101):
        rules = [{**WEB, "PortRange": f"{port}/{port}"} for port in range(first, first + 100)]
        shop.old("AuthorizeSecurityGroup", SecurityGroupId=group, Permissions=rules)
    more = {"IpProtocol": "udp", "PortRange": "9/9", "DestCidrIp": "10.0.0.0/8"}
    refused = shop.refused_old("AuthorizeSecurityGroupEgress", SecurityGroupId=group, **more)
    assert refused == (403, "AuthorizationLimitExceed")
    limits = {"rules_per_port": 250}
    shop.cloud.native.put("/v1/quotas", {"target": shop.sdks.account, "limits": limits})
    other = shop.group("other")
    shop.instance(group, other)
    rules = [{**WEB, "PortRange": f"{port}/{port}"} for port in range(1, 51)]
    shop.old("AuthorizeSecurityGroup", SecurityGroupId=other, Permissions=rules)
    said = {**WEB, "PortRange": "51/51", "SecurityGroupId": other}
    body = json.loads(shop.raw("AuthorizeSecurityGroup", "JSON", **said))  # an answer, not an exception
    assert body["Code"] == "AclLimitExceed"
    assert body["Message"].startswith(TOO_MANY_RULES_ON_PORT)
    naming = shop.group("naming")
    by_group = [{"IpProtocol": "tcp", "PortRange": f"{port}/{port}", "SourceGroupId": peer} for port in range(1, 22)]
    shop.old("AuthorizeSecurityGroup", SecurityGroupId=naming, Permissions=by_group[:20])
    refused = shop.refused_old("AuthorizeSecurityGroup", SecurityGroupId=naming, Permissions=by_group[20:])
    assert refused == (400, "AuthorizedGroupRule.LimitExceed")


def test_a_tie_is_a_denial_and_the_smaller_number_wins(shop: Shop) -> None:
    """Of two rules that differ in the action only, the denial is applied, also where they are of two groups."""
    one, two = shop.group("one"), shop.group("two")
    client, server = shop.instance(shop.group("clients")), shop.instance(one, two)
    for service, allowed, denied in (("tcp 80", 10, 11), ("tcp 81", 10, 10), ("tcp 8080", 9, 10), ("udp 53", 9, 8)):
        protocol, port = service.split()
        said = {"IpProtocol": protocol, "PortRange": f"{port}/{port}"}
        allow(shop, one, **said, Priority=str(allowed))
        allow(shop, two, **said, Priority=str(denied), Policy="drop")
    paths = [(client, server, service) for service in ("tcp/80", "tcp/81", "tcp/8080", "udp/53")]
    assert shop.verdicts(*paths) == [True, False, True, False]


def test_basic_and_advanced_groups_differ_as_documented(shop: Shop) -> None:
    """Members of an advanced group are isolated, nothing leaves it without a rule, and no port is in both types."""
    basic, advanced = shop.group("basic"), shop.group("advanced", security_group_type="enterprise")
    one, two = shop.instance(advanced), shop.instance(advanced)
    three, four = shop.instance(basic), shop.instance(basic)
    allow(shop, advanced)
    assert shop.verdicts((three, four), (one, two), (three, one)) == [True, False, True]
    everything = {"IpProtocol": "all", "PortRange": "-1/-1", "DestCidrIp": "0.0.0.0/0"}
    shop.old("AuthorizeSecurityGroupEgress", SecurityGroupId=advanced, **everything)
    assert shop.passes(one, two)
    with pytest.raises(RingfenceError, match="mixes basic and advanced"):
        shop.instance(basic, advanced)


def test_isolation_within_a_group_is_the_weakest_rule(shop: Shop) -> None:
    """Group 1 of 1 and 2 isolates, group 2 of 2 and 3 does not: 1-2 no, 2-3 yes, 1-3 no; a rule opens it again."""
    isolated, open_ = shop.group("isolated"), shop.group("open")
    shop.old("ModifySecurityGroupPolicy", SecurityGroupId=isolated, InnerAccessPolicy="Drop")
    first, second, third = shop.instance(isolated), shop.instance(isolated, open_), shop.instance(open_)
    assert shop.verdicts((first, second), (second, third), (first, third)) == [False, True, False]
    allow(shop, isolated, SourceCidrIp="10.0.1.0/24")
    assert shop.passes(first, second)
    allow(shop, open_, Policy="drop", Priority="1")
    assert shop.passes(second, third)  # what members of an open group say to each other is not judged by rules


def test_a_group_is_cloned_to_the_other_type_by_a_script(shop: Shop) -> None:
    """A type cannot be converted: make a group of the other type, and give it the rules of the first one."""
    basic, peer = shop.group("basic"), shop.group("peer")
    allow(shop, basic, Description="web")
    shop.old(
        "AuthorizeSecurityGroupEgress",
        SecurityGroupId=basic,
        IpProtocol="udp",
        PortRange="53/53",
        DestCidrIp="0.0.0.0/0",
    )
    shop.old("AuthorizeSecurityGroup", SecurityGroupId=basic, IpProtocol="tcp", PortRange="22/22", SourceGroupId=peer)
    advanced = shop.group("advanced", security_group_type="enterprise")
    told = ("Direction", "SecurityGroupRuleId", "CreateTime", "SourceGroupName", "DestGroupName")
    names = {"SourcePrefixListName", "DestPrefixListName", "PortRangeListName", "DestGroupOwnerAccount", *told}
    skipped = []
    for rule in shop.rules(basic):
        egress = "Egress" if rule["Direction"] == "egress" else ""
        permission = {name: value for name, value in rule.items() if value and name not in names}
        said = {"SecurityGroupId": advanced, "Permissions": [permission]}
        if permission.get("SourceGroupId"):
            skipped.append(shop.refused_old(f"AuthorizeSecurityGroup{egress}", **said))
        else:
            shop.old(f"AuthorizeSecurityGroup{egress}", **said)
    assert skipped == [(400, "InvalidGroupParameter.OperationDenied")]
    kept = [
        {name: it[name] for name in it if name not in ("SecurityGroupRuleId", "CreateTime")} for it in shop.rules(basic)
    ]
    copied = [
        {name: it[name] for name in it if name not in ("SecurityGroupRuleId", "CreateTime")}
        for it in shop.rules(advanced)
    ]
    assert copied == [it for it in kept if not it["SourceGroupId"]]
    client, server = shop.instance(shop.group("clients")), shop.instance(basic)
    assert shop.passes(client, server)
    rejoin(shop, server, advanced)
    back = (server, client, "tcp/81")
    assert shop.verdicts((client, server), back) == [True, False]  # an advanced group lets out what a rule allows
    cloned = shop.native.post(f"/v1/groups/{basic}/clone", {"name": "by-service", "type": "advanced", "skip": True})
    its = {it["Direction"] + it["PortRange"] for it in shop.rules(cloned["item"]["id"])}
    assert its == {it["Direction"] + it["PortRange"] for it in copied}


def test_a_group_that_is_used_stays(shop: Shop) -> None:
    """Not one with members, nor one that rules of others name."""
    used, named, naming = shop.group("used"), shop.group("named"), shop.group("naming")
    instance = shop.instance(used)
    shop.old("AuthorizeSecurityGroup", SecurityGroupId=naming, IpProtocol="tcp", PortRange="22/22", SourceGroupId=named)
    for group, words in (
        (used, "There is still instance(s) in the specified security group."),
        (named, "The specified security group has been authorized in another one."),
    ):
        body = json.loads(shop.raw("DeleteSecurityGroup", "JSON", SecurityGroupId=group))
        assert (body["Code"], body["Message"]) == ("DependencyViolation", words)
    shop.native.patch(f"/v1/groups/{naming}", {"protected": True})
    assert shop.refused_old("DeleteSecurityGroup", SecurityGroupId=naming) == (
        403,
        "InvalidOperation.DeletionProtection",
    )
    shop.native.patch(f"/v1/groups/{naming}", {"protected": False})
    shop.native.delete(f"/v1/instances/{instance}")
    for group in (naming, named, used):
        shop.old("DeleteSecurityGroup", SecurityGroupId=group)


def test_the_classic_network_and_vpcs_never_mix(shop: Shop) -> None:
    """A group made without a VPC is of the classic network: four sets of rules, and none of its ports is in a VPC."""
    said = {"name": "classic", "profile": "alibaba", "network": "classic", "cidrs": ["192.168.0.0/16"]}
    classic = shop.native.post("/v1/vpcs", said)["item"]["id"]
    subnet = {"name": "inner", "vpc": classic, "cidr": "192.168.1.0/24"}
    inner = shop.native.post("/v1/subnets", subnet)["item"]["id"]
    vpc_group = shop.group("vpc")
    old, peer = shop.group("old", vpc_id=None), shop.group("peer", vpc_id=None)
    (told,) = shop.ask("DescribeSecurityGroups", security_group_id=old)["SecurityGroups"]["SecurityGroup"]
    assert told["VpcId"] == ""
    listed = shop.ask("DescribeSecurityGroups", network_type="classic")["SecurityGroups"]["SecurityGroup"]
    assert {it["SecurityGroupId"] for it in listed} == {old, peer}
    with pytest.raises(RingfenceError, match="the two kinds never share a group"):
        shop.instance(old)
    with pytest.raises(RingfenceError, match="the two kinds never share a group"):
        shop.instance(vpc_group, subnet=inner)
    client, server = shop.instance(peer, subnet=inner), shop.instance(old, subnet=inner)
    allow(shop, old)  # of the internet interface, if nothing is said
    assert not shop.passes(client, server)
    allow(shop, old, NicType="intranet")
    assert shop.passes(client, server)
    assert {(it["NicType"]) for it in shop.rules(old)} == {"internet", "intranet"}
    inward = shop.ask("DescribeSecurityGroupAttribute", security_group_id=old, nic_type="internet")
    assert [it["NicType"] for it in inward["Permissions"]["Permission"]] == ["internet"]
    by_group = {"IpProtocol": "tcp", "PortRange": "6379/6379", "SourceGroupId": peer}
    wrong = shop.refused_old("AuthorizeSecurityGroup", SecurityGroupId=old, **by_group, NicType="internet")
    assert wrong == (400, "InvalidSourceGroupId.Mismatch")
    shop.old("AuthorizeSecurityGroup", SecurityGroupId=old, **by_group, NicType="intranet")
    shop.old("AuthorizeSecurityGroup", SecurityGroupId=old, **by_group)  # the same rule
    assert len(shop.rules(old)) == 3
    mixed = {**by_group, "SourceGroupId": vpc_group}
    refused = shop.refused_old("AuthorizeSecurityGroup", SecurityGroupId=old, **mixed)
    assert refused == (403, "InvalidNetworkType.Mismatch")
    listed = shop.old("CreatePrefixList", PrefixListName="office", AddressFamily="IPv4", MaxEntries=1)["PrefixListId"]
    by_list = {"IpProtocol": "tcp", "PortRange": "80/80", "SourcePrefixListId": listed}
    refused = shop.refused_old("AuthorizeSecurityGroup", SecurityGroupId=old, **by_list)
    assert refused == (400, "NotSupported.ClassicNetworkPrefixList")
    advanced = shop.refused("CreateSecurityGroup", security_group_type="enterprise")
    assert advanced == (400, "InvalidParams.VpcIdGroupType")


def test_the_documents_own_rules(shop: Shop) -> None:
    """Port 80 for everybody; 6379 denied at priority 100 and opened to a group; what is denied by default."""
    web, redis = shop.group("sg-web"), shop.group("sg-redis")
    guest, front, store = shop.instance(shop.group("guests")), shop.instance(web), shop.instance(redis)
    inward = {"PortRange": "80/80", "NicType": "intranet", "Policy": "accept", "Priority": "1", "IpProtocol": "tcp"}
    assert not shop.passes(guest, front)
    shop.old("AuthorizeSecurityGroup", SecurityGroupId=web, SourceCidrIp="0.0.0.0/0", **inward)
    denied = {**inward, "PortRange": "8080/8080", "Policy": "drop", "Priority": "100"}
    shop.old("AuthorizeSecurityGroup", SecurityGroupId=redis, SourceCidrIp="0.0.0.0/0", **denied)
    shop.old("AuthorizeSecurityGroup", SecurityGroupId=redis, SourceGroupId=web, **inward | {"PortRange": "8080/8080"})
    paths = ((guest, front), (front, store, "tcp/8080"), (guest, store, "tcp/8080"))
    assert shop.verdicts(*paths) == [True, True, False]
    backwards = shop.refused_old(
        "AuthorizeSecurityGroup", SecurityGroupId=web, SourceCidrIp="0.0.0.0/0", **inward | {"PortRange": "200/1"}
    )
    assert backwards == (400, "InvalidPortRange.Malformed")


def test_a_user_may_be_kept_from_rules_by_the_documents_policy(shop: Shop) -> None:
    actions = [
        *("ecs:AuthorizeSecurityGroup", "ecs:AuthorizeSecurityGroupEgress", "ecs:RevokeSecurityGroup"),
        *("ecs:RevokeSecurityGroupEgress", "ecs:ModifySecurityGroupRule", "ecs:ModifySecurityGroupEgressRule"),
        *("ecs:ModifySecurityGroupPolicy", "ecs:ModifySecurityGroupAttribute"),
        "ecs:ConfigureSecurityGroupPermissions",
    ]
    deny = {"Effect": "Deny", "Action": actions, "Resource": "*"}
    group = shop.group()
    allow(shop, group)
    (rule,) = shop.rules(group)
    user = shop.user({"Effect": "Allow", "Action": "ecs:*", "Resource": "*"}, deny)
    its = {"SecurityGroupId": group}
    calls: list[tuple[str, Told]] = [
        ("AuthorizeSecurityGroup", WEB),
        ("AuthorizeSecurityGroupEgress", {"IpProtocol": "all", "DestCidrIp": "0.0.0.0/0"}),
        ("RevokeSecurityGroup", WEB),
        ("ModifySecurityGroupRule", {"SecurityGroupRuleId": rule["SecurityGroupRuleId"], "Priority": "2"}),
        ("ModifySecurityGroupPolicy", {"InnerAccessPolicy": "Drop"}),
        ("ModifySecurityGroupAttribute", {"SecurityGroupName": "mine"}),
    ]
    for operation, said in calls:
        assert user.refused_old(operation, **its, **said) == (403, "Forbidden.RAM"), operation
    assert user.rules(group) == [rule]


@proves("alibaba DescribeSecurityGroups")
def test_what_one_api_made_is_seen_by_the_other(shop: Shop) -> None:
    """Groups of the native API, also those of the other cloud's profile, and the rules that it can say."""
    elsewhere = shop.native.post("/v1/vpcs", {"name": "hw", "profile": "huawei", "cidrs": ["10.8.0.0/16"]})["item"][
        "id"
    ]
    theirs = shop.native.post("/v1/groups", {"name": "theirs", "vpc": elsewhere})["item"]["id"]
    shop.native.post(
        f"/v1/groups/{theirs}/rules", {"rules": ["out allow all to any", "in allow all from group theirs"]}
    )
    told = {it["SecurityGroupId"]: it for it in shop.ask("DescribeSecurityGroups")["SecurityGroups"]["SecurityGroup"]}
    assert (told[theirs]["VpcId"], told[theirs]["SecurityGroupType"]) == (elsewhere, "normal")
    families = {it["SourceGroupId"] or it["DestCidrIp"] or it["Ipv6DestCidrIp"] for it in shop.rules(theirs)}
    assert families == {theirs, "0.0.0.0/0", "::/0"}
    shop.native.post("/v1/rules", {"group": theirs, "rule": "out allow gre to any"})
    part = {"IpProtocol": "gre", "PortRange": "-1/-1", "DestCidrIp": "0.0.0.0/0"}
    refused = shop.refused_old("RevokeSecurityGroupEgress", SecurityGroupId=theirs, **part)
    assert refused == (403, "InvalidGroupAuthItem.NotFound")  # it is one rule with the other family
    own = shop.group("ours")
    allow(shop, own, Description="web")
    (rule,) = shop.native.get("/v1/rules", {"group": own})["items"]
    assert rule["rule"] == 'in allow tcp 80 from 0.0.0.0/0 priority 1 "web"'
