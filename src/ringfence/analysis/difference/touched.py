"""Which classes of ends a change touches: what it says of their own rules, or of what is on each of their paths."""

from __future__ import annotations

from ringfence.analysis.difference.joint import Joint, Side
from ringfence.model.world import World
from ringfence.policy.change import Change, Differences


def touched(joint: Joint, worlds: tuple[World, World], change: Change, differences: Differences) -> int:
    """The classes of which at least one is an end of whatever flow is judged otherwise after a change."""
    found = joint.changed
    for side, world in zip((joint.before, joint.after), worlds, strict=True):
        for vpc in world.vpcs:
            if differences.whole(vpc):
                found |= side.in_vpc(vpc)
        for group in _groups(worlds, change):
            if differences.group(group):
                found |= side.ruled(group)
        if change.acls or change.address_groups:
            found |= _near(side, world, differences)
    return found


def _groups(worlds: tuple[World, World], change: Change) -> set[str]:
    """The groups whose rules may mean something else."""
    found = {*change.groups}
    for thing in (("address_groups", change.address_groups), ("port_lists", change.port_lists)):
        for name in thing[1]:
            for world in worlds:
                found.update(world.naming.users((thing[0], name), "groups"))
    return found


def _near(side: Side, world: World, differences: Differences) -> int:
    """The classes behind rules, ACLs among them, that mean something else."""
    found = 0
    for each in side.classes:
        if each.port and differences.near(each.port, world):
            found |= 1 << each.index
    return found
