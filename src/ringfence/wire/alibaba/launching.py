"""Instances that are made: RunInstances and CreateInstance (the parts of them that carry security groups)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from ringfence.control import attaching, basic
from ringfence.control.draft import Draft
from ringfence.ram import actions as ram
from ringfence.resources.kind import Kind
from ringfence.resources.values import Power
from ringfence.wire.alibaba.addresses import addresses_said, subnet_of
from ringfence.wire.alibaba.common import REGION, refuse_resource_group, refuse_unserved
from ringfence.wire.alibaba.instances import CPU, OLD_CPU, PRIVATE_DNS, check_host_name, texts_said
from ringfence.wire.alibaba.interfaces import FAULTS, check_always, groups_said, texts_of_interface
from ringfence.wire.alibaba.operation import Call, Field, Operation, Product
from ringfence.wire.alibaba.parameters import Parameters, invalid, missing
from ringfence.wire.alibaba.regions import is_zone, zone_of
from ringfence.wire.alibaba.tagged import TAGS, tags_said
from ringfence.wire.request import Fault, Told

_DISK = ("Category", "Description", "DiskName", "PerformanceLevel", "Size", "StorageClusterId")
_OF_DATA = ("DeleteWithInstance", "Device", "EncryptAlgorithm", "Encrypted", "KMSKeyId", "SnapshotId")
_MORE_OF_DISK = ("AutoSnapshotPolicyId", "BurstingEnabled", "ProvisionedIops")
_HARDWARE: Final = (
    *("NetworkCardIndex", "NetworkInterfaceTrafficMode", "QueueNumber", "QueuePairNumber", "RxQueueSize"),
    "TxQueueSize",
)
_ALWAYS_SO: Final = ("DeleteOnRelease", "SourceDestCheck")
_IGNORED = frozenset(
    (
        *(f"SystemDisk.{name}" for name in _DISK),
        *(f"DataDisk.N.{name}" for name in (*_DISK, *_OF_DATA)),
        *(f"Arn.N.{name}" for name in ("AssumeRoleFor", "RoleType", "Rolearn")),
        *("Affinity", "AutoRenew", "AutoRenewPeriod", "CreditSpecification", "DedicatedHostId"),
        *("DeploymentSetGroupNo", "DeploymentSetId", "HibernationOptions.Configured", "HpcClusterId"),
        *("HttpEndpoint", "HttpPutResponseHopLimit", "HttpTokens", "ImageFamily", "InstanceChargeType"),
        *("InternetChargeType", "InternetMaxBandwidthIn", "InternetMaxBandwidthOut", "IoOptimized", "KeyPairName"),
        *("ManagedHostId", "Password", "PasswordInherit", "Period", "PeriodUnit", "PrivatePoolOptions.Id"),
        *("PrivatePoolOptions.MatchCriteria", "RamRoleName", "SecurityEnhancementStrategy", "SpotDuration"),
        *("SpotInterruptionBehavior", "SpotPriceLimit", "SpotStrategy", "StorageSetId"),
        *("StorageSetPartitionNumber", "Tenancy", "UserData"),
    )
)
_ONLY_CREATED = frozenset({"ClusterId", "NodeControllerId", "UseAdditionalService"})
_ONLY_RUN = frozenset(
    (
        *PRIVATE_DNS,
        *CPU,
        *OLD_CPU,
        *(f"SystemDisk.{name}" for name in (*_MORE_OF_DISK, "EncryptAlgorithm", "Encrypted", "KMSKeyId")),
        *(f"DataDisk.N.{name}" for name in _MORE_OF_DISK),
        *(f"NetworkInterface.N.{name}" for name in _HARDWARE),
        *("AutoPay", "AutoReleaseTime", "ClockOptions.PtpStatus", "CpuOptions.Numa", "ImageId"),
        *("ImageOptions.LoginAsNonRoot", "InstanceType", "Isp", "NetworkInterfaceQueueNumber"),
        *("NetworkOptions.BandwidthWeighting", "NetworkOptions.EnableJumboFrame"),
        *("NetworkOptions.EnableNetworkEncryption", "SchedulerOptions.DedicatedHostClusterId"),
        *("SecurityOptions.ConfidentialComputingMode", "SecurityOptions.EnableSecureBoot"),
        "SecurityOptions.TrustedSystemMode",
    )
)
_ROLES: Final = {"primary": "primary", "secondary": "secondary"}
_OF_PRIMARY: Final = (
    *("SecurityGroupId", "SecurityGroupIds", "VSwitchId", "PrivateIpAddress", "Ipv6Address", "Ipv6AddressCount"),
)
"""What is said of the primary interface where it has no part of its own."""
_TEMPLATE = "there are no launch templates"
_UNSERVED: Final = {
    **dict.fromkeys(("LaunchTemplateId", "LaunchTemplateName", "LaunchTemplateVersion"), _TEMPLATE),
    "InnerIpAddress": "an instance of the classic network gets the next free address",
    "VlanId": "there are no VLANs of vSwitches",
}
_OF_INTERFACE = (
    *("DeleteOnRelease", "Description", "InstanceType", "Ipv6Address.N", "Ipv6AddressCount", "NetworkInterfaceId"),
    *("NetworkInterfaceName", "PrimaryIpAddress", "SecondaryPrivateIpAddressCount", "SecurityGroupId"),
    *("SecurityGroupIds.N", "SourceDestCheck", "VSwitchId"),
)
_TEXTS = ("InstanceName", "Description", "HostName")
_BOTH = ("DeletionProtection", "PrivateIpAddress", "ResourceGroupId", "SecurityGroupId", "VSwitchId", "ZoneId")
_MOST: Final = 100
_MISMATCH = Fault(
    400, "InvalidParameter.Mismatch", "Specified security group and virtual switch are not in the same VPC."
)
_FAULTS: Mapping[str, Fault] = {
    **FAULTS,
    "world.group_of_other_vpc": _MISMATCH,
    "world.group_of_other_profile": _MISMATCH,
    "InvalidNetworkType.Mismatch": Fault(403, "InvalidNetworkType.Mismatch"),
    "world.address_in_use": Fault(400, "InvalidPrivateIpAddress.Duplicated"),
    "world.address_outside_subnet": Fault(400, "InvalidPrivateIpAddress"),
    "world.address_reserved": Fault(400, "InvalidPrivateIpAddress.Malformed"),
    "input.notation": Fault(400, "InvalidPrivateIpAddress.Malformed"),
    "InvalidIp.Address": Fault(400, "InvalidPrivateIpAddress.Malformed"),
    "InvalidVSwitch.NoFreeIp": Fault(400, "QuotaExceeded.PrivateIpAddress"),
    "InvalidZoneId.NotFound": Fault(404, "InvalidZoneId.NotFound"),
}


def operations() -> Iterator[Operation]:
    """The operations."""
    actions = (ram.RUN_INSTANCES, ram.CREATE_NETWORK_INTERFACE, ram.JOIN_SECURITY_GROUP)
    refused = tuple(Field(name, f"refused: {why}") for name, why in _UNSERVED.items())
    counts = (Field("Amount", "1 to 100; all of them are made, or none"), Field("MinAmount"), Field("UniqueSuffix"))
    more = (*map(Field, ("SecurityGroupIds.N", "Ipv6Address.N", "Ipv6AddressCount", "HostNames.N")), *counts)
    nics = tuple(Field(f"NetworkInterface.N.{name}") for name in _OF_INTERFACE)
    common = (REGION, *map(Field, (*_TEXTS, *_BOTH)), *TAGS)
    yield Operation(
        "RunInstances",
        Product.ECS,
        "Makes running instances. One that names no group is in the default group, which is made with the first that"
        " needs it. A vSwitch must be named. What each network interface is like may be said. Who makes them must be"
        " allowed to join the groups and to make network interfaces as well.",
        actions,
        _run,
        (*common, *more, *nics, *refused[:3]),
        _IGNORED | _ONLY_RUN,
        _FAULTS,
    )
    hardware = (
        Field("ImageId", "must be there, and means nothing", required=True),
        Field("InstanceType", "the same", required=True),
    )
    yield Operation(
        "CreateInstance",
        Product.ECS,
        "Makes one instance, which is stopped. Else as RunInstances.",
        actions,
        _create,
        (*common, *hardware, *refused[3:]),
        _IGNORED | _ONLY_CREATED,
        _FAULTS,
    )


def _run(call: Call) -> Told:
    said = call.said
    amount = said.number("Amount", 1, 1, _MOST)
    if said.number("MinAmount", amount, 1, _MOST) > amount:
        raise invalid("MinAmount", f"use at most Amount, {amount}", said.text("MinAmount"))
    ids = _made(call, amount, Power.RUNNING)
    return {"InstanceIdSets": {"InstanceIdSet": ids["ids"]}, "OrderId": "", "TradePrice": 0.0}


def _create(call: Call) -> Told:
    for name in ("ImageId", "InstanceType"):
        call.said.required(name)
    return {"InstanceId": _made(call, 1, Power.STOPPED)["ids"][0], "OrderId": "", "TradePrice": 0.0}


def _made(call: Call, amount: int, power: Power) -> Told:
    """Make instances; tells their ids."""
    said = call.said
    refuse_resource_group(call)
    refuse_unserved(said, _UNSERVED)
    if not is_zone(call, said.text("ZoneId", zone_of(call))):
        raise invalid("ZoneId", f"the zone is {zone_of(call)}", said.text("ZoneId"), "InvalidZoneId.NotFound")
    interfaces = _interfaces(said)
    if amount > 1 and any("PrimaryIpAddress" in it or "PrivateIpAddress" in it for it in interfaces):
        raise invalid("PrivateIpAddress", "one address can be given to one instance only", amount)
    wanted = {**texts_said(said), "tags": tags_said(said), "protected": said.flag("DeletionProtection")}

    def work(draft: Draft) -> Told:
        return {"ids": [_one(draft, said, interfaces, _named(said, wanted, it, amount), power) for it in range(amount)]}

    return call.change(work)


def _named(said: Parameters, wanted: Mapping[str, Any], index: int, amount: int) -> dict[str, Any]:
    """What one of several instances is to be called."""
    hosts, own = said.every("HostNames"), dict(wanted)
    if hosts and len(hosts) != amount:
        raise invalid("HostNames", f"give as many as instances: {amount}", len(hosts))
    if hosts:
        own["hostname"] = check_host_name(hosts[index], f"HostNames.{index + 1}")
    if amount > 1 and said.flag("UniqueSuffix"):
        own |= {name: f"{own[name]}{index + 1:03}" for name in ("name", "hostname") if own.get(name) and not hosts}
    return own


def _interfaces(said: Parameters) -> list[Parameters]:
    """What is said of each network interface, the primary one first; raises `InvalidFields`, `Refused`."""
    parts = said.parts("NetworkInterface")
    primary = [it for it in parts if it.choice("InstanceType", _ROLES) == "primary"]
    rest = [it for it in parts if it not in primary]
    top = [name for name in said.values if name.partition(".")[0] in _OF_PRIMARY and said.text(name)]
    if len(primary) > 1 or (primary and top):
        right = "say of the primary interface in one place what it is like"
        raise invalid(f"{primary[0].path}InstanceType", right, "Primary", "InvalidParameter.Conflict")
    for each in parts:
        _check_interface(each)
    return [primary[0] if primary else said, *rest]


def _check_interface(said: Parameters) -> None:
    """One that is there already is as it is, and no primary one; of a new one its groups are said."""
    check_always(said)
    more = [it for it in said.values if it in said and it not in ("NetworkInterfaceId", *_HARDWARE, *_ALWAYS_SO)]
    if "NetworkInterfaceId" in said and more:
        right = "a network interface that is there already is as it is, and no primary one"
        raise invalid(said.path + more[0], right, said.text(more[0]), "InvalidParameter.Conflict")
    if not (groups_said(said) or "NetworkInterfaceId" in said):
        raise missing(f"{said.path}SecurityGroupId")


def _one(draft: Draft, said: Parameters, interfaces: list[Parameters], wanted: dict[str, Any], power: Power) -> str:
    main = interfaces[0]
    home = main.required("VSwitchId")
    new = [it for it in interfaces[1:] if "NetworkInterfaceId" not in it]
    ports: list[dict[str, Any]] = []
    for each in (main, *new):
        taken = [address for port in ports for address in port["addresses"]]
        ports.append(_port(draft, each, each.text("VSwitchId", home), taken))
    made = basic.create(draft, Kind.INSTANCE, {**wanted, "power": power.value, "ports": ports})
    for each in interfaces[1:]:
        if "NetworkInterfaceId" in each:
            attaching.attach(draft, draft.own(Kind.PORT, each.required("NetworkInterfaceId")).id, made.id)
    return made.id


def _port(draft: Draft, said: Parameters, subnet: str, taken: Sequence[str]) -> dict[str, Any]:
    """A port as control makes one; without a group it is in the default group."""
    home = subnet_of(draft, subnet)
    primary = "PrimaryIpAddress" if said.path else "PrivateIpAddress"
    texts = texts_of_interface(said) if said.path else {}
    groups = [draft.own(Kind.GROUP, group).id for group in groups_said(said)]
    addresses = addresses_said(draft, home, said, primary, taken)
    return {**texts, "subnet": home.name, "groups": groups, "addresses": addresses}
