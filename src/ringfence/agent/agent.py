"""The agent: follows revisions, enforces what they change, mends drift, and reports what is in force.

Whatever happens to the server or to the agent, the kernel keeps the last policy. An agent that starts while its server
is lost enforces what it kept on disk, so that a host which boots alone is not open; while it is lost, the agent goes on
looking after the kernel and after namespaces that come late.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from ringfence.agent.audit import repair
from ringfence.agent.enforcer import Enforcer
from ringfence.agent.kept import KeptFile
from ringfence.agent.outcome import Enforced, code_of, words_of
from ringfence.agent.source import Lost, News, Snapshot, Source
from ringfence.control.enforcement import DRIFT, FAILED, OK, STOPPED
from ringfence.errors import CannotRun, RingfenceError
from ringfence.resources.edits import edits_of
from ringfence.resources.state import State

_NAMED = 20  # VPCs in one line
HEARTBEAT = 5.0
"""Seconds after which an agent reports even if nothing has changed."""
AUDIT = 60.0
"""Seconds between two comparisons of the kernel with what should be there."""
_AGAIN = (0.2, 0.5, 1.0, 2.0, 5.0)  # seconds until a lost server is asked again
_LOOK = 1.0  # seconds between two looks for namespaces that have come, and tries of what failed


@dataclass(frozen=True, slots=True)
class Event:
    """Something that an agent did, for its log and metrics.

    ``name``: ``enforced`` and ``failed`` a revision, found and mended ``drift``, ``lost`` the server or is
    ``following`` it again, could not keep what it enforces on disk (``not_kept``).
    """

    name: str
    revision: int
    detail: str = ""
    seconds: float = 0.0


class Agent:
    """Follows a source in a thread of its own. ``tell`` hears what it does."""

    def __init__(
        self,
        name: str,
        source: Source,
        enforcer: Enforcer,
        *,
        kept: KeptFile | None = None,
        audit_every: float = AUDIT,
        tell: Callable[[Event], None] = lambda event: None,
    ) -> None:
        self.name = name
        self._source, self._enforcer, self._kept, self._tell = source, enforcer, kept, tell
        self._audit_every = max(audit_every, _LOOK)
        self._state: State | None = None
        self._store = ""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"agent {name}", daemon=True)
        self.enforced = 0
        """The last revision that is in force as a whole."""
        self._reported = self._audited = self._looked = 0.0
        self._failing = ""
        self._lost: str | None = None
        self._confused = False
        self._missed = False  # the enforcer does not know that state: single edits of it would lead nowhere

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def stop(self) -> None:
        """Stop following; the policy stays in force."""
        self._stopping.set()
        self._thread.join(30)
        if self._kept:
            self._kept.close()
        self._source.close()

    # --- following

    def _run(self) -> None:
        tries = 0
        while not self._stopping.is_set():
            try:
                self._follow()
            except Exception as error:  # told; the policy stays in force whatever is wrong with the server, or with us
                tries = tries + 1 if self._lost is not None else 0
                self._lose(error)
                self._wait(_AGAIN[min(tries, len(_AGAIN) - 1)])
        if self._lost is None:
            self._take_leave()

    def _lose(self, error: Exception) -> None:
        """What is to be done when the server cannot be followed."""
        self._confused = self._confused or not isinstance(error, RingfenceError | OSError)
        code = getattr(error, "reason", code_of(error))
        if code != self._lost:
            self._tell(Event("lost", self.enforced, f"{words_of(error)} [{code}]"))
        self._lost = code
        if self._state is None and self._kept:
            self._fall_back(self._kept)

    def _fall_back(self, kept: KeptFile) -> None:
        """Enforce what was kept on disk, as nothing is enforced yet and the server cannot be asked."""
        try:
            snapshot = kept.read()
        except CannotRun as error:
            self._fail(0, f"{error} [{error.code}]")
            return
        if snapshot:
            self._begin(snapshot)

    def _wait(self, seconds: float) -> None:
        """Wait for the server to come back, and look after the kernel meanwhile."""
        until = time.monotonic() + seconds
        while not self._stopping.wait(max(0.0, min(_LOOK, until - time.monotonic()))):
            try:
                self._look_after()
            except Exception as error:  # as in `_run`
                self._tell(Event("failed", self.enforced, words_of(error)))
            if time.monotonic() >= until:
                return

    def _follow(self) -> None:
        """Follow until stopped. Raises whatever keeps it from that."""
        if self._state is None or self._confused:
            self._begin(self._accepted(self._source.snapshot()))
            self._confused = False
        self._report_again()
        while not self._stopping.is_set():
            try:
                news = self._source.news(self._store, self._known, self._patience())
            except Lost:
                self._begin(self._accepted(self._source.snapshot()))
                continue
            if news:
                self._take(news)
            self._look_after()
            if time.monotonic() - self._reported >= HEARTBEAT:
                self._report_again()

    def _take_leave(self) -> None:
        try:
            self._report(STOPPED)
        except (RingfenceError, OSError) as error:
            self._tell(Event("lost", self.enforced, str(error)))

    @property
    def _known(self) -> int:
        return self._state.revision if self._state else 0

    def _patience(self) -> float:
        now = time.monotonic()
        until = min(self._reported + HEARTBEAT, self._audited + self._audit_every, self._looked + _LOOK)
        return max(0.01, until - now)

    def _accepted(self, snapshot: Snapshot) -> Snapshot:
        """A snapshot, if it is of the store that was followed before: of another one, nothing is enforced."""
        kept = self._remembered()
        if kept in (None, "", snapshot.store):
            return snapshot
        what = f"the server has another store ({snapshot.store}) than the one that is enforced ({kept})"
        file = f"stop the agent, remove {self._kept.path}, and start it again" if self._kept else "start the agent anew"
        raise CannotRun(f"{what}; name the right server, or, if the store was made anew, {file}")

    def _remembered(self) -> str | None:
        """The store that was followed before, by this process or by one before it."""
        if self._state is not None or self._kept is None:
            return self._store
        try:
            kept = self._kept.read()
        except CannotRun as error:  # the server is there, and says all that the file should have
            self._tell(Event("not_kept", self.enforced, str(error)))
            return None
        return kept.store if kept else None

    # --- enforcing

    def _begin(self, snapshot: Snapshot) -> None:
        """Enforce a whole state."""
        self._store = snapshot.store
        self._keep(lambda kept: kept.begin(snapshot))
        self._enforce(snapshot.state, News(snapshot.state.revision, ()), whole=True)
        self._audited = time.monotonic()

    def _take(self, news: News) -> None:
        """Enforce what has changed."""
        assert self._state
        after = self._state.after(news.revision, news.changes)
        self._keep(lambda kept: kept.add(news))
        self._enforce(after, news)

    def _enforce(self, state: State, news: News, *, whole: bool = False) -> None:
        before, began = self._state, time.monotonic()
        edits = None if whole or before is None or self._missed else edits_of(before, state, news.changes)
        idle = edits == () and before is not None and not self._failing
        try:
            done = None if idle else self._enforcer.enforce(state.world, edits)
        except RingfenceError as error:
            self._state, self._missed = state, True
            self._fail(state.revision, f"{error} [{error.code}]")
        else:
            self._state, self._missed = state, False
            self._settle(state.revision, done, time.monotonic() - began)

    def _settle(self, revision: int, done: Enforced | None, seconds: float) -> None:
        if done and not done.ok:
            self._fail(revision, _words(done))
            return
        self._failing, self.enforced = "", revision
        self._tell(Event("enforced", revision, seconds=seconds))
        self._report_if_followed(OK, self._absent())

    def _fail(self, revision: int, detail: str) -> None:
        """Tell that a revision is not in force; it is tried again."""
        if detail != self._failing:
            self._tell(Event("failed", revision, detail))
        self._failing = detail
        self._report_if_followed(FAILED, detail)

    # --- looking after what is enforced

    def _look_after(self) -> None:
        """Try again what failed, take in namespaces that have come, mend drift, have the disk keep what is enforced."""
        now = time.monotonic()
        if self._state is None or now - self._looked < _LOOK:
            return
        self._looked = now
        if self._failing or self._enforcer.arrived():
            self._again()
        elif now - self._audited >= self._audit_every:
            self._audit()
        self._keep(self._tidied)

    def _again(self) -> None:
        assert self._state
        self._failing = self._failing or "a network namespace has come"
        self._enforce(self._state, News(self._state.revision, ()))

    def _tidied(self, kept: KeptFile) -> None:
        assert self._state
        kept.flush()
        if kept.is_long:
            kept.begin(Snapshot(self._store, self._state))

    def _audit(self) -> None:
        """Compare the kernel with what should be there; what is not is mended, and told."""
        found = repair(self._enforcer)
        self._audited = time.monotonic()
        if found:
            detail = "; ".join(f"{drift.vpc}: {drift.detail}" for drift in found)
            self._tell(Event(DRIFT, self.enforced, detail))
            self._report_if_followed(DRIFT if all(it.repaired for it in found) else FAILED, detail)

    def _keep(self, how: Callable[[KeptFile], None]) -> None:
        """Keep something on disk. Where that fails nothing is kept: what is older than the kernel is worse."""
        if self._kept is None:
            return
        try:
            how(self._kept)
        except OSError as error:
            self._tell(Event("not_kept", self.enforced, f"{self._kept.path}: {error.strerror}"))
            self._kept.forget()

    # --- reporting

    def _report_again(self) -> None:
        """Report as it is. That the server takes it says that it is there."""
        self._report(FAILED if self._failing else OK, self._failing or self._absent())
        if self._lost is not None:
            self._tell(Event("following", self.enforced))
        self._lost = None

    def _absent(self) -> str:
        """What is not in force here though nothing failed, in words: VPCs that have no namespace on this host."""
        names = sorted(self._enforcer.absent)
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        return f"no network namespace here for VPC {', '.join(names[:_NAMED])}{more}" if names else ""

    def _report_if_followed(self, status: str, detail: str = "") -> None:
        if self._lost is None:
            self._report(status, detail)

    def _report(self, status: str, detail: str = "") -> None:
        self._reported = time.monotonic()
        self._source.report(self.name, self.enforced, status, detail)


def _words(done: Enforced) -> str:
    failed = {name: done.vpcs[name].detail if name in done.vpcs else "still behind" for name in sorted(done.failed)}
    return "; ".join(f"VPC {name}: {detail}" for name, detail in failed.items())
