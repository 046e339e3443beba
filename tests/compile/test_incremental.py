"""A compilation that follows single changes says at each moment what a fresh compilation says."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence import worldfile
from ringfence.backends.nftables.render import render, render_change
from ringfence.backends.nftables.ruleset import Key, NftSet, Ruleset, RulesetChange, between
from ringfence.compile.compiler import Compilation, compile_world
from ringfence.compile.plan import VpcChange, VpcPlan
from ringfence.model.address import AddressRange
from ringfence.model.edit import Edit, EntriesChanged, GroupChanged, PortChanged, PortListChanged
from ringfence.model.profile import ALIBABA, HUAWEI, Profile
from ringfence.model.rule import Rule
from ringfence.model.world import World
from ringfence.policy.change import Change
from ringfence.policy.live import LiveChange
from tests.edits import edits
from tests.policy.draw import chances, worlds
from tests.worlds import random_world

T = TypeVar("T")


def followed(before: Mapping[object, T], pairs: Mapping[object, tuple[T | None, T | None]]) -> dict[object, T]:
    """What some things are after a change; each must have been what the change says."""
    for key, (was, _) in pairs.items():
        assert before.get(key) == was
    after = {**before, **{key: it for key, (_, it) in pairs.items() if it is not None}}
    return {key: it for key, it in after.items() if key not in pairs or pairs[key][1] is not None}


def agrees(before: VpcPlan, change: VpcChange, after: VpcPlan) -> None:
    """The change leads from one plan to the other."""
    for old, pairs, new in (
        ({it.id: it for it in before.classes}, change.classes, {it.id: it for it in after.classes}),
        ({it.name: it for it in before.ports}, change.ports, {it.name: it for it in after.ports}),
        ({it.name: it for it in before.members}, change.members, {it.name: it for it in after.members}),
    ):
        assert followed(old, pairs) == new  # type: ignore[arg-type]
    groups = {name: set(prefixes) for name, prefixes in before.address_groups.items()}
    for name, entries in change.address_groups.items():
        assert groups.setdefault(name, set()).isdisjoint(entries.added)
        groups[name] = (groups[name] - set(entries.removed)) | set(entries.added)
    known = {name: set(prefixes) for name, prefixes in after.address_groups.items()}
    assert {name: it for name, it in groups.items() if it} == {name: it for name, it in known.items() if it}


def follow(world: World, chance: random.Random, count: int) -> int:
    """Let a compilation and what is rendered of it follow; gives how many changes it could follow."""
    compilation, plans = Compilation(world), compile_world(world).vpcs
    tables = {name: render(plan) for name, plan in plans.items()}
    done = 0
    for edit, after in edits(world, chance, count):
        wanted = compile_world(after).vpcs
        found = compilation.follow(edit)
        if found is None:
            compilation, plans = Compilation(after), wanted
            tables = {name: render(plan) for name, plan in plans.items()}
            continue
        assert compilation.plan().vpcs == wanted
        for name, plan in plans.items():
            agrees(plan, found.get(name, VpcChange()), wanted[name])
            rendered = render_change(found[name], tables[name]) if name in found else None
            if rendered:
                tables[name].follow(rendered)
                assert tables[name] == render(wanted[name])
                done += 1
            elif name in found:
                tables[name] = render(wanted[name])
        plans = wanted
    return done


@settings(max_examples=20, deadline=None)
@given(worlds(), chances())
def test_following_is_compiling_anew(world: World, chance: random.Random) -> None:
    follow(world, chance, 5)


@pytest.mark.parametrize("profile", [HUAWEI, ALIBABA], ids=lambda profile: profile.name)
def test_most_changes_of_a_dense_world_can_be_followed(profile: Profile) -> None:
    chance = random.Random(7)
    assert sum(follow(random_world(chance, profile), chance, 8) for _ in range(2)) >= 8


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_a_change_that_changes_nothing_is_empty(seed: int) -> None:
    """A compilation does not see the same thing said again."""
    chance = random.Random(seed)
    world = random_world(chance, chance.choice([HUAWEI, ALIBABA]))
    compilation = Compilation(world)
    said: tuple[Edit, ...] = (
        *(GroupChanged(group) for group in world.groups.values()),
        *(EntriesChanged(name) for name in world.address_groups),
        *(PortListChanged(it) for it in world.port_lists.values()),
        *(PortChanged(port) for port in world.ports),
    )
    for edit in said:
        assert not compilation.follow(edit)


def merged(world: World, chance: random.Random, count: int, at_once: int) -> int:
    """Let a compilation follow several edits as one change a VPC; gives how many such changes it could follow."""
    compilation, plans, done = Compilation(world), compile_world(world).vpcs, 0
    tables = {name: render(plan) for name, plan in plans.items()}
    for _ in range(count):
        whole: dict[str, VpcChange] | None = {}
        for edit, after in edits(world, chance, at_once):
            world, found = after, compilation.follow(edit) if whole is not None else None
            if whole is not None and found is not None:
                whole |= {name: whole[name].then(it) if name in whole else it for name, it in found.items()}
            else:
                whole = None
        wanted = compile_world(world).vpcs
        if whole is None:
            compilation = Compilation(world)
        for name, plan in plans.items():
            if whole is not None:
                change = whole.get(name, VpcChange())
                agrees(plan, change, wanted[name])
                if rendered := render_change(change, tables[name]):
                    done += bool(rendered)
                    before = replace(tables[name], sets=copied(tables[name]), chains=dict(tables[name].chains))
                    tables[name].follow(rendered)
                    assert rendered_alike(rendered, between(before, tables[name]))
                    assert tables[name] == render(wanted[name])
                    continue
            tables[name] = render(wanted[name])
        plans = wanted
    return done


def copied(table: Ruleset) -> dict[str, NftSet]:
    """Its sets, which nobody else changes."""
    return {name: replace(it, elements=dict(it.elements)) for name, it in table.sets.items()}


def rendered_alike(one: RulesetChange, other: RulesetChange) -> bool:
    """Whether two changes of a table touch the same things: nothing comes that was there, or goes that was not."""

    def touched(change: RulesetChange) -> tuple[set[str], set[str], set[tuple[str, Key]]]:
        elements = {(name, key) for name, each in change.elements.items() for key in each.pairs}
        return set(change.sets), set(change.chains), elements

    return touched(one) == touched(other)


@settings(max_examples=10, deadline=None)
@given(worlds(), chances(), st.integers(2, 6))
def test_several_edits_are_one_change(world: World, chance: random.Random, at_once: int) -> None:
    """It leads to what compiling anew leads to, and what it does to the table is what is different and nothing else."""
    merged(world, chance, 3, at_once)


@pytest.mark.parametrize("profile", [HUAWEI, ALIBABA], ids=lambda profile: profile.name)
def test_most_revisions_of_a_dense_world_can_be_merged(profile: Profile) -> None:
    chance = random.Random(11)
    assert sum(merged(random_world(chance, profile), chance, 4, 3) for _ in range(3)) >= 5


LENGTHS = """
profile: alibaba
vpcs: {v: {cidrs: [10.0.0.0/16], subnets: {s: 10.0.1.0/24}}}
address_groups: {ag: [192.0.2.0/24]}
groups:
  g: {vpc: v, rules: [in allow tcp 80 from ag, out allow tcp 80 to ag]}
instances: {a: {subnet: s, ip: 10.0.1.11, groups: g}}
"""
NAMED, UNNAMED = "in allow tcp 80 from ag, out allow tcp 80 to ag", "out allow tcp 81 to any"


@pytest.mark.parametrize(
    "rules",
    [
        pytest.param((NAMED, "in allow tcp 81 from ag, out allow tcp 80 to ag"), id="one direction changes"),
        pytest.param((UNNAMED, NAMED), id="it is as it was again"),
        pytest.param((UNNAMED,), id="nobody names it any more"),
    ],
)
@pytest.mark.parametrize("when", range(3))
def test_other_lengths_meet_other_rules(rules: tuple[str, ...], when: int) -> None:
    """The chains of a class are written anew where an address group has other lengths, whatever the rules do."""
    world = worldfile.parse(LENGTHS, "lengths")
    group, entry = world.groups["g"], AddressRange.parse("198.51.100.7")
    made: list[Edit] = [GroupChanged(replace(group, rules=tuple(map(Rule.parse, text.split(", "))))) for text in rules]
    made.insert(when, EntriesChanged("ag", (entry,)))
    compilation, change = Compilation(world), VpcChange()
    table = render(compilation.plan_of("v"))
    for edit in made:
        found = compilation.follow(edit)
        assert found is not None
        change = change.then(found.get("v", VpcChange()))
    rendered = render_change(change, table)
    assert rendered
    table.follow(rendered)
    assert table == render(compilation.plan_of("v"))


@settings(max_examples=20, deadline=None)
@given(worlds(), chances())
def test_connections_are_cut_only_where_an_edit_is_about(world: World, chance: random.Random) -> None:
    """In the VPCs that are concerned, and in their peers: nowhere else a change that is known needs to look."""
    for edit, after in edits(world, chance, 3):
        concerned = Compilation(world).concerned(edit)
        near = {peer for name in concerned for peer in after.peers_of(name)}
        assert {*LiveChange(world, after, Change.of(edit)).vpcs} <= concerned | near
        world = after


SHADOWED = """
profile: alibaba
vpcs: {v: {cidrs: [10.0.0.0/16], border: [out deny all from any to any, out allow all from any to far],
           subnets: {s: {cidr: 10.0.1.0/24, acl: edge}}}}
address_groups: {ag: [192.0.2.0/24], far: [198.51.100.0/24], nobodys: [203.0.113.0/24]}
acls: {edge: {vpc: v, rules: [in deny all from any to any, in allow tcp 80 from ag to any]}}
groups: {g: {vpc: v}}
instances: {a: {subnet: s, ip: 10.0.1.11, groups: g}}
"""


@pytest.mark.parametrize(("name", "concerned"), [("ag", {"v"}), ("far", {"v"}), ("nobodys", set())])
def test_a_line_behind_another_one_is_about_its_vpc(name: str, concerned: set[str]) -> None:
    """No packet comes to it, and yet who looks for connections to cut is to look there."""
    edit = EntriesChanged(name, (AddressRange.parse("10.9.9.9"),))
    assert Compilation(worldfile.parse(SHADOWED, "shadowed")).concerned(edit) == concerned
