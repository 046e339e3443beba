"""A project with one of everything, made over Huawei's API within this process, for tests of what nobody may see."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

from ringfence.control import basic
from ringfence.control.caller import Caller
from ringfence.resources.kind import Kind
from ringfence.resources.naming import Key
from ringfence.resources.resource import Resource
from ringfence.security.keys import AccessKey
from ringfence.wire.request import Answer
from tests.wire.raw import Raw
from tests.wire.test_refusals import Asked

OF_MEMBER: Final[Mapping[str, tuple[str, ...]]] = {
    "vpc_id": ("vpc",),
    "subnet_id": ("subnet",),
    "network_id": ("subnet",),
    "virsubnet_id": ("subnet",),
    "security_group_id": ("group", "other_group"),
    "remote_group_id": ("group", "other_group"),
    "security_groups": ("group", "other_group"),
    "security_group_rule_id": ("rule",),
    "port_id": ("port", "spare", "router_port"),
    "parent_id": ("port", "spare"),
    "sub_network_interface_id": ("sub", "spare"),
    "address_group_id": ("list",),
    "remote_address_group_id": ("list",),
    "source_address_group_id": ("list",),
    "destination_address_group_id": ("list",),
    "firewall_id": ("acl", "edge"),
    "insert_after_rule": ("line",),
    "id": ("line", "sub"),
    "firewall_group_id": ("edge", "acl"),
    "firewall_policy_id": ("policy",),
    "ingress_firewall_policy_id": ("policy",),
    "egress_firewall_policy_id": ("policy",),
    "firewall_rule_id": ("other_rule", "firewall_rule"),
    "firewall_rules": ("firewall_rule", "other_rule"),
    "insert_after": ("firewall_rule",),
    "insert_before": ("firewall_rule",),
    "ports": ("router_port",),
}
"""Parts of paths and members of bodies that are ids, and what of a project they may name."""


@dataclass(frozen=True)
class Project:
    """A tenant's project: who asks, and the ids of what is in it."""

    service: Asked
    account: str
    raw: Raw
    ids: dict[str, str] = field(default_factory=dict)

    @classmethod
    def fresh(cls, service: Asked, name: str) -> Project:
        """A new one, with something of each kind whose name begins with ``name``."""
        identities = service.huawei.service.identities
        with service.control.change(Caller("operator", operator=True), "CreateAccount") as draft:
            account = basic.create(draft, Kind.ACCOUNT, {"name": name}).id
        with service.control.change(Caller(account), "CreateAccessKey") as draft:
            key, secret = identities.create_key(draft, "")
        made = cls(service, account, Raw(AccessKey(key.id, secret)))
        made._fill(name)
        return made

    def answer(self, method: str, path: str, body: Any = None, **query: str) -> Answer:
        """The answer to a request; in its path, {project_id} is this project."""
        sent = b"" if body is None else json.dumps(body).encode()
        path = path.replace("{project_id}", self.account)
        return self.service.answer(self.raw.rest(method, path, urlencode(query), sent))

    def ask(self, method: str, path: str, body: Any = None, **query: str) -> Any:
        """What is told, which must be a success."""
        found = self.answer(method, path, body, **query)
        assert found.status < 300, found
        return json.loads(found.body) if found.body else None

    def everything(self) -> Mapping[Key, Resource]:
        """What the project has."""
        resources = self.service.control.state.resources
        return {key: it for key, it in resources.items() if it.account == self.account}

    def _make(self, name: str, path: str, said: Mapping[str, Any]) -> str:
        member = {"list": "address_group", "edge": "firewall_group", "other_rule": "firewall_rule"}.get(name, "")
        member = member or path.rpartition("/")[2].removesuffix("s").replace("-", "_").replace("policie", "policy")
        self.ids[name] = str(self.ask("POST", path, {member: dict(said)})[member]["id"])
        return self.ids[name]

    def _fill(self, name: str) -> None:
        v1, v3, fwaas = "/v1/{project_id}", "/v3/{project_id}/vpc", "/v2.0/fwaas"
        vpc = self._make("vpc", f"{v1}/vpcs", {"name": f"{name}-vpc", "cidr": "10.0.0.0/16", "tags": ["k*v"]})
        said = {"name": f"{name}-subnet", "cidr": "10.0.1.0/24", "gateway_ip": "10.0.1.1", "ipv6_enable": True}
        subnet = self._make("subnet", f"{v1}/subnets", {**said, "vpc_id": vpc})
        group = self._make("group", f"{v3}/security-groups", {"name": f"{name}-group"})
        self._make("other_group", f"{v3}/security-groups", {"name": f"{name}-other"})
        said = {"name": f"{name}-list", "ip_version": 4, "ip_set": ["10.1.0.0/16"]}
        listed = self._make("list", f"{v3}/address-groups", said)
        said = {"security_group_id": group, "direction": "ingress", "remote_address_group_id": listed}
        self._make("rule", f"{v3}/security-group-rules", said)
        port = self._make("port", f"{v1}/ports", {"network_id": subnet, "security_groups": [group]})
        self._make("spare", f"{v1}/ports", {"network_id": subnet})
        self._make("sub", f"{v3}/sub-network-interfaces", {"virsubnet_id": subnet, "parent_id": port})
        acl = self._make("acl", f"{v3}/firewalls", {"name": f"{name}-acl"})
        lines = {"ingress_rules": [{"action": "allow", "protocol": "any", "ip_version": 4}]}
        told = self.ask("PUT", f"{v3}/firewalls/{acl}/insert-rules", {"firewall": lines})["firewall"]
        self.ids["line"] = told["ingress_rules"][0]["id"]
        self.ask("PUT", f"{v3}/firewalls/{acl}/associate-subnets", {"subnets": [{"virsubnet_id": subnet}]})
        for path in (f"/v3/{{project_id}}/firewalls/{acl}/tags", f"/v2.0/{{project_id}}/security-groups/{group}/tags"):
            self.ask("POST", path, {"tag": {"key": "k", "value": "v"}})
        rule = self._make("firewall_rule", f"{fwaas}/firewall_rules", {"protocol": "tcp"})
        self._make("other_rule", f"{fwaas}/firewall_rules", {"protocol": "udp"})
        policy = self._make("policy", f"{fwaas}/firewall_policies", {"name": f"{name}-p", "firewall_rules": [rule]})
        said = {"name": f"{name}-edge", "ingress_firewall_policy_id": policy}
        self._make("edge", f"{fwaas}/firewall_groups", said)
        owner = "network:router_interface_distributed"
        self.ids["router_port"] = self.ask("GET", f"{v1}/ports", device_owner=owner)["ports"][0]["id"]
