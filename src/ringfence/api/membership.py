"""Routes for the members of security groups."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ringfence.api.call import Answer, Call
from ringfence.api.changes import change
from ringfence.api.resources import changed_schema, list_schema, page_schema, schema_of, told_schema
from ringfence.api.route import AS_OF, CHANGE, PAGE, Route, Schema
from ringfence.api.rules import told
from ringfence.control import membership
from ringfence.control.draft import Draft
from ringfence.control.reading import find
from ringfence.ram import actions as ram
from ringfence.resources.forms import FORMS
from ringfence.resources.kind import Kind

_PORT = schema_of(FORMS[Kind.PORT])


def _names(doc: str) -> Schema:
    return {"type": "array", "items": {"type": "string"}, "description": doc}


_WHO = _names(f"ports, or instances for their primary ports; up to {membership.MEMBERS_PER_CALL}")
_WHERE = _names("groups in their order")


def _body(**properties: Schema) -> Schema:
    return {"type": "object", "required": list(properties), "properties": properties, "additionalProperties": False}


_MEMBERS, _GROUPS, _BOTH = _body(members=_WHO), _body(groups=_WHERE), _body(members=_WHO, groups=_WHERE)
_REPLACE = (ram.MODIFY_NETWORK_INTERFACE_ATTRIBUTE, ram.JOIN_SECURITY_GROUP, ram.LEAVE_SECURITY_GROUP)


def routes() -> Iterator[Route]:
    """The routes."""
    many = list_schema(_PORT)
    yield Route(
        "GET",
        "/v1/groups/{id}/members",
        "list_members",
        "List the ports in a group.",
        (ram.DESCRIBE_SECURITY_GROUPS, ram.DESCRIBE_NETWORK_INTERFACES),
        _list,
        (*PAGE, AS_OF),
        answer=page_schema(_PORT),
    )
    yield Route(
        "POST",
        "/v1/groups/{id}/members",
        "join_group",
        "Let ports join a group, all or none.",
        (ram.JOIN_SECURITY_GROUP,),
        _join,
        CHANGE,
        _MEMBERS,
        answer=told_schema(added=many, already=many),
    )
    yield Route(
        "POST",
        "/v1/groups/{id}/members/leave",
        "leave_group",
        "Let ports leave a group, all or none; nobody leaves the last one.",
        (ram.LEAVE_SECURITY_GROUP,),
        _leave,
        CHANGE,
        _MEMBERS,
        answer=told_schema(removed=many),
    )
    yield Route(
        "PUT",
        "/v1/ports/{id}/groups",
        "set_port_groups",
        "Have a port be in these groups, in this order, and in no others.",
        _REPLACE,
        _set_one,
        CHANGE,
        _GROUPS,
        answer=changed_schema(_PORT),
    )
    yield Route(
        "PUT",
        "/v1/memberships",
        "set_groups",
        "Have some ports, or primary ports of instances, be in these groups, in this order, and in no others.",
        (*_REPLACE, ram.MODIFY_INSTANCE_ATTRIBUTE),
        _set_many,
        CHANGE,
        _BOTH,
        answer=told_schema(items=many),
    )


def _list(call: Call) -> Answer:
    state = call.state
    group = find(call.control, state, call.caller, Kind.GROUP, call.path["id"])
    authority, caller = call.control.authority, call.caller
    own = [it for it in state.members(group.id) if it.account == caller.account]
    seen = [it for it in own if authority.may(caller, ram.DESCRIBE_NETWORK_INTERFACES, it)]
    if not seen:  # nobody is in it, or nobody may be seen: the latter is said
        authority.require_kind(caller, ram.DESCRIBE_NETWORK_INTERFACES, Kind.PORT)
    return call.page(told(seen))


def _join(call: Call) -> Answer:
    members = call.checked(_MEMBERS)["members"]

    def work(draft: Draft) -> dict[str, Any]:
        done = membership.join(draft, call.path["id"], members)
        return {"added": told(done.added), "already": told(done.already)}

    return change(call, ram.JOIN_SECURITY_GROUP.name, work)


def _leave(call: Call) -> Answer:
    members = call.checked(_MEMBERS)["members"]

    def work(draft: Draft) -> dict[str, Any]:
        return {"removed": told(membership.leave(draft, call.path["id"], members))}

    return change(call, ram.LEAVE_SECURITY_GROUP.name, work)


def _set_one(call: Call) -> Answer:
    groups = call.checked(_GROUPS)["groups"]

    def work(draft: Draft) -> dict[str, Any]:
        port = draft.find(Kind.PORT, call.path["id"])
        return {"item": membership.set_groups(draft, [port.id], groups)[0].shown()}

    return change(call, ram.MODIFY_NETWORK_INTERFACE_ATTRIBUTE.name, work)


def _set_many(call: Call) -> Answer:
    said = call.checked(_BOTH)

    def work(draft: Draft) -> dict[str, Any]:
        return {"items": told(membership.set_groups(draft, said["members"], said["groups"]))}

    return change(call, ram.MODIFY_INSTANCE_ATTRIBUTE.name, work)
