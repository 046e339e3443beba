"""What each connection of a namespace has carried: its counters in the conntrack table, and at its end.

The kernel counts where ``nf_conntrack_acct`` is on. It tells the end only of connections that began after somebody
asked to be told.
"""

from __future__ import annotations

import errno
import select
import socket
from collections.abc import Iterator
from typing import NamedTuple

from ringfence.backends.nftables.conntrack import read_entry, tcp_state
from ringfence.backends.nftables.netlink import CONNTRACK, Netlink, attributes, messages
from ringfence.backends.nftables.readback import Counter
from ringfence.model.connection import Connection
from ringfence.model.service import TCP

_GET, _ENDED = CONNTRACK << 8 | 1, CONNTRACK << 8 | 2
_STATE, _SENT, _ANSWERED = 4, 9, 10  # CTA_PROTOINFO, CTA_COUNTERS_ORIG, CTA_COUNTERS_REPLY
_PACKETS, _BYTES = 1, 2
_DESTROY_GROUP = 3  # NFNLGRP_CONNTRACK_DESTROY
_SOL_NETLINK, _ADD_MEMBERSHIP = 270, 1
_RECEIVE_FORCED = 33  # SO_RCVBUFFORCE; Python does not name it
_BUFFER = 16 << 20  # bytes: many connections may end at once
_AT_ONCE = 1 << 16  # datagrams


class Carried(NamedTuple):
    """What a connection has carried since it began."""

    connection: Connection
    handle: bytes
    """By what the kernel knows it and no later one."""
    sent: Counter
    """Packets that went the way of its first one."""
    answered: Counter
    tcp_state: int = 0
    """As in linux/netfilter/nf_conntrack_tcp.h; 0 if it is not TCP."""


class Accounting:
    """Asks for the connections of one namespace, and hears of those that end."""

    def __init__(self, namespace: str, vpc: str) -> None:
        self._vpc = vpc
        self._asking, self._hearing = Netlink(namespace), Netlink(namespace)
        hearing = self._hearing.socket
        hearing.setsockopt(socket.SOL_SOCKET, _RECEIVE_FORCED, _BUFFER)
        hearing.setsockopt(_SOL_NETLINK, _ADD_MEMBERSHIP, _DESTROY_GROUP)
        hearing.setblocking(False)
        self._waiting = select.poll()
        self._waiting.register(hearing, select.POLLIN)

    def now(self) -> list[Carried]:
        """Every connection that is in the table."""
        return [_carried(self._vpc, message.body) for message in self._asking.dump(_GET)]

    def ended(self) -> tuple[list[Carried], bool]:
        """The connections that have ended since the last call, and whether there were more than we could hear of."""
        found: list[Carried] = []
        missed = False
        for _ in range(_AT_ONCE):
            if not self._waiting.poll(0):
                break
            try:
                found += self._told(self._hearing.socket.recv(1 << 16))
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                missed = True
        return found, missed

    def _told(self, data: bytes) -> Iterator[Carried]:
        return (_carried(self._vpc, message.body) for _, _, message in messages(data) if message.kind == _ENDED)

    def close(self) -> None:
        """Close the sockets."""
        self._asking.close()
        self._hearing.close()


def _carried(vpc: str, body: memoryview) -> Carried:
    connection, handle = read_entry(vpc, body)
    parts = dict(attributes(body))
    state = tcp_state(parts[_STATE]) if connection.protocol == TCP and _STATE in parts else 0
    return Carried(connection, handle, _count(parts.get(_SENT)), _count(parts.get(_ANSWERED)), state)


def _count(data: memoryview | None) -> Counter:
    numbers = {kind: int.from_bytes(value) for kind, value in attributes(data)} if data else {}
    return Counter(numbers.get(_PACKETS, 0), numbers.get(_BYTES, 0))
