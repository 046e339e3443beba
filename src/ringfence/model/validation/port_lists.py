"""Port lists: their entries, their size, and the rules that name them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ringfence.model.port_list import NamedPorts
from ringfence.model.validation.address_groups import size_problems
from ringfence.model.validation.problem import Path, Problem
from ringfence.model.validation.scope import Scope
from ringfence.model.world import World, nearest


def port_list_problems(scope: Scope) -> Iterator[Problem]:
    """Port lists with entries listed twice, or with too many of them.

    No VPC has a port list to itself, so the world's profile holds.
    """
    for found in map(scope.world.port_lists.__getitem__, scope.port_lists):
        path: Path = ("port_lists", found.name)
        for entry, count in Counter(found.entries).items():
            if count > 1:
                what = f"port list {found.name} lists {entry} {count} times"
                yield Problem(path, "world.duplicate", what, "list it once")
        yield from size_problems(scope.world, path, found, "limit.port_list_entries")


def named_ports_problems(world: World, path: Path, named: NamedPorts) -> Iterator[Problem]:
    """A port list that a rule names and that is not there."""
    if named.name not in world.port_lists:
        what = f"there is no port list {named.name!r}"
        hint = nearest(named.name, world.port_lists) if world.port_lists else "write ports such as 80 or 8000-8100"
        yield Problem(path, "InvalidPortRangeListId.NotFound", what, hint)
