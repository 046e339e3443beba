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


_WORDS = {
    "vpc": "VPC",
    "acl": "ACL",
    "acl_line": "ACL line",
    "acl_policy": "ACL policy",
    "virtual_ip": "virtual IP",
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
