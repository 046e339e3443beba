"""The difference of two worlds: a flow is in it if and only if `evaluate` judges it otherwise in the two."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import permutations, product
from typing import Any

import pytest
import z3
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.analysis.difference.difference import Differ, Difference, difference
from ringfence.analysis.difference.telling import FlowChange
from ringfence.analysis.reach.ends import EndClass
from ringfence.model.address import NOT_UNICAST, Address, AddressRange, Family, Prefix
from ringfence.model.connection import Connection
from ringfence.model.flow import Endpoint, Flow
from ringfence.model.profile import ALIBABA, HUAWEI, OnChange
from ringfence.model.service import Service
from ringfence.model.topology import Vpc
from ringfence.model.world import World, by_name
from ringfence.policy.evaluate import Policy
from ringfence.policy.live import LiveChange
from ringfence.policy.verdict import Stage, Verdict
from ringfence.worldfile.parse import parse
from tests.analysis.test_reach import PORTLESS, everybody, flows
from tests.analysis.test_smt import covers
from tests.edits import edits
from tests.full_worlds import full_worlds
from tests.rules import PORTED, SOURCES
from tests.smt import Packet, Term, agree, can_be, passes
from tests.worlds import random_world

THREE_TIERS = """
vpcs: {shop: {cidrs: [10.0.0.0/16], subnets: {web: 10.0.1.0/24, db: {cidr: 10.0.2.0/24, acl: edge}}}}
address_groups: {offices: [198.51.100.0/24]}
port_lists: {time: [53, 123]}
acls:
  edge:
    vpc: shop
    rules:
      - in deny tcp 23 from any to any
      - in allow all from any to any
      - out allow all from any to any
groups:
  web:
    rules:
      - in allow tcp 80 from any
      - out allow all to any
  db:
    rules:
      - in allow udp time from group web
      - in allow tcp 22 from offices
      - out allow all to any
  bastion:
    rules:
      - out allow all to any
instances:
  web-1: {subnet: web, ip: 10.0.1.11, groups: [web]}
  web-2: {subnet: web, ip: 10.0.1.12, groups: [web]}
  db-1: {subnet: db, ip: 10.0.2.11, groups: [db]}
  bastion-1: {subnet: db, ip: 10.0.2.12, groups: [bastion]}
outside: {laptop: 203.0.113.9}
"""


def world(text: str = THREE_TIERS) -> World:
    return parse(text, "world.yaml")


CHANGES = [
    (
        "  db:\n    rules:\n",
        "  db:\n    rules:\n      - in allow tcp 3306 from group web\n",
        ["web (2 addresses) -> db-1.eth0: tcp 3306: denied -> allowed (db sgr-"],
    ),
    (
        "      - in allow tcp 80 from any\n",
        "      - in allow tcp 80 from any\n      - in deny tcp 80-90 from 203.0.113.0/24\n",
        ["203.0.113.0/24 (laptop) -> web (2 addresses): tcp 80: allowed -> denied (web sgr-"],
    ),
    (
        "      - in allow tcp 80 from any\n",
        "      - in allow tcp from 10.0.2.0/24\n      - in allow tcp 80 from any\n",
        ["bastion-1.eth0, db-1.eth0 -> web (2 addresses): tcp 1-24,26-79,81-65535: denied -> allowed (web sgr-"],
    ),
    (
        "      - in allow tcp 80 from any\n",
        "      - in allow udp 53 from 10.0.1.12\n      - in allow tcp 80 from any\n",
        ["web-2.eth0 -> web-1.eth0: udp 53: denied -> allowed (web sgr-"],
    ),
    (
        "10.0.2.12, groups: [bastion]}",
        "10.0.2.12, groups: [web]}",
        [
            "db-1.eth0, web (2 addresses), outside -> bastion-1.eth0: tcp 80: denied -> allowed (web sgr-",
            "bastion-1.eth0 -> db-1.eth0: udp 53,123: denied -> allowed (db sgr-",
        ],
    ),
    (
        "outside:",
        "  web-3: {subnet: web, ip: 10.0.1.13, groups: [web]}\noutside:",
        [
            "bastion-1.eth0, db-1.eth0, web (2 addresses), outside -> web-3.eth0: tcp 80: denied -> allowed (web sgr-",
            "web-3.eth0 -> web (2 addresses): tcp 80: denied -> allowed (web sgr-",
            "web-3.eth0 -> outside: all but tcp 25,",
        ],
    ),
    (
        "outside:",
        "blocks: {web-1: abuse}\noutside:",
        ["bastion-1.eth0, db-1.eth0, web-2.eth0, outside -> web-1.eth0: tcp 80: allowed -> denied (penalty-"],
    ),
    (
        "cidrs: [10.0.0.0/16]",
        "cidrs: [10.0.0.0/16, 172.16.0.0/16]",
        ["everybody in VPC shop -> 172.16.0.0/16 (outside): all but tcp 25,"],
    ),
    (
        "  bastion-1: {subnet: db, ip: 10.0.2.12, groups: [bastion]}",
        "  bastion-1: {subnet: db, ip: 10.0.2.12, groups: [bastion, db]}",
        ["web (2 addresses) -> bastion-1.eth0: udp 53,123: denied -> allowed (db sgr-"],
    ),
    ("time: [53, 123]", "time: [53]", ["web (2 addresses) -> db-1.eth0: udp 123: allowed -> denied (default-ingress"]),
    (
        "offices: [198.51.100.0/24]",
        "offices: [198.51.100.0/25]",
        ["198.51.100.128/25 (outside) -> db-1.eth0: tcp 22: allowed -> denied (default-ingress"],
    ),
    (
        "      - in deny tcp 23 from any to any\n",
        "      - in deny tcp 22-23 from 198.51.100.7/32 to any\n",
        ["198.51.100.7 (outside) -> db-1.eth0: tcp 22: allowed -> denied (edge "],
    ),
    ("    rules:\n      - in allow tcp 80", "    description: x\n    rules:\n      - in allow tcp 80", []),
]


@pytest.mark.parametrize(("old", "new", "lines"), CHANGES, ids=[new.strip().splitlines()[-1] for _, new, _ in CHANGES])
def test_a_change_is_told_to_people(old: str, new: str, lines: list[str]) -> None:
    after = world(THREE_TIERS.replace(old, new, 1))
    told = str(difference(world(), after)).splitlines()
    for line in lines:
        assert any(each.startswith(line) for each in told), told
    if not lines:
        assert told == ["nothing changes in who reaches whom"]
    back = str(difference(after, world())).splitlines()
    assert len(back) == len(told)


def judged(policy: Policy, flow: Flow) -> Verdict | None:
    """What a world says of a flow; None if it has not its VPCs."""
    there = {flow.source.vpc, flow.destination.vpc} - {""} <= policy.world.vpcs.keys()
    return policy.evaluate(flow) if there else None


def allows(verdict: Verdict | None) -> bool:
    return verdict is not None and verdict.allowed


def is_meant(flow: Flow, *verdicts: Verdict | None) -> bool:
    """Whether differences are about a flow: not if it stays in a guest, or is from or to what no machine has."""
    local = any(it and it.decided_by.stage is Stage.LOCAL for it in verdicts)
    return not local and flow.source.address.is_unicast and flow.destination.address.is_unicast


def check(found: Difference, before: World, after: World, some: Iterator[Flow]) -> int:
    """Hold a difference to what the evaluator says of some flows; says how many of them turned."""
    policies, turned = (Policy(before), Policy(after)), 0
    for flow in some:
        old, new = (judged(policy, flow) for policy in policies)
        if is_meant(flow, old, new):
            change = found.of(flow)
            assert (change is not None) == (allows(old) != allows(new)), (str(flow), str(change))
            assert change is None or change.allowed == allows(new)
            turned += change is not None
    for change in found.changes:
        assert (change.before, change.after) == tuple(judged(policy, change.example) for policy in policies)
        assert (allows(change.before), allows(change.after)) == (not change.allowed, change.allowed)
        assert found.of(change.example) is change
        assert str(change)
    return turned


def cells(found: Difference) -> dict[tuple[int, int, int, bool], object]:
    """What turns between each two classes; no two lines have a pair in common."""
    told = [
        ((it.services.family, one.index, two.index, it.allowed), it.services)
        for it in found.changes
        for one, two in product(it.sources, it.destinations)
    ]
    assert len(dict(told)) == len(told)
    return dict(told)


def edited(before: World, chance: random.Random) -> World:
    """A world after a few edits of rules, ports and entries, or with something else on the path."""
    match chance.randrange(8):
        case 0:
            acls = by_name(replace(acl, enabled=not acl.enabled) for acl in before.acls.values())
            return replace(before, acls=acls, penalties={})
        case 1:
            return replace(before, peerings={})
        case 2:
            return replace(before, vpcs=by_name(replace(vpc, border=()) for vpc in before.vpcs.values()))
        case 3:
            vips = (replace(vip, active=chance.choice(vip.ports)) for vip in before.virtual_ips.values())
            return replace(before, virtual_ips=by_name(vips))
        case 4:
            more = Prefix.parse(chance.choice(["203.0.113.0/25", "198.51.100.0/24", "2600::/16"]))
            return replace(before, vpcs=by_name(_with_space(vpc, more) for vpc in [*before.vpcs.values()]))
    return [*edits(before, chance, chance.randint(1, 3))][-1][1]


def _with_space(vpc: Vpc, more: Prefix) -> Vpc:
    return replace(vpc, cidrs=(*vpc.cidrs, more))


@settings(max_examples=10, deadline=None)
@given(full_worlds(), st.integers(0, 2**32))
def test_the_difference_is_what_the_evaluator_judges_otherwise(before: World, seed: int) -> None:
    rng = random.Random(seed)
    differ, worlds = Differ(before), [edited(before, rng), edited(before, rng)]
    for after in worlds:  # what is kept of the world before serves each change
        there = differ.to(after)
        check(there, before, after, both(before, after, rng))
        back = difference(after, before)
        assert sorted(turns(there, before, after)) == sorted(turns(back, after, before, mirrored=True))
    assert not differ.to(replace(before, expects=()))


@settings(max_examples=10, deadline=None)
@given(full_worlds(), st.integers(0, 2**32))
def test_the_connections_that_die_are_those_that_the_change_cuts(before: World, seed: int) -> None:
    rng = random.Random(seed)
    after = edited(before, rng)
    check_endings(before, after, rng)


def check_endings(before: World, after: World, rng: random.Random) -> int:
    """Hold the sets of dying connections to what is done to single ones; says how many of these were cut."""
    found, live, policy = difference(before, after), LiveChange(before, after), Policy(before)
    cut = 0
    for flow in flows(before, rng, 1):
        verdict = policy.evaluate(flow)
        if verdict.allowed and is_meant(flow, verdict, judged(Policy(after), flow)):
            tables = {flow.source.vpc, flow.destination.vpc} - {""}
            dies = not tables <= after.vpcs.keys() or any(live.cut(connection(vpc, flow)) for vpc in tables)
            assert (found.cuts(flow) is not None) == dies, str(flow)
            cut += dies
    for ending in found.endings:
        assert found.cuts(ending.example) is ending
        assert policy.evaluate(ending.example).allowed
        assert str(ending)
    return cut


def connection(vpc: str, flow: Flow) -> Connection:
    ports = (flow.source_port or 0, flow.service.port or 0)
    return Connection(vpc, flow.service.number, flow.source.address, flow.destination.address, *ports)


def both(before: World, after: World, rng: random.Random) -> Iterator[Flow]:
    yield from flows(before, rng, 1)
    yield from flows(after, rng, 1)


def turns(found: Difference, before: World, after: World, *, mirrored: bool = False) -> Iterator[str]:
    """What turns for each two addresses that anybody has, one by one."""
    cells(found)
    known = random.Random(1)
    for flow in both(*((after, before) if mirrored else (before, after)), known):
        change = found.of(flow)
        if change:
            yield f"{flow}: {change.allowed != mirrored} {change.services}"


@settings(max_examples=6, deadline=None)
@given(full_worlds(), st.integers(0, 2**32))
def test_every_flow_between_a_few_ends(before: World, seed: int) -> None:
    rng = random.Random(seed)
    after = edited(before, rng)
    check(difference(before, after), before, after, every(before, after, rng))


def every(before: World, after: World, rng: random.Random) -> Iterator[Flow]:
    """Every service that rules of the tests name, from every port that they do, between some ends of both worlds."""
    known = [*dict.fromkeys((*everybody(before), *everybody(after)))]
    ported = [Service.parse(f"{name}/{port}") for name in ("tcp", "udp") for port in PORTED]
    services = [*product(ported, SOURCES[::4]), *((Service.parse(name), None) for name in PORTLESS)]
    for source, destination in permutations(rng.sample(known, min(6, len(known))), 2):
        if source.address.family is destination.address.family and (source.vpc or destination.vpc):
            for service, come in services:
                if source.address.family in service.protocol.families:
                    yield Flow(source, destination, service, come)


@settings(max_examples=8, deadline=None)
@given(full_worlds(), full_worlds(), st.integers(0, 2**32))
def test_worlds_that_have_nothing_to_do_with_each_other(before: World, after: World, seed: int) -> None:
    rng = random.Random(seed)
    check(difference(before, after), before, after, both(before, after, rng))


def grouped(rng: random.Random) -> World:
    """Two peered VPCs of ports in groups whose rules name groups, about one service."""
    names = [f"g{number}" for number in range(5)]
    remotes = [*(f"group {name}" for name in names), "10.0.0.0/16", "10.1.0.0/31", "any"]
    ways = ["in allow tcp 80 from", "in allow tcp 80 from", "in deny tcp 80 from", "out deny tcp 80 to"]
    text = "vpcs:\n"
    for vpc in range(2):
        switches = f"switches: {{peer_references: {rng.choice(['true', 'false'])}}}"
        text += f"  v{vpc}: {{cidrs: [10.{vpc}.0.0/16], subnets: {{s{vpc}: 10.{vpc}.0.0/24}}, {switches}}}\n"
    text += "peerings: [{vpcs: [v0, v1]}]\ngroups:\n"
    for name in names:
        rules = [f"{rng.choice(ways)} {rng.choice(remotes)} priority {rng.choice([1, 2])}" for _ in range(3)]
        listed = "".join(f"      - {rule}\n" for rule in [*dict.fromkeys(rules), "out allow all to any priority 3"])
        text += f"  {name}:\n    intra_group: {rng.choice(['accept', 'drop'])}\n    rules:\n{listed}"
    text += "instances:\n"
    for number in range(6):
        groups = ", ".join(rng.sample(names, rng.choice([1, 1, 2])))
        text += f"  i{number}: {{subnet: s{number % 2}, ip: 10.{number % 2}.0.{number + 4}, groups: [{groups}]}}\n"
    return world(text)


def test_a_port_that_joins_or_leaves_groups() -> None:
    """Which rules elsewhere tell the port from what it was before is known from the groups that they name."""
    turned = 0
    for seed in range(25):
        rng = random.Random(seed)
        before = grouped(rng)
        differ = Differ(before)
        for name in rng.sample([*before.instances], 3):
            (port,) = before.instances[name].ports
            groups = tuple(rng.sample([*before.groups], rng.choice([1, 2])))
            moved = replace(before.instances[name], ports=(replace(port, groups=groups),))
            after = replace(before, instances=by_name([*before.instances.values(), moved]))
            pairs = permutations((end for end in everybody(before) if end.address.family is Family.IPV4), 2)
            some = (Flow(one, two, Service.parse("tcp/80")) for one, two in pairs if one.vpc or two.vpc)
            turned += check(differ.to(after), before, after, some)
    assert turned


PROFILES = [HUAWEI, ALIBABA, *(replace(HUAWEI, on_change=each) for each in (OnChange.REJUDGE, OnChange.KEEP))]


def many_rules(seed: int) -> tuple[World, World, random.Random]:
    """A world with rules of every kind, and one that a few edits make of it."""
    rng = random.Random(seed)
    before = random_world(rng, PROFILES[seed % len(PROFILES)])
    return before, [*edits(before, rng, 3)][-1][1], rng


@pytest.mark.parametrize("seed", range(4))
def test_worlds_with_many_rules(seed: int) -> None:
    before, after, rng = many_rules(seed)
    check(difference(before, after), before, after, both(before, after, rng))


@pytest.mark.parametrize("seed", range(12))
def test_connections_of_worlds_with_many_rules(seed: int) -> None:
    before, after, rng = many_rules(seed)
    cut = check_endings(before, after, rng)
    assert cut or PROFILES[seed % len(PROFILES)] is not HUAWEI


@pytest.mark.parametrize("seed", range(4))
def test_z3_finds_no_packet_of_which_the_difference_is_wrong(seed: int) -> None:
    """Between ends that a change is at and others, in both directions; of the outside it is every address at once."""
    before, after, rng = many_rules(seed)
    found, held = difference(before, after), 0
    turned = [tuple(map(rng.choice, ([*it.sources], [*it.destinations]))) for it in found.changes]
    inside = [end for end in found.ends if end.port]
    for one, two in [*rng.sample(turned, min(4, len(turned))), *(rng.sample(inside, 2) for _ in range(6))]:
        if one.family is two.family and not (one.guest and one.guest == two.guest):
            ends = (None if one.is_outside else one, None if two.is_outside else two)
            held += prove(found, (before, after), *ends)
    assert held or not found


def prove(found: Difference, worlds: tuple[World, World], source: EndClass | None, target: EndClass | None) -> bool:
    """Hold what is said between two classes to formulas of both worlds; None is all of the outside."""
    family = next(it.family for it in (source, target) if it)
    far = Endpoint(Address(family, 1 << family.bits - 1))
    ends = (source.example if source else far, target.example if target else far)
    packet = Packet.unknown(family, *(it.example if it else None for it in (source, target)))
    unknown = packet.source if source is None else packet.destination if target is None else None
    old, new = (_passes(world, ends, packet, unknown) for world in worlds)
    for changes, formula in ((found.allowed, z3.And(new, z3.Not(old))), (found.denied, z3.And(old, z3.Not(new)))):
        said = z3.Or([_said(it, source, target, packet, unknown) for it in changes if it.services.family is family])
        assert agree(said, formula, packet), f"{source} -> {target}"
    return can_be(z3.Xor(old, new), packet)


def _passes(world: World, ends: tuple[Endpoint, Endpoint], packet: Packet, unknown: Term) -> Term:
    if not all(world.port_at(end) or not end.vpc for end in ends):
        return z3.BoolVal(False)
    closed = [*(cidr.range for vpc in world.vpcs.values() for cidr in vpc.cidrs), *(it.range for it in NOT_UNICAST)]
    there = z3.BoolVal(True) if unknown is None else z3.Not(_lies_in(unknown, closed, packet))
    return z3.And(there, passes(world, *ends, packet))


def _said(change: FlowChange, source: EndClass | None, target: EndClass | None, packet: Packet, unknown: Term) -> Term:
    """What one line of the difference says of packets between two classes."""
    sides = ((change.sources, source), (change.destinations, target))
    if not all(end is None or end in side for side, end in sides):
        return z3.BoolVal(False)
    runs = [run for side, end in sides if end is None for each in side for run in each.ranges]
    there = z3.BoolVal(True) if unknown is None else _lies_in(unknown, runs, packet)
    return z3.And(there, covers(change.services.diagram, packet))


def _lies_in(address: Term, runs: Iterable[AddressRange], packet: Packet) -> Term:
    own = [it for it in runs if it.family is packet.family]
    return z3.Or([z3.And(z3.UGE(address, it.first), z3.ULE(address, it.last)) for it in own])


def example(found: Difference) -> FlowChange:
    (change,) = found.changes
    return change


def test_more_of_one_kind_make_no_more_lines() -> None:
    more = "".join(f"  n{number}: {{subnet: web, ip: 10.0.1.{number}, groups: [web]}}\n" for number in range(20, 220))
    big = THREE_TIERS.replace("outside:", f"{more}outside:")
    rule = "  db:\n    rules:\n      - in allow tcp 3306 from group web\n"
    before, after = world(big), world(big.replace("  db:\n    rules:\n", rule))
    change = example(difference(before, after))
    assert str(change).startswith("web (202 addresses) -> db-1.eth0: tcp 3306: denied -> allowed (db ")
    assert change.cause
    assert change.cause.group == "db"


@pytest.mark.parametrize("most", [1, 4, 8, 1_000])
def test_sets_that_are_too_many_to_tell_are_counted(most: int) -> None:
    before = world(THREE_TIERS)
    bare = {it.name: replace(it, rules=()) for it in before.groups.values()}
    found = difference(before, replace(before, groups=bare))
    whole: dict[str, Any] = found.as_json()
    told: dict[str, Any] = found.as_json(most)
    left_out = 0
    for name in whole.keys() - {"left_out"}:
        every, kept = whole[name], told[name]
        named = [sum(len(it["from"]) + len(it["to"]) for it in every[:count]) for count in range(1, len(every) + 1)]
        assert kept == every[: len(kept)]
        assert len(kept) == max(min(1, len(every)), sum(count <= most for count in named))
        left_out += len(every) - len(kept)
    assert (whole["left_out"], told["left_out"]) == (0, left_out)
    assert (left_out > 0) is (most < 1_000)


REJUDGING = {"on_change": OnChange.REJUDGE}
ACL, RULE = "      - in deny tcp 23 from any to any\n", "      - in allow tcp 80 from any\n"


@pytest.mark.parametrize(
    ("switches", "old", "cut"),
    [
        (REJUDGING | {"acl_stateful": False}, ACL, ""),
        (REJUDGING, ACL, "tcp 22 (denied now at acl-ingress of shop/db by edge: "),
        ({}, ACL, ""),
        (REJUDGING, RULE, "tcp 80 (denied now at ingress of web-1.eth0: no rule matched"),
        ({}, RULE, "tcp 80 (group web has no longer the rule: in allow tcp 80"),
        ({"on_change": OnChange.KEEP}, RULE, ""),
    ],
)
def test_what_a_change_cuts_is_as_the_profile_says(switches: dict[str, Any], old: str, cut: str) -> None:
    new = "      - in deny all from any to any\n" if old is ACL else ""
    before, after = (
        replace(it, vpcs=by_name(replace(vpc, profile=replace(vpc.profile, **switches)) for vpc in it.vpcs.values()))
        for it in (world(), world(THREE_TIERS.replace(old, new, 1)))
    )
    found = difference(before, after)
    assert found.denied
    told = [str(it).partition(": ")[2] for it in found.endings]
    assert bool(told) == bool(cut)
    assert not cut or any(line.startswith(cut) for line in told), told


MOVED = """
vpcs: {v: {cidrs: [10.0.0.0/16], subnets: {a: 10.0.1.0/24, b: 10.0.2.0/24}}}
acls: {closed: {rules: [in deny all from any to any]}}
groups: {g: {rules: [in allow all from any, out allow all to any]}, h: {rules: [out allow all to any]}}
instances: {one: {subnet: a, ip: 10.0.1.11, groups: [g]}, two: {subnet: b, ip: 10.0.2.12, groups: [h]}}
"""


@pytest.mark.parametrize(
    ("subnets", "home", "closes"),
    [
        ("{a: {cidr: 10.0.9.0/24, acl: closed}, b: 10.0.0.0/22}", "b", False),  # what its old subnet has is not its own
        ("{a: {cidr: 10.0.1.0/24, acl: closed}, b: 10.0.2.0/24}", "a", True),
        ("{c: 10.0.1.0/24, b: 10.0.2.0/24}", "c", False),
    ],
)
@pytest.mark.parametrize("rule", ["in allow all from any", "in allow tcp 80 from any"])
def test_a_port_is_judged_where_it_is_now(subnets: str, home: str, closes: bool, rule: str) -> None:
    """Its subnet may have another name, or the name of its old one may be another's."""
    moved = MOVED.replace("{a: 10.0.1.0/24, b: 10.0.2.0/24}", subnets)
    text = moved.replace("one: {subnet: a", f"one: {{subnet: {home}")
    before, after = world(MOVED), world(text.replace("in allow all from any, out", f"{rule}, out"))
    found = difference(before, after)
    assert bool(found) is (closes or "80" in rule)
    check(found, before, after, both(before, after, random.Random(1)))
