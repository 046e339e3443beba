"""A world file as a whole: from text to a valid World, or to all of its mistakes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from yaml import Node

from ringfence.errors import WorldFileError
from ringfence.model import validation
from ringfence.model.flow import Expectation, Query
from ringfence.model.group import DEFAULT_GROUP, SecurityGroup
from ringfence.model.profile import HUAWEI
from ringfence.model.rule import Action
from ringfence.model.topology import Instance
from ringfence.model.world import World, by_name
from ringfence.worldfile.acls import read_acls
from ringfence.worldfile.compose import compose
from ringfence.worldfile.files import read_text
from ringfence.worldfile.groups import default_group, read_groups
from ringfence.worldfile.instances import (
    read_instances,
    read_outside,
    read_penalties,
    read_virtual_ips,
)
from ringfence.worldfile.judge import judge
from ringfence.worldfile.lists import read_address_groups, read_port_lists
from ringfence.worldfile.networks import Surroundings, read_peerings, read_vpcs
from ringfence.worldfile.nodes import Cursor
from ringfence.worldfile.notes import Notes
from ringfence.worldfile.switches import read_profile

_KEYS = (
    *("profile", "switches", "vpcs", "peerings", "address_groups", "port_lists", "groups", "acls"),
    *("instances", "virtual_ips", "blocks", "outside", "expect"),
)
Limits = Mapping[str, Mapping[str, int]]
NO_LIMITS: Limits = {}
_EXPECTATION = "SRC -> DST PROTO[/PORT] [from port N] [over ipv6] allow|deny"


def read(path: Path) -> World:
    """The world of a file; raises `WorldFileError`, or `InvalidInput` where the file cannot be read as text."""
    return parse(read_text(path), str(path))


def parse(text: str, source: str, limits: Limits = NO_LIMITS) -> World:
    """The world that a text describes; ``source`` names it in the `WorldFileError` that is raised for mistakes.

    ``limits``: those that hold in place of the profile's, as `World.limits`; one's own are of account "".
    """
    return parse_placed(text, source, limits).world


@dataclass(frozen=True, slots=True)
class Placed:
    """A world, and where in its text each thing of it stands."""

    world: World
    notes: Notes

    def line(self, path: validation.Path) -> int:
        """The line of a thing, counted from 1, by a path as a `Problem` has it; else that of what it is part of."""
        return self.notes.where(path).line + 1


def parse_placed(text: str, source: str, limits: Limits = NO_LIMITS) -> Placed:
    """As `parse`, with the lines."""
    notes = Notes()
    root = compose(text, notes)
    world = _read_world(root, notes, limits) if root is not None else None
    if world is None or notes.mistakes:
        raise WorldFileError(source, notes.mistakes)
    return Placed(world, notes)


def _read_world(root: Node, notes: Notes, limits: Limits) -> World:
    notes.place((), root.start_mark)
    cursor = Cursor(notes, root)
    given = cursor.fields(_KEYS, "sections such as vpcs:, groups: and instances:")
    part = {key: given.get(key) or cursor.absent(key) for key in _KEYS}
    profile = read_profile(given, HUAWEI)
    vpcs = read_vpcs(part["vpcs"], profile)
    instances = read_instances(part["instances"], vpcs)
    around = Surroundings(vpcs, profile)
    world = World(
        profile=profile,
        vpcs=vpcs,
        address_groups=read_address_groups(part["address_groups"]),
        port_lists=read_port_lists(part["port_lists"]),
        groups=_with_default(read_groups(part["groups"], around), instances, notes, around),
        instances=instances,
        outside=read_outside(part["outside"]),
        expects=_read_expectations(part["expect"]),
        acls=read_acls(part["acls"], around),
        peerings=read_peerings(part["peerings"]),
        virtual_ips=read_virtual_ips(part["virtual_ips"], vpcs, instances),
        penalties=read_penalties(part["blocks"]),
        limits=limits,
    )
    judge(world, notes)
    return world


def _with_default(
    groups: Mapping[str, SecurityGroup], instances: Mapping[str, Instance], notes: Notes, around: Surroundings
) -> Mapping[str, SecurityGroup]:
    needing = [port for each in instances.values() for port in each.ports if DEFAULT_GROUP in port.groups]
    if DEFAULT_GROUP in groups or not needing:
        return groups
    return by_name([*groups.values(), default_group(notes, needing, around)])


def _read_expectations(cursor: Cursor) -> tuple[Expectation, ...]:
    items = cursor.items(f"a list of: {_EXPECTATION}")
    known = [(found, item.mark) for item in items if (found := read_expectation(item))]
    for index, (_, mark) in enumerate(known):
        cursor.notes.place((*cursor.path, index), mark)
    return tuple(expectation for expectation, _ in known)


def read_expectation(cursor: Cursor) -> Expectation | None:
    """One expectation, a text or a mapping."""
    if not cursor.is_mapping:
        return cursor.read(Expectation.parse, _EXPECTATION)
    fields = cursor.fields(("flow", "verdict"), "{flow: SRC -> DST PROTO/PORT, verdict: allow}")
    flow = cursor.need(fields, "flow", "SRC -> DST PROTO/PORT")
    verdict = cursor.need(fields, "verdict", "allow or deny")
    query = flow.read(Query.parse, "SRC -> DST PROTO/PORT") if flow else None
    action = verdict.choice({each.value: each for each in Action}) if verdict else None
    return Expectation(query, action) if query and action else None
