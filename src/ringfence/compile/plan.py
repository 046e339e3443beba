"""The Plan: what a backend has to enforce, without a word of how. Pure and deterministic.

Ports with the same groups share a class. Everything expensive is per class, everything per port is one element::

    World --> classes --> decision lists --> boxes --> layers
                 |
                 +--> ports: name, addresses, class

A plan depends on what the world says and on nothing else: not on the order in which it was said.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ringfence.compile.boxes import KINDS, Kind, Resolver, boxes_of
from ringfence.compile.layers import Layer, layers_of
from ringfence.model.address import Address, Prefix
from ringfence.model.rule import Direction
from ringfence.model.topology import Vpc
from ringfence.model.world import World
from ringfence.policy.decisions import policy_groups
from ringfence.policy.evaluate import Policy

OUTSIDE_CLASS = 0
"""The class of every address that no port of the VPC has."""

Gate = Mapping[Kind, tuple[Layer, ...]]
"""One direction of a class: for each kind of packet the layers to look up, the last of which covers everything."""


@dataclass(frozen=True, slots=True)
class ClassPlan:
    """The policy of all ports that share the same groups."""

    id: int
    groups: tuple[str, ...]
    gates: Mapping[Direction, Gate]


@dataclass(frozen=True, slots=True)
class PortPlan:
    """A port: its name (``instance.port``), the addresses it may send from, and its class."""

    name: str
    addresses: tuple[Address, ...]
    class_id: int


@dataclass(frozen=True, slots=True)
class VpcPlan:
    """Everything to enforce inside one VPC."""

    name: str
    cidrs: tuple[Prefix, ...] = ()
    classes: tuple[ClassPlan, ...] = ()
    ports: tuple[PortPlan, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """The plans of all VPCs, by name."""

    vpcs: Mapping[str, VpcPlan]


def compile_world(world: World) -> Plan:
    """Compile a valid world."""
    policy = Policy(world)
    return Plan({vpc.name: _compile_vpc(policy, vpc) for vpc in world.vpcs.values()})


def _compile_vpc(policy: Policy, vpc: Vpc) -> VpcPlan:
    world = policy.world
    ports = {port: policy_groups(world, port) for port in world.ports if port.vpc == vpc.name}
    ids = class_ids(ports.values())
    resolve = _resolver(world, ids)
    return VpcPlan(
        vpc.name,
        tuple(sorted(vpc.cidrs)),
        tuple(_compile_class(policy, vpc.name, groups, class_id, resolve) for groups, class_id in ids.items()),
        tuple(PortPlan(str(port), tuple(sorted(port.addresses)), ids[groups]) for port, groups in ports.items()),
    )


def class_ids(classes: Iterable[tuple[str, ...]]) -> dict[tuple[str, ...], int]:
    """Number the classes: 32 bits of a hash, so that a class keeps its id whatever else comes and goes.

    Two classes with the same hash (an even chance among 80,000 classes) are told apart in a fixed order.
    """
    ids: dict[tuple[str, ...], int] = {}
    taken = {OUTSIDE_CLASS}
    for groups in sorted(set(classes)):
        digest = hashlib.sha256("\n".join(groups).encode()).digest()
        number = int.from_bytes(digest[:4])
        while number in taken:
            number = (number + 1) & 0xFFFFFFFF
        taken.add(number)
        ids[groups] = number
    return ids


def _resolver(world: World, ids: Mapping[tuple[str, ...], int]) -> Resolver:
    by_group: dict[str, list[int]] = {}
    for groups, class_id in ids.items():
        for group in groups:
            by_group.setdefault(group, []).append(class_id)
    return Resolver(lambda group: sorted(by_group.get(group, ())), lambda name: world.address_groups[name].entries)


def _compile_class(policy: Policy, vpc: str, groups: tuple[str, ...], class_id: int, resolve: Resolver) -> ClassPlan:
    gates: dict[Direction, Gate] = {}
    for direction in Direction:
        listed = policy.decisions(vpc, groups, direction)
        gates[direction] = {kind: layers_of(boxes_of(listed, kind, resolve)) for kind in KINDS}
    return ClassPlan(class_id, groups, gates)
