"""Looking at resources: only what the caller's account has, and the policies let the caller see."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from ringfence.control.caller import Caller
from ringfence.control.control import Control
from ringfence.control.draft import not_found
from ringfence.control.kinds import Verb, action_for, action_of
from ringfence.errors import Forbidden, NotFound
from ringfence.model.address import Family
from ringfence.model.topology import Subnet, VirtualIp
from ringfence.ram.actions import Action
from ringfence.ram.arn import REVISION
from ringfence.resources.kind import LIKE_A_WORLD_FILE, Kind
from ringfence.resources.naming import Key
from ringfence.resources.resource import Resource
from ringfence.resources.state import State
from ringfence.resources.values import PortAt

_RESERVED = 3  # addresses of a subnet


def visible(control: Control, state: State, caller: Caller, kind: Kind) -> list[Resource]:
    """What of a kind the caller may see, by id. Raises `Forbidden` where a user may see nothing of it at all."""
    owned = state.owned(caller.account, kind)
    if not caller.user:
        return owned
    seen = [it for it in owned if control.authority.may(caller, action_for(Verb.READ, it), it)]
    if not seen:  # nothing to be seen, or nothing allowed: the latter is said
        control.authority.require_kind(caller, action_of(Verb.READ, kind), kind)
    return seen


def find(control: Control, state: State, caller: Caller, kind: Kind, ref: str) -> Resource:
    """A resource by its id, or by its name where only one has it. Raises `NotFound`, `Forbidden`."""
    found = state.get(kind, ref)
    if found is None or found.account != caller.account:
        named = state.named(caller.account, kind, ref)
        if len(named) > 1:
            ids = ", ".join(it.id for it in named)
            what = f"several {kind.words}s are called {ref!r}"
            raise NotFound(what, f"give an id: {ids}", field="id", value=ref, kind=kind.value)
        ref = named[0].id if named else ref
    return find_by_id(control, state, caller, kind, ref)


def require_analysis(control: Control, caller: Caller, action: Action, state: Callable[[], State]) -> None:
    """Raise `Forbidden` unless the caller may have an analysis of all that decides about packets in the account.

    Its action is enough for what no policy mentions; what a policy denies the caller to see, no analysis may tell.
    """
    control.authority.require_kind(caller, action, REVISION)
    owned = (it for kind in LIKE_A_WORLD_FILE for it in state().owned(caller.account, kind))
    control.authority.require_undenied(caller, partial(action_for, Verb.READ), owned)


def is_denied(control: Control, caller: Caller, resource: Resource) -> bool:
    """Whether a policy denies the caller to see a resource, whatever else allows it."""
    try:
        control.authority.require_undenied(caller, partial(action_for, Verb.READ), [resource])
    except Forbidden:
        return True
    return False


def find_by_id(
    control: Control, state: State, caller: Caller, kind: Kind, id_: str, action: Action | None = None
) -> Resource:
    """A resource by its id alone, as the clouds' APIs know it. Raises `NotFound`, `Forbidden`.

    ``action`` is what the caller must be allowed to do, where it is another one than to look at such resources.
    """
    found = state.get(kind, id_)
    if found is None or found.account != caller.account:
        control.authority.require_kind(caller, action or action_of(Verb.READ, kind), kind)
        raise not_found(control.authority, state, caller, kind, id_)
    control.authority.require(caller, action or action_for(Verb.READ, found), found)
    return found


def addresses_left(state: State, subnet: Subnet) -> int:
    """How many IPv4 addresses of a subnet a port could still get: not its own, the gateway's or the last one."""
    if subnet.cidr is None:
        return 0
    users = (state.resources[key].value for key in state.referrers(Key(Kind.SUBNET, subnet.name)))
    owners = (it.port if isinstance(it, PortAt) else it for it in users if isinstance(it, PortAt | VirtualIp))
    taken = {address for it in owners for address in it.addresses if address.family is Family.IPV4}
    return max(0, (1 << Family.IPV4.bits - subnet.cidr.length) - _RESERVED - len(taken))
