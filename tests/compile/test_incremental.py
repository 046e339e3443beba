"""A compilation that follows single changes says at each moment what a fresh compilation says."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.backends.nftables.render import render, render_change
from ringfence.compile.compiler import Compilation, compile_world
from ringfence.compile.plan import VpcChange, VpcPlan
from ringfence.model.edit import Edit, EntriesChanged, GroupChanged, PortChanged
from ringfence.model.profile import ALIBABA, HUAWEI, Profile
from ringfence.model.world import World
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
        *(PortChanged(port) for port in world.ports),
    )
    for edit in said:
        assert not compilation.follow(edit)
