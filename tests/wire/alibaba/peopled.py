"""Accounts with something of every kind in them, made by requests without an SDK: fast, and without packets."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ringfence.control import basic
from ringfence.control.caller import Caller
from ringfence.resources.kind import Kind
from ringfence.security.keys import AccessKey
from ringfence.wire.alibaba.operation import Product
from ringfence.wire.alibaba.surface import Alibaba
from tests.wire.raw import Raw
from tests.wire.sdks import REGION

ZONE = f"{REGION}-a"
NAME = "shop"
"""What everything is called."""
_NAMED_BY: Final = (
    ("group", r"GroupId(s?)(\.N)?$"),
    ("list", r"PrefixListId(\.N)?$"),
    ("ports", r"PortRangeListId(\.N)?$"),
    ("rule", r"SecurityGroupRuleId(\.N)?$"),
    ("instance", r"(^|\.)InstanceIds?$"),
    ("eni", r"NetworkInterfaceId(\.N)?$"),
    ("switch", r"VSwitchId$"),
    ("vpc", r"VpcId$"),
    ("acl", r"NetworkAclId$"),
    ("line", r"NetworkAclEntryId$"),
)
"""Kinds of things, by the parameters that name them."""


def kind_of(parameter: str) -> str:
    """What a parameter names; empty for one that is no id."""
    if "ResourceGroupId" in parameter:
        return ""
    return next((kind for kind, pattern in _NAMED_BY if re.search(pattern, parameter)), "")


@dataclass(frozen=True)
class Peopled:
    """An account, who may do everything in it, and the ids of what it has by their kind."""

    alibaba: Alibaba
    account: str
    raw: Raw
    ids: dict[str, list[str]]

    @classmethod
    def of(cls, alibaba: Alibaba) -> Peopled:
        """A new one."""
        made = cls(alibaba, *_tenant(alibaba), {})
        for kind, id_ in made._made():
            made.ids.setdefault(kind, []).append(id_)
        return made

    def ask(self, operation: str, product: str = Product.ECS, **said: str) -> Any:
        """What an operation is answered, which must be done."""
        answer = self.alibaba.answer(self.raw.rpc(operation, product, {"RegionId": REGION, **said}))
        assert answer.status == 200, (operation, said, answer.body)
        return json.loads(answer.body)

    def real(self, parameter: str, number: str) -> str:
        """The id of one of the things that a parameter names, in any number of which there are enough."""
        ids = self.ids[kind_of(re.sub(r"\.\d+", ".N", parameter))]
        return ids[int(number) % len(ids)]

    def _made(self) -> Iterator[tuple[str, str]]:
        vpc = self.ask("CreateVpc", CidrBlock="10.0.0.0/8", VpcName=NAME)["VpcId"]
        yield "vpc", vpc
        place = {"VpcId": vpc, "ZoneId": ZONE, "VSwitchName": NAME}
        switch, spare = (self.ask("CreateVSwitch", CidrBlock=f"10.{it}.0.0/24", **place)["VSwitchId"] for it in (1, 2))
        yield from (("switch", switch), ("switch", spare))
        named = {"VpcId": vpc, "SecurityGroupName": NAME, "Tag.1.Key": "env", "Tag.1.Value": "test"}
        group, peer = (self.ask("CreateSecurityGroup", **named)["SecurityGroupId"] for _ in range(2))
        yield from (("group", group), ("group", peer))
        yield from self._lists_and_rules(group, peer)
        yield from self._machines(switch, group)
        yield from self._acl(vpc, switch)

    def _lists_and_rules(self, group: str, peer: str) -> Iterator[tuple[str, str]]:
        said = {"PrefixListName": NAME, "AddressFamily": "IPv4", "MaxEntries": "3", "Entry.1.Cidr": "10.9.0.0/16"}
        listed = self.ask("CreatePrefixList", **said)["PrefixListId"]
        yield "list", listed
        said = {"PortRangeListName": NAME, "MaxEntries": "3", "Entry.1.PortRange": "80/81"}
        yield "ports", self.ask("CreatePortRangeList", **said)["PortRangeListId"]
        for source in ({"SourceCidrIp": "10.0.0.0/8"}, {"SourceGroupId": peer}, {"SourcePrefixListId": listed}):
            self.ask("AuthorizeSecurityGroup", SecurityGroupId=group, IpProtocol="tcp", PortRange="80/80", **source)
        told = self.ask("DescribeSecurityGroupAttribute", SecurityGroupId=group)["Permissions"]["Permission"]
        yield from (("rule", it["SecurityGroupRuleId"]) for it in told)

    def _machines(self, switch: str, group: str) -> Iterator[tuple[str, str]]:
        said = {"VSwitchId": switch, "SecurityGroupId": group, "InstanceName": NAME, "Amount": "2"}
        for instance in self.ask("RunInstances", **said)["InstanceIdSets"]["InstanceIdSet"]:
            yield "instance", instance
        said = {"VSwitchId": switch, "SecurityGroupId": group, "NetworkInterfaceName": NAME}
        yield "eni", self.ask("CreateNetworkInterface", **said)["NetworkInterfaceId"]

    def _acl(self, vpc: str, switch: str) -> Iterator[tuple[str, str]]:
        said = {"VpcId": vpc, "NetworkAclName": NAME}
        acl, other = (self.ask("CreateNetworkAcl", Product.VPC, **said)["NetworkAclId"] for _ in range(2))
        yield from (("acl", acl), ("acl", other))
        entry = {"Policy": "accept", "Protocol": "tcp", "Port": "80/80", "SourceCidrIp": "0.0.0.0/0"}
        lines = {f"IngressAclEntries.1.{name}": text for name, text in entry.items()}
        self.ask("UpdateNetworkAclEntries", Product.VPC, NetworkAclId=acl, UpdateIngressAclEntries="true", **lines)
        guarded = {"Resource.1.ResourceType": "VSwitch", "Resource.1.ResourceId": switch}
        self.ask("AssociateNetworkAcl", Product.VPC, NetworkAclId=acl, **guarded)
        told = self.ask("DescribeNetworkAclAttributes", Product.VPC, NetworkAclId=acl)["NetworkAclAttribute"]
        yield from (("line", it["NetworkAclEntryId"]) for it in told["IngressAclEntries"]["IngressAclEntry"])


def _tenant(alibaba: Alibaba) -> tuple[str, Raw]:
    control, identities = alibaba.service.control, alibaba.service.identities
    with control.change(Caller("operator", operator=True), "CreateAccount") as draft:
        account = basic.create(draft, Kind.ACCOUNT, {"name": "tenant"}).id
    with control.change(Caller(account, operator=True, home="operator"), "CreateAccessKey") as draft:
        resource, secret = identities.create_key(draft, "")
    return account, Raw(AccessKey(resource.id, secret))


GOOD: Final[Mapping[str, str]] = {
    "IpProtocol": "tcp", "PortRange": "80/80", "SourceCidrIp": "10.0.0.0/8", "DestCidrIp": "10.0.0.0/8",
    "Policy": "drop", "Priority": "7", "Protocol": "tcp", "Port": "80/80", "ZoneId": ZONE, "CidrBlock": "10.5.0.0/24",
    "ResourceType": "securitygroup", "InnerAccessPolicy": "Drop", "ImageId": "image", "InstanceType": "small",
    "PrefixListName": "list", "PortRangeListName": "list", "AddressFamily": "IPv4", "MaxEntries": "2",
    "Cidr": "10.8.0.0/16", "RegionId": REGION, "UpdateIngressAclEntries": "true", "UpdateEgressAclEntries": "true",
    "DestinationCidrIp": "0.0.0.0/0", "Key": "env", "Value": "test", "Amount": "2", "PageSize": "1", "MaxResults": "10",
}  # fmt: skip
"""What a parameter may well say."""
