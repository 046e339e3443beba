"""The fewest rules that say what the rules of a group say, to get back under a quota. Proved before it is told.

"Fewest" is what counts against the quota (`group_cost`, SEMANTICS.md 6 and 13.12), then lines, then new rules. Rules
are left out, and replaced by those that `ringfence.analysis.rules.joining` proposes: ports and prefixes joined, one
family instead of both, all protocols instead of each. Disabled rules, and those of a managed service, stay as they are.
What it is to say the same stands in `ringfence.analysis.rules.trial`.

How small it is: among all sets of the group's own rules and those proposals that fit beside them, no smaller one says
the same, if `Tidied.minimal` is true; `ringfence.analysis.rules.choosing` proves that by trying all of them. Where they
are too many, a smaller set may exist, yet no rule of the result can be left out, and none of its `joints` can take the
place of their parts and count less, or as much in fewer lines: no rule can be narrowed, no two neighbours joined, nor
all that are alike but for one part (`ringfence.analysis.rules.reducing`). Rules that are no proposal (a port list made
up, a deny carved out) are never tried.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ringfence.analysis.rules.choosing import Search
from ringfence.analysis.rules.reducing import Reducer
from ringfence.analysis.rules.trial import says_the_same
from ringfence.errors import Protected
from ringfence.model.group import SecurityGroup
from ringfence.model.rule import Direction, Rule
from ringfence.model.validation.quotas import group_cost
from ringfence.model.world import World

EFFORT = 16_000
"""So many rules are taken or left at most, in all choices, to prove that there is no smaller set."""


@dataclass(frozen=True, slots=True)
class Tidied:
    """A group with the fewest rules that were found; ``before`` and ``after`` mean the same.

    Costs are what counts against ``limit``, the quota of the group. ``minimal``: no smaller set of its rules and of
    those that could stand in their place means the same; else none can be left out or joined, but a smaller one may
    exist.
    """

    before: SecurityGroup
    after: SecurityGroup
    cost_before: int
    cost_after: int
    limit: int
    minimal: bool

    @property
    def gone(self) -> tuple[Rule, ...]:
        """Rules that are not needed, or that others stand for."""
        return _without(self.before.rules, self.after.rules)

    @property
    def come(self) -> tuple[Rule, ...]:
        """Rules that are new, or say more or less than before."""
        return _without(self.after.rules, self.before.rules)

    def world(self, world: World) -> World:
        """The world with the group tidied."""
        return world.edited(groups={self.after.name: self.after})


def tidied(world: World, group: SecurityGroup, effort: int = EFFORT) -> Tidied:
    """The fewest rules for a group; itself, where there is nothing to gain. Raises `Protected` if it is managed."""
    if group.managed:
        raise Protected(
            f"group {group.name} belongs to {group.managed}", "leave it as it is: only the service may change it"
        )
    profile, kept, minimal = world.profile_of(group), [*group.rules], True
    for direction in Direction:
        fixed = [rule for rule in kept if rule.direction is not direction or _is_fixed(rule)]
        rules = _without(kept, fixed)
        fewest = Search(world, group, direction, fixed).fewest(rules, effort)
        found = Reducer(world, group, direction, fixed).reduced(rules) if fewest is None else fewest
        kept, minimal = [*fixed, *found], minimal and fewest is not None
    after = replace(group, rules=_called(group, kept))
    if set(after.rules) == set(group.rules):
        after = group
    elif not says_the_same(world, group, after):  # proved once more, all at once
        after, minimal = group, False
    cost, less = (group_cost(it, profile, world) for it in (group, after))
    return Tidied(group, after, cost, less, profile.rules_per_group, minimal)


def _without(rules: Iterable[Rule], others: Iterable[Rule]) -> tuple[Rule, ...]:
    known = set(others)
    return tuple(rule for rule in rules if rule not in known)


def _is_fixed(rule: Rule) -> bool:
    return not rule.enabled or bool(rule.managed)


def _called(group: SecurityGroup, rules: Sequence[Rule]) -> tuple[Rule, ...]:
    """New rules under the ids of old ones that they stand for, so that these are changed and not made anew."""
    free = [rule for rule in _without(group.rules, rules) if rule.given_id]
    new, found = set(_without(rules, group.rules)), []
    for rule in rules:
        heir = next((old for old in free if _is_heir(rule, old)), None) if rule in new else None
        if heir:
            free.remove(heir)
        found.append(rule.called(heir.given_id) if heir else rule)
    return tuple(sorted(found, key=lambda rule: rule.key))


def _is_heir(new: Rule, old: Rule) -> bool:
    return (new.direction, new.action, new.nic) == (old.direction, old.action, old.nic)
