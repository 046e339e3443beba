"""Version 2.0: firewall rules, policies and groups through the SDK, down to the packets."""

from __future__ import annotations

from typing import Any

import pytest

from ringfence.model.address import Family
from tests.wire.cloud import Cloud
from tests.wire.huawei.calling import Table, ask, check, native, refused
from tests.wire.huawei.v1.test_groups import a_group, a_rule
from tests.wire.huawei.v1.test_networks import a_subnet, a_vpc
from tests.wire.huawei.v3.asking import ask as ask_v3
from tests.wire.huawei.v3.asking import refused as refused_v3
from tests.wire.proving import proves
from tests.wire.sdks import Sdks

pytestmark = pytest.mark.packets

ALL = ("create", "show", "update", "delete")
ROUTER = "network:router_interface_distributed"


def make(sdks: Sdks, kind: str, **said: Any) -> Any:
    """A new ``rule``, ``policy`` or ``group``, as the SDK tells it."""
    return getattr(ask(sdks, f"neutron_create_firewall_{kind}", {f"firewall_{kind}": said}), f"firewall_{kind}")


def change(sdks: Sdks, kind: str, id_: str, **said: Any) -> Any:
    """A changed one."""
    at = {f"firewall_{kind}_id": id_}
    return getattr(ask(sdks, f"neutron_update_firewall_{kind}", {f"firewall_{kind}": said}, **at), f"firewall_{kind}")


def router_port(sdks: Sdks, subnet: str) -> str:
    """The id of the port at the router of a subnet, looked for as tools do."""
    (port,) = ask(sdks, "neutron_list_ports", device_owner=ROUTER, network_id=subnet).ports
    assert isinstance(port.id, str)
    return port.id


@proves(
    *(f"huawei v2.0 neutron_{it}_firewall_{kind}" for it in ALL for kind in ("rule", "policy", "group")),
    *("huawei v2.0 neutron_add_firewall_rule", "huawei v2.0 neutron_remove_firewall_rule"),
)
def test_packets_pass_a_subnet_as_the_policies_of_its_group_say(shared: Cloud) -> None:
    sdks = shared.tenant()
    vpc, guards = a_vpc(sdks), a_group(sdks)
    for ethertype in ("IPv4", "IPv6"):
        a_rule(sdks, guards.id, ethertype=ethertype)
    subnets = [a_subnet(sdks, vpc.id, f"10.0.{n}", ipv6_enable=True) for n in (1, 2)]
    with native(sdks) as client:
        hosts = [
            client.post("/v1/instances", {"ports": [{"subnet": it.id, "groups": [guards.id]}], "serve": ["tcp/80"]})
            for it in subnets
        ]
    flow = " -> ".join(it["item"]["id"] for it in reversed(hosts)) + " tcp/80"
    assert shared.passes(flow)

    # a group that has nothing denies everything; each part counts as soon as the whole is there
    group = make(sdks, "group", name="edge", ports=[router_port(sdks, subnets[0].id)])
    assert (group.status, group.admin_state_up, group.ingress_firewall_policy_id) == ("ACTIVE", True, None)
    assert not shared.passes(flow)
    rule = make(sdks, "rule", name="http", protocol="TCP", action="ALLOW", destination_port="80", ip_version=4)
    assert (rule.protocol, rule.action, rule.destination_port, rule.enabled) == ("tcp", "allow", "80", True)
    policy = make(sdks, "policy", name="in", firewall_rules=[rule.id], audited=True)
    assert (policy.firewall_rules, policy.audited, policy.public) == ([rule.id], True, False)
    assert not shared.passes(flow)
    group = change(sdks, "group", group.id, ingress_firewall_policy_id=policy.id)
    assert group.ingress_firewall_policy_id == policy.id
    assert (shared.passes(flow), shared.passes(flow, Family.IPV6)) == (True, False)
    with native(sdks) as client:
        (line,) = client.get(f"/v1/acls/{group.id}/rules")["items"]
        assert line["id"].startswith(rule.id)
        assert client.get(f"/v1/subnets/{subnets[0].id}")["acl"] == group.id

    # rules and policies are changed where they are, and count everywhere
    other = make(sdks, "rule", action="deny", ip_version=4, source_ip_address="10.0.2.0/24")
    ids = {"firewall_policy_id": policy.id}
    told = ask(sdks, "neutron_add_firewall_rule", {"firewall_rule_id": other.id, "insert_before": rule.id}, **ids)
    assert told.firewall_rules == [other.id, rule.id]
    assert not shared.passes(flow)
    changed = change(sdks, "rule", other.id, source_ip_address="10.0.9.0/24")
    assert (changed.action, changed.source_ip_address) == ("deny", "10.0.9.0/24")
    assert shared.passes(flow)
    change(sdks, "policy", policy.id, firewall_rules=[other.id])
    assert not shared.passes(flow)
    ask(sdks, "neutron_add_firewall_rule", {"firewall_rule_id": rule.id, "insert_after": other.id}, **ids)
    assert shared.passes(flow)
    ask(sdks, "neutron_remove_firewall_rule", {"firewall_rule_id": rule.id}, **ids)
    assert not shared.passes(flow)

    # a policy for both directions, here with IPv6; then nothing is left of it all
    six = make(sdks, "rule", action="allow", ip_version=6, protocol="tcp", destination_port="70:90")
    both = make(sdks, "policy", firewall_rules=[six.id])
    group = change(
        sdks, "group", group.id, ingress_firewall_policy_id=both.id, egress_firewall_policy_id=both.id, name="six"
    )
    assert (group.name, group.egress_firewall_policy_id) == ("six", both.id)
    assert (shared.passes(flow), shared.passes(flow, Family.IPV6)) == (False, True)
    assert refused(sdks, "neutron_delete_firewall_policy", firewall_policy_id=both.id) == (409, "VPC.0602")
    assert refused(sdks, "neutron_delete_firewall_rule", firewall_rule_id=six.id) == (409, "VPC.0602")
    assert refused(sdks, "neutron_delete_firewall_group", firewall_group_id=group.id) == (409, "VPC.0602")
    assert change(sdks, "group", group.id, admin_state_up=False).status == "DOWN"
    assert not shared.passes(flow, Family.IPV6)
    assert change(sdks, "group", group.id, ports=[]).ports == []
    assert shared.passes(flow)
    for kind, each in (("group", group), ("policy", both), ("policy", policy), ("rule", six)):
        at = {f"firewall_{kind}_id": each.id}
        assert getattr(ask(sdks, f"neutron_show_firewall_{kind}", **at), f"firewall_{kind}").id == each.id
        ask(sdks, f"neutron_delete_firewall_{kind}", **at)
        assert refused(sdks, f"neutron_show_firewall_{kind}", **at) == (404, "VPC.2204")


@proves(*(f"huawei v2.0 neutron_list_firewall_{it}" for it in ("rules", "policies", "groups")))
def test_lists_are_narrowed_and_paged(shared: Cloud) -> None:
    sdks = shared.tenant()
    for kind, plural in (("rule", "rules"), ("policy", "policies"), ("group", "groups")):
        made = sorted(make(sdks, kind, name=f"n{n}", description="d").id for n in range(3))

        def found(method: str = f"firewall_{plural}", **said: Any) -> list[str]:
            return [it.id for it in getattr(ask(sdks, f"neutron_list_{method}", **said), method)]

        assert (found(), found(limit=2), found(limit=2, marker=made[1])) == (made, made[:2], made[2:])
        assert (found(id=made[:2]), len(found(name=["n1", "n2"])), found(description=["e"])) == (made[:2], 2, [])
    policy = make(sdks, "policy")
    group = make(sdks, "group", egress_firewall_policy_id=policy.id)
    (only,) = ask(sdks, "neutron_list_firewall_groups", egress_firewall_policy_id=policy.id).firewall_groups
    assert only == group


def test_what_is_refused_of_firewalls(shared: Cloud) -> None:
    sdks, stranger = shared.tenant(), shared.tenant()
    subnet = a_subnet(sdks, a_vpc(sdks).id)
    rule, policy, group = (make(sdks, kind) for kind in ("rule", "policy", "group"))
    foreign = {kind: make(stranger, kind).id for kind in ("rule", "policy", "group")}
    full = make(sdks, "policy", firewall_rules=[make(sdks, "rule", name=f"{n}").id for n in range(21)])
    at = {"firewall_policy_id": policy.id}
    bad, missing = (400, "VPC.0601"), (404, "VPC.2204")
    table: Table = [
        ("neutron_create_firewall_rule", {"firewall_rule": said}, {}, bad)
        for said in (
            {"ip_version": 5},
            {"action": "reject"},
            {"protocol": "sctp"},
            {"destination_port": "80", "protocol": "icmp"},
            {"destination_port": "90:80", "protocol": "tcp"},
            {"source_ip_address": "fd00::/8"},
            {"source_ip_address": "10.0.0.1/8"},
            {"protocol": "icmpv6"},
            {"name": "x" * 200},
        )
    ]
    for kind in ("rule", "policy", "group"):
        theirs = {f"firewall_{kind}_id": foreign[kind]}
        table += [
            (f"neutron_show_firewall_{kind}", None, theirs, missing),
            (f"neutron_update_firewall_{kind}", {f"firewall_{kind}": {"name": "n"}}, theirs, missing),
            (f"neutron_delete_firewall_{kind}", None, theirs, missing),
        ]
    policies = {"firewall_policy": {"firewall_rules": [foreign["rule"]]}}
    table += [
        ("neutron_create_firewall_policy", policies, {}, missing),
        ("neutron_create_firewall_policy", {"firewall_policy": {"firewall_rules": [rule.id, rule.id]}}, {}, bad),
        ("neutron_update_firewall_policy", policies, at, missing),
        ("neutron_add_firewall_rule", {"firewall_rule_id": foreign["rule"]}, at, missing),
        ("neutron_add_firewall_rule", {"firewall_rule_id": rule.id, "insert_after": "x"}, at, bad),
        ("neutron_remove_firewall_rule", {"firewall_rule_id": rule.id}, at, bad),
    ]
    ours = {"firewall_group_id": group.id}
    groups: list[tuple[dict[str, Any], tuple[int, str]]] = [
        ({"ingress_firewall_policy_id": foreign["policy"]}, missing),
        ({"ingress_firewall_policy_id": full.id}, (409, "VPC.0604")),
        ({"ports": [subnet.id]}, missing),
    ]
    for said, expected in groups:
        table.append(("neutron_create_firewall_group", {"firewall_group": said}, {}, expected))
        table.append(("neutron_update_firewall_group", {"firewall_group": said}, ours, expected))
    limits = {"acl_lines_per_account": 22, "acl_policies_per_account": 2}
    shared.native.put("/v1/quotas", {"target": sdks.account, "limits": limits})
    table += [
        (f"neutron_create_firewall_{kind}", {f"firewall_{kind}": {}}, {}, (409, "VPC.0604"))
        for kind in ("rule", "policy")
    ]
    check(sdks, table)


def test_who_may_not_is_refused(shared: Cloud) -> None:
    sdks = shared.tenant()
    policy, group = make(sdks, "policy"), make(sdks, "group")
    allowed = ["vpc:firewallPolicies:*", "vpc:firewallRules:*"]
    user = shared.user(sdks, {"Effect": "Allow", "Action": allowed, "Resource": ["*"]}, version="1.1")
    assert change(user, "policy", policy.id, firewall_rules=[make(user, "rule").id]).name == ""
    at, body = {"firewall_group_id": group.id}, {"firewall_group": {"ingress_firewall_policy_id": policy.id}}
    assert refused(user, "neutron_update_firewall_group", body, **at) == (403, "VPC.2201")
    names = ["vpc:firewalls:*", "vpc:firewallGroups:*"]
    blind = shared.user(sdks, {"Effect": "Allow", "Action": names, "Resource": ["*"]}, version="1.1")
    assert refused(blind, "neutron_update_firewall_group", body, **at) == (403, "VPC.2201")  # it would tell its rules
    change(sdks, "group", group.id, ingress_firewall_policy_id=policy.id)
    said: dict[str, Any] = {"firewall_policy": {"firewall_rules": []}}  # which is a change of the group now
    assert refused(user, "neutron_update_firewall_policy", said, firewall_policy_id=policy.id) == (403, "VPC.2201")


def test_version_3_and_the_native_api_see_what_a_group_says_and_cannot_change_it(shared: Cloud) -> None:
    sdks = shared.tenant()
    rule = make(sdks, "rule", name="http", action="allow", protocol="tcp", destination_port="80")
    policy = make(sdks, "policy", firewall_rules=[rule.id])
    group = make(sdks, "group", name="edge", ingress_firewall_policy_id=policy.id)
    seen = ask_v3(sdks.huawei(), "show_firewall", firewall_id=group.id).firewall
    (line,) = seen.ingress_rules
    assert line.id.startswith(rule.id)
    assert (line.name, line.action, line.destination_port) == ("http", "allow", "80")
    more = {"firewall": {"ingress_rules": [{"action": "deny", "protocol": "tcp", "ip_version": 4}]}}
    told = refused_v3(sdks.huawei(), "add_firewall_rules", more, firewall_id=group.id)
    assert told[:2] == (409, "VPC.0602")
    own = ask_v3(sdks.huawei(), "create_firewall", {"firewall": {"name": "own"}}).firewall
    ask_v3(sdks.huawei(), "add_firewall_rules", more, firewall_id=own.id)
    shown = ask(sdks, "neutron_show_firewall_group", firewall_group_id=own.id).firewall_group
    assert (shown.name, shown.ingress_firewall_policy_id) == ("own", None)
    change(sdks, "group", own.id, ingress_firewall_policy_id=policy.id)
    with native(sdks) as client:
        both = client.post("/v1/acl-lines", {"rule": "allow tcp 80 from any to any"})["item"]["id"]
        (only,) = client.get(f"/v1/acls/{own.id}/rules")["items"]
        assert only["id"] != line.id
        assert only["id"].startswith(rule.id)
        assert client.get(f"/v1/acl-policies/{policy.id}")["ingress_of"] == [group.id, own.id]
        client.patch(f"/v1/acl-lines/{rule.id}", {"rule": "deny udp 53 from 0.0.0.0/0 to 0.0.0.0/0"})
    body = {"firewall_rule": {"action": "deny"}}
    assert refused(sdks, "neutron_update_firewall_rule", body, firewall_rule_id=both) == (400, "VPC.0601")
    assert change(sdks, "rule", both, action="deny", ip_version=6).ip_version == 6
    shown = ask(sdks, "neutron_show_firewall_rule", firewall_rule_id=rule.id).firewall_rule
    assert (shown.action, shown.protocol, shown.source_ip_address) == ("deny", "udp", "0.0.0.0/0")
