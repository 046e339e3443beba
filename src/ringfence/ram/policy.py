"""RAM policies as values: documents of Version 1 (Alibaba Cloud) and Version 1.1 (Huawei Cloud).

Whatever a document says is understood or refused, with its place, when it is read; nothing is ignored. Sources:
SEMANTICS.md 9.1 and 9.2; RAM's pages on policy elements; IAM's policy syntax.

Three choices where the sources are silent:

- A key that the request does not have: a negated operator (``StringNotEquals``, ``NotIpAddress``) is met, since the
  value is none of those named; every other one is not, unless its name ends in ``IfExists``.
- A key with several values in the request: an Allow needs all of them to pass, a Deny one.
- A policy names an action by its own cloud's names only: ``vpc:*`` of Version 1 is Alibaba's VPC, whose operations
  are not those that Huawei calls ``vpc:securityGroupRules:create``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

from ringfence.errors import NotationError
from ringfence.ram.actions import ACTIONS
from ringfence.ram.arn import Arn
from ringfence.ram.dialect import DIALECTS, Dialect
from ringfence.ram.document import Node, PolicyError, dump, load, suggest
from ringfence.ram.keys import Key, ValueKind
from ringfence.ram.operators import Predicate
from ringfence.ram.wildcard import any_of

Context = Mapping[str, str | tuple[str, ...]]
"""What a request is, by the names of `ringfence.ram.keys.CONTEXT_KEYS`."""


class Effect(StrEnum):
    """What a statement does to what it matches."""

    ALLOW = "Allow"
    DENY = "Deny"


@dataclass(frozen=True, slots=True)
class Condition:
    """One operator on one key: ``"IpAddress": {"acs:SourceIp": "10.0.0.0/8"}``."""

    dialect: Dialect
    operator: str
    key: str
    values: tuple[str, ...]
    _found: Key = field(init=False, compare=False, repr=False)
    _matches: Predicate = field(init=False, compare=False, repr=False)
    _negated: bool = field(init=False, compare=False, repr=False)
    _absent: bool = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        operator, key = self.dialect.operators[self.operator], self.dialect.key(self.key)
        if operator.kind not in (key.kind, ValueKind.STRING) and key.kind is not ValueKind.STRING:
            raise NotationError(
                f"{self.operator} compares a {operator.kind}, and {self.key} is a {key.kind}",
                f"use an operator for a {key.kind} or for a string",
            )
        object.__setattr__(self, "_found", key)
        object.__setattr__(self, "_matches", operator.prepare(self.values))
        object.__setattr__(self, "_negated", operator.negated)
        object.__setattr__(self, "_absent", operator.absent)

    def met(self, effect: Effect, tags: Mapping[str, str], context: Context) -> bool:
        """Whether the request meets it, for a statement of this effect."""
        key = self._found
        have = tags.get(key.tag) if key.tag else context.get(key.name)
        if have is None or have == ():
            return self._absent
        if isinstance(have, str):
            return self._matches(have) is not self._negated
        passing = (self._matches(value) is not self._negated for value in have)
        return any(passing) if effect is Effect.DENY else all(passing)


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement. ``except_actions`` and ``except_resources`` say NotAction and NotResource.

    No ``resources`` at all, which only Version 1.1 may write, are all of them.
    """

    dialect: Dialect
    effect: Effect
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    except_actions: bool = False
    except_resources: bool = False
    conditions: tuple[Condition, ...] = ()
    covers: frozenset[str] = field(init=False, compare=False, repr=False)
    """Names of the actions that it is about."""
    _names: Callable[[str], re.Match[str] | None] | None = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        covered = _covered(self.dialect, self.actions)
        object.__setattr__(self, "covers", frozenset(ACTIONS) - covered if self.except_actions else covered)
        everything = not self.except_resources and ("*" in self.resources or not self.resources)
        names = None if everything else any_of(map(self.dialect.resource, self.resources)).fullmatch
        object.__setattr__(self, "_names", names)

    @property
    def is_always(self) -> bool:
        """Whether it is about every resource and every request."""
        return self._names is None and not self.conditions

    def applies(self, arn: Arn, tags: Mapping[str, str], context: Context) -> bool:
        """Whether it is about this resource and its conditions are met, if it is about the action."""
        names = self._names
        if names is not None and (names(self.dialect.resource_name(arn)) is None) is not self.except_resources:
            return False
        effect = self.effect
        for condition in self.conditions:  # noqa: SIM110 (asked of every statement at every request: all() costs more)
            if not condition.met(effect, tags, context):
                return False
        return True

    def as_json(self) -> dict[str, object]:
        """The statement as it stands in a document, in the shortest form."""
        said: dict[str, object] = {"Effect": str(self.effect)}
        said["NotAction" if self.except_actions else "Action"] = _short(self.actions)
        if self.resources:
            said["NotResource" if self.except_resources else "Resource"] = _short(self.resources)
        conditions: dict[str, dict[str, object]] = {}
        for condition in self.conditions:
            conditions.setdefault(condition.operator, {})[condition.key] = _short(condition.values)
        return said | {"Condition": conditions} if conditions else said


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy document; ``str()`` gives it back as JSON, which `Policy.parse` reads as an equal policy."""

    dialect: Dialect
    statements: tuple[Statement, ...]

    @classmethod
    def parse(cls, document: object) -> Policy:
        """Read JSON text, or the object that such a text holds; raises `PolicyError`."""
        members = load(document).only(("Version", "Statement"))
        dialect = _dialect(_needed(members, "Version"))
        statements = _needed(members, "Statement").items()
        return cls(dialect, tuple(_statement(dialect, node) for node in statements))

    def as_json(self) -> dict[str, object]:
        """The document as an object."""
        return {
            "Version": self.dialect.version,
            "Statement": [statement.as_json() for statement in self.statements],
        }

    def __str__(self) -> str:
        return dump(self.as_json())


@lru_cache(4096)
def _covered(dialect: Dialect, patterns: tuple[str, ...]) -> frozenset[str]:
    matches = any_of(map(dialect.action, patterns)).fullmatch
    return frozenset(action.name for action in ACTIONS.values() if any(map(matches, dialect.names(action))))


def _short(values: tuple[str, ...]) -> object:
    return values[0] if len(values) == 1 else list(values)


def _needed(members: Mapping[str, Node], name: str) -> Node:
    if name not in members:
        where = next(iter(members.values())).where.rpartition(".")[0]
        raise PolicyError(where, f"there is no {name}", f"write one: {_EXAMPLES[name]}")
    return members[name]


_EXAMPLES = {
    "Version": '"Version": "1" for RAM, "1.1" for IAM',
    "Statement": '"Statement": [{"Effect": …, "Action": …, "Resource": …}]',
    "Effect": '"Effect": "Allow" or "Deny"',
}


def _dialect(node: Node) -> Dialect:
    found = DIALECTS.get(node.text())
    if found is None:
        raise node.error(f"there is no Version {node.value!r}", 'write "1" for RAM of Alibaba Cloud, "1.1" for Huawei')
    return found


def _statement(dialect: Dialect, node: Node) -> Statement:
    members = node.only(dialect.elements)
    action = _one_of(node, members, "Action", needed=True)
    resource = _one_of(node, members, "Resource", needed=dialect.resource_needed)
    conditions = _conditions(dialect, members["Condition"]) if "Condition" in members else ()
    return Statement(
        dialect,
        _effect(_needed(members, "Effect")),
        _patterns(action, dialect.action),
        _patterns(resource, dialect.resource),
        "NotAction" in members,
        "NotResource" in members,
        tuple(conditions),
    )


def _effect(node: Node) -> Effect:
    if node.text() not in list(Effect):
        raise node.error(f"there is no Effect {node.value!r}", 'write "Allow" or "Deny"')
    return Effect(node.text())


def _one_of(node: Node, members: Mapping[str, Node], name: str, *, needed: bool) -> Node | None:
    """The element or its opposite (``NotAction``), not both."""
    found = [members[each] for each in (name, f"Not{name}") if each in members]
    if len(found) == 2:
        raise found[1].error(f"the statement has both {name} and Not{name}", "write two statements")
    if needed and not found:
        raise node.error(f"there is no {name}", f'write "{name}": "…" or a list')
    return found[0] if found else None


def _patterns(node: Node | None, check: Callable[[str], str]) -> tuple[str, ...]:
    nodes = node.texts() if node else []
    for each in nodes:
        try:
            check(each.text())
        except NotationError as error:
            raise each.error(error.what, error.right) from None
    return tuple(each.text() for each in nodes)


def _conditions(dialect: Dialect, node: Node) -> Iterator[Condition]:
    for name, keys in node.members().items():
        if name not in dialect.operators:
            raise keys.error(f"there is no operator {name!r}", suggest(name, dialect.operators))
        for key, values in keys.members().items():
            yield _condition(dialect, name, key, values)


def _condition(dialect: Dialect, operator: str, key: str, node: Node) -> Condition:
    values: Iterable[str] = (each.text() for each in node.texts())
    try:
        return Condition(dialect, operator, key, tuple(values))
    except NotationError as error:
        raise node.error(error.what, error.right) from None
