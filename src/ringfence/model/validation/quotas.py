"""What rules cost towards the limits of a profile (SEMANTICS.md section 6)."""

from __future__ import annotations

from collections.abc import Mapping

from ringfence.model.acl import AclRule
from ringfence.model.address import Family
from ringfence.model.group import AddressGroup, SecurityGroup
from ringfence.model.profile import Profile
from ringfence.model.rule import AddressGroupRemote, Remote, Rule, RuleSize

AddressGroups = Mapping[str, AddressGroup]

TOO_MANY_RULES_ON_PORT = (
    "The operation cannot be performed because the maximum number of security group rules that can take effect on the"
    " instance is reached. We recommend that you select another security group."
)
"""The vendor's own words (Security FAQ)."""


def rule_cost(rule: Rule, profile: Profile, lists: AddressGroups) -> int:
    """How many rules a line counts as.

    ``any`` is two (one a family). Where the profile says so, an address group counts as the entries that it may have,
    and each port range as one; both together as their product (13.12).
    """
    return _cost(rule.size, profile, lists)


def group_cost(group: SecurityGroup, profile: Profile, lists: AddressGroups) -> int:
    """How many rules a group counts as, in and out together, disabled ones too."""
    return sum(number * _cost(size, profile, lists) for size, number in group.rule_sizes.items())


def _cost(size: RuleSize, profile: Profile, lists: AddressGroups) -> int:
    ranges = size.ranges if profile.port_range_counts else 1
    entries = _entries(lists.get(size.address_group), profile) if size.address_group else 1
    return size.families * ranges * entries


def acl_rule_cost(rule: AclRule, profile: Profile, lists: AddressGroups, family: Family) -> int:
    """How many rules of one family a line of a network ACL counts as: none if it cannot match there."""
    named = [found for side in (rule.source, rule.destination) if (found := _list(side, lists))]
    if family not in rule.families or any(found.entries and not found.of_family(family) for found in named):
        return 0
    return max(_entries(_list(side, lists), profile) for side in (rule.source, rule.destination))


def _list(side: Remote, lists: AddressGroups) -> AddressGroup | None:
    return lists.get(side.name) if isinstance(side, AddressGroupRemote) else None


def _entries(found: AddressGroup | None, profile: Profile) -> int:
    if found is None or not profile.address_group_costs_entries:
        return 1
    return max(1, len(found.entries) if found.max_entries is None else found.max_entries)
