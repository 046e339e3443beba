"""The service itself: the state as of the newest revision, and changes to it, one after the other."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from ringfence import garbage
from ringfence.control.acl_policies import follow
from ringfence.control.authority import REGION, Authority
from ringfence.control.awaiting import awaited, check_awaited
from ringfence.control.caller import Caller
from ringfence.control.checks import check
from ringfence.control.draft import Allowed, Draft
from ringfence.control.enforcement import Enforcement
from ringfence.control.group import Group, Step
from ringfence.errors import Conflict, Forbidden, RingfenceError
from ringfence.ram.actions import Action
from ringfence.resources.forms import FORMS
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource, ResourceChange
from ringfence.resources.state import State
from ringfence.store.rows import AuditEntry, AuditFilter, IdempotentAnswer, Revision, Row, Version, now
from ringfence.store.store import Store

_SECRETIVE = frozenset(kind.value for kind, form in FORMS.items() if form.is_secretive)
KEPT_CHANGES = 1024
"""So many of the last revisions are kept in memory for those who follow."""


@dataclass(frozen=True, slots=True)
class Once:
    """A request that may come several times and is done once: its key, and what it says in short."""

    key: str
    fingerprint: str


class Answered(Exception):
    """The request was done before: this was the answer."""

    def __init__(self, status: int, body: str) -> None:
        super().__init__(status)
        self.status, self.body = status, body


class Control:
    """Holds the newest state and makes revisions. For use by many threads.

    Other processes may write to the same store: `refresh` takes in what they did, and every change begins with it.
    ``region`` is where everything is, as ARNs name it.
    """

    def __init__(self, store: Store, region: str = REGION) -> None:
        self.store = store
        self.region = region
        self.authority = Authority(self._judged_by, region)
        self.enforcement = Enforcement(store)
        self._turn = threading.Lock()  # of who makes a change
        self._making = 0  # the thread that has the turn
        self._coming: deque[Caller] = deque()  # who wants the turn
        self._group: Group | None = None  # that the next change may join
        self._news = threading.Condition()
        self._steps: list[Step] = []
        self._listeners: list[Callable[[Step], None]] = []
        self.refusals: list[Callable[[str], None]] = []
        """Called with the code of each refusal, in the thread that is refused."""
        number, rows = store.load()
        with garbage.paused():
            self._state = State.of(number, (Resource.parse(row.body) for row in rows))
        self._tip = self._state  # with the changes that are not durable yet

    @property
    def state(self) -> State:
        """The newest state that this process knows. It never changes, so nobody need lock it."""
        return self._state

    def as_of(self, revision: int) -> State:
        """The state at a revision of the past. Raises `UnknownRevision`."""
        if revision == self._state.revision:
            return self._state
        number, rows = self.store.load(revision)
        return State.of(number, (Resource.parse(row.body) for row in rows))

    @contextmanager
    def change(
        self,
        caller: Caller,
        operation: str,
        *,
        dry_run: bool = False,
        if_match: int | None = None,
        once: Once | None = None,
        settles: int | None = None,
    ) -> Iterator[Draft]:
        """Make a change: what the block puts into the draft is one revision when it ends, or nothing at all.

        ``if_match``: the revision that the caller has seen; `Conflict` if there is a newer one. ``once``: raises
        `Answered` if the request was done before; the block leaves its answer in the draft. ``settles``: the revision
        that waits for its confirmation until now; while one does, the account's other changes are refused, but for
        those of accounts, users, keys and policies. Raises what the block raises, `InvalidFields`, and every `Refused`;
        each refusal is in the audit.
        """
        try:
            answered = None
            with self._joined(caller) as group:
                try:
                    yield from self._made(group, caller, operation, dry_run, if_match, once, settles)
                except Answered as before:
                    answered = before
                    group.use()
            group.wait()
            if answered:
                raise answered
        except RingfenceError as error:
            self.refused(caller, operation, error)
            raise

    def _made(
        self,
        group: Group,
        caller: Caller,
        operation: str,
        dry_run: bool,
        if_match: int | None,
        once: Once | None,
        settles: int | None,
    ) -> Iterator[Draft]:
        """Have a change made, and write it into a group."""
        writer, before = group.writer, self._tip
        if once:
            _repeat(writer.answer(caller.account, once.key), once)
        if if_match is not None and if_match != before.revision:
            raise _moved_on(before.revision, if_match)
        check_awaited(writer.confirmations(), caller.account, operation, settles)
        draft = Draft(before, caller, self.authority, now())
        yield draft
        follow(draft)
        self._refuse_used(draft.changes)
        changes = () if dry_run else draft.changes
        after = before.after(draft.revision, draft.changes)
        check(before, after, draft.changes, caller, draft.places)
        revision = _revision(draft, operation, changes) if changes else None
        entries = _audit(draft, f"{operation} (dry run)" if dry_run else operation, revision)
        group.use()
        try:
            if settles is not None and not dry_run:
                writer.settle(settles)
            if revision and draft.confirm_until:
                writer.await_confirmation(awaited(draft, draft.confirm_until))
            writer.add(revision, entries, None if dry_run else _answer(caller, once, draft))
        except BaseException as error:
            self._give_up(group, error)
            raise
        if revision:
            group.steps.append(Step(before, after, changes, revision))
            self._tip = after

    def _refuse_used(self, changes: Iterable[ResourceChange]) -> None:
        """Raise `Conflict` where a new account would have the id, and so the history, of one that is gone."""
        new = (after.id for before, after in changes if after and not before and after.kind is Kind.ACCOUNT)
        for id_ in new:
            if self.store.find_audit(AuditFilter(account=id_), limit=1):
                what = f"an account that is gone was called {id_!r}, and its history would be the new one's"
                raise Conflict(what, "choose another name", reason="account.used", field="name", value=id_)

    @contextmanager
    def _joined(self, caller: Caller) -> Iterator[Group]:
        """The turn to make a change, in the group of those who came at the same time."""
        self._coming.append(caller)
        with self._turn:
            self._coming.pop()
            group = self._group = self._group or self._begun()
            group.joined += 1
            self._making = threading.get_ident()
            try:
                yield group
            finally:
                self._making = 0
                self._leave(group)

    def _judged_by(self) -> State:
        """What callers are judged by: who makes a change, by what came before it; all others by what is durable."""
        return self._tip if self._making == threading.get_ident() else self._state

    def _begun(self) -> Group:
        """A group that begins with what everybody has written so far."""
        group = Group(self.store)
        try:
            self._take_in(group.writer.missed(self._state.revision))
        except BaseException:
            group.give_up()
            raise
        self._tip = self._state
        return group

    def _give_up(self, group: Group, error: BaseException | None = None) -> None:
        """Lose a group; who has a change in it is told why."""
        group.give_up(error)
        self._group, self._tip = None, self._state

    def _leave(self, group: Group) -> None:
        """Leave the group to those who want the turn; who finds nobody coming makes it durable, for all in it."""
        if group.over:
            return
        if not group.used:
            self._give_up(group)
        elif not (self._coming and group.has_room):
            self._group = None
            group.commit(self._advance)

    @contextmanager
    def asked(self, caller: Caller, operation: str, actions: Sequence[Action]) -> Iterator[None]:
        """Let a caller ask for something in the block, if they may do any of some actions on anything at all.

        Everybody may ask where no action is named. A refusal is in the audit, of what is only looked at, too.
        """
        try:
            if actions:
                self.authority.require_conceivable(caller, actions)
            yield
        except Forbidden as error:
            self.refused(caller, operation, error)
            raise

    def refused(self, caller: Caller, operation: str, error: RingfenceError) -> None:
        """Have the audit tell of a refusal, once."""
        if error.recorded:
            return
        error.recorded = True
        action, resource = getattr(error, "action", ""), getattr(error, "arn", "")
        code = getattr(error, "reason", error.code)
        entry = AuditEntry(
            now(),
            caller.account,
            caller.user,
            caller.key_id,
            caller.source,
            operation,
            action,
            resource,
            False,
            code,
            caller.request_id,
        )
        self.store.audit([entry])
        for listener in self.refusals:
            listener(code)

    def refresh(self) -> State:
        """Take in what other processes have written."""
        if self.store.head() > self._state.revision:
            self._take_in(self.store.revisions(self._state.revision))
        return self._state

    def _take_in(self, revisions: Sequence[Revision]) -> None:
        """Make revisions known that others have written; somebody else may be doing so as well."""
        for revision in revisions:
            before = self._state
            if revision.number == before.revision + 1:
                changes = tuple(change_of(version) for version in revision.versions)
                self._advance(Step(before, before.after(revision.number, changes), changes, revision))

    def _advance(self, step: Step) -> None:
        """Make a revision known, if it is not yet: whoever sees it first does."""
        with self._news:
            if step.revision.number != self._state.revision + 1:
                return
            self._state = step.after
            self._steps.append(step)
            del self._steps[:-KEPT_CHANGES]
            self._news.notify_all()
        for listener in tuple(self._listeners):
            listener(step)

    # --- for those who follow

    def listen(self, listener: Callable[[Step], None]) -> Callable[[], None]:
        """Have a function called after each revision, in the thread that made it; gives what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def steps(self, after: int) -> list[Step] | None:
        """The revisions after one, as far as they are known here; None if some are older than what is kept."""
        with self._news:
            found = [step for step in self._steps if step.revision.number > after]
            complete = len(found) == self._state.revision - after
        return found if complete else None

    def past(self, after: int) -> list[tuple[Revision, tuple[ResourceChange, ...]]]:
        """Some of the revisions after one, from the store. Raises `UnknownRevision` if they are kept no longer."""
        found = self.store.revisions(after)
        return [(revision, tuple(map(change_of, revision.versions))) for revision in found]

    def wait(self, after: int, timeout: float) -> bool:
        """Wait until there is a revision after one; whether there is."""
        with self._news:
            return self._news.wait_for(lambda: self._state.revision > after, timeout)


def _repeat(known: IdempotentAnswer | None, once: Once) -> None:
    if known is None:
        return
    if known.fingerprint != once.fingerprint:
        raise Conflict(
            "the idempotency key was used for another request",
            "take a new key for each request",
            reason="idempotency.mismatch",
            field="Idempotency-Key",
            value=once.key,
        )
    raise Answered(known.status, known.body)


def _moved_on(revision: int, seen: int) -> Conflict:
    what = f"the newest revision is {revision}, and the request is about {seen}"
    return Conflict(
        what,
        "look again, and repeat the request if it still holds",
        reason="revision.mismatch",
        field="If-Match",
        value=seen,
    )


def _row(draft: Draft, resource: Resource | None) -> Row | None:
    return Row(str(resource.kind), resource.id, resource.account, draft.text(resource)) if resource else None


def change_of(version: Version) -> ResourceChange:
    """What a stored version did, as a change of a resource."""
    before, after = (Resource.parse(row.body) if row else None for row in (version.before, version.after))
    return ResourceChange(before, after)


def _revision(draft: Draft, operation: str, changes: tuple[ResourceChange, ...]) -> Revision:
    caller = draft.caller
    versions = tuple([Version(_row(draft, before), _row(draft, after)) for before, after in changes])
    return Revision(draft.revision, draft.at, caller.account, caller.user, operation, caller.request_id, versions)


def _answer(caller: Caller, once: Once | None, draft: Draft) -> IdempotentAnswer | None:
    if once is None or draft.answer is None:
        return None
    return IdempotentAnswer(caller.account, once.key, once.fingerprint, *draft.answer, draft.at)


def _shown(row: Row) -> str:
    """What may be told of a resource, as JSON; a body without secrets is told as it is."""
    return Resource.parse(row.body).shown_text() if row.kind in _SECRETIVE else row.body


def _told_after(allowed: Allowed, afters: list[str]) -> str | None:
    """What was left behind, and before that what the caller said to it."""
    told = [allowed.said, *afters] if allowed.said else afters
    return f"[{','.join(told)}]" if told else None


def _audit(draft: Draft, operation: str, revision: Revision | None) -> list[AuditEntry]:
    """One entry for each action on a resource; what a revision did is told with the first."""
    caller = draft.caller
    number = revision.number if revision else None
    befores = [_shown(version.before) for version in revision.versions if version.before] if revision else []
    afters = [_shown(version.after) for version in revision.versions if version.after] if revision else []
    return [
        AuditEntry(
            draft.at,
            caller.account,
            caller.user,
            caller.key_id,
            caller.source,
            operation,
            it.action.name,
            it.resource,
            True,
            "",
            caller.request_id,
            number,
            f"[{','.join(befores)}]" if befores and not index else None,
            _told_after(it, [] if index else afters),
        )
        for index, it in enumerate(draft.allowed.values())
    ]
