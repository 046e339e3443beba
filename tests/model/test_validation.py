"""What no world file can say, since reading refuses it already: a server's world may."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ringfence.model.acl import AclRule
from ringfence.model.address import AddressRange, Family
from ringfence.model.group import AddressGroup
from ringfence.model.port_list import PortList
from ringfence.model.profile import ALIBABA, HUAWEI, Profile
from ringfence.model.rule import Rule
from ringfence.model.service import PortRange
from ringfence.model.topology import Instance
from ringfence.model.validation import problems
from ringfence.model.validation.quotas import acl_rule_cost, rule_cost
from ringfence.model.world import World, by_name
from ringfence.worldfile import parse

WORLD = parse(
    """\
vpcs: {shop: {cidrs: 10.0.0.0/16, subnets: {web: 10.0.1.0/24}}}
groups: {sg: []}
instances: {x: {subnet: web, ip: 10.0.1.11, groups: sg}}
virtual_ips: {vip: {subnet: web, ip: 10.0.1.100, ports: [x]}}
expect: [x -> vip icmp allow]
""",
    "world",
)


def moved(vpc: str, subnet: str) -> World:
    """The world with its port and its virtual IP at another place."""
    port = replace(WORLD.instances["x"].primary, vpc=vpc, subnet=subnet)
    vip = replace(WORLD.virtual_ips["vip"], vpc=vpc, subnet=subnet)
    return replace(WORLD, instances=by_name([Instance("x", (port,))]), virtual_ips=by_name([vip]))


@pytest.mark.parametrize(
    ("vpc", "subnet", "code"),
    [("shopp", "web", "world.unknown_vpc"), ("shop", "wbe", "world.unknown_subnet")],
)
def test_a_place_that_is_not_there_is_named_and_nothing_crashes(vpc: str, subnet: str, code: str) -> None:
    found = problems(moved(vpc, subnet))
    where = [("instances", "x", "ports", "eth0", "subnet"), ("virtual_ips", "vip", "subnet")]
    assert [(problem.path, problem.code) for problem in found] == [(path, code) for path in where]
    assert all("did you mean" in problem.right for problem in found)


LISTS = World(
    address_groups=by_name(
        AddressGroup(name, tuple(map(AddressRange.parse, entries)), most)
        for name, entries, most in [
            ("three", ["10.0.0.1", "10.0.0.2", "10.0.0.3"], None),
            ("ten", ["10.0.0.1"], 10),
            ("none", [], None),
        ]
    ),
    port_lists=by_name(
        PortList(name, tuple(map(PortRange.parse, entries)), most)
        for name, entries, most in [
            ("two-ports", ["80", "90-99"], None),
            ("seven-ports", [], 7),
            ("no-ports", [], None),
        ]
    ),
)


@pytest.mark.parametrize(
    ("text", "huawei", "alibaba"),
    [
        ("in allow tcp 80 from 10.0.0.0/8", 1, 1),
        ("in allow tcp 80 from any", 2, 2),
        ("in allow icmp from any", 1, 1),
        ("in allow tcp 80 from any to 10.0.0.1/32", 1, 1),
        ("in allow tcp 22,80-90 from ::/0", 1, 2),
        ("in allow tcp 22,80-90 from any", 2, 4),
        ("in allow tcp 80 from group sg", 1, 1),
        ("in allow tcp 80 from three", 1, 3),
        ("in allow tcp 80 from ten", 1, 10),
        ("in allow tcp 22,80-90 from ten", 1, 20),
        ("in allow tcp 80 from none", 1, 1),
        ("in allow tcp 80 from unknown", 1, 1),
        ("in allow tcp two-ports from ::/0", 1, 2),
        ("in allow udp two-ports from any", 2, 4),
        ("in allow tcp seven-ports from ten", 1, 70),
        ("in allow tcp no-ports from ten", 1, 10),
        ("in allow tcp unknown-ports from three", 1, 3),
    ],
)
def test_what_a_rule_costs(text: str, huawei: int, alibaba: int) -> None:
    """A port list costs the entries that it may have, with a prefix list their product (SEMANTICS.md 6 and 13.12)."""
    costs = [rule_cost(Rule.parse(text), profile, LISTS) for profile in (HUAWEI, ALIBABA)]
    assert costs == [huawei, alibaba]


@pytest.mark.parametrize(
    ("text", "profile", "four", "six"),
    [
        ("in allow tcp 80 from any to any", HUAWEI, 1, 1),
        ("in allow tcp 22,80-90 from any to any", ALIBABA, 1, 1),
        ("in allow tcp 80 from 10.0.0.0/8 to any", ALIBABA, 1, 0),
        ("in allow icmpv6 from any to any", HUAWEI, 0, 1),
        ("in allow tcp 80 from three to any", HUAWEI, 1, 0),
        ("in allow tcp 80 from three to any", ALIBABA, 3, 0),
        ("out allow tcp 80 from any to ten", ALIBABA, 10, 0),
        ("out allow tcp 80 from any to none", ALIBABA, 1, 1),
    ],
)
def test_what_a_rule_of_an_acl_costs(text: str, profile: Profile, four: int, six: int) -> None:
    costs = [acl_rule_cost(AclRule.parse(text), profile, LISTS, family) for family in Family]
    assert costs == [four, six]
