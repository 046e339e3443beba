"""What it takes besides the leave to make or change a resource: much of what that says has an action of its own.

So whoever may change a port, and not have it join groups, cannot have it join one by changing it (SEMANTICS.md 9.1).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from ringfence.control.draft import Draft
from ringfence.model.acl import AclRule
from ringfence.model.group import SecurityGroup
from ringfence.model.topology import Peering, Port, Subnet, VirtualIp
from ringfence.ram import actions as ram
from ringfence.ram.actions import Action
from ringfence.ram.arn import FIREWALL_POLICY
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource
from ringfence.resources.values import Machine, PortAt, Power, SharedVpc, User, Value

_JOINING = (ram.JOIN_SECURITY_GROUP, ram.LEAVE_SECURITY_GROUP)
_ATTACHING = (ram.ATTACH_POLICY_TO_USER, ram.DETACH_POLICY_FROM_USER)
_HOLDING = (ram.ASSOCIATE_HA_VIP, ram.UNASSOCIATE_HA_VIP)
_GUARDING = (ram.ASSOCIATE_NETWORK_ACL, ram.UNASSOCIATE_NETWORK_ACL)


def require_new(draft: Draft, made: Resource) -> None:
    """Raise `Forbidden` unless the caller may do everything that a new resource says by the way."""
    match made.value:
        case PortAt():
            _require_place(draft, made)
        case User(policies=policies):
            _require_named(draft, _ATTACHING, Kind.POLICY, (), policies, made)
        case VirtualIp(ports=ports):
            _require_named(draft, _HOLDING, Kind.PORT, (), ports, made)
        case Subnet(acl=acl):
            _require_named(draft, _GUARDING, Kind.ACL, (), (acl,), made)
    if _firewall_of(made.value):
        draft.require_any(ram.CREATE_FIREWALL_POLICY, FIREWALL_POLICY)


def require_more(draft: Draft, old: Resource, new: Resource) -> None:
    """Raise `Forbidden` unless the caller may do everything that a change of a resource says by the way."""
    if new.tags.items() - old.tags.items():
        draft.require(ram.TAG_RESOURCES, old)
    if old.tags.keys() - new.tags.keys():
        draft.require(ram.UNTAG_RESOURCES, old)
    match old.value, new.value:
        case PortAt(port=before), PortAt(port=after):
            require_memberships(draft, before.groups, after.groups)
            _require_moves(draft, old, before, after)
        case Machine(power=before), Machine(power=after) if before is not after:
            draft.require(ram.START_INSTANCE if after is Power.RUNNING else ram.STOP_INSTANCE, old)
        case User(policies=before), User(policies=after):
            _require_named(draft, _ATTACHING, Kind.POLICY, before, after, old)
        case VirtualIp(ports=before), VirtualIp(ports=after):
            _require_named(draft, _HOLDING, Kind.PORT, before, after, old)
        case Subnet(acl=before), Subnet(acl=after):
            _require_named(draft, _GUARDING, Kind.ACL, (before,), (after,), old)
        case SecurityGroup(intra_group=before), SecurityGroup(intra_group=after) if before is not after:
            draft.require(ram.MODIFY_SECURITY_GROUP_POLICY, old)
    if _firewall_of(old.value) != _firewall_of(new.value):
        draft.require_any(ram.MODIFY_FIREWALL_POLICY, FIREWALL_POLICY)


def require_memberships(draft: Draft, before: Iterable[str], after: Iterable[str]) -> None:
    """Raise `Forbidden` unless the caller may let a port join these groups and leave those."""
    _require_named(draft, _JOINING, Kind.GROUP, before, after)


def _require_named(
    draft: Draft, ways: tuple[Action, Action], kind: Kind, before: Iterable[str], after: Iterable[str], *owner: Resource
) -> None:
    """Judge what comes to be named by the first way, and what is named no longer by the second; with who names it.

    What the caller's account may not name is not there for it, and validation says so.
    """
    old, new = ({id_ for id_ in ids if id_} for ids in (before, after))
    for action, ids in zip(ways, (new - old, old - new), strict=True):
        found = [it for it in (draft.usable(kind, id_) for id_ in sorted(ids)) if it]
        draft.require(action, *found, *(owner if ids else ()))


def _require_place(draft: Draft, made: Resource) -> None:
    """Judge that a new port is where it is: in its groups, at what was there before.

    Who may not attach a port to an instance cannot have a new one be there either.
    """
    port = cast("PortAt", made.value).port
    require_memberships(draft, (), port.groups)
    ends = (draft.state.get(Kind.INSTANCE, port.instance), draft.state.get(Kind.PORT, port.parent))
    draft.require(ram.ATTACH_NETWORK_INTERFACE, *filter(None, ends))


def _require_moves(draft: Draft, port: Resource, before: Port, after: Port) -> None:
    """What it takes that a port is somewhere else: no request but a reversal does that by the way."""
    homes = [(it.instance, it.parent, it.vlan) for it in (before, after)]
    if homes[0] != homes[1]:
        for action, at in ((ram.DETACH_NETWORK_INTERFACE, before), (ram.ATTACH_NETWORK_INTERFACE, after)):
            ends = (draft.get(Kind.INSTANCE, at.instance), draft.get(Kind.PORT, at.parent))
            if found := [it for it in ends if it]:
                draft.require(action, port, *found)
    if before.subnet != after.subnet:
        home = draft.get(Kind.INSTANCE, after.instance)
        draft.require(ram.MODIFY_INSTANCE_VPC_ATTRIBUTE, home or port)


def _firewall_of(value: Value) -> tuple[AclRule, ...]:
    """The firewall at a border or on a peering."""
    return value.vpc.border if isinstance(value, SharedVpc) else value.firewall if isinstance(value, Peering) else ()
