"""Resources of Terraform's provider for Huawei Cloud."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from ringfence.importing.drafted import InterfaceDraft
from ringfence.importing.huawei import add_rule
from ringfence.importing.reading import Read, Reading, fields
from ringfence.importing.report import Outcome
from ringfence.importing.services import address_of, prefix_of
from ringfence.importing.source import Item
from ringfence.model.address import AddressRange
from ringfence.model.rule import Direction, GroupRemote

_GROUP: Final = fields("id name description rules delete_default_rules")
_GROUP_PASSED: Final = fields("region enterprise_project_id tags created_at updated_at timeouts")
_RULE: Final = fields(
    "security_group_id direction ethertype protocol ports port_range_min port_range_max remote_ip_prefix"
    " remote_group_id remote_address_group_id action priority description"
)
_RULE_PASSED: Final = fields("id region created_at updated_at timeouts")


def unset(item: Item) -> Item:
    """The attributes of a rule, without the two ports where both are 0: so the provider writes that none is said."""
    values = item.mapping()
    if values.get("port_range_min") or values.get("port_range_max"):
        return item
    return replace(item, value={**values, "port_range_min": None, "port_range_max": None})


def read_group(reading: Reading, item: Item) -> None:
    """``huaweicloud_networking_secgroup``: as it was last refreshed, with rules that are resources of their own."""
    reading.decisive(item, _GROUP, _GROUP_PASSED)
    group = reading.draft.group(item, item.need("id"))
    reading.draft.describe(item, group, item.text("name"), item.text("description"))
    group.rules_known = True
    if not item.has("rules") and not item.flag("delete_default_rules", False):
        why = "Huawei Cloud makes it with each group, and this state does not tell the group's rules"
        own = [(Direction.INGRESS, GroupRemote(item.need("id"))), (Direction.EGRESS, None)]
        reading.draft.usual_rules(item, item.need("id"), why, own)
    for each in item.items("rules"):
        reading.decisive(each, _RULE, _RULE_PASSED)
        add_rule(reading, unset(each), item.need("id"), multiport="ports")


def read_rule(reading: Reading, item: Item) -> None:
    """``huaweicloud_networking_secgroup_rule``."""
    reading.decisive(item, _RULE, _RULE_PASSED)
    add_rule(reading, unset(item), item.need("security_group_id"), multiport="ports")


def read_address_group(reading: Reading, item: Item) -> None:
    """``huaweicloud_vpc_address_group``."""
    entries = [each.parsed(_range) for each in item.items("addresses")]
    found = reading.draft.address_group(item, item.need("id"), item.text("name"), entries)
    found.max_entries = item.number("max_capacity")


def _range(text: str) -> AddressRange:
    return AddressRange.parse(text) if "-" in text else prefix_of(text).range


def read_vpc(reading: Reading, item: Item) -> None:
    """``huaweicloud_vpc``."""
    prefixes = [item.parsed(prefix_of, name) for name in ("cidr", "secondary_cidr") if item.text(name)]
    prefixes += [each.parsed(prefix_of) for each in item.items("secondary_cidrs")]
    reading.draft.vpc(item, item.need("id"), item.text("name"), prefixes)


def read_subnet(reading: Reading, item: Item) -> None:
    """``huaweicloud_vpc_subnet``."""
    prefixes = [item.parsed(prefix_of, name) for name in ("cidr", "ipv6_cidr") if item.text(name)]
    reading.draft.subnet(item, item.need("id"), item.need("vpc_id"), item.text("name"), prefixes)


def read_instance(reading: Reading, item: Item) -> None:
    """``huaweicloud_compute_instance``: all its interfaces are in its groups."""
    id_, groups = item.need("id"), item.texts("security_group_ids") or ["no-group"]
    for index, each in enumerate(item.items("network")):
        own = [each.parsed(address_of, name) for name in ("fixed_ip_v4", "fixed_ip_v6") if each.text(name)]
        new = InterfaceDraft(each, id_, item.text("name"), "", each.text("uuid"), own, groups, index)
        reading.draft.interface(each.text("port") or f"{id_}-eth{index}", new)
    if public := item.text("public_ip"):
        why, done = "a world knows machines by their private addresses", "rules that name it mean nobody here"
        reading.draft.report.note(Outcome.TOLD, item, f"public address {public} of {id_}", why, done)


TYPES: Final[Mapping[str, Read]] = {
    "huaweicloud_vpc": read_vpc,
    "huaweicloud_vpc_v1": read_vpc,
    "huaweicloud_vpc_subnet": read_subnet,
    "huaweicloud_vpc_subnet_v1": read_subnet,
    "huaweicloud_vpc_address_group": read_address_group,
    "huaweicloud_networking_secgroup": read_group,
    "huaweicloud_networking_secgroup_v2": read_group,
    "huaweicloud_networking_secgroup_rule": read_rule,
    "huaweicloud_networking_secgroup_rule_v2": read_rule,
    "huaweicloud_compute_instance": read_instance,
}
"""Readers by types, in the order in which they read."""
