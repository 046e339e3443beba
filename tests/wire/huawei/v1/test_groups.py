"""Security groups and rules through the SDK, of versions 1 and 2.0 alike, down to the packets."""

from __future__ import annotations

from typing import Any

import pytest

from ringfence.model.address import Family
from tests.wire.cloud import Cloud
from tests.wire.huawei.calling import Table, ask, check, native, refused
from tests.wire.huawei.v1.test_networks import a_subnet, a_vpc
from tests.wire.proving import proves
from tests.wire.sdks import Sdks

pytestmark = pytest.mark.packets

BOTH = ("", "neutron_")
"""What stands before the names of methods: of version 1, and of version 2.0."""


def a_group(sdks: Sdks, before: str = "", **said: Any) -> Any:
    """A new group, as the SDK tells it."""
    return ask(sdks, f"{before}create_security_group", {"security_group": {"name": "web", **said}}).security_group


def a_rule(sdks: Sdks, group: str, before: str = "", **said: Any) -> Any:
    """A new rule, as the SDK tells it."""
    wanted = {"security_group_id": group, "direction": "ingress", **said}
    told = ask(sdks, f"{before}create_security_group_rule", {"security_group_rule": wanted})
    return told.security_group_rule


def tell(rule: Any) -> tuple[Any, ...]:
    """What a rule says, in short."""
    remote = rule.remote_ip_prefix or rule.remote_group_id or rule.remote_address_group_id
    return rule.direction, rule.ethertype, rule.protocol, rule.port_range_min, rule.port_range_max, remote


@proves(
    *(f"huawei v1 {it}_security_group" for it in ("create", "show", "delete")),
    *(f"huawei v2.0 neutron_{it}_security_group" for it in ("create", "show", "update", "delete")),
    *("huawei v1 list_security_groups", "huawei v2.0 neutron_list_security_groups"),
)
@pytest.mark.parametrize("before", BOTH)
def test_a_group_from_its_making_to_its_end(shared: Cloud, before: str) -> None:
    sdks = shared.tenant()
    more = {"description": "d"} if before else {"vpc_id": a_vpc(sdks).id, "enterprise_project_id": "0"}
    made = a_group(sdks, before, **more)
    own = [("egress", "IPv4", None, None, None, "0.0.0.0/0"), ("egress", "IPv6", None, None, None, "::/0")]
    own += [("ingress", each, None, None, None, made.id) for each in ("IPv4", "IPv6")]
    assert sorted(map(tell, made.security_group_rules)) == sorted(own)
    others = [a_group(sdks, before, name=f"g{n}") for n in (1, 2)]
    every = sorted(it.id for it in (made, *others))
    listed = ask(sdks, f"{before}list_security_groups")
    page = ask(sdks, f"{before}list_security_groups", limit=2)
    rest = ask(sdks, f"{before}list_security_groups", limit=2, marker=page.security_groups[-1].id)
    told = [[it.id for it in each.security_groups] for each in (listed, page, rest)]
    assert told == [every, every[:2], every[2:]]
    if before:
        assert (len(page.security_groups_links), rest.security_groups_links) == (1, [])
        assert f"marker={every[1]}" in page.security_groups_links[0].href
        (found,) = ask(sdks, "neutron_list_security_groups", name="g1", tenant_id=sdks.account).security_groups
        assert found.id == others[0].id
        said = {"security_group": {"name": "db", "description": "e"}}
        made = ask(sdks, "neutron_update_security_group", said, security_group_id=made.id).security_group
        assert (made.name, made.description, made.project_id) == ("db", "e", sdks.account)
    assert ask(sdks, f"{before}show_security_group", security_group_id=made.id).security_group == made
    ask(sdks, f"{before}delete_security_group", security_group_id=made.id)
    assert refused(sdks, f"{before}show_security_group", security_group_id=made.id) == (404, "VPC.0603")


@proves(
    *(f"huawei v1 {it}_security_group_rule" for it in ("create", "show", "delete")),
    *(f"huawei v2.0 neutron_{it}_security_group_rule" for it in ("create", "show", "delete")),
    *("huawei v1 list_security_group_rules", "huawei v2.0 neutron_list_security_group_rules"),
)
@pytest.mark.parametrize("before", BOTH)
def test_a_packet_passes_while_a_rule_lets_it(shared: Cloud, before: str) -> None:
    sdks = shared.tenant()
    vpc = a_vpc(sdks)
    subnet = a_subnet(sdks, vpc.id, ipv6_enable=True)
    web, other = a_group(sdks, before), a_group(sdks, before, name="other")
    with native(sdks) as client:
        ids = [
            client.post("/v1/instances", {"ports": [{"subnet": subnet.id, "groups": [group.id]}], "serve": ["tcp/80"]})
            for group in (web, other)
        ]
    (one, two) = (it["item"]["id"] for it in ids)
    flow = f"{two} -> {one} tcp/80"
    assert not shared.passes(flow)
    for family, ethertype, every in ((Family.IPV4, "IPv4", "10.0.0.0/8"), (Family.IPV6, "IPv6", "fd00::/8")):
        said = {"protocol": "tcp", "port_range_min": 80, "port_range_max": 80, "ethertype": ethertype}
        made = a_rule(sdks, web.id, before, remote_ip_prefix=every, description="http", **said)
        assert (*tell(made), made.description) == ("ingress", ethertype, "tcp", 80, 80, every, "http")
        assert shared.passes(flow, family)
        assert (
            ask(sdks, f"{before}show_security_group_rule", security_group_rule_id=made.id).security_group_rule == made
        )
        ask(sdks, f"{before}delete_security_group_rule", security_group_rule_id=made.id)
        assert not shared.passes(flow, family)
        made = a_rule(sdks, web.id, before, remote_group_id=other.id, ethertype=ethertype)
        assert tell(made) == ("ingress", ethertype, None, None, None, other.id)
        found = ask(sdks, f"{before}list_security_group_rules", security_group_id=web.id).security_group_rules
        assert (made in found, len(found)) == (True, 5)
        assert shared.passes(flow, family)
        ask(sdks, f"{before}delete_security_group_rule", security_group_rule_id=made.id)
    assert not shared.passes(flow, Family.IPV6)


def test_rules_of_other_apis_are_shown_reduced(shared: Cloud) -> None:
    sdks = shared.tenant()
    group = a_group(sdks)
    kept = {it.id for it in group.security_group_rules}
    with native(sdks) as client:
        made = [
            client.post("/v1/rules", {"group": group.id, "rule": line})["item"]["id"]
            for line in (
                "in allow tcp 22,80-90 from 10.0.0.0/8 priority 7",
                "in allow udp 53 from any",
                "in deny tcp 25 from any",
                "in allow tcp 443 from any disabled",
            )
        ]
    for before in BOTH:
        found = [it for it in ask(sdks, f"{before}list_security_group_rules").security_group_rules if it.id not in kept]
        pages: list[Any] = []
        marker: dict[str, str] = {}
        while page := ask(sdks, f"{before}list_security_group_rules", limit=1, **marker).security_group_rules:
            pages, marker = [*pages, *page], {"marker": page[-1].id}
        assert [it for it in pages if it.id not in kept] == found
        assert sorted((it.id, *tell(it)[1:]) for it in found) == sorted(
            [
                (made[0], "IPv4", "tcp", 22, 22, "10.0.0.0/8"),
                (made[0], "IPv4", "tcp", 80, 90, "10.0.0.0/8"),
                (made[1], "IPv4", "udp", 53, 53, "0.0.0.0/0"),
                (made[1], "IPv6", "udp", 53, 53, "::/0"),
            ]
        )
        shown = ask(sdks, f"{before}show_security_group", security_group_id=group.id).security_group
        assert len(shown.security_group_rules) == len(kept) + len(found)
        assert refused(sdks, f"{before}show_security_group_rule", security_group_rule_id=made[2]) == (404, "VPC.0612")
    for rule in made:
        ask(sdks, "delete_security_group_rule", security_group_rule_id=rule)
    assert len(ask(sdks, "list_security_group_rules").security_group_rules) == len(kept)


@pytest.mark.parametrize("before", BOTH)
def test_what_is_refused_of_groups_and_rules(shared: Cloud, before: str) -> None:
    sdks, stranger = shared.tenant(), shared.tenant()
    group, user, foreign = a_group(sdks, before), a_group(sdks, before), a_group(stranger)
    a_rule(sdks, user.id, remote_group_id=group.id)
    good = {"security_group_id": group.id, "direction": "ingress", "protocol": "tcp"}
    a_rule(sdks, group.id, protocol="tcp", port_range_min=80, port_range_max=80)

    def rule(code: int, name: str, **said: Any) -> tuple[str, dict[str, Any], dict[str, Any], tuple[int, str]]:
        return f"{before}create_security_group_rule", {"security_group_rule": good | said}, {}, (code, name)

    one, other = {"security_group_id": group.id}, {"security_group_id": foreign.id}
    table: Table = [
        (f"{before}create_security_group", {"security_group": {"name": "a b"}}, {}, (400, "VPC.0601")),
        (f"{before}create_security_group", {"security_group": {"name": "x" * 65}}, {}, (400, "VPC.0601")),
        (f"{before}list_security_groups", None, {"limit": -1}, (400, "VPC.0601")),
        (f"{before}show_security_group", None, other, (404, "VPC.0603")),
        (f"{before}delete_security_group", None, other, (404, "VPC.0603")),
        (f"{before}delete_security_group", None, one, (409, "VPC.0602")),
        rule(409, "VPC.0602", port_range_min=80, port_range_max=80),
        rule(404, "VPC.0603", security_group_id=foreign.id),
        rule(404, "VPC.0603", remote_group_id=foreign.id),
        rule(404, "VPC.2204", remote_address_group_id="none"),
        rule(400, "VPC.0601", direction="in"),
        rule(400, "VPC.0601", ethertype="IPv5"),
        rule(400, "VPC.0601", ethertype="IPv6", remote_ip_prefix="10.0.0.0/8"),
        rule(400, "VPC.0601", protocol="sctp"),
        rule(400, "VPC.0601", protocol="300"),
        rule(400, "VPC.0601", port_range_min=80),
        rule(400, "VPC.0601", port_range_min=90, port_range_max=80),
        rule(400, "VPC.0601", port_range_min=0, port_range_max=80),
        rule(400, "VPC.0601", port_range_min=1, port_range_max=65536),
        rule(400, "VPC.0601", protocol="icmp", port_range_min=8, port_range_max=0),
        rule(400, "VPC.0601", protocol="icmpv6"),
        rule(400, "VPC.0601", remote_ip_prefix="10.0.0.300/8"),
        rule(400, "VPC.0601", remote_ip_prefix="10.0.0.0/8", remote_group_id=group.id),
        rule(400, "VPC.0601", description="x" * 600),
        (f"{before}list_security_group_rules", None, {"limit": 2001}, (400, "VPC.0601")),
        (f"{before}show_security_group_rule", None, {"security_group_rule_id": "none"}, (404, "VPC.0612")),
        (f"{before}delete_security_group_rule", None, {"security_group_rule_id": "none"}, (404, "VPC.0612")),
    ]
    if before:
        said = {"security_group": {"description": "<b>"}}
        table.append((f"{before}update_security_group", said, one, (400, "VPC.0601")))
        table.append((f"{before}update_security_group", {"security_group": {"name": "n"}}, other, (404, "VPC.0603")))
    else:
        for name, value, expected in (
            ("vpc_id", "none", (404, "VPC.0003")),
            ("enterprise_project_id", "1", (400, "VPC.0011")),
        ):
            table.append(("create_security_group", {"security_group": {"name": "g", name: value}}, {}, expected))
    check(sdks, table)


def test_limits_and_policies_hold(shared: Cloud) -> None:
    sdks = shared.tenant()
    reader = shared.user(sdks, {"Effect": "Allow", "Action": ["vpc:*:get"], "Resource": ["*"]}, version="1.1")
    group = a_group(sdks)
    assert ask(reader, "show_security_group", security_group_id=group.id).security_group.id == group.id
    names = ["ecs:DescribeSecurityGroups"]
    outside = shared.user(sdks, {"Effect": "Allow", "Action": names, "Resource": ["*"]})
    for before in BOTH:
        (listed,) = ask(outside, f"{before}list_security_groups").security_groups
        assert (listed.id, listed.security_group_rules) == (group.id, [])
        assert refused(outside, f"{before}show_security_group", security_group_id=group.id) == (403, "VPC.2201")
        body = {"security_group": {"name": "g"}}
        assert refused(reader, f"{before}create_security_group", body) == (403, "VPC.2201")
        rule = {"security_group_id": group.id, "direction": "ingress"}
        assert refused(reader, f"{before}create_security_group_rule", {"security_group_rule": rule}) == (
            403,
            "VPC.2201",
        )
    shared.native.put("/v1/quotas", {"target": sdks.account, "limits": {"groups_per_account": 1, "rules_per_group": 4}})
    for before in BOTH:
        assert refused(sdks, f"{before}create_security_group", {"security_group": {"name": "g"}}) == (409, "VPC.0604")
        body = {"security_group_rule": {"security_group_id": group.id, "direction": "egress", "protocol": "udp"}}
        assert refused(sdks, f"{before}create_security_group_rule", body) == (409, "VPC.0602")
