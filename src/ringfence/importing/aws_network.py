"""Where things are, as ``aws ec2 describe-vpcs``, ``-subnets``, ``-instances``, ``-network-interfaces`` and
``-network-acls`` print it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from ringfence.importing.aws import service
from ringfence.importing.drafted import AclDraft, InterfaceDraft
from ringfence.importing.reading import Read, Reading, fields
from ringfence.importing.report import Kind, Outcome
from ringfence.importing.services import address_of, prefix_of, protocol_of
from ringfence.importing.source import Item
from ringfence.model.address import Address, Prefix
from ringfence.model.rule import Action, Direction
from ringfence.model.service import Protocol

_LAST: Final = 32_767
"""The number of the line that denies what no other line matched (AWS's own)."""
_ENTRY: Final = fields("RuleNumber Protocol RuleAction Egress CidrBlock Ipv6CidrBlock IcmpTypeCode PortRange")
_ACL: Final = fields("NetworkAclId VpcId Entries Associations Tags")
_ACTIONS: Final = {"allow": Action.ALLOW, "deny": Action.DENY}


def read_vpc(reading: Reading, item: Item) -> None:
    """One of ``Vpcs``."""
    prefixes: list[Prefix] = [item.parsed(prefix_of, "CidrBlock")] if item.has("CidrBlock") else []
    prefixes += [*_associated(item, "CidrBlock"), *_associated(item, "Ipv6CidrBlock")]
    reading.draft.vpc(item, item.need("VpcId"), name_tag(item), prefixes)


def _associated(item: Item, name: str) -> Iterator[Prefix]:
    """Prefixes of an association set; those that were taken away stand there for a while."""
    for each in item.items(f"{name}AssociationSet"):
        if each.has(name) and each.part(f"{name}State").text("State") in ("", "associated", "associating"):
            yield each.parsed(prefix_of, name)


def read_subnet(reading: Reading, item: Item) -> None:
    """One of ``Subnets``."""
    prefixes: list[Prefix] = [item.parsed(prefix_of, "CidrBlock")] if item.has("CidrBlock") else []
    prefixes += _associated(item, "Ipv6CidrBlock")
    reading.draft.subnet(item, item.need("SubnetId"), item.need("VpcId"), name_tag(item), prefixes)


def name_tag(item: Item, name: str = "Tags") -> str:
    """The value of the tag ``Name``."""
    return next((tag.text("Value") for tag in item.items(name) if tag.text("Key") == "Name"), "")


# ---- interfaces


def read_reservation(reading: Reading, item: Item) -> None:
    """One of ``Reservations``: some instances."""
    for each in item.items("Instances"):
        read_instance(reading, each)


def read_instance(reading: Reading, item: Item) -> None:
    """One instance: its interfaces; where none is listed, the one that the instance itself tells of."""
    id_, state = item.need("InstanceId"), item.part("State").text("Name")
    if state == "terminated":
        reading.draft.report.note(Outcome.LEFT_OUT, item, f"instance {id_}", "it is terminated")
        return
    for index, each in enumerate(item.items("NetworkInterfaces")):
        _read_interface(reading, each, id_, name_tag(item), index)
    if not item.items("NetworkInterfaces"):
        groups = [each.need("GroupId") for each in item.items("SecurityGroups")]
        addresses = [item.parsed(address_of, "PrivateIpAddress")] if item.has("PrivateIpAddress") else []
        place = (item.text("VpcId"), item.text("SubnetId"))
        reading.draft.interface(f"{id_}-eth0", InterfaceDraft(item, id_, name_tag(item), *place, addresses, groups))
        _tell_public(reading, item, id_, item.text("PublicIpAddress"))


def read_interface(reading: Reading, item: Item) -> None:
    """One of ``NetworkInterfaces``. That of a service, as of a load balancer, is a machine by itself."""
    id_, attachment = item.need("NetworkInterfaceId"), item.part("Attachment")
    machine = attachment.text("InstanceId")
    if not machine and item.text("Status") == "available":
        reading.draft.no_interface(item, f"interface {id_}", "no machine has it, so no packet meets it")
        return
    label = "" if machine else item.text("Description")
    _read_interface(reading, item, machine or id_, label, 0)


def _read_interface(reading: Reading, item: Item, machine: str, label: str, index: int) -> None:
    id_ = item.need("NetworkInterfaceId")
    order = item.part("Attachment").number("DeviceIndex")
    groups = [each.need("GroupId") for each in item.items("Groups")]
    place = (item.text("VpcId"), item.text("SubnetId"))
    new = InterfaceDraft(item, machine, label, *place, _addresses(item), groups, index if order is None else order)
    reading.draft.interface(id_, new)
    _tell(reading, item, id_)


def _addresses(item: Item) -> list[Address]:
    found = [item] if item.has("PrivateIpAddress") else []
    found += [each for each in item.items("PrivateIpAddresses") if each.has("PrivateIpAddress")]
    own = [each.parsed(address_of, "PrivateIpAddress") for each in found]
    six = [each.parsed(address_of, "Ipv6Address") for each in item.items("Ipv6Addresses")]
    return list(dict.fromkeys([*own, *six]))


def _tell(reading: Reading, item: Item, id_: str) -> None:
    """What of an interface a world has no word for."""
    report = reading.draft.report
    own = [item.part("Association"), *(each.part("Association") for each in item.items("PrivateIpAddresses"))]
    for public in dict.fromkeys(each.text("PublicIp") for each in own):
        _tell_public(reading, item, id_, public)
    for name in ("Ipv4Prefixes", "Ipv6Prefixes"):
        if item.items(name):
            why = "a world has no prefixes that an interface has as a whole"
            report.note(Outcome.TOLD, item, f"{name} of {id_}", why, "no address in them is a member of its groups")


def _tell_public(reading: Reading, item: Item, id_: str, address: str) -> None:
    if address:
        why, done = "a world knows machines by their private addresses", "rules that name it mean nobody here"
        reading.draft.report.note(Outcome.TOLD, item, f"public address {address} of {id_}", why, done)


# ---- network ACLs


def read_acl(reading: Reading, item: Item) -> None:
    """One of ``NetworkAcls``."""
    reading.decisive(item, _ACL, fields("OwnerId IsDefault"))
    id_ = item.need("NetworkAclId")
    is_new = id_ not in reading.draft.acls
    acl = reading.draft.acl(item, id_)
    acl.label, acl.vpc = name_tag(item), item.text("VpcId")
    for each in item.items("Associations"):
        reading.draft.edges[each.need("SubnetId")] = (each, id_)
    entries = [(each, each.number("RuleNumber")) for each in item.items("Entries")] if is_new else []
    for each, number in entries:
        if number is None:
            raise each.bad("it has no RuleNumber", "lines are in the order of their numbers")
    for each, number in sorted(entries, key=lambda pair: pair[1] or 0):
        _read_entry(reading, each, acl, id_, number or 0)


def _read_entry(reading: Reading, item: Item, acl: AclDraft, id_: str, number: int) -> None:
    reading.decisive(item, _ENTRY)
    protocol, action = item.parsed(protocol_of, "Protocol"), item.one_of("RuleAction", _ACTIONS)
    prefix = item.parsed(prefix_of, "CidrBlock" if item.has("CidrBlock") else "Ipv6CidrBlock")
    way = Direction.EGRESS if item.flag("Egress", False) else Direction.INGRESS
    if number == _LAST and (action, protocol, prefix.length) == (Action.DENY, Protocol.ALL, 0):
        why = "every ACL of a world ends so by itself"
        reading.draft.report.count(Kind.LINES)
        reading.draft.report.gone(Kind.LINES, item, f"line {number} of {id_}", why, merged=True)
        return
    icmp = item.part("IcmpTypeCode")
    said = (icmp, "Type", "Code") if icmp.mapping() else (item.part("PortRange"), "From", "To")
    ports = service(said[0], protocol, *said[1:])
    side = {"source": prefix} if way is Direction.INGRESS else {"destination": prefix}
    what = {"direction": way, "action": action, "protocol": protocol, "name": f"line {number}", **side}
    reading.draft.line(item, acl, ports, id_=f"{id_}-{way.word}-{number}-{prefix.family}", **what)


def read_peering(reading: Reading, item: Item) -> None:
    """One of ``VpcPeeringConnections``: both ends must be in the files, and the peering active."""
    id_, state = item.need("VpcPeeringConnectionId"), item.part("Status").text("Code")
    if state not in ("", "active"):
        reading.draft.report.note(Outcome.LEFT_OUT, item, f"peering {id_}", f"it is {state}")
        return
    ends = (item.part("RequesterVpcInfo").need("VpcId"), item.part("AccepterVpcInfo").need("VpcId"))
    reading.draft.peering(item, id_, *ends)


LISTS: Final[Mapping[str, Read]] = {
    "Vpcs": read_vpc,
    "Subnets": read_subnet,
    "Reservations": read_reservation,
    "NetworkInterfaces": read_interface,
    "NetworkAcls": read_acl,
    "VpcPeeringConnections": read_peering,
}
"""What reads the things of a list, by the list's name."""
