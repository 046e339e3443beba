"""The agent: follows revisions, enforces what they change, mends drift, and reports what is in force.

Whatever happens to the server or to the agent, the kernel keeps the last policy. An agent that starts while its server
is lost enforces what it kept on disk, so that a host which boots alone is not open.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from ringfence.agent.audit import repair
from ringfence.agent.enforcer import Enforcer
from ringfence.agent.kept import Kept
from ringfence.agent.outcome import Enforced
from ringfence.agent.source import Lost, News, Source
from ringfence.control.enforcement import DRIFT, FAILED, OK
from ringfence.errors import CannotRun, RingfenceError
from ringfence.resources.edits import edits_of
from ringfence.resources.state import State

HEARTBEAT = 5.0
"""Seconds after which an agent reports even if nothing has changed."""
AUDIT = 60.0
"""Seconds between two comparisons of the kernel with what should be there."""
_AGAIN = (0.2, 0.5, 1.0, 2.0, 5.0)  # seconds until a lost server is asked again
_RETRY = 1.0  # seconds until what failed to be enforced is tried again


@dataclass(frozen=True, slots=True)
class Event:
    """Something that an agent did, for its log and metrics: ``enforced``, ``failed``, ``drift`` or ``lost``."""

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
        kept: Kept | None = None,
        audit_every: float = AUDIT,
        tell: Callable[[Event], None] = lambda event: None,
    ) -> None:
        self.name = name
        self._source, self._enforcer, self._kept, self._tell = source, enforcer, kept, tell
        self._audit_every = audit_every
        self._state: State | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"agent {name}", daemon=True)
        self.enforced = 0
        """The last revision that is in force as a whole."""
        self._reported, self._audited, self._failing = 0.0, 0.0, ""

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def stop(self) -> None:
        """Stop following; the policy stays in force."""
        self._stopping.set()
        self._thread.join(30)
        self._source.close()

    def _run(self) -> None:
        tries = 0
        while not self._stopping.is_set():
            try:
                self._follow()
                tries = 0
            except (CannotRun, OSError) as error:
                if not tries:
                    self._tell(Event("lost", self.enforced, str(error)))
                    self._fall_back()
                self._stopping.wait(_AGAIN[min(tries, len(_AGAIN) - 1)])
                tries += 1

    def _fall_back(self) -> None:
        """Enforce what was kept on disk, if nothing is enforced yet: the server cannot be asked."""
        state = self._kept.read() if self._kept and self._state is None else None
        if state:
            self._enforce(state, News(state.revision, ()), whole=True)

    def _follow(self) -> None:
        """Follow until stopped. Raises `CannotRun` where the source is lost."""
        if self._state is None or self._failing:
            self._take_snapshot()
        while not self._stopping.is_set():
            try:
                news = self._source.news(self._known, self._patience())
            except Lost:
                self._take_snapshot()
                continue
            if news:
                assert self._state
                self._enforce(self._state.after(news.revision, news.changes), news)
            elif self._failing:
                self._retry()
            self._keep_watch()

    @property
    def _known(self) -> int:
        return self._state.revision if self._state else 0

    def _patience(self) -> float:
        now = time.monotonic()
        until = min(self._reported + HEARTBEAT, self._audited + self._audit_every)
        return _RETRY if self._failing else max(0.01, until - now)

    def _take_snapshot(self) -> None:
        state = self._source.snapshot()
        self._enforce(state, News(state.revision, ()), whole=True)
        self._audited = time.monotonic()

    def _retry(self) -> None:
        assert self._state
        self._enforce(self._state, News(self._state.revision, ()))

    def _enforce(self, state: State, news: News, *, whole: bool = False) -> None:
        before, began = self._state, time.monotonic()
        edits = None if whole or before is None else edits_of(before, state, news.changes)
        idle = edits == () and before is not None and not self._failing
        try:
            done = None if idle else self._enforcer.enforce(state.world, edits)
        except RingfenceError as error:
            self._failed(state, f"{error} [{error.code}]")
            return
        self._state = state
        if done and not done.ok:
            self._failed(state, _words(done))
            return
        self._failing, self.enforced = "", state.revision
        if self._kept:
            self._kept.write(state)
        self._report(OK)
        self._tell(Event("enforced", state.revision, seconds=time.monotonic() - began))

    def _failed(self, state: State, detail: str) -> None:
        """Tell that a revision is not in force; it is tried again, from the whole."""
        if self._state is None or self._state.revision < state.revision:
            self._state = state
        if detail != self._failing:
            self._tell(Event("failed", state.revision, detail))
        self._failing = detail
        self._report(FAILED, detail)

    def _keep_watch(self) -> None:
        now = time.monotonic()
        if now - self._audited >= self._audit_every and not self._failing:
            self._audit()
        if now - self._reported >= HEARTBEAT:
            self._report(FAILED if self._failing else OK, self._failing)

    def _audit(self) -> None:
        """Compare the kernel with what should be there; what is not is mended, and told."""
        found = repair(self._enforcer)
        self._audited = time.monotonic()
        if found:
            detail = "; ".join(f"{drift.vpc}: {drift.detail}" for drift in found)
            self._tell(Event(DRIFT, self.enforced, detail))
            self._report(DRIFT if all(it.repaired for it in found) else FAILED, detail)

    def _report(self, status: str, detail: str = "") -> None:
        self._reported = time.monotonic()
        self._source.report(self.name, self.enforced, status, detail)


def _words(done: Enforced) -> str:
    failed = {name: done.vpcs[name].detail if name in done.vpcs else "still behind" for name in sorted(done.failed)}
    return "; ".join(f"VPC {name}: {detail}" for name, detail in failed.items())
