"""The wires of a lab: sending any frame from a guest, and hearing what really comes in at one.

The witness shares no code with the lab's probes. That nothing came is believed only after marker frames, sent later
through the same link, were heard: they queue behind whatever the router had let pass.
"""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ringfence.backends.netns import inside
from ringfence.lab.lab import Lab
from ringfence.lab.topology import Places
from ringfence.model.address import Address, Family
from tests.peers.frames import BROADCAST, ethertype_of, frame

_ALL = 3  # ETH_P_ALL
_MARKER = 0x88B5
_SOL_PACKET, _STATISTICS, _IGNORE_OUTGOING, _RCVBUFFORCE = 263, 6, 23, 33
_PROCESSORS = sorted(os.sched_getaffinity(0))
_ROUNDS = 4  # more than a packet has hops in a lab


@dataclass(frozen=True, slots=True)
class Nic:
    """A guest's interface, and the router's end of its link."""

    namespace: str
    link: str
    mac: bytes
    router: str
    outer: str
    outer_mac: bytes

    @property
    def link_local(self) -> Address:
        """The address made of its MAC address (RFC 4291, appendix A)."""
        eui = bytes([self.mac[0] ^ 2]) + self.mac[1:3] + b"\xff\xfe" + self.mac[3:]
        return Address(Family.IPV6, 0xFE80 << 112 | int.from_bytes(eui))


@lru_cache(maxsize=64)
def nic(lab: Lab, name: str) -> Nic:
    """The interface of an instance or outside host."""
    place = Places(lab.world, lab.names).source(lab.world.endpoint(name, Family.IPV4))
    assert place
    macs = [_mac(where, link) for where, link in ((place.namespace, place.link), (place.gate_namespace, place.gate))]
    return Nic(place.namespace, place.link, macs[0], place.gate_namespace, place.gate, macs[1])


def address(lab: Lab, name: str, family: Family) -> Address:
    """An address of an instance or outside host."""
    return lab.world.endpoint(name, family).address


def token() -> bytes:
    """Bytes by which a frame is known wherever it comes in."""
    return os.urandom(12)


def raw_socket(namespace: str, link: str, protocol: int = 0) -> socket.socket:
    """A socket for whole frames on one link."""
    with inside(namespace):
        made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK)
        made.bind((link, protocol))
    return made


def _mac(namespace: str, link: str) -> bytes:
    found = _sender(namespace, link).getsockname()[4]
    assert isinstance(found, bytes)
    return found


_senders: dict[tuple[str, str], socket.socket] = {}  # kept, because the kernel takes its time to close one


def _sender(namespace: str, link: str) -> socket.socket:
    if (namespace, link) not in _senders:
        _senders[namespace, link] = raw_socket(namespace, link)
    return _senders[namespace, link]


def close_senders() -> None:
    """Close what sent frames; a lab's namespaces live as long as a socket in them."""
    while _senders:
        _senders.popitem()[1].close()
    nic.cache_clear()


def send(card: Nic, *frames: bytes) -> None:
    """Send whole frames from a guest."""
    for each in frames:
        _sender(card.namespace, card.link).send(each)


def send_packets(card: Nic, *packets: bytes) -> None:
    """Send IP packets from a guest to its router."""
    send(card, *(frame(card.outer_mac, card.mac, ethertype_of(packet), packet) for packet in packets))


class Ear:
    """Hears every frame that comes in at a guest's interface."""

    def __init__(self, card: Nic) -> None:
        self._card = card
        self._socket = raw_socket(card.namespace, card.link, _ALL)
        self._socket.setsockopt(socket.SOL_SOCKET, _RCVBUFFORCE, 32 << 20)
        self._socket.setsockopt(_SOL_PACKET, _IGNORE_OUTGOING, 1)
        self._frames: list[bytes] = []

    def close(self) -> None:
        self._socket.close()

    def heard(self) -> list[bytes]:
        """Every frame so far, markers apart; first waits for what is still on its way."""
        for _ in range(_ROUNDS):
            self._mark()
        lost = self._socket.getsockopt(_SOL_PACKET, _STATISTICS, 8)[4:]
        assert lost == bytes(4), "the ear lost frames; nothing can be concluded"
        return self._frames

    def collect(self) -> None:
        """Take in what has come so far, so that the kernel's buffer does not run over."""
        self._take(b"")

    def hears(self, mark: bytes) -> bool:
        """Whether a frame with these bytes in it has come in."""
        return any(mark in each for each in self.heard())

    def _mark(self) -> None:
        nonce = token()
        _sender(self._card.router, self._card.outer).send(frame(BROADCAST, self._card.outer_mac, _MARKER, nonce))
        deadline = time.monotonic() + 2
        while not self._take(nonce):
            assert time.monotonic() < deadline, "no marker came in either: the link is dead"
            select.select([self._socket], [], [], 0.1)

    def _take(self, nonce: bytes) -> bool:
        """Take in what has come; whether the marker was there."""
        marked = False
        while True:
            try:
                data = self._socket.recv(65536)
            except BlockingIOError:
                return marked
            if data[12:14] == _MARKER.to_bytes(2):
                marked |= nonce in data
            else:
                self._frames.append(data)


def until(condition: Callable[[], bool], seconds: float = 5) -> bool:
    """Whether it comes true in time."""
    deadline = time.monotonic() + seconds
    while not (met := condition()) and time.monotonic() < deadline:
        time.sleep(0.005)
    return met


@contextmanager
def listening(card: Nic) -> Iterator[Ear]:
    """Hear from now on. Stays on one processor, so that a marker queues behind the frames sent before it."""
    os.sched_setaffinity(0, _PROCESSORS[:1])
    ear = Ear(card)
    try:
        yield ear
    finally:
        ear.close()
        os.sched_setaffinity(0, _PROCESSORS)


def use_another_processor(pid: int) -> None:
    """Have a process (0: this thread) run beside whoever is `listening`, not in turn with it, where there are two."""
    os.sched_setaffinity(pid, _PROCESSORS[1:] or _PROCESSORS)


class Flood:
    """A process that sends frames from a guest until it is ended."""

    def __init__(self, card: Nic, frames: Iterable[bytes], pause: float) -> None:
        command = [sys.executable, "-I", "-S", str(Path(__file__).with_name("flood.py")), card.link, str(pause)]
        with inside(card.namespace):
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        use_another_processor(self._process.pid)
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write("\n".join(each.hex() for each in frames))
        self._process.stdin.close()
        assert self._process.stdout.readline() == "go\n"

    def kill(self) -> None:
        """End it whatever it does."""
        self._process.kill()
        self._process.wait()
        assert self._process.stdout
        self._process.stdout.close()

    def end(self) -> int:
        """End it; gives how many frames it sent."""
        self._process.terminate()
        assert self._process.stdout
        count = int(self._process.stdout.read())
        assert self._process.wait(5) == 0
        return count


@contextmanager
def flooding(card: Nic, packets: Iterable[bytes], pause: float = 0) -> Iterator[Flood]:
    """Send IP packets from a guest to its router in turn, again and again, with ``pause`` seconds after each."""
    flood = Flood(card, (frame(card.outer_mac, card.mac, ethertype_of(packet), packet) for packet in packets), pause)
    try:
        yield flood
    finally:
        flood.kill()
