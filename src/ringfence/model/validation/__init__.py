"""What may be wrong with a world as a whole: references, addresses, and the limits of its profiles.

Pure: every consumer (the world file, the operations of a server) asks here and adds only where the thing stands.
"""

from __future__ import annotations

from ringfence.model.validation.groups import address_group_problems, group_problems
from ringfence.model.validation.instances import expect_problems, listener_problems, port_problems
from ringfence.model.validation.networks import outside_problems, vpc_problems
from ringfence.model.validation.problem import Path, Problem
from ringfence.model.world import World

__all__ = ["Path", "Problem", "problems"]


def problems(world: World) -> tuple[Problem, ...]:
    """Everything that is wrong with a world; nothing if it is valid."""
    return (
        *vpc_problems(world),
        *address_group_problems(world),
        *group_problems(world),
        *port_problems(world),
        *listener_problems(world),
        *outside_problems(world),
        *expect_problems(world),
    )
