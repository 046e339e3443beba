"""Network ACLs, which Huawei's API calls firewalls: ordered lines for each direction at the edge of subnets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, cast

from ringfence.control import acls, basic, lines
from ringfence.control.draft import Draft
from ringfence.control.kinds import Verb, actions_of
from ringfence.control.lines import Line, Place
from ringfence.errors import NotFound
from ringfence.model.acl import NetworkAcl
from ringfence.model.rule import Direction
from ringfence.ram import actions as ram
from ringfence.ram.actions import Action
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource
from ringfence.wire.huawei.members import Member, invalid
from ringfence.wire.huawei.narrowing import PROJECT, check_project, narrowed
from ringfence.wire.huawei.operation import Call, Operation
from ringfence.wire.huawei.said import DESCRIPTION, DRY_RUN, ENTERPRISE_PROJECT, NAME, NEW_NAME, named
from ringfence.wire.huawei.tagged import TAG, said_tags, tags_of
from ringfence.wire.huawei.telling import time_of
from ringfence.wire.huawei.v3.acl_lines import CHANGED, GONE, KEYS, NEW, changed_line, line_of, line_told
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
        _delete,
        204,
    )
    yield from _of_lines()
    yield from _of_subnets()


def _of_lines() -> Iterator[Operation]:
    after = Member("insert_after_rule", (str,))
    for name, word, doc, members, more, work in (
        ("add_firewall_rules", "insert", "Add lines before all others, or after one.", NEW, (after,), _insert),
        ("update_firewall_rules", "update", "Have lines say something else, where they are.", CHANGED, (), _change),
        ("remove_firewall_rules", "remove", "Remove lines.", GONE, (), _remove),
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


def _delete(call: Call) -> Told:
    def work(draft: Draft) -> Told:
        basic.delete(draft, Kind.ACL, draft.own(Kind.ACL, call.path["firewall_id"]).id)
        return {}

    return call.change(work)


def _changed(call: Call, change: Callable[[Call, Draft, Resource], object]) -> Told:
    """Change the ACL of the path, and tell it."""

    def work(draft: Draft) -> Told:
        found = draft.own(Kind.ACL, call.path["firewall_id"])
        change(call, draft, found)
        return _detail(draft, draft.own(Kind.ACL, found.id))

    return call.change(work)


# --- its lines


def _insert(call: Call, draft: Draft, acl: Resource) -> None:
    said = call.json["firewall"]
    after = said.get("insert_after_rule")
    wanted = [way for way, key in KEYS.items() if said.get(key)]
    if not wanted or (after and len(wanted) > 1):
        raise invalid("firewall", "give ingress_rules or egress_rules; both only without insert_after_rule", None)
    for way in wanted:
        if after:
            _line(acl, way, after, "insert_after_rule")
        new = [line_of(draft, each, way) for each in said[KEYS[way]]]
        lines.insert_lines(draft, Kind.ACL, acl.id, new, Place(after=after) if after else Place(first=True))


def _change(call: Call, draft: Draft, acl: Resource) -> None:
    for way, said in _each(call):
        line = _line(acl, way, said["id"], "id")
        own = {name: value for name, value in said.items() if name != "id"}
        lines.change_line(draft, Kind.ACL, acl.id, line.id, changed_line(draft, line, own))


def _remove(call: Call, draft: Draft, acl: Resource) -> None:
    gone = [_line(acl, way, said["id"], "id").id for way, said in _each(call)]
    lines.remove_lines(draft, Kind.ACL, acl.id, gone)


def _each(call: Call) -> list[tuple[Direction, dict[str, Any]]]:
    """What a body says of lines, with their directions."""
    said = call.json["firewall"]
    found = [(way, each) for way, key in KEYS.items() for each in said.get(key) or ()]
    if not found:
        raise invalid("firewall", "give ingress_rules or egress_rules", None)
    return found


def _line(acl: Resource, way: Direction, id_: str, field: str) -> Line:
    for line in lines.lines(acl):
        if (line.id, line.rule.direction) == (id_, way):
            return line
    raise NotFound(f"{acl.key} has no {way} line {id_!r}", field=field, value=id_, kind="line")


# --- its subnets


def _to_subnets(
    work: Callable[[Draft, str, list[str]], object],
) -> Callable[[Call, Draft, Resource], object]:
    return lambda call, draft, acl: work(draft, acl.id, [it["virsubnet_id"] for it in call.json["subnets"]])


# --- told


def _detail(draft: Draft, acl: Resource) -> Told:
    return {"firewall": _with_lines(acl, [it.id for it in acls.subnets_of(draft, acl)])}


def _list(call: Call) -> Told:
    told = (_shown(it, _subnets(call, it)) for it in call.visible(Kind.ACL))
    return call.page(narrowed(call, told, ("id", "name", "status"), ("admin_state_up",)), "firewalls")


def _show(call: Call) -> Told:
    found = call.find(Kind.ACL, call.path["firewall_id"])
    return {"firewall": _with_lines(found, _subnets(call, found))}


def _subnets(call: Call, acl: Resource) -> list[str]:
    return [key.id for key in call.state.referrers(acl.key) if key.kind is Kind.SUBNET]


def _with_lines(acl: Resource, subnets: list[str]) -> dict[str, Any]:
    found = lines.lines(acl)
    return _shown(acl, subnets) | {
        key: [line_told(line) for line in found if line.rule.direction is way] for way, key in KEYS.items()
    }


def _shown(acl: Resource, subnets: list[str]) -> dict[str, Any]:
    enabled = cast("NetworkAcl", acl.value).enabled
    return {
        "id": acl.id,
        "name": acl.name,
        "description": acl.description,
        "project_id": acl.account,
        "created_at": time_of(acl.created),
        "updated_at": time_of(acl.created),
        "admin_state_up": enabled,
        "status": "ACTIVE" if subnets else "INACTIVE",
        "enterprise_project_id": PROJECT,
        "tags": tags_of(acl),
        "associations": [{"virsubnet_id": id_} for id_ in subnets],
        "type": "normal",
    }
