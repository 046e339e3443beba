"""What agents enforce: their reports, and waiting until a revision is in force everywhere."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from ringfence.store.rows import Report, now, utc
from ringfence.store.store import Store

LOST_AFTER = timedelta(seconds=30)
"""An agent that has not reported for so long is lost: nobody waits for it."""
_OTHERS = 0.1  # seconds between two looks at what agents have told other servers
OK, FAILED, DRIFT, STOPPED = "ok", "failed", "drift", "stopped"


class Enforcement:
    """The reports of agents. For use by many threads, and by several servers on one store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._news = threading.Condition()
        self.listeners: list[Callable[[Report], None]] = []
        """Called with each report that is made here, in the thread that makes it."""

    def report(self, agent: str, revision: int, status: str, detail: str = "") -> Report:
        """Keep what an agent says of itself: ``status`` is ok, failed, drift (found, and repaired) or stopped."""
        made = Report(agent, revision, now(), status, detail)
        self._store.report(made)
        for listener in self.listeners:
            listener(made)
        with self._news:
            self._news.notify_all()
        return made

    def reports(self) -> list[Report]:
        """The last report of each agent, by name."""
        return self._store.reports()

    def alive(self) -> list[Report]:
        """Those of agents that are neither lost nor stopped: of a host that nobody looks after, nothing is known."""
        since = utc(datetime.now(UTC) - LOST_AFTER)
        return [report for report in self.reports() if report.at >= since and report.status != STOPPED]

    def in_force(self, revision: int) -> bool:
        """Whether every agent that is not lost enforces a revision; not where there is none."""
        alive = self.alive()
        return bool(alive) and all(it.revision >= revision and it.status != FAILED for it in alive)

    def wait(self, revision: int, seconds: float) -> bool:
        """Wait until a revision is in force; whether it is."""
        until = time.monotonic() + seconds
        while not self.in_force(revision):
            left = until - time.monotonic()
            if left <= 0:
                return False
            with self._news:
                self._news.wait(min(left, _OTHERS))
        return True
