"""Random single edits of a world, each with the world that it leads to."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

from ringfence.model.address import Address, AddressRange, Family
from ringfence.model.edit import Edit, EntriesChanged, GroupChanged, PortChanged, PortGone, PortListChanged
from ringfence.model.group import SecurityGroup
from ringfence.model.port_list import PortList
from ringfence.model.service import PortRange
from ringfence.model.topology import Instance, Port
from ringfence.model.world import World, by_name

_NEW = "newcomer"


def edits(world: World, chance: random.Random, count: int) -> Iterator[tuple[Edit, World]]:
    """So many edits, one after the other. They need not make sense to a user, only to compiler and evaluator."""
    makers = [_other_rules, _other_rules, _other_groups, _other_groups, _gone, _new, _entries, _entries, _ports, _ports]
    while count:
        made = chance.choice(makers)(world, chance)
        if made:
            yield made
            world, count = made[1], count - 1


def _other_rules(world: World, chance: random.Random) -> tuple[Edit, World] | None:
    """A group gets a rule of another group, or loses one."""
    if not world.groups:
        return None
    group = chance.choice(list(world.groups.values()))
    rules = list(group.rules)
    if rules and chance.random() < 0.5:
        rules.remove(chance.choice(rules))
    known = {rule.id_in(group.name) for rule in rules}
    offered = [rule for other in world.groups.values() for rule in other.rules if rule.id_in(group.name) not in known]
    if offered and chance.random() < 0.7:
        rules.append(chance.choice(offered))
    changed = replace(group, rules=tuple(rules))
    return GroupChanged(changed), replace(world, groups=by_name([*_others(world, group.name), changed]))


def _others(world: World, name: str) -> list[SecurityGroup]:
    return [it for it in world.groups.values() if it.name != name]


def _with_port(world: World, port: Port | None, name: str) -> World:
    instances = []
    for instance in world.instances.values():
        ports = tuple(port if str(it) == name else it for it in instance.ports)
        kept = tuple(it for it in ports if it is not None)
        if kept:
            instances.append(Instance(instance.name, kept, instance.serve))
    if port and name not in world.port_by_name:
        instances.append(Instance(port.instance, (port,)))
    return replace(world, instances=by_name(instances))


def _changeable(world: World) -> list[Port]:
    named = {name for vip in world.virtual_ips.values() for name in vip.ports}
    return [port for port in world.ports if str(port) not in named]


def _other_groups(world: World, chance: random.Random) -> tuple[Edit, World] | None:
    ports = _changeable(world)
    if not ports:
        return None
    port = chance.choice(ports)
    same = [it.name for it in world.groups.values() if it.vpc in ("", port.vpc)]
    groups = tuple(chance.sample(same, chance.randint(1, min(3, len(same)))))
    changed = replace(port, groups=groups)
    return PortChanged(changed), _with_port(world, changed, str(port))


def _gone(world: World, chance: random.Random) -> tuple[Edit, World] | None:
    ports = _changeable(world)
    if len(ports) < 2:
        return None
    name = str(chance.choice(ports))
    return PortGone(name), _with_port(world, None, name)


def _new(world: World, chance: random.Random) -> tuple[Edit, World] | None:
    ports = _changeable(world)
    if not ports or any(port.instance == _NEW for port in world.ports):
        return None
    like = chance.choice(ports)
    addresses = tuple(Address(it.family, it.value ^ 0x40) for it in like.addresses)
    port = replace(like, instance=_NEW, addresses=addresses)
    if any(
        (port.vpc, it) in {(other.vpc, own) for other in world.ports for own in other.addresses} for it in addresses
    ):
        return None
    return PortChanged(port), _with_port(world, port, str(port))


def _entries(world: World, chance: random.Random) -> tuple[Edit, World] | None:
    if not world.address_groups:
        return None
    group = chance.choice(list(world.address_groups.values()))
    family = chance.choice([it.family for it in group.entries] or list(Family))
    removed = tuple(chance.sample(group.entries, chance.randint(0, len(group.entries) // 2)))
    first = chance.randrange(family.top - 300)
    added = tuple(
        AddressRange(family, first, first + chance.choice([0, 0, 1, 77])) for _ in range(chance.randint(0, 1))
    )
    entries = tuple(sorted([*(it for it in group.entries if it not in removed), *added]))
    groups = by_name(
        [*(it for it in world.address_groups.values() if it is not group), replace(group, entries=entries)]
    )
    return EntriesChanged(group.name, added, removed), replace(world, address_groups=groups)


def _ports(world: World, chance: random.Random) -> tuple[Edit, World] | None:
    """A port list loses entries and gains one, or is new; it may end up empty."""
    known, own = world.port_lists, random.Random(chance.randrange(1 << 16))
    before = own.choice([*known.values(), PortList("more-ports", ())])
    kept = [it for it in before.entries if own.random() < 0.7]
    first = own.choice([1, 22, 80, 443, 1000, 65000])
    new = PortRange(first, first + own.choice([0, 0, 1, 6, 500]))
    entries = tuple(sorted({*kept, *([new] if own.random() < 0.6 else [])}))
    changed = replace(before, entries=entries)
    others = [it for it in known.values() if it.name != before.name]
    return PortListChanged(changed), replace(world, port_lists=by_name([*others, changed]))
