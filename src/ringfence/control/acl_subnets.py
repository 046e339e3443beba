"""At the edge of which subnets a network ACL stands: a subnet has one at most (SEMANTICS.md 4.1, 4.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from ringfence.control.draft import Draft
from ringfence.errors import Conflict
from ringfence.model.topology import Subnet
from ringfence.ram import actions as ram
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource

TAKEN = "acl.taken"
"""The subnet has another ACL, or none where it should have this one."""


def associate(draft: Draft, acl: str, subnets: Sequence[str]) -> tuple[Resource, ...]:
    """Have an ACL stand at the edge of subnets (all by their ids); all, or none.

    Raises `NotFound`, `Forbidden` (judged on the ACL), and `Conflict` where a subnet has another one.
    """
    found = draft.own(Kind.ACL, acl)
    draft.require(ram.ASSOCIATE_NETWORK_ACL, found)
    return tuple(_set(draft, found, id_, "", found.id) for id_ in subnets)


def disassociate(draft: Draft, acl: str, subnets: Sequence[str]) -> tuple[Resource, ...]:
    """Have subnets be without the ACL that they have. Raises as `associate`."""
    found = draft.own(Kind.ACL, acl)
    draft.require(ram.UNASSOCIATE_NETWORK_ACL, found)
    return tuple(_set(draft, found, id_, found.id, "") for id_ in subnets)


def _set(draft: Draft, acl: Resource, id_: str, before: str, after: str) -> Resource:
    subnet = draft.own(Kind.SUBNET, id_)
    value = cast("Subnet", subnet.value)
    if value.acl not in (before, after):
        has = f"has ACL {value.acl}" if value.acl else "has no ACL"
        raise Conflict(f"{subnet.key} {has}", "look again", reason=TAKEN, field="subnet", value=id_)
    action = ram.ASSOCIATE_NETWORK_ACL if after else ram.UNASSOCIATE_NETWORK_ACL
    return draft.put(action, replace(subnet, value=replace(value, acl=after)), judged=acl)


def subnets_of(draft: Draft, acl: Resource) -> list[Resource]:
    """The subnets that an ACL stands at the edge of, as the change leaves them so far, by id."""
    return sorted(draft.referring(acl.key, Kind.SUBNET), key=lambda it: it.id)
