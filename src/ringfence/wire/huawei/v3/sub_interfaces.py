"""Supplementary network interfaces: ports that hang off another port by a VLAN, with groups of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from ringfence.control import attaching, basic, membership
from ringfence.control.draft import Draft
from ringfence.control.kinds import Verb, actions_of
from ringfence.errors import NotFound
from ringfence.ram import actions as ram
from ringfence.ram.actions import Action
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource
from ringfence.wire.huawei.narrowing import narrowed
from ringfence.wire.huawei.operation import Call, Fault, Member, Operation, invalid
from ringfence.wire.huawei.said import DESCRIPTION, DRY_RUN, named
from ringfence.wire.huawei.v3.interfaces import check_served, groups_of, interface_told, made, vlan_of
from ringfence.wire.huawei.v3.ports import port_of
from ringfence.wire.request import Told

_ALL: Final = "/v3/{project_id}/vpc/sub-network-interfaces"
_ONE: Final = f"{_ALL}/{{sub_network_interface_id}}"
_AT_ONCE: Final = 256
"""So many an instance has at most (SEMANTICS.md 5)."""
_GROUPS: Final = Member("security_groups", (list,))
_PAIRS: Final = Member(
    "allowed_address_pairs", (list,), of=(Member("ip_address", (str,)), Member("mac_address", (str,)))
)
_NEW: Final = (
    Member("virsubnet_id", (str,), required=True),
    Member("parent_id", (str,), required=True),
    DESCRIPTION,
    Member("ipv6_enable", (bool,)),
    _GROUPS,
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
_FAULTS: Final = {
    code: Fault(409, "VPC.0701") for code in (attaching.WRONG_STATE, attaching.PRIMARY, attaching.OTHER_VPC)
}
_NOT_SERVED: Final = "Address pairs and switching the groups off are refused: every address that passes is a port's."


def operations() -> Iterator[Operation]:
    """The calls."""
    yield Operation(
        "create_sub_network_interface",
        "POST",
        _ALL,
        f"Make a supplementary interface of a port, with an IPv6 address only if ipv6_enable says so. {_NOT_SERVED}",
        actions_of(Verb.CREATE, Kind.PORT),
        _create,
        201,
        body=(_body(*_ONE_NEW), DRY_RUN),
        faults=_FAULTS,
    )
    yield Operation(
        "batch_create_sub_network_interface",
        "POST",
        f"{_ALL}/batch-create",
        "Make several, all or none.",
        actions_of(Verb.CREATE, Kind.PORT),
        _create_many,
        201,
        body=(_body(*_NEW), Member("count", (int,), required=True), DRY_RUN),
        faults=_FAULTS,
    )
    seen = (ram.DESCRIBE_NETWORK_INTERFACES,)
    yield Operation(
        "list_sub_network_interfaces",
        "GET",
        _ALL,
        "The supplementary interfaces, and as UNBOUND the ports of no instance, which can become some.",
        seen,
        _list,
        query=("limit", "marker", *_BY),
    )
    yield Operation("show_sub_network_interface", "GET", _ONE, "A supplementary interface.", seen, _show)
    yield Operation("show_sub_network_interfaces_quantity", "GET", f"{_ALL}/count", "How many these are.", seen, _count)
    updating = (*actions_of(Verb.UPDATE, Kind.PORT), ram.MODIFY_NETWORK_INTERFACE_ATTRIBUTE)
    members = (DESCRIPTION, _GROUPS, _PAIRS)
    yield _on_one("update_sub_network_interface", "PUT", "", "Describe it anew, or set its groups.", updating, _update)(
        (_body(*members), DRY_RUN)
    )
    yield Operation(
        "delete_sub_network_interface",
        "DELETE",
        _ONE,
        "Delete a supplementary interface.",
        actions_of(Verb.DELETE, Kind.PORT),
        _delete,
        204,
    )
    yield from _moving()


def _moving() -> Iterator[Operation]:
    attaching_, detaching = (ram.ATTACH_NETWORK_INTERFACE,), (ram.DETACH_NETWORK_INTERFACE,)
    listed = Member("sub_network_interfaces", (list,), required=True, of=_MOVED)
    info = Member("migration_info", (dict,), required=True, of=(Member("parent_id", (str,), required=True), listed))
    yield Operation(
        "migrate_sub_network_interface",
        "PUT",
        f"{_ALL}/migrate",
        "Have supplementary interfaces hang off another port, by the same VLANs or by others; all or none.",
        attaching_,
        _migrate,
        body=(info, DRY_RUN),
        faults=_FAULTS,
    )
    members = (Member("parent_id", (str,), required=True), _GROUPS, Member("security_enabled", (bool,)))
    yield _on_one(
        "attach_sub_network_interface", "POST", "/attach", f"Hang it off a port. {_NOT_SERVED}", attaching_, _attach
    )((_body(*members), DRY_RUN))
    doc = "Take it off its port: it keeps its addresses and groups."
    yield _on_one("detach_sub_network_interface", "POST", "/detach", doc, detaching, _detach)(())


_MOVED: Final = (
    Member("sub_network_interface_id", (str,)),
    Member("id", (str,)),
    Member("vlan_id", (str,)),
)


def _body(*of: Member) -> Member:
    return Member("sub_network_interface", (dict,), required=True, of=of)


Change = Callable[[Call, Draft, Resource], Resource]


def _on_one(
    name: str, method: str, word: str, doc: str, actions: tuple[Action, ...], change: Change
) -> Callable[[tuple[Member, ...]], Operation]:
    """A call that changes the one of the path and tells it, given the members of its body."""

    def handle(call: Call) -> Told:
        def work(draft: Draft) -> Told:
            return {"sub_network_interface": interface_told(change(call, draft, _own(draft, _id(call))))}

        return call.change(work)

    return lambda body: Operation(name, method, f"{_ONE}{word}", doc, actions, handle, body=body, faults=_FAULTS)


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


def _id(call: Call) -> str:
    return call.path["sub_network_interface_id"]


def _own(draft: Draft, id_: str) -> Resource:
    """A supplementary interface of the caller's, or a port of no instance. Raises `NotFound`."""
    found = draft.own(Kind.PORT, id_)
    if not _is_one(found):
        raise NotFound(f"{found.key} is no supplementary interface", field="id", value=id_, kind=Kind.PORT.value)
    return found


def _is_one(port: Resource) -> bool:
    return bool(port_of(port).parent) or not port_of(port).instance


def _update(call: Call, draft: Draft, found: Resource) -> Resource:
    said = call.json["sub_network_interface"]
    check_served(said)
    if said.get("security_groups") is not None:
        (found,) = membership.set_groups(draft, [found.id], groups_of(draft, said))
    words = named({"description": said.get("description")})
    return basic.update(draft, Kind.PORT, found.id, words) if words else found


def _attach(call: Call, draft: Draft, found: Resource) -> Resource:
    said = call.json["sub_network_interface"]
    check_served(said)
    if said.get("security_groups"):
        membership.set_groups(draft, [found.id], groups_of(draft, said))
    return attaching.hang(draft, found.id, draft.own(Kind.PORT, said["parent_id"]).id)


def _detach(_: Call, draft: Draft, found: Resource) -> Resource:
    return attaching.detach(draft, found.id)


def _migrate(call: Call) -> Told:
    said = call.json["migration_info"]
    asked: Sequence[Mapping[str, str]] = said["sub_network_interfaces"]
    if not asked:
        raise invalid("migration_info.sub_network_interfaces", "name one at least", asked)

    def work(draft: Draft) -> Told:
        parent = draft.own(Kind.PORT, said["parent_id"])
        moved = attaching.migrate(draft, [_place(draft, each) for each in asked], parent.id)
        return {"sub_network_interfaces": [interface_told(it) for it in moved]}

    return call.change(work)


def _place(draft: Draft, said: Mapping[str, str]) -> tuple[str, int | None]:
    """An interface that is to move, and its VLAN there: its own, if nothing is said."""
    id_ = said.get("sub_network_interface_id") or said.get("id")
    if not id_:
        raise invalid("sub_network_interface_id", "give the id of each interface", None)
    found = _own(draft, id_)
    return found.id, vlan_of(said["vlan_id"]) if said.get("vlan_id") else port_of(found).vlan or None


def _delete(call: Call) -> Told:
    def work(draft: Draft) -> Told:
        basic.delete(draft, Kind.PORT, _own(draft, _id(call)).id)
        return {}

    return call.change(work)


# --- told


def _every(call: Call) -> list[dict[str, Any]]:
    return [interface_told(it) for it in call.visible(Kind.PORT) if _is_one(it)]


def _list(call: Call) -> Told:
    return call.page(narrowed(call, _every(call), _BY), "sub_network_interfaces")


def _count(call: Call) -> Told:
    return {"sub_network_interfaces": len(_every(call))}


def _show(call: Call) -> Told:
    found = call.find(Kind.PORT, _id(call))
    if not _is_one(found):
        raise NotFound(f"{found.key} is no supplementary interface", field="id", value=found.id, kind=Kind.PORT.value)
    return {"sub_network_interface": interface_told(found)}
