"""Having exactly what a world file says: all its changes as one revision, or none of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ringfence import worldfile
from ringfence.control.authority import Authority
from ringfence.control.awaiting import deadline
from ringfence.control.caller import Caller
from ringfence.control.draft import Draft
from ringfence.control.explaining import Explainer, Unmet
from ringfence.control.kinds import Verb, action_for
from ringfence.control.making import make
from ringfence.control.naming import Naming
from ringfence.control.planning import Plan, plan
from ringfence.errors import expectations_fail
from ringfence.model.world import World
from ringfence.ram import actions as ram
from ringfence.ram.arn import REVISION
from ringfence.resources.kind import LIKE_A_WORLD_FILE, Kind
from ringfence.resources.resource import COMMON, Resource, ResourceChange
from ringfence.resources.state import State
from ringfence.resources.values import PortAt, RuleOf

_UNTOLD = frozenset({"id", "kind", "account", "created", "index"})


@dataclass(frozen=True)
class Applied:
    """What applying a file comes to: the plan, and expectations that do not hold after it."""

    plan: Plan
    unmet: list[Unmet]

    @cached_property
    def explainer(self) -> Explainer:
        """Tells the expectations."""
        return Explainer(self.plan.views[1])

    @cached_property
    def told(self) -> dict[str, Any]:
        """For programs, in the account's names."""
        expectations = [self.explainer.told_unmet(each) for each in self.unmet]
        return {"changes": Words(self.plan).all(), "expectations": expectations}


def judged(state: State, caller: Caller, wanted: World, at: str) -> Applied:
    """What applying a file to a state would come to. It takes seconds in a large world. Raises what `plan` raises."""
    made = plan(state, caller, wanted, at)
    return Applied(made, Explainer(made.views[1]).unmet())


def read_world(state: State, account: str, text: str) -> World:
    """The world that a file describes, within the limits of the account. Raises `WorldFileError`."""
    limits = state.world.limits
    own = {**limits.get("*", {}), **limits.get(account, {})}
    return worldfile.parse(text, "request", {"": own} if own else {})


def require_reading(authority: Authority, state: State, caller: Caller) -> None:
    """Raise `Forbidden` unless the caller may see everything of the account that a world file can say."""
    if caller.user:
        for kind in LIKE_A_WORLD_FILE:
            for each in state.owned(caller.account, kind):
                authority.require(caller, action_for(Verb.READ, each), each)


def apply(
    draft: Draft, wanted: World, *, confirm: int | None = None, override: str = "", known: Applied | None = None
) -> Applied:
    """Make the account have what a world file says. ``known`` is what that was `judged` to come to, of whatever state.

    ``confirm``: seconds in which that is to be confirmed (`ringfence.control.confirming`). Raises `Conflict` where an
    expectation would not hold, unless ``override`` says why that does not matter: this needs an action of its own, and
    is in the audit with the reason and the lines; what `plan` raises; and `Forbidden`, as each change is judged as if
    it was made by itself.
    """
    draft.require_any(ram.APPLY_CHANGES, REVISION)
    fits = known is not None and known.plan.before is draft.state
    found = known if known and fits else judged(draft.state, draft.caller, wanted, draft.at)
    make(draft, found.plan.changes)
    lines = [found.explainer.line(each) for each in found.unmet]
    if lines and not override:
        raise expectations_fail(lines)
    if lines:
        said = json.dumps({"override": override, "expectations": lines}, ensure_ascii=False)
        draft.require_any(ram.OVERRIDE_EXPECTATIONS, REVISION, said)
    if confirm is not None and found.plan.changes:
        draft.confirm_until = deadline(confirm)
    return found


# --- as it is told


@dataclass(frozen=True)
class Words:
    """Tells changes in the account's names."""

    plan: Plan

    def all(self) -> list[dict[str, Any]]:
        """Every change, in their order."""
        before, after = (view.naming for view in self.plan.views)
        return [_told(change, before, after) for change in self.plan.changes]


def _told(change: ResourceChange, before: Naming, after: Naming) -> dict[str, Any]:
    naming = after if change.after else before
    head = {"kind": change.key.kind.value, "name": _name(change.resource, naming)}
    old = _fields(change.before, before) if change.before else {}
    new = _fields(change.after, after) if change.after else {}
    if change.before and change.after:
        changed = {name: {"before": old[name], "after": new[name]} for name in new if old[name] != new[name]}
        return {"do": "change", **head, "id": change.key.id, "fields": changed}
    if change.after:
        return {"do": "create", **head, "fields": {name: {"after": value} for name, value in _said(new)}}
    fields = {name: {"before": value} for name, value in _said(old)}
    return {"do": "delete", **head, "id": change.key.id, "fields": fields}


def _said(fields: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    """The fields that say something."""
    return ((name, value) for name, value in fields.items() if value not in ("", [], {}, None, False))


def _fields(resource: Resource, naming: Naming) -> dict[str, Any]:
    common = {name: getattr(resource, name) for name in COMMON if name not in _UNTOLD}
    shown = common | {"tags": dict(resource.tags)} | resource.form.show(resource.value)
    return {name: _named(name, value, shown, naming) for name, value in shown.items() if name not in _UNTOLD}


def _named(name: str, value: Any, shown: Mapping[str, Any], naming: Naming) -> Any:
    """A field with names in place of ids."""
    if isinstance(value, list):
        return [_named(name, each, shown, naming) for each in value]
    if isinstance(value, dict) and "rule" in value:  # a line with an id of its own or a name
        return value | {"rule": naming.words(value["rule"])}
    if not isinstance(value, str) or not value:
        return value
    match name:
        case "subnet":
            return naming.subnet(str(shown.get("vpc", "")), value)
        case "port" | "ports" | "active" | "parent" if "protocol" not in shown:
            found = naming.state.get(Kind.PORT, value)
            return naming.port(str(found.value.port)) if found and isinstance(found.value, PortAt) else value
        case "rule" | "rules" | "remote" | "border" | "firewall" | "expect":
            return naming.words(value)
    return naming.called(_SECTION[name], value) if name in _SECTION else value


_SECTION = {
    "vpc": "vpcs",
    "vpcs": "vpcs",
    "acl": "acls",
    "group": "groups",
    "groups": "groups",
    "instance": "instances",
}
"""Fields that name something, by the section that it is in."""


def _name(resource: Resource, naming: Naming) -> str:
    """What people know a resource by: a subnet within its VPC, a rule by what it says."""
    value = resource.value
    match value:
        case RuleOf():
            return f"{naming.called('groups', value.group)}: {naming.words(str(value.rule))}"
        case PortAt():
            return naming.port(str(value.port))
    if resource.kind is Kind.SUBNET:
        vpc = str(getattr(value, "vpc", ""))
        return f"{naming.called('vpcs', vpc)}/{naming.subnet(vpc, resource.id)}"
    if resource.kind is Kind.EXPECTATION:
        return naming.words(str(value))
    if resource.kind is Kind.PENALTY:
        target = getattr(value, "instance", "") or _named("port", getattr(value, "port", ""), {}, naming)
        return naming.port(str(target)) if "." not in str(target) else str(target)
    return resource.name or resource.id
