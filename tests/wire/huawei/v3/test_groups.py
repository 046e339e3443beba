"""Security groups and rules of version 3, through the SDK, down to packets."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.wire.cloud import Cloud
from tests.wire.huawei.calling import ask as ask_v2
from tests.wire.huawei.v3.asking import ask, dry_run, refused
from tests.wire.huawei.v3.estate import BOTH, NEITHER, ONLY_4, ONLY_6, Estate, ids
from tests.wire.proving import proves

pytestmark = pytest.mark.packets


@proves(
    "huawei v3 create_security_group",
    "huawei v3 show_security_group",
    "huawei v3 list_security_groups",
    "huawei v3 update_security_group",
    "huawei v3 delete_security_group",
)
def test_a_group_has_default_rules_and_is_listed_without_them(shared: Cloud) -> None:
    client = shared.tenant().huawei()
    tags = [{"key": "env", "value": "prod"}]
    said = {"name": "web-中", "description": "d", "tags": tags, "enterprise_project_id": "0"}
    made = ask(client, "create_security_group", {"security_group": said}).security_group
    assert uuid.UUID(made.id)
    told = [(it.direction, it.ethertype, it.remote_ip_prefix, it.remote_group_id) for it in made.security_group_rules]
    assert sorted(told, key=str) == [
        ("egress", "IPv4", "0.0.0.0/0", None),
        ("egress", "IPv6", "::/0", None),
        ("ingress", "IPv4", None, made.id),
        ("ingress", "IPv6", None, made.id),
    ]
    assert {(it.action, it.priority, it.protocol, it.multiport) for it in made.security_group_rules} == {
        ("allow", 1, None, None)
    }
    shown = ask(client, "show_security_group", security_group_id=made.id).security_group
    assert (shown.name, shown.description, shown.tags[0].key) == ("web-中", "d", "env")
    assert ids(shown.security_group_rules) == ids(made.security_group_rules)
    for name in ("b", "c"):
        ask(client, "create_security_group", {"security_group": {"name": name}})
    every = ask(client, "list_security_groups").security_groups
    assert {it.name for it in ask(client, "list_security_groups", name=["b", "c"]).security_groups} == {"b", "c"}
    assert not hasattr(every[0], "security_group_rules")
    assert len(every) == 3
    first = ask(client, "list_security_groups", limit=2)
    rest = ask(client, "list_security_groups", limit=2, marker=first.page_info.next_marker)
    assert ids(first.security_groups) + ids(rest.security_groups) == ids(every)
    assert (first.page_info.current_count, rest.page_info.next_marker) == (2, None)
    new = {"security_group": {"name": "www", "description": ""}}
    changed = ask(client, "update_security_group", new, security_group_id=made.id).security_group
    assert (changed.name, changed.description, len(changed.security_group_rules)) == ("www", "", 4)
    ask(client, "delete_security_group", security_group_id=made.id)
    gone = refused(client, "show_security_group", security_group_id=made.id)
    assert gone == (404, "VPC.0603", "Securitygroup is not exist.")
    assert ask(client, "list_security_groups", enterprise_project_id="other").security_groups == []


@proves("huawei v3 create_security_group", "huawei v3 create_security_group_rule")
def test_a_dry_run_answers_202_and_leaves_nothing(shared: Cloud) -> None:
    estate = Estate.of(shared)
    group, client = estate.group(), estate.client
    rule = {"security_group_id": group, "direction": "ingress"}
    for method, body in (
        ("create_security_group", {"security_group": {"name": "x"}}),
        ("create_security_group_rule", {"security_group_rule": rule}),
    ):
        assert dry_run(client, method, body) == 202
    assert refused(client, "create_security_group", {"security_group": {"name": "<"}, "dry_run": True})[0] == 400
    assert ids(ask(client, "list_security_groups").security_groups) == [group]
    assert len(ask(client, "list_security_group_rules").security_group_rules) == 4


@proves(
    "huawei v3 create_security_group_rule",
    "huawei v3 show_security_group_rule",
    "huawei v3 list_security_group_rules",
    "huawei v3 delete_security_group_rule",
)
def test_a_rule_is_of_one_family_and_takes_effect_at_once(shared: Cloud) -> None:
    estate = Estate.of(shared)
    group, client = estate.group(bare=True), estate.client
    one, two = estate.machine(group), estate.machine(group)
    assert estate.passes(one, two) == NEITHER
    six = estate.rule(group, ethertype="IPv6", multiport="22,80-90", priority=7, description="d")
    assert (six.ethertype, six.remote_ip_prefix, six.multiport, six.priority) == ("IPv6", "::/0", "22,80-90", 7)
    assert (six.security_group_id, six.enabled, six.description) == (group, True, "d")
    assert estate.passes(one, two) == ONLY_6
    four = estate.rule(group, remote_group_id=group)
    assert (four.ethertype, four.remote_group_id, four.remote_ip_prefix) == ("IPv4", group, None)
    assert estate.passes(one, two) == BOTH
    estate.unrule(six)
    assert estate.passes(one, two) == ONLY_4
    shown = ask(client, "show_security_group_rule", security_group_rule_id=four.id).security_group_rule
    assert shown.to_dict() == four.to_dict()
    for said, found in (
        ({"id": [four.id]}, 1),
        ({"security_group_id": [group]}, 3),
        ({"remote_group_id": [group], "enabled": True}, 1),
        ({"direction": "egress", "ethertype": ["IPv4", "IPv6"]}, 2),
        ({"action": "deny"}, 0),
        ({"priority": [1, 2], "protocol": ["tcp"]}, 1),
        ({"remote_ip_prefix": "::/0", "limit": 1}, 1),
    ):
        assert len(ask(client, "list_security_group_rules", **said).security_group_rules) == found, said
    estate.unrule(four)
    assert estate.passes(one, two) == NEITHER


@proves("huawei v3 batch_create_security_group_rules")
def test_many_rules_at_once_are_all_there_or_none(shared: Cloud) -> None:
    estate = Estate.of(shared)
    group, client = estate.group(bare=True), estate.client
    one, two = estate.machine(group), estate.machine(group)
    rules = [
        {"direction": "ingress", "protocol": "tcp", "multiport": "80", "ethertype": ether} for ether in ("IPv4", "IPv6")
    ]
    path = {"security_group_id": group}
    wrong = [*rules, {"direction": "ingress", "protocol": "icmp", "multiport": "80"}]
    many = "batch_create_security_group_rules"
    status, code, message = refused(client, many, {"security_group_rules": wrong}, **path)
    assert (status, code, message.partition(":")[0]) == (400, "VPC.0601", "security_group_rules.2")
    alone = {"security_group_rule": {**path, "direction": "ingress", "protocol": "tcp", "multiport": "80-22"}}
    message = refused(client, "create_security_group_rule", alone)[2]
    assert message == "multiport: the port range '80-22' runs backwards; write 22-80"
    alone["security_group_rule"]["direction"] = "in"
    assert refused(client, "create_security_group_rule", alone)[2] == "direction is not accepted; use ingress or egress"
    assert estate.passes(one, two) == NEITHER
    made = ask(client, many, {"security_group_rules": rules}, **path).security_group_rules
    assert [it.ethertype for it in made] == ["IPv4", "IPv6"]
    assert estate.passes(one, two) == BOTH
    again = [*rules, {"direction": "ingress", "protocol": "tcp", "multiport": "22"}]
    status, code, message = refused(client, many, {"security_group_rules": again}, **path)
    assert (status, code) == (409, "VPC.0602")
    assert made[0].id in message
    (new,) = ask(client, many, {"security_group_rules": again, "ignore_duplicate": True}, **path).security_group_rules
    assert new.multiport == "22"


RULE = {"direction": "ingress", "protocol": "tcp", "multiport": "80"}
NOBODY = "11111111-2222-3333-4444-555555555555"
NAMES = [("name", name) for name in ("a b", "x" * 65, "<", "")]


@proves(
    "huawei v3 create_security_group",
    "huawei v3 create_security_group_rule",
    "huawei v3 delete_security_group_rule",
    "huawei v3 show_security_group_rule",
    "huawei v3 batch_create_security_group_rules",
    "huawei v3 list_security_group_rules",
)
def test_what_is_refused(shared: Cloud) -> None:
    estate = Estate.of(shared)
    group, client = estate.group(), estate.client
    theirs = Estate.of(shared).group()
    create = "create_security_group"
    said: dict[str, Any]
    for name, value in (*NAMES, ("description", "<b>"), ("description", "x" * 256)):
        said = {"security_group": {"name": "ok", name: value}}
        assert refused(client, create, said)[:2] == (400, "VPC.0601"), (name, value)
    project = {"security_group": {"name": "ok", "enterprise_project_id": "other"}}
    assert refused(client, create, project) == (400, "VPC.0011", "EnterpriseProjectId is invalid")
    for tags, code in (
        ([{"key": "", "value": "x"}], "VPC.1801"),
        ([{"key": "k", "value": "a"}, {"key": "k", "value": "b"}], "VPC.1814"),
        ([{"key": f"k{number}", "value": ""} for number in range(21)], "VPC.1814"),
    ):
        assert refused(client, create, {"security_group": {"name": "ok", "tags": tags}})[:2] == (400, code)
    for said, expected in (
        ({"direction": "in"}, (400, "VPC.0601")),
        ({"ethertype": "ipv4"}, (400, "VPC.0601")),
        ({"protocol": "sctp"}, (400, "VPC.0601")),
        ({"protocol": "256"}, (400, "VPC.0601")),
        ({"protocol": "icmpv6", "multiport": None}, (400, "VPC.0601")),
        ({"protocol": None}, (400, "VPC.0601")),
        ({"multiport": "80-"}, (400, "VPC.0601")),
        ({"multiport": "90-80"}, (400, "VPC.0601")),
        ({"multiport": "80,70-90"}, (400, "VPC.0601")),
        ({"multiport": "0"}, (400, "VPC.0601")),
        ({"multiport": ",".join(map(str, range(1, 42, 2)))}, (400, "VPC.0601")),
        ({"action": "drop"}, (400, "VPC.0601")),
        ({"priority": 0}, (400, "VPC.0601")),
        ({"priority": 101}, (400, "VPC.0601")),
        ({"priority": "x"}, (400, "VPC.0601")),
        ({"remote_ip_prefix": "10.0.0.0/33"}, (400, "VPC.0601")),
        ({"remote_ip_prefix": "group-x"}, (400, "VPC.0601")),
        ({"remote_ip_prefix": "my.list"}, (400, "VPC.0601")),
        ({"remote_ip_prefix": "::/0"}, (400, "VPC.0601")),
        ({"remote_ip_prefix": "10.0.0.0/8", "ethertype": "IPv6"}, (400, "VPC.0601")),
        ({"remote_ip_prefix": "10.0.0.0/8", "remote_group_id": group}, (400, "VPC.0601")),
        ({"remote_group_id": NOBODY}, (404, "VPC.0603")),
        ({"remote_group_id": theirs}, (404, "VPC.0603")),
        ({"remote_group_id": "sg"}, (404, "VPC.0603")),
        ({"remote_address_group_id": NOBODY}, (404, "VPC.2204")),
        ({"security_group_id": NOBODY}, (404, "VPC.0603")),
        ({"security_group_id": theirs}, (404, "VPC.0603")),
        ({"description": "x>"}, (400, "VPC.0601")),
    ):
        body = {"security_group_rule": {"security_group_id": group, **RULE, **said}}
        assert refused(client, "create_security_group_rule", body)[:2] == expected, said
    estate.rule(group)
    twice = {"security_group_rule": {"security_group_id": group, **RULE}}
    assert refused(client, "create_security_group_rule", twice)[:2] == (409, "VPC.0602")
    for method in ("show_security_group_rule", "delete_security_group_rule"):
        assert refused(client, method, security_group_rule_id=NOBODY)[:2] == (404, "VPC.0612")
    for method in ("show_security_group", "delete_security_group"):
        assert refused(client, method, security_group_id=theirs)[:2] == (404, "VPC.0603")
    body = {"security_group": {"name": "x"}}
    assert refused(client, "update_security_group", body, security_group_id=theirs)[:2] == (404, "VPC.0603")
    many: dict[str, Any] = {"security_group_rules": []}
    said = {"security_group_id": group}
    assert refused(client, "batch_create_security_group_rules", many, **said)[:2] == (400, "VPC.0601")
    for said in ({"limit": 2001}, {"limit": -1}, {"enabled": "maybe"}):
        assert refused(client, "list_security_group_rules", **said)[:2] == (400, "VPC.0601"), said


@proves("huawei v3 create_security_group", "huawei v3 list_security_groups", "huawei v3 create_security_group_rule")
def test_a_user_needs_the_action(shared: Cloud) -> None:
    tenant = shared.tenant()
    group = ask(tenant.huawei(), "create_security_group", {"security_group": {"name": "g"}}).security_group.id
    allow = {"Effect": "Allow", "Action": ["vpc:securityGroups:get", "vpc:securityGroups:list"], "Resource": ["*"]}
    user = shared.user(tenant, allow, version="1.1").huawei()
    assert ids(ask(user, "list_security_groups").security_groups) == [group]
    body = {"security_group_rule": {"security_group_id": group, **RULE}}
    for method, said in (
        ("create_security_group", {"security_group": {"name": "h"}}),
        ("create_security_group_rule", body),
    ):
        assert refused(user, method, said)[:2] == (403, "VPC.2201")
    allow = {"Effect": "Allow", "Action": ["vpc:securityGroups:update"], "Resource": ["*"]}
    writer = shared.user(tenant, allow, version="1.1")
    body = {"security_group": {"description": "d"}}
    for told in (  # who may not see the rules does not see them by changing something else
        ask(writer.huawei(), "update_security_group", body, security_group_id=group),
        ask_v2(writer, "neutron_update_security_group", body, security_group_id=group),
    ):
        assert (told.security_group.description, told.security_group.security_group_rules) == ("d", [])
    nobody = shared.user(tenant).huawei()
    assert refused(nobody, "list_security_groups")[:2] == (403, "VPC.2201")
