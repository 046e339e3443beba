"""A tenant's estate: what version 3 has no call for is made by the native API."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ringfence.client.client import Client
from ringfence.model.address import Family
from tests.wire.cloud import Cloud
from tests.wire.huawei.v3.asking import ask
from tests.wire.sdks import Sdks


@dataclass(frozen=True)
class Estate:
    """A VPC with a subnet of both families, and machines in it."""

    cloud: Cloud
    sdks: Sdks
    client: Any
    """The SDK of version 3."""
    vpc: str
    subnet: str

    @classmethod
    def of(cls, cloud: Cloud) -> Estate:
        """A new tenant's, with nothing in the subnet yet."""
        sdks = cloud.tenant()
        client = sdks.huawei()
        ask(client, "create_vpc", {"vpc": {"name": "shop", "cidr": "10.7.0.0/16"}})
        (vpc,) = ask(client, "list_vpcs").vpcs
        with Client(cloud.url, key=sdks.key) as native:
            native.patch(f"/v1/vpcs/{vpc.id}", {"cidrs": ["10.7.0.0/16", "fd07::/48"]})
            said = {"name": "web", "vpc": vpc.id, "cidr": "10.7.1.0/24", "cidr6": "fd07:0:0:1::/64"}
            subnet = native.post("/v1/subnets", said)["item"]["id"]
        return cls(cloud, sdks, client, vpc.id, subnet)

    def native(self, path: str, said: dict[str, Any]) -> dict[str, Any]:
        """Make something by the native API."""
        with Client(self.cloud.url, key=self.sdks.key) as client:
            item: dict[str, Any] = client.post(path, said)["item"]
            return item

    def machine(self, *groups: str, subnet: str = "") -> str:
        """The id of a new machine in some groups, which serves tcp 22 and 80."""
        port = {"subnet": subnet or self.subnet, **({"groups": list(groups)} if groups else {})}
        said = {"name": "m", "ports": [port], "serve": ["tcp/22", "tcp/80"]}
        return str(self.native("/v1/instances", said)["id"])

    def port(self, machine: str) -> Any:
        """The port of a machine, as the SDK knows it."""
        (port,) = ask(self.client, "list_ports", device_id=[machine]).ports
        return port

    def group(self, name: str = "sg", *, bare: bool = False) -> str:
        """The id of a new security group, with its default rules or, ``bare``, with none that lets anything in."""
        made = ask(self.client, "create_security_group", {"security_group": {"name": name}}).security_group
        for rule in made.security_group_rules:
            if bare and rule.direction == "ingress":
                ask(self.client, "delete_security_group_rule", security_group_rule_id=rule.id)
        return str(made.id)

    def rule(self, group: str, **said: Any) -> Any:
        """A new rule of a group: ingress tcp 80, unless something else is said."""
        wanted = {"direction": "ingress", "protocol": "tcp", "multiport": "80", **said}
        body = {"security_group_rule": {"security_group_id": group, **wanted}}
        return ask(self.client, "create_security_group_rule", body).security_group_rule

    def unrule(self, rule: Any) -> None:
        """Delete a rule."""
        ask(self.client, "delete_security_group_rule", security_group_rule_id=rule.id)

    def passes(self, source: str, destination: str, service: str = "tcp/80") -> tuple[bool, bool]:
        """Whether packets pass over IPv4, and over IPv6."""
        flow = f"{source} -> {destination} {service}"
        four, six = self.cloud.passing((flow, Family.IPV4), (flow, Family.IPV6))
        return four, six


BOTH, NEITHER, ONLY_4, ONLY_6 = (True, True), (False, False), (True, False), (False, True)


def ids(items: Sequence[Any]) -> list[str]:
    """The ids of what a list told."""
    return [it.id for it in items]
