"""Revisions that wait for their confirmation: what that means for other changes (PEERS-BUGS: lock-out of the operator).

Whoever applies a change that may cut off the way to the service asks for it to be confirmed. It is taken back by itself
unless somebody confirms it in time, through a connection that was opened after it was in force.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from ringfence.control.draft import Draft
from ringfence.control.kinds import Verb, action_of
from ringfence.errors import Conflict, FieldProblem, InvalidFields
from ringfence.ram import actions as ram
from ringfence.resources.kind import IDENTITY
from ringfence.store.rows import Confirmation, utc

SHORTEST, LONGEST = 1, 3600
"""So many seconds a change may wait for its confirmation."""
BESIDE = frozenset(action_of(verb, kind).name for kind in IDENTITY for verb in Verb) | {
    *(ram.CREATE_TOKEN.name, ram.REVOKE_TOKEN.name)
}
"""Operations that no confirmation holds up: whoever is to confirm may have to log in, and a lost key to be shut."""
PENDING, NOT_PENDING = "confirm.pending", "confirm.not_pending"


def deadline(seconds: int) -> str:
    """So many seconds from now. Raises `InvalidFields`."""
    if not SHORTEST <= seconds <= LONGEST:
        what, right = f"{seconds} seconds is no time to confirm in", f"use {SHORTEST} to {LONGEST}"
        raise InvalidFields((FieldProblem("confirm", what, right, value=seconds),))
    return utc(datetime.now(UTC) + timedelta(seconds=seconds))


def awaited(draft: Draft, until: str) -> Confirmation:
    """The confirmation that a change is to wait for."""
    caller = draft.caller
    return Confirmation(draft.revision, draft.state.revision, caller.account, until, caller.connection)


def check_awaited(pending: Iterable[Confirmation], account: str, operation: str, settles: int | None) -> None:
    """Raise `Conflict` where an account's change has to wait, or the revision to settle is not to be confirmed."""
    if operation in BESIDE:
        return
    own = [it for it in pending if it.account == account]
    if settles is not None and settles not in {it.revision for it in own}:
        raise not_awaited(settles)
    for it in own:
        if it.revision != settles:
            what = f"revision {it.revision} waits for its confirmation until {it.deadline}"
            right = "confirm it through a new connection, or revert it"
            raise Conflict(what, right, reason=PENDING, field="revision", value=it.revision)


def not_awaited(revision: int) -> Conflict:
    """The refusal of what is confirmed or taken back already, or never waited."""
    what = f"revision {revision} does not wait for a confirmation"
    return Conflict(what, "it was confirmed, taken back, or never asked for one", reason=NOT_PENDING,
                    field="revision", value=revision)  # fmt: skip
