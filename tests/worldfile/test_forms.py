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
from ringfence.model.profile import ALIBABA, HUAWEI, GroupOrder, IntraGroup
from ringfence.model.rule import Rule
from ringfence.model.validation import problems
from ringfence.model.world import World
from ringfence.worldfile import dump, parse
from tests.strategies import worlds
from tests.worldfile.mistakes import ROWS, TWO, VPC

ARCHITECTURE = """\
profile: huawei                  # or alibaba; a VPC may name its own; single switches are overridden under `switches:`
vpcs:
  shop:
    cidrs: [10.0.0.0/16, "fd00:10::/56"]
    subnets:
      web: {cidr: 10.0.1.0/24, cidr6: "fd00:10:0:1::/64"}
      db: 10.0.2.0/24
address_groups:
  office: [203.0.113.0/24, 198.51.100.7]
groups:
  sg-web:
    rules:
      - in allow tcp 80,443 from any            # counts as two rules: 0.0.0.0/0 and ::/0
      - in allow tcp 22 from office priority 10 "SSH from the office"
      - in deny all from 203.0.113.66/32 priority 1
      - out allow all to any
  sg-db:
    rules:
      - in allow tcp 3306 from group sg-web
instances:
  web-1: {subnet: web, ip: 10.0.1.11, groups: [sg-web], serve: [tcp/80]}
  db-1:  {subnet: db, ip: 10.0.2.21, groups: [sg-db], serve: [tcp/3306, tcp/6379@127.0.0.1]}
outside:
  laptop: 203.0.113.9
expect:
  - web-1 -> db-1 tcp/3306 allow
  - laptop -> db-1 tcp/3306 deny
  - laptop -> web-1 icmp allow
"""


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


SAME = {
    "a group as a list": (
        "groups: {sg: [in allow tcp 80 from any]}",
        "groups: {sg: {rules: [in allow tcp 80 from any]}}",
    ),
    "nothing as a group": ("groups: {sg: }", "groups: {sg: {rules: []}}"),
    "nothing as sections": ("groups:\nvpcs: ~\nexpect:\n", "{}"),
    "a rule as a mapping": (
        "groups: {sg: ['out deny tcp 22,80-90 to group sg priority 7 disabled \"no: # more\"']}",
        (
            "groups: {sg: [{direction: egress, action: deny, protocol: tcp, ports: [80-90, 22], remote: group sg,"
            " priority: 7, enabled: no, description: 'no: # more'}]}"
        ),
    ),
    "a rule's defaults": (
        "groups: {sg: [in allow all from any priority 1]}",
        "groups: {sg: [{direction: in, action: allow, remote: any}]}",
    ),
    "ports as a number, a text or a list": (
        (
            "groups: {a: [{direction: in, action: allow, protocol: tcp, remote: any, ports: 80}],"
            " b: [{direction: in, action: allow, protocol: tcp, remote: any, ports: '80,90'}]}"
        ),
        (
            "groups: {a: [in allow tcp 80 from any],"
            " b: [{direction: ingress, action: allow, protocol: tcp, remote: any, ports: [90, 80]}]}"
        ),
    ),
    "the priority of a rule that names none": (
        "switches: {default_priority: 30}\ngroups: {sg: [in allow all from any]}",
        "switches: {default_priority: 30}\ngroups: {sg: [in allow all from any priority 30]}",
    ),
    "the priority of the group's own VPC": (
        (
            "vpcs: {shop: {cidrs: 10.0.0.0/8, switches: {default_priority: 9}}}\n"
            "groups: {sg: {vpc: shop, rules: [in allow all from any]}}"
        ),
        (
            "vpcs: {shop: {cidrs: 10.0.0.0/8, switches: {default_priority: 9}}}\n"
            "groups: {sg: {vpc: shop, rules: [in allow all from any priority 9]}}"
        ),
    ),
    "one text for a list": (
        "vpcs: {shop: {cidrs: 10.0.0.0/16}}\naddress_groups: {a: 10.0.0.1-10.0.0.6}",
        "vpcs: {shop: {cidrs: [10.0.0.0/16]}}\naddress_groups: {a: {entries: [10.0.0.1-10.0.0.6]}}",
    ),
    "a subnet as a prefix": (
        "vpcs: {shop: {cidrs: ['fd00::/56', 10.0.0.0/16], subnets: {a: 10.0.0.0/24, b: 'fd00::/64'}}}",
        "vpcs: {shop: {cidrs: [10.0.0.0/16, 'fd00::/56'], subnets: {a: {cidr: 10.0.0.0/24}, b: {cidr6: 'fd00::/64'}}}}",
    ),
    "an instance with one port": (
        VPC + "groups: {sg: }\ninstances: {x: {subnet: web, ip: 10.0.1.9, groups: sg, serve: tcp/80}}",
        VPC + "groups: {sg: }\n"
        "instances: {x: {ports: {eth0: {subnet: shop/web, ip: 10.0.1.9, groups: [sg]}}, serve: [tcp/80]}}",
    ),
    "a name that one VPC has needs no VPC": (
        TWO + "groups: {sg: }\ninstances: {x: {subnet: jump, ip: 10.1.2.9, groups: sg}}",
        TWO + "groups: {sg: }\ninstances: {x: {subnet: ops/jump, ip: 10.1.2.9, groups: sg}}",
    ),
    "an expectation as a mapping": (
        "outside: {a: 192.0.2.1, b: [192.0.2.2, '2001:db8::1']}\nexpect: [a -> b tcp/80 allow]",
        "outside: {b: ['2001:db8::1', 192.0.2.2], a: [192.0.2.1]}\nexpect: [{flow: a -> b tcp/80, verdict: allow}]",
    ),
    "words that YAML takes for something else": (
        "groups: {on: {tags: {1e3: 0x10, yes: 2026-11-22}}, null: [in allow tcp 22 from group on]}",
        "groups: {'on': {tags: {'1e3': '0x10', 'yes': '2026-11-22'}}, 'null': ['in allow tcp 22 from group on']}",
    ),
    "an alias": (
        "groups: {a: &rules [in allow tcp 80 from any], b: *rules}",
        "groups: {a: [in allow tcp 80 from any], b: [in allow tcp 80 from any]}",
    ),
    "template and list together": (
        "groups: {sg: {template: default, rules: [in deny tcp 22 from any]}}",
        "groups: {sg: [out allow all to any, in deny tcp 22 from any, in allow all from group sg]}",
    ),
    "a switch set to what it is": ("profile: alibaba\nswitches: {intra_group: accept}", "profile: alibaba"),
    "the default group of huawei": (
        VPC + "instances: {x: {subnet: web, ip: 10.0.1.9}}",
        VPC + "groups: {default: {template: default}}\ninstances: {x: {subnet: web, ip: 10.0.1.9, groups: default}}",
    ),
    "the default group of huawei serves every VPC": (
        TWO + "instances: {x: {subnet: shop/web, ip: 10.0.1.9}, y: {subnet: jump, ip: 10.1.2.9}}",
        TWO + "groups: {default: {template: default}}\n"
        "instances: {x: {subnet: shop/web, ip: 10.0.1.9, groups: [default]}, y: {subnet: jump, ip: 10.1.2.9}}",
    ),
    "the default group of alibaba belongs to the VPC of its ports": (
        "profile: alibaba\n" + TWO + "instances: {x: {subnet: jump, ip: 10.1.2.9}}",
        "profile: alibaba\n" + TWO + "groups: {default: {template: default, vpc: ops}}\n"
        "instances: {x: {subnet: jump, ip: 10.1.2.9}}",
    ),
    "the default group of a VPC with another profile": (
        (
            "vpcs: {shop: {cidrs: 10.0.0.0/16, profile: alibaba, subnets: {web: 10.0.1.0/24}}}\n"
            "instances: {x: {subnet: web, ip: 10.0.1.9}}"
        ),
        (
            "vpcs: {shop: {cidrs: 10.0.0.0/16, profile: alibaba, subnets: {web: 10.0.1.0/24}}}\n"
            "groups: {default: {template: default, vpc: shop}}\ninstances: {x: {subnet: web, ip: 10.0.1.9}}"
        ),
    ),
    "a default group of one's own": (
        VPC + "groups: {default: []}\ninstances: {x: {subnet: web, ip: 10.0.1.9}}",
        VPC + "groups: {default: []}\ninstances: {x: {subnet: web, ip: 10.0.1.9, groups: default}}",
    ),
}


@pytest.mark.parametrize("title", SAME)
def test_two_ways_to_write_one_world(title: str) -> None:
    one, two = SAME[title]
    assert parse(one, "one.yaml") == parse(two, "two.yaml")


def test_the_default_group_is_what_the_cloud_makes() -> None:
    world = parse(VPC + "instances: {x: {subnet: web, ip: 10.0.1.9}}", "huawei.yaml")
    assert rules(world, "default") == [
        "in allow all from group default priority 1",
        "out allow all to any priority 1",
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


def test_the_first_port_of_an_instance_is_its_primary_one() -> None:
    ports = "b: {subnet: web, ip: 10.0.1.9, groups: sg}, a: {subnet: db, ip: 10.0.2.9, groups: sg}"
    world = parse(VPC + f"groups: {{sg: }}\ninstances: {{x: {{ports: {{{ports}}}}}}}", "test.yaml")
    assert [port.name for port in world.instances["x"].ports] == ["b", "a"]


# A world takes a while to draw, and a busy machine is no mistake.
slowly = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])


@slowly
@given(worlds())
def test_a_valid_world_written_is_read_back_equal(world: World) -> None:
    assert problems(world) == ()
    assert parse(dump(world), "dump.yaml") == world


@slowly
@given(worlds(), st.integers(0, 2**32))
def test_the_order_of_the_files_parts_never_matters(world: World, seed: int) -> None:
    parts = shuffled(yaml.safe_load(dump(world)), random.Random(seed))
    text = yaml.safe_dump(parts, sort_keys=False)
    assert parse(text, "shuffled.yaml") == world


ORDERED = ("expect", "ports", "groups")
"""Lists that keep their order, and the mapping whose first entry is the primary port."""


def shuffled(value: object, rng: random.Random, key: str = "") -> object:
    if isinstance(value, Mapping):
        items = [(name, shuffled(each, rng, str(name))) for name, each in value.items()]
        if key != "ports":
            rng.shuffle(items)
        return dict(items)
    if isinstance(value, list) and key not in ORDERED:
        return rng.sample(value, len(value))
    return value


PIECES = ["", " ", "\n", ":", "-", "[", "}", "&a", "*a", "!", "#", '"', "'", "~", "\t", "0", "any", "\x85", "\\", "é"]


@settings(deadline=None, max_examples=300)
@given(st.sampled_from([ARCHITECTURE, *ROWS.values()]), st.data())
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
@given(worlds(), st.data())
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
