"""ACL policies: lists of rules that exist by themselves, and that network ACLs have as their rules (Neutron's FWaaS).

A policy says whose rules of which direction it is. The ACL has copies of them, so that all who judge and enforce know
ACLs alone; the copies follow every change of the rules and policies, and nobody else may change them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final, cast

from ringfence.control.draft import Draft
from ringfence.errors import Conflict, InUse
from ringfence.model.acl import AclRule, NetworkAcl
from ringfence.model.rule import Direction, content_id
from ringfence.ram import actions as ram
from ringfence.resources.kind import Kind
from ringfence.resources.naming import Key
from ringfence.resources.resource import Resource
from ringfence.resources.state import State
from ringfence.resources.values import AclPolicy

BOUND: Final = "acl.policy_bound"
"""The rules of an ACL are a policy's."""
_CONCERNED: Final = frozenset({Kind.ACL, Kind.ACL_LINE, Kind.ACL_POLICY})
_FIELDS: Final[Mapping[Direction, str]] = {Direction.INGRESS: "ingress_of", Direction.EGRESS: "egress_of"}


def bind(draft: Draft, acl: Resource, direction: Direction, policy: str) -> None:
    """Have an ACL have the rules of a policy in one direction; an empty id: of none, so that it has no rules there.

    It takes no leave to change the policy, but to see it: the ACL tells its rules. Raises `NotFound`, `Forbidden`.
    """
    new = draft.own(Kind.ACL_POLICY, policy) if policy else None
    for old in bound_to(draft, acl.id, direction):
        if new is None or old.id != new.id:
            _put(draft, acl, old, direction, tuple(id_ for id_ in _acls(old, direction) if id_ != acl.id))
    if new and acl.id not in _acls(new, direction):
        draft.require(ram.DESCRIBE_ACL_POLICIES, new)
        _put(draft, acl, new, direction, (*_acls(new, direction), acl.id))


def remove_line(draft: Draft, line: Resource) -> None:
    """Remove a line, and from all policies that have it. Raises `Forbidden`."""
    for found in draft.referring(line.key, Kind.ACL_POLICY):
        left = tuple(id_ for id_ in policy(found).rules if id_ != line.id)
        draft.put(ram.MODIFY_ACL_POLICY, replace(found, value=replace(policy(found), rules=left)))
    draft.remove(ram.DELETE_ACL_LINE, line)


def policy_of(state: State, acl: str, direction: Direction) -> str:
    """The id of the policy whose rules an ACL has; empty if it has rules of its own, or none."""
    users = (state.get(*key) for key in state.referrers(Key(Kind.ACL, acl)) if key.kind is Kind.ACL_POLICY)
    return next((it.id for it in users if it and acl in _acls(it, direction)), "")


def bound_to(draft: Draft, acl: str, direction: Direction) -> list[Resource]:
    """The policy whose rules an ACL has in a direction, as the change leaves it so far; one, or none."""
    return [it for it in draft.referring(Key(Kind.ACL, acl), Kind.ACL_POLICY) if acl in _acls(it, direction)]


def policy(resource: Resource) -> AclPolicy:
    """The policy that a resource is."""
    return cast("AclPolicy", resource.value)


def _put(draft: Draft, acl: Resource, found: Resource, direction: Direction, acls: tuple[str, ...]) -> None:
    old = policy(found)
    ingress = direction is Direction.INGRESS
    new = replace(old, ingress_of=acls) if ingress else replace(old, egress_of=acls)
    draft.put(ram.MODIFY_NETWORK_ACL_ATTRIBUTES, replace(found, value=new), acl)


def _acls(resource: Resource, direction: Direction) -> tuple[str, ...]:
    return policy(resource).ingress_of if direction is Direction.INGRESS else policy(resource).egress_of


# --- ACLs follow


def follow(draft: Draft) -> None:
    """Have ACLs have the rules of their policies as a change leaves these.

    Raises `Forbidden` (for the ACL), `Conflict`: the change touches such rules itself, or two policies are for one
    direction of an ACL; `InUse`: a policy is deleted that some ACL has.
    """
    if not any(change.key.kind in _CONCERNED for change in draft.changes):
        return
    _check_deleted(draft)
    touched = {acl for found in _changed(draft) for acl in _all_acls(found)}
    own = {change.key.id for change in draft.changes if change.key.kind is Kind.ACL and change.after}
    for id_ in sorted(touched | own):
        acl = draft.get(Kind.ACL, id_)
        if acl and acl.account == draft.caller.account:  # a reference to nothing is refused as such
            _follow(draft, acl, may_change=id_ in touched)


def _follow(draft: Draft, acl: Resource, *, may_change: bool) -> None:
    wanted = _rules(draft, acl)
    if wanted == tuple(line for direction in Direction for line in _own(acl, direction)):
        return
    if not may_change:
        what = f"{acl.key} has the rules of a policy"
        raise Conflict(what, "change the policy, or its rules", reason=BOUND, field="rules", value=acl.id)
    new = replace(acl, value=replace(cast("NetworkAcl", acl.value), rules=wanted))
    draft.put(ram.UPDATE_NETWORK_ACL_ENTRIES, new)


def _check_deleted(draft: Draft) -> None:
    for before, after in draft.changes:
        if before and after is None and before.kind is Kind.ACL_POLICY:
            used = [acl for acl in _all_acls(before) if draft.get(Kind.ACL, acl)]
            if used:
                what = f"{before.key} is used by ACL {', '.join(sorted(set(used)))}"
                raise InUse(what, "give them another policy first", field="id", value=before.id)


def _changed(draft: Draft) -> Iterator[Resource]:
    """The policies that a change touches, or whose rules it does: as they were, and as they are."""
    for change in draft.changes:
        if change.key.kind is Kind.ACL_POLICY:
            yield from (each for each in change if each)
        elif change.key.kind is Kind.ACL_LINE:
            yield from draft.referring(change.key, Kind.ACL_POLICY)


def _all_acls(resource: Resource) -> tuple[str, ...]:
    return *policy(resource).ingress_of, *policy(resource).egress_of


def _rules(draft: Draft, acl: Resource) -> tuple[AclRule, ...]:
    """The rules that an ACL is to have: of each direction the policy's; or its own, unless they were a policy's."""
    found: list[AclRule] = []
    for direction in Direction:
        bound = bound_to(draft, acl.id, direction)
        if len(bound) > 1:
            what = f"{acl.key} would have the rules of {' and of '.join(str(it.key) for it in bound)}"
            raise Conflict(what, "let it have those of one", reason=BOUND, field=_FIELDS[direction], value=acl.id)
        if bound:
            found += _lines(draft, bound[0], acl.id, direction)
        elif not policy_of(draft.state, acl.id, direction):
            found += _own(acl, direction)
    return tuple(found)


def _own(acl: Resource, direction: Direction) -> list[AclRule]:
    return [line for line in cast("NetworkAcl", acl.value).rules if line.direction is direction]


def _lines(draft: Draft, of: Resource, acl: str, direction: Direction) -> list[AclRule]:
    """The lines of a policy as rules of an ACL: the id of each begins with the line's, and is of this place alone."""
    lines = []
    for id_ in policy(of).rules:
        rule = draft.get(Kind.ACL_LINE, id_)
        if rule is None or rule.account != of.account:
            continue  # a reference to nothing is refused as such
        own = replace(cast("AclRule", rule.value), direction=direction, given_id=content_id(id_, acl, direction.word))
        lines.append(replace(own, name=rule.name, description=rule.description))
    return lines
