"""Who can reach whom, asked and told in an account's names, judged by all that is on the way.

Of what other accounts have in the same or in peered VPCs it is told that it reaches something of the asker's, and is
reached from there: as one end without a name. What passes between others is not told.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import cached_property
from threading import Lock

from ringfence.analysis.reach.answer import Answer
from ringfence.analysis.reach.names import INTERNET
from ringfence.analysis.reach.reach import Reach
from ringfence.analysis.reach.telling import answer
from ringfence.control.view import View
from ringfence.errors import NotationError
from ringfence.model.address import Address
from ringfence.model.service import Service
from ringfence.resources.state import State

MOST = 200_000
"""So many ends an answer may name, each as often as it comes: some ten megabytes."""
_KEPT = 4
"""So many accounts' worlds at a revision are kept with what was worked out about them."""


class Reachability:
    """Answers for one account at one state, one question after the other: each leaves something over for the next."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._lock = Lock()

    def answer(self, source: str, destination: str, service: Service | None) -> Answer:
        """Who reaches whom. Raises `UnknownName`, `NotationError`, and `InvalidInput` where it is too much to tell."""
        with self._lock:
            for name in (source, destination):
                self._check(name)
            mine = None if self._view.is_alone else self._view.is_mine
            return answer(self._reach, source, destination, service, mine=mine, most=MOST)

    def _check(self, name: str) -> None:
        """Refuse what the account has no name for, as if there was no such thing."""
        own = self._view.said
        if name in ("", INTERNET) or name in own.groups or name in own.instances:
            return
        try:
            Address.parse(name)
        except NotationError:
            own.resolve(name)

    @cached_property
    def _reach(self) -> Reach:
        return Reach(self._view.named)


class Reaching:
    """Keeps the last few accounts' reachability, so that repeated questions cost little."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[int, str], Reachability] = OrderedDict()
        self._lock = Lock()

    def of(self, revision: int, account: str, state: Callable[[], State]) -> Reachability:
        """The reachability of an account at a revision; ``state`` gives the state, where it is not kept."""
        key = revision, account
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        made = Reachability(View(state(), account))
        with self._lock:
            found = self._kept.setdefault(key, made)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return found
