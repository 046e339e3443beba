"""What must hold of a change before it is made: references, protection, quotas, and the meaning of the world."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from typing import Any, cast

from ringfence.control.caller import Caller
from ringfence.control.telling import Telling, refusal
from ringfence.errors import (
    Conflict,
    FieldProblem,
    Forbidden,
    InUse,
    InvalidFields,
    NotationError,
    Protected,
    QuotaExceeded,
)
from ringfence.model.address import Address
from ringfence.model.flow import Expectation
from ringfence.model.rule import GroupRemote
from ringfence.model.topology import Port, VirtualIp
from ringfence.model.validation import Touched, problems
from ringfence.model.world import World, nearest
from ringfence.resources.kind import SECTIONS, Kind
from ringfence.resources.naming import Key
from ringfence.resources.resource import Resource, ResourceChange, by_kind
from ringfence.resources.state import State
from ringfence.resources.values import AccessKey, Penalized, PortAt, Quota, RuleOf, SharedVpc
from ringfence.resources.worlds import full_name

PER_ACCOUNT = {
    Kind.VPC: "vpcs_per_account",
    Kind.GROUP: "groups_per_account",
    Kind.ACL: "acls_per_account",
    Kind.ACL_POLICY: "acl_policies_per_account",
    Kind.ACL_LINE: "acl_lines_per_account",
    Kind.ADDRESS_GROUP: "address_groups_per_account",
    Kind.PORT_LIST: "port_lists_per_account",
    Kind.PEERING: "peerings_per_account",
}
"""The limit of how many of a kind an account may have."""
_CALLED = {Kind.GROUP: "SecurityGroup", Kind.VPC: "Vpc", Kind.ACL: "NetworkAcl"}
MANAGED = "InvalidOperation.ResourceManagedByCloudProduct"
DELETION_PROTECTION = "InvalidOperation.DeletionProtection"
_NO_GROUP = "InvalidSecurityGroupId.NotFound"
_OF_PORTS = (Kind.VIRTUAL_IP, Kind.PENALTY)
_ENDS = (Kind.INSTANCE, Kind.VIRTUAL_IP, Kind.OUTSIDE_HOST)
NO_PLACES: Mapping[Key, str] = {}


def check(
    before: State,
    after: State,
    changes: tuple[ResourceChange, ...],
    caller: Caller,
    places: Mapping[Key, str] = NO_PLACES,
) -> None:
    """Raise what is wrong with a change: `InvalidFields`, or a `Refused`.

    ``places`` says where the request says what becomes of a resource.
    """
    kinds = by_kind(changes)
    for change in changes:  # first of all: of what belongs to others, nothing is told
        _check_references(after, change, caller, places)
    for change in kinds.get(Kind.EXPECTATION, ()):
        _check_ends(after, change, caller)
    for change in kinds.get(Kind.ACCESS_KEY, ()):
        _check_keys(change, caller)
    for old, new in changes:
        if old and new is None:
            _check_removal(after, old)
    _check_managed(before, after, changes, caller)
    for kind in (*_OF_PORTS, Kind.PORT):
        for change in kinds.get(kind, ()):
            _check_attached(after, change)
    _check_counts(before, after, kinds)
    _check_quotas(after, kinds.get(Kind.QUOTA, ()))
    found = problems(after.world, _touched(after, kinds))
    if found:
        raise refusal(found, Telling(after, {change.key for change in changes}, places, caller.account))


def _check_keys(change: ResourceChange, caller: Caller) -> None:
    """A user who could make a key of the account itself would be the account, whatever the policies say."""
    value = change.resource.value
    if isinstance(value, AccessKey) and not value.user and caller.user:
        what = f"{change.key} is of the account itself, and a user may not make, change or delete such a key"
        raise Forbidden(what, "sign the request with a key of the account")


def _check_removal(after: State, gone: Resource) -> None:
    """What is protected stays, and what others use."""
    if gone.protected:
        what = f"{gone.key} is protected from deletion"
        raise Protected(what, "set protected to false first", reason=DELETION_PROTECTION, field="id", value=gone.id)
    if users := [key for key in after.referrers(gone.key) if key != gone.key]:
        raise _in_use(after, gone, users)


def _check_managed(before: State, after: State, changes: Iterable[ResourceChange], caller: Caller) -> None:
    """What belongs to a managed service, only the service changes (SEMANTICS.md 5.1).

    A rule is its group's, too, and a port that joins or leaves a group changes the group; one that goes for good does
    not.
    """
    was, is_ = set[str](), set[str]()  # groups that are changed with what is theirs, as they were and as they are
    for old, new in changes:
        for resource, groups in ((old, was), (new, is_)):
            if resource:
                _check_owner(resource, caller)
                if isinstance(resource.value, RuleOf):
                    groups.add(resource.value.group)
        if new and isinstance(new.value, PortAt):
            left = cast("PortAt", old.value).port.groups if old else ()
            is_ |= {*left} ^ {*new.value.port.groups}
    for state, groups in ((before, was), (after, is_)):
        for group in filter(None, (state.get(Kind.GROUP, name) for name in sorted(groups))):
            _check_owner(group, caller)


def _check_owner(resource: Resource, caller: Caller) -> None:
    service = service_of(resource)
    if service and caller.service != service:
        what = f"{resource.key} belongs to {service}"
        raise Protected(what, "only the service may change it", reason=MANAGED, field="managed", value=service)


def service_of(resource: Resource) -> str:
    """The managed service that a group or a rule belongs to."""
    value = resource.value
    return value.rule.managed if isinstance(value, RuleOf) else getattr(value, "managed", "")


def _check_references(after: State, change: ResourceChange, caller: Caller, places: Mapping[Key, str]) -> None:
    new = change.after
    if new is None:
        return
    named = new.refers - (change.before.refers - _claimed(change.before, new)) if change.before else new.refers
    others = [key for key in named if (found := after.resources.get(key)) is None or found.account != new.account]
    for key in sorted(others):
        _check_reference(after, new, key, caller, places)


def _claimed(before: Resource, after: Resource) -> Set[Key]:
    """The subnet in which a port or a virtual IP takes more addresses: it may be shared with its account no longer."""
    old, new = (it.value.port if isinstance(it.value, PortAt) else it.value for it in (before, after))
    if isinstance(old, Port | VirtualIp) and isinstance(new, Port | VirtualIp) and {*new.addresses} - {*old.addresses}:
        return {Key(Kind.SUBNET, new.subnet)}
    return frozenset()


def _check_ends(after: State, change: ResourceChange, caller: Caller) -> None:
    """The ends of an expected flow are the account's own, or addresses: a world would take anybody's."""
    if change.after and isinstance(expected := change.after.value, Expectation):
        for end in (expected.query.source, expected.query.destination):
            named = ((kind, end.partition(".")[0] if kind is Kind.INSTANCE else end) for kind in _ENDS)
            found = filter(None, (after.get(kind, name) for kind, name in named))
            if not _is_address(end) and not any(it.account == change.after.account for it in found):
                own = (it.id for kind in _ENDS for it in after.owned(change.after.account, kind))
                what = f"there is no instance, virtual IP or outside host {end!r}"
                right = nearest(end, () if caller.user else own)
                raise InvalidFields((FieldProblem("expect", what, right, "input.unknown_name", end),))


def _check_attached(after: State, change: ResourceChange) -> None:
    """A virtual IP or a penalty is for ports that some instance has: nothing happens at another one."""
    if change.after and change.kind in _OF_PORTS:
        for key in sorted(change.after.refers):
            if _is_detached(after.resources[key]):
                what, field = f"{key} is of no instance", _field_of(change.after, key)
                raise InvalidFields((FieldProblem(field, what, "attach it first", "world.unknown_port", key.id),))
    if change.after and _is_detached(change.after):
        users = [key for key in after.referrers(change.key) if key.kind in _OF_PORTS]
        if users:
            raise _in_use(after, change.after, users)


def _is_detached(resource: Resource) -> bool:
    return isinstance(resource.value, PortAt) and not resource.value.port.instance


def _is_address(end: str) -> bool:
    try:
        return bool(Address.parse(end))
    except NotationError:
        return False


def _check_reference(after: State, resource: Resource, key: Key, caller: Caller, places: Mapping[Key, str]) -> None:
    found = after.resources.get(key)
    if found is None or not _is_shared(after, resource, found):
        known = () if caller.user else (it.id for it in after.owned(resource.account, key.kind))  # who may see which?
        what = f"there is no {key.kind.words} {key.id!r}"
        code = {
            Kind.GROUP: "InvalidSourceGroupId.NotFound" if resource.kind is Kind.RULE else _NO_GROUP,
            Kind.ADDRESS_GROUP: "InvalidPrefixListId.NotFound",
            Kind.PORT_LIST: "InvalidPortRangeListId.NotFound",
        }.get(key.kind, "resource.not_found")
        field = ".".join(filter(None, (places.get(resource.key), _field_of(resource, key))))
        raise InvalidFields((FieldProblem(field, what, nearest(key.id, known), code, key.id),))


def _field_of(resource: Resource, key: Key) -> str:
    shown = resource.form.show(resource.value)
    for name, value in shown.items():
        if value == key.id or (isinstance(value, list) and key.id in value):
            return name
    return "remote" if resource.kind is Kind.RULE else key.kind.value


def _is_shared(after: State, resource: Resource, found: Resource) -> bool:
    """Whether a resource may refer to one of another account: a shared VPC, or a group that the rule names in full.

    The group that a rule belongs to is its own account's, whatever the rule names.
    """
    if isinstance(value := resource.value, RuleOf):
        is_remote = found.kind is Kind.GROUP and found.id != value.group
        return is_remote and value.rule.remote == GroupRemote(found.id, found.account)
    if found.kind is Kind.ACCOUNT:
        return True
    vpc = found if found.kind is Kind.VPC else after.get(Kind.VPC, str(getattr(found.value, "vpc", "")))
    if vpc is None or found.kind not in (Kind.VPC, Kind.SUBNET):
        return False
    if resource.kind not in (Kind.GROUP, Kind.PORT, Kind.VIRTUAL_IP):
        return False
    return resource.account in cast("SharedVpc", vpc.value).shared_with


def _in_use(after: State, gone: Resource, users: list[Key]) -> InUse:
    own = [key for key in users if after.resources[key].account == gone.account]
    words = ", ".join(map(str, own[:5])) or "a resource of another account"
    more = f" and {len(users) - 5} more" if len(own) > 5 else ""
    code = "DependencyViolation" if gone.kind is Kind.GROUP else ""
    return InUse(
        f"{gone.key} is used by {words}{more}", "remove what uses it first", reason=code, field="id", value=gone.id
    )


def _check_counts(before: State, after: State, kinds: Mapping[Kind, Iterable[ResourceChange]]) -> None:
    """Refuse what an account has more of than before, or may have less of, if it is more than it may."""
    counted = ((kind, change) for kind in kinds.keys() & PER_ACCOUNT.keys() for change in kinds[kind])
    grown = {(each.account, kind) for kind, (old, each) in counted if each and not old}
    if kinds.keys() & {Kind.QUOTA, Kind.SETTINGS}:
        grown |= {(account.id, kind) for account in after.of_kind(Kind.ACCOUNT) for kind in PER_ACCOUNT}
    for account, kind in sorted(grown):
        limit, count = limit_of(after.world, account, PER_ACCOUNT[kind]), after.count(account, kind)
        lowered = limit < limit_of(before.world, account, PER_ACCOUNT[kind])
        if count > limit and (lowered or count > before.count(account, kind)):
            what = f"account {account} would have {count} {kind.words}s, and its quota is {limit}"
            right = "delete some, or have the operator raise the quota"
            reason = f"QuotaExceed.{_CALLED.get(kind, kind.words.title().replace(' ', ''))}"
            raise QuotaExceeded(what, right, reason=reason, field=kind.value, value=count)


def _check_quotas(after: State, changes: Iterable[ResourceChange]) -> None:
    """One quota for each target: which of two held would be nobody's to say."""
    for new in (each for old, each in changes if each and not old):
        targets = [cast("Quota", it.value).target for it in after.of_kind(Kind.QUOTA)]
        if targets.count(target := cast("Quota", new.value).target) > 1:
            what = f"there is a quota for {target} already"
            raise Conflict(what, "change that one", reason="quota.exists", field="target", value=target)


def limit_of(world: World, account: str, name: str) -> int:
    """A limit of an account: what the operator set for it, or for all, or the profile's."""
    limit: int = getattr(world.profile_in("", account), name)
    return limit


def _touched(state: State, kinds: Mapping[Kind, Iterable[ResourceChange]]) -> Touched | None:
    """The names of what some changes touch in the world of a state; None where that may be everything."""
    if kinds.keys() & {Kind.SETTINGS, Kind.QUOTA}:
        return None
    names: dict[str, Any] = {"expects": Kind.EXPECTATION in kinds}
    rules: dict[str, set[str]] = {}
    for _, after in kinds.get(Kind.RULE, ()):
        if after:  # a rule that goes breaks nothing
            rules.setdefault(cast("RuleOf", after.value).group, set()).add(after.id)
    others = (change for kind in kinds.keys() - {Kind.RULE} for change in kinds[kind])
    for resource in (each for change in others for each in change if each):
        for section, name in _touches(state, resource):
            names.setdefault(section, set()).add(name)
        if resource.kind is Kind.PORT:
            users = (user.id for user in state.referrers(resource.key) if user.kind is Kind.VIRTUAL_IP)
            names.setdefault("virtual_ips", set()).update(users)
    return Touched(rules=rules, **names)


def _touches(state: State, resource: Resource) -> Iterator[tuple[str, str]]:
    value = resource.value
    if resource.kind in SECTIONS:
        yield SECTIONS[resource.kind], resource.id
    elif isinstance(value, PortAt):
        yield ("instances", value.port.instance) if value.port.instance else ("detached", resource.id)
    elif isinstance(value, Penalized):
        port = state.get(Kind.PORT, value.port)
        yield "penalties", full_name(port) if port else value.instance
    elif resource.kind is Kind.SUBNET:
        yield "vpcs", str(getattr(value, "vpc", ""))
