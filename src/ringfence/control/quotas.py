"""Quotas: what an account uses of each limit (SEMANTICS.md 6), and what the operator allows instead."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from ringfence.control import basic
from ringfence.control.basic import TAGS
from ringfence.control.caller import Caller
from ringfence.control.checks import PER_ACCOUNT
from ringfence.control.control import Control
from ringfence.control.draft import Draft
from ringfence.control.reading import is_denied
from ringfence.errors import FieldProblem, InvalidFields
from ringfence.model.acl import NetworkAcl
from ringfence.model.address import Family
from ringfence.model.group import GroupType, SecurityGroup
from ringfence.model.profile import LIMITS, Counted, Profile
from ringfence.model.rule import Direction, GroupRemote
from ringfence.model.validation.quotas import acl_rule_cost, group_cost
from ringfence.model.world import World
from ringfence.ram import actions as ram
from ringfence.ram.arn import QUOTA
from ringfence.resources.identity_forms import EVERYBODY
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource
from ringfence.resources.state import State
from ringfence.resources.values import Listing, PortAt, Quota, RuleOf

FULLEST = 10
"""Of each limit that every group (port, VPC …) has for itself, the fullest ones are told: so many."""
PROFILE, OPERATOR = "profile", "operator"
FIXED = "fixed"
"""Where a limit comes from: the profile, what the operator set, or neither can be set."""


@dataclass(frozen=True, slots=True)
class Usage:
    """How much of a limit is used. ``of`` is the resource that has the limit, None for the account itself."""

    limit: str
    of: Resource | None
    used: int
    allowed: int
    source: str

    @property
    def share(self) -> float:
        """How full it is: 1 is full."""
        return self.used / self.allowed if self.allowed else float(self.used > 0)

    def as_json(self) -> dict[str, Any]:
        """As the API tells it."""
        of = {"kind": self.of.kind.value, "id": self.of.id, "name": self.of.name} if self.of else None
        return {"limit": self.limit, "of": of, "used": self.used, "allowed": self.allowed, "source": self.source}


Count = tuple[str, int, int]
"""A limit, how much is used, and how much is allowed."""


def usage(state: State, account: str, *, fullest: int = FULLEST) -> list[Usage]:
    """Every limit of an account: those of the account first, then those of each thing, the fullest ones of each."""
    own = state.world.limits
    set_ = {**own.get(EVERYBODY, {}), **own.get(account, {})}
    counted = _Counting(state, account)
    told = [_usage(set_, None, count) for count in counted.account()]
    by_limit: dict[str, list[tuple[Resource, Count]]] = {}
    for resource, count in counted.things():
        by_limit.setdefault(count[0], []).append((resource, count))
    for each in by_limit.values():
        told += heapq.nlargest(fullest, (_usage(set_, *one) for one in each), key=lambda it: (it.share, it.used))
    return told


def usage_for(control: Control, caller: Caller, *, fullest: int = FULLEST) -> list[Usage]:
    """The same of the caller's account, without things that a policy denies the caller to see. Raises `Forbidden`."""
    control.authority.require_kind(caller, ram.DESCRIBE_QUOTAS, QUOTA)
    found = usage(control.state, caller.account, fullest=fullest)
    return [it for it in found if it.of is None or not is_denied(control, caller, it.of)]


def _usage(own: Mapping[str, int], of: Resource | None, count: Count) -> Usage:
    name, used, allowed = count
    source = OPERATOR if name in own else PROFILE if name in LIMITS else FIXED
    return Usage(name, of, used, allowed, source)


def members_of(world: World, group: SecurityGroup) -> Count:
    """How many members a group has, in the way in which its profile counts them, and may have."""
    profile, advanced = world.profile_of(group), group.type is GroupType.ADVANCED
    used: int = getattr(world.sizes[group.name], Counted.PORTS if advanced else profile.members_counted)
    if advanced:
        return "members_per_advanced_group", used, profile.members_per_advanced_group
    return "members_per_group", used, profile.members_per_group


class _Counting:
    """Counts what an account uses."""

    def __init__(self, state: State, account: str) -> None:
        self._state, self._account = state, account
        self._world: World = state.world
        self._costs: dict[tuple[str, int], int] = {}

    def account(self) -> Iterator[Count]:
        """The limits of the account itself."""
        profile = self._world.profile_in("", self._account)
        for kind, name in PER_ACCOUNT.items():
            yield name, self._state.count(self._account, kind), getattr(profile, name)

    def things(self) -> Iterator[tuple[Resource, Count]]:
        """The limits that each thing has for itself."""
        for kind, counts in self._counters.items():
            for resource in self._state.owned(self._account, kind):
                yield from ((resource, count) for count in counts(resource))
                if resource.tags:
                    yield resource, ("tags_per_resource", len(resource.tags), TAGS)

    @property
    def _counters(self) -> Mapping[Kind, Callable[[Resource], Iterable[Count]]]:
        return {
            Kind.GROUP: self._group,
            Kind.RULE: self._rule,
            Kind.PORT: self._port,
            Kind.INSTANCE: self._instance,
            Kind.VPC: self._vpc,
            Kind.ACL: self._acl,
            Kind.ADDRESS_GROUP: self._listed,
            Kind.PORT_LIST: self._listed,
        }

    def _profile(self, vpc: str) -> Profile:
        return self._world.profile_in(vpc, self._account)

    def _cost(self, group: str, profile: Profile) -> int:
        key = group, id(profile)
        if key not in self._costs:
            self._costs[key] = group_cost(self._world.groups[group], profile, self._world)
        return self._costs[key]

    def _group(self, resource: Resource) -> Iterator[Count]:
        group = self._world.groups[resource.id]
        profile = self._world.profile_of(group)
        yield "rules_per_group", self._cost(group.name, profile), profile.rules_per_group
        references = sum(isinstance(remote, GroupRemote) for remote in group.named)
        yield "group_rules_per_group", references, profile.group_rules_per_group
        yield members_of(self._world, group)

    def _rule(self, resource: Resource) -> Iterator[Count]:
        at = cast("RuleOf", resource.value)
        ranges, group = at.rule.size.ranges, self._world.groups[at.group]
        if ranges > 1:
            yield "port_ranges_per_rule", ranges, self._world.profile_of(group).port_ranges_per_rule

    def _port(self, resource: Resource) -> Iterator[Count]:
        port = cast("PortAt", resource.value).port
        profile = self._profile(port.vpc)
        yield "groups_per_port", len(port.groups), profile.groups_per_port
        yield "rules_per_port", sum(self._cost(group, profile) for group in port.groups), profile.rules_per_port

    def _instance(self, resource: Resource) -> Iterator[Count]:
        instance = self._world.instances.get(resource.id)
        if instance:
            profile = self._profile(instance.primary.vpc)
            hanging = sum(bool(port.parent) for port in instance.ports)
            yield "ports_per_instance", len(instance.ports) - hanging, profile.ports_per_instance
            if hanging or profile.sub_ports_per_instance:
                yield "sub_ports_per_instance", hanging, profile.sub_ports_per_instance

    def _vpc(self, resource: Resource) -> Iterator[Count]:
        profile, name = self._profile(resource.id), resource.id
        yield "subnets_per_vpc", len(self._world.vpcs[name].subnets), profile.subnets_per_vpc
        yield "acls_per_vpc", len(self._world.naming.users(("vpcs", name), "acls")), profile.acls_per_vpc

    def _acl(self, resource: Resource) -> Iterator[Count]:
        acl = cast("NetworkAcl", resource.value)
        profile = self._profile(acl.vpc)
        for direction in Direction:
            rules = [rule for rule in acl.rules if rule.direction is direction]
            costs = [sum(acl_rule_cost(it, profile, self._world, family) for it in rules) for family in Family]
            used = max(costs) if profile.acl_rules_per_family else sum(costs)
            yield "acl_rules_per_direction", used, profile.acl_rules_per_direction

    def _listed(self, resource: Resource) -> Iterator[Count]:
        name, it = f"{resource.kind}_entries", cast("Listing", resource.value).listed
        most: int = getattr(self._profile(""), name)
        yield name, len(it.entries), most if it.max_entries is None else it.max_entries


# --- what the operator allows instead


def quota_of(draft: Draft, target: str) -> Resource | None:
    """What the operator has set for an account."""
    return next((it for it in draft.owned(Kind.QUOTA) if cast("Quota", it.value).target == target), None)


def set_limits(draft: Draft, target: str, limits: Mapping[str, int | None]) -> Resource:
    """Set limits of an account, or of ``*``, every one; None gives the profile's back. Others stay as they are.

    What exists is judged at once: a limit below what is used is refused. Raises `InvalidFields`, `Forbidden`.
    """
    found = quota_of(draft, target)
    known = dict(cast("Quota", found.value).limits) if found else {}
    wanted = {name: value for name, value in {**known, **limits}.items() if value is not None}
    unknown = sorted(limits.keys() - set(LIMITS))
    if unknown:
        what = f"{unknown[0]!r} is no limit"
        raise InvalidFields((FieldProblem("limits", what, f"use one of {', '.join(LIMITS)}", value=unknown[0]),))
    if found and not wanted:
        return basic.delete(draft, Kind.QUOTA, found.id)
    if found:
        return basic.update(draft, Kind.QUOTA, found.id, {"limits": wanted})
    return basic.create(draft, Kind.QUOTA, {"target": target, "limits": wanted})
