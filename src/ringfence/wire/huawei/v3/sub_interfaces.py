"""Supplementary network interfaces: ports that hang off another port by a VLAN, with groups of their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from ringfence.control import basic, membership
from ringfence.control.draft import Draft
from ringfence.control.kinds import Verb, actions_of
from ringfence.errors import NotFound
from ringfence.ram import actions as ram
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource
from ringfence.wire.huawei.members import Member, invalid
from ringfence.wire.huawei.narrowing import narrowed
from ringfence.wire.huawei.operation import Call, Operation
from ringfence.wire.huawei.said import DESCRIPTION, DRY_RUN, named
from ringfence.wire.huawei.v3.interfaces import (
    ALL,
    FAULTS,
    GROUPS,
    NOT_SERVED,
    ONE,
    body_of_one,
    check_served,
    groups_of,
    id_of,
    interface_told,
    is_one,
    made,
    on_one,
    own,
)
from ringfence.wire.request import Told

_AT_ONCE: Final = 256
"""So many an instance has at most (SEMANTICS.md 5)."""
_PAIRS: Final = Member(
    "allowed_address_pairs", (list,), of=(Member("ip_address", (str,)), Member("mac_address", (str,)))
)
_NEW: Final = (
    Member("virsubnet_id", (str,), required=True),
    Member("parent_id", (str,), required=True),
    DESCRIPTION,
    Member("ipv6_enable", (bool,)),
    GROUPS,
    Member("project_id", (str,)),
    _PAIRS,
)
_ONE_NEW: Final = (
    *_NEW,
    Member("vlan_id", (str,)),
    Member("private_ip_address", (str,)),
    Member("ipv6_ip_address", (str,)),
)
_BY: Final = ("id", "virsubnet_id", "private_ip_address", "mac_address", "vpc_id", "description", "parent_id")


def operations() -> Iterator[Operation]:
    """The calls."""
    yield Operation(
        "create_sub_network_interface",
        "POST",
        ALL,
        f"Make a supplementary interface of a port, with an IPv6 address only if ipv6_enable says so. {NOT_SERVED}",
        actions_of(Verb.CREATE, Kind.PORT),
        _create,
        201,
        body=(body_of_one(*_ONE_NEW), DRY_RUN),
        faults=FAULTS,
    )
    yield Operation(
        "batch_create_sub_network_interface",
        "POST",
        f"{ALL}/batch-create",
        "Make several, all or none.",
        actions_of(Verb.CREATE, Kind.PORT),
        _create_many,
        201,
        body=(body_of_one(*_NEW), Member("count", (int,), required=True), DRY_RUN),
        faults=FAULTS,
    )
    seen = (ram.DESCRIBE_NETWORK_INTERFACES,)
    yield Operation(
        "list_sub_network_interfaces",
        "GET",
        ALL,
        "The supplementary interfaces, and as UNBOUND the ports of no instance, which can become some.",
        seen,
        _list,
        query=("limit", "marker", *_BY),
    )
    yield Operation("show_sub_network_interface", "GET", ONE, "A supplementary interface.", seen, _show)
    yield Operation("show_sub_network_interfaces_quantity", "GET", f"{ALL}/count", "How many these are.", seen, _count)
    updating = (*actions_of(Verb.UPDATE, Kind.PORT), ram.MODIFY_NETWORK_INTERFACE_ATTRIBUTE)
    members = (DESCRIPTION, GROUPS, _PAIRS)
    doc, body = "Describe it anew, or set its groups.", (body_of_one(*members), DRY_RUN)
    yield on_one("update_sub_network_interface", "PUT", "", doc, updating, _update, body)
    yield Operation(
        "delete_sub_network_interface",
        "DELETE",
        ONE,
        "Delete a supplementary interface.",
        actions_of(Verb.DELETE, Kind.PORT),
        _delete,
        204,
    )


# --- made


def _create(call: Call) -> Told:
    said = call.json["sub_network_interface"]
    return call.change(lambda draft: {"sub_network_interface": interface_told(made(call, draft, said))})


def _create_many(call: Call) -> Told:
    said, count = call.json["sub_network_interface"], call.json["count"]
    if not 1 <= count <= _AT_ONCE:
        raise invalid("count", f"use 1 to {_AT_ONCE}", count)

    def work(draft: Draft) -> Told:
        return {"sub_network_interfaces": [interface_told(made(call, draft, said)) for _ in range(count)]}

    return call.change(work)


# --- changed


def _update(call: Call, draft: Draft, found: Resource) -> Resource:
    said = call.json["sub_network_interface"]
    check_served(said)
    if said.get("security_groups") is not None:
        (found,) = membership.set_groups(draft, [found.id], groups_of(draft, said))
    words = named({"description": said.get("description")})
    return basic.update(draft, Kind.PORT, found.id, words) if words else found


def _delete(call: Call) -> Told:
    def work(draft: Draft) -> Told:
        basic.delete(draft, Kind.PORT, own(draft, id_of(call)).id)
        return {}

    return call.change(work)


# --- told


def _every(call: Call) -> list[dict[str, Any]]:
    return [interface_told(it) for it in call.visible(Kind.PORT) if is_one(it)]


def _list(call: Call) -> Told:
    return call.page(narrowed(call, _every(call), _BY), "sub_network_interfaces")


def _count(call: Call) -> Told:
    return {"sub_network_interfaces": len(_every(call))}


def _show(call: Call) -> Told:
    found = call.find(Kind.PORT, id_of(call))
    if not is_one(found):
        raise NotFound(f"{found.key} is no supplementary interface", field="id", value=found.id, kind=Kind.PORT.value)
    return {"sub_network_interface": interface_told(found)}
