"""Ports that come to an instance, leave it, or hang off another port: no packet meets a port that no instance has.

What a port is otherwise stays as it is: its place, its addresses, and the groups whose member it is; its name, too,
unless the instance has a port of that name. What hangs off a port goes where it goes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from ringfence.control import basic
from ringfence.control.draft import Draft
from ringfence.control.settling import free_vlan, ports_of
from ringfence.errors import Conflict, FieldProblem, InUse, InvalidFields
from ringfence.model.topology import Port
from ringfence.ram import actions as ram
from ringfence.ram.actions import Action
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource
from ringfence.resources.values import PortAt

WRONG_STATE = "InvalidOperation.InvalidEniState"
"""The port has an instance already, or none, or another one."""
PRIMARY = "InvalidOperation.DetachPrimaryEniNotAllowed"
OTHER_VPC = "InvalidOperation.VpcMismatch"


def attach(draft: Draft, port: str, instance: str, *, index: int | None = None) -> Resource:
    """Attach a port that no instance has to one of the same VPC, as its next port or at a free index.

    Raises `NotFound`, `Forbidden` (judged on port and instance), and `Conflict`: it has one, or is of another VPC.
    """
    found, home = draft.find(Kind.PORT, port), draft.find(Kind.INSTANCE, instance)
    draft.require(ram.ATTACH_NETWORK_INTERFACE, home)
    with draft.telling(ram.ATTACH_NETWORK_INTERFACE, found):
        own = _port(found)
        if own.instance:
            raise _state(found, f"is a port of {own.instance}", "detach it first")
        if own.parent:
            raise _state(found, f"hangs off {own.parent}", "attach that port, or detach this one first")
        _check_vpc(draft, found, home)
        taken = [_at(it).index for it in ports_of(draft, home.id)]
        place = 1 + max(taken, default=-1) if index is None else index
        if place in taken:
            what = f"{home.key} has a port of index {index} already"
            raise InvalidFields((FieldProblem("index", what, "choose another one", "world.duplicate", index),))
    moved = _moved(draft, ram.ATTACH_NETWORK_INTERFACE, found, home.id, place)
    for each in _hanging(draft, found):
        _moved(draft, ram.ATTACH_NETWORK_INTERFACE, each, home.id, None)
    return moved


def detach(draft: Draft, port: str, *, instance: str = "") -> Resource:
    """Detach a port from its instance, or from the port that it hangs off; nothing passes by it from then on.

    ``instance``: the one that it must be of. Raises `NotFound`, `Forbidden` (judged on port and what it is at), `InUse`
    (a virtual IP or a penalty names it), and `Conflict`: it is of no instance or another one, or the primary port.
    """
    found = draft.find(Kind.PORT, port)
    home = draft.find(Kind.INSTANCE, instance) if instance else draft.get(Kind.INSTANCE, _port(found).instance)
    above = draft.get(Kind.PORT, _port(found).parent)
    draft.require(ram.DETACH_NETWORK_INTERFACE, *filter(None, (home, above)))
    with draft.telling(ram.DETACH_NETWORK_INTERFACE, found):
        _check_detaching(draft, found, home)
    for each in _hanging(draft, found):
        _moved(draft, ram.DETACH_NETWORK_INTERFACE, each, "", 0)
    free = _with(found, replace(_port(found), parent="", vlan=0))
    return _moved(draft, ram.DETACH_NETWORK_INTERFACE, free, "", 0)


def delete_detached(draft: Draft, port: str) -> Resource:
    """Delete a port that no instance has. Raises as `basic.delete`, and `Conflict`: an instance has it."""
    found = draft.find(Kind.PORT, port)
    with draft.telling(ram.DELETE_NETWORK_INTERFACE, found):
        if _port(found).instance:
            raise _state(found, f"is a port of {_port(found).instance}", "detach it first")
    return basic.delete(draft, Kind.PORT, found.id)


def hang(draft: Draft, port: str, parent: str, *, vlan: int | None = None) -> Resource:
    """Have a port be a supplementary interface of another port, by a VLAN of its own or the first free one.

    It may be a port that no instance has, or one that hangs off some port already and so moves: then what it leaves is
    judged, too. Raises as `attach`.
    """
    found, under = draft.find(Kind.PORT, port), draft.find(Kind.PORT, parent)
    home = draft.get(Kind.INSTANCE, _port(under).instance)
    draft.require(ram.ATTACH_NETWORK_INTERFACE, *filter(None, (under, home)))
    with draft.telling(ram.ATTACH_NETWORK_INTERFACE, found):
        _check_hanging(draft, found, under)
        number = free_vlan(draft, under) if vlan is None else vlan
    if left := draft.get(Kind.PORT, _port(found).parent):
        draft.require(
            ram.DETACH_NETWORK_INTERFACE, *filter(None, (left, draft.get(Kind.INSTANCE, _port(left).instance)))
        )
    below = _with(found, replace(_port(found), parent=under.id, vlan=number))
    return _moved(draft, ram.ATTACH_NETWORK_INTERFACE, below, _port(under).instance, None)


def migrate(draft: Draft, ports: Sequence[tuple[str, int | None]], parent: str) -> tuple[Resource, ...]:
    """Have supplementary interfaces, each with its VLAN to be, hang off another port; all or none. Raises as `hang`."""
    return tuple(hang(draft, port, parent, vlan=vlan) for port, vlan in ports)


def is_primary(draft: Draft, port: Resource) -> bool:
    """Whether a port is its instance's first one."""
    own = ports_of(draft, _port(port).instance) if _port(port).instance else []
    return bool(own) and own[0].id == port.id


# --- what must hold


def _check_vpc(draft: Draft, port: Resource, home: Resource) -> None:
    own = ports_of(draft, home.id)
    if own and _port(own[0]).vpc != _port(port).vpc:
        what = f"{port.key} is in VPC {_port(port).vpc}, {home.key} in {_port(own[0]).vpc}"
        raise Conflict(what, "use a port of the instance's VPC", reason=OTHER_VPC, field="instance", value=home.id)


def _check_detaching(draft: Draft, port: Resource, home: Resource | None) -> None:
    own = _port(port)
    if home and own.instance != home.id:
        raise _state(port, f"is no port of {home.id}", f"it is one of {own.instance or 'no instance'}")
    if not (own.instance or own.parent):
        raise _state(port, "is of no instance", "attach it first")
    if is_primary(draft, port):
        what = f"{port.key} is the primary port of {own.instance}"
        raise Conflict(what, "detach another one", reason=PRIMARY, field="port", value=port.id)
    for each in (port, *_hanging(draft, port)):
        _check_unnamed(draft, each)


def _check_hanging(draft: Draft, port: Resource, under: Resource) -> None:
    own, other = _port(port), _port(under)
    if own.instance and not own.parent:
        raise _state(port, f"is a port of {own.instance}", "detach it first")
    if port.id == under.id or other.parent or _hanging(draft, port):
        raise _state(under, f"cannot carry {port.key}: only a port with a wire of its own can", "name another one")
    if own.vpc != other.vpc:
        what = f"{port.key} is in VPC {own.vpc}, {under.key} in {other.vpc}"
        raise Conflict(what, "use a port of the same VPC", reason=OTHER_VPC, field="parent", value=under.id)
    if own.instance != other.instance:
        _check_unnamed(draft, port)


def _check_unnamed(draft: Draft, port: Resource) -> None:
    """What names a port means the port of that instance: it may not go elsewhere under its hands."""
    for user in draft.referring(port.key, Kind.VIRTUAL_IP, Kind.PENALTY):
        own = user.account == port.account and user.kind is Kind.VIRTUAL_IP
        what = f"{port.key} is used by {user.key if own else 'a penalty'}"
        raise InUse(what, "remove what uses it first", field="port", value=port.id)


def _state(port: Resource, what: str, right: str) -> Conflict:
    return Conflict(f"{port.key} {what}", right, reason=WRONG_STATE, field="port", value=port.id)


# --- the move itself


def _moved(draft: Draft, action: Action, port: Resource, instance: str, index: int | None) -> Resource:
    """A port at an instance, or at none, under a name that is free there; without an index as the next one."""
    siblings = [it for it in ports_of(draft, instance) if it.id != port.id] if instance else []
    if index is None:
        stays = _port(port).instance == instance
        index = _at(port).index if stays else 1 + max((_at(it).index for it in siblings), default=-1)
    name = _free_name(_port(port).name, [it.name for it in siblings], index)
    own = replace(_port(port), instance=instance, name=name)
    value = replace(_at(port), port=own, index=index if instance else 0)
    return draft.put(action, replace(port, name=name, value=value))


def _free_name(name: str, taken: Sequence[str], index: int) -> str:
    while name in taken:
        name, index = f"eth{index}", index + 1
    return name


def _hanging(draft: Draft, port: Resource) -> list[Resource]:
    return sorted(draft.referring(port.key, Kind.PORT), key=lambda it: _port(it).vlan)


def _with(port: Resource, value: Port) -> Resource:
    return replace(port, value=replace(_at(port), port=value))


def _at(port: Resource) -> PortAt:
    return cast("PortAt", port.value)


def _port(port: Resource) -> Port:
    return _at(port).port
