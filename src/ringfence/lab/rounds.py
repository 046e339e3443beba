"""Probes put in rounds, so that no packet is taken for one of a connection that another probe began."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

from ringfence.lab.capture import Captures
from ringfence.lab.links import Spot
from ringfence.lab.packets import Part, Sighting, answer_to, is_tracked_by_addresses
from ringfence.lab.topology import Place
from ringfence.model.address import Address, Family
from ringfence.model.connection import Connection
from ringfence.model.flow import Flow
from ringfence.model.service import TCP

_BATCH = 512
PAIRS = 200
"""How many pairs of neighbours a batch may have."""


class Turn(IntEnum):
    """The kinds of probes, in the order in which they are sent, by what makes each a new connection."""

    PLAIN = 0
    """A number of its own."""
    BY_PORT = 1
    """Nothing of its own: it comes from a certain port."""
    BY_ADDRESSES = 2
    """Nothing of its own: conntrack may know such a connection by addresses and protocol alone."""


@dataclass(slots=True)
class Probe:
    """A probe under way. ``port`` is the source port where it must be this one; ``first`` is None until it is sent.

    ``waited`` is whether it had not left by the time that all of its batch were sent.
    """

    flow: Flow
    source: Place
    destination: Place
    port: int | None = None
    first: Sighting | None = None
    waited: bool = False
    failure: str = ""

    @property
    def turn(self) -> Turn:
        """When it is sent."""
        if is_tracked_by_addresses(self.flow.service.number):
            return Turn.BY_ADDRESSES
        return Turn.PLAIN if self.port is None else Turn.BY_PORT

    @property
    def key(self) -> Hashable:
        """What it shares with a probe that may be taken for one of the same connection."""
        source, destination, service = self.flow.source.address, self.flow.destination.address, self.flow.service
        if self.turn is Turn.PLAIN:
            return source, destination, service
        return _tuple(self.turn, service.number, (source, self.port or 0), (destination, service.port or 0))

    @property
    def neighbours(self) -> frozenset[str]:
        """The namespaces that come to know each other as neighbours (IPv6 guests know the router only)."""
        if self.flow.family is Family.IPV6 or not (self.flow.source.vpc and self.flow.destination.vpc):
            return frozenset()
        return frozenset((self.source.namespace, self.destination.namespace))

    def namespaces(self, *, converse: bool) -> Iterator[str]:
        """Where to look for it, and for the answer if it is a conversation."""
        yield self.source.gate_namespace
        yield self.destination.namespace
        if converse:
            yield self.source.namespace

    def ends(self, *, converse: bool) -> tuple[Place, ...]:
        """Where it is to arrive, and its answer if it is a conversation."""
        return (self.destination, self.source) if converse else (self.destination,)

    @property
    def can_be_answered(self) -> bool:
        """Whether there is somebody who could answer it."""
        return bool(self.destination.owner) and not is_tracked_by_addresses(self.flow.service.number)

    def seen_at_gate(self, captures: Captures) -> bool:
        """Whether it left its source."""
        return (Spot(self.source.gate_namespace, self.source.gate), self.first) in captures.taken

    def seen_at_destination(self, captures: Captures) -> bool:
        """Whether it arrived."""
        return (Spot(self.destination.namespace, self.destination.link), self.first) in captures.seen

    def seen_answered(self, captures: Captures) -> bool:
        """Whether the answer came in at the source, and over TCP the last part of the handshake at the destination."""
        if self.first is None:
            return False
        back = (Spot(self.source.namespace, self.source.link), answer_to(self.first))
        if self.first.protocol != TCP:
            return back in captures.seen
        confirm = self.first._replace(part=Part.CONFIRM)
        return {back, (Spot(self.destination.namespace, self.destination.link), confirm)} <= captures.seen


def _tuple(turn: Turn, protocol: int, one: tuple[Address, int], two: tuple[Address, int]) -> Hashable:
    """A connection's tuple as far as its kind has one, whichever end began it."""
    if turn is Turn.BY_ADDRESSES:
        one, two = (one[0], 0), (two[0], 0)
    return protocol, frozenset((one, two))


@dataclass(frozen=True)
class Round:
    """Probes no two of which have the same tuple, not in two VPCs with the same addresses either."""

    turn: Turn
    probes: list[Probe]

    @cached_property
    def _keys(self) -> frozenset[Hashable]:
        return frozenset(probe.key for probe in self.probes)

    def is_stale(self, it: Connection) -> bool:
        """Whether a connection that is remembered would be taken for one of these, and must be forgotten first."""
        ends = (it.source, it.source_port), (it.destination, it.destination_port)
        return self.turn is not Turn.PLAIN and _tuple(self.turn, it.protocol, *ends) in self._keys

    def batches(self) -> Iterator[list[Probe]]:
        """The round cut into batches, each with few enough probes and pairs of neighbours."""
        batch: list[Probe] = []
        pairs: set[frozenset[str]] = set()
        for probe in self.probes:
            if len(batch) == _BATCH or (probe.neighbours not in pairs and len(pairs) == PAIRS):
                yield batch
                batch, pairs = [], set()
            batch.append(probe)
            pairs.add(probe.neighbours)
        if batch:
            yield batch


def rounds(probes: Iterable[Probe]) -> Iterator[Round]:
    """All probes, in rounds."""
    found: dict[tuple[Turn, int], list[Probe]] = defaultdict(list)
    turns: Counter[Hashable] = Counter()
    for probe in probes:
        found[probe.turn, turns[probe.key]].append(probe)
        turns[probe.key] += 1
    yield from (Round(turn, found[turn, number]) for turn, number in sorted(found))
