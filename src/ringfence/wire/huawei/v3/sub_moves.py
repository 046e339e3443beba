"""Supplementary network interfaces that come to another port, or to none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from ringfence.control import attaching, membership
from ringfence.control.draft import Draft
from ringfence.ram import actions as ram
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource
from ringfence.wire.huawei.members import Member, invalid
from ringfence.wire.huawei.operation import Call, Operation
from ringfence.wire.huawei.said import DRY_RUN
from ringfence.wire.huawei.v3.interfaces import (
    ALL,
    FAULTS,
    GROUPS,
    NOT_SERVED,
    body_of_one,
    check_served,
    groups_of,
    interface_told,
    on_one,
    own,
    vlan_of,
)
from ringfence.wire.huawei.v3.ports import port_of
from ringfence.wire.request import Told

_MOVED: Final = (
    Member("sub_network_interface_id", (str,)),
    Member("id", (str,)),
    Member("vlan_id", (str,)),
)


def operations() -> Iterator[Operation]:
    """The calls."""
    attaching_, detaching = (ram.ATTACH_NETWORK_INTERFACE,), (ram.DETACH_NETWORK_INTERFACE,)
    listed = Member("sub_network_interfaces", (list,), required=True, of=_MOVED)
    info = Member("migration_info", (dict,), required=True, of=(Member("parent_id", (str,), required=True), listed))
    yield Operation(
        "migrate_sub_network_interface",
        "PUT",
        f"{ALL}/migrate",
        "Have supplementary interfaces hang off another port, by the same VLANs or by others; all or none.",
        attaching_,
        _migrate,
        body=(info, DRY_RUN),
        faults=FAULTS,
    )
    members = (Member("parent_id", (str,), required=True), GROUPS, Member("security_enabled", (bool,)))
    doc = f"Hang it off a port. {NOT_SERVED}"
    body = (body_of_one(*members), DRY_RUN)
    yield on_one("attach_sub_network_interface", "POST", "/attach", doc, attaching_, _attach, body)
    doc = "Take it off its port: it keeps its addresses and groups."
    yield on_one("detach_sub_network_interface", "POST", "/detach", doc, detaching, _detach)


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
    found = own(draft, id_)
    return found.id, vlan_of(said["vlan_id"]) if said.get("vlan_id") else port_of(found).vlan or None
