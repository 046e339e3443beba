"""IP address groups of version 3, through the SDK, down to packets."""

from __future__ import annotations

import pytest

from tests.wire.cloud import Cloud
from tests.wire.huawei.v3.asking import ask, dry_run, refused
from tests.wire.huawei.v3.estate import BOTH, NEITHER, ONLY_4, Estate, ids
from tests.wire.proving import proves

pytestmark = pytest.mark.packets

CREATE = "create_address_group"
NOBODY = "11111111-2222-3333-4444-555555555555"


def group_of(estate: Estate, *entries: str, version: int = 4, name: str = "offices") -> str:
    """The id of a new address group."""
    body = {"address_group": {"name": name, "ip_version": version, "ip_set": list(entries)}}
    return str(ask(estate.client, CREATE, body).address_group.id)


@proves(
    "huawei v3 create_address_group",
    "huawei v3 update_address_group",
    "huawei v3 delete_address_group",
    "huawei v3 delete_ip_address_group_force",
    "huawei v3 list_address_groups_dependency",
)
def test_rules_follow_the_entries_of_an_address_group(shared: Cloud) -> None:
    estate = Estate.of(shared)
    client, group = estate.client, estate.group(bare=True)
    one, two = estate.machine(group), estate.machine(group)
    (address,) = [it.ip_address for it in estate.port(one).private_ips if "." in it.ip_address]
    (six,) = [it.ip_address for it in estate.port(one).private_ips if ":" in it.ip_address]
    four = group_of(estate)
    assert estate.passes(one, two) == NEITHER
    estate.rule(group, remote_address_group_id=four)
    assert estate.passes(one, two) == NEITHER  # it has no entry yet

    def entries(id_: str, **said: object) -> object:
        return ask(client, "update_address_group", {"address_group": said}, address_group_id=id_).address_group

    extra = entries(four, ip_extra_set=[{"ip": address, "remarks": "one"}, {"ip": "10.9.0.1-10.9.0.7"}])
    told = [(it.ip, it.remarks) for it in extra.ip_extra_set]  # type: ignore[attr-defined]
    assert told == [(address, "one"), ("10.9.0.1-10.9.0.7", "")]
    assert estate.passes(one, two) == ONLY_4
    both = group_of(estate, six, version=6, name="six")
    estate.rule(group, remote_address_group_id=both, ethertype="IPv6")
    assert estate.passes(one, two) == BOTH
    used = ask(client, "list_address_groups_dependency", id=four).address_groups
    assert [(it.id, [(by.type, by.instance_id) for by in it.dependency]) for it in used] == [(four, [("sg", group)])]
    entries(both, ip_set=["fd00::/64"])
    assert estate.passes(one, two) == ONLY_4
    assert refused(client, "delete_address_group", address_group_id=four)[:2] == (409, "VPC.0602")
    acl = ask(client, "create_firewall", {"firewall": {"name": "edge"}}).firewall.id
    line = {"action": "allow", "protocol": "any", "ip_version": 4, "source_address_group_id": four}
    ask(client, "add_firewall_rules", {"firewall": {"ingress_rules": [line]}}, firewall_id=acl)
    (used,) = ask(client, "list_address_groups_dependency", id=four).address_groups
    assert {(by.type, by.instance_name) for by in used.dependency} == {("sg", "sg"), ("acl", "edge")}
    ask(client, "delete_ip_address_group_force", address_group_id=four)
    assert estate.passes(one, two) == NEITHER
    assert ask(client, "show_firewall", firewall_id=acl).firewall.ingress_rules == []
    spare = group_of(estate, name="spare")
    ask(client, "delete_address_group", address_group_id=spare)
    assert ids(ask(client, "list_address_group").address_groups) == [both]


@proves("huawei v3 show_address_group", "huawei v3 list_address_group", "huawei v3 create_address_group")
def test_address_groups_are_told(shared: Cloud) -> None:
    estate = Estate.of(shared)
    client = estate.client
    body = {"address_group": {"name": "a", "description": "d", "ip_version": 6, "ip_set": [], "max_capacity": 5}}
    made = ask(client, CREATE, body).address_group
    shown = ask(client, "show_address_group", address_group_id=made.id).address_group
    assert shown.to_dict() == made.to_dict()
    assert (made.ip_version, made.max_capacity, made.status, made.ip_set) == (6, 5, "NORMAL", [])
    other = group_of(estate, "10.0.0.0/8", "192.0.2.1")
    assert ask(client, "show_address_group", address_group_id=other).address_group.max_capacity == 20
    assert ids(ask(client, "list_address_group", ip_version=4).address_groups) == [other]
    assert ids(ask(client, "list_address_group", name=["a"], limit=1).address_groups) == [made.id]
    assert dry_run(client, CREATE, body) == 202
    assert len(ask(client, "list_address_group").address_groups) == 2


@proves("huawei v3 create_address_group", "huawei v3 update_address_group", "huawei v3 show_address_group")
def test_what_is_refused(shared: Cloud) -> None:
    estate = Estate.of(shared)
    client = estate.client
    for said in (
        {"ip_version": 5},
        {"ip_version": 6, "ip_set": ["10.0.0.1"]},
        {"ip_set": ["10.0.0.1", "fd00::1"]},
        {"ip_set": ["10.0.0.1", "10.0.0.1"]},
        {"ip_set": ["10.0.0.9-10.0.0.1"]},
        {"ip_set": ["office"]},
        {"ip_set": ["10.0.0.1"], "ip_extra_set": [{"ip": "10.0.0.1"}]},
        {"ip_extra_set": [{"ip": "10.0.0.1", "remarks": "x" * 256}]},
        {"name": "a b"},
    ):
        body = {"address_group": {"name": "ok", "ip_version": 4, **said}}
        status, code, _ = refused(client, CREATE, body)
        assert (status, code) == (400, "VPC.0601"), said
    for said in (
        {"ip_set": [f"10.0.0.{number}" for number in range(21)]},
        {"max_capacity": 21},
        {"max_capacity": 1, "ip_set": ["10.0.0.1", "10.0.0.2"]},
    ):
        body = {"address_group": {"name": "ok", "ip_version": 4, **said}}
        assert refused(client, CREATE, body)[:2] == (409, "VPC.0604"), said
    group = group_of(estate)
    for said in ({"max_capacity": 3}, {"ip_set": ["fd00::1"]}):
        found = refused(client, "update_address_group", {"address_group": said}, address_group_id=group)
        assert found[:2] == (400, "VPC.0601"), said
    for method in ("show_address_group", "delete_address_group", "delete_ip_address_group_force"):
        assert refused(client, method, address_group_id=NOBODY)[:2] == (404, "VPC.2204")
    other = Estate.of(shared)
    assert refused(other.client, "show_address_group", address_group_id=group)[:2] == (404, "VPC.2204")
