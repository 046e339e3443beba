"""Network interfaces: made, changed, attached, detached and deleted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from ringfence.control import attaching, basic, membership
from ringfence.control.draft import Draft
from ringfence.errors import NotFound, Refused
from ringfence.ram import actions as ram
from ringfence.resources.kind import Kind
from ringfence.wire.alibaba.addresses import addresses_said, subnet_of
from ringfence.wire.alibaba.common import REGION, changed_fields, refuse_resource_group, refuse_unserved
from ringfence.wire.alibaba.machine_shapes import interface_told
from ringfence.wire.alibaba.operation import Call, Field, Operation, Product
from ringfence.wire.alibaba.parameters import Parameters, invalid, missing
from ringfence.wire.alibaba.tagged import TAGS, tags_said
from ringfence.wire.alibaba.texts import description_of, name_of
from ringfence.wire.request import Fault, Told

_ENI = Field("NetworkInterfaceId", required=True)
_HOME = Field("InstanceId", required=True)
_TEXTS = (Field("NetworkInterfaceName"), Field("Description"))
_NAMES: Final = {"NetworkInterfaceName": "label", "Description": "description"}
_QUEUES = ("QueueNumber", "RxQueueSize", "TxQueueSize")
_TRAFFIC = ("NetworkInterfaceTrafficMode", "QueueNumber", "QueuePairNumber", "RxQueueSize", "TxQueueSize")
_EXPRESS = ("EnableExpress", "EnableRss", "EnableSriov", "VirtualFunctionQuantity", "VirtualFunctionTotalQueueNumber")
_HARDWARE = frozenset(
    (
        *_QUEUES,
        *(f"NetworkInterfaceTrafficConfig.{name}" for name in _TRAFFIC),
        *(f"EnhancedNetwork.{name}" for name in _EXPRESS),
        "EnablePrimaryIPv6",
    )
)
_OF_MAKING = frozenset({"BusinessType", "InstanceType", "QueuePairNumber", "NetworkInterfaceTrafficMode", "Visible"})
_TIMEOUTS = ("TcpClosedAndTimeWaitTimeout", "TcpEstablishedTimeout", "UdpTimeout")
PREFIXES: Final = dict.fromkeys(
    ("Ipv4Prefix", "Ipv4PrefixCount", "Ipv6Prefix", "Ipv6PrefixCount"), "network interfaces have addresses, no prefixes"
)
_UNSERVED: Final = {"ConnectionTrackingConfiguration": "timeouts are the VPC's, a switch of its profile"}
_TRUNK: Final = {"TrunkNetworkInstanceId": "there are no trunk interfaces"}
_OF_LISTS: Final = ("Attachment", "CreationTime", "DeleteOnRelease", "InstanceId", "NetworkInterfaceTrafficMode")
"""What lists tell of an interface, and the answer to its making does not."""
_ALWAYS: Final = {
    "SourceDestCheck": "the source of a packet is always checked",
    "DeleteOnRelease": "an instance takes its network interfaces with it",
}
_REFUSED = (
    *(Field(f"ConnectionTrackingConfiguration.{name}", "refused: it is a switch of the VPC's") for name in _TIMEOUTS),
    *(Field(name, f"only true: {why}") for name, why in _ALWAYS.items()),
)
_PREFIX_FIELDS = tuple(Field(name if "Count" in name else f"{name}.N", "refused") for name in PREFIXES)
_ADDRESSES = (
    *("PrimaryIpAddress", "PrivateIpAddress.N", "SecondaryPrivateIpAddressCount", "Ipv6Address.N", "Ipv6AddressCount"),
)

_MISMATCH = Fault(
    403, "InvalidOperation.VpcMismatch", "The VPC of the specified ENI and security group are not in the same VPC."
)
FAULTS: Mapping[str, Fault] = {
    "world.group_of_other_vpc": _MISMATCH,
    "world.group_of_other_profile": _MISMATCH,
    "InvalidNetworkType.Mismatch": Fault(
        403, "InvalidSecurityGroupId.NotVpc", "The specified SecurityGroupId not in VPC."
    ),
    "world.group_type": Fault(400, "InvalidOperation.MultiGroupType"),
    "world.address_in_use": Fault(400, "InvalidIp.IpAssigned", "Specified ip address is already assigned."),
    "world.duplicate": Fault(400, "InvalidIp.IpRepeated"),
    "world.address_outside_subnet": Fault(400, "InvalidIp.Address", "Specified ip address is not valid."),
    "world.address_reserved": Fault(400, "InvalidIp.Address"),
    "input.notation": Fault(400, "InvalidIp.Address"),
    "input.field": Fault(400, "InvalidIp.Address"),
    "InvalidOperation.VpcMismatch": Fault(403, "InvalidOperation.VpcMismatch"),
    "InvalidEcsId.NotFound": Fault(404, "InvalidEcsId.NotFound", "The specified InstanceId does not exist."),
    "InvalidVSwitch.NoFreeIp": Fault(403, "InvalidVSwitchId.IpNotEnough"),
    "limit.ports_per_instance": Fault(403, "EniPerInstanceLimitExceeded"),
    "InvalidResourceGroup.NotFound": Fault(404, "InvalidResourceGroup.NotFound"),
}


def operations() -> Iterator[Operation]:
    """The operations."""

    def one(name: str, doc: str, action: ram.Action, handle: Any, *fields: Field, **more: Any) -> Operation:
        return Operation(name, Product.ECS, doc, (action,), handle, (REGION, *fields), faults=FAULTS, **more)

    groups = (Field("SecurityGroupId"), Field("SecurityGroupIds.N", "or several"))
    made = (Field("VSwitchId", required=True), *map(Field, _ADDRESSES), Field("ResourceGroupId"), *TAGS)
    doc = "Makes a network interface of no instance. It has an IPv6 address only if one is asked for."
    fields = (*made, *_TEXTS, *groups, *_REFUSED, *_PREFIX_FIELDS)
    ignored = _HARDWARE | _OF_MAKING
    yield one("CreateNetworkInterface", doc, ram.CREATE_NETWORK_INTERFACE, _create, *fields, ignored=ignored)
    doc = "Changes name, description, and the whole set of groups of a network interface."
    fields = (_ENI, *_TEXTS, Field("SecurityGroupId.N", "replaces all of its groups"), *_REFUSED)
    action = ram.MODIFY_NETWORK_INTERFACE_ATTRIBUTE
    yield one("ModifyNetworkInterfaceAttribute", doc, action, _modify, *fields, ignored=_HARDWARE)
    trunk, waits = Field("TrunkNetworkInstanceId", "refused"), {"NetworkCardIndex", "WaitForNetworkConfigurationReady"}
    doc = "Makes a network interface one of an instance's, of the same VPC."
    action = ram.ATTACH_NETWORK_INTERFACE
    yield one("AttachNetworkInterface", doc, action, _attach, _ENI, _HOME, trunk, ignored=frozenset(waits))
    doc = "Takes a network interface from an instance: nothing passes by it any more."
    yield one("DetachNetworkInterface", doc, ram.DETACH_NETWORK_INTERFACE, _detach, _ENI, _HOME, trunk)
    doc = "Deletes a network interface that no instance has."
    yield one("DeleteNetworkInterface", doc, ram.DELETE_NETWORK_INTERFACE, _delete, _ENI)


def _check(said: Parameters) -> None:
    """What is asked for must be there to be had; raises `Refused`."""
    refuse_unserved(said, _UNSERVED | PREFIXES | _TRUNK)
    check_always(said)


def check_always(said: Parameters) -> None:
    """Raise `Refused` if a network interface is to be otherwise than they all are."""
    for name, why in _ALWAYS.items():
        if not said.flag(name, default=True):
            raise Refused(f"{name} cannot be false: {why}.", reason="UnsupportedOperation", field=said.path + name)


def texts_of_interface(said: Parameters) -> dict[str, Any]:
    """Name and description, as far as a request says them; raises `InvalidFields`."""
    given = {
        "NetworkInterfaceName": name_of(said, "NetworkInterfaceName", "InvalidParameter"),
        "Description": description_of(said, "InvalidDescription.Malformed"),
    }
    return changed_fields(said, given, _NAMES)


def check_each_once(groups: Sequence[str], field: str) -> None:
    """Raise `InvalidFields` for a group that is named twice."""
    if len(set(groups)) < len(groups):
        raise invalid(field, "name each once", list(groups), "InvalidParameter.SecurityGroupIdRepeated")


def groups_said(said: Parameters) -> tuple[str, ...]:
    """The groups that a request names in one way or the other; raises `InvalidFields` for both."""
    one, several = said.text("SecurityGroupId"), said.every("SecurityGroupIds")
    if one and several:
        right = "give one of SecurityGroupId and SecurityGroupIds"
        raise invalid(f"{said.path}SecurityGroupIds", right, one, "InvalidParameter.Conflict")
    check_each_once(several, f"{said.path}SecurityGroupIds")
    return several or ((one,) if one else ())


def _create(call: Call) -> Told:
    said = call.said
    refuse_resource_group(call)
    _check(said)
    subnet, groups = said.required("VSwitchId"), groups_said(said)
    if not groups:
        raise missing("SecurityGroupId")
    wanted = {**texts_of_interface(said), "tags": tags_said(said)}

    def work(draft: Draft) -> Told:
        home = subnet_of(draft, subnet)
        own = [draft.own(Kind.GROUP, group).id for group in groups]
        addresses = addresses_said(draft, home, said, "PrimaryIpAddress")
        made = basic.create(draft, Kind.PORT, {**wanted, "subnet": home.name, "groups": own, "addresses": addresses})
        return {name: value for name, value in interface_told(call, made).items() if name not in _OF_LISTS}

    return call.change(work)


def _modify(call: Call) -> Told:
    said = call.said
    _check(said)
    id_, wanted, groups = said.required("NetworkInterfaceId"), texts_of_interface(said), said.every("SecurityGroupId")
    if not wanted and not groups:
        raise missing("SecurityGroupId")

    def work(draft: Draft) -> Told:
        port = draft.own(Kind.PORT, id_).id
        if wanted:
            basic.update(draft, Kind.PORT, port, wanted)
        if groups:
            check_each_once(groups, "SecurityGroupId")
            membership.set_groups(draft, [port], [draft.own(Kind.GROUP, group).id for group in groups])
        return {}

    return call.change(work)


def _attach(call: Call) -> Told:
    id_, home = _attachment(call)

    def work(draft: Draft) -> Told:
        attaching.attach(draft, draft.own(Kind.PORT, id_).id, _home(draft, home))
        return {}

    return call.change(work)


def _detach(call: Call) -> Told:
    id_, home = _attachment(call)

    def work(draft: Draft) -> Told:
        attaching.detach(draft, draft.own(Kind.PORT, id_).id, instance=_home(draft, home))
        return {}

    return call.change(work)


def _home(draft: Draft, id_: str) -> str:
    """The id of an instance of the caller's, of which these operations have a name of their own for none."""
    try:
        return draft.own(Kind.INSTANCE, id_).id
    except NotFound as error:
        raise Refused(error.what, error.right, reason="InvalidEcsId.NotFound", field="InstanceId") from None


def _attachment(call: Call) -> tuple[str, str]:
    _check(call.said)
    return call.said.required("NetworkInterfaceId"), call.said.required("InstanceId")


def _delete(call: Call) -> Told:
    id_ = call.said.required("NetworkInterfaceId")

    def work(draft: Draft) -> Told:
        attaching.delete_detached(draft, draft.own(Kind.PORT, id_).id)
        return {}

    return call.change(work)
