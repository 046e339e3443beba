"""What a change of the shared world leads to, worked out with an analysis that is kept, and told in names.

One analysis is kept: that of the newest world that anybody asked about. The next question, be it about that revision or
a later one, costs what differs. It is for accounts that all of the world belongs to; where others have a part in it, an
account's own world is compared, which knows nothing of theirs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any, cast

from ringfence.analysis.difference.difference import Differ, Difference
from ringfence.control.view import View
from ringfence.model.world import World

MOST_TOLD = 20_000
"""So many ends an answer names of what is newly allowed, and as many of what is newly denied, and of what is cut."""
IDLE = 300.0
"""For so many seconds an analysis is kept that nobody asks."""
MOST_KEPT = 20_000
"""Of a world of more instances none is kept: it takes some eleven kilobytes for each."""
_SAID = ("services", "family", "verdict", "hold", "stage", "left_out")
"""What an answer says without names."""


class Foresight:
    """Answers what a change would lead to. For use by many threads: they take turns, as each would slow down all."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._turn = Lock()
        self._kept: Differ | None = None
        self._revision = -1
        self._asked = 0.0

    @contextmanager
    def about(self, view: View) -> Iterator[Differ]:
        """The analysis of the world that a view is of, for one who may see all of it, during the block."""
        with self._turn:
            try:
                yield self._of(view.state.world, view.state.revision)
            finally:
                self._asked = self._clock()

    def _of(self, world: World, revision: int) -> Differ:
        if revision < self._revision or len(world.instances) > MOST_KEPT:
            return Differ(world)  # of the past, or too large: not worth to be kept
        if self._kept is None:
            self._kept = Differ(world)
        elif self._kept.before is not world:
            self._kept.follow(world)
        self._revision = revision
        return self._kept

    def told(self, before: View, after: View) -> dict[str, Any]:
        """What changes in who reaches whom from what an account sees to what it would see, for programs."""
        if not (before.is_whole and after.is_whole):
            return Differ(before.own).to(after.own).as_json(MOST_TOLD)
        with self.about(before) as differ:
            found: Difference = differ.to(after.state.world)
            return cast("dict[str, Any]", in_names(found.as_json(MOST_TOLD), before, after))

    def rest(self) -> None:
        """Give up what nobody has asked for a while. To be called now and then."""
        if self._turn.acquire(blocking=False):
            if self._clock() - self._asked > IDLE:
                self._kept, self._revision = None, -1
            self._turn.release()


def in_names(told: Any, before: View, after: View) -> Any:
    """An answer in ids as one in the names of what there is after, or was before."""
    if not (before.is_renamed or after.is_renamed):
        return told
    if isinstance(told, dict):
        return {key: it if key in _SAID else in_names(it, before, after) for key, it in told.items()}
    if isinstance(told, list):
        return [in_names(it, before, after) for it in told]
    return after.naming.words(told, before.naming) if isinstance(told, str) else told
