"""Supplementary network interfaces of version 3, through the SDK, down to packets."""

from __future__ import annotations

from typing import Any

import pytest

from tests.wire.cloud import Cloud
from tests.wire.huawei.v3.asking import ask, dry_run, refused
from tests.wire.huawei.v3.estate import BOTH, NEITHER, Estate, ids
from tests.wire.proving import proves

pytestmark = pytest.mark.packets

NOBODY = "11111111-2222-3333-4444-555555555555"
CREATE = "create_sub_network_interface"


def made(estate: Estate, parent: str, **said: Any) -> Any:
    """A new supplementary interface of a port."""
    body = {"sub_network_interface": {"virsubnet_id": estate.subnet, "parent_id": parent, **said}}
    return ask(estate.client, CREATE, body).sub_network_interface


def name_of(estate: Estate, interface: Any) -> str:
    """What a flow calls an interface: by its machine and its name there."""
    port = estate.cloud.runtime.control.state.world.port_by_name
    (found,) = [name for name, it in port.items() if str(it.addresses[0]) == interface.private_ip_address]
    return found


@proves(
    "huawei v3 create_sub_network_interface",
    "huawei v3 update_sub_network_interface",
    "huawei v3 attach_sub_network_interface",
    "huawei v3 detach_sub_network_interface",
    "huawei v3 migrate_sub_network_interface",
    "huawei v3 delete_sub_network_interface",
    "huawei v3 show_sub_network_interface",
)
def test_an_interface_has_groups_of_its_own_wherever_it_hangs(shared: Cloud) -> None:
    estate = Estate.of(shared)
    client, shut, web = estate.client, estate.group("shut", bare=True), estate.group("web", bare=True)
    for ethertype in ("IPv4", "IPv6"):
        estate.rule(web, ethertype=ethertype)
    one, two, three = (estate.machine(shut) for _ in range(3))
    first, second = estate.port(two).id, estate.port(three).id
    sub = made(estate, first, security_groups=[shut], ipv6_enable=True, description="d", vlan_id="7")
    assert (sub.parent_id, sub.parent_device_id, sub.vlan_id, sub.state) == (first, two, 7, "NORMAL")
    assert (sub.description, sub.security_groups, sub.virsubnet_id) == ("d", [shut], estate.subnet)
    assert estate.passes(one, name_of(estate, sub)) == NEITHER
    path = {"sub_network_interface_id": sub.id}
    body: dict[str, Any] = {"sub_network_interface": {"security_groups": [web], "description": "w"}}
    told = ask(client, "update_sub_network_interface", body, **path).sub_network_interface
    assert (told.security_groups, told.description) == ([web], "w")
    assert estate.passes(one, name_of(estate, sub)) == BOTH
    assert estate.passes(one, two) == NEITHER  # the port that it hangs off has its own groups
    told = ask(client, "detach_sub_network_interface", **path).sub_network_interface
    assert (told.state, told.parent_id, told.security_groups) == ("UNBOUND", "", [web])
    body = {"sub_network_interface": {"parent_id": second}}
    told = ask(client, "attach_sub_network_interface", body, **path).sub_network_interface
    assert (told.state, told.parent_device_id, told.private_ip_address) == ("NORMAL", three, sub.private_ip_address)
    assert estate.passes(one, name_of(estate, sub)) == BOTH
    body = {"migration_info": {"parent_id": first, "sub_network_interfaces": [{"sub_network_interface_id": sub.id}]}}
    (told,) = ask_migration(client, body)
    assert (told.parent_id, told.parent_device_id) == (first, two)
    assert estate.passes(one, name_of(estate, sub)) == BOTH
    assert ask(client, "show_sub_network_interface", **path).sub_network_interface.parent_id == first
    ask(client, "delete_sub_network_interface", **path)
    assert refused(client, "show_sub_network_interface", **path)[:2] == (404, "VPC.2204")


def ask_migration(client: Any, body: dict[str, Any]) -> Any:
    """Move interfaces, and tell them."""
    return ask(client, "migrate_sub_network_interface", body).sub_network_interfaces


@proves(
    "huawei v3 batch_create_sub_network_interface",
    "huawei v3 list_sub_network_interfaces",
    "huawei v3 show_sub_network_interfaces_quantity",
)
def test_many_at_once_are_listed_and_counted(shared: Cloud) -> None:
    estate = Estate.of(shared)
    client, group = estate.client, estate.group()
    one, two = estate.machine(group), estate.machine(group)
    parent = estate.port(two).id
    body = {
        "sub_network_interface": {"virsubnet_id": estate.subnet, "parent_id": parent, "security_groups": [group]},
        "count": 3,
    }
    batch = "batch_create_sub_network_interface"
    assert dry_run(client, batch, body) == 202
    told = ask(client, batch, body).sub_network_interfaces
    assert [it.vlan_id for it in told] == [1, 2, 3]
    assert {it.ipv6_ip_address for it in told} == {""}
    assert ask(client, "show_sub_network_interfaces_quantity").sub_network_interfaces == 3
    for said, found in (
        ({}, 3),
        ({"parent_id": [parent]}, 3),
        ({"private_ip_address": [told[0].private_ip_address], "vpc_id": [estate.vpc]}, 1),
        ({"mac_address": [told[1].mac_address, "x"]}, 1),
        ({"virsubnet_id": [NOBODY]}, 0),
        ({"id": ids(told), "limit": 2}, 2),
    ):
        assert len(ask(client, "list_sub_network_interfaces", **said).sub_network_interfaces) == found, said
    assert estate.cloud.passes(f"{one} -> {name_of(estate, told[2])} tcp/80")
    (port,) = ask(client, "list_ports", id=[told[0].id]).ports
    assert (port.bindingvif_details.vlan_id, port.bindingvif_details.parent_id) == (1, parent)
    default = made(estate, parent)
    (group_id,) = default.security_groups
    assert ask(client, "show_security_group", security_group_id=group_id).security_group.name == "default"


@proves(
    "huawei v3 create_sub_network_interface",
    "huawei v3 attach_sub_network_interface",
    "huawei v3 detach_sub_network_interface",
    "huawei v3 migrate_sub_network_interface",
)
def test_what_is_refused(shared: Cloud) -> None:
    estate = Estate.of(shared)
    client, group = estate.client, estate.group()
    parent = estate.port(estate.machine(group)).id
    sub = made(estate, parent, vlan_id="9", security_groups=[group])
    for said, expected in (
        ({"parent_id": NOBODY}, (404, "VPC.2204")),
        ({"virsubnet_id": NOBODY}, (404, "VPC.2204")),
        ({"security_groups": [NOBODY]}, (404, "VPC.0603")),
        ({"vlan_id": "9"}, (400, "VPC.2500")),
        ({"vlan_id": "5000"}, (400, "VPC.2500")),
        ({"vlan_id": "x"}, (400, "VPC.2500")),
        ({"private_ip_address": "10.9.9.9"}, (400, "VPC.2500")),
        ({"private_ip_address": sub.private_ip_address}, (400, "VPC.2500")),
        ({"allowed_address_pairs": [{"ip_address": "10.0.0.1"}]}, (400, "VPC.2500")),
        ({"project_id": "another"}, (400, "VPC.0007")),
        ({"description": "<"}, (400, "VPC.2500")),
        ({"parent_id": sub.id}, (400, "VPC.2500")),
    ):
        body = {"sub_network_interface": {"virsubnet_id": estate.subnet, "parent_id": parent, **said}}
        assert refused(client, CREATE, body)[:2] == expected, said
    none = {"sub_network_interface": {"virsubnet_id": estate.subnet, "parent_id": parent}, "count": 0}
    assert refused(client, "batch_create_sub_network_interface", none)[:2] == (400, "VPC.2500")
    path = {"sub_network_interface_id": parent}
    for method in ("show", "detach", "delete"):
        assert refused(client, f"{method}_sub_network_interface", **path)[:2] == (404, "VPC.2204"), method
    path = {"sub_network_interface_id": sub.id}
    for said in ({"parent_id": sub.id}, {"parent_id": parent, "security_enabled": False}):
        found = refused(client, "attach_sub_network_interface", {"sub_network_interface": said}, **path)
        assert found[:2] == ((409, "VPC.0701") if len(said) == 1 else (400, "VPC.2500")), said
    bare: dict[str, Any] = {"parent_id": parent, "sub_network_interfaces": []}
    for moved, expected in ((bare, (400, "VPC.2500")), (bare | {"sub_network_interfaces": [{}]}, (400, "VPC.2500"))):
        assert refused(client, "migrate_sub_network_interface", {"migration_info": moved})[:2] == expected
    ask(client, "detach_sub_network_interface", **path)
    assert refused(client, "detach_sub_network_interface", **path)[:2] == (409, "VPC.0701")
    update: dict[str, Any] = {"sub_network_interface": {"security_groups": []}}
    assert refused(client, "update_sub_network_interface", update, **path)[:2] == (400, "VPC.2500")
