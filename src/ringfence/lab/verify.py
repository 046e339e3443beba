"""Verify: for every pair of addresses and every interesting service, does the packet do what the evaluator says?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice, permutations

from ringfence.lab.packets import is_probeable
from ringfence.lab.probe import Observation, Prober
from ringfence.model.address import Family
from ringfence.model.flow import Endpoint, Expectation, Flow
from ringfence.model.rule import Action, Rule
from ringfence.model.service import ICMP, ICMPV6, TCP, UDP, Protocol, Service
from ringfence.model.world import World
from ringfence.policy.evaluate import Policy
from ringfence.policy.verdict import Stage, Verdict

_CHUNK = 4096

Progress = Callable[[int, int], None]
"""Called with how many flows are done, and of how many."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A flow of which model and packet do not say the same."""

    verdict: Verdict
    observation: Observation

    @property
    def flow(self) -> Flow:
        """The flow."""
        return self.verdict.flow


@dataclass(frozen=True, slots=True)
class Report:
    """What a verify found: how many flows it probed, where they differ, and the probes that proved nothing."""

    count: int
    differences: tuple[Difference, ...]
    unproved: tuple[Observation, ...]

    @property
    def ok(self) -> bool:
        """Whether every flow was proved and none differs."""
        return not self.differences and not self.unproved


@dataclass(frozen=True, slots=True)
class Row:
    """An expectation with what the model says and what a packet did.

    ``observation`` is None where no packet can tell: both ends are one instance, and the packet stays in it.
    """

    expectation: Expectation
    verdict: Verdict
    observation: Observation | None

    @property
    def unproved(self) -> bool:
        """Whether only evidence is missing: the model says what is expected, and the probe proved nothing."""
        seen = self.observation
        return self.verdict.action is self.expectation.action and seen is not None and bool(seen.failure)

    @property
    def ok(self) -> bool:
        """Whether both say what is expected; an allowed packet must be answered too, where somebody can answer."""
        if self.verdict.action is not self.expectation.action:
            return False
        seen = self.observation
        if seen is None:
            return True
        if seen.failure:
            return False
        if self.expectation.action is Action.DENY:
            return not seen.arrived
        return seen.arrived and seen.answered is not False


def interesting_services(world: World, family: Family) -> tuple[Service, ...]:
    """What verify tries on every pair.

    Every port that a rule mentions, its two neighbours and one that none mentions, over TCP and UDP; an echo request;
    and every other protocol that a rule names.
    """
    edges = {edge for rule in _rules(world) for ports in rule.ports.ranges for edge in (ports.first, ports.last)}
    near = {port for edge in edges for port in (edge - 1, edge, edge + 1) if 1 <= port <= 65535}
    quiet = next((port for port in range(40000, 65536) if not _is_mentioned(world, port)), None)
    ports = sorted(near | ({quiet} if quiet else set()))
    echo = ICMP if family is Family.IPV4 else ICMPV6
    named = {rule.protocol.number for rule in _rules(world)} - {None, TCP, UDP, ICMP, ICMPV6}
    others = sorted(number for number in named if number is not None and is_probeable(family, number))
    return (
        *(Service(Protocol(protocol), port) for protocol in (TCP, UDP) for port in ports),
        Service(Protocol(echo)),
        *(Service(Protocol(number)) for number in others),
    )


def _rules(world: World) -> Iterator[Rule]:
    return (rule for group in world.groups.values() for rule in group.rules)


def _is_mentioned(world: World, port: int) -> bool:
    return any(rule.ports and port in rule.ports for rule in _rules(world))


def endpoints(world: World) -> tuple[Endpoint, ...]:
    """Every address of every port and outside host, as an end of a flow."""
    ports = (Endpoint(address, port.vpc, str(port)) for port in world.ports for address in port.addresses)
    hosts = (Endpoint(address, "", host.name) for host in world.outside.values() for address in host.addresses)
    return (*ports, *hosts)


def interesting_flows(world: World) -> Iterator[Flow]:
    """Every ordered pair of addresses with every interesting service, source by source.

    Left out is what no group sees: between two outside hosts, and inside one instance.
    """
    services = {family: interesting_services(world, family) for family in Family}
    for source, destination in _pairs(world):
        yield from (Flow(source, destination, service) for service in services[source.address.family])


def _pairs(world: World) -> Iterator[tuple[Endpoint, Endpoint]]:
    own = {
        instance.name: {address for port in instance.ports for address in port.addresses}
        for instance in world.instances.values()
    }
    for source, destination in permutations(endpoints(world), 2):
        if source.address.family is destination.address.family and (source.vpc or destination.vpc):
            port = world.port_at(source)
            if not port or destination.address not in own[port.instance]:
                yield source, destination


def _count(world: World) -> int:
    sizes = {family: len(interesting_services(world, family)) for family in Family}
    return sum(sizes[source.address.family] for source, _ in _pairs(world))


def verify(world: World, prober: Prober, progress: Progress | None = None) -> Report:
    """Probe every interesting flow of what is enforced and compare with `evaluate`."""
    policy = Policy(world)
    total, done = _count(world), 0
    differences: list[Difference] = []
    unproved: list[Observation] = []
    flows = interesting_flows(world)
    while chunk := list(islice(flows, _CHUNK)):
        for observation in prober.probe(chunk):
            verdict = policy.evaluate(observation.flow)
            if observation.failure:
                unproved.append(observation)
            elif verdict.action is not observation.action:
                differences.append(Difference(verdict, observation))
        done += len(chunk)
        if progress:
            progress(done, total)
    return Report(total, tuple(differences), tuple(unproved))


def check_expectations(world: World, prober: Prober) -> list[Row]:
    """Judge each ``expect`` line of a world by the model and by a whole conversation."""
    policy = Policy(world)
    verdicts = [policy.evaluate(world.flow(expectation.query)) for expectation in world.expects]
    flows = [verdict.flow for verdict in verdicts if verdict.decided_by.stage is not Stage.LOCAL]
    seen = {observation.flow: observation for observation in prober.converse(flows)}
    return [
        Row(expectation, verdict, seen.get(verdict.flow))
        for expectation, verdict in zip(world.expects, verdicts, strict=True)
    ]
