"""Changes that are known as such, made in a draft: each under the action by which a request would make it alone."""

from __future__ import annotations

from collections.abc import Iterable

from ringfence.control.basic import firewall_of, require_more, require_port
from ringfence.control.draft import Draft
from ringfence.control.kinds import Verb, action_for
from ringfence.ram import actions as ram
from ringfence.ram.arn import FIREWALL_POLICY
from ringfence.resources.resource import Resource, ResourceChange
from ringfence.resources.values import PortAt


def make(draft: Draft, changes: Iterable[ResourceChange]) -> None:
    """Make changes of resources. Raises `Forbidden`."""
    for before, after in changes:
        if before and after:
            draft.put(action_for(Verb.UPDATE, before), after)
            require_more(draft, before, after)
        elif after:
            _create(draft, after)
        elif before:
            draft.remove(action_for(Verb.DELETE, before), before)


def _create(draft: Draft, made: Resource) -> None:
    draft.put(action_for(Verb.CREATE, made), made)
    if isinstance(made.value, PortAt):
        require_port(draft, made)
    if firewall_of(made.value):
        draft.require_any(ram.CREATE_FIREWALL_POLICY, FIREWALL_POLICY)
