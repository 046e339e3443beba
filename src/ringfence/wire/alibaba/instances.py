"""Instances that are there: started, stopped, changed, moved and released. `launching` makes them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from ringfence.control import basic, machines, membership
from ringfence.control.draft import Draft
from ringfence.ram import actions as ram
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource
from ringfence.wire.alibaba.common import changed_fields
from ringfence.wire.alibaba.operation import Call, Field, Operation, Product
from ringfence.wire.alibaba.parameters import Parameters, invalid, missing
from ringfence.wire.alibaba.texts import description_of, name_of
from ringfence.wire.request import Fault, Told

_ID = Field("InstanceId", required=True)
_HOST = re.compile(r"[A-Za-z0-9]+([.-][A-Za-z0-9]+)*", re.ASCII)
_LONGEST_HOST: Final = 64
_NAMES: Final = {"InstanceName": "name", "Description": "description", "HostName": "hostname"}
_DNS = ("EnableInstanceIdDnsAAAARecord", "EnableInstanceIdDnsARecord", "EnableIpDnsARecord", "EnableIpDnsPtrRecord")
PRIVATE_DNS: Final = tuple(f"PrivateDnsNameOptions.{name}" for name in (*_DNS, "HostnameType"))
"""The names of instances, which nobody resolves here."""
CPU: Final = tuple(f"CpuOptions.{name}" for name in ("Core", "NestedVirtualization", "ThreadsPerCore", "TopologyType"))
"""What is said of processors."""
OLD_CPU: Final = tuple(f"CpuOptions.{name}" for name in ("EnableVISST", "EnableVRDT", "TurboMode"))
"""What the old SDK says of them besides."""
_IGNORED = frozenset(
    (
        *PRIVATE_DNS,
        *CPU,
        *OLD_CPU,
        *("CreditSpecification", "EnableJumboFrame", "EnableNetworkEncryption", "NetworkInterfaceQueueNumber"),
        *("Password", "Recyclable", "RemoteConnectionOptions.Password", "RemoteConnectionOptions.Type", "UserData"),
    )
)
_STATUS: Final = Fault(
    403, "IncorrectInstanceStatus", "The current status of the resource does not support this operation."
)
_SET_FAULTS: Mapping[str, Fault] = {
    "InstanceSecurityGroupLimitExceeded": Fault(400, "JoinedGroupLimitExceed"),
    "world.group_type": Fault(403, "EnterpriseGroupLimited.MutliGroupType"),
    "world.group_of_other_vpc": Fault(404, "InvalidSecurityGroupVpc.NotBelongToOneVpc"),
    "world.group_of_other_profile": Fault(404, "InvalidSecurityGroupVpc.NotBelongToOneVpc"),
    "InvalidNetworkType.Mismatch": Fault(400, "InvalidNetworkType.NotSupported"),
    "world.duplicate": Fault(404, "InvalidParameter.SecurityGroupIdRepeated"),
    "IncorrectInstanceStatus": _STATUS,
}
_MOVE_FAULTS: Mapping[str, Fault] = {
    **_SET_FAULTS,
    "InvalidVpcId.Mismatch": Fault(
        404, "InvalidVSwitchId.NotFound", "Specified virtual switch is not found in current VPC."
    ),
    "IncorrectInstanceStatus": Fault(
        400, "IncorrectInstanceStatus", "The current status of instance does not support this operation."
    ),
    "OperationDenied": Fault(400, "OperationDenied"),
    "world.address_in_use": Fault(400, "InvalidPrivateIpAddress.Duplicated"),
    "world.address_outside_subnet": Fault(400, "InvalidPrivateIpAddress.Mismatch"),
    "world.address_reserved": Fault(400, "InvalidPrivateIpAddress.Malformed"),
    "input.notation": Fault(400, "InvalidPrivateIpAddress.Malformed"),
}


def operations() -> Iterator[Operation]:
    """The operations."""
    yield Operation(
        "ModifyInstanceAttribute",
        Product.ECS,
        "Changes name, description, host name, protection, and the whole set of groups of the primary interface.",
        (ram.MODIFY_INSTANCE_ATTRIBUTE,),
        _modify,
        (_ID, *map(Field, _NAMES), Field("DeletionProtection"), Field("SecurityGroupIds.N", "replaces all groups")),
        _IGNORED,
        _SET_FAULTS,
    )
    place = (Field("VSwitchId", required=True), Field("VpcId"), Field("PrivateIpAddress"))
    yield Operation(
        "ModifyInstanceVpcAttribute",
        Product.ECS,
        "Moves a stopped instance to another vSwitch, of its VPC or another one, and into other groups.",
        (ram.MODIFY_INSTANCE_VPC_ATTRIBUTE,),
        _move,
        (_ID, *place, Field("SecurityGroupId.N", "the groups there", required=True)),
        faults=_MOVE_FAULTS,
    )
    for name, doc, action, change, ignored in _POWER:
        faults = {"IncorrectInstanceStatus": _STATUS}
        handle = _saying(change)
        yield Operation(name, Product.ECS, doc, (action,), handle, (_ID,), frozenset(ignored), faults)
    yield Operation(
        "DeleteInstance",
        Product.ECS,
        "Releases an instance with its network interfaces, if it is stopped or by Force, and not protected.",
        (ram.DELETE_INSTANCE, ram.DELETE_NETWORK_INTERFACE),
        _delete,
        (_ID, Field("Force", "though it runs"), Field("ForceStop", "the same")),
        frozenset({"TerminateSubscription"}),
        {"IncorrectInstanceStatus": _STATUS},
    )


_Change = Callable[[Draft, str], Resource]
_POWER: tuple[tuple[str, str, ram.Action, _Change, tuple[str, ...]], ...] = (
    ("StartInstance", "Says that an instance runs.", ram.START_INSTANCE, machines.start, ("InitLocalDisk",)),
    (
        "StopInstance",
        "Says that an instance is stopped; its groups let pass what they let pass before.",
        ram.STOP_INSTANCE,
        machines.stop,
        ("ConfirmStop", "ForceStop", "Hibernate", "StoppedMode"),
    ),
    (
        "RebootInstance",
        "Says that an instance was started again.",
        ram.REBOOT_INSTANCE,
        machines.reboot,
        ("ForceStop",),
    ),
)


def _saying(change: _Change) -> Callable[[Call], Told]:
    def handle(call: Call) -> Told:
        id_ = call.said.required("InstanceId")

        def work(draft: Draft) -> Told:
            change(draft, draft.own(Kind.INSTANCE, id_).id)
            return {}

        return call.change(work)

    return handle


def texts_said(said: Parameters) -> dict[str, Any]:
    """Name, description and host name, as far as a request says them; raises `InvalidFields`."""
    given = {
        "InstanceName": name_of(said, "InstanceName", "InvalidInstanceName.Malformed"),
        "Description": description_of(said, "InvalidDescription.Malformed"),
        "HostName": check_host_name(said.text("HostName")),
    }
    return changed_fields(said, given, _NAMES)


def check_host_name(text: str, field: str = "HostName") -> str:
    """Give back the name of a host, or nothing if there is none; raises `InvalidFields`."""
    if text and not (2 <= len(text) <= _LONGEST_HOST and _HOST.fullmatch(text)):
        right = f"use 2 to {_LONGEST_HOST} letters, digits, dots and hyphens"
        raise invalid(field, right, text, "InvalidHostName.Malformed")
    return text


def _modify(call: Call) -> Told:
    said = call.said
    id_, wanted, groups = said.required("InstanceId"), texts_said(said), said.every("SecurityGroupIds")
    if "DeletionProtection" in said:
        wanted["protected"] = said.flag("DeletionProtection")

    def work(draft: Draft) -> Told:
        instance = draft.own(Kind.INSTANCE, id_).id
        if wanted or not groups:
            basic.update(draft, Kind.INSTANCE, instance, wanted)
        if groups:
            membership.set_groups(draft, [instance], [draft.own(Kind.GROUP, group).id for group in groups])
        return {}

    return call.change(work)


def _move(call: Call) -> Told:
    said = call.said
    id_, subnet, groups = said.required("InstanceId"), said.required("VSwitchId"), said.every("SecurityGroupId")
    if not groups:
        raise missing("SecurityGroupId.1")

    def work(draft: Draft) -> Told:
        instance = draft.own(Kind.INSTANCE, id_).id
        own = [draft.own(Kind.GROUP, group).id for group in groups]
        vpc, address = said.text("VpcId"), said.text("PrivateIpAddress")
        if vpc and draft.usable(Kind.VPC, vpc) is None:
            raise draft.missing(Kind.VPC, vpc)
        if draft.usable(Kind.SUBNET, subnet) is None:
            raise draft.missing(Kind.SUBNET, subnet)
        machines.move(draft, instance, subnet, own, vpc=vpc, address=address)
        return {}

    return call.change(work)


def _delete(call: Call) -> Told:
    id_, force = call.said.required("InstanceId"), call.said.flag("Force") or call.said.flag("ForceStop")

    def work(draft: Draft) -> Told:
        machines.release(draft, draft.own(Kind.INSTANCE, id_).id, force=force)
        return {}

    return call.change(work)
