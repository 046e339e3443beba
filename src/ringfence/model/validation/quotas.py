"""What rules cost towards the limits of a profile (SEMANTICS.md section 6)."""

from __future__ import annotations

from ringfence.model.acl import AclRule
from ringfence.model.address import Family
from ringfence.model.group import AddressGroup, SecurityGroup
from ringfence.model.port_list import PortList
from ringfence.model.profile import Profile
from ringfence.model.rule import AddressGroupRemote, Remote, Rule, RuleSize
from ringfence.model.world import World

TOO_MANY_RULES_ON_PORT = (
    "The operation cannot be performed because the maximum number of security group rules that can take effect on the"
    " instance is reached. We recommend that you select another security group."
)
"""The vendor's own words (Security FAQ)."""


def rule_cost(rule: Rule, profile: Profile, world: World) -> int:
    """How many rules a line counts as, given the lists of a world.

    ``any`` is two (one a family). Where the profile says so, an address group or a port list counts as the entries
    that it may have, and each port range as one; all together as their product (13.12).
    """
    return _cost(rule.size, profile, world)


def group_cost(group: SecurityGroup, profile: Profile, world: World) -> int:
    """How many rules a group counts as, in and out together, disabled ones too."""
    return sum(number * _cost(size, profile, world) for size, number in group.rule_sizes.items())


def _cost(size: RuleSize, profile: Profile, world: World) -> int:
    cost = size.families * (size.ranges if profile.port_range_counts else 1)
    if size.address_group:
        cost *= _entries(world.address_groups.get(size.address_group), counts=profile.address_group_costs_entries)
    if size.port_list:
        cost *= _entries(world.port_lists.get(size.port_list), counts=profile.port_list_costs_entries)
    return cost


def acl_rule_cost(rule: AclRule, profile: Profile, world: World, family: Family) -> int:
    """How many rules of one family a line of a network ACL counts as: none if it cannot match there."""
    lists = [_list(side, world) for side in (rule.source, rule.destination)]
    named = [found for found in lists if found]
    if family not in rule.families or any(found.entries and not found.of_family(family) for found in named):
        return 0
    return max(_entries(found, counts=profile.address_group_costs_entries) for found in lists)


def _list(side: Remote, world: World) -> AddressGroup | None:
    return world.address_groups.get(side.name) if isinstance(side, AddressGroupRemote) else None


def _entries(found: AddressGroup | PortList | None, *, counts: bool) -> int:
    if found is None or not counts:
        return 1
    return max(1, len(found.entries) if found.max_entries is None else found.max_entries)
