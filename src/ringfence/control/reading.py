"""Looking at resources: only what the caller's account has, and the policies let the caller see."""

from __future__ import annotations

from ringfence.control.caller import Caller
from ringfence.control.control import Control
from ringfence.control.draft import not_found
from ringfence.control.kinds import Verb, action_for, action_of
from ringfence.errors import NotFound
from ringfence.ram.actions import Action
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource
from ringfence.resources.state import State


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
