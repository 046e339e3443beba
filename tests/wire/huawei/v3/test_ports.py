"""Ports of version 3 and the security groups that they are in, through the SDK, down to packets."""

from __future__ import annotations

from typing import Any

import pytest

from ringfence.client.client import Client
from tests.wire.cloud import Cloud
from tests.wire.huawei.v3.asking import ask, dry_run, refused
from tests.wire.huawei.v3.estate import BOTH, NEITHER, Estate, ids
from tests.wire.proving import proves

pytestmark = pytest.mark.packets

NOBODY = "11111111-2222-3333-4444-555555555555"


@proves("huawei v3 add_security_groups", "huawei v3 remove_security_groups", "huawei v3 show_port")
def test_a_port_joins_groups_at_a_place_and_leaves_them(shared: Cloud) -> None:
    estate = Estate.of(shared)
    client = estate.client
    first, web, last = estate.group("first", bare=True), estate.group("web", bare=True), estate.group("last", bare=True)
    for ethertype in ("IPv4", "IPv6"):
        estate.rule(web, ethertype=ethertype)
    one, two = estate.machine(first), estate.machine(first)
    port = estate.port(two).id
    assert estate.passes(one, two) == NEITHER
    body: dict[str, Any] = {"port": {"security_groups": [last]}}
    assert dry_run(client, "add_security_groups", body, port_id=port) == 202
    assert ask(client, "add_security_groups", body, port_id=port).port.security_groups == [first, last]
    body = {"port": {"security_groups": [web, first], "index": 1}}
    assert ask(client, "add_security_groups", body, port_id=port).port.security_groups == [first, web, last]
    assert estate.passes(one, two) == BOTH
    assert ids(ask(client, "list_ports", security_groups=[web]).ports) == [port]
    body = {"port": {"security_groups": [web, last]}}
    assert ask(client, "remove_security_groups", body, port_id=port).port.security_groups == [first]
    assert estate.passes(one, two) == NEITHER
    assert ask(client, "show_port", port_id=port).port.security_groups == [first]


@proves("huawei v3 add_security_groups", "huawei v3 remove_security_groups", "huawei v3 show_port")
def test_what_is_refused(shared: Cloud) -> None:
    estate = Estate.of(shared)
    client = estate.client
    groups = [estate.group(f"g{number}", bare=True) for number in range(6)]
    port = estate.port(estate.machine(groups[0])).id
    their = estate.of(shared).group()
    add, remove = "add_security_groups", "remove_security_groups"
    for method, said, expected in (
        (add, {"security_groups": []}, (400, "VPC.2500")),
        (add, {"security_groups": [NOBODY]}, (404, "VPC.0603")),
        (add, {"security_groups": [their]}, (404, "VPC.0603")),
        (add, {"security_groups": ["g1"]}, (404, "VPC.0603")),
        (add, {"security_groups": groups[1:2], "index": 2}, (400, "VPC.2500")),
        (add, {"security_groups": groups[1:2], "index": -1}, (400, "VPC.2500")),
        (add, {"security_groups": groups[1:]}, (400, "VPC.2500")),
        (remove, {"security_groups": groups[1:2]}, (400, "VPC.2500")),
        (remove, {"security_groups": groups[:1]}, (400, "VPC.2500")),
    ):
        assert refused(client, method, {"port": said}, port_id=port)[:2] == expected, said
    for method in (add, remove):
        assert refused(client, method, {"port": {"security_groups": groups[:1]}}, port_id=NOBODY)[0] == 404
    assert refused(client, "show_port", port_id=NOBODY)[:2] == (404, "VPC.2204")
    leave = {"Effect": "Allow", "Action": ["vpc:ports:get", "vpc:ports:list"], "Resource": ["*"]}
    reader = shared.user(estate.sdks, leave, version="1.1").huawei()
    assert ask(reader, "show_port", port_id=port).port.id == port
    assert refused(reader, add, {"port": {"security_groups": groups[1:2]}}, port_id=port)[:2] == (403, "VPC.2201")


@proves("huawei v3 list_ports", "huawei v3 show_port")
def test_ports_are_told_and_found(shared: Cloud) -> None:
    estate = Estate.of(shared)
    client, group = estate.client, estate.group()
    one, two = estate.machine(group), estate.machine(group)
    first, second = estate.port(one), estate.port(two)
    four, six = (it.ip_address for it in first.private_ips)
    assert (first.status, first.device_id, first.virsubnet_id, first.vpc_id) == (
        "ACTIVE",
        one,
        estate.subnet,
        estate.vpc,
    )
    assert (first.device_owner, first.project_id, first.security_groups) == (
        "compute:local",
        estate.sdks.account,
        [group],
    )
    assert first.mac_address != second.mac_address
    for said, found in (
        ({}, [first, second]),
        ({"id": [first.id]}, [first]),
        ({"device_id": [two]}, [second]),
        ({"private_ips": [f"ip_address={four}"]}, [first]),
        ({"private_ips": [f"ip_address={six}"], "mac_address": [first.mac_address]}, [first]),
        ({"private_ips": [f"subnet_cidr_id={first.private_ips[0].subnet_cidr_id}"]}, [first, second]),
        ({"virsubnet_id": [estate.subnet], "vpc_id": [estate.vpc]}, [first, second]),
        ({"vpc_id": [NOBODY]}, []),
        ({"device_owner_prefixlike": "compute", "status": "ACTIVE"}, [first, second]),
        ({"device_owner_prefixlike": "neutron"}, []),
        ({"admin_state_up": False}, []),
    ):
        told = ask(client, "list_ports", **said).ports
        assert ids(told) == sorted(ids(found)), said
    page = ask(client, "list_ports", limit=1)
    assert ids(page.ports) == sorted(ids([first, second]))[:1]
    with Client(shared.url, key=estate.sdks.key) as native:
        assert native.get(f"/v1/ports/{first.id}")["groups"] == [group]
