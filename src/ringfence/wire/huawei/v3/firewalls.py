"""Network ACLs, which Huawei's API calls firewalls: ordered lines for each direction at the edge of subnets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from ringfence.control import acls, basic
from ringfence.control.draft import Draft
from ringfence.control.kinds import Verb, actions_of
from ringfence.ram import actions as ram
from ringfence.ram.actions import Action
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource
from ringfence.wire.huawei.members import Member, invalid
from ringfence.wire.huawei.narrowing import check_project, narrowed
from ringfence.wire.huawei.operation import Call, Operation, deleting
from ringfence.wire.huawei.said import DESCRIPTION, DRY_RUN, ENTERPRISE_PROJECT, NAME, NEW_NAME, named
from ringfence.wire.huawei.tagged import TAG, said_tags
from ringfence.wire.huawei.v3.acl_lines import CHANGED, GONE, KEYS, NEW
from ringfence.wire.huawei.v3.firewall_lines import change, insert, remove, shown, with_lines
from ringfence.wire.request import Told

_ALL: Final = "/v3/{project_id}/vpc/firewalls"
_ONE: Final = f"{_ALL}/{{firewall_id}}"
_UP: Final = Member("admin_state_up", (bool,))


def operations() -> Iterator[Operation]:
    """The calls."""
    tags = Member("tags", (list,), of=TAG)
    yield Operation(
        "create_firewall",
        "POST",
        _ALL,
        "Make a network ACL without lines of its own, so that it denies everything but its fixed rules. There is one "
        "type of subnets, normal.",
        actions_of(Verb.CREATE, Kind.ACL),
        _create,
        201,
        body=(_body(NAME, DESCRIPTION, ENTERPRISE_PROJECT, tags, _UP, Member("type", (str,))), DRY_RUN),
    )
    yield Operation(
        "list_firewall",
        "GET",
        _ALL,
        "The network ACLs without their lines, those that other APIs made, too.",
        (ram.DESCRIBE_NETWORK_ACLS,),
        _list,
        query=("limit", "marker", "id", "name", "status", "admin_state_up", "enterprise_project_id"),
    )
    yield Operation("show_firewall", "GET", _ONE, "A network ACL.", (ram.DESCRIBE_NETWORK_ACLS,), _show)
    yield Operation(
        "update_firewall",
        "PUT",
        _ONE,
        "Call a network ACL otherwise, or switch its lines off and on.",
        actions_of(Verb.UPDATE, Kind.ACL),
        _update,
        body=(_body(NEW_NAME, DESCRIPTION, _UP), DRY_RUN),
    )
    yield Operation(
        "delete_firewall",
        "DELETE",
        _ONE,
        "Delete a network ACL; refused while a subnet has it.",
        actions_of(Verb.DELETE, Kind.ACL),
        deleting(Kind.ACL, "firewall_id"),
        204,
    )
    yield from _of_lines()
    yield from _of_subnets()


def _of_lines() -> Iterator[Operation]:
    after = Member("insert_after_rule", (str,))
    for name, word, doc, members, more, work in (
        (
            "add_firewall_rules",
            "insert",
            "Add lines before all others, or after one.",
            NEW,
            (after,),
            insert,
        ),
        (
            "update_firewall_rules",
            "update",
            "Have lines say something else, where they are.",
            CHANGED,
            (),
            change,
        ),
        ("remove_firewall_rules", "remove", "Remove lines.", GONE, (), remove),
    ):
        lists = (Member(key, (list,), of=members) for key in KEYS.values())
        body = (_body(*lists, *more), DRY_RUN)
        yield _changing(name, f"{word}-rules", doc, ram.UPDATE_NETWORK_ACL_ENTRIES, work, body)


def _of_subnets() -> Iterator[Operation]:
    body = (Member("subnets", (list,), required=True, of=(Member("virsubnet_id", (str,), required=True),)), DRY_RUN)
    for name, word, doc, action, work in (
        (
            "associate_subnet_firewall",
            "associate-subnets",
            "Have a network ACL stand at the edge of subnets; refused where one has another.",
            ram.ASSOCIATE_NETWORK_ACL,
            acls.associate,
        ),
        (
            "disassociate_subnet_firewall",
            "disassociate-subnets",
            "Have subnets be without their network ACL.",
            ram.UNASSOCIATE_NETWORK_ACL,
            acls.unassociate,
        ),
    ):
        yield _changing(name, word, doc, action, _to_subnets(work), body)


def _changing(
    name: str, word: str, doc: str, action: Action, work: Callable[[Call, Draft, Resource], object], body: Any
) -> Operation:
    return Operation(name, "PUT", f"{_ONE}/{word}", doc, (action,), lambda call: _changed(call, work), body=body)


def _body(*of: Member) -> Member:
    return Member("firewall", (dict,), required=True, of=of)


# --- the ACL itself


def _create(call: Call) -> Told:
    said = call.json["firewall"]
    check_project(said.get("enterprise_project_id"))
    if said.get("type") not in (None, "", "normal"):
        raise invalid("type", "use normal", said["type"])
    enabled = said.get("admin_state_up") is not False
    wanted = {**named(said), "tags": said_tags(said.get("tags") or (), new=True), "enabled": enabled, "rules": []}
    return call.change(lambda draft: _detail(draft, basic.create(draft, Kind.ACL, wanted)))


def _update(call: Call) -> Told:
    said = call.json["firewall"]
    up = {} if said.get("admin_state_up") is None else {"enabled": said["admin_state_up"]}
    return _changed(call, lambda _, draft, acl: basic.update(draft, Kind.ACL, acl.id, {**named(said), **up}))


def _changed(call: Call, make: Callable[[Call, Draft, Resource], object]) -> Told:
    """Change the ACL of the path, and tell it."""

    def work(draft: Draft) -> Told:
        found = draft.own(Kind.ACL, call.path["firewall_id"])
        make(call, draft, found)
        return _detail(draft, draft.own(Kind.ACL, found.id))

    return call.change(work)


# --- its subnets


def _to_subnets(
    work: Callable[[Draft, str, list[str]], object],
) -> Callable[[Call, Draft, Resource], object]:
    return lambda call, draft, acl: work(draft, acl.id, [it["virsubnet_id"] for it in call.json["subnets"]])


# --- told


def _detail(draft: Draft, acl: Resource) -> Told:
    return {"firewall": with_lines(acl, [it.id for it in acls.subnets_of(draft, acl)])}


def _list(call: Call) -> Told:
    told = (shown(it, _subnets(call, it)) for it in call.visible(Kind.ACL))
    return call.page(narrowed(call, told, ("id", "name", "status"), ("admin_state_up",)), "firewalls")


def _show(call: Call) -> Told:
    found = call.find(Kind.ACL, call.path["firewall_id"])
    return {"firewall": with_lines(found, _subnets(call, found))}


def _subnets(call: Call, acl: Resource) -> list[str]:
    return [key.id for key in call.state.referrers(acl.key) if key.kind is Kind.SUBNET]
