"""What the users of a machine do with it: start, stop, reboot and release it, and move it to another subnet.

Ringfence runs no machines: it remembers what was said last, tells it, and refuses what does not follow from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from ringfence.control import basic
from ringfence.control.besides import require_memberships
from ringfence.control.draft import Draft
from ringfence.control.settling import by_id, free_addresses, ports_of
from ringfence.errors import Conflict, FieldProblem, InvalidFields, NotationError
from ringfence.model.address import Address
from ringfence.model.topology import Port, Subnet
from ringfence.ram import actions as ram
from ringfence.ram.actions import Action
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource
from ringfence.resources.values import Machine, PortAt, Power

WRONG_POWER = "IncorrectInstanceStatus"
"""The machine runs and should not, or the other way round (apis/alibaba.md 2.7)."""
OTHER_VPC = "InvalidVpcId.Mismatch"
MORE_PORTS = "OperationDenied"


def start(draft: Draft, instance: str) -> Resource:
    """Say that a machine runs. Raises `NotFound`, `Forbidden`, and `Conflict` if it does already."""
    return _said(draft, ram.START_INSTANCE, instance, Power.STOPPED, Power.RUNNING)


def stop(draft: Draft, instance: str) -> Resource:
    """Say that it is stopped. Raises as `start`; what its groups let pass they let pass all the same."""
    return _said(draft, ram.STOP_INSTANCE, instance, Power.RUNNING, Power.STOPPED)


def reboot(draft: Draft, instance: str) -> Resource:
    """Say that it was started again, which leaves it running. Raises as `start` if it is stopped."""
    return _said(draft, ram.REBOOT_INSTANCE, instance, Power.RUNNING, Power.RUNNING)


def release(draft: Draft, instance: str, *, force: bool = False) -> Resource:
    """Delete an instance with its ports, if it is stopped or by ``force``. Raises as `basic.delete`, and `Conflict`."""
    found = draft.find(Kind.INSTANCE, instance)
    with draft.telling(ram.DELETE_INSTANCE, found):
        _check_power(found, Power.STOPPED, force=force)
    return basic.delete(draft, Kind.INSTANCE, found.id)


def _said(draft: Draft, action: Action, instance: str, before: Power, after: Power) -> Resource:
    found = draft.find(Kind.INSTANCE, instance)
    with draft.telling(action, found):
        _check_power(found, before)
    return draft.put(action, replace(found, value=replace(cast("Machine", found.value), power=after)))


def _check_power(instance: Resource, wanted: Power, *, force: bool = False) -> None:
    power = cast("Machine", instance.value).power
    if power is not wanted and not force:
        right = "stop it first" if wanted is Power.STOPPED else "start it first"
        raise Conflict(f"{instance.key} is {power}", right, reason=WRONG_POWER, field="instance", value=instance.id)


# --- moving to another subnet


def move(
    draft: Draft,
    instance: str,
    subnet: str,
    groups: Sequence[str],
    *,
    vpc: str = "",
    address: str = "",
    force: bool = False,
) -> Resource:
    """Have the primary port of a stopped instance be in another subnet, of its VPC or another, and in these groups.

    All at once: no packet meets it with the groups of one place and the addresses of the other. ``vpc`` is the one that
    the subnet must be of. ``address`` is its own there; free ones are given where none is said. Gives the port.
    ``force``: though the instance runs. Raises `NotFound`, `InvalidFields`, `Forbidden` (judged on the instance and the
    groups), and `Conflict`: it runs, or has more ports and would leave their VPC.
    """
    found = draft.find(Kind.INSTANCE, instance)
    with draft.telling(ram.MODIFY_INSTANCE_VPC_ATTRIBUTE, found):
        _check_power(found, Power.STOPPED, force=force)
        own = ports_of(draft, found.id)
        if not own:
            what = f"{found.key} has no port"
            raise InvalidFields((FieldProblem("instance", what, "make one first", "InvalidInstanceId.NotFound"),))
        there = _subnet(draft, subnet, vpc)
        old = cast("PortAt", own[0].value).port
        if there.vpc != old.vpc and len(own) > 1:
            what = f"{found.key} has {len(own)} ports, and would leave the VPC of the others"
            raise Conflict(what, "detach the others first", reason=MORE_PORTS, field="subnet", value=subnet)
        names = tuple(by_id(draft, {"groups": list(groups)})["groups"])
        addresses = _addresses(draft, old, there, address)
    require_memberships(draft, old.groups, names)
    port = replace(old, subnet=there.name, vpc=there.vpc, addresses=addresses, groups=names)
    value = replace(cast("PortAt", own[0].value), port=port)
    return draft.put(ram.MODIFY_INSTANCE_VPC_ATTRIBUTE, replace(own[0], value=value), found)


def _subnet(draft: Draft, ref: str, vpc: str) -> Subnet:
    named = by_id(draft, {"subnet": ref, "vpc": vpc})
    found = draft.usable(Kind.SUBNET, named["subnet"])
    if found is None:
        raise draft.missing(Kind.SUBNET, ref)
    subnet = cast("Subnet", found.value)
    if vpc and named["vpc"] != subnet.vpc:
        what = f"{found.key} is in VPC {subnet.vpc}"
        raise InvalidFields((FieldProblem("vpc", what, "name that VPC, or a subnet of this one", OTHER_VPC, vpc),))
    return subnet


def _addresses(draft: Draft, old: Port, subnet: Subnet, asked: str) -> tuple[Address, ...]:
    """Its addresses in a subnet: what is asked for, else those that it has there, else free ones."""
    own = parsed(asked) if asked else None
    if own is None and old.subnet == subnet.name:
        return old.addresses
    found = []
    for prefix in subnet.prefixes:
        is_own = own is not None and own.family is prefix.family
        found += [own] if own and is_own else free_addresses(draft, subnet, prefix, 1)
    return tuple(found) if own is None or own in found else (own, *found)  # what it may not be is said by the check


def parsed(text: str, field: str = "address") -> Address:
    """An address that a request says; raises `InvalidFields`."""
    try:
        return Address.parse(text)
    except NotationError as error:
        raise InvalidFields((FieldProblem(field, error.what, error.right, error.code, text),)) from None
