"""IPv6 for a subnet that asks for it without saying where: the cloud gives it a /64 of its VPC's address space."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import cast

from ringfence.control import basic
from ringfence.control.draft import Draft
from ringfence.errors import Conflict
from ringfence.model.address import Family, Prefix
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
    taken = [cast("Subnet", it.value).cidr6 for it in draft.referring(found.key, Kind.SUBNET)]
    for prefix in (each for whole in space for each in _parts(whole)):
        if not any(prefix.range.overlaps(other.range) for other in taken if other):
            return prefix
    raise Conflict(f"{found.key} has no free IPv6 prefix", "give it more address space", field="ipv6_enable")


def _cidrs(vpc: Resource) -> tuple[Prefix, ...]:
    return cast("SharedVpc", vpc.value).vpc.cidrs


def _added(draft: Draft, vpc: Resource) -> Prefix:
    digest = int.from_bytes(hashlib.sha256(vpc.id.encode()).digest()[:6])
    own = Prefix(Family.IPV6, (0xFD << 48 | digest) << Family.IPV6.bits - _VPC, _VPC)
    basic.update(draft, Kind.VPC, vpc.id, {"cidrs": [*map(str, _cidrs(vpc)), str(own)]})
    return own


def _parts(whole: Prefix) -> Iterator[Prefix]:
    length = max(_SUBNET, whole.length)
    step = 1 << Family.IPV6.bits - length
    for network in range(whole.network, whole.range.last + 1, step):
        yield Prefix(Family.IPV6, network, length)
