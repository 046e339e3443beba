"""Instances and network interfaces that join security groups and leave them (SEMANTICS.md 5 and 7)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from ringfence.control import membership
from ringfence.control.draft import Draft
from ringfence.errors import InvalidFields, Refused
from ringfence.ram import actions as ram
from ringfence.resources.kind import Kind
from ringfence.wire.alibaba.operation import Call, Field, Operation, Product
from ringfence.wire.alibaba.parameters import missing
from ringfence.wire.request import Fault, Told

_FIELDS = (
    Field("SecurityGroupId", required=True),
    Field("InstanceId", "an instance, which stands for its primary network interface"),
    Field("NetworkInterfaceId", "or a network interface; then RegionId is needed"),
    Field("RegionId"),
)
_MISMATCH: Final = "Specified instance and security group are not in the same VPC."
_ENI_MISMATCH: Final = "The VPC of the specified ENI and security group are not in the same VPC."
_OTHER_PLACE: Final = ("world.group_of_other_vpc", "world.group_of_other_profile", "InvalidNetworkType.Mismatch")
_AT_INTERFACE: Final = "InvalidOperation.VpcMismatch"
_LEFT_LAST: Final = "InvalidOperation.AtLeastInOneGroup"
_FULL: Final = Fault(403, "SecurityGroupInstanceLimitExceeded")

_FAULTS: Mapping[str, Fault] = {
    **{code: Fault(400, "InvalidInstanceId.Mismatch", _MISMATCH) for code in _OTHER_PLACE},
    "world.group_type": Fault(
        400, "InvalidOperation.MultiGroupType", "A network interface cannot be in groups of different types."
    ),
    "SecurityGroupInstanceLimitExceed": _FULL,
    "InvalidParam.EniIdAndInstanceId.Conflict": Fault(403, "InvalidParam.EniIdAndInstanceId.Conflict"),
    _AT_INTERFACE: Fault(403, _AT_INTERFACE),
    _LEFT_LAST: Fault(403, _LEFT_LAST),
}
_Change = Callable[[Draft, str, str], None]


def operations() -> Iterator[Operation]:
    """The operations."""
    doc = "Adds an instance (its primary interface) or a network interface to a security group."
    actions = (ram.JOIN_SECURITY_GROUP,)
    yield Operation("JoinSecurityGroup", Product.ECS, doc, actions, _join, _FIELDS, faults=_FAULTS)
    doc = "Removes an instance or a network interface from a security group, unless it is in no other."
    actions = (ram.LEAVE_SECURITY_GROUP,)
    yield Operation("LeaveSecurityGroup", Product.ECS, doc, actions, _leave, _FIELDS, faults=_FAULTS)


def _join(call: Call) -> Told:
    def join(draft: Draft, group: str, member: str) -> None:
        if membership.join(draft, group, [member]).already:
            what = "The specified instance already exists in the specified security group."
            raise Refused(what, reason="InvalidInstanceId.AlreadyExists", field="InstanceId", value=member)

    return _changed(call, join)


def _leave(call: Call) -> Told:
    return _changed(call, lambda draft, group, member: _ignored(membership.leave(draft, group, [member])))


def _ignored(_: object) -> None:
    """The answer tells nothing of it."""


def _changed(call: Call, change: _Change) -> Told:
    said = call.said
    group, kind = said.required("SecurityGroupId"), _kind(call)
    member = said.text("InstanceId") or said.text("NetworkInterfaceId")

    def work(draft: Draft) -> Told:
        change(draft, draft.own(Kind.GROUP, group).id, draft.own(kind, member).id)
        return {}

    if kind is Kind.INSTANCE:
        return call.change(work)
    with _as_of_interface():
        return call.change(work)


def _kind(call: Call) -> Kind:
    """What the request names; raises `Refused` unless it is one of the two."""
    if "InstanceId" in call.said and "NetworkInterfaceId" in call.said:
        what = "InstanceId and NetworkInterfaceId cannot be given together."
        raise Refused(what, reason="InvalidParam.EniIdAndInstanceId.Conflict", field="NetworkInterfaceId")
    if "InstanceId" in call.said:
        return Kind.INSTANCE
    if "NetworkInterfaceId" not in call.said:
        raise missing("InstanceId")
    call.said.required("RegionId")
    return Kind.PORT


@contextmanager
def _as_of_interface() -> Iterator[None]:
    """The vendor has other names for some refusals where a network interface is named."""
    try:
        yield
    except InvalidFields as error:
        if error.problems[0].code in _OTHER_PLACE:
            raise Refused(_ENI_MISMATCH, reason=_AT_INTERFACE) from None
        raise
    except Refused as error:
        if error.reason == membership.LAST_GROUP:
            raise Refused(error.what, error.right, reason=_LEFT_LAST) from None
        raise
