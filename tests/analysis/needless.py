"""Which rules of a group nobody would miss if one of them went."""

from __future__ import annotations

from itertools import product

from ringfence.analysis.rules.matched import listed_in, nics, spares
from ringfence.model.group import SecurityGroup
from ringfence.model.rule import Direction
from ringfence.model.world import World


def needless(world: World, group: SecurityGroup) -> dict[str, bool]:
    """Their ids, and whether stronger rules match all that they do; of the group as it stands alone."""
    found: dict[str, bool] = {}
    for direction, nic in product(Direction, nics(world, group)):
        listed = listed_in(world, group, direction, nic)
        known = spares(world, listed, direction)
        own = [place for place, it in enumerate(listed) if it.rule_id in group.by_id and known.among([place])]
        found |= {listed[place].rule_id: known.is_shadowed(place) for place in own}
    return found
