"""Random worlds, and flows that go where their rules begin and end."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from ringfence.model.address import Address, AddressRange, Family, Prefix
from ringfence.model.flow import Endpoint, Flow
from ringfence.model.group import SecurityGroup
from ringfence.model.port_list import NamedPorts
from ringfence.model.profile import ALIBABA, HUAWEI
from ringfence.model.rule import Rule
from ringfence.model.service import Protocol, Service
from ringfence.model.world import World
from tests import strategies
from tests.worlds import random_world


def worlds() -> SearchStrategy[World]:
    """Small worlds of every kind of value, which shrink well, and dense ones, in which many rules meet."""
    dense = st.builds(
        lambda seed, profile: random_world(random.Random(seed), profile),
        st.integers(0, 2**32 - 1),
        st.sampled_from([HUAWEI, ALIBABA]),
    )
    return strategies.worlds() | dense


def chances() -> SearchStrategy[random.Random]:
    """Chance that a failing example repeats."""
    return st.randoms(use_true_random=False)


def flows_of(world: World, count: int = 60) -> list[Flow]:
    """So many flows from or to ports, hosts outside and addresses at the edge of what rules name; always the same."""
    chance = random.Random(count)
    flows = (_flow(world, chance) for _ in range(count))
    return [flow for flow in flows if flow.source != flow.destination]


def _flow(world: World, chance: random.Random) -> Flow:
    family = chance.choice([family for family in Family if any(port.address(family) for port in world.ports)])
    inside = [Endpoint(it, port.vpc, str(port)) for port in world.ports for it in port.addresses if it.family is family]
    others = list(_others(world, family))
    ends = [chance.choice(inside), chance.choice(inside if chance.random() < 0.6 or not others else others)]
    if others and chance.random() < 0.03:
        ends[0] = chance.choice(others)
    chance.shuffle(ends)
    guards = [port for port in map(world.port_at, ends) if port]
    groups = [world.groups[name] for name in (chance.choice(guards).groups if guards else world.groups)]
    return Flow(ends[0], ends[1], _service(world, _rules(groups), chance, family))


def _others(world: World, family: Family) -> Iterator[Endpoint]:
    """Hosts outside, and the first and last addresses of what rules name and those beside them, if no port has them."""
    yield from (Endpoint(it) for host in world.outside.values() for it in host.addresses if it.family is family)
    taken = {address.value for port in world.ports for address in port.addresses if address.family is family}
    edges = {
        value for part in _named(world, family) for value in (part.first - 1, part.first, part.last, part.last + 1)
    }
    yield from (Endpoint(Address(family, value)) for value in sorted(edges - taken) if 0 <= value <= family.top)


def _rules(groups: Iterable[SecurityGroup]) -> list[Rule]:
    return [rule for group in groups for rule in group.rules]


def _named(world: World, family: Family) -> Iterator[AddressRange]:
    for rule in _rules(world.groups.values()):
        if isinstance(rule.remote, Prefix) and rule.remote.family is family:
            yield rule.remote.range
    for found in world.address_groups.values():
        yield from found.of_family(family)


def _service(world: World, rules: list[Rule], chance: random.Random, family: Family) -> Service:
    """One that a rule names, or one beside it."""
    rule = chance.choice(rules or [Rule.parse("in deny all from any")])
    every = [Protocol.TCP, Protocol.UDP, Protocol.GRE, Protocol.ICMP if family is Family.IPV4 else Protocol.ICMPV6]
    protocol = rule.protocol if rule.protocol.number is not None and chance.random() < 0.8 else chance.choice(every)
    if family not in protocol.families:
        protocol = every[3]
    if not protocol.has_ports:
        return Service(protocol)
    named = world.port_lists[rule.ports.name].entries if isinstance(rule.ports, NamedPorts) else rule.ports.ranges
    ends = [end for ports in named for end in (ports.first, ports.last)] or [1, 80, 65535]
    return Service(protocol, min(max(chance.choice(ends) + chance.choice([-1, 0, 0, 1]), 1), 65535))
