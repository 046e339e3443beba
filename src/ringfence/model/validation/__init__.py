"""What may be wrong with a world as a whole: references, addresses, and the limits of its profiles.

Pure: every consumer (the world file, the operations of a server) asks here and adds only where the thing stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields

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
from ringfence.model.validation.port_lists import port_list_problems
from ringfence.model.validation.problem import Path, Problem, Touched
from ringfence.model.validation.scope import Scope, everything
from ringfence.model.validation.supplementary import supplementary_problems
from ringfence.model.validation.virtual_ips import virtual_ip_problems
from ringfence.model.world import World

__all__ = ["Path", "Problem", "Touched", "problems", "tenant_edit_problems"]


def problems(world: World, touched: Touched | None = None) -> tuple[Problem, ...]:
    """Everything that is wrong with a world; nothing if it is valid.

    With ``touched``: what is wrong with a world that was valid before some things changed, at the cost of those. It
    is nothing exactly where the whole world is valid. Of many ports or groups that a change breaks in the same way
    one is told.
    """
    about = everything(world) if touched is None else touched
    awake = {name for name in _SECTIONS if getattr(about, name)}
    scope = Scope(world, about)
    return tuple(problem for judge, wakes in _JUDGES if wakes & awake for problem in judge(scope))


_SECTIONS = tuple(each.name for each in fields(Touched))
_JUDGES: tuple[tuple[Callable[[Scope], Iterator[Problem]], frozenset[str]], ...] = (
    (vpc_problems, frozenset({"vpcs", "acls", "address_groups", "outside"})),
    (peering_problems, frozenset({"peerings", "vpcs", "address_groups"})),
    (address_group_problems, frozenset({"address_groups"})),
    (port_list_problems, frozenset({"port_lists"})),
    (acl_problems, frozenset({"acls", "vpcs", "address_groups"})),
    (group_problems, frozenset({"groups", "rules", "vpcs", "address_groups", "port_lists"})),
    (repeated_id_problems, frozenset({"groups", "rules", "acls", "vpcs", "peerings"})),
    (port_problems, frozenset({"instances", "detached", "groups", "rules", "vpcs", "address_groups", "port_lists"})),
    (supplementary_problems, frozenset({"instances", "detached", "vpcs"})),
    (address_problems, frozenset({"instances", "detached", "virtual_ips", "vpcs"})),
    (virtual_ip_problems, frozenset({"virtual_ips", "vpcs", "instances", "outside"})),
    (listener_problems, frozenset({"instances", "vpcs"})),
    (outside_problems, frozenset({"outside", "instances", "vpcs"})),
    (penalty_problems, frozenset({"penalties", "instances"})),
    (expect_problems, frozenset({"expects", "virtual_ips", "instances", "outside"})),
    (limit_problems, frozenset({"groups", "instances", "detached", "vpcs", "acls"})),
)
"""What is judged, and the fields of `Touched` that give it something to judge."""
