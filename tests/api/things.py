"""Two tenants with a resource of every kind, and a request for every route of the API about one of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ringfence.client.client import Client
from ringfence.resources.kind import Kind

Ids = Mapping[str, str]
"""Ids of what an account has, by words of these tests: ``vpc``, ``group``, ``idle_group`` (nothing refers to it)."""

RULES_FILE = json.dumps(
    [
        {"Direction": direction, "IpProtocol": "TCP", "PortRange": "8443/8443", "Policy": "Accept", "Priority": "7"}
        | {side: "10.9.0.0/16"}
        for direction, side in (("ingress", "SourceCidrIp"), ("egress", "DestCidrIp"))
    ]
)


@dataclass(frozen=True)
class Ask:
    """A request. A body of text goes as it is. ``operators``: only an operator may ask, about their own account."""

    method: str
    path: str
    body: Any = None
    query: Mapping[str, str] = field(default_factory=dict)
    operators: bool = False
    dry: bool = True
    """Whether it is asked as a dry run, so that nothing changes."""
    acting: bool = False
    """Whether the operator asks for it in the name of the tenant."""
    status: int = 0
    """What whoever may ask is answered, where that is no success."""


def furnish(client: Client, operator: Client, net: int) -> dict[str, str]:
    """Give the account of a client one of everything, and some more that nobody refers to.

    ``operator`` acts on it. Its addresses begin with 10.``net``, as all tenants of a lab share one internet.
    """
    ids = {"net": str(net)}

    def make(word: str, plural: str, by: Client = client, **said: Any) -> str:
        ids[word] = by.post(f"/v1/{plural}", {"tags": {"env": "dev"}, **said})["item"]["id"]
        return ids[word]

    border = ["in deny tcp 22 from any to any"]
    vpc = make("vpc", "vpcs", name="shop", cidrs=[f"10.{net}.0.0/16"], profile="alibaba", border=border)
    make("other_vpc", "vpcs", name="lab", cidrs=[f"10.{net + 1}.0.0/16"], profile="huawei")
    make("idle_vpc", "vpcs", name="idle", cidrs=[f"10.{net + 2}.0.0/16"], profile="alibaba")
    subnet = make("subnet", "subnets", name="web", vpc=vpc, cidr=f"10.{net}.1.0/24")
    make("idle_subnet", "subnets", name="idle", vpc=vpc, cidr=f"10.{net}.2.0/24")
    make("other_subnet", "subnets", name="lab", vpc=ids["other_vpc"], cidr=f"10.{net + 1}.1.0/24")
    group = make("group", "groups", name="sg-web", vpc=vpc, template="default")
    make("other_group", "groups", name="sg-db", vpc=vpc)
    make("idle_group", "groups", name="sg-idle", vpc=ids["other_vpc"], template="default")
    make("address_group", "address-groups", name="office", entries=["203.0.113.0/24"])
    idle = make("idle_address_group", "address-groups", name="idle", entries=["198.51.100.0/24"])
    make("port_list", "port-lists", name="web-ports", entries=["80", "8000-8100"])
    idle_ports = make("idle_port_list", "port-lists", name="idle-ports", entries=["7"])
    make("rule", "rules", group=group, rule="in allow tcp 80 from any")
    make("out_rule", "rules", group=group, rule="out deny udp 53 to any")
    for direction in ("in allow tcp 81 from", "out deny udp 54 to"):
        make("rule_of_idle", "rules", group=group, rule=f"{direction} {idle}")
    for direction in ("in allow tcp {} from any", "out deny udp {} to any"):
        make("rule_of_idle", "rules", group=group, rule=direction.format(idle_ports))
    make("acl", "acls", name="edge", vpc=vpc, rules=["in allow tcp 80 from any to any"])
    make("lone_acl", "acls", name="lone", vpc=vpc, rules=[])
    make("guarded_subnet", "subnets", name="guarded", vpc=vpc, cidr=f"10.{net}.3.0/24", acl=ids["lone_acl"])
    line = make("acl_line", "acl-lines", name="http", rule=f"allow tcp 80 from {ids['address_group']} to any")
    make("idle_acl_line", "acl-lines", name="idle", rule="deny tcp 22 from any to any")
    make("acl_policy", "acl-policies", name="web", rules=[line], ingress_of=[ids["lone_acl"]])
    make("idle_acl_policy", "acl-policies", name="idle", rules=[line])
    idle_line = make("line_of_idle", "acl-lines", name="idle", rule=f"deny tcp 7 from {idle} to any")
    make("policy_of_idle", "acl-policies", name="of-idle", rules=[idle_line])
    make("acl_of_idle", "acls", name="of-idle", vpc=vpc, rules=[f"in deny tcp 9 from {idle} to any"])
    make("peering", "peerings", name="p", vpcs=[vpc, ids["other_vpc"]], firewall=["deny tcp 22 from any to any"])
    make("instance", "instances", name="web-1", ports=[{"subnet": subnet, "groups": [group]}])
    make("idle_instance", "instances", name="web-2", ports=[{"subnet": subnet, "groups": [group]}])
    ids["port"] = client.get("/v1/ports", {"instance": ids["instance"]})["items"][0]["id"]
    ids["port_of_idle"] = client.get("/v1/ports", {"instance": ids["idle_instance"]})["items"][0]["id"]
    make("idle_port", "ports", name="eth1", instance=ids["instance"], subnet=subnet, groups=[group, ids["other_group"]])
    client.put(f"/v1/ports/{ids['port']}/tags", {"tags": {"env": "dev"}})
    client.post(f"/v1/ports/{ids['idle_port']}/addresses", {"addresses": [f"10.{net}.1.98"]})
    make("other_port", "ports", name="eth2", instance=ids["instance"], subnet=subnet, groups=[group])
    make("loose_port", "ports", subnet=subnet, groups=[group])
    other: dict[str, Any] = {
        "subnet": ids["other_subnet"],
        "groups": [make("lab_group", "groups", name="sg-lab", vpc=ids["other_vpc"])],
    }
    make("halted", "instances", name="halted", power="stopped", ports=[other])
    ids["carrier"] = client.get("/v1/ports", {"instance": ids["halted"]})["items"][0]["id"]
    make("other_loose_port", "ports", **other)
    make("virtual_ip", "virtual-ips", name="vip", subnet=subnet, addresses=[f"10.{net}.1.100"], ports=[ids["port"]])
    make("outside_host", "outside-hosts", name="laptop", addresses=[f"203.0.{net}.9"])
    make("expectation", "expectations", expect=f"{ids['instance']} -> {ids['outside_host']} tcp/80 allow")
    make("penalty", "penalties", operator, port=ids["other_port"], reason="abuse")
    document = '{"Version": "1", "Statement": [{"Effect": "Deny", "Action": "ram:*", "Resource": "*"}]}'
    make("policy", "policies", name="no-ram", document=document)
    make("idle_policy", "policies", name="idle", document=document)
    make("user", "users", name="ann", policies=[ids["policy"]])
    make("idle_user", "users", name="bob")
    for word in ("access_key", "idle_access_key"):
        ids[word] = client.post("/v1/access-keys", {"user": ids["user"]})["item"]["id"]
        client.put(f"/v1/access-keys/{ids[word]}/tags", {"tags": {"env": "dev"}})
    make("idle_outside_host", "outside-hosts", name="h", addresses=[f"203.0.{net}.10"])
    ids["revision"] = str(client.get("/v1/revisions")["items"][-1]["number"])
    ids["world"] = client.get_bytes("/v1/world").decode()
    return ids


def govern(operator: Client, tenant: str) -> dict[str, str]:
    """Give the operator one of what only operators have, about a tenant."""
    ids: dict[str, str] = {"account": tenant}
    for word, plural, said in (
        ("idle_account", "accounts", {"name": "idle"}),
        ("quota", "quotas", {"target": tenant, "limits": {"vpcs_per_account": 9}}),
        ("settings", "settings", {"name": "settings", "profile": "huawei"}),
    ):
        ids[word] = operator.post(f"/v1/{plural}", {"tags": {"env": "dev"}, **said})["item"]["id"]
    operator.put(f"/v1/accounts/{tenant}/tags", {"tags": {"env": "dev"}})
    return ids


OPERATORS = frozenset({Kind.ACCOUNT, Kind.QUOTA, Kind.SETTINGS})
_PLURALS = {
    Kind.ADDRESS_GROUP: "address-groups", Kind.PORT_LIST: "port-lists",
    Kind.ACL_LINE: "acl-lines", Kind.ACL_POLICY: "acl-policies",
    Kind.VIRTUAL_IP: "virtual-ips", Kind.OUTSIDE_HOST: "outside-hosts",
    Kind.ACCESS_KEY: "access-keys", Kind.POLICY: "policies", Kind.PENALTY: "penalties", Kind.SETTINGS: "settings",
}  # fmt: skip
_LISTS = Kind.ADDRESS_GROUP, Kind.PORT_LIST
_NETWORK = Kind.VPC, Kind.SUBNET, Kind.GROUP, *_LISTS, Kind.INSTANCE, Kind.PORT, Kind.OUTSIDE_HOST
_IDLE = frozenset({*_NETWORK, Kind.ACL_LINE, Kind.ACL_POLICY, Kind.POLICY, Kind.USER, Kind.ACCESS_KEY, Kind.ACCOUNT})
"""Kinds of which one that is deleted is another than the one that is used."""


def _creations(i: Ids) -> dict[Kind, list[Any]]:
    """What a request to make one of a kind says, that is accepted."""
    document = '{"Version": "1", "Statement": [{"Effect": "Allow", "Action": "ecs:*", "Resource": "*"}]}'
    port = {"subnet": i["subnet"], "groups": [i["group"]]}
    return {
        Kind.VPC: [{"name": "v", "cidrs": [f"172.16.{i['net']}.0/24"], "border": ["in deny tcp 22 from any to any"]}],
        Kind.SUBNET: [{"name": "s", "vpc": i["vpc"], "cidr": f"10.{i['net']}.9.0/24", "acl": i["acl"]}],
        Kind.GROUP: [{"name": "g", "vpc": i[vpc], "template": "default"} for vpc in ("vpc", "other_vpc")],
        Kind.RULE: [
            {"group": i["group"], "rule": f"in allow tcp 99 from group {i['other_group']}"},
            {"group": i["group"], "direction": "egress", "remote": i["address_group"]},
            {"group": i["group"], "direction": "ingress", "protocol": "tcp", "ports": i["port_list"]},
        ],
        Kind.ADDRESS_GROUP: [{"name": "a", "entries": ["10.0.0.0/8"]}],
        Kind.PORT_LIST: [{"name": "p", "entries": ["80"], "remarks": {"80": "web"}}],
        Kind.ACL: [{"name": "a", "vpc": i["vpc"], "rules": [f"in allow tcp 80 from {i['address_group']} to any"]}],
        Kind.ACL_LINE: [{"name": "dns", "rule": f"allow udp 53 from {i['address_group']} to any"}],
        Kind.ACL_POLICY: [{"name": "p", "rules": [i["idle_acl_line"]], "egress_of": [i["lone_acl"]]}],
        Kind.PEERING: [
            {"name": "p", "vpcs": [i["idle_vpc"], i["other_vpc"]], "firewall": ["deny tcp 22 from any to any"]}
        ],
        Kind.INSTANCE: [
            {"name": "n", "ports": [port]},
            {"name": "n", "ports": [{"subnet": i["other_subnet"]}]},
        ],
        Kind.PORT: [{"name": "eth7", "instance": i["instance"], **port}],
        Kind.VIRTUAL_IP: [
            {"name": "v", "subnet": i["subnet"], "addresses": [f"10.{i['net']}.1.101"], "ports": [i["port"]]}
        ],
        Kind.PENALTY: [{"instance": i["idle_instance"], "reason": "x"}, {"port": i["port_of_idle"], "reason": "x"}],
        Kind.OUTSIDE_HOST: [{"name": "h", "addresses": ["203.0.113.77"]}],
        Kind.EXPECTATION: [{"expect": f"{i['instance']} -> {i['idle_instance']} tcp/443 deny"}],
        Kind.SETTINGS: [{"profile": "huawei"}],
        Kind.ACCOUNT: [{"name": "new"}],
        Kind.USER: [{"name": "eve", "policies": [i["policy"]]}],
        Kind.ACCESS_KEY: [{"user": i["idle_user"]}],
        Kind.POLICY: [{"name": "p", "document": document}],
        Kind.QUOTA: [{"target": i["idle_account"], "limits": {"vpcs_per_account": 7}}],
    }


def _updates(i: Ids) -> dict[Kind, list[tuple[str, Any]]]:
    """What a request to change one of a kind says besides descriptions and tags: which one, and what."""
    return {
        Kind.VPC: [("vpc", {"border": []})],
        Kind.SUBNET: [("subnet", {"acl": i["acl"]}), ("guarded_subnet", {"acl": ""})],
        Kind.GROUP: [("group", {"intra_group": "drop"}), ("group", {"intra_group": "accept"})],
        Kind.RULE: [("out_rule", {"remote": f"group {i['other_group']}"}), ("rule", {"remote": i["address_group"]})],
        Kind.PORT_LIST: [("port_list", {"entries": ["80"], "remarks": {"80": "web"}})],
        Kind.ACL: [("acl", {"rules": [f"in deny tcp 80 from {i['address_group']} to any"]})],
        Kind.ACL_LINE: [("acl_line", {"rule": "allow tcp 81 from any to any"})],
        Kind.ACL_POLICY: [("acl_policy", {"rules": [i["acl_line"], i["idle_acl_line"]]})],
        Kind.PEERING: [("peering", {"firewall": []})],
        Kind.PORT: [("port", {"groups": [i["other_group"]]})],
        Kind.VIRTUAL_IP: [
            ("virtual_ip", {"ports": [i["port"], i["port_of_idle"]], "active": i["port_of_idle"]}),
            ("virtual_ip", {"ports": [i["port_of_idle"]], "active": i["port_of_idle"]}),
        ],
        Kind.EXPECTATION: [("expectation", {"expect": f"{i['instance']} -> {i['outside_host']} tcp/443 deny"})],
        Kind.USER: [("user", {"policies": [i["idle_policy"]]})],
    }


def _of_kind(kind: Kind, i: Ids) -> dict[str, list[Ask]]:
    plural, only = _PLURALS.get(kind, f"{kind}s"), kind in OPERATORS
    by: dict[str, Any] = {"operators": only or kind is Kind.PENALTY, "acting": kind is Kind.PENALTY}
    every = f"/v1/{plural}"
    one = f"{every}/{i[kind]}"
    gone = i[f"idle_{kind}" if kind in _IDLE else kind]
    updates = [(kind.value, {"description": "d"}), (kind.value, {"tags": {"team": "a"}}), *_updates(i).get(kind, [])]
    force = {"force": "true"} if kind in _LISTS else {}
    deletes = [Ask("DELETE", f"{every}/{gone}", query=force, **by)]
    if kind is Kind.RULE:
        deletes.append(Ask("DELETE", f"{every}/{i['out_rule']}"))
    return {
        f"list_{plural}": [Ask("GET", every, query=query, operators=only) for query in _filters(kind, i)],
        f"get_{kind}": [Ask("GET", one, operators=only)],
        f"create_{kind}": [
            Ask("POST", every, said, **by, status=409 * (kind is Kind.SETTINGS)) for said in _creations(i)[kind]
        ],
        f"update_{kind}": [Ask("PATCH", f"{every}/{i[word]}", said, **by) for word, said in updates],
        f"delete_{kind}": deletes,
        f"tag_{kind}": [Ask("PUT", f"{one}/tags", {"tags": {"team": "a"}}, **by)],
        f"untag_{kind}": [Ask("DELETE", f"{one}/tags", query={"key": "env"}, **by)],
    }


def _filters(kind: Kind, i: Ids) -> list[dict[str, str]]:
    """Queries that narrow a list by what other resources it is about."""
    names = {
        Kind.SUBNET: ["vpc"], Kind.GROUP: ["vpc"], Kind.RULE: ["group"], Kind.ACL: ["vpc"],
        Kind.PORT: ["instance", "subnet", "vpc"], Kind.VIRTUAL_IP: ["subnet", "vpc"], Kind.ACCESS_KEY: ["user"],
        Kind.PENALTY: ["instance", "port"],
    }.get(kind, [])  # fmt: skip
    return [{}, {"tag": "env=dev"}, *({name: i[name]} for name in names)]


def asks(i: Ids) -> dict[str, list[Ask]]:
    """Requests for every route, by its name: together they need each action that the route names."""
    found: dict[str, list[Ask]] = {}
    for kind in Kind:
        found |= _of_kind(kind, i)
    return found | _of_groups(i) | _of_lines(i) | _of_ports(i) | _of_the_whole(i)


def _of_groups(i: Ids) -> dict[str, list[Ask]]:
    group, idle = f"/v1/groups/{i['group']}", f"/v1/groups/{i['idle_group']}"
    both = [f"in allow tcp 99 from group {i['other_group']}", f"out allow tcp 99 to {i['address_group']}"]
    known = ["in allow tcp 80 from any", "out deny udp 53 to any"]
    return {
        "authorize_rules": [Ask("POST", f"{group}/rules", {"rules": [each]}) for each in both],
        "revoke_rules": [
            Ask("POST", f"{group}/rules/revoke", {"rules": known}),
            *(Ask("POST", f"{group}/rules/revoke", {"ids": [i[rule]]}) for rule in ("rule", "out_rule")),
        ],
        "clone_group": [Ask("POST", f"{group}/clone", {"name": "copy", "vpc": i["vpc"]})],
        "list_members": [Ask("GET", f"{group}/members")],
        "join_group": [
            Ask("POST", f"/v1/groups/{i['other_group']}/members", {"members": [member]})
            for member in (i["instance"], i["port"])
        ],
        "leave_group": [Ask("POST", f"/v1/groups/{i['other_group']}/members/leave", {"members": [i["idle_port"]]})],
        "set_port_groups": [Ask("PUT", f"/v1/ports/{i['port']}/groups", {"groups": [i["other_group"]]})],
        "set_groups": [
            Ask("PUT", "/v1/memberships", {"members": [member], "groups": [i["other_group"]]})
            for member in (i["instance"], i["port_of_idle"])
        ],
        "export_rules": [
            Ask("GET", f"{group}/rules/export", query={"format": each}) for each in ("json", "csv", "xlsx")
        ],
        "import_rules": [Ask("POST", f"{idle}/rules/import", RULES_FILE, {"format": "json"})],
        "edit_entries": [Ask("POST", f"/v1/address-groups/{i['address_group']}/entries", {"add": ["10.0.0.1"]})],
        "edit_port_list_entries": [
            Ask("POST", f"/v1/port-lists/{i['port_list']}/entries", {"add": [{"entry": "9", "remark": "x"}]})
        ],
    }


def _of_ports(i: Ids) -> dict[str, list[Ask]]:
    port, instance = f"/v1/ports/{i['idle_port']}", f"/v1/instances/{i['idle_instance']}"
    place = {"subnet": i["idle_subnet"], "groups": [i["other_group"]], "force": True}
    return {
        "attach_port": [Ask("POST", f"/v1/ports/{i['loose_port']}/attach", {"instance": i["idle_instance"]})],
        "detach_port": [Ask("POST", f"{port}/detach", {"instance": i["instance"]}), Ask("POST", f"{port}/detach", {})],
        "hang_port": [Ask("POST", f"/v1/ports/{i['other_loose_port']}/hang", {"parent": i["carrier"]})],
        "assign_addresses": [Ask("POST", f"{port}/addresses", {"count": 1, "addresses": [f"10.{i['net']}.1.99"]})],
        "unassign_addresses": [Ask("POST", f"{port}/addresses/release", {"addresses": [f"10.{i['net']}.1.98"]})],
        "move_instance": [Ask("POST", f"{instance}/move", place)],
        "start_instance": [Ask("POST", f"/v1/instances/{i['halted']}/start")],
        "stop_instance": [Ask("POST", f"{instance}/stop")],
        "reboot_instance": [Ask("POST", f"{instance}/reboot")],
    }


def _of_lines(i: Ids) -> dict[str, list[Ask]]:
    found: dict[str, list[Ask]] = {}
    for kind, path, line in (
        ("acl_rules", f"/v1/acls/{i['acl']}/rules", f"in deny tcp 22 from {i['address_group']} to any"),
        ("vpc_border", f"/v1/vpcs/{i['vpc']}/border", f"in deny tcp 23 from {i['address_group']} to any"),
        ("peering_firewall", f"/v1/peerings/{i['peering']}/firewall", f"deny tcp 23 from {i['address_group']} to any"),
    ):
        found |= {
            f"list_{kind}": [Ask("GET", path)],
            f"insert_{kind}": [Ask("POST", path, {"rule": line, "before": 1})],
            f"move_{kind}": [Ask("POST", f"{path}/1/move", {"after": 1})],
            f"remove_{kind}": [Ask("DELETE", f"{path}/1")],
        }
    return found


def _of_the_whole(i: Ids) -> dict[str, list[Ask]]:
    why = {"source": "web-1", "destination": "web-2", "service": "tcp/80"}
    report = {"agent": "a-1", "revision": 0, "status": "ok"}
    limits = {"target": i["account"], "limits": {"vpcs_per_account": 8}}
    return {
        "get_quota_usage": [Ask("GET", "/v1/quotas/usage")],
        "set_quotas": [Ask("PUT", "/v1/quotas", limits, operators=True)],
        "list_tags": [Ask("GET", "/v1/tags")],
        "create_token": [Ask("POST", "/v1/tokens", {"hours": 1}, dry=False)],
        "revoke_token": [Ask("DELETE", "/v1/tokens/current", dry=False)],
        "get_me": [Ask("GET", "/v1/me")],
        "snapshot": [
            Ask("GET", "/v1/snapshot"),
            Ask("GET", "/v1/snapshot", query={"everything": "true"}, operators=True),
        ],
        "watch": [Ask("GET", "/v1/watch"), Ask("GET", "/v1/watch", query={"everything": "true"}, operators=True)],
        "list_enforcement": [Ask("GET", "/v1/enforcement")],
        "report_enforcement": [Ask("POST", "/v1/enforcement", report, operators=True, dry=False)],
        "revision_enforcement": [Ask("GET", "/v1/revisions/1/enforcement")],
        "list_revisions": [Ask("GET", "/v1/revisions")],
        "get_revision": [Ask("GET", f"/v1/revisions/{i['revision']}")],
        "list_confirmations": [Ask("GET", "/v1/confirmations")],
        "list_audit": [Ask("GET", "/v1/audit", query={"limit": "5"})],
        "fix": [Ask("GET", "/v1/fix", query=why)],
        "why": [Ask("GET", "/v1/why", query=why)],
        "reach": [Ask("GET", "/v1/reach", query=each) for each in ({}, {"source": "internet", "service": "tcp/80"})],
        "lint": [Ask("GET", "/v1/lint", query={"severity": "warning"})],
        "export_world": [Ask("GET", "/v1/world")],
        "plan_changes": [Ask("POST", "/v1/plan", i["world"], dry=False)],
        "apply_changes": [Ask("POST", "/v1/apply", i["world"])],
        "revert_revision": [Ask("POST", f"/v1/revisions/{i['revision']}/revert")],
        "confirm_revision": [Ask("POST", f"/v1/revisions/{i['revision']}/confirm", status=409)],
    }
