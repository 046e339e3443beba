"""Ports through the SDK, of versions 1 and 2.0 alike, down to the packets."""

from __future__ import annotations

import re
from typing import Any

import pytest

from ringfence.model.address import Family
from tests.wire.cloud import Cloud
from tests.wire.huawei.calling import Table, ask, check, native, refused
from tests.wire.huawei.v1.test_groups import BOTH, a_group, a_rule
from tests.wire.huawei.v1.test_networks import a_subnet, a_vpc
from tests.wire.proving import proves
from tests.wire.sdks import Sdks

pytestmark = pytest.mark.packets

ROUTER = "network:router_interface_distributed"


def a_port(sdks: Sdks, subnet: str, before: str = "", **said: Any) -> Any:
    """A new port, as the SDK tells it."""
    return ask(sdks, f"{before}create_port", {"port": {"network_id": subnet, **said}}).port


def attached(sdks: Sdks, port: str) -> str:
    """The id of a new instance that a port is attached to."""
    with native(sdks) as client:
        instance = client.post("/v1/instances", {"serve": ["tcp/80"]})["item"]["id"]
        client.post(f"/v1/ports/{port}/attach", {"instance": instance})
    assert isinstance(instance, str)
    return instance


@proves(
    *(f"huawei v1 {it}_port" for it in ("create", "show", "update", "delete")),
    *(f"huawei v2.0 neutron_{it}_port" for it in ("create", "show", "update", "delete")),
)
@pytest.mark.parametrize("before", BOTH)
def test_a_port_from_its_making_to_its_end_and_what_passes_by_it(shared: Cloud, before: str) -> None:
    sdks = shared.tenant()
    subnet = a_subnet(sdks, a_vpc(sdks).id, ipv6_enable=True)
    open_, closed = a_group(sdks, before), a_group(sdks, before, name="closed")
    for ethertype in ("IPv4", "IPv6"):
        a_rule(sdks, open_.id, before, protocol="tcp", port_range_min=80, port_range_max=80, ethertype=ethertype)
    fixed = [{"subnet_id": subnet.neutron_subnet_id, "ip_address": "10.0.1.50"}]
    made = a_port(sdks, subnet.id, before, name="one", fixed_ips=fixed, security_groups=[closed.id])
    told = [(it.subnet_id, it.ip_address) for it in made.fixed_ips]
    assert (told, made.name, made.status) == ([(subnet.neutron_subnet_id, "10.0.1.50")], "one", "DOWN")
    assert (made.device_id, made.device_owner, made.security_groups) == ("", "", [closed.id])
    other = a_port(sdks, subnet.id, before)
    assert {it.subnet_id for it in other.fixed_ips} == {subnet.neutron_subnet_id, subnet.neutron_subnet_id_v6}
    assert re.fullmatch("(..:){5}..", other.mac_address)
    (default,) = other.security_groups
    shown = ask(sdks, f"{before}show_security_group", security_group_id=default).security_group
    assert shown.name == "default"
    two = attached(sdks, made.id), attached(sdks, other.id)
    shown = ask(sdks, f"{before}show_port", port_id=made.id).port
    assert (shown.device_id, shown.status, shown.mac_address) == (two[0], "ACTIVE", made.mac_address)
    flow, back = f"{two[1]} -> {two[0]} tcp/80", f"{two[0]} -> {two[1]} tcp/80"
    assert not shared.passes(flow)
    changed = ask(
        sdks, f"{before}update_port", {"port": {"name": "web", "security_groups": [open_.id]}}, port_id=made.id
    ).port
    assert (changed.name, changed.security_groups) == ("web", [open_.id])
    assert shared.passes(flow)
    ask(sdks, f"{before}update_port", {"port": {"security_groups": [closed.id, open_.id]}}, port_id=other.id)
    six = a_port(sdks, subnet.id, before, security_groups=[open_.id])
    assert shared.passes(f"{attached(sdks, six.id)} -> {two[1]} tcp/80", Family.IPV6)
    ask(sdks, f"{before}update_port", {"port": {"security_groups": [closed.id]}}, port_id=other.id)
    assert not shared.passes(back)
    ask(sdks, f"{before}delete_port", port_id=other.id)
    assert refused(sdks, f"{before}show_port", port_id=other.id) == (404, "VPC.2204")


@proves("huawei v1 list_ports", "huawei v2.0 neutron_list_ports")
@pytest.mark.parametrize("before", BOTH)
def test_lists_of_ports_are_narrowed_and_paged(shared: Cloud, before: str) -> None:
    sdks = shared.tenant()
    vpc, group = a_vpc(sdks), a_group(sdks)
    web, db = a_subnet(sdks, vpc.id), a_subnet(sdks, vpc.id, "10.0.2")
    one = a_port(sdks, web.id, name="one", security_groups=[group.id])
    two = a_port(sdks, db.id, name="two", security_groups=[a_group(sdks).id])
    instance = attached(sdks, one.id)

    def found(**said: Any) -> list[str]:
        return [it.id for it in ask(sdks, f"{before}list_ports", **said).ports]

    routers = found(device_owner=ROUTER)
    assert (len(routers), set(found())) == (2, {one.id, two.id, *routers})
    for said in (
        {"name": "one"},
        {"network_id": web.id, "device_owner": "compute:local"},
        {"mac_address": one.mac_address},
        {"device_id": instance},
        {"status": "ACTIVE", "security_groups": [group.id]},
        {"fixed_ips": ["ip_address=10.0.1.2"]},
        {"id": one.id if before else [one.id]},
    ):
        assert found(**said) == [one.id], said
    assert (found(admin_state_up=False), found(fixed_ips=["ip_address=10.0.9.9"])) == ([], [])
    assert set(found(fixed_ips=[f"subnet_id={db.neutron_subnet_id}"])) & {one.id, two.id} == {two.id}
    first = found(limit=3)
    assert [*first, *found(limit=3, marker=first[-1])] == sorted(found())
    (router,) = (
        ask(sdks, f"{before}show_port", port_id=it).port for it in found(network_id=web.id, device_owner=ROUTER)
    )
    assert (router.device_id, router.fixed_ips[0].ip_address, router.security_groups) == (vpc.id, "10.0.1.1", [])


@pytest.mark.parametrize("before", BOTH)
def test_what_is_refused_of_ports(shared: Cloud, before: str) -> None:
    sdks, stranger = shared.tenant(), shared.tenant()
    vpc = a_vpc(sdks)
    subnet, group, foreign = a_subnet(sdks, vpc.id), a_group(sdks), a_group(stranger)
    port = a_port(sdks, subnet.id, fixed_ips=[{"ip_address": "10.0.1.9"}], security_groups=[group.id])
    theirs = a_port(stranger, a_subnet(stranger, a_vpc(stranger).id).id)
    (router,) = ask(sdks, "list_ports", device_owner=ROUTER).ports
    many = [a_group(sdks, name=f"g{n}").id for n in range(6)]
    bad = (400, "VPC.2500")
    rows: list[tuple[dict[str, Any], tuple[int, str]]] = [
        ({"network_id": "none"}, (404, "VPC.2204")),
        ({"security_groups": [foreign.id]}, (404, "VPC.0603")),
        ({"security_groups": many}, bad),
        ({"fixed_ips": [{"ip_address": "10.0.9.9"}]}, bad),
        ({"fixed_ips": [{"ip_address": "10.0.1.1"}]}, bad),
        ({"fixed_ips": [{"ip_address": "10.0.1.x"}]}, bad),
        ({"fixed_ips": [{"subnet_id": "none"}]}, bad),
        ({"fixed_ips": [{"ip_address": "10.0.1.9"}]}, (409, "VPC.0701")),
        ({"device_owner": "neutron:VIP_PORT"}, bad),
        ({"admin_state_up": False}, bad),
        ({"allowed_address_pairs": [{"ip_address": "10.0.1.99"}]}, bad),
        ({"name": "x" * 300}, bad),
    ]
    rows += [({"port_security_enabled": False}, bad), ({"binding:vnic_type": "direct"}, bad)] if before else []
    rows += [] if before else [({"tenant_id": "another"}, bad)]
    table: Table = [
        (f"{before}create_port", {"port": {"network_id": subnet.id, **said}}, {}, expected) for said, expected in rows
    ]
    changes: list[tuple[str, dict[str, Any], tuple[int, str]]] = [
        (port.id, {"security_groups": []}, bad),
        (port.id, {"security_groups": [foreign.id]}, (404, "VPC.0603")),
        (port.id, {"security_groups": many}, bad),
        (theirs.id, {"name": "n"}, (404, "VPC.2204")),
        (router.id, {"name": "n"}, (409, "VPC.2500")),
    ]
    table += [(f"{before}update_port", {"port": said}, {"port_id": id_}, code) for id_, said, code in changes]
    table += [
        (f"{before}show_port", None, {"port_id": theirs.id}, (404, "VPC.2204")),
        (f"{before}delete_port", None, {"port_id": theirs.id}, (404, "VPC.2204")),
        (f"{before}delete_port", None, {"port_id": router.id}, (409, "VPC.2500")),
        (f"{before}list_ports", None, {"fixed_ips": ["10.0.1.9"]}, bad),
        (f"{before}list_ports", None, {"limit": 5000}, bad),
        ("delete_subnet", None, {"vpc_id": vpc.id, "subnet_id": subnet.id}, (409, "VPC.0602")),
    ]
    check(sdks, table)
    reader = shared.user(sdks, {"Effect": "Allow", "Action": ["vpc:ports:get"], "Resource": ["*"]}, version="1.1")
    assert [it.id for it in ask(reader, f"{before}list_ports").ports] == [port.id]
    body = {"port": {"security_groups": [many[0]]}}
    assert refused(reader, f"{before}update_port", body, port_id=port.id) == (403, "VPC.2201")
