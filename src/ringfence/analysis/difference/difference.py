"""What a change of worlds changes in who reaches whom, exactly: what is newly allowed and what is newly denied.

The answers are sets, not samples: a flow is in a set if and only if `evaluate` judges it otherwise in the two worlds.
Left out is what `Reach` leaves out: traffic between two ends outside, and what stays in one guest in either world. What
is in one world only counts as denied in the other.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import product

from ringfence.analysis.difference.dying import Dying
from ringfence.analysis.difference.joint import Joint
from ringfence.analysis.difference.names import Names
from ringfence.analysis.difference.news import News
from ringfence.analysis.difference.pairs import Pairs, Turned
from ringfence.analysis.difference.places import Places
from ringfence.analysis.difference.touched import touched
from ringfence.analysis.reach.ends import EndClass, Ends, EndSet
from ringfence.analysis.reach.plane import Plane
from ringfence.analysis.reach.roster import OneWorld
from ringfence.analysis.sets.notation import Services
from ringfence.analysis.sets.sieve import bits
from ringfence.model.address import Family
from ringfence.model.connection import Connection
from ringfence.model.flow import EPHEMERAL, Endpoint, Flow
from ringfence.model.world import World
from ringfence.policy.change import Change, Differences
from ringfence.policy.evaluate import Policy
from ringfence.policy.live import LiveChange
from ringfence.policy.verdict import Stage, Step, Verdict

_NOBODY: Mapping[Family, Joint] = {}


@dataclass(frozen=True)
class FlowChange:
    """Services that each of some classes may use of each of some others now and could not before (``allowed``), or the
    other way round, with an example, which ``judge`` judges. Exactly these.
    """

    sources: EndSet
    destinations: EndSet
    services: Services
    allowed: bool
    example: Flow
    judge: Callable[[Flow], tuple[Verdict | None, Verdict | None]] = field(repr=False, compare=False)
    names: Names

    @cached_property
    def _verdicts(self) -> tuple[Verdict | None, Verdict | None]:
        return self.judge(self.example)

    @property
    def before(self) -> Verdict | None:
        """The verdict on the example in the world before; None where a VPC of it is not there."""
        return self._verdicts[0]

    @property
    def after(self) -> Verdict | None:
        """The same in the world after."""
        return self._verdicts[1]

    @property
    def cause(self) -> Step | None:
        """The step that makes the difference: what denies now, or what allows where the first denial was."""
        if self.after is None:
            return None
        if not self.allowed or self.before is None or self.before.decided_by.stage is Stage.ROUTE:
            return self.after.decided_by
        denied = self.before.decided_by
        steps = (*self.after.steps, *self.after.back)
        return next((step for step in steps if (step.stage, step.place) == (denied.stage, denied.place)), None)

    def __str__(self) -> str:
        over = " over ipv6" if self.services.family is Family.IPV6 else ""
        words = "denied -> allowed" if self.allowed else "allowed -> denied"
        ends = " -> ".join(self.names.shown(it.which) for it in (self.sources, self.destinations))
        return f"{ends}: {self.services}{over}: {words}{self._because()}"

    def as_json(self) -> dict[str, object]:
        """For programs; the cause without ids of rules, as new ones may have none yet."""
        step = self.cause
        because = step and {name: it for name, it in step.as_json().items() if name not in ("rule_id", "late")}
        return {
            "from": list(self.names.of(self.sources.which)),
            "to": list(self.names.of(self.destinations.which)),
            "family": str(self.services.family),
            "services": list(self.services.lines),
            "example": str(self.example),
            "because": because,
        }

    def _because(self) -> str:
        if step := self.cause:
            owner = f"{step.group} " if step.group else ""
            return f" ({owner}{step.rule_id}: {step.text})"
        return " (nothing is in the way any more)" if self.allowed else " (the VPC is gone)"


@dataclass(frozen=True, slots=True)
class Ending:
    """Connections that a change cuts, if they live: of all that could have begun before. With an example, and why.

    ``hold`` is for how many seconds the key of the example is dropped then; 0 is not at all.
    """

    sources: EndSet
    destinations: EndSet
    services: Services
    example: Flow
    because: str
    hold: int
    names: Names

    def as_json(self) -> dict[str, object]:
        """For programs."""
        return {
            "from": list(self.names.of(self.sources.which)),
            "to": list(self.names.of(self.destinations.which)),
            "family": str(self.services.family),
            "services": list(self.services.lines),
            "example": str(self.example),
            "because": self.because,
            "hold": self.hold,
        }

    def __str__(self) -> str:
        over = " over ipv6" if self.services.family is Family.IPV6 else ""
        ends = " -> ".join(self.names.shown(it.which) for it in (self.sources, self.destinations))
        return f"{ends}: {self.services}{over} ({self.because})"


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

    def as_json(self) -> dict[str, object]:
        """For programs."""
        allowed, denied = ([it.as_json() for it in each] for each in (self.allowed, self.denied))
        return {"allowed": allowed, "denied": denied, "connections": [it.as_json() for it in self.endings]}

    def __bool__(self) -> bool:
        return bool(self.changes)

    def __str__(self) -> str:
        lines = [*map(str, self.denied), *map(str, self.allowed)]
        return "\n".join(lines) or "nothing changes in who reaches whom"


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
        self.before = before
        self._policy = Policy(before)

    @cached_property
    def _ends(self) -> Ends:
        return Ends(self.before)

    @cached_property
    def _rosters(self) -> dict[Family, OneWorld]:
        return {family: OneWorld(self.before, self._ends, family) for family in Family}

    @cached_property
    def _places(self) -> dict[Family, Places]:
        return {family: Places(self.before, self._ends, family) for family in Family}

    @cached_property
    def _planes(self) -> dict[Family, Plane]:
        return {family: Plane(self._policy, self._rosters[family]) for family in Family}

    def prepare(self) -> None:
        """Work out now what the next change may need; else that happens as it is needed."""
        _ = self.before.ties
        for family, plane in self._planes.items():
            _ = plane.sent_to, plane.received_from, self._places[family].of_class

    def to(self, after: World, change: Change | None = None) -> Difference:
        """What another world changes; ``change`` is what differs from this one, if that is known."""
        change = change or Change.between(self.before, after)
        if change == Change():
            return Difference()
        differences, worlds = Differences(self.before, after, change), (self.before, after)
        joints, policy = self._joined(News(self._ends, self.before, after, change)), Policy(after)
        tell = _Telling(self._policy, policy)
        found: list[FlowChange] = []
        pairs: list[Pairs] = []
        for family, joint in joints.items():
            if which := touched(joint, worlds, change, differences):
                pairs.append(Pairs(self._planes[family], joint, policy, which))
                found += filter(None, (tell.change(it, joint) for it in together(pairs[-1].turned())))
        live = LiveChange(*worlds, change)
        return Difference(found, joints, partial(_endings, pairs, worlds, live, tell))

    def _joined(self, news: News) -> dict[Family, Joint]:
        return {family: Joint(self._rosters[family], self._places[family], news) for family in Family}


def _endings(pairs: list[Pairs], worlds: tuple[World, World], live: LiveChange, tell: _Telling) -> Iterator[Ending]:
    for each in pairs:
        dying = together(Dying(each, worlds, live).turned())
        yield from filter(None, (tell.ending(it, each.joint, live) for it in dying))


def together(turned: Iterable[Turned]) -> list[Turned]:
    """The same, as few as possible: first by what the same sources may use, then by what may be used of the same."""
    by_sources: dict[Hashable, Turned] = {}
    for it in turned:
        _add(by_sources, (it.sources, it.services, it.allowed), it)
    found: dict[Hashable, Turned] = {}
    for it in by_sources.values():
        _add(found, (it.destinations, it.services, it.allowed), it)
    return list(found.values())


def _add(found: dict[Hashable, Turned], key: Hashable, it: Turned) -> None:
    if old := found.get(key):
        sources, destinations = old.sources | it.sources, old.destinations | it.destinations
        it = it._replace(sources=sources, destinations=destinations)
    found[key] = it


class _Telling:
    """Puts an example to what turned, and has it judged in both worlds."""

    def __init__(self, before: Policy, after: Policy) -> None:
        self._policies = before, after
        self._names: dict[Joint, Names] = {}

    def change(self, turned: Turned, joint: Joint) -> FlowChange | None:
        """What turned, told; None if all of it stays in one guest in one world or the other."""
        example = self._example(turned, joint)
        if example is None:
            return None
        ends, names = self._sets(turned, joint), self._named(joint)
        services = Services(joint.family, turned.services)
        return FlowChange(*ends, services, turned.allowed, example, self._judge, names)

    def ending(self, turned: Turned, joint: Joint, live: LiveChange) -> Ending | None:
        """The same of connections that die."""
        example = self._example(turned, joint)
        if example is None:
            return None
        cut = next(filter(None, map(live.cut, _connections(example))), None)
        because, hold = (cut.because, cut.hold) if cut else ("its VPC is gone", 0)
        services = Services(joint.family, turned.services)
        return Ending(*self._sets(turned, joint), services, example, because, hold, self._named(joint))

    @staticmethod
    def _sets(turned: Turned, joint: Joint) -> tuple[EndSet, EndSet]:
        return EndSet(joint.told, turned.sources), EndSet(joint.told, turned.destinations)

    def _named(self, joint: Joint) -> Names:
        return self._names.setdefault(joint, Names(joint))

    def _example(self, turned: Turned, joint: Joint) -> Flow | None:
        """A flow of it whose ends are not in one guest in either world; the classes' own examples nearly always are."""
        for addresses in (joint.examples, joint.addresses):
            for one, two in product(bits(turned.sources), bits(turned.destinations)):
                for ends in product(addresses(one), addresses(two)):
                    if not self._in_one_guest(*ends):
                        return Flow(*ends, *Services(joint.family, turned.services).usual)
        return None

    def _judge(self, flow: Flow) -> tuple[Verdict | None, Verdict | None]:
        vpcs = {flow.source.vpc, flow.destination.vpc} - {""}
        before, after = (it.evaluate(flow) if vpcs <= it.world.vpcs.keys() else None for it in self._policies)
        return before, after

    def _in_one_guest(self, one: Endpoint, two: Endpoint) -> bool:
        for policy in self._policies:
            ports = policy.world.port_at(one), policy.world.port_at(two)
            if ports[0] and ports[1] and ports[0].guest == ports[1].guest:
                return True
        return False


def _connections(flow: Flow) -> Iterator[Connection]:
    """What the tables of both ends' VPCs remember of a flow."""
    ports = (flow.source_port or EPHEMERAL.first, flow.service.port) if flow.service.port else (0, 0)
    for vpc in dict.fromkeys((flow.source.vpc, flow.destination.vpc)):
        if vpc:
            yield Connection(vpc, flow.service.number, flow.source.address, flow.destination.address, *ports)
