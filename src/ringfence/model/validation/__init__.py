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
from ringfence.model.validation.limits import limit_problems
from ringfence.model.validation.managed import tenant_edit_problems
from ringfence.model.validation.networks import outside_problems, vpc_problems
from ringfence.model.validation.peerings import peering_problems
from ringfence.model.validation.penalties import penalty_problems
from ringfence.model.validation.problem import Path, Problem, Touched
from ringfence.model.validation.scope import Scope, everything
from ringfence.model.validation.virtual_ips import virtual_ip_problems
from ringfence.model.world import World

__all__ = ["Path", "Problem", "Touched", "problems", "tenant_edit_problems"]


def problems(world: World, touched: Touched | None = None) -> tuple[Problem, ...]:
    """Everything that is wrong with a world; nothing if it is valid.

    With ``touched``: what is wrong with a world that was valid before some things changed, at the cost of those. It
    is nothing exactly where the whole world is valid. Of many ports or groups that a change breaks in the same way
    one is told.
    """
    scope = Scope(world, everything(world) if touched is None else touched)
    return (
        *vpc_problems(scope),
        *peering_problems(scope),
        *address_group_problems(scope),
        *acl_problems(scope),
        *group_problems(scope),
        *repeated_id_problems(scope),
        *port_problems(scope),
        *address_problems(scope),
        *virtual_ip_problems(scope),
        *listener_problems(scope),
        *outside_problems(scope),
        *penalty_problems(scope),
        *expect_problems(scope),
        *limit_problems(scope),
    )
