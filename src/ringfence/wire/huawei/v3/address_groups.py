"""IP address groups: lists of addresses of one family that rules and lines of ACLs name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from ringfence.control import basic
from ringfence.control.checks import limit_of
from ringfence.control.draft import Draft
from ringfence.control.kinds import Verb, actions_of
from ringfence.errors import QuotaExceeded
from ringfence.model.world import World
from ringfence.ram import actions as ram
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource
from ringfence.resources.state import State
from ringfence.resources.values import Listing, RuleOf
from ringfence.wire.huawei.members import Member, invalid
from ringfence.wire.huawei.narrowing import PROJECT, check_project, narrowed
from ringfence.wire.huawei.operation import Call, Operation
from ringfence.wire.huawei.said import DESCRIPTION, DRY_RUN, ENTERPRISE_PROJECT, NAME, NEW_NAME, named
from ringfence.wire.huawei.tagged import tags_of
from ringfence.wire.huawei.telling import time_of
from ringfence.wire.request import Told

_ALL: Final = "/v3/{project_id}/vpc/address-groups"
_ONE: Final = f"{_ALL}/{{address_group_id}}"
_VERSIONS: Final = {4: "ipv4", 6: "ipv6"}
_ENTRIES: Final = (
    Member("ip_set", (list,)),
    Member("max_capacity", (int,)),
    Member("ip_extra_set", (list,), of=(Member("ip", (str,), required=True), Member("remarks", (str,)))),
)


def operations() -> Iterator[Operation]:
    """The calls."""
    yield Operation(
        "create_address_group",
        "POST",
        _ALL,
        "Make an address group; its ip_version, and its max_capacity if one is given, are for good.",
        actions_of(Verb.CREATE, Kind.ADDRESS_GROUP),
        _create,
        201,
        body=(
            _body(NAME, DESCRIPTION, ENTERPRISE_PROJECT, Member("ip_version", (int,), required=True), *_ENTRIES),
            DRY_RUN,
        ),
    )
    yield Operation(
        "list_address_group",
        "GET",
        _ALL,
        "The address groups; the native API's and Alibaba's prefix lists, too.",
        (ram.DESCRIBE_PREFIX_LISTS,),
        _list,
        query=("limit", "marker", "id", "name", "ip_version", "description", "enterprise_project_id"),
    )
    yield Operation(
        "show_address_group", "GET", _ONE, "An address group with its entries.", (ram.DESCRIBE_PREFIX_LISTS,), _show
    )
    yield Operation(
        "update_address_group",
        "PUT",
        _ONE,
        "Call an address group otherwise, or have other entries: ip_set and ip_extra_set are the whole of them, and "
        "every rule that names it follows. max_capacity cannot be changed.",
        actions_of(Verb.UPDATE, Kind.ADDRESS_GROUP),
        _update,
        body=(_body(NEW_NAME, DESCRIPTION, *_ENTRIES), DRY_RUN),
    )
    yield Operation(
        "delete_address_group",
        "DELETE",
        _ONE,
        "Delete an address group; refused while a rule or a line of an ACL names it.",
        actions_of(Verb.DELETE, Kind.ADDRESS_GROUP),
        _delete,
        204,
    )
    yield Operation(
        "delete_ip_address_group_force",
        "DELETE",
        f"{_ONE}/force",
        "Delete an address group with the rules and the lines of ACLs that name it.",
        actions_of(Verb.DELETE, Kind.ADDRESS_GROUP),
        _delete_by_force,
        204,
    )
    yield Operation(
        "list_address_groups_dependency",
        "GET",
        "/v3/{project_id}/vpc/list-address-groups-dependency",
        "The security groups and ACLs whose rules name each address group.",
        (ram.DESCRIBE_PREFIX_LISTS, ram.DESCRIBE_PREFIX_LIST_ASSOCIATIONS),
        _dependencies,
        query=("id", "enterprise_project_id"),
    )


def _body(*of: Member) -> Member:
    return Member("address_group", (dict,), required=True, of=of)


# --- changes


def _create(call: Call) -> Told:
    said = call.json["address_group"]
    check_project(said.get("enterprise_project_id"))
    if said["ip_version"] not in _VERSIONS:
        raise invalid("ip_version", "use 4 or 6", said["ip_version"])
    wanted = {**named(said), **_entries(said), "family": _VERSIONS[said["ip_version"]]}

    def work(draft: Draft) -> Told:
        _check_capacity(draft, wanted.get("max_entries"))
        return _told(draft.state.world, basic.create(draft, Kind.ADDRESS_GROUP, wanted))

    return call.change(work)


def _check_capacity(draft: Draft, wanted: int | None) -> None:
    """Refuse a bound above the quota, which holds for lists without one: another cloud lets a bounded one be larger."""
    most = limit_of(draft.state.world, draft.caller.account, "address_group_entries")
    if wanted is not None and wanted > most:
        what = f"max_capacity is {wanted}, and the quota is {most}"
        raise QuotaExceeded(what, reason="limit.address_group_entries", field="max_capacity", value=wanted)


def _update(call: Call) -> Told:
    said = call.json["address_group"]
    wanted = {**named(said), **_entries(said)}

    def work(draft: Draft) -> Told:
        found = draft.own(Kind.ADDRESS_GROUP, call.path["address_group_id"])
        return _told(draft.state.world, basic.update(draft, Kind.ADDRESS_GROUP, found.id, wanted))

    return call.change(work)


def _entries(said: Mapping[str, Any]) -> dict[str, Any]:
    """The entries that a body says, and how many there may be."""
    found: dict[str, Any] = {}
    plain, remarked = said.get("ip_set"), said.get("ip_extra_set")
    if plain is not None and remarked is not None:
        raise invalid("ip_extra_set", "give one of ip_set and ip_extra_set", None)
    if plain is not None:
        found |= {"entries": plain, "remarks": {}}
    if remarked is not None:
        remarks = {it["ip"]: it["remarks"] for it in remarked if it.get("remarks")}
        found |= {"entries": [it["ip"] for it in remarked], "remarks": remarks}
    if said.get("max_capacity") is not None:
        found["max_entries"] = said["max_capacity"]
    return found


def _delete(call: Call) -> Told:
    return _deleted(call, force=False)


def _delete_by_force(call: Call) -> Told:
    return _deleted(call, force=True)


def _deleted(call: Call, *, force: bool) -> Told:
    def work(draft: Draft) -> Told:
        found = draft.own(Kind.ADDRESS_GROUP, call.path["address_group_id"])
        basic.delete(draft, Kind.ADDRESS_GROUP, found.id, force=force)
        return {}

    return call.change(work)


# --- told


def _list(call: Call) -> Told:
    world = call.state.world
    told = (_shown(world, it) for it in call.visible(Kind.ADDRESS_GROUP))
    return call.page(narrowed(call, told, ("id", "name", "ip_version", "description")), "address_groups")


def _show(call: Call) -> Told:
    return _told(call.state.world, call.find(Kind.ADDRESS_GROUP, call.path["address_group_id"]))


def _told(world: World, group: Resource) -> Told:
    return {"address_group": _shown(world, group)}


def _shown(world: World, group: Resource) -> dict[str, Any]:
    it = cast("Listing", group.value)
    entries = [str(entry) for entry in it.listed.entries]
    most = it.listed.max_entries
    return {
        "id": group.id,
        "name": group.name,
        "description": group.description,
        "max_capacity": limit_of(world, group.account, "address_group_entries") if most is None else most,
        "ip_set": entries,
        "ip_version": int(it.family) if it.family else None,
        "created_at": time_of(group.created),
        "updated_at": time_of(group.created),
        "tenant_id": group.account,
        "enterprise_project_id": PROJECT,
        "tags": tags_of(group),
        "status": "NORMAL",
        "status_message": "",
        "ip_extra_set": [{"ip": entry, "remarks": it.remarks.get(entry, "")} for entry in entries],
    }


def _dependencies(call: Call) -> Told:
    state = call.state
    asking, action = call.control.authority, ram.DESCRIBE_PREFIX_LIST_ASSOCIATIONS
    groups = [it for it in call.visible(Kind.ADDRESS_GROUP) if asking.may(call.caller, action, it)]
    told = [{"id": it.id, "enterprise_project_id": PROJECT, "dependency": list(_users(state, it))} for it in groups]
    return call.page(narrowed(call, told, ("id",)), "address_groups")


def _users(state: State, group: Resource) -> Iterator[dict[str, str]]:
    """The security groups and ACLs that name an address group, each once."""
    found = [state.resources[key] for key in state.referrers(group.key)]
    groups = {it.value.group for it in found if isinstance(it.value, RuleOf)}
    named_by = [("sg", state.get(Kind.GROUP, id_)) for id_ in sorted(groups)]
    named_by += [("acl", it) for it in found if it.kind is Kind.ACL]
    for kind, it in named_by:
        if it and it.account == group.account:
            yield {"type": kind, "instance_id": it.id, "instance_name": it.name}
