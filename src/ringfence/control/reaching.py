"""Who can reach whom, asked and told in an account's names, judged by all that is on the way.

Of what other accounts have in the same or in peered VPCs it is told that it reaches something of the asker's, and is
reached from there: as one end without a name. What passes between others is not told.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from threading import Lock

from ringfence.analysis.reach.answer import Answer
from ringfence.analysis.reach.names import INTERNET
from ringfence.analysis.reach.reach import Reach
from ringfence.analysis.reach.telling import answer
from ringfence.control.exporting import visible_world, world_of
from ringfence.control.naming import Naming
from ringfence.errors import NotationError
from ringfence.model.address import Address
from ringfence.model.renaming import renamed
from ringfence.model.service import Service
from ringfence.model.topology import Port
from ringfence.model.world import World
from ringfence.resources.kind import SECTIONS, Kind
from ringfence.resources.state import State

MOST = 200_000
"""So many ends an answer may name, each as often as it comes: some ten megabytes."""
_KEPT = 4
"""So many accounts' worlds at a revision are kept with what was worked out about them."""
_NAMED = (Kind.VPC, Kind.GROUP, Kind.INSTANCE, Kind.VIRTUAL_IP, Kind.OUTSIDE_HOST)
_ENDS = frozenset({Kind.INSTANCE, Kind.VIRTUAL_IP, Kind.OUTSIDE_HOST})


class Reachability:
    """Answers for one account at one state, one question after the other: each leaves something over for the next."""

    def __init__(self, state: State, account: str) -> None:
        self._state, self._account = state, account
        self._lock = Lock()

    def answer(self, source: str, destination: str, service: Service | None) -> Answer:
        """Who reaches whom. Raises `UnknownName`, `NotationError`, and `InvalidInput` where it is too much to tell."""
        with self._lock:
            for name in (source, destination):
                self._check(name)
            mine = None if self._is_alone else self._is_mine
            return answer(self._reach, source, destination, service, mine=mine, most=MOST)

    def _check(self, name: str) -> None:
        """Refuse what the account has no name for, as if there was no such thing."""
        if name in ("", INTERNET) or name in self._own.groups or name in self._own.instances:
            return
        try:
            Address.parse(name)
        except NotationError:
            self._own.resolve(name)

    @cached_property
    def _own(self) -> World:
        return world_of(self._state, self._account)

    @cached_property
    def _visible(self) -> World:
        return replace(visible_world(self._state, self._account), expects=())

    @cached_property
    def _names(self) -> dict[str, dict[str, str]]:
        """The account's names by ids; an id stays where another account's thing has that name for its id."""
        named = Naming(self._state, self._account).names
        foreign = {kind: self._foreign(kind) for kind in _NAMED}
        ends = frozenset().union(*(foreign[kind] for kind in _ENDS))
        found: dict[str, dict[str, str]] = {}
        for kind in _NAMED:
            taken = ends if kind in _ENDS else foreign[kind]
            pairs = named[SECTIONS[kind]].items()
            found[SECTIONS[kind]] = {id_: name for id_, name in pairs if name not in taken}
        return found

    def _foreign(self, kind: Kind) -> frozenset[str]:
        own = {it.id for it in self._state.owned(self._account, kind)}
        return frozenset(getattr(self._visible, SECTIONS[kind])) - own

    @cached_property
    def _is_alone(self) -> bool:
        """Whether nothing on the way is anybody else's, so that all may be told."""
        return not any(map(self._foreign, SECTIONS))

    @cached_property
    def _reach(self) -> Reach:
        return Reach(renamed(self._visible, self._names))

    @cached_property
    def _instances(self) -> frozenset[str]:
        names = self._names[SECTIONS[Kind.INSTANCE]]
        return frozenset(names.get(it.id, it.id) for it in self._state.owned(self._account, Kind.INSTANCE))

    def _is_mine(self, port: Port) -> bool:
        return port.instance in self._instances


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
        made = Reachability(state(), account)
        with self._lock:
            found = self._kept.setdefault(key, made)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return found
