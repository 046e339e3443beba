"""A world file that is changed in place: exactly so in each form, and by random edits of random worlds."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringfence.errors import CannotAmend, InvalidInput
from ringfence.model.acl import AclRule
from ringfence.model.address import AddressRange
from ringfence.model.edit import EntriesChanged, GroupChanged, PortChanged, PortGone, PortListChanged
from ringfence.model.group import AddressGroup, SecurityGroup
from ringfence.model.port_list import PortList
from ringfence.model.profile import IntraGroup
from ringfence.model.rule import Rule
from ringfence.model.service import PortRange
from ringfence.model.topology import Peering, Penalty
from ringfence.model.validation import problems
from ringfence.model.world import World
from ringfence.worldfile import amended, dump, parse, read_text, replace_text
from tests.edits import edits
from tests.full_worlds import full_worlds
from tests.worldfile.forms import ARCHITECTURE, PATH, SAME

Edit = Callable[[World], World]


def rules(name: str, gone: Sequence[str] = (), come: Sequence[str] = (), **more: Any) -> Edit:
    """A group without some rules and with others; rules in the short form without their priority of 1."""

    def edit(world: World) -> World:
        group = world.groups[name]
        less = {Rule.parse(text) for text in gone}
        assert less <= set(group.rules)
        kept = [rule for rule in group.rules if rule not in less]
        return world.edited(groups={name: replace(group, rules=(*kept, *map(Rule.parse, come)), **more)})

    return edit


def lines(name: str, *texts: str) -> Edit:
    """An ACL with other lines."""
    made = tuple(map(AclRule.parse, texts))
    return lambda world: world.edited(acls={name: replace(world.acls[name], rules=made)})


def groups_of(instance: str, *names: str) -> Edit:
    """The first port of an instance in other groups."""

    def edit(world: World) -> World:
        first, *rest = world.instances[instance].ports
        ports = (replace(first, groups=names), *rest)
        return world.edited(instances={instance: replace(world.instances[instance], ports=ports)})

    return edit


def entries(name: str, *texts: str, bound: int | None = None) -> Edit:
    """An address group with other entries."""
    group = AddressGroup(name, tuple(map(AddressRange.parse, texts)), bound)
    return lambda world: world.edited(address_groups={name: group})


def ports_of(name: str, *texts: str) -> Edit:
    """A port list with other entries."""
    made = PortList(name, tuple(map(PortRange.parse, texts)))
    return lambda world: world.edited(port_lists={name: made})


def peering(name: str, *firewall: str, vpcs: tuple[str, str] = ("ops", "shop")) -> Edit:
    """A peering, new or with another firewall."""
    return lambda world: world.edited(peerings={name: Peering(name, vpcs, tuple(map(AclRule.parse, firewall)))})


def border(*texts: str) -> Edit:
    """Another firewall at the border of the VPC shop."""
    made = tuple(map(AclRule.parse, texts))
    return lambda world: world.edited(vpcs={"shop": replace(world.vpcs["shop"], border=made)})


VPCS = "vpcs: {shop: {cidrs: 10.0.0.0/16, subnets: {web: 10.0.1.0/24}}, ops: {cidrs: 10.1.0.0/16}}\n"
MACHINES = VPCS + "groups: {a: , b: }\n"
WEB, SSH, OUT = "in allow tcp 80,443 from any", "in allow tcp 22 from any", "out allow all to any"

EXACT: dict[str, tuple[str, Edit, str]] = {
    "a rule goes with its line, comments between lines stay": (
        (
            f"groups:\n  a:\n    # the web\n    - {WEB}  # shop\n    # people\n    - {SSH}  # until May\n"
            f"    # all\n    - {OUT}\n"
        ),
        rules("a", [SSH]),
        f"groups:\n  a:\n    # the web\n    - {WEB}  # shop\n    # people\n    # all\n    - {OUT}\n",
    ),
    "a rule is changed on its line": (
        f"groups:\n  a:\n    - '{SSH}'   # people\n    - {OUT}",
        rules("a", [SSH], ["in allow tcp 22 from 10.0.0.0/8"]),
        f"groups:\n  a:\n    - 'in allow tcp 22 from 10.0.0.0/8'   # people\n    - {OUT}",
    ),
    "a rule of two port ranges loses one": (
        f"groups: {{a: ['{WEB}', {OUT}]}}",
        rules("a", [WEB], ["in allow tcp 80 from any"]),
        f"groups: {{a: ['in allow tcp 80 from any', {OUT}]}}",
    ),
    "a new rule comes last": (
        f"groups:\n  a:\n  - {WEB}  # shop\n\nexpect: []\n",
        rules("a", [], ["in deny udp 53 from ::/0 priority 3"]),
        f"groups:\n  a:\n  - {WEB}  # shop\n  - in deny udp 53 from ::/0 priority 3\n\nexpect: []\n",
    ),
    "rules in brackets": (
        f"groups: {{a: [{SSH}, {OUT}, '{WEB}']}}",
        rules("a", [SSH, WEB], ["in allow tcp 1,2 from any", "in allow gre from ::/0"]),
        f"groups: {{a: ['in allow tcp 1,2 from any', {OUT}, 'in allow gre from ::/0']}}",
    ),
    "rules in brackets over lines": (
        f"groups:\n  a: [\n    {SSH},  # people\n    {OUT},  # all\n    '{WEB}',\n    # no more\n  ]\n",
        rules("a", [OUT], ["in allow gre from any"]),
        (f"groups:\n  a: [\n    {SSH},  # people\n    '{WEB}', in allow gre from any,\n    # no more\n  ]\n"),
    ),
    "the last rule goes": (
        f"groups:\n  a:  # nobody\n    - {SSH}\n  b: {{rules: [{SSH}], vpc: ''}}\n",
        rules("a", [SSH]),
        f"groups:\n  a: []  # nobody\n  b: {{rules: [{SSH}], vpc: ''}}\n",
    ),
    "the last rule in brackets goes": (f"groups: {{a: [{SSH}]}}\n", rules("a", [SSH]), "groups: {a: []}\n"),
    "the last rule behind an anchor goes": (
        f"groups:\n  a: &few  # nobody\n    - {SSH}\n  b: *few\n",
        lambda world: rules("a", [SSH])(rules("b", [SSH])(world)),
        "groups:\n  a: &few []  # nobody\n  b: {type: basic, intra_group: drop, rules: []}\n",
    ),
    "the last rule goes, and its comma": (
        f"groups:\n  a: [\n    {SSH},\n  ]\n",
        rules("a", [SSH]),
        "groups:\n  a: [\n    \n  ]\n",
    ),
    "a first rule": (
        "groups:\n  a:   # nothing yet\n  b: []\n",
        rules("a", [], [SSH]),
        f"groups:\n  a:   # nothing yet\n    - {SSH}\n  b: []\n",
    ),
    "a first rule in place of brackets": (
        "groups:\n  a: []  # nothing yet",
        rules("a", [], [SSH]),
        f"groups:\n  a:  # nothing yet\n    - {SSH}",
    ),
    "a first rule inside of brackets": (
        "groups: {a: }",
        rules("a", [], [WEB]),
        f"groups: {{a: ['{WEB}'] }}",
    ),
    "a rule in its long form": (
        (
            "groups:\n  a:\n  - id: r-1   # ours\n    action: allow\n    remote: any\n    # which\n"
            "    ports: [22, 80]\n    protocol: tcp\n    direction: ingress\n"
        ),
        lambda world: world.edited(
            groups={
                "a": replace(
                    world.groups["a"],
                    rules=(replace(world.groups["a"].rules[0], given_id="", priority=7, enabled=False),),
                )
            }
        ),
        (
            "groups:\n  a:\n  - action: allow\n    remote: any\n    # which\n    ports: [22, 80]\n"
            "    protocol: tcp\n    direction: ingress\n    enabled: false\n    priority: 7\n"
        ),
    ),
    "a group in its short form says more": (
        f"groups:\n  a:\n    # few\n    - {SSH}\n  b: [{OUT}]  # all\n",
        lambda world: rules("a", [SSH], [OUT], intra_group=IntraGroup.ACCEPT)(
            rules("b", intra_group=IntraGroup.ACCEPT)(world)
        ),
        (
            f"groups:\n  a:\n    # few\n    intra_group: accept\n    rules:\n    - {OUT}\n"
            f"  b: {{intra_group: accept, rules: [{OUT}]}}  # all\n"
        ),
    ),
    "a group in its long form": (
        f"groups:\n  a:\n    rules:\n      - {SSH}\n    # why\n    description: x\n",
        rules("a", tags={"x": "1"}, description=""),
        f"groups:\n  a:\n    tags:\n      x: '1'\n    rules:\n      - {SSH}\n    # why\n",
    ),
    "a rule of the template goes": (
        "groups:\n  a:\n    template: default  # the cloud's\n    rules: [in deny tcp 22 from any]\n",
        rules("a", ["out allow all to ::/0", "in allow all from group a to ::/0"]),
        (
            "groups:\n  a:\n    rules: [in deny tcp 22 from any, in allow all from group a to 0.0.0.0/0,"
            " out allow all to 0.0.0.0/0]\n"
        ),
    ),
    "a rule beside the template": (
        "groups: {a: {template: default}}\n",
        rules("a", [], [SSH]),
        f"groups: {{a: {{template: default, rules: [{SSH}]}}}}\n",
    ),
    "a group goes": (
        f"groups:\n  # one\n  a:\n    # inside\n    - {SSH}\n  # two\n  b: []\n",
        lambda world: world.edited(groups={"a": None}),
        "groups:\n  # one\n  # two\n  b: []\n",
    ),
    "the last group goes": (
        f"groups:\n  a:\n    - {SSH}\noutside: {{x: 192.0.2.1}}\n",
        lambda world: world.edited(groups={"a": None}),
        "outside: {x: 192.0.2.1}\n",
    ),
    "a group comes": (
        f"groups:\n  a:\n    - {SSH}\n# end",
        lambda world: world.edited(groups={"b": SecurityGroup("b", (Rule.parse(SSH),))}),
        (f"groups:\n  a:\n    - {SSH}\n  b:\n    type: basic\n    intra_group: drop\n    rules:\n      - {SSH}\n# end"),
    ),
    "the default group that the file does not say": (
        VPCS + "instances: {x: {subnet: web, ip: 10.0.1.9}}\n",
        rules("default", ["in allow all from group default to 0.0.0.0/0", "in allow all from group default to ::/0"]),
        VPCS
        + "groups:\n  default:\n    type: basic\n    intra_group: drop\n    rules:\n      - out allow all to 0.0.0.0/0"
        "\n      - out allow all to ::/0\ninstances: {x: {subnet: web, ip: 10.0.1.9}}\n",
    ),
    "an alias becomes what it means now": (
        f"groups:\n  a: &r [{SSH}]\n  b: *r  # the same\n",
        rules("b", [], [OUT]),
        (f"groups:\n  a: &r [{SSH}]\n  b: {{type: basic, intra_group: drop, rules: [{SSH}, {OUT}]}}  # the same\n"),
    ),
    "carriage returns": (
        f"groups:\r\n  a:\r\n    - {SSH}  # people\r\n    - {OUT}\r\n",
        rules("a", [SSH, OUT], [WEB, "out allow gre to any priority 8"]),
        f"groups:\r\n  a:\r\n    - {WEB}  # people\r\n    - out allow gre to any priority 8\r\n",
    ),
    "a byte order mark before the first line": (
        f"\ufeffgroups:\n  a:\n    - {SSH}\n# end\n",
        lambda world: entries("one", "10.0.0.1")(world.edited(groups={"a": None})),
        "\ufeffaddress_groups:\n  one:\n    - 10.0.0.1\n# end\n",
    ),
    "all that is there goes, and something else comes": (
        f"groups:\n  a:\n    - {SSH}",
        lambda world: entries("one", "10.0.0.1")(world.edited(groups={"a": None})),
        "address_groups:\n  one:\n    - 10.0.0.1\n",
    ),
    "a list with an anchor becomes a mapping": (
        f"groups:\n  a: &rules-of-a  # all\n    - {SSH}\n",
        rules("a", description="x"),
        f"groups:\n  a: &rules-of-a  # all\n    description: x\n    rules:\n    - {SSH}\n",
    ),
    "lines of an ACL, in their order": (
        "acls:\n  a:\n    - in deny tcp 23 from any to any  # telnet\n    - in allow all from any to any  # rest\n",
        lines(
            "a",
            "in allow tcp 23 from 10.0.0.0/8 to any",
            "in deny tcp 23 from any to any",
            "in allow all from any to any",
        ),
        (
            "acls:\n  a:\n    - in allow tcp 23 from 10.0.0.0/8 to any\n"
            "    - in deny tcp 23 from any to any  # telnet\n    - in allow all from any to any  # rest\n"
        ),
    ),
    "lines of an ACL change places with their comments": (
        (
            "acls:\n  a:\n    - in deny tcp 23 from any to any  # telnet\n    - in deny 7 from any to any\n"
            "    - in allow all from any to any  # rest\n"
        ),
        lines("a", "in allow all from any to any", "in deny tcp 23 from any to any", "in deny 7 from any to any"),
        (
            "acls:\n  a:\n    - in allow all from any to any  # rest\n    - in deny tcp 23 from any to any  # telnet\n"
            "    - in deny 7 from any to any\n"
        ),
    ),
    "a line behind which the template stands": (
        "profile: alibaba\nvpcs: {v: {cidrs: 10.0.0.0/8}}\nacls:\n  a:\n    vpc: v\n    template: default\n",
        lines("a", "in deny 7 from any to any", "in allow all from any to any", "out allow all from any to any"),
        (
            "profile: alibaba\nvpcs: {v: {cidrs: 10.0.0.0/8}}\nacls:\n  a:\n    vpc: v\n    rules:\n"
            "      - in deny 7 from any to"
            " any\n    template: default\n"
        ),
    ),
    "a line behind the template": (
        "profile: alibaba\nvpcs: {v: {cidrs: 10.0.0.0/8}}\nacls: {a: {vpc: v, template: default}}\n",
        lines("a", "in allow all from any to any", "out allow all from any to any", "in deny 7 from any to any"),
        (
            "profile: alibaba\nvpcs: {v: {cidrs: 10.0.0.0/8}}\nacls: {a: {vpc: v, rules: [in allow all from any to any,"
            " out allow all from any to any, in deny 7 from any to any]}}\n"
        ),
    ),
    "groups of a port: a name, a list, lines": (
        MACHINES + "instances:\n  x: {subnet: web, ip: 10.0.1.9, groups: a}  # x\n",
        groups_of("x", "b", "a"),
        MACHINES + "instances:\n  x: {subnet: web, ip: 10.0.1.9, groups: [b, a]}  # x\n",
    ),
    "groups of a port in brackets": (
        MACHINES + "instances: {x: {subnet: web, ip: 10.0.1.9, groups: [a, b]}}",
        groups_of("x", "b", "a"),
        MACHINES + "instances: {x: {subnet: web, ip: 10.0.1.9, groups: [b, a]}}",
    ),
    "groups of a port that names none": (
        MACHINES + "instances:\n  x:\n    subnet: web # s\n    ip: 10.0.1.9 # i\n    serve: tcp/80\n",
        lambda world: groups_of("x", "b")(world.edited(groups={"default": None})),
        MACHINES
        + "instances:\n  x:\n    subnet: web # s\n    ip: 10.0.1.9 # i\n    groups:\n      - b\n    serve: tcp/80\n",
    ),
    "groups of one port of several": (
        MACHINES + "instances:\n  x:\n    ports:\n      e0: {subnet: web, ip: 10.0.1.9, groups: [a]}\n"
        "      e1: {subnet: web, ip: 10.0.1.8, groups: [a]}\n",
        groups_of("x", "a", "b"),
        MACHINES + "instances:\n  x:\n    ports:\n      e0: {subnet: web, ip: 10.0.1.9, groups: [a, b]}\n"
        "      e1: {subnet: web, ip: 10.0.1.8, groups: [a]}\n",
    ),
    "entries of an address group: one text, brackets": (
        "address_groups:\n  one: 10.0.0.1  # x\n",
        entries("one", "10.0.0.1", "10.9.0.0/16"),
        "address_groups:\n  one: [10.0.0.1, 10.9.0.0/16]  # x\n",
    ),
    "entries of an address group: lines, and a bound": (
        "address_groups:\n  one:\n    - 10.0.0.1  # x\n    - 10.0.0.2/32  # y\n    # z\n",
        entries("one", "10.0.0.2", "10.9.0.0/16", bound=3),
        (
            "address_groups:\n  one:\n    max_entries: 3\n    entries:\n    - 10.0.0.2/32  # y\n"
            "    - 10.9.0.0/16\n    # z\n"
        ),
    ),
    "entries of a port list": (
        "port_lists: {p: [22, 80-90]}",
        ports_of("p", "22", "443"),
        "port_lists: {p: [22, '443']}",
    ),
    "a peering comes": (
        VPCS,
        peering("ops-shop"),
        VPCS + "peerings:\n  - name: ops-shop\n    vpcs:\n      - ops\n      - shop\n",
    ),
    "a firewall on a peering": (
        VPCS + "peerings:\n  - [shop, ops]  # ours\n",
        peering("ops-shop", "deny tcp 22 from any to any"),
        VPCS + "peerings:\n  - {firewall: [deny tcp 22 from any to any], vpcs: [shop, ops]}  # ours\n",
    ),
    "a peering goes": (
        VPCS + "peerings:\n  - [shop, ops]  # ours\n# end\n",
        lambda world: world.edited(peerings={"ops-shop": None}),
        VPCS + "# end\n",
    ),
    "a border": (
        "vpcs:\n  shop:\n    cidrs: 10.0.0.0/16\n    border: [in deny 7 from any to any]\n",
        border("in deny 7 from any to any", "out deny tcp 1,2 from any to any"),
        (
            "vpcs:\n  shop:\n    cidrs: 10.0.0.0/16\n"
            "    border: [in deny 7 from any to any, 'out deny tcp 1,2 from any to any']\n"
        ),
    ),
    "penalties": (
        MACHINES + "instances: {x: {subnet: web, ip: 10.0.1.9, groups: a}}\nblocks:\n  x: spam  # May\n",
        lambda world: world.edited(penalties={"x": None, "x.eth0": Penalty("x.eth0", "more: spam")}),
        MACHINES + "instances: {x: {subnet: web, ip: 10.0.1.9, groups: a}}\nblocks:\n  x.eth0: 'more: spam'\n",
    ),
    "expectations and a switch": (
        "switches: {default_priority: 5}\nexpect:\n- 10.0.0.1 -> 10.0.0.2 tcp/80 allow\n",
        lambda world: replace(world, expects=()),
        "switches: {default_priority: 5}\n",
    ),
    "everything in brackets": (
        "{groups: {a: [], b: []}}",
        lambda world: entries("one", "10.0.0.1")(world.edited(groups={"a": None})),
        "{address_groups: {one: [10.0.0.1]}, groups: {b: []}}",
    ),
    "an ACL of a subnet": (
        "vpcs:\n  v:\n    cidrs: 10.0.0.0/8\n    subnets:\n      w: 10.1.0.0/16  # web\nacls: {a: []}\n",
        lambda world: world.edited(
            vpcs={"v": replace(world.vpcs["v"], subnets={"w": replace(world.vpcs["v"].subnets["w"], acl="a")})}
        ),
        (
            "vpcs:\n  v:\n    cidrs: 10.0.0.0/8\n    subnets:\n"
            "      w: {cidr: 10.1.0.0/16, acl: a}  # web\nacls: {a: []}\n"
        ),
    ),
}


@pytest.mark.parametrize("title", EXACT)
def test_what_becomes_of_a_text(title: str) -> None:
    text, edit, expected = EXACT[title]
    before = parse(text, "test.yaml")
    assert amended(text, before, edit(before)) == expected


REFUSED: dict[str, tuple[str, Edit, str]] = {
    "a comment would be lost": (
        MACHINES + "instances:\n  x:\n    subnet: web # s\n    ip: 10.0.1.9\n    groups: a\n",
        lambda world: world.edited(instances={"x": _with_second_port(world)}),
        "in line 4: a comment stands inside",
    ),
    "an alias would change as well": (
        f"groups:\n  a: &r [{SSH}]\n  b: *r\n",
        rules("a", [], [OUT]),
        "b in groups would not be what it should",
    ),
    "a rare line break ends a comment": (
        f"groups:\n  a:\n    - {SSH}  # x\u2028    - {OUT}\n    - {WEB}\n",
        rules("a", [SSH]),
        "a in groups would not be what it should",
    ),
    "a document without anything": ("---\n", entries("one", "10.0.0.1"), "it is empty"),
    "what a file cannot say": (
        "address_groups: {one: [10.0.0.1]}",
        lambda world: world.edited(address_groups={"one": replace(world.address_groups["one"], account="theirs")}),
        "one in address_groups would not be what it should",
    ),
    "a world that is wrong": (
        "groups: {a: []}",
        rules("a", [], ["in allow tcp 22 from group nobody"]),
        "it would not be valid: line 1: there is no group 'nobody'",
    ),
}


def _with_second_port(world: World) -> Any:
    instance = world.instances["x"]
    other = replace(
        instance.primary, name="eth1", addresses=(replace(instance.primary.addresses[0], value=0x0A000108),)
    )
    return replace(instance, ports=(instance.primary, other))


@pytest.mark.parametrize("title", REFUSED)
def test_what_is_refused(title: str) -> None:
    text, edit, words = REFUSED[title]
    before = parse(text, "test.yaml")
    with pytest.raises(CannotAmend, match=words):
        amended(text, before, edit(before))


@pytest.mark.parametrize("text", [ARCHITECTURE, PATH, *(text for pair in SAME.values() for text in pair)])
def test_nothing_to_change_changes_nothing(text: str) -> None:
    assert amended(text, parse(text, "test.yaml"), parse(text, "test.yaml")) == text


@dataclass
class Planted:
    """A world as a file, each line of it told apart by a comment, with comments between lines."""

    text: str

    @classmethod
    def of(cls, world: World, chance: random.Random) -> Planted:
        found = []
        for number, line in enumerate(dump(world).splitlines()):
            if chance.random() < 0.3:
                found.append(" " * chance.randrange(9) + f"# between {number} - a: [x, {{")
            found.append(f"{line}  # end {number}, - b: ]")
        return cls("\n".join(found) + "\n" * chance.randrange(2))

    def place_of(self, section: str, name: str) -> set[str]:
        """The lines of one thing."""
        found: set[str] = set()
        at = ["", ""]
        for line in self.text.splitlines():
            if not line.lstrip().startswith("#"):
                indent = len(line) - len(line.lstrip())
                if indent == 0 and not line.startswith("-"):
                    at = [line.partition(":")[0], ""]
                elif indent == 2 and not line.lstrip().startswith("- "):
                    at[1] = str(next(iter(yaml.safe_load(line))))
            if at == [section, name]:
                found.add(line)
        return found


def _thing(edit: object) -> tuple[str, str]:
    match edit:
        case GroupChanged(group):
            return "groups", group.name
        case PortChanged(port):
            return "instances", port.instance
        case PortGone(name):
            return "instances", name.partition(".")[0]
        case EntriesChanged(name):
            return "address_groups", name
        case PortListChanged(port_list):
            return "port_lists", port_list.name
    raise AssertionError(edit)


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(full_worlds(), st.integers(0, 1 << 16))
def test_an_edit_touches_what_it_is_about(world: World, seed: int) -> None:
    chance = random.Random(seed)
    for edit, after in edits(world, chance, 6):
        planted = Planted.of(world, chance)
        section, name = _thing(edit)
        if problems(after) or not getattr(after, section):
            break
        text = amended(planted.text, world, after)
        old, new = planted.text.splitlines(), text.splitlines()
        place = planted.place_of(section, name)
        assert [line for line in new if line in set(old) - place] == [line for line in old if line not in place]
        if isinstance(edit, GroupChanged):
            assert _rules_on(set(old) - set(new)).isdisjoint(map(str, edit.group.rules))
        world = parse(text, "amended.yaml")


def _rules_on(lines: set[str]) -> set[str]:
    """The rules that stand on lines in their short form."""
    read = [yaml.safe_load(line) for line in lines if line.lstrip().startswith("- ")]
    return {item for items in read for item in items if isinstance(item, str)}


def test_a_file_is_replaced_at_once_with_its_permissions(tmp_path: Path) -> None:
    file, link = tmp_path / "world.yaml", tmp_path / "link.yaml"
    file.write_bytes(b"groups: {a: []}\r\n")
    file.chmod(0o640)
    link.symlink_to(file)
    text = read_text(link)
    before = parse(text, "test.yaml")
    replace_text(link, text, amended(text, before, rules("a", [], [SSH])(before)))
    assert file.read_bytes() == f"groups: {{a: [{SSH}]}}\r\n".encode()
    assert (link.is_symlink(), file.stat().st_mode & 0o777) == (True, 0o640)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["link.yaml", "world.yaml"]
    with pytest.raises(InvalidInput, match="cannot write"):
        replace_text(tmp_path / "nowhere" / "world.yaml", "", "")


def test_what_somebody_else_wrote_or_nobody_may_write_is_not_replaced(tmp_path: Path) -> None:
    file = tmp_path / "world.yaml"
    file.write_text("theirs")
    with pytest.raises(InvalidInput, match="was changed meanwhile"):
        replace_text(file, "read before", "mine")
    file.chmod(0o444)
    with pytest.raises(InvalidInput, match="is read-only"):
        replace_text(file, "theirs", "mine")
    assert (file.read_text(), [*tmp_path.iterdir()]) == ("theirs", [file])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may write files of somebody else")
def test_a_file_stays_its_owners(tmp_path: Path) -> None:
    file = tmp_path / "world.yaml"
    file.write_text("old")
    os.chown(file, 1234, 4321)
    replace_text(file, "old", "new")
    assert (file.read_text(), file.stat().st_uid, file.stat().st_gid) == ("new", 1234, 4321)
