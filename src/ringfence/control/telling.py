"""What is wrong with the world after a change, told in words of the request that would make it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from ringfence.errors import FieldProblem, InvalidFields, QuotaExceeded
from ringfence.model.rule import Rule
from ringfence.model.validation import Problem
from ringfence.resources.kind import LIKE_A_WORLD_FILE, Kind
from ringfence.resources.naming import Key
from ringfence.resources.state import State

_VENDOR_CODES = {
    "limit.rules_per_port": "AclLimitExceed",
    "limit.groups_per_port": "InstanceSecurityGroupLimitExceeded",
    "limit.members": "SecurityGroupInstanceLimitExceed",
}
"""What the cloud calls it that a limit is reached, where the model has a name of its own (SEMANTICS.md 6 and 10)."""
_RULE_QUOTAS = ("AuthorizationLimitExceed", "AuthorizedGroupRule.LimitExceed")
_WORD = re.compile(r"\w[\w.-]*")
_ANOTHERS = "another account's"


@dataclass(frozen=True, slots=True)
class Telling:
    """What is needed to say which part of a request is wrong: the state after it, what it changes, where, to whom."""

    after: State
    changed: Set[Key]
    places: Mapping[Key, str]
    account: str

    def field(self, problem: Problem) -> str:
        """The part of the request, or the path to the thing in the world."""
        match problem.path:
            case ("groups", str(group), "rules", int(index), *rest) if group in self.after.world.groups:
                key = Key(Kind.RULE, self._rule(group, index).given_id)
                place = self.places.get(key, "rule") if key in self.changed else f"groups.{group}.rules.{key.id}"
                return ".".join([place, *map(str, rest)])
            case ("expect", int()):  # its number is one among everybody's
                return "expect"
        return ".".join(self.words(str(part)) for part in problem.path)

    def _rule(self, group: str, index: int) -> Rule:
        """The rule that is wrong: of two that say the same, the one that is changed."""
        rules = self.after.world.groups[group].rules
        alike = (rule for rule in rules if rule.key == rules[index].key)
        return next((rule for rule in alike if Key(Kind.RULE, rule.given_id) in self.changed), rules[index])

    def value(self, problem: Problem) -> Any:
        """What the field says: of a rule its notation."""
        match problem.path:
            case ("groups", str(group), "rules", int(index), *_) if group in self.after.world.groups:
                return str(self.after.world.groups[group].rules[index])
        return None

    def words(self, text: str) -> str:
        """A message without what belongs to others: worlds know no accounts, and hint at what anybody has."""
        return _WORD.sub(lambda found: _ANOTHERS if self._is_anothers(found[0]) else found[0], text)

    def _is_anothers(self, word: str) -> bool:
        ids = {word, word.rstrip("."), word.partition(".")[0]}
        named = [it for it in (self.after.get(kind, id_) for kind in LIKE_A_WORLD_FILE for id_ in ids) if it]
        return bool(named) and all(it.account != self.account for it in named)

    def told(self, problem: Problem) -> FieldProblem:
        """One thing that is wrong, as one of the request."""
        what, right = self.words(problem.what), self.words(problem.right)
        return FieldProblem(self.field(problem), what, right, code_of(problem), self.value(problem))


def code_of(problem: Problem) -> str:
    """The stable code that a refusal has."""
    return _VENDOR_CODES.get(problem.code, problem.code)


def refusal(found: Sequence[Problem], telling: Telling) -> InvalidFields | QuotaExceeded:
    """The error that tells what is wrong: that a quota is reached only where nothing else is wrong."""
    if all(problem.code.startswith("limit.") or problem.code in _RULE_QUOTAS for problem in found):
        first = found[0]
        right = f"{first.right}; {len(found) - 1} more would be over a limit" if len(found) > 1 else first.right
        what, right = telling.words(first.what), telling.words(right)
        return QuotaExceeded(what, right, reason=code_of(first), field=telling.field(first))
    return InvalidFields(tuple(map(telling.told, found)))
