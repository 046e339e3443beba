"""What every change by the API has in common: dry runs, idempotency keys, preconditions, and waiting for the kernel."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

from ringfence.api.call import Answer, Call
from ringfence.api.foreseeing import foreseen
from ringfence.control.control import Answered, Once
from ringfence.control.draft import Draft
from ringfence.errors import Conflict, FieldProblem, InvalidFields
from ringfence.resources.resource import Resource, Text

Work = Callable[[Draft], dict[str, Any]]
"""Makes the change in a draft, and gives what to tell of it."""


def change(
    call: Call, operation: str, work: Work, status: int = 200, *, dry_run: bool = False, settles: int | None = None
) -> Answer:
    """Make a change and tell it: what ``work`` tells, the revision, and whether it is enforced.

    A dry run tells what the change would lead to as well. ``settles`` as of `Control.change`.
    """
    dry_run = call.flag("dry_run") or dry_run
    if_revision = call.number("if_revision", 0, 0, 2**53) if "if_revision" in call.query else None
    once = _once(call, operation)
    try:
        with call.control.change(
            call.caller, operation, dry_run=dry_run, if_match=if_revision, once=once, settles=settles
        ) as draft:
            told = work(draft) | {"revision": draft.revision, "dry_run": dry_run}
            answered = 200 if dry_run else status
            if once and not dry_run:
                draft.answer = (answered, Text.around(told))
    except Answered as before:
        told, answered = json.loads(before.body), before.status
    else:
        if dry_run:
            told |= foreseen(call, draft) | told
    return Answer(told | _enforced(call, told), answered, {"x-ringfence-revision": str(told["revision"])})


def _once(call: Call, operation: str) -> Once | None:
    key = call.headers.get("idempotency-key")
    if key is None:
        return None
    if not 1 <= len(key) <= 128 or not key.isprintable():
        what = f"{key!r} is no idempotency key"
        raise InvalidFields((FieldProblem("Idempotency-Key", what, "use 1 to 128 characters", value=key),))
    said = repr((operation, call.caller.user, sorted(call.path.items()), sorted(call.query.multi_items())))
    return Once(key, hashlib.sha256(said.encode("utf-8", "surrogatepass") + b"\n" + call.raw).hexdigest())


def _enforced(call: Call, told: dict[str, Any]) -> dict[str, Any]:
    """Whether the revision is in force everywhere, where the request says that it wants to ``wait`` for it."""
    seconds = call.number("wait", 0, 0, 60)
    if "wait" not in call.query or told["dry_run"]:
        return {}
    return {"enforced": call.control.enforcement.wait(told["revision"], seconds)}


def etag(resource: Resource) -> str:
    """What changes whenever a resource does."""
    return f'"{hashlib.sha256(resource.text().encode()).hexdigest()[:32]}"'


def check_match(call: Call, resource: Resource) -> None:
    """Raise `Conflict` if the request is about another version of a resource than there is."""
    wanted = call.headers.get("if-match")
    if wanted not in (None, "*", etag(resource)):
        raise Conflict(
            f"{resource.key} has changed since: its ETag is {etag(resource)}",
            "look again, and repeat the request if it still holds",
            reason="revision.mismatch",
            field="If-Match",
            value=wanted,
        )
