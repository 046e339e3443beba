"""What Huawei and OpenStack have in common: rules in the members of OpenStack's networking API (apis/huawei.md)."""

from __future__ import annotations

from typing import Any, Final

from ringfence.importing.reading import Reading, fields
from ringfence.importing.report import Outcome
from ringfence.importing.services import EVERY, FAMILIES, Service, address_of, prefix_of, protocol_of, service_of
from ringfence.importing.source import Item
from ringfence.model.address import Address, Family
from ringfence.model.rule import AddressGroupRemote, Direction, GroupRemote
from ringfence.model.service import ICMP, Protocol

WAYS: Final = {"ingress": Direction.INGRESS, "egress": Direction.EGRESS}
RULE: Final = fields(
    "security_group_id direction ethertype protocol port_range_min port_range_max remote_ip_prefix remote_group_id"
    " remote_address_group_id description"
)
RULE_PASSED: Final = fields(
    "id tenant_id project_id created_at updated_at revision_number standard_attr_id tags normalized_cidr"
    " belongs_to_default_sg"
)


def protocol_in(item: Item, name: str, family: Family) -> Protocol:
    """A protocol; ICMP on IPv6 is ICMPv6."""
    protocol = item.parsed(protocol_of, name)
    return Protocol.ICMPV6 if protocol.number == ICMP and family is Family.IPV6 else protocol


def family_of(item: Item, name: str = "ethertype") -> Family:
    """The family that a rule is of; IPv4 where none is said."""
    return item.one_of(name, FAMILIES, Family.IPV4)


def said_rule(item: Item) -> dict[str, Any]:
    """What a rule says, but its ports and what it does."""
    family = family_of(item)
    return {
        "direction": item.one_of("direction", WAYS),
        "protocol": protocol_in(item, "protocol", family),
        "description": item.text("description"),
        **sides(item, family, "remote_ip_prefix", "remote_group_id", "remote_address_group_id"),
    }


def sides(item: Item, family: Family, prefix: str, group: str, listed: str) -> dict[str, Any]:
    """The remote, and for one that is of no family the family as the port's own side."""
    said = item.only(prefix, group, listed)
    if said == group:
        return {"remote": GroupRemote(item.text(group)), "local": EVERY[family]}
    if said == listed:
        return {"remote": AddressGroupRemote(item.text(listed)), "local": EVERY[family]}
    if not said:
        return {"remote": EVERY[family]}
    found = item.parsed(prefix_of, prefix)
    if found.family is not family:
        raise item.get(prefix).bad(f"{found} is not {family}, as the rule is", f"an {family} prefix belongs here")
    return {"remote": found}


def range_of(item: Item, protocol: Protocol) -> Service:
    """``port_range_min`` and ``port_range_max``: ports, or type and code of ICMP."""
    low, high = item.number("port_range_min"), item.number("port_range_max")
    return item.get("port_range_min").parsed(lambda _: service_of(protocol, low, high))


def fixed_addresses(item: Item, name: str = "fixed_ips") -> list[tuple[str, Address]]:
    """Subnet and address of each of a port's addresses."""
    return [(each.text("subnet_id"), each.parsed(address_of, "ip_address")) for each in item.items(name)]


def owner_of(reading: Reading, item: Item, owner: str, device: str) -> str:
    """The machine that has a port; nothing, and told, where none has."""
    id_ = item.text("id", "ID")
    if owner.startswith(("network:", "neutron:")):
        why = f"it is the network's own ({owner}), and no group guards it"
        reading.draft.no_interface(item, f"port {id_}", why)
        return ""
    if not owner and not device:
        reading.draft.no_interface(item, f"port {id_}", "no machine has it, so no packet meets it")
        return ""
    return device or id_


def tell_pairs(reading: Reading, item: Item) -> None:
    """Addresses that a port may send from besides its own."""
    for each in item.items("allowed_address_pairs"):
        why = "a world knows a port by its own addresses"
        what = f"allowed address {each.text('ip_address')} of port {item.text('id')}"
        reading.draft.report.note(Outcome.TOLD, each, what, why, "it is no member of the port's groups")
