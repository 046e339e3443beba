"""What a user's policies decide of a request: a Deny wins, else an Allow, else it is denied (SEMANTICS.md 9.1, 9.2).

The account itself may do everything in its own account. Whether a resource is the account's is not judged here: the
caller finds only what belongs to the account, or what another account has opened to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from ringfence.ram.actions import Action
from ringfence.ram.arn import Arn
from ringfence.ram.policy import Context, Effect, Policy


@dataclass(frozen=True, slots=True)
class NamedPolicy:
    """A policy, and the name that people know it by."""

    name: str
    policy: Policy


@dataclass(frozen=True, slots=True)
class Target:
    """One resource that an operation acts on, and its tags (those that it is to get, if it is being made)."""

    arn: Arn
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Request:
    """Who wants to do what to which resources. ``user`` is empty for the account itself.

    ``context`` has the names of `ringfence.ram.keys.CONTEXT_KEYS`. A value that is missing from it meets no condition
    but a negated one, so whoever makes a request gives all that it knows.
    """

    user: str
    action: Action
    targets: tuple[Target, ...]
    context: Context = field(default_factory=dict)


class Outcome(StrEnum):
    """What a decision is."""

    ALLOW = "allow"
    EXPLICIT_DENY = "explicit deny"
    IMPLICIT_DENY = "implicit deny"


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided, and by which statement (counted from 0) of which policy, about which resource.

    There is no policy in an implicit deny, nor where the account itself asked.
    """

    outcome: Outcome
    user: str
    action: Action
    resource: Arn | None = None
    policy: str = ""
    statement: int | None = None

    @property
    def allowed(self) -> bool:
        """Whether the operation may go on."""
        return self.outcome is Outcome.ALLOW

    @property
    def reason(self) -> str:
        """The decision in words for people."""
        if not self.user:
            return f"{self.action.ecs} is allowed: the account itself may do everything"
        if self.resource is None:
            return f"{self.action.ecs} is denied to user {self.user!r}: the request names no resource"
        verb = "allowed" if self.allowed else "denied"
        return f"{self.action.ecs} on {self.resource} is {verb} to user {self.user!r}: {self._cause}"

    @property
    def _cause(self) -> str:
        if self.statement is None:
            return "no statement of the user's policies allows it"
        does = "allows" if self.allowed else "denies"
        return f"Statement[{self.statement}] of policy {self.policy!r} {does} it"

    def __str__(self) -> str:
        return self.reason


def decide(policies: Sequence[NamedPolicy], request: Request) -> Decision:
    """Judge the request by all policies of its user: every one of its resources must be allowed.

    Gives the decision about the resource that decided: an explicit deny, else an implicit one, else the last allow.
    A request that names no resource is denied.
    """
    if not request.user:
        return Decision(Outcome.ALLOW, "", request.action)
    found = Decision(Outcome.IMPLICIT_DENY, request.user, request.action)
    for number, target in enumerate(request.targets):
        decision = _judge(policies, request, target)
        if decision.outcome is Outcome.EXPLICIT_DENY:
            return decision
        if number == 0 or found.allowed:
            found = decision
    return found


def conceivable(policies: Sequence[NamedPolicy], action: Action) -> bool:
    """Whether these policies allow an action at all: on something, under some condition, and no Deny forbids it all."""
    about = [it for named in policies for it in named.policy.statements if action.name in it.covers]
    return any(it.effect is Effect.ALLOW for it in about) and not any(
        it.effect is Effect.DENY and it.is_always for it in about
    )


def _judge(policies: Sequence[NamedPolicy], request: Request, target: Target) -> Decision:
    """The decision about one resource."""
    name, arn, tags, context = request.action.name, target.arn, target.tags, request.context
    allowed: tuple[str, int] | None = None
    for named in policies:
        for index, statement in enumerate(named.policy.statements):
            if name not in statement.covers or (allowed and statement.effect is Effect.ALLOW):
                continue
            if not statement.applies(arn, tags, context):
                continue
            if statement.effect is Effect.DENY:
                return Decision(Outcome.EXPLICIT_DENY, request.user, request.action, arn, named.name, index)
            allowed = named.name, index
    if allowed is None:
        return Decision(Outcome.IMPLICIT_DENY, request.user, request.action, arn)
    return Decision(Outcome.ALLOW, request.user, request.action, arn, *allowed)
