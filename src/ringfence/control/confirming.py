"""Commit-confirm: who applied a change that may have cut them off gets the old state back, unless they come again.

A kept connection proves nothing, for the kernel lets it live on: what confirms has to come through a connection that
was opened after the change was in force (PEERS-BUGS: calico#968). `Confirming` takes back what nobody confirmed, also
what fell due while no server ran; with several servers on one store it happens once.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime

from ringfence.control.awaiting import NOT_PENDING, not_awaited
from ringfence.control.caller import Caller
from ringfence.control.checks import service_of
from ringfence.control.control import Control
from ringfence.control.reverting import changes_of, revert, revision_of
from ringfence.errors import Conflict, RingfenceError
from ringfence.ram import actions as ram
from ringfence.ram.arn import REVISION
from ringfence.store.rows import Confirmation, now

SAME_CONNECTION, OLD_CONNECTION, NOT_ENFORCED = (
    "confirm.same_connection",
    "confirm.old_connection",
    "confirm.not_enforced",
)
REVERTER = "confirm-timer"
"""The source of changes that were made because nobody confirmed, as the audit tells it."""
_LOOK = 0.2  # seconds between two looks at what is awaited: other servers write there, too
_RETRY, _LONGEST_RETRY = 1.0, 300.0  # seconds after which a revert that failed is tried again, doubled each time

_log = logging.getLogger(__name__)


class Confirming:
    """Confirms revisions, and takes back those that nobody confirmed in time. For use by many threads."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._enforced: dict[int, float] = {}
        self._failed: dict[int, str] = {}
        self._again: dict[int, tuple[float, float]] = {}

    # --- for those who ask

    @property
    def failures(self) -> Mapping[int, str]:
        """Revisions that nobody confirmed and that could not be taken back so far, and why: somebody has to look."""
        return dict(self._failed)

    def pending(self, account: str) -> list[Confirmation]:
        """What an account has still to confirm."""
        return [it for it in self._control.store.confirmations() if it.account == account]

    def confirm(self, caller: Caller, revision: int, *, dry_run: bool = False) -> None:
        """Confirm a revision of the caller's account. Raises `Conflict` with a code that says why not, `Forbidden`."""
        with self._control.change(caller, ram.CONFIRM_CHANGES.name, dry_run=dry_run, settles=revision) as draft:
            draft.require_any(ram.CONFIRM_CHANGES, REVISION)
            awaited = next((it for it in self._control.store.confirmations() if it.revision == revision), None)
            if awaited is None:
                raise not_awaited(revision)
            self._check_connection(caller, awaited)
        self._forget(revision)

    def _check_connection(self, caller: Caller, awaited: Confirmation) -> None:
        if caller.connection == awaited.applied_by:
            what = (
                "this is the connection by which the change was applied: it would live on whatever the change cuts off"
            )
            raise _no(SAME_CONNECTION, what, "open a new one and confirm through that", awaited)
        since = self._in_force_since(awaited)
        if since is None:
            raise _no(NOT_ENFORCED, "the change is not in force everywhere yet", "try again through a new one", awaited)
        if not caller.connection or caller.connected <= since:
            what = "this connection was opened before the change was in force"
            raise _no(OLD_CONNECTION, what, "open a new one and confirm through that", awaited)

    def _in_force_since(self, awaited: Confirmation) -> float | None:
        """When a revision was in force at the latest, in Unix seconds; None if it is not, where agents enforce."""
        self._note_enforced(awaited.revision)
        if awaited.revision in self._enforced:
            return self._enforced[awaited.revision]
        if self._control.enforcement.alive():
            return None
        return _seconds(revision_of(self._control.store, awaited.revision).at)

    def _note_enforced(self, revision: int) -> None:
        """Keep when agents told for the first time that they enforce a revision, as their next report overwrites it."""
        enforcement = self._control.enforcement
        if revision not in self._enforced and enforcement.in_force(revision):
            self._enforced[revision] = max(_seconds(it.at) for it in enforcement.alive())

    # --- the timer

    def start(self) -> None:
        """Take back what fell due while nobody looked, then look again and again, in a thread."""
        self.look()
        self._thread = threading.Thread(target=self._run, name="confirming", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stopping.set()
        if self._thread:
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(_LOOK):
            self.look()

    def look(self) -> None:
        """Take back what is due now."""
        try:
            for awaited in self._control.store.confirmations():
                self._note_enforced(awaited.revision)
                if awaited.deadline <= now() and self._again.get(awaited.revision, (0.0, 0.0))[0] <= time.monotonic():
                    self._take_back(awaited)
        except RingfenceError as error:  # the store is gone for now: everything stays awaited
            _log.error("cannot look for what is to be confirmed: %s", error)

    def _take_back(self, awaited: Confirmation) -> None:
        number = awaited.revision
        try:
            revision = revision_of(self._control.store, number)
            services = {service_of(it) for change in changes_of(revision.versions) for it in change if it} - {""}
            caller = Caller(
                awaited.account, operator=True, source=REVERTER, request_id=f"revert-{number}",
                service=next(iter(services), ""),
            )  # fmt: skip
            with self._control.change(caller, "RevertUnconfirmed", settles=number) as draft:
                revert(draft, revision)
        except Conflict as error:
            if error.reason != NOT_PENDING:  # another server was faster, or somebody confirmed just now
                self._has_failed(number, error)
                return
        except Exception as error:
            self._has_failed(number, error)
            return
        else:
            _log.warning("revision %d was not confirmed by %s and was taken back", number, awaited.deadline)
        self._forget(number)

    def _has_failed(self, number: int, error: Exception) -> None:
        unforeseen = None if isinstance(error, RingfenceError) else error
        _log.error(
            "revision %d was not confirmed and CANNOT BE TAKEN BACK: %s. The account cannot change anything until "
            "somebody confirms or reverts it",
            number,
            error,
            exc_info=unforeseen,
        )
        self._failed[number] = str(error) or type(error).__name__
        wait = min(_LONGEST_RETRY, 2 * self._again.get(number, (0.0, _RETRY / 2))[1])
        self._again[number] = (time.monotonic() + wait, wait)

    def _forget(self, revision: int) -> None:
        for kept in (self._enforced, self._failed, self._again):
            kept.pop(revision, None)


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).astimezone(UTC).timestamp()


def _no(reason: str, what: str, right: str, awaited: Confirmation) -> Conflict:
    right = f"{right}, until {awaited.deadline}"
    return Conflict(what, right, reason=reason, field="revision", value=awaited.revision)
