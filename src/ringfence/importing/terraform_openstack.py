"""Resources of Terraform's provider for OpenStack."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ringfence.importing.building import NO_FILTER
from ringfence.importing.neutron import RULE, RULE_PASSED, fixed_addresses, owner_of
from ringfence.importing.openstack import add_port, add_rule, add_subnet, describe
from ringfence.importing.reading import Read, Reading, fields
from ringfence.importing.services import address_of, prefix_of
from ringfence.importing.source import Item
from ringfence.importing.terraform_huawei import unset
from ringfence.model.rule import Direction

_GROUP: Final = fields("id name description stateful")
_GROUP_PASSED: Final = fields("region tenant_id delete_default_rules tags all_tags timeouts")


def read_group(reading: Reading, item: Item) -> None:
    """``openstack_networking_secgroup_v2``; the rules that OpenStack makes with it are told by no resource."""
    reading.decisive(item, _GROUP, _GROUP_PASSED)
    group = reading.draft.group(item, item.need("id"))
    describe(reading, item, group, item.text("name"), item.text("description"))
    group.rules_known = True
    if not item.flag("delete_default_rules", False):
        why = "OpenStack makes it with each group, and a state tells it only where it is a resource"
        reading.draft.usual_rules(item, item.need("id"), why, [(Direction.EGRESS, None)])


def read_rule(reading: Reading, item: Item) -> None:
    """``openstack_networking_secgroup_rule_v2``."""
    reading.decisive(item, RULE, RULE_PASSED | {"region", "timeouts"})
    add_rule(reading, unset(item), item.need("security_group_id"))


def read_subnet(reading: Reading, item: Item) -> None:
    """``openstack_networking_subnet_v2``."""
    add_subnet(reading, item, item.need("id"), item.text("network_id"), item.text("name"), "cidr")


def read_address_group(reading: Reading, item: Item) -> None:
    """``openstack_networking_address_group_v2``."""
    entries = [each.parsed(prefix_of).range for each in item.items("addresses")]
    reading.draft.address_group(item, item.need("id"), item.text("name"), entries)


def read_port(reading: Reading, item: Item) -> None:
    """``openstack_networking_port_v2``."""
    groups = item.texts("all_security_group_ids") or item.texts("security_group_ids")
    if not item.flag("port_security_enabled", True):
        groups = [NO_FILTER]
    machine = owner_of(reading, item, item.text("device_owner"), item.text("device_id"))
    if machine:
        fixed = fixed_addresses(item, "fixed_ip")
        known = {address for _, address in fixed}
        more = [("", each.parsed(address_of)) for each in item.items("all_fixed_ips")]
        fixed += [(subnet, address) for subnet, address in more if address not in known]
        add_port(reading, item, item.need("id"), machine, fixed, groups, item.text("network_id"))


def read_instance(reading: Reading, item: Item) -> None:
    """``openstack_compute_instance_v2``: it names its groups, and tells ports only where they are resources."""
    id_, label = item.need("id"), item.text("name")
    names = {group.label: group_id for group_id, group in reading.draft.groups.items()}
    groups = [names.get(each, each) for each in item.texts("security_groups")]
    for index, each in enumerate(item.items("network")):
        port = each.text("port") or f"{id_}-eth{index}"
        if port not in reading.draft.interfaces:
            texts = [name for name in ("fixed_ip_v4", "fixed_ip_v6") if each.text(name)]
            fixed = [("", each.parsed(lambda text: address_of(text.strip("[]")), name)) for name in texts]
            add_port(reading, each, port, id_, fixed, groups, each.text("uuid"))
        interface = reading.draft.interfaces[port]
        interface.machine, interface.label, interface.order = id_, label, index


TYPES: Final[Mapping[str, Read]] = {
    "openstack_networking_subnet_v2": read_subnet,
    "openstack_networking_address_group_v2": read_address_group,
    "openstack_networking_secgroup_v2": read_group,
    "openstack_networking_secgroup_rule_v2": read_rule,
    "openstack_networking_port_v2": read_port,
    "openstack_compute_instance_v2": read_instance,
}
"""Readers by types, in the order in which they read."""
