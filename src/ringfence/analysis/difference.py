"""What a change of worlds changes in who reaches whom, told by examples that stand for all that is like them.

Addresses that no rule tells apart are one party, ports that no rule tells apart one span; one flow of each pair of
parties and each span is judged before and after. So what is announced did change, by evidence. It does not say what
changes for some of a program's source ports only where no rule names source ports, nor for an address that nobody has,
nor where a packet stays in its guest before the change or after it.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from functools import cached_property

from ringfence.analysis.parties import Party, Worlds, parties
from ringfence.analysis.spans import NO_CUTS, Cuts, Span, joined
from ringfence.model.flow import Endpoint, Flow
from ringfence.model.world import World
from ringfence.policy.change import Change
from ringfence.policy.evaluate import Policy
from ringfence.policy.verdict import Step, Verdict

FLOWS = 20_000
"""How many flows are judged, before and after, unless somebody says otherwise; one takes 0.2 ms or more."""
_SHOWN = 6
"""How many runs of ports one line shows."""


@dataclass(frozen=True, slots=True)
class FlowChange:
    """Flows between two parties that one rule or default decided before and one decides now, with an example.

    ``before`` and ``after`` judge the example; None where its VPC is not there.
    """

    source: Party
    destination: Party
    spans: tuple[Span, ...]
    example: Flow
    before: Verdict | None
    after: Verdict | None

    @property
    def allowed(self) -> bool:
        """Whether it is allowed now, and was not before; else it is the other way round."""
        return _allows(self.after)

    @property
    def cause(self) -> Step | None:
        """The step that makes the difference: what denies now, or what allows where the first denial was."""
        if self.after is None:
            return None
        if not self.allowed or self.before is None:
            return self.after.decided_by
        denied = self.before.decided_by
        steps = (*self.after.steps, *self.after.back)
        return next((step for step in steps if (step.stage, step.place) == (denied.stage, denied.place)), None)

    def __str__(self) -> str:
        shown = [*map(str, self.spans[:_SHOWN]), *([f"{len(self.spans) - _SHOWN} more"] * (len(self.spans) > _SHOWN))]
        port = f" from port {self.example.source_port}" if self.example.source_port is not None else ""
        over = " over ipv6" if self.source.family == 6 else ""
        words = "denied -> allowed" if self.allowed else "allowed -> denied"
        return f"{self.source} -> {self.destination} {', '.join(shown)}{port}{over}: {words}{self._because()}"

    def _because(self) -> str:
        if step := self.cause:
            owner = f"{step.group} " if step.group else ""
            return f" ({owner}{step.rule_id}: {step.text})"
        return " (nothing is in the way any more)" if self.allowed else " (the VPC is gone)"


@dataclass(frozen=True)
class Reached:
    """What a change does to reachability. ``cut`` if there was more to judge than ``judged``, the limit."""

    changes: tuple[FlowChange, ...]
    judged: int
    cut: bool

    @cached_property
    def allowed(self) -> tuple[FlowChange, ...]:
        """What is allowed now and was not before."""
        return tuple(change for change in self.changes if change.allowed)

    @cached_property
    def denied(self) -> tuple[FlowChange, ...]:
        """What is denied now and was not before."""
        return tuple(change for change in self.changes if not change.allowed)

    def __str__(self) -> str:
        lines = [*map(str, self.denied), *map(str, self.allowed)] or ["nothing changes in who reaches whom"]
        if self.cut:
            lines.append(f"there may be more: {self.judged} flows were judged, which is the limit")
        return "\n".join(lines)


def reachability_changes(before: World, after: World, limit: int = FLOWS) -> Reached:
    """Compare two worlds. The work is bound by ``limit``, the number of flows that are judged, and the worlds' size."""
    return _Comparison((before, after), limit).reached()


def _allows(verdict: Verdict | None) -> bool:
    return verdict is not None and verdict.allowed


class _Comparison:
    def __init__(self, worlds: Worlds, limit: int) -> None:
        self._worlds, self._limit = worlds, limit
        self._policies = [Policy(world) for world in worlds]
        self._between: dict[tuple[str, str], Cuts] = {}

    def reached(self) -> Reached:
        found: dict[Hashable, list[tuple[Span, Flow, Verdict | None, Verdict | None]]] = {}
        pairs: dict[Hashable, tuple[Party, Party]] = {}
        judged = 0
        for source, destination, span, flow in self._flows():
            if judged == self._limit:
                return Reached(_changes(found, pairs), judged, cut=True)
            judged += 1
            one, two = (self._judge(world, flow) for world in (0, 1))
            if _allows(one) != _allows(two):
                key = (source, destination, flow.source_port, _decider(one), _decider(two))
                found.setdefault(key, []).append((span, flow, one, two))
                pairs[key] = source, destination
        return Reached(_changes(found, pairs), judged, cut=False)

    def _judge(self, number: int, flow: Flow) -> Verdict | None:
        there = {"", *self._worlds[number].vpcs}
        if not {flow.source.vpc, flow.destination.vpc} <= there:
            return None
        return self._policies[number].evaluate(flow)

    def _flows(self) -> Iterator[tuple[Party, Party, Span, Flow]]:
        """A flow of each span between each two parties that the change is at."""
        everybody = parties(*self._worlds, Change.between(*self._worlds))
        touched = [party for party in everybody if party.touched]
        for source in everybody:
            for destination in everybody if source.touched else touched:
                if ends := self._pair(source, destination):
                    cuts = self._cuts(source, destination)
                    for span in cuts.spans(source.family):
                        flows = (Flow(*ends, span.service, port) for port in cuts.source_ports(span))
                        yield from ((source, destination, span, flow) for flow in flows)

    def _pair(self, source: Party, destination: Party) -> tuple[Endpoint, Endpoint] | None:
        """An address of each that are not in one guest; none where no packet can go between them."""
        if source.family is not destination.family:
            return None
        if source.vpc and destination.vpc and not self._is_way(source.vpc, destination.vpc):
            return None
        pairs = ((one, two) for one in source.members for two in destination.members if one != two)
        return next((pair for pair in pairs if not self._in_one_guest(*pair)), None)

    def _is_way(self, one: str, two: str) -> bool:
        return one == two or any(world.peering(one, two) for world in self._worlds)

    def _in_one_guest(self, one: Endpoint, two: Endpoint) -> bool:
        for world in self._worlds:
            ports = world.port_at(one), world.port_at(two)
            if ports[0] and ports[1] and ports[0].guest == ports[1].guest:
                return True
        return False

    def _cuts(self, source: Party, destination: Party) -> Cuts:
        ends = (source.vpc, destination.vpc)
        if ends not in self._between:
            self._between[ends] = self._cuts_between(*ends)
        return source.sends | destination.receives | self._between[ends]

    def _cuts_between(self, one: str, two: str) -> Cuts:
        """Where firewalls and carriers tell services apart, between two VPCs or a VPC and the outside."""
        found = NO_CUTS
        for world in self._worlds:
            vpcs = [world.vpcs[name] for name in (one, two) if name in world.vpcs]
            if not (one and two):
                for vpc in vpcs:
                    found |= Cuts.of(vpc.border) | Cuts.at(vpc.profile.carrier_blocks)
            elif peering := world.peering(one, two):
                found |= Cuts.of(peering.firewall)
        return found


def _decider(verdict: Verdict | None) -> Hashable:
    if verdict is None:
        return None
    step = verdict.decided_by
    return step.stage, step.group, step.rule_id


def _changes(
    found: dict[Hashable, list[tuple[Span, Flow, Verdict | None, Verdict | None]]],
    pairs: dict[Hashable, tuple[Party, Party]],
) -> tuple[FlowChange, ...]:
    changes = []
    for key, flows in found.items():
        _, example, one, two = flows[0]
        changes.append(FlowChange(*pairs[key], joined(span for span, *_ in flows), example, one, two))
    return tuple(changes)
