"""What the forms of a world file mean: short and long, given and left out, in any order."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringfence.errors import Mistake, WorldFileError
from ringfence.model.group import GroupType
from ringfence.model.profile import ALIBABA, HUAWEI, AfterClear, GroupOrder, IntraGroup, Timeouts
from ringfence.model.rule import NicType, Rule
from ringfence.model.topology import Network
from ringfence.model.validation import problems
from ringfence.model.world import World
from ringfence.worldfile import dump, parse
from tests.full_worlds import full_worlds
from tests.worldfile.forms import ARCHITECTURE, PATH, SAME
from tests.worldfile.mistakes import ROWS, VPC


def rules(world: World, group: str) -> list[str]:
    return [str(rule) for rule in world.groups[group].rules]


def test_the_example_of_the_design_is_read_as_it_is_written() -> None:
    world = parse(ARCHITECTURE, "shop.yaml")
    assert world.profile is HUAWEI
    assert list(map(str, world.vpcs["shop"].cidrs)) == ["10.0.0.0/16", "fd00:10::/56"]
    assert list(map(str, world.vpcs["shop"].subnets["web"].prefixes)) == ["10.0.1.0/24", "fd00:10:0:1::/64"]
    assert list(map(str, world.address_groups["office"].entries)) == ["198.51.100.7", "203.0.113.0/24"]
    assert rules(world, "sg-web") == [
        'in allow tcp 22 from office priority 10 "SSH from the office"',
        "in allow tcp 80,443 from any priority 1",
        "in deny all from 203.0.113.66/32 priority 1",
        "out allow all to any priority 1",
    ]
    assert [str(port) for port in world.ports] == ["db-1.eth0", "web-1.eth0"]
    assert world.instances["web-1"].primary.groups == ("sg-web",)
    assert list(map(str, world.instances["db-1"].serve)) == ["tcp/3306", "tcp/6379@127.0.0.1"]
    assert list(map(str, world.outside["laptop"].addresses)) == ["203.0.113.9"]
    assert list(map(str, world.expects)) == [
        "web-1 -> db-1 tcp/3306 allow",
        "laptop -> db-1 tcp/3306 deny",
        "laptop -> web-1 icmp allow",
    ]


@pytest.mark.parametrize("title", SAME)
def test_two_ways_to_write_one_world(title: str) -> None:
    one, two = SAME[title]
    assert parse(one, "one.yaml") == parse(two, "two.yaml")


def test_the_default_group_is_what_the_cloud_makes() -> None:
    world = parse(VPC + "instances: {x: {subnet: web, ip: 10.0.1.9}}", "huawei.yaml")
    assert rules(world, "default") == [
        "in allow all from group default to 0.0.0.0/0 priority 1",
        "in allow all from group default to ::/0 priority 1",
        "out allow all to 0.0.0.0/0 priority 1",
        "out allow all to ::/0 priority 1",
    ]
    world = parse("profile: alibaba\n" + VPC + "instances: {x: {subnet: web, ip: 10.0.1.9}}", "alibaba.yaml")
    assert world.groups["default"].intra_group is IntraGroup.ACCEPT
    assert rules(world, "default") == [
        "in allow icmp from 0.0.0.0/0 priority 100",
        "in allow tcp 22 from 0.0.0.0/0 priority 100",
        "in allow tcp 3389 from 0.0.0.0/0 priority 100",
    ]


def test_nothing_is_added_to_a_group_in_silence() -> None:
    world = parse("groups: {sg: [], default: []}", "test.yaml")
    assert [group.rules for group in world.groups.values()] == [(), ()]
    assert "default" not in parse(VPC + "groups: {sg: []}", "test.yaml").groups


@pytest.mark.parametrize(
    ("header", "kind", "intra_group"),
    [
        ("profile: huawei", GroupType.BASIC, IntraGroup.DROP),
        ("profile: alibaba", GroupType.BASIC, IntraGroup.ACCEPT),
        ("profile: alibaba\nswitches: {intra_group: drop}", GroupType.BASIC, IntraGroup.DROP),
        ("profile: alibaba", GroupType.ADVANCED, IntraGroup.DROP),
    ],
)
def test_a_group_that_says_nothing_of_its_members(header: str, kind: GroupType, intra_group: IntraGroup) -> None:
    world = parse(f"{header}\n{VPC}groups: {{sg: {{vpc: shop, type: {kind}}}}}", "test.yaml")
    assert world.groups["sg"].intra_group is intra_group


def test_an_advanced_group_has_a_template_of_its_own() -> None:
    text = "profile: alibaba\n" + VPC + "groups: {sg: {vpc: shop, type: advanced, template: default}}"
    assert len(parse(text, "test.yaml").groups["sg"].rules) == len(ALIBABA.default_rules_advanced)


def test_a_vpc_has_the_worlds_profile_unless_it_names_one() -> None:
    world = parse(
        "switches: {group_order: sequence}\n"
        "vpcs: {a: {cidrs: 10.1.0.0/16}, b: {cidrs: 10.2.0.0/16, switches: {rules_per_group: 9}},"
        " c: {cidrs: 10.3.0.0/16, profile: huawei}}",
        "test.yaml",
    )
    a, b, c = (world.vpcs[name].profile for name in "abc")
    assert (a.group_order, a.rules_per_group) == (GroupOrder.SEQUENCE, 50)
    assert (b.group_order, b.rules_per_group) == (GroupOrder.SEQUENCE, 9)
    assert c == HUAWEI


def test_what_stands_on_the_path_is_read_as_it_is_written() -> None:
    world = parse(PATH, "path.yaml")
    acl = world.acls["acl-web"]
    assert (acl.enabled, acl.vpc, acl.description) == (False, "shop", "the edge")
    assert list(map(str, acl.rules)) == [
        "in deny tcp 80 from any to any",
        'in allow tcp 80,443 from office port 1024-65535 to 10.0.1.0/24 disabled "never"',
        "out allow all from any to any",
        "in allow all from any to any",
    ]
    web, shop = world.vpcs["shop"].subnets["web"], world.vpcs["shop"]
    assert (web.acl, world.vpcs["shop"].subnets["db"].acl) == ("acl-web", "")
    assert list(map(str, shop.border)) == ["in deny tcp 8080 from any to any", "out deny udp from any to any"]
    assert [rule.given_id for rule in shop.border] == ["", "b-2"]
    peering = world.peerings["ops-shop"]
    assert peering.vpcs == ("ops", "shop")
    assert list(map(str, peering.firewall)) == ["deny tcp 22 from 10.1.0.0/16 to any"]
    vip = world.virtual_ips["vip"]
    assert (vip.ports, vip.active, str(vip.addresses[0])) == (("x.blue", "y.eth0"), "y.eth0", "10.0.1.100")
    assert {target: penalty.reason for target, penalty in world.penalties.items()} == {"x.eth9": "spam", "y": "fraud"}
    assert [port.namespace for port in world.instances["x"].ports] == ["inner", ""]
    group = world.groups["sg"]
    assert (group.account, group.ftp_helper, group.managed) == ("acme", True, "nat")
    assert [rule.managed for rule in group.rules] == ["dms"]
    assert world.address_groups["office"].max_entries == 5
    assert str(world.expects[0]) == "x -> vip tcp/80 from port 53 deny"


def test_the_classic_network_is_read_as_it_is_written() -> None:
    world = parse(
        "profile: alibaba\n"
        "vpcs: {old: {cidrs: [10.0.0.0/16, 47.0.0.0/16], network: classic,"
        " subnets: {a: 10.0.1.0/24, b: {cidr: 47.0.1.0/24, nic: internet}}}}\n"
        "groups: {sg: {vpc: old, rules: [in allow tcp 80 from any nic internet,"
        " {direction: in, action: deny, remote: any, nic: intranet}]}}",
        "classic.yaml",
    )
    assert world.vpcs["old"].network is Network.CLASSIC
    assert [subnet.nic for subnet in world.vpcs["old"].subnets.values()] == [NicType.INTRANET, NicType.INTERNET]
    assert [rule.nic for rule in world.groups["sg"].rules] == [NicType.INTERNET, NicType.INTRANET]


def test_switches_are_read_as_they_are_written() -> None:
    text = "{profile: alibaba, switches: {after_clear: hold, timeouts: {icmp: 5}, blocked_egress: [udp/1-2, tcp/25]}}"
    profile = parse(text, "switches.yaml").profile
    assert profile.after_clear is AfterClear.HOLD
    assert profile.timeouts == Timeouts(tcp_established=910, icmp=5)
    assert str(profile.blocked_egress) == "tcp/25,udp/1-2"
    assert profile.carrier_blocks == ALIBABA.carrier_blocks


def test_the_first_port_of_an_instance_is_its_primary_one() -> None:
    ports = "b: {subnet: web, ip: 10.0.1.9, groups: sg}, a: {subnet: db, ip: 10.0.2.9, groups: sg}"
    world = parse(VPC + f"groups: {{sg: }}\ninstances: {{x: {{ports: {{{ports}}}}}}}", "test.yaml")
    assert [port.name for port in world.instances["x"].ports] == ["b", "a"]


# A world takes a while to draw, and a busy machine is no mistake.
slowly = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])


@slowly
@given(full_worlds())
def test_a_valid_world_written_is_read_back_equal(world: World) -> None:
    assert problems(world) == ()
    assert parse(dump(world), "dump.yaml") == world


@slowly
@given(full_worlds(), st.integers(0, 2**32))
def test_the_order_of_the_files_parts_never_matters(world: World, seed: int) -> None:
    parts = shuffled(yaml.safe_load(dump(world)), random.Random(seed))
    text = yaml.safe_dump(parts, sort_keys=False)
    assert parse(text, "shuffled.yaml") == world


ORDERED = ("expect", "groups", "border", "firewall")
"""Lists that keep their order, like the rules of an ACL and the ports of an instance, of which the first is primary."""


def shuffled(value: object, rng: random.Random, path: tuple[str, ...] = ("",)) -> object:
    if isinstance(value, Mapping):
        items = [(name, shuffled(each, rng, (*path, str(name)))) for name, each in value.items()]
        if path[-1] != "ports":
            rng.shuffle(items)
        return dict(items)
    kept = path[-1] in ORDERED or (path[1:2] == ("acls",) and path[-1] == "rules")
    return rng.sample(value, len(value)) if isinstance(value, list) and not kept else value


PIECES = ["", " ", "\n", ":", "-", "[", "}", "&a", "*a", "!", "#", '"', "'", "~", "\t", "0", "any", "\x85", "\\", "é"]


@settings(deadline=None, max_examples=300)
@given(st.sampled_from([ARCHITECTURE, PATH, *ROWS.values()]), st.data())
def test_a_damaged_file_is_read_or_refused_but_never_crashes(text: str, data: st.DataObject) -> None:
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        cut = data.draw(st.integers(0, 20))
        text = text[:start] + data.draw(st.sampled_from(PIECES)) + text[start + cut :]
    found = outcome(text)
    if isinstance(found, World):
        assert problems(found) == ()
        assert parse(dump(found), "again.yaml") == found
    else:
        lines = text.count("\n") + text.count("\x85") + 1
        assert [each.line for each in found] == sorted(each.line for each in found)
        assert all(1 <= each.line <= lines and each.right and each.what for each in found)


def outcome(text: str) -> World | tuple[Mistake, ...]:
    """The world, or at least one mistake; anything else that is raised is a crash."""
    try:
        return parse(text, "any.yaml")
    except WorldFileError as error:
        mistakes = error.mistakes
    assert mistakes
    return mistakes


@slowly
@given(full_worlds(), st.data())
def test_a_wrong_value_anywhere_is_reported_and_never_crashes(world: World, data: st.DataObject) -> None:
    content = yaml.safe_load(dump(world))
    places = list(paths(content))
    *above, last = data.draw(st.sampled_from(places))
    holder = content
    for key in above:
        holder = holder[key]
    holder[last] = data.draw(st.sampled_from([None, [], {}, [[]], {"a": {}}, "?", -1, 1.5, True, [None], {"x y": 1}]))
    found = outcome(yaml.safe_dump(content))
    assert isinstance(found, tuple) or problems(found) == ()


def paths(value: object, above: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    entries = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    return [path for key, each in entries for path in ((*above, key), *paths(each, (*above, key)))]


@pytest.mark.parametrize(
    "path", sorted((Path(__file__).parents[2] / "examples").glob("*.yaml")), ids=lambda path: path.stem
)
def test_every_example_is_read_and_written(path: Path) -> None:
    world = parse(path.read_text(encoding="utf-8"), path.name)
    assert parse(dump(world), path.name) == world


def test_an_id_given_to_one_rule_may_not_be_what_another_derives() -> None:
    """Both have one place in the group's table of ids: one would vanish, and nobody be told."""
    derived = Rule.parse("in allow tcp 80 from any").id_in("sg")
    text = f"""
groups:
  sg:
    - in allow tcp 80 from any
    - {{id: {derived}, direction: in, action: deny, protocol: tcp, ports: 80, remote: 203.0.113.9}}
"""
    with pytest.raises(WorldFileError, match=rf"line [45]: .*has the id {derived} already"):
        parse(text, "x")
