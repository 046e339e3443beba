"""What a change of worlds changes in who reaches whom, exactly: what is newly allowed and what is newly denied.

The answers are sets, not samples: a flow is in a set if and only if `evaluate` judges it otherwise in the two worlds.
Left out is what `Reach` leaves out: traffic between two ends outside, and what stays in one guest in either world. What
is in one world only counts as denied in the other.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

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
from ringfence.model.address import Family
from ringfence.model.flow import Endpoint, Flow
from ringfence.model.world import World
from ringfence.policy.change import Change, Differences
from ringfence.policy.evaluate import Policy
from ringfence.policy.verdict import Stage, Step, Verdict


@dataclass(frozen=True, slots=True)
class FlowChange:
    """Services that each of some classes may use of each of some others now and could not before (``allowed``), or the
    other way round, with an example. Exactly these.

    ``before`` and ``after`` judge the example; None where a VPC of it is not there.
    """

    sources: EndSet
    destinations: EndSet
    services: Services
    allowed: bool
    example: Flow
    before: Verdict | None
    after: Verdict | None
    names: Names

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


class Difference:
    """What a change does to reachability. False if it does nothing."""

    def __init__(self, changes: Iterable[FlowChange], joints: dict[Family, Joint]) -> None:
        self.changes, self._joints = tuple(changes), joints

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
        joint = self._joints[flow.family]
        ends = joint.at(flow.source), joint.at(flow.destination)
        return next((it for it in self.changes if _has(it, flow, ends)), None)

    def as_json(self) -> dict[str, object]:
        """For programs."""
        return {"allowed": [it.as_json() for it in self.allowed], "denied": [it.as_json() for it in self.denied]}

    def __bool__(self) -> bool:
        return bool(self.changes)

    def __str__(self) -> str:
        lines = [*map(str, self.denied), *map(str, self.allowed)]
        return "\n".join(lines) or "nothing changes in who reaches whom"


def _has(change: FlowChange, flow: Flow, ends: tuple[int | None, int | None]) -> bool:
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

    def to(self, after: World, change: Change | None = None) -> Difference:
        """What another world changes; ``change`` is what differs from this one, if that is known."""
        change = change or Change.between(self.before, after)
        if change == Change():
            return Difference((), self._joined(News(self._ends, self.before, after, change)))
        differences, worlds = Differences(self.before, after, change), (self.before, after)
        joints, policy = self._joined(News(self._ends, self.before, after, change)), Policy(after)
        tell = _Telling(self._policy, policy)
        found: list[FlowChange] = []
        for family, joint in joints.items():
            which = touched(joint, worlds, change, differences)
            turned = Pairs(self._planes[family], joint, policy, which).turned() if which else ()
            names = Names(joint)
            found += (tell.change(it, joint, names) for it in _together(turned))
        return Difference(found, joints)

    def _joined(self, news: News) -> dict[Family, Joint]:
        return {family: Joint(self._rosters[family], self._places[family], news) for family in Family}


def _together(turned: Iterable[Turned]) -> list[Turned]:
    """The same as few as possible: first by what the same sources may use, then by what may be used of the same."""
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

    def change(self, turned: Turned, joint: Joint, names: Names) -> FlowChange:
        services = Services(joint.family, turned.services)
        sources, destinations = (EndSet(joint.told, it) for it in (turned.sources, turned.destinations))
        example = Flow(*self._apart(next(iter(sources)), next(iter(destinations))), *services.usual)
        return FlowChange(sources, destinations, services, turned.allowed, example, *self._judge(example), names)

    def _judge(self, flow: Flow) -> tuple[Verdict | None, Verdict | None]:
        vpcs = {flow.source.vpc, flow.destination.vpc} - {""}
        before, after = (it.evaluate(flow) if vpcs <= it.world.vpcs.keys() else None for it in self._policies)
        return before, after

    def _apart(self, source: EndClass, destination: EndClass) -> tuple[Endpoint, Endpoint]:
        """An address of each, such that they are not in one guest in either world."""
        pairs = [(one, two) for one in _examples(source) for two in _examples(destination)]
        return next(pair for pair in pairs if not self._in_one_guest(*pair))

    def _in_one_guest(self, one: Endpoint, two: Endpoint) -> bool:
        for policy in self._policies:
            ports = policy.world.port_at(one), policy.world.port_at(two)
            if ports[0] and ports[1] and ports[0].guest == ports[1].guest:
                return True
        return False


def _examples(end: EndClass) -> Iterator[Endpoint]:
    yield end.example
    if end.other:
        yield end.other
