"""The flow log of a lab: what its ports carry and drop while somebody looks, window by window."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing

from ringfence.analysis.records.drops import DropRecord
from ringfence.analysis.records.flowlog import Count, FlowRecord, Observed, Window, of_connection, of_drop, records
from ringfence.backends.nftables.accounting import Accounting, Carried
from ringfence.backends.nftables.readback import Counter
from ringfence.lab.drops import Drops, Skipped, ensure_recorder
from ringfence.lab.inforce import InForce
from ringfence.lab.names import LabNames
from ringfence.model.packet import ACK, FIN, RST, SYN
from ringfence.model.service import TCP
from ringfence.model.world import World

_TURN = 0.2  # seconds between two looks at connections that have ended
_FIN_WAIT, _TIME_WAIT, _CLOSE = 4, 7, 8  # linux/netfilter/nf_conntrack_tcp.h


class FlowLog:
    """Watches a lab from the moment that it is made. What connections carried before is not in its windows."""

    def __init__(self, names: LabNames) -> None:
        ensure_recorder(names)
        self._names = names
        self._in_force = InForce(names)
        self._closing = ExitStack()
        self._drops = self._closing.enter_context(closing(Drops(names)))
        self._drops.skip()
        self._watched: dict[str, _Watched] = {}
        self._tend()
        self._start = int(time.time())

    @property
    def world(self) -> World:
        """The world that the lab enforces, as of the last window's end."""
        return self._in_force.policy.world

    def window(self, seconds: float) -> list[FlowRecord]:
        """Wait until the window is over, and give its records. An interrupt from the keyboard ends it early."""
        deadline = time.monotonic() + seconds
        try:
            while (rest := deadline - time.monotonic()) > 0:
                time.sleep(min(rest, _TURN))
                self._collect()
        except KeyboardInterrupt:
            pass
        return self._end()

    def _collect(self) -> None:
        for watched in self._watched.values():
            watched.collect()

    def _end(self) -> list[FlowRecord]:
        self._in_force.refresh()
        lines = self._drops.new()
        skipped = {line.vpc for line in lines if isinstance(line, Skipped)}
        observed = [it for line in lines if isinstance(line, DropRecord) for it in of_drop(line)]
        for vpc, watched in self._watched.items():
            observed += watched.observed(self._in_force)
            if watched.has_missed():
                skipped.add(vpc)
        window = Window(self._start, max(int(time.time()), self._start + 1))
        self._start = window.end
        self._tend()
        return records(window, observed, self.world.ports, skipped)

    def _tend(self) -> None:
        """Watch the VPCs that there are now."""
        for vpc in self._watched.keys() - self.world.vpcs.keys():
            self._watched.pop(vpc)
        for vpc in self.world.vpcs.keys() - self._watched.keys():
            accounting = self._closing.enter_context(closing(Accounting(self._names.vpc(vpc), vpc)))
            self._watched[vpc] = _Watched(accounting)

    def close(self) -> None:
        """Look no longer."""
        self._closing.close()


class _Watched:
    """The connections of one VPC, and what they had carried when the window began."""

    def __init__(self, accounting: Accounting) -> None:
        self._accounting = accounting
        self._before = {it.handle: it for it in accounting.now()}
        self._ended: list[Carried] = []
        self._missed = False

    def collect(self) -> None:
        """Hear of those that have ended."""
        ended, missed = self._accounting.ended()
        self._ended += ended
        self._missed = self._missed or missed

    def has_missed(self) -> bool:
        """Whether more connections have ended than we could hear of, since this was last asked."""
        missed, self._missed = self._missed, False
        return missed

    def observed(self, in_force: InForce) -> Iterator[Observed]:
        """What they have carried since the window began; the next one begins."""
        self.collect()
        ended, self._ended = self._ended, []
        for it in ended:
            yield from self._observed(in_force, it)
        # A handle may be that of an earlier connection with the same key, so the order matters: an end that we hear of
        # after this look at the table is that of an entry which was in it.
        now = {it.handle: it for it in self._accounting.now()}
        self.collect()
        gone = {it.handle: it for it in self._ended}
        for it in (now | gone).values():
            yield from self._observed(in_force, it)
        self._before = {handle: it for handle, it in now.items() if handle not in gone}
        self._ended = []

    def _observed(self, in_force: InForce, carried: Carried) -> Iterator[Observed]:
        before = self._before.pop(carried.handle, None)
        if before and carried.sent.packets < before.sent.packets:  # that one's end was not heard of
            before = None
        sent, answered = carried.sent, carried.answered
        if before:
            sent, answered = _less(sent, before.sent), _less(answered, before.answered)
        forward, back = _flags(carried, before)
        counts = Count(*sent, tcp_flags=forward), Count(*answered, tcp_flags=back)
        yield from of_connection(in_force.policy, carried.connection, *counts)


def _less(count: Counter, before: Counter) -> Counter:
    return Counter(count.packets - before.packets, count.bytes - before.bytes)


def _flags(carried: Carried, before: Carried | None) -> tuple[int, int]:
    """What the state of a TCP connection tells of the flags in the window, each way; conntrack keeps no others."""
    if carried.connection.protocol != TCP:
        return 0, 0
    opened, closed = (SYN, SYN | ACK) if before is None else (0, 0), 0
    if _FIN_WAIT <= carried.tcp_state <= _TIME_WAIT and (before is None or before.tcp_state < _FIN_WAIT):
        closed = FIN
    elif carried.tcp_state == _CLOSE:
        closed = RST
    return opened[0] | closed, opened[1] | closed
