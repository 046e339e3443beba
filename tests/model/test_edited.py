"""Laws of an edited world: it is the world built from scratch, and a look at what was touched judges all of it."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from ringfence.model.acl import AclRule, NetworkAcl
from ringfence.model.address import Address, AddressRange, Prefix
from ringfence.model.flow import Expectation
from ringfence.model.group import AddressGroup, GroupType, SecurityGroup
from ringfence.model.persistent import Section
from ringfence.model.port_list import PortList
from ringfence.model.profile import PROFILES
from ringfence.model.rule import Rule
from ringfence.model.service import PortRange
from ringfence.model.topology import DetachedPort, Instance, Network, OutsideHost, Peering, Port, VirtualIp, Vpc
from ringfence.model.validation import Problem, Touched, problems
from ringfence.model.world import SECTIONS, World, by_name
from ringfence.policy.change import Change
from ringfence.worldfile import dump, parse
from tests.full_worlds import full_worlds
from tests.worlds import random_world

TABLES = ("places", "ways", "rule_ids", "members", "sizes", "ties", "naming", "asked")
Changes = Mapping[str, Any]
"""By section, new values by name."""


def rebuilt(world: World) -> World:
    """The same world from scratch, as a file gives it."""
    sections: dict[str, Any] = {name: by_name(getattr(world, name).values()) for name in SECTIONS}
    return replace(world, **sections)


def touched(changes: Changes, *, expects: bool) -> Touched:
    return Touched(**{name: values.keys() for name, values in changes.items()}, expects=expects)


def check_laws(world: World, changes: Changes, expects: tuple[Expectation, ...] | None = None) -> bool:
    """Whether the edited world is valid, once all laws hold."""
    edited = world.edited(**changes, expects=expects)
    scratch = rebuilt(edited)
    assert edited == scratch
    assert scratch == edited
    for one, two in ((world, edited), (edited, world)):  # sections are compared otherwise than other mappings
        assert Change.between(one.persistent(), two.persistent()) == Change.between(rebuilt(one), rebuilt(two))
    assert edited.ports == scratch.ports
    assert dict(edited.port_by_name) == {str(port): port for port in scratch.ports}
    for name in SECTIONS:
        assert isinstance(getattr(edited, name), Section)
        assert list(getattr(edited, name)) == list(getattr(scratch, name))
    for name in TABLES:
        assert name in vars(edited)
        assert getattr(edited, name) == getattr(scratch, name), name
    whole, about = problems(scratch), touched(changes, expects=expects is not None)
    assert problems(edited) == whole
    for focused in (problems(edited, about), problems(edited, by_rules(about, world, edited))):
        assert set(focused) <= set(whole)
        # One stands for many that fare alike, and nothing else is left out: so they are empty together.
        assert kinds(focused) == kinds(whole)
    return not whole


def by_rules(about: Touched, world: World, edited: World) -> Touched:
    """The same, with the new rules in place of groups that are as they were but for rules."""
    there = about.groups & world.groups.keys() & edited.groups.keys()
    both = {name: (world.groups[name], edited.groups[name]) for name in there}
    rules = {
        name: {rule.id_in(name) for rule in new.rules if rule not in old.rules}
        for name, (old, new) in both.items()
        if replace(new, rules=old.rules) == old
    }
    return replace(about, groups=about.groups - rules.keys(), rules=rules)


def kinds(found: Sequence[Problem]) -> set[tuple[str, str]]:
    """Section and code of each problem; of ports alike, one stands for all, whether an instance has it or none does."""
    sections = {"detached": "instances"}
    return {(sections.get(str(it.path[0]), str(it.path[0])), it.code) for it in found}


# ---- edits, most of which break something


Mutator = Callable[[Any, random.Random, World], Any]


def _port(port: Port, chance: random.Random, world: World) -> Port:
    other = chance.choice(world.ports)
    return chance.choice(
        [
            replace(port, groups=other.groups),
            replace(port, groups=(*port.groups, chance.choice([*world.groups]))),
            replace(port, addresses=other.addresses),
            replace(port, vpc=other.vpc, subnet=other.subnet),
            replace(port, groups=()),
            replace(port, name="other"),
        ]
    )


def _instance(instance: Instance, chance: random.Random, world: World) -> Instance:
    return replace(instance, ports=tuple(_port(port, chance, world) for port in instance.ports))


def _rules(rules: Sequence[Any], others: Sequence[Any], chance: random.Random) -> tuple[Any, ...]:
    made = [*rules, *chance.sample(others, min(2, len(others)))]
    given_id = next((rule.given_id for rule in others if rule.given_id), "sgr-x")
    made = [replace(rule, given_id=given_id) if chance.random() < 0.1 else rule for rule in made]
    chance.shuffle(made)
    return tuple(made[: chance.randint(0, len(made))])


def _group(group: SecurityGroup, chance: random.Random, world: World) -> SecurityGroup:
    others: list[Rule] = [rule for it in world.groups.values() for rule in it.rules]
    return chance.choice(
        [
            replace(group, rules=_rules(group.rules, others, chance)),
            replace(group, type=chance.choice([*GroupType])),
            replace(group, vpc=chance.choice(["", "nowhere", *world.vpcs])),
            replace(group, account="partner"),
            replace(group, profile=chance.choice(["", *PROFILES])),
        ]
    )


def _list(group: AddressGroup, chance: random.Random, world: World) -> AddressGroup:
    others = [entry for it in world.address_groups.values() for entry in it.entries]
    return replace(group, entries=tuple(chance.sample(others, chance.randint(0, len(others)))), max_entries=None)


def _ports(it: PortList, chance: random.Random, world: World) -> PortList:
    others = [entry for it in world.port_lists.values() for entry in it.entries]
    return replace(it, entries=tuple(chance.sample(others, chance.randint(0, len(others)))), max_entries=None)


def _acl(acl: NetworkAcl, chance: random.Random, world: World) -> NetworkAcl:
    others = [rule for it in world.acls.values() for rule in it.rules]
    return replace(
        acl, rules=_rules(acl.rules, others, chance), vpc=chance.choice([acl.vpc, "", "nowhere", *world.vpcs])
    )


def _vpc(vpc: Vpc, chance: random.Random, world: World) -> Vpc:
    other = chance.choice([*world.vpcs.values()])
    kept = {name: it for name, it in vpc.subnets.items() if chance.random() < 0.7}
    return chance.choice(
        [
            replace(vpc, cidrs=other.cidrs),
            replace(vpc, subnets=kept),
            replace(vpc, network=chance.choice([*Network])),
            replace(vpc, profile=chance.choice([*PROFILES.values()])),
            replace(vpc, border=_rules(vpc.border, other.border, chance)),
            replace(vpc, subnets={name: replace(it, acl="none") for name, it in vpc.subnets.items()}),
        ]
    )


def _peering(peering: Peering, chance: random.Random, world: World) -> Peering:
    one, two = (chance.choice(["nowhere", *world.vpcs]) for _ in range(2))
    return replace(peering, vpcs=(one, two))


def _vip(vip: VirtualIp, chance: random.Random, world: World) -> VirtualIp:
    port = chance.choice(world.ports)
    return replace(vip, addresses=port.addresses, ports=(str(port),), vpc=port.vpc, subnet=port.subnet)


def _host(host: OutsideHost, chance: random.Random, world: World) -> OutsideHost:
    having: list[Any] = [*world.ports, *world.outside.values()]
    return replace(host, addresses=chance.choice(having).addresses)


def _detached(spare: DetachedPort, chance: random.Random, world: World) -> DetachedPort:
    port = chance.choice(world.ports)
    changed = chance.choice(
        [
            replace(spare.port, addresses=port.addresses),
            replace(spare.port, groups=tuple(chance.sample([*world.groups], chance.randint(0, len(world.groups))))),
            replace(spare.port, vpc=port.vpc, subnet=port.subnet),
            replace(spare.port, vpc="nowhere"),
            replace(spare.port, parent=chance.choice(["", "eni-nowhere", *world.detached]), vlan=chance.randint(0, 3)),
            replace(spare.port, namespace="other"),
        ]
    )
    return replace(spare, port=changed, account=chance.choice(["", "acme"]))


def with_detached(world: World, chance: random.Random) -> World:
    """The world with ports that no instance has, like others at other addresses; some hang off some, by VLANs.

    Some are in a group of their own choice, so that it may have no other members.
    """
    found: list[DetachedPort] = []
    for port in chance.sample(world.ports, chance.randint(0, min(4, len(world.ports)))):
        addresses = tuple(replace(it, value=it.value + 120) for it in port.addresses)
        copy = replace(port, instance="", name=f"eni-{port.instance}-{port.name}", addresses=addresses)
        if chance.random() < 0.4:
            copy = replace(copy, groups=(chance.choice(_fitting(world, port)),))
        above = [it.port for it in found if not it.port.parent]
        near = [it.name for it in above if (it.vpc, it.namespace) == (copy.vpc, copy.namespace)]
        if near and chance.random() < 0.5:
            copy = replace(copy, parent=chance.choice(near), vlan=len(found))
        found.append(DetachedPort(copy, world.instances[port.instance].account))
    return replace(world, detached=by_name(found))


def _fitting(world: World, port: Port) -> list[str]:
    """The groups that a port may be in, each by itself."""
    profile = world.vpcs[port.vpc].profile
    near = (it for it in world.groups.values() if it.vpc == port.vpc or it.name in port.groups)
    return [it.name for it in near if world.profile_of(it).name == profile.name]


MUTATORS: Mapping[str, Mutator] = {
    "instances": _instance,
    "groups": _group,
    "address_groups": _list,
    "port_lists": _ports,
    "acls": _acl,
    "vpcs": _vpc,
    "peerings": _peering,
    "virtual_ips": _vip,
    "outside": _host,
    "detached": lambda spare, chance, world: _detached(spare, chance, world),
    "penalties": lambda penalty, *_: replace(penalty, reason=" "),
}


def random_changes(world: World, other: World, chance: random.Random) -> Changes:
    """A few things gone, changed, or as they are in another world."""
    changes: dict[str, dict[str, Any]] = {}
    for _ in range(chance.choice([1, 1, 1, 2, 3])):
        section = chance.choice(SECTIONS)
        here, there = getattr(world, section), getattr(other, section)
        names = sorted({*here, *there})
        if not names:
            continue
        name = chance.choice(names)
        ways: list[Callable[[], Any]] = [lambda name=name, there=there: there.get(name), lambda: None]  # type: ignore[misc]
        if name in here:
            value = here[name]
            ways += [lambda value=value, section=section: MUTATORS[section](value, chance, world)] * 3  # type: ignore[misc]
        changes.setdefault(section, {})[name] = chance.choice(ways)()
    return changes


@st.composite
def edited_worlds(draw: DrawFn) -> tuple[World, Changes, tuple[Expectation, ...] | None]:
    chance = draw(st.randoms(use_true_random=False))
    world, other = (with_detached(draw(full_worlds()), chance) for _ in range(2))
    changes = random_changes(world, other, chance)
    return world, changes, draw(st.none() | st.just(other.expects))


@given(edited_worlds())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_an_edited_world_is_the_world_from_scratch_and_judged_by_what_was_touched(
    drawn: tuple[World, Changes, tuple[Expectation, ...] | None],
) -> None:
    check_laws(*drawn)


@pytest.mark.parametrize("name", PROFILES)
def test_the_same_of_larger_worlds_edit_after_edit(name: str) -> None:
    chance, valid = random.Random(7), 0
    world, other = (with_detached(random_world(chance, PROFILES[name]), chance) for _ in range(2))
    for _ in range(60):
        changes = random_changes(world, other, chance)
        if check_laws(world, changes):
            world, valid = world.edited(**changes), valid + 1
    assert 5 < valid < 55


TEXT = """\
{profile}
vpcs: {{shop: {{cidrs: [10.0.0.0/16, fd00::/56], subnets: {{web: {{cidr: 10.0.1.0/24, cidr6: fd00::/64}}}}}}}}
groups:
  sg: {{vpc: shop, rules: [in allow tcp 80 from any, in allow tcp 81 from office]}}
address_groups: {{office: [198.51.100.7, 198.51.100.8]}}
port_lists: {{web-ports: [80, 8000-8100]}}
acls: {{edge: {{vpc: shop, rules: [in allow tcp 80 from any to any]}}}}
instances:
  a: {{account: acme, ports: {{eth0: {{subnet: web, ip: 10.0.1.11, ip6: "fd00::11", groups: sg}},
                            eth1: {{subnet: web, ip: 10.0.1.12, groups: sg}}}}}}
  b: {{subnet: web, ip: 10.0.1.21, groups: sg}}
"""
HUAWEI_SHOP = parse(TEXT.format(profile=""), "huawei")
ALIBABA_SHOP = parse(TEXT.format(profile="profile: alibaba"), "alibaba")


# ---- what names what: a change of the one is told at the other

FULL = parse(
    """\
vpcs:
  shop:
    cidrs: 10.0.0.0/16
    subnets: {web: {cidr: 10.0.1.0/24, acl: edge}, db: 10.0.2.0/24}
    border: [in allow tcp 80 from office to any]
  ops: {cidrs: 10.9.0.0/16, subnets: {net: 10.9.1.0/24}}
  lab: {cidrs: 10.8.0.0/16, subnets: {bench: 10.8.1.0/24}}
peerings:
  - {name: shop-ops, vpcs: [shop, ops], firewall: [allow tcp 80 from office to any]}
  - {name: ops-lab, vpcs: [ops, lab]}
address_groups: {office: [198.51.100.0/24]}
port_lists: {web-ports: [80, 8000-8100]}
groups:
  own: {vpc: shop, rules: [{id: one, direction: in, action: allow, remote: group base}, in allow tcp 80 from office]}
  serving: {vpc: shop, rules: [in allow tcp web-ports from any]}
  base: [in allow tcp 22 from 10.0.0.0/8]
acls: {edge: {vpc: shop, rules: [in allow tcp 80 from office to any]}}
instances:
  a: {subnet: web, ip: 10.0.1.11, groups: [own]}
  b: {subnet: web, ip: 10.0.1.12, groups: [own, base]}
  c: {subnet: net, ip: 10.9.1.11, groups: [base]}
  d: {subnet: db, ip: 10.0.2.11, groups: [base]}
virtual_ips: {vip: {subnet: web, ip: 10.0.1.100, ports: [a]}}
blocks: {b.eth0: spam}
outside: {laptop: 203.0.113.9}
expect: [d -> vip icmp deny, laptop -> d icmp deny, 10.8.1.11 -> c icmp deny]
""",
    "full",
)
NO_OUTSIDE = FULL.edited(outside={"laptop": None}, expects=())


def other(world: World, section: str, name: str, **fields: Any) -> Changes:
    return {section: {name: replace(getattr(world, section)[name], **fields)}}


def at(place: str, name: str, address: str, *groups: str) -> Changes:
    """A new instance."""
    vpc, _, subnet = place.partition("/")
    port = Port(name, "eth0", subnet, vpc, (Address.parse(address),), groups or ("base",))
    return {"instances": {name: Instance(name, (port,))}}


_IN_USE, _TWICE, _PORT = "world.address_in_use", "world.duplicate", "world.unknown_port"
_LIST, _NO_VPC = "InvalidParam.PrefixListAddressFamilyMismatch", "world.unknown_vpc"
_NO_LIST, _NO_SOURCE = "InvalidPrefixListId.NotFound", "InvalidSourceGroupId.NotFound"
_HANGS = "world.supplementary"
_LISTED = Rule.parse("in allow tcp web-ports from 10.0.0.0/8")
_LOOSE = Port("", "a", "web", "shop", (Address.parse("10.0.1.77"),), ("serving",))
SPARE = FULL.edited(
    detached={
        "a": DetachedPort(_LOOSE),
        "b": DetachedPort(replace(_LOOSE, name="b", addresses=(Address.parse("10.0.1.78"),), parent="a", vlan=7)),
    }
)
"""With two ports that no instance has, one hanging off the other, in a group that no other port is in."""
_ONE = Rule.parse("in allow tcp 81 from 10.0.0.0/8")
_SPACE = (Prefix.parse("10.0.0.0/16"), Prefix.parse("10.8.0.0/16"))
BREAKING: Mapping[str, tuple[World, Changes, set[tuple[str, str]]]] = {
    "an instance goes": (FULL, {"instances": {"a": None}}, {("virtual_ips", _PORT)}),
    "a blocked one goes": (FULL, {"instances": {"b": None}}, {("blocks", _PORT)}),
    "one that is asked about goes": (FULL, {"instances": {"d": None}}, {("expect", "input.unknown_name")}),
    "a virtual IP goes": (FULL, {"virtual_ips": {"vip": None}}, {("expect", "input.unknown_name")}),
    "an outside host goes": (FULL, {"outside": {"laptop": None}}, {("expect", "input.unknown_name")}),
    "an address group goes": (
        FULL,
        {"address_groups": {"office": None}},
        {(it, _NO_LIST) for it in ("vpcs", "peerings", "groups", "acls")},
    ),
    "a port list goes": (
        FULL,
        {"port_lists": {"web-ports": None}},
        {("groups", "InvalidPortRangeListId.NotFound")},
    ),
    "a port list lists a port twice": (
        FULL,
        other(FULL, "port_lists", "web-ports", entries=(PortRange(80, 80), PortRange(80, 80))),
        {("port_lists", _TWICE)},
    ),
    "a detached port takes the VLAN of another one": (
        SPARE,
        {"detached": {"c": DetachedPort(replace(SPARE.detached["b"].port, name="c", addresses=()))}},
        {("instances", _TWICE)},
    ),
    "what a detached port hangs off goes": (SPARE, {"detached": {"a": None}}, {("instances", _HANGS)}),
    "what it hangs off hangs off another one": (
        SPARE,
        {"detached": {"a": replace(SPARE.detached["a"], port=replace(SPARE.detached["a"].port, parent="b", vlan=1))}},
        {("instances", _HANGS)},
    ),
    "what it hangs off is in a namespace": (
        SPARE,
        {"detached": {"a": replace(SPARE.detached["a"], port=replace(SPARE.detached["a"].port, namespace="x"))}},
        {("instances", _HANGS)},
    ),
    "a group of detached members alone names a port list that is not there": (
        SPARE,
        other(SPARE, "groups", "serving", rules=(Rule.parse("in allow tcp no-ports from any"),)),
        {("groups", "InvalidPortRangeListId.NotFound")},
    ),
    "a group of detached members alone gets another profile": (
        SPARE,
        other(SPARE, "groups", "serving", profile="alibaba", vpc=""),
        {("groups", "world.group_vpc"), ("instances", "world.group_of_other_profile")},
    ),
    "a port list has more entries than it may have": (
        FULL,
        other(FULL, "port_lists", "web-ports", max_entries=1),
        {("port_lists", "limit.port_list_entries")},
    ),
    "a VPC whose group names a port list becomes the classic network": (
        ALIBABA_SHOP.edited(groups={"sg": replace(ALIBABA_SHOP.groups["sg"], rules=(_LISTED,))}),
        other(ALIBABA_SHOP, "vpcs", "shop", network=Network.CLASSIC),
        {("groups", "NotSupported.ClassicNetworkPortList")},
    ),
    "an address group is of the other family": (
        NO_OUTSIDE.edited(
            groups={"own": replace(FULL.groups["own"], rules=(Rule.parse("in allow icmp from office"),))}
        ),
        other(FULL, "address_groups", "office", entries=(AddressRange.parse("2001:db8::/32"),)),
        {("groups", _LIST)},
    ),
    "a VPC goes": (
        FULL,
        {"vpcs": {"shop": None}},
        {(it, _NO_VPC) for it in ("peerings", "groups", "acls", "instances", "virtual_ips")},
    ),
    "a VPC is where a peer of its peer is": (
        NO_OUTSIDE,
        other(FULL, "vpcs", "lab", cidrs=_SPACE),
        {("peerings", "world.overlap")},
    ),
    "a VPC is where another one is": (
        FULL,
        other(FULL, "vpcs", "lab", cidrs=_SPACE),
        {("vpcs", "world.overlap"), ("peerings", "world.overlap")},
    ),
    "the first host outside": (
        NO_OUTSIDE.edited(
            peerings={"ops-lab": None}, vpcs={"lab": replace(FULL.vpcs["lab"], subnets={}, cidrs=_SPACE)}
        ),
        {"outside": {"laptop": FULL.outside["laptop"]}},
        {("vpcs", "world.overlap")},
    ),
    "a VPC is where a host outside is": (
        FULL,
        other(FULL, "vpcs", "lab", cidrs=(Prefix.parse("203.0.113.0/24"), *FULL.vpcs["lab"].cidrs)),
        {("outside", "world.inside_vpc")},
    ),
    "a peering of peered VPCs": (
        FULL,
        {"peerings": {"more": Peering("more", ("ops", "shop"))}},
        {("peerings", _TWICE)},
    ),
    "one before the old one": (FULL, {"peerings": {"a": Peering("a", ("ops", "shop"))}}, {("peerings", _TWICE)}),
    "an ACL goes": (FULL, {"acls": {"edge": None}}, {("vpcs", "world.unknown_acl")}),
    "an ACL is another VPC's": (FULL, other(FULL, "acls", "edge", vpc="ops"), {("vpcs", "world.acl_of_other_vpc")}),
    "a group goes": (
        FULL,
        {"groups": {"base": None}},
        {("groups", _NO_SOURCE), ("instances", "InvalidSecurityGroupId.NotFound")},
    ),
    "a group is another account's": (
        FULL,
        other(FULL, "groups", "base", account="acme"),
        {("groups", "InvalidSourceGroupId.Mismatch"), ("instances", "world.group_of_other_account")},
    ),
    "a group is another VPC's": (
        FULL,
        other(FULL, "groups", "own", vpc="lab"),
        {("instances", "world.group_of_other_vpc")},
    ),
    "an address twice": (FULL, at("shop/web", "z", "10.0.1.11"), {("instances", _IN_USE)}),
    "the later one is the old one": (FULL, at("shop/web", "0", "10.0.1.11"), {("instances", _IN_USE)}),
    "a virtual IP's address": (FULL, at("shop/web", "z", "10.0.1.100"), {("virtual_ips", _IN_USE)}),
    "an outside host's address": (
        FULL,
        {"outside": {"a-host": replace(FULL.outside["laptop"], name="a-host")}},
        {("outside", _IN_USE)},
    ),
    "an address that is asked about": (
        FULL.edited(instances=at("lab/bench", "z", "10.8.1.11")["instances"]),
        {
            **at("more/net", "y", "10.8.1.11"),
            "vpcs": {
                "more": replace(
                    FULL.vpcs["lab"],
                    name="more",
                    subnets={"net": replace(FULL.vpcs["lab"].subnets["bench"], name="net", vpc="more")},
                )
            },
        },
        {("expect", "input.unknown_name"), ("vpcs", "world.overlap")},
    ),
    "an instance of a virtual IP's name": (FULL, at("ops/net", "vip", "10.9.1.99"), {("virtual_ips", _TWICE)}),
    "an instance of a host's name": (FULL, at("ops/net", "laptop", "10.9.1.99"), {("outside", _TWICE)}),
    "a host of a virtual IP's name": (
        FULL,
        {"outside": {"vip": OutsideHost("vip", (Address.parse("192.0.2.9"),))}},
        {("virtual_ips", _TWICE)},
    ),
    "a rule's id in another group": (
        FULL,
        other(FULL, "groups", "base", rules=(replace(_ONE, given_id="one"),)),
        {("groups", _TWICE)},
    ),
    "a rule's id on a border": (
        FULL,
        other(FULL, "vpcs", "ops", border=(AclRule.parse("in allow all from any to any"),)),
        set(),
    ),
    "and taken by a line": (
        FULL,
        other(FULL, "vpcs", "ops", border=(replace(AclRule.parse("in allow all from any to any"), given_id="one"),)),
        {("vpcs", _TWICE)},
    ),
    "an ACL too many": (
        FULL.edited(limits={"*": {"acls_per_vpc": 1}}),
        {"acls": {"more": NetworkAcl("more", vpc="shop")}},
        {("vpcs", "limit.acls_per_vpc")},
    ),
    "a member too many": (
        FULL.edited(limits={"*": {"members_per_group": 3}}),
        at("ops/net", "z", "10.9.1.99"),
        {("groups", "limit.members")},
    ),
    "a subnet goes": (
        FULL,
        other(FULL, "vpcs", "shop", subnets={"db": FULL.vpcs["shop"].subnets["db"]}),
        {("instances", "world.unknown_subnet"), ("virtual_ips", "world.unknown_subnet")},
    ),
}


@pytest.mark.parametrize("title", BREAKING)
def test_what_a_change_breaks_elsewhere_is_found(title: str) -> None:
    world, changes, expected = BREAKING[title]
    assert problems(world) == ()
    check_laws(world, changes)
    assert kinds(problems(world.edited(**changes), touched(changes, expects=False))) == expected


@pytest.mark.parametrize("kept", [0, 1])
def test_a_group_grows_though_one_of_its_rules_goes(kept: int) -> None:
    """What is twice in it now does not stand for what was there."""
    rules = FULL.groups["own"].rules
    check_laws(FULL, other(FULL, "groups", "own", rules=(rules[kept], rules[kept], _ONE)))


@pytest.mark.parametrize("entries", [10, 9])
def test_a_larger_address_group_costs_more_wherever_it_is_named(entries: int) -> None:
    profile = replace(ALIBABA_SHOP.profile, rules_per_group=11, rules_per_port=11, acl_rules_per_direction=10)
    line = AclRule.parse("in allow tcp 81 from office to any")
    world = ALIBABA_SHOP.edited(
        profile=profile,
        vpcs={"shop": replace(ALIBABA_SHOP.vpcs["shop"], profile=profile)},
        acls={"edge": replace(ALIBABA_SHOP.acls["edge"], rules=(*ALIBABA_SHOP.acls["edge"].rules, line))},
    )
    assert problems(world) == ()
    changes = other(world, "address_groups", "office", max_entries=entries)
    assert check_laws(world, changes) is (entries == 9)
    found = kinds(problems(world.edited(**changes), touched(changes, expects=False)))
    broken = {
        ("groups", "AuthorizationLimitExceed"),
        ("instances", "limit.rules_per_port"),
        ("acls", "limit.acl_rules"),
    }
    assert found == (set() if entries == 9 else broken)


def test_a_rule_with_a_port_list_costs_members_that_no_instance_has() -> None:
    """A rule that is added is judged by what the ports come to that are members, detached ones, too."""
    profile = replace(ALIBABA_SHOP.profile, rules_per_port=6)
    port = Port("", "eni", "web", "shop", (Address.parse("10.0.1.99"),), ("one", "two"))
    named = Rule.parse("in allow tcp web-ports from 10.0.0.0/8")
    world = ALIBABA_SHOP.edited(
        vpcs={"shop": replace(ALIBABA_SHOP.vpcs["shop"], profile=profile)},
        groups={"one": SecurityGroup("one", (_ONE,), "shop"), "two": SecurityGroup("two", (), "shop")},
        detached={"eni": DetachedPort(port)},
        port_lists={"web-ports": replace(ALIBABA_SHOP.port_lists["web-ports"], max_entries=5)},
    )
    assert check_laws(world, other(world, "groups", "two", rules=(named,)))
    larger = other(world, "port_lists", "web-ports", max_entries=6)
    with_rule = world.edited(groups={"two": replace(world.groups["two"], rules=(named,))})
    for before, changes in (
        (with_rule, larger),
        (world.edited(**larger), other(world, "groups", "two", rules=(named,))),
    ):
        assert not check_laws(before, changes)
        found = problems(
            before.edited(**changes), by_rules(touched(changes, expects=False), before, before.edited(**changes))
        )
        assert kinds(found) == {("instances", "limit.rules_per_port")}


@pytest.mark.parametrize(("remote", "most"), [("office", 5), ("any", 5), ("10.0.0.0/8", 10)])
def test_a_larger_port_list_costs_more_wherever_it_is_named(remote: str, most: int) -> None:
    """Together with a prefix list of two entries, or with the two families of ``any``: their product (13.12)."""
    profile = replace(ALIBABA_SHOP.profile, rules_per_group=10, rules_per_port=10)
    group = replace(ALIBABA_SHOP.groups["sg"], rules=(Rule.parse(f"in allow tcp web-ports from {remote}"),))
    vpcs = {"shop": replace(ALIBABA_SHOP.vpcs["shop"], profile=profile)}
    world = ALIBABA_SHOP.edited(profile=profile, vpcs=vpcs, groups={"sg": group})
    assert problems(world) == ()
    for entries, broken in ((most, False), (most + 1, True)):
        changes = other(world, "port_lists", "web-ports", max_entries=entries)
        assert check_laws(world, changes) is not broken
        found = kinds(problems(world.edited(**changes), touched(changes, expects=False)))
        codes = {("groups", "AuthorizationLimitExceed"), ("instances", "limit.rules_per_port")}
        assert found == (codes if broken else set())


# ---- limits


def test_the_account_of_an_instance_is_written_and_read_back() -> None:
    assert HUAWEI_SHOP.instances["a"].account == "acme"
    assert parse(dump(HUAWEI_SHOP), "dumped") == HUAWEI_SHOP


@pytest.mark.parametrize(
    ("world", "account", "limit", "fits", "code", "told"),
    [
        (HUAWEI_SHOP, "*", "members_per_group", 2, "limit.members", "group sg has 2 instances as members"),
        (ALIBABA_SHOP, "*", "members_per_group", 4, "limit.members", "group sg has 4 addresses as members"),
        (HUAWEI_SHOP, "*", "acls_per_vpc", 1, "limit.acls_per_vpc", "VPC shop has 1 acls"),
        (HUAWEI_SHOP, "*", "subnets_per_vpc", 1, "limit.subnets_per_vpc", "VPC shop has 1 subnets"),
        (HUAWEI_SHOP, "acme", "ports_per_instance", 2, "limit.ports_per_instance", "instance a has 2 ports"),
        (HUAWEI_SHOP, "acme", "rules_per_port", 3, "limit.rules_per_port", "maximum number"),
        (ALIBABA_SHOP, "acme", "rules_per_port", 4, "limit.rules_per_port", "maximum number"),
        (HUAWEI_SHOP, "acme", "groups_per_port", 1, "limit.groups_per_port", "a.eth0 is in 1 groups"),
        (HUAWEI_SHOP, "*", "rules_per_group", 3, "AuthorizationLimitExceed", "group sg has 3 rules"),
        (HUAWEI_SHOP, "", "acl_rules_per_direction", 2, "limit.acl_rules", "2 'in' rules"),
        (HUAWEI_SHOP, "*", "address_group_entries", 2, "limit.address_group_entries", "has 2 entries"),
        (ALIBABA_SHOP, "*", "port_list_entries", 2, "limit.port_list_entries", "port list web-ports has 2 entries"),
    ],
)
def test_an_operators_limit_holds_for_what_is_there(
    world: World, account: str, limit: str, fits: int, code: str, told: str
) -> None:
    everybody = {limit: fits - 1}
    assert problems(world.edited(limits={account: {limit: fits}})) == ()
    found = problems(world.edited(limits={account: everybody}))
    assert {problem.code for problem in found} == {code}
    assert told in found[0].what
    own = problems(world.edited(limits={"*": everybody, account: {limit: fits}} if account != "*" else {}))
    assert {problem.path[1] for problem in own} <= {"b", "sg", "shop", "office", "web-ports", "edge"}
    assert problems(world.edited(limits={"stranger": everybody})) == ()


@pytest.mark.parametrize(
    ("limits", "most"),
    [({}, 200), ({"*": {"address_group_entries": 20}}, 20), ({"acme": {"address_group_entries": 30}}, 30)],
)
def test_a_bound_may_be_what_any_cloud_takes_unless_the_operator_says_how_many(
    limits: dict[str, dict[str, int]], most: int
) -> None:
    """Also where the operator says what the profile says anyway."""
    world = HUAWEI_SHOP.edited(limits=limits)
    for bound in (most, most + 1):
        group = replace(world.address_groups["office"], account="acme", max_entries=bound)
        found = problems(world.edited(address_groups={"office": group}))
        assert [it.code for it in found] == ["limit.address_group_entries"] * (bound > most)


def test_an_advanced_group_counts_ports() -> None:
    group = SecurityGroup("sg", vpc="shop", type=GroupType.ADVANCED)
    world = ALIBABA_SHOP.edited(groups={"sg": group})
    assert problems(world.edited(limits={"*": {"members_per_advanced_group": 3}})) == ()
    (found,) = problems(world.edited(limits={"*": {"members_per_advanced_group": 2}}))
    assert (found.code, found.path) == ("limit.members", ("groups", "sg"))
    assert "3 ports as members" in found.what


def test_limits_follow_an_edit_of_a_profile() -> None:
    """Profiles with an account's limits are remembered; an edit that changes one must not find the old one."""
    world = HUAWEI_SHOP.edited(limits={"acme": {"rules_per_port": 7}})
    assert world.profile_in("shop", "acme").rules_per_port == 7
    vpc = world.vpcs["shop"]
    changed = world.edited(vpcs={"shop": replace(vpc, profile=replace(vpc.profile, groups_per_port=9))})
    assert changed.profile_in("shop", "acme").groups_per_port == 9
    assert changed.edited(limits={}).profile_in("shop", "acme").rules_per_port == 250
    assert changed.edited(expects=()).profile_in("shop", "acme") is changed.profile_in("shop", "acme")
