"""Resources of Terraform's provider for Alibaba Cloud."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ringfence.importing.alibaba import classic, ports_of, priority, remote_of
from ringfence.importing.drafted import InterfaceDraft
from ringfence.importing.reading import Read, Reading, fields
from ringfence.importing.report import Outcome
from ringfence.importing.services import address_of, prefix_of, protocol_of
from ringfence.importing.source import Item
from ringfence.model.group import GroupType
from ringfence.model.port_list import NamedPorts
from ringfence.model.profile import IntraGroup
from ringfence.model.rule import Action, Direction, NicType

_GROUP: Final = fields(
    "id name security_group_name description vpc_id inner_access inner_access_policy security_group_type"
)
_GROUP_PASSED: Final = fields("resource_group_id tags create_time timeouts security_group_id")
_RULE: Final = fields(
    "type ip_protocol nic_type policy port_range priority security_group_id cidr_ip ipv6_cidr_ip"
    " source_security_group_id source_group_owner_account prefix_list_id port_range_list_id description"
)
_FAR: Final = ("cidr_ip", "ipv6_cidr_ip", "source_security_group_id", "prefix_list_id", "source_group_owner_account")
_WAYS: Final = {"ingress": Direction.INGRESS, "egress": Direction.EGRESS}
_POLICIES: Final = {"accept": Action.ALLOW, "drop": Action.DENY}
_TYPES: Final = {"normal": GroupType.BASIC, "enterprise": GroupType.ADVANCED}
_INNER: Final = {"accept": IntraGroup.ACCEPT, "drop": IntraGroup.DROP}
_NICS: Final = {nic.value: nic for nic in NicType}


def read_group(reading: Reading, item: Item) -> None:
    """``alicloud_security_group``; its rules are resources of their own."""
    reading.decisive(item, _GROUP, _GROUP_PASSED)
    group = reading.draft.group(item, item.need("id"))
    group.label, group.description = item.text("security_group_name", "name"), item.text("description")
    group.vpc = item.text("vpc_id") or classic(reading, item)
    group.type = item.one_of("security_group_type", _TYPES, GroupType.BASIC)
    usual = IntraGroup.ACCEPT if item.flag("inner_access", True) else IntraGroup.DROP
    basic = item.one_of("inner_access_policy", _INNER, usual)
    group.intra_group = basic if group.type is GroupType.BASIC else IntraGroup.DROP
    group.rules_known = True


def read_rule(reading: Reading, item: Item) -> None:
    """``alicloud_security_group_rule``."""
    reading.decisive(item, _RULE, fields("id security_group_rule_id"))
    id_, protocol = item.need("security_group_id"), item.parsed(protocol_of, "ip_protocol")
    item.need("ip_protocol")
    known = reading.draft.groups.get(id_)
    what = {
        "direction": item.one_of("type", _WAYS),
        "action": item.one_of("policy", _POLICIES, Action.ALLOW),
        "protocol": protocol,
        "remote": remote_of(reading, item, _FAR),
        "priority": priority(reading, item, id_, "priority"),
        "nic": item.one_of("nic_type", _NICS, NicType.INTERNET) if known and known.vpc == "classic" else None,
        "description": item.text("description"),
    }
    said = item.parsed(lambda text: ports_of(text, protocol), "port_range")
    if item.text("port_range_list_id") and not item.text("port_range"):
        what["ports"] = item.parsed(NamedPorts, "port_range_list_id")
    reading.draft.rule(item, id_, said, id_=item.text("security_group_rule_id"), **what)


def read_prefix_list(reading: Reading, item: Item) -> None:
    """``alicloud_ecs_prefix_list``."""
    entries = [each.parsed(prefix_of, "cidr").range for each in item.items("entry")]
    found = reading.draft.address_group(item, item.need("id"), item.text("prefix_list_name"), entries)
    found.max_entries = item.number("max_entries")


def read_vpc(reading: Reading, item: Item) -> None:
    """``alicloud_vpc``."""
    prefixes = [item.parsed(prefix_of, name) for name in ("cidr_block", "ipv6_cidr_block") if item.text(name)]
    prefixes += [each.parsed(prefix_of) for each in item.items("secondary_cidr_blocks")]
    reading.draft.vpc(item, item.need("id"), item.text("vpc_name", "name"), prefixes)


def read_vswitch(reading: Reading, item: Item) -> None:
    """``alicloud_vswitch``."""
    prefixes = [item.parsed(prefix_of, name) for name in ("cidr_block", "ipv6_cidr_block") if item.text(name)]
    reading.draft.subnet(item, item.need("id"), item.need("vpc_id"), item.text("vswitch_name", "name"), prefixes)


def read_instance(reading: Reading, item: Item) -> None:
    """``alicloud_instance``: its primary interface."""
    id_ = item.need("id")
    own = [item.parsed(address_of, "private_ip")] if item.text("private_ip") else []
    own += [each.parsed(address_of) for each in item.items("ipv6_addresses")]
    place, groups = (item.text("vpc_id"), item.text("vswitch_id")), item.texts("security_groups")
    reading.draft.interface(f"{id_}-eth0", InterfaceDraft(item, id_, item.text("instance_name"), *place, own, groups))
    if public := item.text("public_ip"):
        why, done = "a world knows machines by their private addresses", "rules that name it mean nobody here"
        reading.draft.report.note(Outcome.TOLD, item, f"public address {public} of {id_}", why, done)


TYPES: Final[Mapping[str, Read]] = {
    "alicloud_vpc": read_vpc,
    "alicloud_vswitch": read_vswitch,
    "alicloud_subnet": read_vswitch,
    "alicloud_ecs_prefix_list": read_prefix_list,
    "alicloud_security_group": read_group,
    "alicloud_security_group_rule": read_rule,
    "alicloud_instance": read_instance,
}
"""Readers by types, in the order in which they read."""
