"""What a change of worlds changes in who reaches whom, exactly: what is newly allowed and what is newly denied.

The answers are sets, not samples: a flow is in a set if and only if `evaluate` judges it otherwise in the two worlds.
Left out is what `Reach` leaves out: traffic between two ends outside, and what stays in one guest in either world. What
is in one world only counts as denied in the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import cast

from ringfence.analysis.difference.base import Base
from ringfence.analysis.difference.dying import Dying
from ringfence.analysis.difference.joint import Joint
from ringfence.analysis.difference.pairs import Pairs
from ringfence.analysis.difference.telling import Ending, FlowChange, Telling, together
from ringfence.analysis.difference.touched import touched
from ringfence.analysis.reach.ends import EndClass
from ringfence.model.address import Family
from ringfence.model.flow import Endpoint, Flow
from ringfence.model.world import World
from ringfence.policy.change import Change, Differences
from ringfence.policy.evaluate import Policy
from ringfence.policy.live import LiveChange

_NOBODY: Mapping[Family, Joint] = {}


class Difference:
    """What a change does to reachability and to live connections. False if it changes nobody's reachability."""

    def __init__(
        self,
        changes: Iterable[FlowChange] = (),
        joints: Mapping[Family, Joint] = _NOBODY,
        endings: Callable[[], Iterable[Ending]] = tuple,
    ) -> None:
        self.changes, self._joints, self._endings = tuple(changes), joints, endings

    @cached_property
    def endings(self) -> tuple[Ending, ...]:
        """The connections that would be cut; worked out when they are asked for."""
        return tuple(self._endings())

    def cuts(self, flow: Flow) -> Ending | None:
        """The set of connections that are cut of which one that a flow began would be."""
        return next((it for it in self.endings if _has(it, flow, self._ends(flow))), None)

    @cached_property
    def allowed(self) -> tuple[FlowChange, ...]:
        """What is allowed now and was not before."""
        return tuple(change for change in self.changes if change.allowed)

    @cached_property
    def denied(self) -> tuple[FlowChange, ...]:
        """What is denied now and was not before."""
        return tuple(change for change in self.changes if not change.allowed)

    def of(self, flow: Flow) -> FlowChange | None:
        """The change that a flow is part of; None if it is judged as before."""
        return next((it for it in self.changes if _has(it, flow, self._ends(flow))), None)

    @property
    def ends(self) -> tuple[EndClass, ...]:
        """The classes that the sets are made of."""
        return tuple(end for joint in self._joints.values() for end in joint.told)

    def index(self, end: Endpoint) -> int | None:
        """The index of the class of an address in the sets of its family; None if it has none in either world."""
        joint = self._joints.get(end.address.family)
        return joint.at(end) if joint else None

    def _ends(self, flow: Flow) -> tuple[int | None, int | None]:
        return self.index(flow.source), self.index(flow.destination)

    def as_json(self, most: int | None = None) -> dict[str, object]:
        """For programs; each of the three names no more ends than ``most``, and ``left_out`` counts the other sets."""
        sets: dict[str, Sequence[FlowChange | Ending]]
        sets = {"allowed": self.allowed, "denied": self.denied, "connections": self.endings}
        told = {name: _told(each, most) for name, each in sets.items()}
        return told | {"left_out": sum(len(each) - len(told[name]) for name, each in sets.items())}

    def __bool__(self) -> bool:
        return bool(self.changes)

    def __str__(self) -> str:
        lines = [*map(str, self.denied), *map(str, self.allowed)]
        return "\n".join(lines) or "nothing changes in who reaches whom"


def _told(sets: Sequence[FlowChange | Ending], most: int | None) -> list[dict[str, object]]:
    """The first of some sets for programs, and more as long as all do not name more than so many ends."""
    told: list[dict[str, object]] = []
    named = 0
    for it in sets:
        each = it.as_json()
        named += len(cast("list[str]", each["from"])) + len(cast("list[str]", each["to"]))
        if told and most is not None and named > most:
            break
        told.append(each)
    return told


def _has(change: FlowChange | Ending, flow: Flow, ends: tuple[int | None, int | None]) -> bool:
    if change.services.family is not flow.family or ends[0] is None or ends[1] is None:
        return False
    both = change.sources.which >> ends[0] & change.destinations.which >> ends[1] & 1
    return bool(both) and change.services.covers(flow.service, flow.source_port)


def difference(before: World, after: World, change: Change | None = None) -> Difference:
    """Compare two worlds; ``change`` is what differs, if that is known. Keep a `Differ` for many changes of one."""
    return Differ(before).to(after, change)


class Differ:
    """A world, ready to be compared with what changes would make of it.

    It keeps the classes of the world's ends, where their addresses lie, and what each class lets pass, once that was
    asked for: some hundred bytes for each address and some kilobytes for each class. Then a change costs what it
    touches.
    """

    def __init__(self, before: World) -> None:
        self._base = Base(before)

    @property
    def before(self) -> World:
        """The world."""
        return self._base.world

    @property
    def age(self) -> int:
        """How many changes it has followed since it was made from nothing."""
        return self._base.age

    def prepare(self) -> None:
        """Work out now what the next change may need; else that happens as it is needed."""
        _ = self.before.ties
        for family, plane in self._base.planes.items():
            _ = plane.sent_to, plane.received_from, self._base.places[family].of_class

    def follow(self, after: World) -> None:
        """Be of another world from now on: at the cost of what differs, if that is little, else from nothing."""
        change = Change.between(self.before, after)
        self._base = self._base.followed(after, change) or Base(after)

    def to(self, after: World, change: Change | None = None) -> Difference:
        """What another world changes; ``change`` is what differs from this one, if that is known."""
        change = change or Change.between(self.before, after)
        if change == Change():
            return Difference()
        differences, worlds = Differences(self.before, after, change), (self.before, after)
        joints, policy = self._base.joined(after, change), Policy(after)
        tell = Telling(self._base.policy, policy)
        found: list[FlowChange] = []
        pairs: list[Pairs] = []
        for family, joint in joints.items():
            if which := touched(joint, worlds, change, differences):
                pairs.append(Pairs(self._base.planes[family], joint, policy, which))
                found += filter(None, (tell.change(it, joint) for it in together(pairs[-1].turned())))
        live = LiveChange(*worlds, change)
        return Difference(found, joints, partial(_endings, pairs, worlds, live, tell))


def _endings(pairs: list[Pairs], worlds: tuple[World, World], live: LiveChange, tell: Telling) -> Iterator[Ending]:
    for each in pairs:
        dying = together(Dying(each, worlds, live).turned())
        yield from filter(None, (tell.ending(it, each.joint, live) for it in dying))
