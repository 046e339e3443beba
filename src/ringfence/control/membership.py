"""Which ports are in which security groups: join, leave, replace (SEMANTICS.md 5 and 7)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import cast

from ringfence.control.besides import require_memberships
from ringfence.control.draft import Draft
from ringfence.errors import FieldProblem, InvalidFields, NotFound, Refused
from ringfence.ram import actions as ram
from ringfence.ram.actions import Action
from ringfence.resources.kind import Kind
from ringfence.resources.naming import Key
from ringfence.resources.resource import Resource
from ringfence.resources.values import PortAt

MEMBERS_PER_CALL = 20
"""So many members one call lets join or leave (SEMANTICS.md 6)."""
NOT_A_MEMBER = "InvalidSecurityGroupAssociation.NotFound"
LAST_GROUP = "InstanceLastSecurityGroup"


@dataclass(frozen=True, slots=True)
class Member:
    """A port, and what the request named: the port, or the instance whose primary port it is. RAM judges that."""

    port: Resource
    named: Resource


@dataclass(frozen=True, slots=True)
class Joined:
    """Ports that are new in a group, and those that were in it before."""

    added: tuple[Resource, ...]
    already: tuple[Resource, ...]


def join(draft: Draft, group: str, members: Sequence[str]) -> Joined:
    """Let ports join a group, as the last in their order; all, or none. One that is in it already stays as it is.

    A member is a port (by id, or as ``instance.port``), or an instance (by id or name), which is its primary port.
    Raises `InvalidFields`, `NotFound`, `Forbidden`.
    """
    found, meant = draft.find(Kind.GROUP, group), _members(draft, members)
    draft.require(ram.JOIN_SECURITY_GROUP, found)
    added, already = [], []
    for member in meant:
        groups = _groups(member.port)
        if found.id in groups:
            draft.require(ram.JOIN_SECURITY_GROUP, member.named)
            already.append(member.port)
        else:
            added.append(_put(draft, ram.JOIN_SECURITY_GROUP, member, (*groups, found.id)))
    return Joined(tuple(added), tuple(already))


def leave(draft: Draft, group: str, members: Sequence[str]) -> tuple[Resource, ...]:
    """Let ports leave a group; all, or none. Raises as `join`, and `Refused`: they are not in it, or in no other."""
    found, meant = draft.find(Kind.GROUP, group), _members(draft, members)
    draft.require(ram.LEAVE_SECURITY_GROUP, found)
    for index, member in enumerate(meant):
        with draft.telling(ram.LEAVE_SECURITY_GROUP, member.named):
            _check_leaving(found, member, f"members.{index}")
    return tuple(
        _put(draft, ram.LEAVE_SECURITY_GROUP, member, (name for name in _groups(member.port) if name != found.id))
        for member in meant
    )


def set_groups(draft: Draft, members: Sequence[str], groups: Sequence[str]) -> tuple[Resource, ...]:
    """Have ports be in these groups, in this order, and in no others; all, or none. Raises as `leave`."""
    if not groups:
        raise Refused("a port is in one group at least", "name one", reason=LAST_GROUP, field="groups", value=0)
    names = tuple(_group_id(draft, ref, f"groups.{index}") for index, ref in enumerate(groups))
    return tuple(_replaced(draft, member, names) for member in _members(draft, members))


def _replaced(draft: Draft, member: Member, groups: Sequence[str]) -> Resource:
    require_memberships(draft, _groups(member.port), groups)
    at_instance = member.named.kind is Kind.INSTANCE
    action = ram.MODIFY_INSTANCE_ATTRIBUTE if at_instance else ram.MODIFY_NETWORK_INTERFACE_ATTRIBUTE
    return _put(draft, action, member, groups)


def _group_id(draft: Draft, ref: str, field: str) -> str:
    try:
        return draft.find(Kind.GROUP, ref).id
    except NotFound as error:
        code = "InvalidSecurityGroupId.NotFound"
        raise InvalidFields((FieldProblem(field, error.what, error.right, code, ref),)) from None


def _check_leaving(group: Resource, member: Member, field: str) -> None:
    groups, named = _groups(member.port), member.named.key
    if group.id not in groups:
        what, right = f"{named} is not in {group.key}", f"it is in {', '.join(groups)}"
        raise Refused(what, right, reason=NOT_A_MEMBER, field=field, value=named.id)
    if len(groups) == 1:
        what, right = f"{named} is in no other group than {group.key}", "let it join another one first"
        raise Refused(what, right, reason=LAST_GROUP, field=field, value=named.id)


def _put(draft: Draft, action: Action, member: Member, groups: Iterable[str]) -> Resource:
    at = cast("PortAt", member.port.value)
    value = replace(at, port=replace(at.port, groups=tuple(groups)))
    return draft.put(action, replace(member.port, value=value), member.named)


def _groups(port: Resource) -> tuple[str, ...]:
    return cast("PortAt", port.value).port.groups


# --- what members a request names


def _members(draft: Draft, refs: Sequence[str]) -> list[Member]:
    """The members, each once; raises `InvalidFields`."""
    if not 1 <= len(refs) <= MEMBERS_PER_CALL:
        what = f"{len(refs)} members are too many for one call" if refs else "no member is given"
        right = f"give 1 to {MEMBERS_PER_CALL}"
        raise InvalidFields((FieldProblem("members", what, right, "limit.members_per_call", len(refs)),))
    found: dict[Key, Member] = {}
    for index, ref in enumerate(refs):
        member = _member(draft, ref, f"members.{index}")
        found.setdefault(member.port.key, member)
    return list(found.values())


def _member(draft: Draft, ref: str, field: str) -> Member:
    port = draft.get(Kind.PORT, ref)
    if port and port.account == draft.caller.account:
        return Member(port, port)
    instance = draft.lookup(Kind.INSTANCE, ref)
    if instance:
        if ports := _ports(draft, instance):
            return Member(ports[0], instance)
        what = f"{instance.key} has no port"
        raise InvalidFields((FieldProblem(field, what, "make one first", "InvalidInstanceId.NotFound", ref),))
    name, dot, rest = ref.rpartition(".")
    owner = draft.lookup(Kind.INSTANCE, name) if dot else None
    if named := next((it for it in _ports(draft, owner) if it.name == rest), None) if owner else None:
        return Member(named, named)
    missing = draft.missing(Kind.INSTANCE, ref)
    what = f"there is no port or instance {ref!r}, or several instances are called so"
    raise InvalidFields((FieldProblem(field, what, missing.right, "InvalidInstanceId.NotFound", ref),))


def _ports(draft: Draft, instance: Resource) -> list[Resource]:
    """The ports of an instance, the primary one first."""
    keys = draft.state.referrers(instance.key)
    found = [it for it in (draft.get(*key) for key in keys if key.kind is Kind.PORT) if it]
    return sorted(found, key=lambda it: (cast("PortAt", it.value).index, it.name))
