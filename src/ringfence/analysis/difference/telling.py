"""What a change of worlds changes, told of sets of ends: what turned and what dies, each with an example."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product

from ringfence.analysis.difference.joint import Joint
from ringfence.analysis.difference.names import Names
from ringfence.analysis.difference.pairs import Turned
from ringfence.analysis.reach.ends import EndSet
from ringfence.analysis.sets.notation import Services
from ringfence.analysis.sets.sieve import bits
from ringfence.model.address import Family
from ringfence.model.connection import Connection
from ringfence.model.flow import EPHEMERAL, Flow
from ringfence.policy.evaluate import Policy
from ringfence.policy.live import LiveChange
from ringfence.policy.verdict import Stage, Step, Verdict


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
        return _ways_json(self) | {"because": because}

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
        return _ways_json(self) | {"because": self.because, "hold": self.hold}

    def __str__(self) -> str:
        over = " over ipv6" if self.services.family is Family.IPV6 else ""
        ends = " -> ".join(self.names.shown(it.which) for it in (self.sources, self.destinations))
        return f"{ends}: {self.services}{over} ({self.because})"


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


class Telling:
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
                    if not any(policy.world.in_one_guest(*ends) for policy in self._policies):
                        return Flow(*ends, *Services(joint.family, turned.services).usual)
        return None

    def _judge(self, flow: Flow) -> tuple[Verdict | None, Verdict | None]:
        vpcs = {flow.source.vpc, flow.destination.vpc} - {""}
        before, after = (it.evaluate(flow) if vpcs <= it.world.vpcs.keys() else None for it in self._policies)
        return before, after


def _connections(flow: Flow) -> Iterator[Connection]:
    """What the tables of both ends' VPCs remember of a flow."""
    ports = (flow.source_port or EPHEMERAL.first, flow.service.port) if flow.service.port else (0, 0)
    for vpc in dict.fromkeys((flow.source.vpc, flow.destination.vpc)):
        if vpc:
            yield Connection(vpc, flow.service.number, flow.source.address, flow.destination.address, *ports)


def _ways_json(it: FlowChange | Ending) -> dict[str, object]:
    """Who, to whom and by what, for programs."""
    return {
        "from": list(it.names.of(it.sources.which)),
        "to": list(it.names.of(it.destinations.which)),
        "family": str(it.services.family),
        "services": list(it.services.lines),
        "example": str(it.example),
    }
