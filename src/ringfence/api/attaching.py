"""Routes for ports that come and go, their addresses, and what is done with instances."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ringfence.api.call import Answer, Call
from ringfence.api.changes import change
from ringfence.api.resources import changed_schema, schema_of
from ringfence.api.route import CHANGE, Route, Schema
from ringfence.control import addressing, attaching, machines
from ringfence.control.draft import Draft
from ringfence.model.address import Family
from ringfence.model.validation.supplementary import VLANS
from ringfence.ram import actions as ram
from ringfence.ram.actions import Action
from ringfence.resources.forms import FORMS
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource

_PORT, _INSTANCE = schema_of(FORMS[Kind.PORT]), schema_of(FORMS[Kind.INSTANCE])
_ID: Schema = {"type": "string", "minLength": 1, "maxLength": 128}
_VLAN: Schema = {"type": "integer", "minimum": VLANS.start, "maximum": VLANS.stop - 1}
_ADDRESSES: Schema = {"type": "array", "items": {"type": "string", "maxLength": 64}, "maxItems": addressing.MOST}
_FAMILIES = {"ipv4": Family.IPV4, "ipv6": Family.IPV6}


def _body(*required: str, **properties: Schema) -> Schema:
    shape = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**shape, "required": list(required)} if required else shape


_ATTACH = _body("instance", instance=_ID, index={"type": "integer", "minimum": 0, "maximum": 1023})
_DETACH = _body(instance=_ID)
_HANG = _body("parent", parent=_ID, vlan=_VLAN)
_ASSIGN = _body(
    addresses=_ADDRESSES,
    count={"type": "integer", "minimum": 0, "maximum": addressing.MOST, "description": "so many free ones"},
    family={"enum": list(_FAMILIES), "description": "of the free ones; ipv4 unless said"},
)
_UNASSIGN = _body("addresses", addresses=_ADDRESSES)
_MOVE = _body(
    *("subnet", "groups"),
    subnet=_ID,
    groups={"type": "array", "items": {"type": "string"}, "description": "its groups there, in their order"},
    vpc={"type": "string", "maxLength": 128, "description": "the VPC that the subnet must be of"},
    address={"type": "string", "maxLength": 64, "description": "its address there; free ones unless said"},
    force={"type": "boolean", "description": "though the instance runs"},
)
_MOVES = (ram.MODIFY_INSTANCE_VPC_ATTRIBUTE, ram.JOIN_SECURITY_GROUP, ram.LEAVE_SECURITY_GROUP)


def routes() -> Iterator[Route]:
    """The routes."""
    attach, detach = (ram.ATTACH_NETWORK_INTERFACE,), (ram.DETACH_NETWORK_INTERFACE,)
    yield _of_port("attach", "attach_port", "Attach a port that no instance has to one.", attach, _attach, _ATTACH)
    yield _of_port(
        "detach", "detach_port", "Detach a port from its instance, or from what it hangs off.", detach, _detach, _DETACH
    )
    doc = "Have a port be a supplementary interface of another one, by a VLAN."
    yield _of_port("hang", "hang_port", doc, attach, _hang, _HANG)
    doc = "Give a port more addresses: these, and so many free ones."
    yield _of_port("addresses", "assign_addresses", doc, (ram.ASSIGN_PRIVATE_IP_ADDRESSES,), _assign, _ASSIGN, _LIST)
    doc = "Take addresses from a port; its first one stays."
    gone = (ram.UNASSIGN_PRIVATE_IP_ADDRESSES,)
    yield _of_port("addresses/release", "unassign_addresses", doc, gone, _unassign, _UNASSIGN, _LIST)
    doc = "Have an instance's primary port be in another subnet and in other groups, at once."
    yield _of("instances", "move", "move_instance", doc, _MOVES, _move, _MOVE, _PORT)
    for word, action, work in (
        ("start", ram.START_INSTANCE, machines.start),
        ("stop", ram.STOP_INSTANCE, machines.stop),
        ("reboot", ram.REBOOT_INSTANCE, machines.reboot),
    ):
        doc = f"Note that an instance was told to {word}; Ringfence runs no machines."
        yield _of("instances", word, f"{word}_instance", doc, (action,), _power(action, work), None, _INSTANCE)


_LIST: dict[str, Schema] = {"addresses": {"type": "array", "items": {"type": "string"}}}


def _of_port(
    word: str,
    name: str,
    doc: str,
    actions: tuple[Action, ...],
    handle: Callable[[Call], Answer],
    body: Schema,
    more: dict[str, Schema] | None = None,
) -> Route:
    return _of("ports", word, name, doc, actions, handle, body, _PORT, more)


def _of(
    plural: str,
    word: str,
    name: str,
    doc: str,
    actions: tuple[Action, ...],
    handle: Callable[[Call], Answer],
    body: Schema | None,
    item: Schema,
    more: dict[str, Schema] | None = None,
) -> Route:
    answer = changed_schema(item, **(more or {}))
    return Route("POST", f"/v1/{plural}/{{id}}/{word}", name, doc, actions, handle, CHANGE, body, answer=answer)


def _attach(call: Call) -> Answer:
    said = call.checked(_ATTACH)
    work = _item(lambda draft: attaching.attach(draft, call.path["id"], said["instance"], index=said.get("index")))
    return change(call, ram.ATTACH_NETWORK_INTERFACE.name, work)


def _detach(call: Call) -> Answer:
    said = call.checked(_DETACH)
    work = _item(lambda draft: attaching.detach(draft, call.path["id"], instance=said.get("instance", "")))
    return change(call, ram.DETACH_NETWORK_INTERFACE.name, work)


def _hang(call: Call) -> Answer:
    said = call.checked(_HANG)
    work = _item(lambda draft: attaching.hang(draft, call.path["id"], said["parent"], vlan=said.get("vlan")))
    return change(call, ram.ATTACH_NETWORK_INTERFACE.name, work)


def _assign(call: Call) -> Answer:
    said = call.checked(_ASSIGN)
    family, given = _FAMILIES[said.get("family", "ipv4")], said.get("addresses", [])

    def work(draft: Draft) -> dict[str, Any]:
        done = addressing.assign(draft, call.path["id"], given, count=said.get("count", 0), family=family)
        return _addresses(done)

    return change(call, ram.ASSIGN_PRIVATE_IP_ADDRESSES.name, work)


def _unassign(call: Call) -> Answer:
    given = call.checked(_UNASSIGN)["addresses"]

    def work(draft: Draft) -> dict[str, Any]:
        return _addresses(addressing.unassign(draft, call.path["id"], given))

    return change(call, ram.UNASSIGN_PRIVATE_IP_ADDRESSES.name, work)


def _addresses(done: addressing.Assigned) -> dict[str, Any]:
    return {"item": done.port.shown(), "addresses": list(map(str, done.addresses))}


def _move(call: Call) -> Answer:
    said = call.checked(_MOVE)
    work = _item(lambda draft: machines.move(draft, call.path["id"], **said))
    return change(call, ram.MODIFY_INSTANCE_VPC_ATTRIBUTE.name, work)


def _power(action: Action, done: Callable[[Draft, str], Resource]) -> Callable[[Call], Answer]:
    return lambda call: change(call, action.name, _item(lambda draft: done(draft, call.path["id"])))


def _item(done: Callable[[Draft], Resource]) -> Callable[[Draft], dict[str, Any]]:
    return lambda draft: {"item": done(draft).shown()}
