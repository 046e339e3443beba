"""Huawei Cloud's lists: groups, rules, address groups, ACLs (v3), and VPCs, subnets and ports (v1) (apis/huawei.md)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ringfence.importing.building import NO_FILTER, NO_GROUP
from ringfence.importing.drafted import AclDraft, InterfaceDraft
from ringfence.importing.neutron import (
    RULE,
    RULE_PASSED,
    fixed_addresses,
    owner_of,
    protocol_in,
    range_of,
    said_rule,
    tell_pairs,
)
from ringfence.importing.reading import Read, Reading, fields
from ringfence.importing.report import Outcome
from ringfence.importing.services import EVERY, Service, prefix_of
from ringfence.importing.source import Item
from ringfence.model.acl import Side
from ringfence.model.address import AddressRange, Family
from ringfence.model.rule import Action, AddressGroupRemote, Direction
from ringfence.model.service import ALL_PORTS, PortSet, Protocol

ACTIONS: Final = {"allow": Action.ALLOW, "deny": Action.DENY}
_GROUP: Final = fields("id name description security_group_rules")
_GROUP_PASSED: Final = fields("project_id tenant_id enterprise_project_id vpc_id created_at updated_at tags")
_RULE_MORE: Final = fields("multiport action priority enabled")
_LINE: Final = fields(
    "id name description action protocol ip_version source_ip_address destination_ip_address source_port"
    " destination_port source_address_group_id destination_address_group_id enabled"
)
_FIREWALL: Final = fields(
    "id name description admin_state_up ingress_rules egress_rules associations ingress_firewall_rule_count"
    " egress_firewall_rule_count"
)
_FIREWALL_PASSED: Final = fields(
    "project_id created_at updated_at status enterprise_project_id tags domain_id type ingress_firewall_policy"
    " egress_firewall_policy"
)
_VERSIONS: Final = {"4": Family.IPV4, "6": Family.IPV6}


def read_group(reading: Reading, item: Item) -> None:
    """One of ``security_groups``, of v3 or v1, with its rules or without."""
    reading.decisive(item, _GROUP, _GROUP_PASSED)
    group = reading.draft.group(item, item.need("id"))
    reading.draft.describe(item, group, item.text("name"), item.text("description"))
    group.rules_known = group.rules_known or item.has("security_group_rules")
    for each in item.items("security_group_rules"):
        read_rule(reading, each)


def read_rule(reading: Reading, item: Item) -> None:
    """One of ``security_group_rules``, with ``multiport`` (v3) or a first and a last port (v1)."""
    reading.decisive(item, RULE | _RULE_MORE, RULE_PASSED)
    add_rule(reading, item, item.need("security_group_id"))


def add_rule(reading: Reading, item: Item, group: str, multiport: str = "multiport") -> None:
    """A rule of a group; Terraform says it in the same members, but for the name of the ports."""
    said = said_rule(item)
    ports = range_of(item, said["protocol"])
    if item.text(multiport):
        ports, other = _ports(item, said["protocol"], multiport), ports
        _tell_range(reading, item, multiport, ports, other)
    said |= {"action": item.one_of("action", ACTIONS, Action.ALLOW), "enabled": item.flag("enabled", True)}
    number = item.number("priority")
    if number is not None and not 1 <= number <= 100:
        raise item.get("priority").bad(f"{number} is no priority", "a number from 1 to 100 belongs here")
    reading.draft.rule(item, group, ports, id_=item.text("id"), priority=number or 1, **said)


def _tell_range(reading: Reading, item: Item, multiport: str, ports: Service, other: Service) -> None:
    if other not in (ports, Service()):
        why = f"{multiport} {item.text(multiport)} counts"
        what = f"port_range_min {item.text('port_range_min')}, port_range_max {item.text('port_range_max')}"
        reading.draft.report.note(Outcome.TOLD, item, what, why)


def _ports(item: Item, protocol: Protocol, name: str) -> Service:
    if not item.text(name):
        return Service()
    ports = item.parsed(PortSet.parse, name)
    if str(ports) == "1-65535":
        return Service()
    return Service(ports) if protocol.has_ports else Service(lost=f"ports {ports}")


def read_address_group(reading: Reading, item: Item) -> None:
    """One of ``address_groups``: entries with remarks or without."""
    extra = [(each, "ip") for each in item.items("ip_extra_set")]
    entries = [each.parsed(_range, name) for each, name in extra] or [
        each.parsed(_range) for each in item.items("ip_set")
    ]
    found = reading.draft.address_group(item, item.need("id"), item.text("name"), entries)
    found.max_entries = item.number("max_capacity") or found.max_entries


def _range(text: str) -> AddressRange:
    return AddressRange.parse(text) if "-" in text else prefix_of(text).range


# ---- places


def read_vpc(reading: Reading, item: Item) -> None:
    """One of ``vpcs``."""
    prefixes = [item.parsed(prefix_of, "cidr")] if item.text("cidr") else []
    prefixes += [each.parsed(prefix_of) for each in item.items("extend_cidrs")]
    reading.draft.vpc(item, item.need("id"), item.text("name"), prefixes)


def read_subnet(reading: Reading, item: Item) -> None:
    """One of ``subnets``, which ports name as their network."""
    prefixes = [item.parsed(prefix_of, name) for name in ("cidr", "cidr_v6") if item.text(name)]
    reading.draft.subnet(item, item.need("id"), item.need("vpc_id"), item.text("name"), prefixes)


def read_port(reading: Reading, item: Item) -> None:
    """One of ``ports``."""
    machine = owner_of(reading, item, item.text("device_owner"), item.text("device_id", "instance_id"))
    if not machine:
        return
    addresses = [address for _, address in fixed_addresses(item)]
    groups = item.texts("security_groups") if item.flag("port_security_enabled", True) else [NO_FILTER]
    new = InterfaceDraft(item, machine, "", "", item.text("network_id"), addresses, groups or [NO_GROUP])
    reading.draft.interface(item.need("id"), new)
    tell_pairs(reading, item)


def read_peering(reading: Reading, item: Item) -> None:
    """One of ``peerings``."""
    if (status := item.text("status")) not in ("", "ACTIVE"):
        reading.draft.report.note(Outcome.LEFT_OUT, item, f"peering {item.need('id')}", f"it is {status}")
        return
    ends = [item.part(name).need("vpc_id") for name in ("request_vpc_info", "accept_vpc_info")]
    reading.draft.peering(item, item.need("id"), ends[0], ends[1])


# ---- network ACLs


def read_firewall(reading: Reading, item: Item) -> None:
    """A network ACL: the answer about one tells its lines, the list only how many there are."""
    reading.decisive(item, _FIREWALL, _FIREWALL_PASSED)
    id_ = item.need("id")
    for each in item.items("associations"):
        reading.draft.edges[each.need("virsubnet_id")] = (each, id_)
    counts = [item.number(f"{way}_firewall_rule_count") or 0 for way in ("ingress", "egress")]
    if any(counts) and not (item.has("ingress_rules") or item.has("egress_rules")):
        why = f"the list tells that it has {sum(counts)} lines, and not what they say; give the answer about it"
        reading.draft.report.note(Outcome.LEFT_OUT, item, f"ACL {id_}", why, "its subnets have none")
        return
    is_new = id_ not in reading.draft.acls
    acl = reading.draft.acl(item, id_)
    acl.label, acl.description = item.text("name"), item.text("description")
    acl.enabled = item.flag("admin_state_up", True)
    for way in Direction if is_new else ():
        for each in item.items(f"{way.value}_rules"):
            _read_line(reading, each, acl, way)


def _read_line(reading: Reading, item: Item, acl: AclDraft, way: Direction) -> None:
    reading.decisive(item, _LINE, fields("project_id created_at updated_at"))
    family = item.one_of("ip_version", _VERSIONS, Family.IPV4)
    protocol = protocol_in(item, "protocol", family)
    what: dict[str, Any] = {
        "direction": way,
        "action": item.one_of("action", ACTIONS),
        "protocol": protocol,
        "source": _side(item, "source", family),
        "destination": _side(item, "destination", family),
        "source_ports": _ports(item, protocol, "source_port").ports or ALL_PORTS,
        "enabled": item.flag("enabled", True),
        "name": item.text("name")[:128] if item.text("name").isprintable() else "",
        "description": item.text("description"),
    }
    reading.draft.line(item, acl, _ports(item, protocol, "destination_port"), id_=item.text("id"), **what)


def _side(item: Item, side: str, family: Family) -> Side:
    if listed := item.text(f"{side}_address_group_id"):
        return AddressGroupRemote(listed)
    name = f"{side}_ip_address"
    return item.parsed(prefix_of, name) if item.text(name) else EVERY[family]


LISTS: Final[Mapping[str, Read]] = {
    "vpcs": read_vpc,
    "subnets": read_subnet,
    "security_groups": read_group,
    "security_group_rules": read_rule,
    "address_groups": read_address_group,
    "ports": read_port,
    "peerings": read_peering,
    "firewalls": read_firewall,
}
"""What reads the things of a list, by the list's name; an answer about one thing is named without the s."""
