"""Seeing packets: capture sockets inside namespaces, and marker frames that prove a capture alive."""

from __future__ import annotations

import errno
import os
import select
import socket
import struct
import time
from collections.abc import Iterable

from ringfence.backends.netns import inside
from ringfence.errors import ProbeFailed
from ringfence.lab.links import Spot
from ringfence.lab.packets import MARKER_TYPE, Sighting, recognise
from ringfence.lab.topology import Place

# linux/if_packet.h; Python names none of them
_SOL_PACKET = 263
_PACKET_STATISTICS = 6
_PACKET_IGNORE_OUTGOING = 23
_PACKET_OTHERHOST, _PACKET_OUTGOING = 3, 4
_ETH_P_ALL = 3
_SO_RCVBUFFORCE = 33
_COOKED = socket.SOCK_DGRAM | socket.SOCK_NONBLOCK
_BUFFER = 64 << 20  # bytes; a burst of first packets and whatever else the lab is doing
_AT_ONCE = 1 << 16  # packets; a flood in the lab must not keep us reading for ever
_SNAP = 256  # bytes of a packet that are looked at


class Captures:
    """One capture socket for each namespace, opened when first needed; what comes in is kept until `clear`."""

    def __init__(self) -> None:
        self.seen: set[tuple[Spot, Sighting]] = set()
        """What came in."""
        self.taken: set[tuple[Spot, Sighting]] = set()
        """What came in and was addressed to that very interface, so that its network layer takes it."""
        self._markers: set[tuple[Spot, bytes]] = set()
        self._before: dict[tuple[Spot, bytes], Place] = {}
        self._sockets: dict[int, tuple[str, socket.socket]] = {}
        self._watched: set[str] = set()
        self._senders: dict[str, socket.socket] = {}
        self._poll = select.poll()

    def close(self) -> None:
        """Close every socket."""
        for _namespace, listening in self._sockets.values():
            listening.close()
        for sender in self._senders.values():
            sender.close()

    def watch(self, namespaces: Iterable[str]) -> None:
        """See, from now on, everything that comes in on any link of these namespaces."""
        for namespace in set(namespaces) - self._watched:
            with inside(namespace):
                listening = socket.socket(socket.AF_PACKET, _COOKED, socket.htons(_ETH_P_ALL))
            listening.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER)
            listening.setsockopt(_SOL_PACKET, _PACKET_IGNORE_OUTGOING, 1)
            self._sockets[listening.fileno()] = (namespace, listening)
            self._watched.add(namespace)
            self._poll.register(listening, select.POLLIN)

    def clear(self) -> None:
        """Forget what was seen, and what came in while nobody looked."""
        self.collect(0)
        self._lost()
        self.seen.clear()
        self.taken.clear()
        self._markers.clear()

    def collect(self, patience: float) -> bool:
        """Take in what has been captured, waiting ``patience`` seconds for something; whether there was anything."""
        ready = self._poll.poll(patience * 1000)
        for descriptor, _ in ready:
            self._drain(*self._sockets[descriptor])
        return bool(ready)

    def _drain(self, namespace: str, listening: socket.socket) -> None:
        for _ in range(_AT_ONCE):
            try:
                data, (link, ethertype, kind, *_) = listening.recvfrom(_SNAP)
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno != errno.ENETDOWN:  # one of its links went down; markers will tell
                    raise
                continue
            if kind == _PACKET_OUTGOING:
                continue
            if ethertype == MARKER_TYPE:
                self._markers.add((Spot(namespace, link), data))
            elif sighting := recognise(ethertype, data):
                self.seen.add((Spot(namespace, link), sighting))
                if kind != _PACKET_OTHERHOST:
                    self.taken.add((Spot(namespace, link), sighting))

    def check_losses(self) -> None:
        """Raise `ProbeFailed` if the kernel could not hand over everything: then absence proves nothing."""
        if lost := self._lost():
            where = ", ".join(f"{count} in {namespace}" for namespace, count in lost.items())
            raise ProbeFailed(f"the captures lost packets: {where}; try again while the lab is quiet")

    def _lost(self) -> dict[str, int]:
        """How many packets each capture has lost since this was last asked."""
        counts = {
            namespace: int(struct.unpack("=II", listening.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, 8))[1])
            for namespace, listening in self._sockets.values()
        }
        return {namespace: count for namespace, count in counts.items() if count}

    def mark(self, places: Iterable[Place]) -> None:
        """Send marker frames before anything else: `lapses` looks whether they came in."""
        self._before = self._sent(set(places))

    def lapses(self, places: Iterable[Place], rounds: int, patience: float) -> dict[Place, str]:
        """Of which places it proves nothing that something was not seen there, and why.

        For it marker frames go through the outer end of each place's link. Each round waits for the one before. Frames
        queue in order, so that whatever had come to the router before the first marker went out, and was let pass, is
        captured before the last marker is: one round for each hop between.
        """
        asked = set(places)
        alive = asked
        for _ in range(rounds):
            sent = self._sent(alive)
            deadline = time.monotonic() + patience
            while not sent.keys() <= self._markers and (rest := deadline - time.monotonic()) > 0:
                self.collect(rest)
            alive = self._seen_by(sent)
        late = alive - self._seen_by(self._before)
        dead = {it: f"the capture at {it.told} saw no marker either: {it.link} is dead" for it in asked - alive}
        return dead | {it: f"{it.link} of {it.told} carried nothing yet when it was sent; try again" for it in late}

    def _sent(self, places: Iterable[Place]) -> dict[tuple[Spot, bytes], Place]:
        """Send a marker frame to each place that one can be sent to; gives who is to see which."""
        nonce = os.urandom(16)
        sent = (place for place in places if self._send_marker(place, nonce))
        return {(Spot(place.namespace, place.link), nonce): place for place in sent}

    def _seen_by(self, sent: dict[tuple[Spot, bytes], Place]) -> set[Place]:
        return {place for key, place in sent.items() if key in self._markers}

    def _send_marker(self, place: Place, nonce: bytes) -> bool:
        if place.gate_namespace not in self._senders:
            with inside(place.gate_namespace):
                self._senders[place.gate_namespace] = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        frame = b"\xff" * 6 + b"\x02" + bytes(5) + MARKER_TYPE.to_bytes(2) + nonce
        try:
            self._senders[place.gate_namespace].sendto(frame, (place.gate, MARKER_TYPE))
        except OSError:  # the link is down or gone; no marker comes, which is what this proves
            return False
        return True
