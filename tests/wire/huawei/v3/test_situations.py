"""The situations of the requirement documents about Huawei Cloud, each from the SDK's call to the packet.

R0: Security Group Configuration Examples; R1: Security Groups and Security Group Rules; R4: Why Do My Security Group
Rules Not Work.
"""

from __future__ import annotations

from typing import Any

import pytest

from ringfence.client.client import Client
from tests.wire.cloud import Cloud
from tests.wire.huawei.v3.asking import ask, refused
from tests.wire.huawei.v3.estate import BOTH, NEITHER, ONLY_4, Estate
from tests.wire.proving import proves

pytestmark = pytest.mark.packets


def two_machines(estate: Estate, *groups: str) -> tuple[str, str]:
    """Two machines in the same groups."""
    return estate.machine(*groups), estate.machine(*groups)


def rules_of(estate: Estate, group: str, direction: str = "ingress") -> list[Any]:
    """The rules of a group of one direction."""
    every = ask(estate.client, "list_security_group_rules", security_group_id=[group], direction=direction)
    return list(every.security_group_rules)


def test_the_default_group_is_everybodys_who_names_none(shared: Cloud) -> None:
    """R1: the system makes a default group and puts the instance into it; R1 Table 2: its rules."""
    estate = Estate.of(shared)
    one, two = estate.machine(), estate.machine()
    (default,) = estate.port(one).security_groups
    shown = ask(estate.client, "show_security_group", security_group_id=default).security_group
    assert (shown.name, len(shown.security_group_rules)) == ("default", 4)
    assert estate.passes(one, two) == BOTH
    assert refused(estate.client, "delete_security_group", security_group_id=default)[:2] == (403, "VPC.2701")
    for rule in rules_of(estate, default):
        estate.unrule(rule)
    assert estate.passes(one, two) == NEITHER


def test_members_reach_each_other_by_rules_that_name_the_group_itself(shared: Cloud) -> None:
    """R1: instances in the same group cannot communicate if the rule for that was deleted."""
    estate = Estate.of(shared)
    group = estate.group()
    one, two = two_machines(estate, group)
    assert estate.passes(one, two) == BOTH
    (six,) = [it for it in rules_of(estate, group) if it.ethertype == "IPv6"]
    assert six.remote_group_id == group
    estate.unrule(six)
    assert estate.passes(one, two) == ONLY_4
    estate.rule(group, remote_group_id=group, ethertype="IPv6", protocol=None, multiport=None)
    assert estate.passes(one, two) == BOTH


def test_groups_are_apart_until_a_rule_names_the_other(shared: Cloud) -> None:
    """R0 Table 9: instances of sg-A reach MySQL in sg-B by an inbound rule of sg-B with sg-A as its source."""
    estate = Estate.of(shared)
    a, b = estate.group("sg-A"), estate.group("sg-B")
    one, two = estate.machine(a), estate.machine(b)
    assert estate.passes(one, two) == NEITHER
    rule = estate.rule(b, remote_group_id=a, multiport="80")
    assert estate.passes(one, two) == ONLY_4
    assert estate.passes(two, one) == NEITHER
    assert estate.passes(one, two, "tcp/22") == NEITHER
    gone = refused(estate.client, "delete_security_group", security_group_id=a)
    assert gone[:2] == (409, "VPC.0602")  # a port is in it, and a rule names it
    estate.unrule(rule)
    assert estate.passes(one, two) == NEITHER


def test_what_leaves_needs_an_outbound_rule(shared: Cloud) -> None:
    """R0: if outbound rules are deleted, instances cannot reach anything; Table 11 allows single sites."""
    estate = Estate.of(shared)
    group = estate.group()
    one, two = two_machines(estate, group)
    for rule in rules_of(estate, group, "egress"):
        estate.unrule(rule)
    assert estate.passes(one, two) == NEITHER
    address = estate.port(two).private_ips[0].ip_address
    estate.rule(group, direction="egress", remote_ip_prefix=f"{address}/32")
    assert estate.passes(one, two) == ONLY_4


def test_deny_wins_a_tie_and_else_priority_decides(shared: Cloud) -> None:
    """SEMANTICS.md 2.1: 1 is strongest, and of two rules of one priority the one that denies counts."""
    estate = Estate.of(shared)
    group = estate.group(bare=True)
    one, two = two_machines(estate, group)
    allow = estate.rule(group, priority=5)
    assert estate.passes(one, two) == ONLY_4
    deny = estate.rule(group, priority=5, action="deny")
    assert estate.passes(one, two) == NEITHER
    estate.unrule(deny)
    estate.rule(group, priority=6, action="deny", protocol=None, multiport=None)
    assert estate.passes(one, two) == ONLY_4
    estate.unrule(allow)
    assert estate.passes(one, two) == NEITHER


def test_five_groups_at_most_and_their_rules_add_up(shared: Cloud) -> None:
    """R1: an instance may be in up to five groups, whose rules are aggregated, whatever their order."""
    estate = Estate.of(shared)
    client = estate.client
    shut, web, ssh, *more = [estate.group(f"g{number}", bare=True) for number in range(6)]
    one, two = two_machines(estate, shut)
    port = estate.port(two).id
    estate.rule(web, multiport="80")
    estate.rule(ssh, multiport="22")
    body = {"port": {"security_groups": [web, ssh, *more[:2]]}}
    assert len(ask(client, "add_security_groups", body, port_id=port).port.security_groups) == 5
    assert estate.passes(one, two) == estate.passes(one, two, "tcp/22") == ONLY_4
    sixth = refused(client, "add_security_groups", {"port": {"security_groups": more[2:]}}, port_id=port)
    assert sixth[:2] == (400, "VPC.2500")
    assert "5" in sixth[2]
    deny = estate.rule(more[1], multiport="80", action="deny")  # in the last group: there is one list of all rules
    assert estate.passes(one, two) == NEITHER
    estate.unrule(deny)
    leave = {"port": {"security_groups": [shut, web, ssh, *more[:2]]}}
    assert refused(client, "remove_security_groups", leave, port_id=port)[:2] == (400, "VPC.2500")


def test_the_order_of_groups_counts_where_the_vpc_says_so(shared: Cloud) -> None:
    """SEMANTICS.md 13.1, `group_order` sequence: the first group is searched completely, then the next."""
    estate = Estate.of(shared)
    client = estate.client
    with Client(shared.url, key=estate.sdks.key) as native:
        native.patch(f"/v1/vpcs/{estate.vpc}", {"switches": {"group_order": "sequence"}})
        made = [{"name": name, "vpc": estate.vpc} for name in ("allows", "denies")]
        allows, denies = (str(native.post("/v1/groups", said)["item"]["id"]) for said in made)
    for ethertype in ("IPv4", "IPv6"):
        estate.rule(allows, priority=100, ethertype=ethertype)
        estate.rule(allows, priority=100, ethertype=ethertype, direction="egress")
        estate.rule(denies, priority=1, ethertype=ethertype, action="deny")
    one, two = two_machines(estate, allows)
    port = estate.port(two).id
    ask(client, "add_security_groups", {"port": {"security_groups": [denies]}}, port_id=port)
    assert estate.passes(one, two) == BOTH
    ask(client, "remove_security_groups", {"port": {"security_groups": [denies]}}, port_id=port)
    ask(client, "add_security_groups", {"port": {"security_groups": [denies], "index": 0}}, port_id=port)
    assert estate.passes(one, two) == NEITHER


@proves("huawei v3 batch_create_security_group_rules", "huawei v3 create_security_group_rule")
def test_fifty_rules_a_group(shared: Cloud) -> None:
    """R1: by default, you can add up to 50 rules to a group."""
    estate = Estate.of(shared)
    group = estate.group()
    path = {"security_group_id": group}
    rules = [{"direction": "ingress", "protocol": "tcp", "multiport": str(port)} for port in range(1001, 1047)]
    batch = "batch_create_security_group_rules"
    assert len(ask(estate.client, batch, {"security_group_rules": rules}, **path).security_group_rules) == 46
    body = {"security_group_rule": {**path, "direction": "ingress"}}
    more = refused(estate.client, "create_security_group_rule", body)
    assert more == (409, "VPC.0602", "Quota exceeded for resources: ['security_group_rule'].")
    assert len(rules_of(estate, group)) + len(rules_of(estate, group, "egress")) == 50


def test_a_disabled_rule_does_nothing(shared: Cloud) -> None:
    """apis/huawei.md 3.5: enabled is true unless something else is said."""
    estate = Estate.of(shared)
    group = estate.group(bare=True)
    one, two = two_machines(estate, group)
    off = estate.rule(group, enabled=False)
    assert not off.enabled
    assert estate.passes(one, two) == NEITHER
    twice = refused(
        estate.client,
        "create_security_group_rule",
        {
            "security_group_rule": {
                "security_group_id": group,
                "direction": "ingress",
                "protocol": "tcp",
                "multiport": "80",
            }
        },
    )
    assert twice[:2] == (409, "VPC.0602")
    estate.unrule(off)
    estate.rule(group)
    assert estate.passes(one, two) == ONLY_4


def test_an_address_group_is_a_source(shared: Cloud) -> None:
    """R0 Table 10: the instances whose addresses are in ipGroup-A may reach the database."""
    estate = Estate.of(shared)
    client, group = estate.client, estate.group(bare=True)
    one, two = two_machines(estate, group)
    said = {"name": "ipGroup-A", "ip_version": 4, "ip_set": ["10.7.1.0/24"]}
    listed = ask(client, "create_address_group", {"address_group": said}).address_group.id
    estate.rule(group, remote_address_group_id=listed)
    assert estate.passes(one, two) == ONLY_4
    ask(client, "update_address_group", {"address_group": {"ip_set": []}}, address_group_id=listed)
    assert estate.passes(one, two) == NEITHER
    assert refused(client, "delete_address_group", address_group_id=listed)[:2] == (409, "VPC.0602")
    ask(client, "delete_ip_address_group_force", address_group_id=listed)
    assert rules_of(estate, group) == []


def test_a_group_is_cloned_as_a_script_does_it(shared: Cloud) -> None:
    """SEMANTICS.md 7: all rules are cloned, those that name the group itself name the clone, members are not."""
    estate = Estate.of(shared)
    client, group = estate.client, estate.group("web")
    for rule in rules_of(estate, group):
        estate.unrule(rule)
    estate.rule(group, priority=9, description="the site")
    estate.rule(group, remote_group_id=group, multiport="22")
    clone = estate.group("web-2")
    own = ("direction", "ethertype", "protocol", "multiport", "action", "priority", "description", "enabled")
    for rule in rules_of(estate, clone):
        estate.unrule(rule)
    copied = [
        {name: getattr(rule, name) for name in (*own, "remote_ip_prefix", "remote_address_group_id")}
        | {"remote_group_id": clone if rule.remote_group_id == group else rule.remote_group_id}
        for rule in (*rules_of(estate, group), *rules_of(estate, group, "egress"))
    ]
    body = {"security_group_rules": copied, "ignore_duplicate": True}
    told = ask(client, "batch_create_security_group_rules", body, security_group_id=clone).security_group_rules
    assert len(told) == 2  # the two outbound rules were there
    one, two = two_machines(estate, clone)
    other = estate.machine(group)
    assert estate.passes(one, two) == estate.passes(other, two) == ONLY_4
    assert estate.passes(one, two, "tcp/22") == ONLY_4
    assert estate.passes(other, two, "tcp/22") == NEITHER


def test_a_group_is_deleted_when_nothing_uses_it(shared: Cloud) -> None:
    """SEMANTICS.md 7: refused while it has members, and while a rule of another group names it."""
    estate = Estate.of(shared)
    client, group, other = estate.client, estate.group("a"), estate.group("b")
    delete = "delete_security_group"
    rule = estate.rule(other, remote_group_id=group)
    assert refused(client, delete, security_group_id=group)[:2] == (409, "VPC.0602")
    estate.unrule(rule)
    machine = estate.machine(group)
    assert refused(client, delete, security_group_id=group)[:2] == (409, "VPC.0602")
    port = estate.port(machine).id
    ask(client, "add_security_groups", {"port": {"security_groups": [other]}}, port_id=port)
    ask(client, "remove_security_groups", {"port": {"security_groups": [group]}}, port_id=port)
    ask(client, delete, security_group_id=group)
    assert refused(client, "show_security_group", security_group_id=group)[0] == 404


def test_an_acl_goes_before_the_groups_rules(shared: Cloud) -> None:
    """R4: inbound 80 is allowed by the group, and the network ACL of the subnet denies it: the ACL takes precedence."""
    estate = Estate.of(shared)
    client, group = estate.client, estate.group()
    said = {"name": "data", "vpc": estate.vpc, "cidr": "10.7.2.0/24"}
    behind = str(estate.native("/v1/subnets", said)["id"])
    one, two = estate.machine(group), estate.machine(group, subnet=behind)
    assert estate.cloud.passes(f"{one} -> {two} tcp/80")
    acl = ask(client, "create_firewall", {"firewall": {"name": "edge"}}).firewall.id
    every = {"action": "allow", "protocol": "any", "ip_version": 4}
    deny = {**every, "action": "deny", "protocol": "tcp", "destination_port": "80"}
    body = {"firewall": {"ingress_rules": [deny, every], "egress_rules": [every]}}
    ask(client, "add_firewall_rules", body, firewall_id=acl)
    ask(client, "associate_subnet_firewall", {"subnets": [{"virsubnet_id": behind}]}, firewall_id=acl)
    assert not estate.cloud.passes(f"{one} -> {two} tcp/80")
    assert estate.cloud.passes(f"{one} -> {two} tcp/22")


def test_a_group_stays_in_its_own_cloud(shared: Cloud) -> None:
    """A group of this API has no VPC, and a port in a VPC of the other cloud's profile cannot be in it."""
    estate = Estate.of(shared)
    group = estate.group()
    vpc = estate.native("/v1/vpcs", {"name": "ali", "cidrs": ["10.8.0.0/16"], "profile": "alibaba"})["id"]
    subnet = estate.native("/v1/subnets", {"name": "s", "vpc": vpc, "cidr": "10.8.1.0/24"})["id"]
    theirs = estate.native("/v1/groups", {"name": "g", "vpc": vpc})["id"]
    machine = estate.machine(theirs, subnet=subnet)
    body = {"port": {"security_groups": [group]}}
    assert refused(estate.client, "add_security_groups", body, port_id=estate.port(machine).id)[:2] == (400, "VPC.2500")
    other = estate.machine(group)
    body = {"port": {"security_groups": [theirs]}}
    assert refused(estate.client, "add_security_groups", body, port_id=estate.port(other).id)[:2] == (400, "VPC.2500")


@proves("huawei v3 show_security_group", "huawei v3 list_security_group_rules")
def test_what_the_native_api_made_is_told_as_far_as_it_can_be(shared: Cloud) -> None:
    """A rule of both families has no ethertype; what this API made is in the native one, word for word."""
    estate = Estate.of(shared)
    group = estate.group(bare=True)
    estate.native("/v1/rules", {"group": group, "rule": 'in allow gre from any priority 3 "tunnel"'})
    estate.native("/v1/rules", {"group": group, "rule": "in deny udp 53 from 10.0.0.0/8 disabled"})
    both, dns = sorted(rules_of(estate, group), key=lambda it: str(it.protocol))
    assert (both.ethertype, both.protocol, both.remote_ip_prefix, both.description) == (None, "47", None, "tunnel")
    assert (dns.ethertype, dns.action, dns.multiport, dns.enabled) == ("IPv4", "deny", "53", False)
    made = estate.rule(group, remote_group_id=group, ethertype="IPv6", multiport="80,443", priority=2)
    with Client(shared.url, key=estate.sdks.key) as native:
        told = native.get(f"/v1/rules/{made.id}")
    assert told["rule"] == f"in allow tcp 80,443 from group {group} to ::/0 priority 2"
