"""Live connections of a lab: real sockets inside both ends, and whether packets still pass in both directions."""

from __future__ import annotations

import select
import socket
import struct
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import count

from ringfence.backends.netns import inside
from ringfence.lab.lab import Lab
from ringfence.model.address import Family
from ringfence.model.connection import Connection
from ringfence.model.topology import Port, VirtualIp
from tests.live.cells import FLOWS, PROTOCOLS

_FAMILIES = {Family.IPV4: socket.AF_INET, Family.IPV6: socket.AF_INET6}
_SOON, _LATE, _TURN = 0.3, 10.0, 0.02  # seconds: for what must not come; for what must; between two looks
_numbers = count(20_000)  # source ports and ids: none is used twice
_tokens = count(1)
_GRE_HEADER = bytes.fromhex("00000800")
_ECHO = {Family.IPV4: (8, 0), Family.IPV6: (128, 129)}  # types of request and reply


class LiveFlow(ABC):
    """A connection that can be asked again and again whether it lives; ``name`` is one of `FLOWS`, or its two ends."""

    def __init__(self, lab: Lab, name: str, protocol: str, family: Family, number: int = 0) -> None:
        self.lab, self.name, self.protocol, self.family = lab, name, protocol, family
        self.number = number or next(_numbers)
        """Its source port and its destination port, or its ICMP id."""
        source, destination = FLOWS.get(name) or name.split()
        self._ends = [str(lab.world.endpoint(end, family).address) for end in (source, destination)]
        self._namespaces = [_namespace(lab, end) for end in (source, destination)]
        self._wanted = b""
        self.heard = False
        self.sockets: list[socket.socket] = []
        self._open()

    def _socket(self, end: int, kind: int, protocol: int = 0) -> socket.socket:
        with inside(self._namespaces[end]):
            made = socket.socket(_FAMILIES[self.family], kind | socket.SOCK_NONBLOCK, protocol)
        self.sockets.append(made)
        return made

    def ask(self) -> None:
        """Have the source ask something that the destination answers."""
        self._wanted, self.heard = struct.pack("!Q", next(_tokens)), False
        self.turn()

    @abstractmethod
    def _open(self) -> None: ...

    @abstractmethod
    def turn(self) -> None:
        """Send what waits to be sent, and take what has come."""

    def is_known_as(self, connection: Connection) -> bool:
        """Whether conntrack knows it by this name."""
        ends = [str(connection.source), str(connection.destination)]
        number = _number(self.protocol, self.family)
        same = (ends, connection.protocol) == (self._ends, number)
        return same and connection.source_port == (0 if self.protocol == "gre" else self.number)

    def close(self) -> None:
        """Close its sockets, without a word to the other end where that is possible."""
        while self.sockets:
            gone = self.sockets.pop()
            if gone.type == socket.SOCK_STREAM:
                gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            gone.close()

    def __str__(self) -> str:
        return f"{self.name} {self.protocol} {self.family}"


class _Stream(LiveFlow):
    """TCP: asks by eight bytes, and waits for the same bytes."""

    def _open(self) -> None:
        listener = self._socket(1, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._client = self._socket(0, socket.SOCK_STREAM)
        self._client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._client.bind((self._ends[0], self.number))
        listener.bind((self._ends[1], self.number))
        listener.listen(1)
        self._listener, self._unsent, self._got = listener, b"", b""
        self._server: socket.socket | None = None
        self._client.connect_ex((self._ends[1], self.number))

    def ask(self) -> None:
        self._unsent = struct.pack("!Q", next(_tokens))
        self._wanted, self.heard = self._unsent, False
        self.turn()

    def turn(self) -> None:
        with suppress(BlockingIOError):
            server, _ = self._listener.accept()
            server.setblocking(False)
            self.sockets.append(server)
            self._server = server
        if self._unsent:
            with suppress(BlockingIOError, BrokenPipeError):
                self._client.send(self._unsent)
                self._unsent = b""
        if self._server:
            with suppress(BlockingIOError):
                self._server.send(self._server.recv(4096))
        with suppress(BlockingIOError, OSError):
            self._got += self._client.recv(4096)
        self.heard = self._got.endswith(self._wanted)


class _Datagrams(LiveFlow):
    """UDP: a packet there, the same one back."""

    _kind, _has_ports = socket.SOCK_DGRAM, True

    def _open(self) -> None:
        port, number = self.number if self._has_ports else 0, _number(self.protocol, self.family)
        self._client, self._server = (self._socket(end, self._kind, number) for end in (0, 1))
        for made, own, other in ((self._client, 0, 1), (self._server, 1, 0)):
            made.bind((self._ends[own], port))
            made.connect((self._ends[other], port))

    def ask(self) -> None:
        super().ask()
        with suppress(OSError):  # an earlier packet's error
            self._client.send(self._packed(b"Q" + self._wanted))

    def turn(self) -> None:
        for question in map(self._text, _received(self._server)):
            if question.startswith(b"Q"):
                with suppress(OSError):
                    self._server.send(self._packed(b"A" + question[1:]))
        for answer in map(self._text, _received(self._client)):
            self.heard = self.heard or answer == b"A" + self._wanted

    def _packed(self, text: bytes) -> bytes:
        return text

    def _text(self, packet: bytes) -> bytes:
        return packet


class _Gre(_Datagrams):
    """The same, without ports."""

    _kind, _has_ports = socket.SOCK_RAW, False

    def _packed(self, text: bytes) -> bytes:
        return _GRE_HEADER + text

    def _text(self, packet: bytes) -> bytes:
        return (packet[(packet[0] & 15) * 4 :] if self.family is Family.IPV4 else packet)[len(_GRE_HEADER) :]


class _Echo(LiveFlow):
    """ICMP: the destination's kernel answers."""

    def _open(self) -> None:
        self._client = self._socket(0, socket.SOCK_RAW, _number("icmp", self.family))
        self._client.bind((self._ends[0], 0))
        self._client.connect((self._ends[1], 0))

    def ask(self) -> None:
        super().ask()
        with suppress(OSError):
            self._client.send(self._echo(_ECHO[self.family][0]))

    def turn(self) -> None:
        for packet in _received(self._client):
            echo = packet[(packet[0] & 15) * 4 :] if self.family is Family.IPV4 else packet
            expected = self._echo(_ECHO[self.family][1])
            self.heard = self.heard or (echo[0], echo[4:]) == (expected[0], expected[4:])

    def _echo(self, kind: int) -> bytes:
        body = struct.pack("!BBHHH", kind, 0, 0, self.number & 0xFFFF, 1) + self._wanted
        total = sum(struct.unpack(f"!{len(body) // 2}H", body))
        while total >> 16:
            total = (total & 0xFFFF) + (total >> 16)
        return body[:2] + struct.pack("!H", ~total & 0xFFFF) + body[4:]  # of ICMPv6 the kernel writes it


class _Unanswered(_Datagrams):
    """UDP to which nothing is said: it lives if what is asked arrives."""

    def turn(self) -> None:
        for question in map(self._text, _received(self._server)):
            self.heard = self.heard or question == b"Q" + self._wanted


class _Sctp(_Unanswered):
    """SCTP's first packet again and again, each with another tag. It has ports of its own, unlike GRE."""

    _kind, _has_ports = socket.SOCK_RAW, False

    def _packed(self, text: bytes) -> bytes:
        ports = struct.pack("!HH", self.number, self.number)
        return ports + bytes(8) + struct.pack("!BBH", 1, 0, 20) + text[5:] + bytes([0, 1, 0, 0, 0, 1, 0, 1]) + text[1:5]

    def _text(self, packet: bytes) -> bytes:
        init = packet[(packet[0] & 15) * 4 :] if self.family is Family.IPV4 else packet
        return b"Q" + init[28:32] + init[16:20]


_KINDS: dict[str, type[LiveFlow]] = {
    "tcp": _Stream,
    "udp": _Datagrams,
    "unanswered": _Unanswered,
    "sctp": _Sctp,
    "gre": _Gre,
    "icmp": _Echo,
}


def _number(protocol: str, family: Family) -> int:
    own = {"sctp": 132, "unanswered": PROTOCOLS["udp"][0]}
    return own.get(protocol) or PROTOCOLS[protocol][family is Family.IPV6]


def _received(of: socket.socket) -> Iterator[bytes]:
    while True:
        try:
            yield of.recv(4096)
        except BlockingIOError:
            return
        except OSError:  # an ICMP error about what was sent before
            continue


def _namespace(lab: Lab, end: str) -> str:
    found = lab.world.resolve(end)
    if isinstance(found, VirtualIp):
        found = lab.world.port_by_name[found.active]
    return lab.namespace(found.instance if isinstance(found, Port) else found.name)


def begin(lab: Lab, name: str, protocol: str, family: Family, number: int = 0) -> LiveFlow:
    """Begin a connection; whether it comes about, `living` tells."""
    return _KINDS[protocol](lab, name, protocol, family, number)


def living(flows: Iterable[LiveFlow], expected: Iterable[LiveFlow]) -> set[LiveFlow]:
    """Which of the flows live: packets pass there and back.

    It waits long for what is expected. All ask at once, and packets through a lab need no time but the kernel's: what
    is not expected had its chance when all that is expected has come, and a moment more.
    """
    asked, awaited = list(flows), set(expected)
    for flow in asked:
        flow.ask()
    deadline = time.monotonic() + _LATE
    while time.monotonic() < deadline and any(not flow.heard for flow in awaited):
        turn(asked)
    soon = time.monotonic() + _SOON
    while time.monotonic() < soon and any(not flow.heard for flow in asked):
        turn(asked)
    return {flow for flow in asked if flow.heard}


def turn(flows: list[LiveFlow]) -> None:
    """Wait a moment for packets, and have each flow take what has come."""
    waiting = select.poll()
    for one in (one for flow in flows for one in flow.sockets):
        waiting.register(one, select.POLLIN)
    waiting.poll(_TURN * 1000)
    for flow in flows:
        flow.turn()


@contextmanager
def closing_all() -> Iterator[list[LiveFlow]]:
    """A list of flows that are closed at the end of the block."""
    flows: list[LiveFlow] = []
    try:
        yield flows
    finally:
        for flow in flows:
            flow.close()
