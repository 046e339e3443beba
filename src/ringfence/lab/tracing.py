"""The way of one packet through a guest's own rules, as the kernel traces it (nft-monitor(8), `meta nftrace`).

A table of our own marks the packet before any rule of the guest sees it, and stands after the last one to see whether
it came so far. The table judges nothing. It belongs to our socket (`flags owner`): however we end, the kernel takes it
away.
"""

from __future__ import annotations

import errno
import os
import re
import select
import time
from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from ringfence.backends.nftables.library import Nft
from ringfence.backends.nftables.netlink import NFTABLES, Message, Netlink, attributes, messages, text
from ringfence.errors import KernelRefused, ProbeFailed
from ringfence.lab.numbers import NUMBERS
from ringfence.model.address import Address, Family
from ringfence.model.flow import Flow
from ringfence.model.rule import Direction
from ringfence.model.service import TCP, UDP

# linux/netfilter/nf_tables.h, nfnetlink.h; the verdicts of linux/netfilter.h
_TRACES, _TRACE = 9, NFTABLES << 8 | 17  # NFNLGRP_NFTRACE, NFT_MSG_TRACE
_SOL_NETLINK, _ADD_MEMBERSHIP = 270, 1
_TABLE, _CHAIN, _HANDLE, _KIND, _VERDICT, _ID, _NETWORK, _TRANSPORT, _POLICY = 1, 2, 3, 4, 5, 6, 8, 9, 16
_BY_POLICY, _BY_RULE = 1, 3
_DROP = 0
FAMILIES = {1: "inet", 2: "ip", 3: "arp", 5: "netdev", 7: "bridge", 10: "ip6"}
"""How nft calls the kernel's families of tables."""

_FIRST, _LAST = -(1 << 31), (1 << 31) - 1  # priorities: before every rule of the guest, and after
_PATIENCE = 0.3  # seconds for the rest of a packet's way, which takes microseconds
_RULE = re.compile(r"(.*?) # handle (\d+)$", re.MULTILINE | re.DOTALL)
_MARK = "first"


class Fate(StrEnum):
    """What became of the packet in the guest."""

    UNSEEN = "unseen"
    """It did not come to where the guest's first rule could see it."""
    DROPPED = "dropped"
    """A rule of the guest's, or a chain's policy, dropped it."""
    LOST = "lost"
    """It came in, no rule of nftables dropped it, and it did not come out behind the last one."""
    DELIVERED = "delivered"
    """It came to the guest's sockets."""
    SENT = "sent"
    """It left: it is the guest's own, or the guest passed it on."""


_FATES = {"input": Fate.DELIVERED, "postrouting": Fate.SENT}  # by the hook to which it came last


class Trace(NamedTuple):
    """A packet's fate; ``rule`` and ``chain`` say who dropped it; ``destination`` is where it was bound in the end."""

    fate: Fate
    rule: str = ""
    chain: str = ""
    destination: tuple[Address, int | None] | None = None


class _Event(NamedTuple):
    """One thing that the kernel tells of a traced packet."""

    packet: int
    family: str
    table: str
    chain: str
    rule: int
    drops: bool
    destination: tuple[Address, int | None] | None

    @classmethod
    def read(cls, message: Message) -> _Event:
        told = dict(attributes(message.body))
        kind = _number(told.get(_KIND))
        verdict = dict(attributes(told[_VERDICT])).get(1) if _VERDICT in told else None
        by_rule = kind == _BY_RULE and verdict is not None and _number(verdict) == _DROP
        by_policy = kind == _BY_POLICY and _POLICY in told and _number(told[_POLICY]) == _DROP
        return cls(
            _number(told.get(_ID)),
            FAMILIES[message.family],
            text(told.get(_TABLE, memoryview(b""))),
            text(told.get(_CHAIN, memoryview(b""))),
            _number(told.get(_HANDLE)) if kind == _BY_RULE else 0,
            by_rule or by_policy,
            _destination(bytes(told.get(_NETWORK, b"")), bytes(told.get(_TRANSPORT, b""))),
        )


def _number(value: memoryview | None) -> int:
    return int.from_bytes(value or b"")


def _destination(network: bytes, transport: bytes) -> tuple[Address, int | None] | None:
    """Where the headers say that the packet goes, with a port over TCP and UDP."""
    if len(network) >= 20 and network[0] >> 4 == 4:
        protocol, address = network[9], Address(Family.IPV4, int.from_bytes(network[16:20]))
    elif len(network) >= 40:
        protocol, address = network[6], Address(Family.IPV6, int.from_bytes(network[24:40]))
    else:
        return None
    return address, int.from_bytes(transport[2:4]) if protocol in (TCP, UDP) else None


class Tracer:
    """Traces the first packet of a flow that a probe sends, in the guest that sends it or takes it.

    Make it before the probe is sent, ask `trace` after, and close it. ``table`` is what the name of its table begins
    with; ``link`` is the guest's end of its port.
    """

    def __init__(self, namespace: str, table: str, flow: Flow, direction: Direction, link: str) -> None:
        self._table = f"{table}-{os.getpid()}"
        self._nft = Nft(namespace)
        self._socket = Netlink(namespace).socket
        try:
            self._socket.setsockopt(_SOL_NETLINK, _ADD_MEMBERSHIP, _TRACES)
            self._nft.run(_marking(self._table, flow, direction, link))
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Take the table away, and only it."""
        self._socket.close()
        self._nft.close()  # the table's owner is gone, and so is the table

    def trace(self) -> Trace:
        """The way of the first packet that was marked; raises `ProbeFailed` if the kernel could not tell all of it."""
        events = self._collect()
        if not events:
            return Trace(Fate.UNSEEN)
        for number, event in enumerate(events):
            if event.drops:
                return self._dropped(events[: number + 1])
        end = next((event for event in events if self._is_end(event)), None)  # the first of a chain has the headers
        if end is None:
            return Trace(Fate.LOST)
        return Trace(_FATES[end.chain], destination=end.destination)

    def _collect(self) -> list[_Event]:
        """What is told of the first marked packet; waits as long as it has not come to an end."""
        found: list[_Event] = []
        ended, deadline = False, time.monotonic() + _PATIENCE
        while (rest := deadline - time.monotonic()) > 0 and self._is_told(0 if ended else rest):
            for event in self._received():
                if event.packet == found[0].packet if found else self._marks(event):
                    found.append(event)
                    ended = ended or event.drops or self._is_end(event)
        return found

    def _is_told(self, patience: float) -> bool:
        return bool(select.select([self._socket], [], [], patience)[0])

    def _marks(self, event: _Event) -> bool:
        return event.table == self._table and event.chain == _MARK

    def _is_end(self, event: _Event) -> bool:
        return event.table == self._table and event.chain in _FATES

    def _received(self) -> Iterator[_Event]:
        try:
            data = self._socket.recv(1 << 16)
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                raise
            raise ProbeFailed("the kernel traced more than it could tell; try again while the guest is quiet") from None
        return (_Event.read(message) for _, _, message in messages(data) if message.kind == _TRACE)

    def _dropped(self, events: list[_Event]) -> Trace:
        """The last event drops. A chain without a name is printed within the rule that jumps to it."""
        event = next((it for it in reversed(events) if not it.chain.startswith("__chain")), events[-1])
        place = f"chain {event.chain} of table {event.family} {event.table}"
        return Trace(Fate.DROPPED, self._rule(event) if event.rule else "policy drop", place)

    def _rule(self, event: _Event) -> str:
        """A rule as nft prints it."""
        try:
            listed = self._nft.show(f"list chain {event.family} {event.table} {event.chain}")
        except KernelRefused:  # the guest has changed its rules meanwhile
            listed = ""
        rules = {int(handle): _one_line(rule) for rule, handle in _RULE.findall(listed)}
        return rules.get(event.rule, f"rule {event.rule}, which is gone")


def _one_line(rule: str) -> str:
    lines = (line.strip() for line in rule.splitlines())
    return " ".join(line for line in lines if line and not line.startswith(("type ", "comment ")))


def _marking(table: str, flow: Flow, direction: Direction, link: str) -> str:
    hook = f'ingress device "{link}"' if direction is Direction.INGRESS else "output"
    ends = [f"chain {end} {{\ntype filter hook {end} priority {_LAST}; policy accept;\n}}" for end in _FATES]
    mark = f"{_matching(flow)} meta nftrace set 1"
    first = f"chain {_MARK} {{\ntype filter hook {hook} priority {_FIRST}; policy accept;\n{mark}\n}}"
    return "\n".join([f"table inet {table} {{\nflags owner;", first, *ends, "}"])


def _matching(flow: Flow) -> str:
    """What the probe's packet has, and of the guest's other traffic between the two ends as little as possible."""
    ip = "ip" if flow.family is Family.IPV4 else "ip6"
    matches = [f"{ip} saddr {flow.source.address} {ip} daddr {flow.destination.address}"]
    matches.append(f"meta l4proto {flow.service.number}")
    if flow.service.port:
        source = flow.source_port or f"{NUMBERS.start}-{NUMBERS.stop - 1}"
        matches.append(f"th dport {flow.service.port} th sport {source}")
    if flow.service.number == TCP:
        matches.append("tcp flags & (syn | ack) == syn")
    return " ".join(matches)
