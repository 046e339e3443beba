"""Probes: what became of the first packet of a new connection, by what was captured on its way.

A probe is sent for real, from the source's namespace and address. It has *left* if it came in at the router's end of
the source's link (the gate), and *arrived* if it came in at the destination's interface. That it did not arrive is
believed only where the destination's capture is proved alive after all probes of the batch have passed their gates: by
marker frames that the policy cannot see; and where one that went before the probes came in too, so that the link was
up when they went. One that had to wait in its guest for a neighbour goes on in the queues of whichever processor takes
the answer, where no marker is behind it: if it does not arrive, it is sent again. No verdict comes from a time-out.
"""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace

from ringfence.errors import ProbeFailed
from ringfence.lab import conntrack
from ringfence.lab.answering import Answering
from ringfence.lab.capture import Captures
from ringfence.lab.names import LabNames
from ringfence.lab.netns import IpRoute
from ringfence.lab.numbers import NUMBERS, SourceNumbers
from ringfence.lab.packets import is_probeable, is_tracked_by_addresses, packed
from ringfence.lab.rounds import PAIRS, Probe, Turn, rounds
from ringfence.lab.rules import telling_ports
from ringfence.lab.sending import Salvo
from ringfence.lab.topology import Places
from ringfence.model.connection import Connection
from ringfence.model.flow import EPHEMERAL, Flow
from ringfence.model.rule import Action
from ringfence.model.world import World

_FILES = 4096  # two sockets a probe at most, and a capture for each namespace
_TO_LEAVE = 4.0  # seconds: a lost neighbour request is repeated after one
_TO_ANSWER = 2.0
_TO_MARK = 2.0
_QUIET = 0.002
_HOPS = 3  # from a gate to a destination, at most: VPC, internet, outside host


@dataclass(frozen=True, slots=True)
class Observation:
    """What was seen of one probe.

    ``answered`` is None where nobody asked or nobody could answer. ``failure`` says why it proves nothing, if so.
    """

    flow: Flow
    left: bool
    arrived: bool
    answered: bool | None = None
    failure: str = ""

    @property
    def is_denial(self) -> bool:
        """Whether it is proved that it did not arrive."""
        return not self.failure and not self.arrived

    @property
    def action(self) -> Action:
        """What the kernel did with the packet; raises `ProbeFailed` if there is no evidence either way."""
        if self.failure:
            raise ProbeFailed(f"{self.flow}: {self.failure}")
        return Action.ALLOW if self.arrived else Action.DENY

    def __str__(self) -> str:
        if self.failure:
            return f"proves nothing: {self.failure}"
        if not self.arrived:
            return "did not arrive"
        return {None: "arrived", True: "arrived and was answered", False: "arrived, but no answer came"}[self.answered]


class Prober:
    """Sends probes in one lab. Keep one for many calls: it keeps its captures open."""

    def __init__(self, world: World, names: LabNames) -> None:
        _allow_many_files()
        self._names = names
        self._numbers = SourceNumbers(names.directory / "next-source-number", self._forget_probes)
        self._captures = Captures()
        self._neighbours: set[frozenset[str]] = set()
        self._world = world
        self.look_at(world)

    def look_at(self, world: World) -> None:
        """Send for another world from now on: the same namespaces, other policy or other places."""
        self._world = world
        self._places = Places(world, self._names)
        self._routers = [self._names.vpc(name) for name in world.vpcs]
        self._unfit = telling_ports(world)
        stands_for_all = (port for port in _EPHEMERAL if port not in self._unfit)
        self._spare = None if not self._unfit.issuperset(NUMBERS) else next(stands_for_all, 0)

    @property
    def world(self) -> World:
        """The world that it sends for."""
        return self._world

    def close(self) -> None:
        """Close the captures."""
        self._captures.close()

    def probe(self, flows: Iterable[Flow], payload: bytes | None = None) -> list[Observation]:
        """Send the first packet of each flow and see whether it arrives; in the order of ``flows``.

        ``payload`` (may be empty) takes the place of the usual one in protocols other than TCP.
        """
        return self._run(list(flows), converse=False, payload=payload)

    def converse(self, flows: Iterable[Flow]) -> list[Observation]:
        """The same, and see whether it is answered: a whole TCP handshake, a datagram's answer, an echo reply.

        A TCP or UDP port that nothing serves is served as long as it takes.
        """
        return self._run(list(flows), converse=True, payload=None)

    def _run(self, flows: Sequence[Flow], *, converse: bool, payload: bytes | None) -> list[Observation]:
        named = {port for flow in flows for port in (flow.service.port, flow.source_port) if port}
        self._numbers.avoid(named, () if self._spare is not None else self._unfit)
        prepared = [self._prepare(flow) for flow in flows]
        found: dict[int, Observation] = {}
        probes = [probe for probe in prepared if isinstance(probe, Probe)]
        for turn in rounds(probes):
            if turn.turn is not Turn.PLAIN:
                self._forget(turn.is_stale)
            for batch in turn.batches():
                found |= self._fire(batch, converse, payload)
                if waited := [probe for probe in batch if probe.waited and found[id(probe)].is_denial]:
                    self._forget_sent(waited)
                    found |= self._fire(waited, converse, payload)
        self._forget_sent(probes)
        return [found[id(probe)] if isinstance(probe, Probe) else probe for probe in prepared]

    def _prepare(self, flow: Flow) -> Probe | Observation:
        source = self._places.source(flow.source)
        destination = self._places.destination(flow.destination, flow.source)
        port = self._spare if flow.source_port is None and flow.service.protocol.has_ports else flow.source_port
        if not source:
            failure = f"nobody in the lab has the address {flow.source.address} to send it from"
        elif not destination:
            failure = f"nobody in the lab has the address {flow.destination.address}"
        elif self._places.stays_in_guest(flow):
            failure = f"{flow.destination.address} is {source.owner}'s own: the packet never leaves it"
        elif not is_probeable(flow.family, flow.service.number):
            failure = f"protocol {flow.service} is an extension header of IPv6, no packet carries it alone"
        elif port == 0:
            failure = "no source port stands for all: rules tell every one from others; name one with 'from port'"
        else:
            return Probe(flow, source, destination, port)
        return Observation(flow, left=False, arrived=False, failure=failure)

    def _forget_probes(self) -> None:
        self._forget(lambda it: it.source_port in NUMBERS or it.destination_port in NUMBERS)

    def _forget_sent(self, probes: Iterable[Probe]) -> None:
        """A probe is nobody's connection: a later change of policy has nothing to cut, and no key of it to hold."""
        sent = {_key(it.first.source, it.first.destination, *it.first[2:4]) for it in probes if it.first}
        self._forget(lambda it: _key(packed(it.source), packed(it.destination), it.protocol, it.source_port) in sent)

    def _forget(self, is_doomed: Callable[[Connection], bool]) -> None:
        for router in self._routers:
            conntrack.forget(router, is_doomed)

    def _forget_neighbours(self, batch: list[Probe]) -> None:
        """Keep the neighbours that guests remember few: the kernel's limit is one for all namespaces of the machine."""
        pairs = {probe.neighbours for probe in batch}
        if len(self._neighbours | pairs) > PAIRS:
            for namespace in frozenset().union(*self._neighbours):
                IpRoute().run(["neigh flush all"], namespace)
            self._neighbours.clear()
        self._neighbours |= pairs

    def _fire(self, batch: list[Probe], converse: bool, payload: bytes | None) -> dict[int, Observation]:
        captures = self._captures
        self._forget_neighbours(batch)
        captures.watch(name for probe in batch for name in probe.namespaces(converse=converse))
        captures.clear()
        for router in self._routers:
            if conntrack.is_half_full(router):
                conntrack.flush(router)
        with ExitStack() as held:
            held.enter_context(_one_processor())
            answering = held.enter_context(closing(Answering()))
            salvo = held.enter_context(closing(Salvo(self._numbers.take)))
            if converse:
                answering.serve((probe.flow, probe.destination) for probe in batch)
            captures.mark(place for probe in batch for place in probe.ends(converse=converse))
            for probe in batch:
                _send(salvo, probe, payload)
            self._watch_arrivals(batch, answering)
            if converse:
                self._watch_answers(batch, answering)
            captures.check_losses()
        return {id(probe): self._observe(probe, converse) for probe in batch}

    def _watch_arrivals(self, batch: list[Probe], answering: Answering) -> None:
        """Wait until all have left; then for each that has not arrived prove that its destination would see it."""
        captures = self._captures
        sent = [probe for probe in batch if probe.first]
        captures.collect(0)
        for probe in sent:
            probe.waited = not probe.seen_at_gate(captures)
        self._await(sent, Probe.seen_at_gate, _TO_LEAVE, answering)
        missing = {probe.destination for probe in sent if not probe.seen_at_destination(captures)}
        lapses = captures.lapses(missing, _HOPS, _TO_MARK)
        self._settle()
        for probe in sent:
            if not probe.seen_at_gate(captures):
                probe.failure = f"it was not seen to leave {probe.source.owner} by {probe.source.link}"
            elif not probe.seen_at_destination(captures):
                probe.failure = lapses.get(probe.destination, "")

    def _watch_answers(self, batch: list[Probe], answering: Answering) -> None:
        captures = self._captures
        arrived = [probe for probe in batch if probe.can_be_answered and probe.seen_at_destination(captures)]
        self._await(arrived, Probe.seen_answered, _TO_ANSWER, answering)
        silent = {probe.source for probe in arrived if not probe.seen_answered(captures)}
        lapses = captures.lapses(silent, _HOPS, _TO_MARK)
        self._settle()
        for probe in arrived:
            if not probe.seen_answered(captures):
                probe.failure = lapses.get(probe.source, "")

    def _await(
        self, probes: list[Probe], is_done: Callable[[Probe, Captures], bool], patience: float, answering: Answering
    ) -> None:
        deadline = time.monotonic() + patience
        while probes and (rest := deadline - time.monotonic()) > 0:
            self._captures.collect(min(rest, 0.01))
            answering.answer()
            probes = [probe for probe in probes if not is_done(probe, self._captures)]

    def _settle(self) -> None:
        deadline = time.monotonic() + 100 * _QUIET
        while self._captures.collect(_QUIET) and time.monotonic() < deadline:
            continue

    def _observe(self, probe: Probe, converse: bool) -> Observation:
        captures = self._captures
        left, arrived = probe.seen_at_gate(captures), probe.seen_at_destination(captures)
        seen = Observation(probe.flow, left, arrived, failure=probe.failure)
        asked = converse and probe.can_be_answered
        return replace(seen, answered=arrived and probe.seen_answered(captures)) if asked else seen


_EPHEMERAL = range(EPHEMERAL.first, EPHEMERAL.last + 1)


def _key(source: bytes, destination: bytes, protocol: int, source_port: int) -> tuple[bytes, bytes, int, int]:
    return source, destination, protocol, 0 if is_tracked_by_addresses(protocol) else source_port


def _allow_many_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _send(salvo: Salvo, probe: Probe, payload: bytes | None) -> None:
    try:
        probe.first = salvo.send(probe.flow, probe.source.namespace, payload, probe.port)
    except OSError as error:
        probe.failure = f"{probe.source.owner} could not send it: {error.strerror}"


@contextmanager
def _one_processor() -> Iterator[None]:
    """Stay on one processor: the frames that it sends through veth links queue in order (see `Captures.lapses`)."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {sorted(allowed)[os.getpid() % len(allowed)]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)
