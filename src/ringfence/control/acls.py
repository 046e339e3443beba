"""Network ACLs and the subnets that they guard, and the lines of one ACL in another (SEMANTICS.md 4.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from ringfence.control.draft import Draft
from ringfence.control.line_ids import identified, with_lines
from ringfence.errors import Conflict
from ringfence.model.acl import NetworkAcl
from ringfence.model.topology import Subnet
from ringfence.ram import actions as ram
from ringfence.ram.actions import Action
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource

HAS_ANOTHER = "acl.subnet_has_another"
"""The subnet has an ACL already: it has one at most."""
NOT_ITS_OWN = "acl.not_of_subnet"
"""The subnet has no ACL, or another one."""


def associate(draft: Draft, acl: str, subnets: Sequence[str]) -> tuple[Resource, ...]:
    """Have an ACL guard subnets that have none, by their ids; one that it guards already stays as it is.

    Judged on the ACL and on each subnet. Raises `NotFound`, `Forbidden`, and `Conflict`: a subnet has another ACL.
    """
    found = draft.own(Kind.ACL, acl)
    draft.require(ram.ASSOCIATE_NETWORK_ACL, found)
    for id_ in subnets:
        subnet = draft.own(Kind.SUBNET, id_)
        with draft.telling(ram.ASSOCIATE_NETWORK_ACL, subnet):
            _check(subnet, ("", found.id), HAS_ANOTHER, "take it from that one first")
    return tuple(_guarded(draft, ram.ASSOCIATE_NETWORK_ACL, id_, found.id) for id_ in subnets)


def unassociate(draft: Draft, acl: str, subnets: Sequence[str]) -> tuple[Resource, ...]:
    """Have an ACL guard subnets no longer. Raises as `associate`, and `Conflict` for one that it does not guard."""
    found = draft.own(Kind.ACL, acl)
    draft.require(ram.UNASSOCIATE_NETWORK_ACL, found)
    for id_ in subnets:
        subnet = draft.own(Kind.SUBNET, id_)
        with draft.telling(ram.UNASSOCIATE_NETWORK_ACL, subnet):
            _check(subnet, (found.id,), NOT_ITS_OWN, "name subnets that it guards")
    return tuple(_guarded(draft, ram.UNASSOCIATE_NETWORK_ACL, id_, "") for id_ in subnets)


def subnets_of(draft: Draft, acl: Resource) -> list[Resource]:
    """The subnets that an ACL guards, as the change leaves them so far, by id."""
    return sorted(draft.referring(acl.key, Kind.SUBNET), key=lambda it: it.id)


def copy_lines(draft: Draft, source: str, target: str) -> Resource:
    """Have an ACL say what another one says, in place of its own lines. Raises `NotFound`, `Forbidden`."""
    found, other = draft.own(Kind.ACL, target), draft.own(Kind.ACL, source)
    draft.require(ram.COPY_NETWORK_ACL_ENTRIES, other)
    lines = tuple(replace(line, given_id="") for line in cast("NetworkAcl", other.value).rules)
    value = identified(found.value, with_lines(found.value, lines), draft.caller.ids)
    return draft.put(ram.COPY_NETWORK_ACL_ENTRIES, replace(found, value=value))


def _check(subnet: Resource, allowed: Sequence[str], reason: str, right: str) -> None:
    acl = cast("Subnet", subnet.value).acl
    if acl not in allowed:
        what = f"{subnet.key} has {f'network ACL {acl}' if acl else 'no network ACL'}"
        raise Conflict(what, right, reason=reason, field="subnet", value=subnet.id)


def _guarded(draft: Draft, action: Action, subnet: str, acl: str) -> Resource:
    found = draft.own(Kind.SUBNET, subnet)
    return draft.put(action, replace(found, value=replace(cast("Subnet", found.value), acl=acl)))
