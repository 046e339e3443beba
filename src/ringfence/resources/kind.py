"""The kinds of things that the service keeps."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Kind(StrEnum):
    """A kind of resource; prints as in ``"kind": "group"``."""

    VPC = "vpc"
    SUBNET = "subnet"
    GROUP = "group"
    RULE = "rule"
    ADDRESS_GROUP = "address_group"
    PORT_LIST = "port_list"
    ACL = "acl"
    ACL_LINE = "acl_line"
    ACL_POLICY = "acl_policy"
    PEERING = "peering"
    INSTANCE = "instance"
    PORT = "port"
    VIRTUAL_IP = "virtual_ip"
    PENALTY = "penalty"
    OUTSIDE_HOST = "outside_host"
    EXPECTATION = "expectation"
    SETTINGS = "settings"
    """The one resource of its kind: the profile of what belongs to no VPC."""
    ACCOUNT = "account"
    USER = "user"
    ACCESS_KEY = "access_key"
    POLICY = "policy"
    QUOTA = "quota"

    @property
    def words(self) -> str:
        """In words for people: ``address group``."""
        return _WORDS.get(self.value, self.value.replace("_", " "))

    @property
    def doc(self) -> str:
        """What it is, in a sentence."""
        return _DOCS[self.value]


_WORDS = {
    "vpc": "VPC",
    "acl": "ACL",
    "acl_line": "ACL line",
    "acl_policy": "ACL policy",
    "virtual_ip": "virtual IP",
}

_DOCS = {
    "vpc": "A private network.",
    "subnet": "A part of a VPC.",
    "group": "A security group: its rules guard every port in it.",
    "rule": "A rule of a security group.",
    "address_group": "A named list of addresses (prefix list) that rules name.",
    "port_list": "A named list of TCP or UDP ports that rules name.",
    "acl": "A network ACL: rules in their order, at the edge of subnets.",
    "acl_line": "A rule of network ACLs by itself, for ACL policies.",
    "acl_policy": "ACL lines in their order, which network ACLs have as theirs in one direction or both.",
    "peering": "A way between two VPCs, with a firewall on it.",
    "instance": "A machine; its ports are resources of their own.",
    "port": "A network interface (ENI): what security groups guard.",
    "virtual_ip": "Addresses that move between ports of one subnet.",
    "penalty": "An instance, or one port of it, that the platform has cut off.",
    "outside_host": "A host on the internet side of every VPC.",
    "expectation": "What should become of a flow.",
    "settings": "The profile of what belongs to no VPC.",
    "account": "A tenant, isolated from the others.",
    "user": "A RAM user of an account, who may do what the policies say.",
    "access_key": "A key to sign requests with; its secret is told once, when it is made.",
    "policy": "A RAM policy: what users who have it may do, and may not.",
    "quota": "Limits that the operator sets for an account in place of the profile's.",
}

IDENTITY = frozenset({Kind.ACCOUNT, Kind.USER, Kind.ACCESS_KEY, Kind.POLICY})
"""Kinds that say who may do what: no agent and no world knows them."""

ACL_PARTS = frozenset({Kind.ACL_LINE, Kind.ACL_POLICY})
"""What the rules of ACLs may be made of: a world knows the ACLs alone (`ringfence.control.acl_policies`)."""

LIKE_A_WORLD_FILE = tuple(kind for kind in Kind if kind not in IDENTITY | ACL_PARTS and kind is not Kind.QUOTA)
"""Kinds that a world file can say."""

SECTIONS: Mapping[Kind, str] = {
    Kind.VPC: "vpcs",
    Kind.GROUP: "groups",
    Kind.ADDRESS_GROUP: "address_groups",
    Kind.PORT_LIST: "port_lists",
    Kind.ACL: "acls",
    Kind.PEERING: "peerings",
    Kind.INSTANCE: "instances",
    Kind.VIRTUAL_IP: "virtual_ips",
    Kind.OUTSIDE_HOST: "outside",
}
"""The kinds that a world knows by a name of their own, by its section that holds them. Subnets are in VPCs."""
