"""Penalties: what they cut off, and why."""

from __future__ import annotations

from collections.abc import Iterator

from ringfence.model.validation.problem import Path, Problem
from ringfence.model.validation.scope import Scope
from ringfence.model.world import nearest


def penalty_problems(scope: Scope) -> Iterator[Problem]:
    """Penalties on what is not there, and those that give no reason."""
    world = scope.world
    for penalty in map(world.penalties.__getitem__, scope.penalties):
        path: Path = ("blocks", penalty.target)
        if penalty.target not in world.instances and penalty.target not in world.port_by_name:
            known = [*world.instances, *world.port_by_name]
            what = f"there is no instance or port {penalty.target!r} to block"
            yield Problem(path, "world.unknown_port", what, nearest(penalty.target, known))
        if not penalty.reason.strip():
            what = f"the block of {penalty.target} gives no reason"
            yield Problem(path, "world.penalty", what, "say why: each trace of a blocked packet tells it")
