"""The drop log of a namespace: what is dropped is told through nfnetlink_log, a few packets a second.

The kernel tells the header and the links, and by the prefix what conntrack thinks of the packet. Which rule has dropped
it is for the evaluator to say, not for this room.
"""

from __future__ import annotations

import errno
import select
import socket
import struct
import time
from typing import NamedTuple

from ringfence.backends.netns import inside
from ringfence.backends.nftables.netlink import LOG, Message, Netlink, attribute, attributes, messages, text
from ringfence.errors import CannotRun
from ringfence.model.packet import Packet, Tracking

DROP_CHAIN = "dropped"
"""The chain that everything goes to that is denied."""
HELD_CHAIN = "held"
"""The same in the table that holds keys of cut connections."""
GROUP = 1
"""The nflog group of every VPC's namespace; they are apart because the namespaces are."""
RATE, BURST = 50, 100
"""So many records a second in each VPC, and so many at once; the rest is dropped without one (firewalld#439)."""

_SNAP = 128  # bytes of a packet: all headers, and not what people say to each other

# linux/netfilter/nfnetlink_log.h
_PACKET, _CONFIG = LOG << 8, LOG << 8 | 1
_COMMAND, _MODE, _THRESHOLD, _FLAGS = 1, 2, 5, 6
_BIND = b"\1"
_COPY_PACKET = 2
_WITH_SEQUENCE = 1
_HEADER, _IN, _OUT, _PAYLOAD, _PREFIX, _SEQUENCE = 1, 4, 5, 9, 10, 12
_AT_ONCE = 1 << 10  # datagrams
_PREFIXES = {"": Tracking.NEW} | {str(tracking): tracking for tracking in Tracking}
_PREROUTING = 0  # the hook before conntrack


def drop_rules() -> list[str]:
    """The rules of `DROP_CHAIN`.

    Beyond the rate only the first rule sees a packet, and counts it: `Hits.of_chain` tells how many.
    """
    log = f"group {GROUP} snaplen {_SNAP}"
    states = {
        "ct state invalid": Tracking.INVALID,
        "ct state related": Tracking.RELATED,
        "ct state established ct direction original": Tracking.ESTABLISHED,
        "ct direction reply": Tracking.REPLY,
    }
    return [
        f"limit rate over {RATE}/second burst {BURST} packets counter drop",
        *(f'{match} log prefix "{state}" {log} drop' for match, state in states.items()),
        f"log {log}",
        "drop",
    ]


def held_rules() -> list[str]:
    """The rules of `HELD_CHAIN`."""
    limit, *_ = drop_rules()
    return [limit, f'log prefix "{Tracking.HELD}" group {GROUP} snaplen {_SNAP}', "drop"]


class Dropped(NamedTuple):
    """A packet that was dropped: when (seconds since 1970), what conntrack said, by which links, and what it was."""

    time: float
    tracking: Tracking
    incoming: str
    """The link by which it came."""
    outgoing: str
    """The link by which it would have left; empty before routing."""
    packet: Packet


class DropLog:
    """Reads the drop log of a namespace. Only one reader at a time can: raises `CannotRun` if there is another."""

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace
        self._netlink = Netlink(namespace)
        self._links: dict[int, str] = {}
        self._next: int | None = None
        self.lost = 0
        """Records that the kernel had and could not hand over."""
        try:
            self._bind()
        except OSError as error:
            self._netlink.close()
            taken = "another program reads it" if error.errno in (errno.EBUSY, errno.EPERM) else error.strerror
            raise CannotRun(f"the drop log of {namespace} cannot be read: {taken}") from None

    def _bind(self) -> None:
        for kind, value in (
            (_COMMAND, _BIND + bytes(3)),
            (_MODE, struct.pack(">IBx", _SNAP, _COPY_PACKET)),
            (_THRESHOLD, struct.pack(">I", 1)),  # each record as soon as it is there
            (_FLAGS, struct.pack(">H", _WITH_SEQUENCE)),
        ):
            payload = attribute(kind, value)
            self._netlink.ask(_CONFIG, payload, resource=GROUP)

    def fileno(self) -> int:
        """For `select.poll`: it is readable when there is something to read."""
        return self._netlink.socket.fileno()

    def read(self, patience: float = 0) -> list[Dropped]:
        """What has been logged since the last call; waits up to ``patience`` seconds for something."""
        found: list[Dropped] = []
        waiting = select.poll()
        waiting.register(self, select.POLLIN)
        for _ in range(_AT_ONCE):
            if not waiting.poll(0 if found else patience * 1000):
                break
            found += self._datagram()
        return found

    def _datagram(self) -> list[Dropped]:
        try:
            data = self._netlink.socket.recv(1 << 16)
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                raise
            return []  # the gap in the sequence tells how many
        now = time.time()
        told = (message for _, _, message in messages(data) if message.kind == _PACKET)
        return [dropped for message in told if (dropped := self._dropped(now, message))]

    def _dropped(self, now: float, message: Message) -> Dropped | None:
        parts = dict(attributes(message.body))
        self._count(parts)
        packet = Packet.parse(bytes(parts.get(_PAYLOAD, b"")))
        if packet is None or _HEADER not in parts:
            return None
        tracking = _tracking(parts)
        if tracking is None:
            return None
        return Dropped(now, tracking, self._link(parts.get(_IN)), self._link(parts.get(_OUT)), packet)

    def _count(self, parts: dict[int, memoryview]) -> None:
        if _SEQUENCE in parts:
            number = int.from_bytes(parts[_SEQUENCE])
            if self._next is not None:
                self.lost += number - self._next & 0xFFFFFFFF
            self._next = number + 1

    def _link(self, index: memoryview | None) -> str:
        """A link's name; it may have gone since."""
        if index is None:
            return ""
        number = int.from_bytes(index)
        if number not in self._links:
            try:
                with inside(self._namespace):
                    self._links[number] = socket.if_indextoname(number)
            except OSError:
                return ""
        return self._links[number]

    def close(self) -> None:
        """Leave the log to another reader."""
        self._netlink.close()


def _tracking(parts: dict[int, memoryview]) -> Tracking | None:
    """What the prefix says; None if no rule of ours has such a one."""
    if parts[_HEADER][2] == _PREROUTING:
        return Tracking.UNSEEN
    return _PREFIXES.get(text(parts[_PREFIX]) if _PREFIX in parts else "")
