"""TCP segments as prebuilt frames, and the call that sends many of them at once.

Building a frame in Python costs far more than the kernel takes to forward it, so all are built before the clock runs,
and one sendmmsg(2) hands over a train of them: Python's share of a measurement is one call a train.
"""

from __future__ import annotations

import ctypes
import os
import socket
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ringfence.errors import ProbeFailed
from ringfence.model.address import Address

SYN, ACK = 0x02, 0x10
MAC_CLIENT, MAC_SERVER, MAC_ROUTER = "02:00:00:00:00:01", "02:00:00:00:00:02", "02:00:00:00:00:03"

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Segment:
    """One TCP segment of IPv4 without data."""

    source: Address
    destination: Address
    source_port: int
    destination_port: int
    flags: int
    sequence: int
    acknowledged: int = 0

    def frame(self, sender_mac: str) -> bytes:
        """The segment on the wire, addressed to the router, with all checksums right (conntrack looks at them)."""
        ends = self.source.value.to_bytes(4) + self.destination.value.to_bytes(4)
        tcp = struct.pack(
            ">HHIIBBHHH",
            *(self.source_port, self.destination_port, self.sequence, self.acknowledged),
            *(5 << 4, self.flags, 65535, 0, 0),
        )
        ip = struct.pack(">BBHHHBBH", 0x45, 0, 40, 0, 0x4000, 64, socket.IPPROTO_TCP, 0) + ends
        ip = ip[:10] + _checksum(ip) + ip[12:]
        pseudo = ends + struct.pack(">HH", socket.IPPROTO_TCP, len(tcp))
        tcp = tcp[:16] + _checksum(pseudo + tcp) + tcp[18:]
        return _mac(MAC_ROUTER) + _mac(sender_mac) + b"\x08\x00" + ip + tcp


def _mac(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))


def _checksum(data: bytes) -> bytes:
    total: int = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return (~total & 0xFFFF).to_bytes(2)


@dataclass(frozen=True, slots=True)
class Handshake:
    """The three segments that make a TCP connection."""

    syn: Segment

    @property
    def syn_ack(self) -> Segment:
        """The server's answer."""
        syn = self.syn
        return Segment(
            *(syn.destination, syn.source, syn.destination_port, syn.source_port),
            *(SYN | ACK, 7_000, syn.sequence + 1),
        )

    @property
    def ack(self) -> Segment:
        """What completes the connection."""
        return replace(self.syn, flags=ACK, sequence=self.syn.sequence + 1, acknowledged=self.syn_ack.sequence + 1)


class _Iovec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


class _Message(ctypes.Structure):
    """``struct mmsghdr`` of sendmmsg(2), its ``struct msghdr`` laid out in place."""

    _fields_ = [
        *(("name", ctypes.c_void_p), ("name_length", ctypes.c_uint)),
        *(("iov", ctypes.c_void_p), ("iov_count", ctypes.c_size_t)),
        *(("control", ctypes.c_void_p), ("control_length", ctypes.c_size_t)),
        *(("flags", ctypes.c_int), ("padding", ctypes.c_int), ("sent", ctypes.c_uint)),
    ]


class Train:
    """Frames of one length, laid out in memory as sendmmsg(2) takes them."""

    def __init__(self, frames: Iterable[bytes]) -> None:
        listed: Sequence[bytes] = tuple(frames)
        self._bytes = ctypes.create_string_buffer(b"".join(listed))
        length = len(listed[0])
        self._iovecs = (_Iovec * len(listed))()
        self._messages = (_Message * len(listed))()
        for number, (iovec, message) in enumerate(zip(self._iovecs, self._messages, strict=True)):
            iovec.base, iovec.length = ctypes.addressof(self._bytes) + number * length, length
            message.iov, message.iov_count = ctypes.addressof(iovec), 1

    def send(self, through: socket.socket, first: int, count: int) -> None:
        """Send ``count`` frames from number ``first`` on; raises `ProbeFailed` if the kernel does not take them all."""
        begin = ctypes.c_void_p(ctypes.addressof(self._messages) + first * ctypes.sizeof(_Message))
        taken = _libc.sendmmsg(through.fileno(), begin, count, 0)
        if taken != count:
            why = os.strerror(ctypes.get_errno()) if taken < 0 else f"only {taken} taken"
            raise ProbeFailed(f"sending {count} frames at once failed: {why}")
