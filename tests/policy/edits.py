"""Small edits of worlds, each giving back a new one."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TypeVar

from ringfence.model.group import SecurityGroup
from ringfence.model.profile import Profile
from ringfence.model.rule import Rule
from ringfence.model.topology import Instance, Port
from ringfence.model.world import World, by_name

Item = TypeVar("Item")


def edit_groups(world: World, edit: Callable[[SecurityGroup], SecurityGroup]) -> World:
    """The world with each group edited."""
    return replace(world, groups=by_name(edit(group) for group in world.groups.values()))


def with_rules(world: World, name: str, rules: Iterable[Rule]) -> World:
    """The world with these rules in a group, each once: a rule that says the same as an earlier one is left out."""
    once = {rule.key: rule for rule in reversed(list(rules))}
    return edit_groups(world, lambda group: replace(group, rules=tuple(once.values())) if group.name == name else group)


def with_rule(world: World, name: str, rule: Rule) -> World:
    """The world with one more rule in a group, in place of one that says the same."""
    return with_rules(world, name, (rule, *world.groups[name].rules))


def with_profile(world: World, edit: Callable[[Profile], Profile]) -> World:
    """The world with every profile edited."""
    vpcs = by_name(replace(vpc, profile=edit(vpc.profile)) for vpc in world.vpcs.values())
    return replace(world, profile=edit(world.profile), vpcs=vpcs)


def with_memberships(world: World, edit: Callable[[tuple[str, ...]], tuple[str, ...]]) -> World:
    """The world with the groups of every port edited."""
    return _with_ports(world, lambda port: replace(port, groups=edit(port.groups)))


def _with_ports(world: World, edit: Callable[[Port], Port]) -> World:
    instances = (Instance(it.name, tuple(map(edit, it.ports)), it.serve) for it in world.instances.values())
    return replace(world, instances=by_name(instances))


def shuffled(world: World, chance: random.Random, *, memberships: bool) -> World:
    """The same world, said in another order; ``memberships`` for the order of the groups of each port as well."""

    def mix(items: Iterable[Item]) -> tuple[Item, ...]:
        listed = list(items)
        chance.shuffle(listed)
        return tuple(listed)

    mixed = replace(
        world,
        vpcs=by_name(mix(replace(vpc, cidrs=mix(vpc.cidrs)) for vpc in world.vpcs.values())),
        address_groups=by_name(mix(replace(it, entries=mix(it.entries)) for it in world.address_groups.values())),
        port_lists=by_name(mix(replace(it, entries=mix(it.entries)) for it in world.port_lists.values())),
        groups=by_name(mix(replace(group, rules=mix(group.rules)) for group in world.groups.values())),
        instances=by_name(mix(world.instances.values())),
        outside=by_name(mix(world.outside.values())),
    )
    mixed = _with_ports(mixed, lambda port: replace(port, addresses=mix(port.addresses)))
    return with_memberships(mixed, mix) if memberships else mixed
