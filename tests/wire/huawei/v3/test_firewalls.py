"""Network ACLs of version 3, through the SDK, down to packets."""

from __future__ import annotations

from typing import Any

import pytest

from tests.wire.cloud import Cloud
from tests.wire.huawei.v3.asking import ask, dry_run, refused
from tests.wire.huawei.v3.estate import BOTH, NEITHER, ONLY_4, Estate, ids
from tests.wire.proving import proves

pytestmark = pytest.mark.packets

NOBODY = "11111111-2222-3333-4444-555555555555"
ALLOW_4 = {"action": "allow", "protocol": "any", "ip_version": 4}
ALLOW_6 = {**ALLOW_4, "ip_version": 6}
DENY_80 = {"name": "no-web", "action": "deny", "protocol": "tcp", "ip_version": 4, "destination_port": "80,8000-8080"}


def acl_of(client: Any, name: str = "edge", **said: Any) -> str:
    """The id of a new ACL."""
    return str(ask(client, "create_firewall", {"firewall": {"name": name, **said}}).firewall.id)


def insert(client: Any, acl: str, *rules: dict[str, Any], way: str = "ingress_rules", after: str = "") -> Any:
    """Insert lines, and tell the ACL."""
    place = {"insert_after_rule": after} if after else {}
    return ask(client, "add_firewall_rules", {"firewall": {way: list(rules), **place}}, firewall_id=acl).firewall


@proves(
    "huawei v3 create_firewall",
    "huawei v3 associate_subnet_firewall",
    "huawei v3 disassociate_subnet_firewall",
    "huawei v3 add_firewall_rules",
    "huawei v3 update_firewall_rules",
    "huawei v3 remove_firewall_rules",
    "huawei v3 update_firewall",
    "huawei v3 show_firewall",
    "huawei v3 delete_firewall",
)
def test_lines_decide_in_their_order(shared: Cloud) -> None:
    estate = Estate.of(shared)
    client, group = estate.client, estate.group()
    said = {"name": "data", "vpc": estate.vpc, "cidr": "10.7.2.0/24", "cidr6": "fd07:0:0:2::/64"}
    behind = str(estate.native("/v1/subnets", said)["id"])
    one, two = estate.machine(group), estate.machine(group, subnet=behind)
    assert estate.passes(one, two) == BOTH
    acl = acl_of(client)
    subnets = {"subnets": [{"virsubnet_id": behind}]}
    bound = ask(client, "associate_subnet_firewall", subnets, firewall_id=acl).firewall
    assert (bound.status, [it.virsubnet_id for it in bound.associations]) == ("ACTIVE", [behind])
    assert estate.passes(one, two) == NEITHER  # it has no line yet
    told = insert(client, acl, ALLOW_4, ALLOW_6)
    assert [(it.protocol, it.ip_version) for it in told.ingress_rules] == [("any", 4), ("any", 6)]
    assert told.ingress_rules[0].source_ip_address == "0.0.0.0/0"
    assert estate.passes(one, two) == BOTH
    four, six = ids(told.ingress_rules)
    told = insert(client, acl, DENY_80, after=six)
    assert [it.id for it in told.ingress_rules][:2] == [four, six]
    assert estate.passes(one, two) == BOTH  # the first line decides
    told = insert(client, acl, DENY_80)
    assert (told.ingress_rules[0].destination_port, told.ingress_rules[0].name) == ("80,8000-8080", "no-web")
    assert (estate.passes(one, two)[0], estate.passes(one, two, "tcp/22")) == (False, BOTH)
    first = told.ingress_rules[0].id
    change = {"id": first, "enabled": False, "description": "off"}
    told = ask(client, "update_firewall_rules", {"firewall": {"ingress_rules": [change]}}, firewall_id=acl).firewall
    assert next(it.id for it in told.ingress_rules) == first
    assert not told.ingress_rules[0].enabled
    assert (told.ingress_rules[0].name, told.ingress_rules[0].destination_port) == ("no-web", "80,8000-8080")
    assert estate.passes(one, two) == BOTH
    change = {"id": first, "enabled": True, "ip_version": 6, "source_ip_address": "::/0"}
    change |= {"destination_ip_address": "fd07:0:0:2::/64"}
    told = ask(client, "update_firewall_rules", {"firewall": {"ingress_rules": [change]}}, firewall_id=acl).firewall
    assert told.ingress_rules[0].ip_version == 6
    assert estate.passes(one, two) == ONLY_4
    gone = {"firewall": {"ingress_rules": [{"id": first}, {"id": six}]}}
    told = ask(client, "remove_firewall_rules", gone, firewall_id=acl).firewall
    assert len(told.ingress_rules) == 2
    assert told.egress_rules == []
    assert estate.passes(one, two) == ONLY_4
    off = ask(client, "update_firewall", {"firewall": {"admin_state_up": False, "name": "e"}}, firewall_id=acl).firewall
    assert (off.admin_state_up, off.name) == (False, "e")
    assert estate.passes(one, two) == NEITHER
    assert refused(client, "delete_firewall", firewall_id=acl)[:2] == (409, "VPC.0602")
    other = acl_of(client, "other")
    taken = refused(client, "associate_subnet_firewall", subnets, firewall_id=other)
    assert taken[:2] == (409, "VPC.0602")
    free = ask(client, "disassociate_subnet_firewall", subnets, firewall_id=acl).firewall
    assert (free.status, free.associations) == ("INACTIVE", [])
    assert estate.passes(one, two) == BOTH
    ask(client, "delete_firewall", firewall_id=acl)
    assert refused(client, "show_firewall", firewall_id=acl)[:2] == (404, "VPC.2204")


@proves("huawei v3 add_firewall_rules", "huawei v3 list_firewall", "huawei v3 create_firewall")
def test_both_directions_and_lists(shared: Cloud) -> None:
    client = shared.tenant().huawei()
    tags = [{"key": "env", "value": "prod"}]
    acl = acl_of(client, "b", description="d", tags=tags, admin_state_up=False, type="normal")
    both = {"firewall": {"ingress_rules": [ALLOW_4], "egress_rules": [{**ALLOW_6, "name": "out"}]}}
    told = ask(client, "add_firewall_rules", both, firewall_id=acl).firewall
    assert (len(told.ingress_rules), told.egress_rules[0].name, told.egress_rules[0].ip_version) == (1, "out", 6)
    assert dry_run(client, "add_firewall_rules", both, firewall_id=acl) == 202
    other = acl_of(client, "a")
    for said, found in (
        ({}, {acl, other}),
        ({"name": ["a"]}, {other}),
        ({"id": [acl]}, {acl}),
        ({"admin_state_up": False}, {acl}),
        ({"status": "ACTIVE"}, set()),
        ({"enterprise_project_id": ["0"]}, {acl, other}),
    ):
        assert set(ids(ask(client, "list_firewall", **said).firewalls)) == found, said
    shown = ask(client, "show_firewall", firewall_id=acl).firewall
    assert shown.to_dict() == told.to_dict()


@proves("huawei v3 add_firewall_rules", "huawei v3 update_firewall_rules", "huawei v3 remove_firewall_rules")
def test_what_is_refused(shared: Cloud) -> None:
    client = shared.tenant().huawei()
    acl = acl_of(client)
    (line,) = insert(client, acl, ALLOW_4).ingress_rules
    said: dict[str, Any] | None
    group = {"address_group": {"name": "g", "ip_version": 4, "ip_set": ["10.0.0.1"]}}
    group_id = ask(client, "create_address_group", group).address_group.id
    for said, code in (
        ({"ip_version": 5}, (400, "VPC.0601")),
        ({"action": "drop"}, (400, "VPC.0601")),
        ({"protocol": "all"}, (400, "VPC.0601")),
        ({"protocol": "icmpv6"}, (400, "VPC.0601")),
        ({"protocol": "icmp", "source_port": "80"}, (400, "VPC.0601")),
        ({"source_port": "80"}, (400, "VPC.0601")),
        ({"protocol": "tcp", "destination_port": "90-80"}, (400, "VPC.0601")),
        ({"protocol": "tcp", "destination_port": ",".join(map(str, range(1, 42, 2)))}, (400, "VPC.0601")),
        ({"source_ip_address": "fd00::/64"}, (400, "VPC.0601")),
        ({"source_ip_address": "web"}, (400, "VPC.0601")),
        ({"source_ip_address": "10.0.0.1", "source_address_group_id": group_id}, (400, "VPC.0601")),
        ({"source_address_group_id": group_id, "destination_address_group_id": group_id}, (400, "VPC.0601")),
        ({"source_address_group_id": NOBODY}, (404, "VPC.2204")),
        ({"name": "a b"}, (400, "VPC.0601")),
        ({"description": "<"}, (400, "VPC.0601")),
    ):
        body = {"firewall": {"ingress_rules": [{**ALLOW_4, **said}]}}
        assert refused(client, "add_firewall_rules", body, firewall_id=acl)[:2] == code, said
    rules: dict[str, Any]
    for method, rules, code in (
        ("add_firewall_rules", {}, (400, "VPC.0601")),
        ("add_firewall_rules", {"egress_rules": [ALLOW_4], "insert_after_rule": line.id}, (404, "VPC.2204")),
        ("add_firewall_rules", {"ingress_rules": [ALLOW_4], "insert_after_rule": "1"}, (404, "VPC.2204")),
        (
            "add_firewall_rules",
            {"ingress_rules": [ALLOW_4], "egress_rules": [ALLOW_4], "insert_after_rule": line.id},
            (400, "VPC.0601"),
        ),
        (
            "add_firewall_rules",
            {"ingress_rules": [{**ALLOW_4, "name": f"l{it}"} for it in range(20)]},
            (409, "VPC.0604"),
        ),
        ("update_firewall_rules", {}, (400, "VPC.0601")),
        ("update_firewall_rules", {"ingress_rules": [{"id": line.id}, {"id": line.id}]}, (400, "VPC.0601")),
        ("update_firewall_rules", {"egress_rules": [{"id": line.id}]}, (404, "VPC.2204")),
        ("update_firewall_rules", {"ingress_rules": [{"id": line.id, "ip_version": 6}]}, (400, "VPC.0601")),
        ("remove_firewall_rules", {"ingress_rules": [{"id": NOBODY}]}, (404, "VPC.2204")),
    ):
        assert refused(client, method, {"firewall": rules}, firewall_id=acl)[:2] == code, (method, rules)
    subnets = {"subnets": [{"virsubnet_id": NOBODY}]}
    for method in ("associate_subnet_firewall", "disassociate_subnet_firewall"):
        assert refused(client, method, subnets, firewall_id=acl)[:2] == (404, "VPC.2204")
    for more in ({"type": "clouddcn"}, {"name": ""}):
        wrong = {"firewall": {"name": "x", **more}}
        assert refused(client, "create_firewall", wrong)[:2] == (400, "VPC.0601")
    theirs = shared.tenant().huawei()
    theirs_said: dict[str, Any] = {"firewall": {"name": "x"}}
    for method, said in (
        ("show_firewall", None),
        ("delete_firewall", None),
        ("update_firewall", theirs_said),
        ("add_firewall_rules", {"firewall": {"ingress_rules": [ALLOW_4]}}),
    ):
        assert refused(theirs, method, said, firewall_id=acl)[:2] == (404, "VPC.2204")


@proves(
    "huawei v3 create_firewall_tag",
    "huawei v3 show_firewall_tags",
    "huawei v3 list_firewall_tags",
    "huawei v3 delete_firewall_tag",
    "huawei v3 batch_create_firewall_tags",
    "huawei v3 batch_delete_firewall_tags",
    "huawei v3 list_firewalls_by_tags",
    "huawei v3 count_firewalls_by_tags",
)
def test_tags(shared: Cloud) -> None:
    client = shared.tenant().huawei()
    one, two = acl_of(client, "front"), acl_of(client, "back")

    def tags(acl: str) -> dict[str, str]:
        return {it.key: it.value for it in ask(client, "show_firewall_tags", firewall_id=acl).tags}

    ask(client, "create_firewall_tag", {"tag": {"key": "env", "value": "prod"}}, firewall_id=one)
    many = {"tags": [{"key": "env", "value": "test"}, {"key": "team", "value": "a"}]}
    ask(client, "batch_create_firewall_tags", many, firewall_id=two)
    assert (tags(one), tags(two)) == ({"env": "prod"}, {"env": "test", "team": "a"})
    every = ask(client, "list_firewall_tags")
    assert {it.key: sorted(it.values) for it in every.tags} == {"env": ["prod", "test"], "team": ["a"]}
    assert (every.total_count, len(ask(client, "list_firewall_tags", limit=1, offset=1).tags)) == (2, 1)
    for said, found in (
        ({}, {one, two}),
        ({"tags": [{"key": "env", "values": []}]}, {one, two}),
        ({"tags": [{"key": "env", "values": ["prod", "x"]}]}, {one}),
        ({"tags": [{"key": "env", "values": ["prod"]}, {"key": "team", "values": []}]}, set()),
        ({"matches": [{"key": "resource_name", "value": "ack"}]}, {two}),
    ):
        told = ask(client, "list_firewalls_by_tags", said)
        assert {it.resource_id for it in told.resources} == found, said
        assert ask(client, "count_firewalls_by_tags", said).total_count == told.total_count == len(found)
    ask(client, "batch_delete_firewall_tags", {"tags": [{"key": "team"}, {"key": "none"}]}, firewall_id=two)
    ask(client, "delete_firewall_tag", firewall_id=one, tag_key="env")
    assert (tags(one), tags(two)) == ({}, {"env": "test"})
    batch = "batch_create_firewall_tags"
    for method, body, code in (
        (batch, {"tags": []}, "VPC.1801"),
        (batch, {"tags": [{"key": f"k{number}", "value": ""} for number in range(11)]}, "VPC.1801"),
        (batch, {"tags": [{"key": "a", "value": "1"}, {"key": "a", "value": "2"}]}, "VPC.1814"),
        ("create_firewall_tag", {"tag": {"key": "", "value": "x"}}, "VPC.1801"),
        ("create_firewall_tag", {"tag": {"key": "acs:x", "value": "x"}}, "VPC.1801"),
    ):
        assert refused(client, method, body, firewall_id=one)[:2] == (400, code), body
    for start in (0, 10):
        wanted = [{"key": f"t{number}", "value": ""} for number in range(start, start + 10)]
        ask(client, batch, {"tags": wanted}, firewall_id=one)
    full = {"tag": {"key": "one-more", "value": ""}}
    assert refused(client, "create_firewall_tag", full, firewall_id=one)[:2] == (400, "VPC.1814")
    assert refused(client, "delete_firewall_tag", firewall_id=one, tag_key="none")[:2] == (404, "VPC.2204")
    wrong = {"matches": [{"key": "color", "value": "x"}]}
    assert refused(client, "count_firewalls_by_tags", wrong)[:2] == (400, "VPC.1801")
    assert refused(client, "show_firewall_tags", firewall_id=NOBODY)[:2] == (404, "VPC.2204")
