"""Fewer rules that say the same, where they are too many to try all sets of them (see `ringfence.analysis.rules.tidy`).

One after the other goes, the weakest first, and joined ones take the place of those that they are joined from, until
nothing more can be done. What is left need not be the smallest, yet no rule of it can be left out, and none of the
joints of what is left can take the place of its parts and count less, or as much in fewer lines.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ringfence.analysis.rules.joining import Joint, joints
from ringfence.analysis.rules.trial import Trial
from ringfence.model.group import SecurityGroup
from ringfence.model.profile import Profile
from ringfence.model.rule import Direction, Rule
from ringfence.model.validation.quotas import rule_cost
from ringfence.model.world import World


@dataclass(frozen=True, slots=True)
class Reducer:
    """Leaves out and joins rules of one direction of a group, beside ``fixed`` ones."""

    world: World
    group: SecurityGroup
    direction: Direction
    fixed: Sequence[Rule]

    def reduced(self, rules: Sequence[Rule]) -> list[Rule]:
        """Fewer in place of some."""
        own = {rule.key: rule for rule in rules}
        while True:
            needed = self._needed(rules)
            rules = [own.get(rule.key, rule) for rule in self._joined(needed)]
            if len(rules) == len(needed) and set(rules) == set(needed):
                return needed

    def _needed(self, rules: Sequence[Rule]) -> list[Rule]:
        trial = self._trial(rules, ())
        trial.leave_out_needless(range(len(rules)))
        return [rules[number] for number in trial.counting if number < len(rules)]

    def _joined(self, rules: Sequence[Rule]) -> list[Rule]:
        """The rules with joints in place of their parts, the largest first; each rule is joined once at most."""
        found = sorted(filter(self.is_gain, joints(rules, self.fixed, self._profile)), key=lambda it: -len(it.parts))
        new = {joint.rule.key: joint.rule for joint in found}
        end = len(rules) + len(new)
        trial = self._trial([*rules, *new.values()], range(len(rules), end))
        numbers = {rule.key: number for number, rule in enumerate(trial.rules[:end])}
        joined = 0
        for joint in found:
            of_several = len(joint.parts) > 1
            if of_several or not joined:  # what is made narrower has fewer neighbours
                taken = trial.replace([numbers[part.key] for part in joint.parts], numbers[joint.rule.key])
                joined += taken and of_several
        return [trial.rules[number] for number in trial.counting if number < end]

    def is_gain(self, joint: Joint) -> bool:
        """Whether a rule counts less than its parts, or as much in fewer lines."""
        one, *parts = (rule_cost(rule, self._profile, self.world) for rule in (joint.rule, *joint.parts))
        return (one, 1) < (sum(parts), len(parts))

    @property
    def _profile(self) -> Profile:
        return self.world.profile_of(self.group)

    def _trial(self, rules: Sequence[Rule], without: Iterable[int]) -> Trial:
        trial = Trial(self.world, self.group, self.direction, [*rules, *self.fixed])
        trial.leave_out(without)
        return trial
