"""Changes that are known as such, made in a draft: each under the action by which a request would make it alone."""

from __future__ import annotations

from collections.abc import Iterable

from ringfence.control.besides import require_more, require_new
from ringfence.control.draft import Draft
from ringfence.control.kinds import Verb, action_for
from ringfence.resources.resource import ResourceChange


def make(draft: Draft, changes: Iterable[ResourceChange]) -> None:
    """Make changes of resources. Raises `Forbidden`."""
    for before, after in changes:
        if before and after:
            draft.put(action_for(Verb.UPDATE, before), after)
            require_more(draft, before, after)
        elif after:
            draft.put(action_for(Verb.CREATE, after), after)
            require_new(draft, after)
        elif before:
            draft.remove(action_for(Verb.DELETE, before), before)
