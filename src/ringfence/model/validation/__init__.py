"""What may be wrong with a world as a whole: references, addresses, and the limits of its profiles.

Pure: every consumer (the world file, the operations of a server) asks here and adds only where the thing stands.
"""

from __future__ import annotations

from ringfence.model.validation.acls import acl_problems
from ringfence.model.validation.address_groups import address_group_problems
from ringfence.model.validation.addresses import address_problems
from ringfence.model.validation.groups import group_problems
from ringfence.model.validation.ids import repeated_id_problems
from ringfence.model.validation.instances import expect_problems, listener_problems, port_problems
from ringfence.model.validation.managed import tenant_edit_problems
from ringfence.model.validation.networks import outside_problems, vpc_problems
from ringfence.model.validation.peerings import peering_problems
from ringfence.model.validation.penalties import penalty_problems
from ringfence.model.validation.problem import Path, Problem
from ringfence.model.validation.virtual_ips import virtual_ip_problems
from ringfence.model.world import World

__all__ = ["Path", "Problem", "problems", "tenant_edit_problems"]


def problems(world: World) -> tuple[Problem, ...]:
    """Everything that is wrong with a world; nothing if it is valid."""
    return (
        *vpc_problems(world),
        *peering_problems(world),
        *address_group_problems(world),
        *acl_problems(world),
        *group_problems(world),
        *repeated_id_problems(world),
        *port_problems(world),
        *address_problems(world),
        *virtual_ip_problems(world),
        *listener_problems(world),
        *outside_problems(world),
        *penalty_problems(world),
        *expect_problems(world),
    )
