"""IPv6 for a subnet that asks for it without saying where: the cloud gives it a /64 of its VPC's address space."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import cast

from ringfence.control import basic
from ringfence.control.draft import Draft
from ringfence.errors import Conflict
from ringfence.model.address import AddressRange, Family, Prefix
from ringfence.model.topology import Subnet
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource
from ringfence.resources.values import SharedVpc

_SUBNET, _VPC = 64, 56


def free_prefix(draft: Draft, vpc: str) -> Prefix:
    """The first /64 of a VPC that no subnet of it has.

    A VPC without IPv6 gets a /56 of unique local addresses (RFC 4193) of its own first, which the caller must be
    allowed to do. Raises `Forbidden`, and `Conflict` if none is free.
    """
    found = draft.own(Kind.VPC, vpc)
    space = [it for it in _cidrs(found) if it.family is Family.IPV6] or [_added(draft, found)]
    subnets = (cast("Subnet", it.value).cidr6 for it in draft.referring(found.key, Kind.SUBNET))
    taken = sorted(it.range for it in subnets if it)
    free = next(filter(None, (_free_part(whole, taken) for whole in space)), None)
    if free is None:
        raise Conflict(f"{found.key} has no free IPv6 prefix", "give it more address space", field="ipv6_enable")
    return free


def _cidrs(vpc: Resource) -> tuple[Prefix, ...]:
    return cast("SharedVpc", vpc.value).vpc.cidrs


def _added(draft: Draft, vpc: Resource) -> Prefix:
    digest = int.from_bytes(hashlib.sha256(vpc.id.encode()).digest()[:6])
    own = Prefix(Family.IPV6, (0xFD << 48 | digest) << Family.IPV6.bits - _VPC, _VPC)
    basic.update(draft, Kind.VPC, vpc.id, {"cidrs": [*map(str, _cidrs(vpc)), str(own)]})
    return own


def _free_part(whole: Prefix, taken: Sequence[AddressRange]) -> Prefix | None:
    """The first /64 of a prefix that is of none of these ranges, which come in their order.

    It steps over each range at once: one of a /24 has a million million parts.
    """
    length = max(_SUBNET, whole.length)
    size = 1 << Family.IPV6.bits - length
    network = whole.network
    for each in taken:
        if each.first < network + size and network <= each.last:
            network = (each.last // size + 1) * size
    return Prefix(Family.IPV6, network, length) if network <= whole.range.last else None
