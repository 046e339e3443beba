"""New TCP connections per second through the policy, over those of conntrack alone and of a linear chain.

A connection is a complete three-way handshake between two ports of one VPC: SYN through both gates, SYN-ACK back, ACK.
(Firewalls are rated by that: "TCP connection establishment rate", RFC 3511 section 5.3.) Both ends are played by one
thread that sends prebuilt frames over AF_PACKET in trains, so that the time is that of the kernel between the two
ends and not of sockets and schedulers; it runs on one CPU, since veth forwards in the sender's own time. What counts is
what arrived at the ends' interfaces: a slice in which a packet is missing counts for nothing and is taken again.

The first segments alone are measured too (no target): that is the strictest reading, as only the first segment meets
the rules; every later one costs each case the same look-up in conntrack.

Every case has its own namespaces, with the same addresses and the same frames; they stand side by side, and short
slices of all cases (some ten milliseconds each) take turns. A ratio is taken between slices of one turn, a figure is
the median over all turns: what else the machine does hits all cases alike. Between slices the case's own conntrack
table is flushed, so that no 5-tuple meets its old entry. Before the clock starts, conntrack alone has to let
connections to a port through that no rule allows, and every other case none.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from statistics import median

from bench.report import Figure, Relation, Target
from bench.segments import MAC_CLIENT, MAC_SERVER, SYN, Handshake, Segment, Train
from bench.track import Arrived, Track, load, namespaces, require_root, sweep
from bench.worlds import VPC, GateWorld
from ringfence.backends.nftables.driver import Driver
from ringfence.compile.compiler import compile_world
from ringfence.errors import ProbeFailed

_BASE = "ct state vmap { established : accept, related : accept, invalid : drop }"
_AT_ONCE = 64
"""Connections in the making at the same time."""
_TRIES = 5
"""How often a slice with a missing packet is taken again."""
_CLOSED_PORT = 1
POLICY, LINEAR, CONNTRACK = "policy", "linear chain", "conntrack alone"


@dataclass(frozen=True, slots=True)
class ConnectionCase:
    """How much to measure: rules a port, connections in a slice, turns."""

    sizes: tuple[int, ...]
    connections: int
    rounds: int


@dataclass(frozen=True, slots=True, order=True)
class Stream:
    """One thing that takes its turns: a rule set, under the traffic for so many rules."""

    size: int
    rules: str


Slice = Callable[[Track, "Traffic"], None]
Samples = Mapping[Stream, list[float]]
"""Seconds a connection, one for each turn."""


class Traffic:
    """The frames of many connections, spread evenly over the rules of a world in no order that a chain would like."""

    def __init__(self, gate: GateWorld, connections: int, *, closed: bool = False) -> None:
        self.connections = connections
        shakes = [Handshake(_syn(gate, number, closed=closed)) for number in range(connections)]
        self.syns = Train(shake.syn.frame(MAC_CLIENT) for shake in shakes)
        self.syn_acks = Train(shake.syn_ack.frame(MAC_SERVER) for shake in shakes)
        self.acks = Train(shake.ack.frame(MAC_CLIENT) for shake in shakes)


def _syn(gate: GateWorld, number: int, *, closed: bool) -> Segment:
    opening = gate.openings[number * 7_919 % gate.rules]  # a prime that divides no size
    port = _CLOSED_PORT if closed else opening.port
    return Segment(opening.source, gate.server, 1024 + number, port, SYN, 1_000)


def _first_segments(track: Track, traffic: Traffic) -> None:
    for first in range(0, traffic.connections, _AT_ONCE):
        traffic.syns.send(track.from_client, first, _AT_ONCE)


def _handshakes(track: Track, traffic: Traffic) -> None:
    for first in range(0, traffic.connections, _AT_ONCE):
        traffic.syns.send(track.from_client, first, _AT_ONCE)
        traffic.syn_acks.send(track.from_server, first, _AT_ONCE)
        traffic.acks.send(track.from_client, first, _AT_ONCE)


def measure_connections(case: ConnectionCase) -> list[Figure]:
    """Measure all sizes; raises `NotRoot`, and `ProbeFailed` if packets get lost however often it is tried."""
    require_root()
    sweep()
    gates = {size: GateWorld(size) for size in case.sizes}
    with ExitStack() as stack:
        tracks: dict[Stream, Track] = {}
        alone = stack.enter_context(_track("alone", gates[case.sizes[0]]))
        load(alone.vpc, f"table inet alone {{ chain forward {{ {_hook('accept')} {_BASE}\n}}\n}}")
        for size, gate in gates.items():
            tracks[Stream(size, CONNTRACK)] = alone
            tracks[Stream(size, POLICY)] = track = stack.enter_context(_track(f"policy{size}", gate))
            _enforce(track, gate)
            tracks[Stream(size, LINEAR)] = track = stack.enter_context(_track(f"linear{size}", gate))
            load(track.vpc, _linear(gate))
        traffic = {size: Traffic(gate, case.connections) for size, gate in gates.items()}
        _check(tracks, gates)
        complete = _take_turns(tracks, traffic, case.rounds, _handshakes, Arrived(1, 2))
        first = _take_turns(tracks, traffic, case.rounds, _first_segments, Arrived(0, 1))
    return [*_figures(complete, case.sizes), *_first_figures(first, case.sizes)]


@contextmanager
def _track(name: str, gate: GateWorld) -> Iterator[Track]:
    names = (f"{name}-{end}" for end in ("vpc", "client", "server"))
    with namespaces(*names) as made, Track(made, gate.clients, gate.server) as track:
        yield track


def _enforce(track: Track, gate: GateWorld) -> None:
    driver = Driver(track.vpc, "ringfence")
    try:
        driver.apply(compile_world(gate.world).vpcs[VPC])
    finally:
        driver.close()


def _hook(policy: str) -> str:
    return f"type filter hook forward priority 0; policy {policy};"


def _linear(gate: GateWorld) -> str:
    rules = "\n".join(f"ip saddr {one.prefix} tcp dport {one.port} counter accept" for one in gate.openings)
    return f"table inet linear {{ chain forward {{ {_hook('drop')} {_BASE}\n{rules}\n}}\n}}"


def _check(tracks: Mapping[Stream, Track], gates: Mapping[int, GateWorld]) -> None:
    """See that each case lets through what it should and nothing else: a fast rule set may be a wrong one."""
    closed = {size: Traffic(gate, _AT_ONCE, closed=True) for size, gate in gates.items()}
    for stream, track in tracks.items():
        _, arrived = _timed(track, closed[stream.size], _first_segments)
        expected = _AT_ONCE if stream.rules == CONNTRACK else 0
        if arrived.server != expected:
            raise ProbeFailed(
                f"{stream.rules} with {stream.size} rules let {arrived.server} connections to a closed port through; "
                f"it should have been {expected}"
            )


def _take_turns(
    tracks: Mapping[Stream, Track], traffic: Mapping[int, Traffic], rounds: int, work: Slice, each: Arrived
) -> Samples:
    samples: dict[Stream, list[float]] = {stream: [] for stream in tracks}
    for _ in range(rounds):
        for stream, track in tracks.items():
            samples[stream].append(_slice(stream, track, traffic[stream.size], work, each))
    return samples


def _slice(stream: Stream, track: Track, traffic: Traffic, work: Slice, each: Arrived) -> float:
    """Seconds a connection, from a slice in which every packet arrived."""
    wanted = Arrived(each.client * traffic.connections, each.server * traffic.connections)
    for _ in range(_TRIES):
        seconds, arrived = _timed(track, traffic, work)
        if arrived == wanted:
            return seconds / traffic.connections
    raise ProbeFailed(
        f"{stream.rules} with {stream.size} rules: of {sum(wanted)} packets {sum(arrived)} arrived, {_TRIES} times; "
        "the policy denies them, or the machine is too busy to forward them"
    )


def _timed(track: Track, traffic: Traffic, work: Slice) -> tuple[float, Arrived]:
    before = track.arrived()
    began = time.perf_counter()
    work(track, traffic)
    seconds = time.perf_counter() - began
    arrived = track.arrived().since(before)
    track.forget()
    return seconds, arrived


def _figures(samples: Samples, sizes: tuple[int, ...]) -> Iterator[Figure]:
    most = sizes[-1]
    for size in sizes:
        target = Target(Relation.AT_LEAST, 0.85) if size == most else None
        yield _figure("connections/s", samples, Stream(size, POLICY), Stream(size, CONNTRACK), target)
    ten = Target(Relation.AT_LEAST, 0.95)
    yield _figure("connections/s", samples, Stream(most, POLICY), Stream(10, POLICY), ten)
    for size in sizes:
        yield _figure("connections/s", samples, Stream(size, POLICY), Stream(size, LINEAR))


def _first_figures(samples: Samples, sizes: tuple[int, ...]) -> Iterator[Figure]:
    for rules in (CONNTRACK, LINEAR):
        for size in sizes:
            yield _figure("first segments/s", samples, Stream(size, POLICY), Stream(size, rules))


def _figure(what: str, samples: Samples, one: Stream, other: Stream, target: Target | None = None) -> Figure:
    """The rate of one stream over that of another: the inverse of the ratio of their times."""
    ratios = [base / time for time, base in zip(samples[one], samples[other], strict=True)]
    over = _counted(other.size) if one.rules == other.rules else other.rules
    basis = " / ".join(f"{1 / median(samples[stream]):,.0f}/s" for stream in (one, other))
    return Figure.of(f"{what}, {_counted(one.size)} over {over}", ratios, basis, target)


def _counted(size: int) -> str:
    return "1 rule" if size == 1 else f"{size:,} rules"
