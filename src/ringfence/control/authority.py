"""Whether a caller may do something: the policies of a RAM user, judged (SEMANTICS.md 9)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import cast

from ringfence.control.caller import Caller
from ringfence.control.kinds import OPERATORS_ONLY, judged_as, type_of
from ringfence.errors import FieldProblem, Forbidden, InvalidFields
from ringfence.model.address import Prefix
from ringfence.model.rule import AnyRemote
from ringfence.ram.actions import Action
from ringfence.ram.arn import USER as USER_TYPE
from ringfence.ram.arn import Arn, ResourceType
from ringfence.ram.evaluate import Decision, NamedPolicy, Outcome, Request, Target, conceivable, decide
from ringfence.ram.keys import (
    CURRENT_TIME,
    DOMAIN_NAME,
    MFA_PRESENT,
    RULE_PROTOCOLS,
    RULE_SOURCES,
    SECURE_TRANSPORT,
    SOURCE_IP,
    USER_ID,
    USER_NAME,
)
from ringfence.ram.policy import Context, Effect, Policy
from ringfence.resources.kind import Kind
from ringfence.resources.naming import Key
from ringfence.resources.resource import Resource, ResourceChange
from ringfence.resources.state import State
from ringfence.resources.values import PolicyText, RuleOf, User, Value

OPERATOR = "operator"
"""The id of the account that runs the service; it is there from the first start on."""
REGION = "local"
"""The region that resources have in ARNs, where the service is not told another one."""
_REGION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

_ANYWHERE = ("0.0.0.0/0", "::/0")
_parsed: Callable[[str], Policy] = lru_cache(maxsize=4096)(Policy.parse)


class Authority:
    """Judges callers by the policies that a state holds. ``clock`` gives the time for conditions."""

    def __init__(
        self,
        state: Callable[[], State],
        region: str = REGION,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.region = region
        """The region that all resources are in, as ARNs name them."""
        self._state = state
        self._clock = clock

    def for_now(self, made: Mapping[Key, ResourceChange]) -> Authority:
        """The same for one caller and one change: what the policies and the time are is looked up once.

        ``made`` is what the change itself has made so far.
        """
        return _Moment(self._state, self.region, self._clock, made)

    def require(self, caller: Caller, action: Action, resource: Resource, written: Resource | None = None) -> str:
        """Raise `Forbidden` unless the caller may do it to a resource; gives the resource's ARN.

        ``written`` is what the resource is to become, for conditions on that.
        """
        changes = resource.kind in OPERATORS_ONLY and not action.name.startswith("Describe")
        target = self._target(resource)
        return self._judge(caller, action, target, operators_only=changes, written=(written or resource).value)

    def require_kind(
        self, caller: Caller, action: Action, of: Kind | ResourceType, *, operators_only: bool = False
    ) -> str:
        """Raise `Forbidden` unless the caller may do it to resources of a kind as such."""
        arn = Arn(type_of(of) if isinstance(of, Kind) else of, self.region, caller.account)
        return self._judge(caller, action, Target(arn), operators_only=operators_only)

    def require_own(self, caller: Caller, action: Action) -> str:
        """Raise `Forbidden` if a policy denies what everybody may do for themselves, as asking who they are."""
        arn = Arn(USER_TYPE, self.region, caller.home or caller.account, caller.user or "*")
        if caller.user:
            decision = decide(
                self._policies(caller), Request(caller.user, action, (Target(arn),), self._context(caller))
            )
            if decision.outcome is Outcome.EXPLICIT_DENY:
                raise _denied(caller, action, str(arn), decision)
        return str(arn)

    def require_undenied(self, caller: Caller, action: Callable[[Resource], Action], among: Iterable[Resource]) -> None:
        """Raise `Forbidden` if a policy denies the caller to do it to any of some resources, whatever else allows it.

        For what tells of all of them at once, by an action of its own.
        """
        policies = self._policies(caller) if caller.user else []
        if not any(it.effect is Effect.DENY for named in policies for it in named.policy.statements):
            return
        context = self._context(caller)
        for each in among:
            does, target = action(each), self._target(each)
            decision = decide(policies, Request(caller.user, does, (target,), context))
            if decision.outcome is Outcome.EXPLICIT_DENY:
                raise _denied(caller, does, str(target.arn), decision)

    def require_conceivable(self, caller: Caller, actions: Sequence[Action]) -> None:
        """Raise `Forbidden` where a user may do none of these on anything, so that nothing more need be looked at."""
        if caller.user and not any(conceivable(self._policies(caller), action) for action in actions):
            self.require_kind(caller, actions[0], actions[0].resource)

    def may(self, caller: Caller, action: Action, resource: Resource) -> bool:
        """Whether the caller may do it."""
        try:
            self.require(caller, action, resource)
        except Forbidden:
            return False
        return True

    def _target(self, resource: Resource) -> Target:
        """What is judged, by the tags of what policies name: who writes a rule chooses its tags, not its group's."""
        key = judged_as(resource)
        named = resource if key == resource.key else self._get(key)
        arn = Arn(type_of(resource.kind), self.region, resource.account, key.id)
        return Target(arn, (named or resource).tags)

    def _get(self, key: Key) -> Resource | None:
        return self._state().get(*key)

    def _judge(
        self, caller: Caller, action: Action, target: Target, *, operators_only: bool, written: Value | None = None
    ) -> str:
        arn = str(target.arn)
        if operators_only and not caller.operator:
            what = f"{action.ecs} on {arn} is for operators only"
            raise Forbidden(what, _right(caller), action=action.name, arn=arn)
        if caller.user:
            request = Request(caller.user, action, (target,), {**self._context(caller), **_of_rule(written)})
            decision = decide(self._policies(caller), request)
            if not decision.allowed:
                raise _denied(caller, action, arn, decision)
        return arn

    def _policies(self, caller: Caller) -> list[NamedPolicy]:
        state = self._state()
        user = state.get(Kind.USER, caller.user)
        if user is None or not cast("User", user.value).enabled:
            return []
        found = (state.get(Kind.POLICY, id_) for id_ in cast("User", user.value).policies)
        return [NamedPolicy(it.name or it.id, _parsed(cast("PolicyText", it.value).document)) for it in found if it]

    def _context(self, caller: Caller) -> Mapping[str, str]:
        user = self._state().get(Kind.USER, caller.user)
        context = {
            CURRENT_TIME: self._clock().isoformat(timespec="seconds"),
            SECURE_TRANSPORT: "true" if caller.secure else "false",
            MFA_PRESENT: "false",  # nobody can show a second factor yet
            USER_ID: caller.user,
            USER_NAME: user.name if user else "",
            DOMAIN_NAME: caller.home or caller.account,
        }
        return context | ({SOURCE_IP: caller.source} if caller.source else {})


def check_region(text: str) -> str:
    """Give back the name of a region; raises `InvalidFields` for what ARNs and names of files cannot hold."""
    if not _REGION.fullmatch(text):
        what, right = f"{text!r} is no name of a region", "use 1 to 64 letters, digits, dots, - and _"
        raise InvalidFields((FieldProblem("--region", what, right, value=text),))
    return text


class _Moment(Authority):
    """An authority over one caller at one moment.

    Policies without conditions decide by action and name alone, so that a name is judged once: a hundred rules of one
    group are. What has conditions is judged each time, as these may ask for the rule or its tags.
    """

    def __init__(
        self,
        state: Callable[[], State],
        region: str,
        clock: Callable[[], datetime],
        made: Mapping[Key, ResourceChange],
    ) -> None:
        super().__init__(state, region, clock)
        self._made = made
        self._known: tuple[list[NamedPolicy], Mapping[str, str]] | None = None
        self._allowed: dict[tuple[str, Kind, str, str], str] = {}

    def require(self, caller: Caller, action: Action, resource: Resource, written: Resource | None = None) -> str:
        """As of every authority."""
        key = action.name, resource.kind, resource.account, judged_as(resource).id
        arn = self._allowed.get(key)
        if arn is None:
            arn = super().require(caller, action, resource, written)
            if not any(it.conditions for named in self._policies(caller) for it in named.policy.statements):
                self._allowed[key] = arn
        return arn

    def _get(self, key: Key) -> Resource | None:
        made = self._made.get(key)
        return super()._get(key) or (made.after if made else None)  # a new group has the tags that it was made with

    def _of(self, caller: Caller) -> tuple[list[NamedPolicy], Mapping[str, str]]:
        if self._known is None:
            self._known = (super()._policies(caller), super()._context(caller)) if caller.user else ([], {})
        return self._known

    def _policies(self, caller: Caller) -> list[NamedPolicy]:
        return self._of(caller)[0]

    def _context(self, caller: Caller) -> Mapping[str, str]:
        return self._of(caller)[1]


def _of_rule(written: Value | None) -> Context:
    """What conditions may ask of a rule that a request writes."""
    if not isinstance(written, RuleOf):
        return {}
    remote = written.rule.remote
    sources = str(remote) if isinstance(remote, Prefix) else _ANYWHERE if remote is AnyRemote.ANY else ()
    return {RULE_PROTOCOLS: str(written.rule.protocol), RULE_SOURCES: sources}


def _denied(caller: Caller, action: Action, arn: str, decision: Decision) -> Forbidden:
    explicit = decision.outcome is Outcome.EXPLICIT_DENY
    return Forbidden(decision.reason, _right(caller), action=action.name, arn=arn, explicit=explicit)


def _right(caller: Caller) -> str:
    return "ask the account to allow it by a policy" if caller.user else "ask the operator"
