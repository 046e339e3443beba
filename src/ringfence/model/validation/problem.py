"""One thing that is wrong with a world, and where it stands."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field

Path = tuple[str | int, ...]
"""Where a thing stands: ``("groups", "sg-web", "rules", 3)``; rules count from 0 in the order of the group."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: where, a stable code (the cloud's, where it has one), what, and what would be right."""

    path: Path
    code: str
    what: str
    right: str


_NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Touched:
    """The names of the things that a change added, replaced or removed; each field is called as in `World`.

    Ports go by their instances. ``rules``: of groups that are as they were but for rules, the ids of those that are new
    or others (none, where some are only gone). ``expects``: whether the expectations are others. Who changes the
    profile of a world or its limits has touched everything.
    """

    vpcs: Set[str] = _NOTHING
    address_groups: Set[str] = _NOTHING
    groups: Set[str] = _NOTHING
    instances: Set[str] = _NOTHING
    acls: Set[str] = _NOTHING
    peerings: Set[str] = _NOTHING
    virtual_ips: Set[str] = _NOTHING
    penalties: Set[str] = _NOTHING
    outside: Set[str] = _NOTHING
    port_lists: Set[str] = _NOTHING
    detached: Set[str] = _NOTHING
    rules: Mapping[str, Set[str]] = field(default_factory=dict)
    expects: bool = False
