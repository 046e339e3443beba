"""What rules cost towards the limits of a profile (SEMANTICS.md section 6)."""

from __future__ import annotations

from ringfence.model.group import SecurityGroup
from ringfence.model.profile import Profile
from ringfence.model.rule import AnyRemote, Rule

TOO_MANY_RULES_ON_PORT = (
    "The operation cannot be performed because the maximum number of security group rules that can take effect on the"
    " instance is reached. We recommend that you select another security group."
)
"""The vendor's own words (Security FAQ)."""


def rule_cost(rule: Rule, profile: Profile) -> int:
    """How many rules a line counts as: ``any`` is two (one a family), each port range one where the profile says so."""
    families = len(rule.families) if isinstance(rule.remote, AnyRemote) else 1
    return families * (max(1, len(rule.ports.ranges)) if profile.port_range_counts else 1)


def group_cost(group: SecurityGroup, profile: Profile) -> int:
    """How many rules a group counts as, in and out together, disabled ones too."""
    return sum(rule_cost(rule, profile) for rule in group.rules)
