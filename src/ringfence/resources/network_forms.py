"""The forms of VPCs, subnets and peerings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ringfence.errors import NotationError
from ringfence.model.address import Family, Prefix
from ringfence.model.names import check_name
from ringfence.model.profile import HUAWEI
from ringfence.model.rule import (
    NicType,
)
from ringfence.model.topology import Network, Peering, Subnet, Vpc
from ringfence.resources.fields import choice, listed, parsed, reference
from ringfence.resources.form import Form
from ringfence.resources.kind import Kind
from ringfence.resources.line_fields import lines_field, lines_refer
from ringfence.resources.naming import Called, Key
from ringfence.resources.profile_forms import SWITCHES, profile_field, profile_of, profile_parts
from ringfence.resources.values import SharedVpc

Fields = Mapping[str, Any]


def _prefix_of(family: Family) -> Callable[[str], Prefix]:
    def parse(said: str) -> Prefix:
        prefix = Prefix.parse(said)
        if prefix.family is not family:
            raise NotationError(f"{prefix} is not {family}", f"give an {family} prefix")
        return prefix

    return parse


def _vpc(called: Called, fields: Fields) -> SharedVpc:
    cidrs = tuple(fields["cidrs"])
    vpc = Vpc(called.id, profile_of(fields), cidrs, {}, fields["border"], fields["network"], called.account)
    return SharedVpc(vpc, tuple(sorted(fields["shared_with"])))


def _vpc_parts(it: SharedVpc) -> dict[str, Any]:
    vpc, shared = it.vpc, {"shared_with": it.shared_with}
    return {"cidrs": vpc.cidrs, "border": vpc.border, "network": vpc.network, **profile_parts(vpc.profile), **shared}


def _vpc_refers(it: SharedVpc) -> Iterator[Key]:
    yield from (Key(Kind.ACCOUNT, account) for account in it.shared_with)
    yield from lines_refer(it.vpc.border)


VPC = Form(
    kind=Kind.VPC,
    plural="vpcs",
    prefix="vpc",
    fields=(
        listed(
            "cidrs",
            "its address space; Huawei's API tells the first as its own",
            Prefix.parse,
            longest=50,
            example="10.0.0.0/16",
        ),
        profile_field(HUAWEI.name),
        SWITCHES,
        lines_field(
            "border", "rules of the firewall between it and the internet", example="in deny tcp 22 from any to any"
        ),
        choice("network", "a VPC, or the classic network", Network, default=Network.VPC, fixed=True),
        listed("shared_with", "accounts that may have groups and ports in it", check_name, default=(), longest=100),
    ),
    build=_vpc,
    parts=_vpc_parts,
    refers=_vpc_refers,
)


def _subnet(called: Called, fields: Fields) -> Subnet:
    if not (fields["cidr"] or fields["cidr6"]):
        raise NotationError("the subnet has no prefix", "give cidr, cidr6 or both")
    return Subnet(called.id, fields["vpc"], fields["cidr"], fields["cidr6"], fields["acl"], fields["nic"])


def _subnet_parts(it: Subnet) -> dict[str, Any]:
    return {"vpc": it.vpc, "cidr": it.cidr, "cidr6": it.cidr6, "acl": it.acl, "nic": it.nic}


def _subnet_refers(it: Subnet) -> Iterator[Key]:
    yield Key(Kind.VPC, it.vpc)
    if it.acl:
        yield Key(Kind.ACL, it.acl)


SUBNET = Form(
    kind=Kind.SUBNET,
    plural="subnets",
    prefix="subnet",
    fields=(
        reference("vpc", "the VPC that it is a part of", fixed=True),
        parsed("cidr", "IPv4 prefix", _prefix_of(Family.IPV4), default=None, example="10.0.1.0/24"),
        parsed("cidr6", "IPv6 prefix", _prefix_of(Family.IPV6), default=None, example="fd00:10:0:1::/64"),
        reference("acl", "the network ACL at its edge", default=""),
        choice("nic", "which interface of the classic network", NicType, default=NicType.INTRANET, fixed=True),
    ),
    build=_subnet,
    parts=_subnet_parts,
    refers=_subnet_refers,
)


def _peering(called: Called, fields: Fields) -> Peering:
    if len(fields["vpcs"]) != 2:
        raise NotationError("a peering joins two VPCs", "give two ids")
    one, two = sorted(fields["vpcs"])
    return Peering(called.id, (one, two), fields["firewall"])


def _peering_refers(it: Peering) -> Iterator[Key]:
    yield from (Key(Kind.VPC, vpc) for vpc in it.vpcs)
    yield from lines_refer(it.firewall)


PEERING = Form(
    kind=Kind.PEERING,
    plural="peerings",
    prefix="pcx",
    fields=(
        listed("vpcs", "the two VPCs", check_name, longest=2, fixed=True, example="vpc-1"),
        lines_field("firewall", "rules of the firewall on it", example="deny tcp 22 from any to any"),
    ),
    build=_peering,
    parts=lambda it: {"vpcs": it.vpcs, "firewall": it.firewall},
    refers=_peering_refers,
)
