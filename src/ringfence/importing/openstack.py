"""OpenStack: the networking API's own lists, and what ``openstack ... list -f json`` prints.

A group belongs to no network. Which networks routers join is not read: all subnets are one network here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from ringfence.importing.building import NO_FILTER, NO_GROUP
from ringfence.importing.drafted import GroupDraft, InterfaceDraft
from ringfence.importing.neutron import (
    RULE,
    RULE_PASSED,
    WAYS,
    family_of,
    fixed_addresses,
    owner_of,
    protocol_in,
    range_of,
    said_rule,
    sides,
    tell_pairs,
)
from ringfence.importing.reading import Read, Reading, fields
from ringfence.importing.report import Kind, Outcome
from ringfence.importing.services import Service, address_of, prefix_of, service_of
from ringfence.importing.source import Item
from ringfence.model.address import Address, AddressRange
from ringfence.model.rule import Action
from ringfence.model.service import Protocol

NETWORK: Final = "network"
"""The VPC that all subnets are in."""
_GROUP: Final = fields("id name description security_group_rules stateful")
_GROUP_PASSED: Final = fields("tenant_id project_id created_at updated_at revision_number tags shared standard_attr_id")
_COLUMNS: Final = frozenset(
    {"ID", "IP Protocol", "Ethertype", "IP Range", "Port Range", "Direction", "Description"}
    | {"Remote Security Group", "Remote Address Group", "Security Group", "Security Group ID"}
)
_ICMP: Final = re.compile(r"type=(\d{1,3})(?::code=(\d{1,3}))?", re.ASCII)
_RANGE: Final = re.compile(r"(\d{1,5}):(\d{1,5})", re.ASCII)
_FIXED: Final = re.compile(r"ip_address='([^']*)'(?:, *subnet_id='([^']*)')?")


def read_group(reading: Reading, item: Item) -> None:
    """One of ``security_groups``."""
    reading.decisive(item, _GROUP, _GROUP_PASSED)
    group = reading.draft.group(item, item.need("id"))
    describe(reading, item, group, item.text("name"), item.text("description"))
    group.rules_known = group.rules_known or item.has("security_group_rules")
    for each in item.items("security_group_rules"):
        read_rule(reading, each)


def describe(reading: Reading, item: Item, group: GroupDraft, label: str, description: str) -> None:
    """Name and description of a group, and whether it keeps no state."""
    reading.draft.describe(item, group, label, description)
    if not item.flag("stateful", True):
        why = "it keeps no state, and groups of a world do"
        done = "answers to what it allows pass without a rule"
        reading.draft.report.note(Outcome.CHANGED, item.get("stateful"), f"group {label}", why, done)


def read_rule(reading: Reading, item: Item) -> None:
    """One of ``security_group_rules``."""
    reading.decisive(item, RULE, RULE_PASSED)
    add_rule(reading, item, item.need("security_group_id"))


def add_rule(reading: Reading, item: Item, group: str) -> None:
    """A rule of a group; Terraform says it in the same members."""
    said = said_rule(item)
    reading.draft.rule(item, group, range_of(item, said["protocol"]), id_=item.text("id"), action=Action.ALLOW, **said)


def read_address_group(reading: Reading, item: Item) -> None:
    """One of ``address_groups``."""
    entries: list[AddressRange] = [each.parsed(prefix_of).range for each in item.items("addresses")]
    reading.draft.address_group(item, item.need("id"), item.text("name"), entries)


# ---- places


def read_subnet(reading: Reading, item: Item) -> None:
    """One of ``subnets``."""
    add_subnet(reading, item, item.need("id"), item.text("network_id"), item.text("name"), "cidr")


def add_subnet(reading: Reading, item: Item, id_: str, network: str, label: str, cidr: str) -> None:
    """A subnet. The first of each family of a network are one, as a port has an address in each of them."""
    prefix = item.parsed(prefix_of, cidr)
    draft = reading.draft
    known = draft.subnets.get(network)
    if not network or (known and any(each.family is prefix.family for each in known.prefixes)):
        draft.subnet(item, id_, NETWORK, label, [prefix])
        return
    draft.aliases[id_] = network
    if known:
        known.prefixes.append(prefix)
        why = f"a world has both families of a network in one subnet, {network}"
        draft.report.count(Kind.SUBNETS)
        draft.report.gone(Kind.SUBNETS, item, f"subnet {id_}", why, merged=True)
    else:
        draft.subnet(item, network, NETWORK, label, [prefix])


def read_port(reading: Reading, item: Item) -> None:
    """One of ``ports``."""
    groups = item.texts("security_groups") or item.texts("security_group_ids")
    if not item.flag("port_security_enabled", True):
        groups = [NO_FILTER]
    machine = owner_of(reading, item, item.text("device_owner"), item.text("device_id"))
    if machine:
        add_port(reading, item, item.need("id"), machine, fixed_addresses(item), groups, item.text("network_id"))
        tell_pairs(reading, item)


def add_port(
    reading: Reading,
    item: Item,
    id_: str,
    machine: str,
    fixed: list[tuple[str, Address]],
    groups: list[str],
    network: str = "",
) -> None:
    """A port; addresses in a second subnet of its network are told."""
    placed = [(reading.draft.aliases.get(subnet, subnet) or network, address) for subnet, address in fixed]
    home = placed[0][0] if placed else network
    for subnet, address in placed:
        if subnet != home:
            why = f"it is in subnet {subnet}, and a port of a world is in one"
            reading.draft.report.note(Outcome.LEFT_OUT, item, f"address {address} of port {id_}", why)
    addresses = [address for subnet, address in placed if subnet == home]
    reading.draft.interface(id_, InterfaceDraft(item, machine, "", NETWORK, home, addresses, groups or [NO_GROUP]))


# ---- what the command line prints


def read_group_row(reading: Reading, item: Item) -> None:
    """A row of ``openstack security group list``."""
    reading.decisive(item, fields("ID Name Description"), fields("Project Tags Shared"))
    group = reading.draft.group(item, item.need("ID"))
    describe(reading, item, group, item.text("Name"), item.text("Description"))


def read_rule_row(reading: Reading, item: Item) -> None:
    """A row of ``openstack security group rule list``: it must tell direction and group."""
    reading.decisive(item, _COLUMNS)
    if not item.has("Direction"):
        raise item.bad("it does not tell the rule's direction", "list the rules with --long")
    group = item.text("Security Group ID", "Security Group")
    if not group:
        raise item.bad("it does not tell the rule's group", "list the rules of all groups, naming none")
    family = family_of(item, "Ethertype")
    if not item.has("Ethertype") and ":" in item.text("IP Range"):
        family = item.parsed(prefix_of, "IP Range").family
    protocol = protocol_in(item, "IP Protocol", family)
    said: dict[str, Any] = sides(item, family, "IP Range", "Remote Security Group", "Remote Address Group")
    said |= {"direction": item.one_of("Direction", WAYS), "protocol": protocol, "action": Action.ALLOW}
    said |= {"description": item.text("Description")}
    reading.draft.rule(item, group, _row_ports(item, protocol), id_=item.text("ID"), **said)


def _row_ports(item: Item, protocol: Protocol) -> Service:
    text = item.text("Port Range")
    if not text:
        return Service()
    match = _RANGE.fullmatch(text) or _ICMP.fullmatch(text)
    if match is None:
        raise item.get("Port Range").bad(f"{text!r} are no ports", "22:22 or type=8:code=0 belongs here")
    first, last = (None if each is None else int(each) for each in match.groups())
    return item.parsed(lambda _: service_of(protocol, first, last), "Port Range")


def read_port_row(reading: Reading, item: Item) -> None:
    """A row of ``openstack port list --long``: it tells no machine, so each port is one."""
    value = item.get("Fixed IP Addresses")
    fixed = fixed_addresses(item, "Fixed IP Addresses") if isinstance(value.value, list) else _told_addresses(value)
    groups = item.get("Security Groups")
    named = groups.items() if not isinstance(groups.value, str) else []
    ids = [each.text() for each in named] or [each for each in re.split(r"[\s,]+", str(groups.value or "")) if each]
    if owner_of(reading, item, item.text("Device Owner") or "unknown", ""):
        add_port(reading, item, item.need("ID"), item.need("ID"), fixed, ids)


def _told_addresses(item: Item) -> list[tuple[str, Address]]:
    text = item.text()
    if rest := _FIXED.sub("", text).strip(" ,\n"):
        raise item.bad(f"{rest!r} is no address of a port", "ip_address='10.0.1.11', subnet_id='...' belongs here")
    return [(subnet, _address(item, address)) for address, subnet in _FIXED.findall(text)]


def _address(item: Item, text: str) -> Address:
    return item.parsed(lambda _: address_of(text))


def read_subnet_row(reading: Reading, item: Item) -> None:
    """A row of ``openstack subnet list``."""
    add_subnet(reading, item, item.need("ID"), item.text("Network"), item.text("Name"), "Subnet")


LISTS: Final[Mapping[str, Read]] = {
    "subnets": read_subnet,
    "security_groups": read_group,
    "security_group_rules": read_rule,
    "address_groups": read_address_group,
    "ports": read_port,
}
"""What reads the things of a list of the API, by the list's name."""
ROWS: Final[Mapping[str, Read]] = {
    "IP Protocol": read_rule_row,
    "Fixed IP Addresses": read_port_row,
    "Subnet": read_subnet_row,
    "Description": read_group_row,
}
"""What reads a row that the command line prints, by a column that only such rows have."""
