"""Netfilter's netlink, as far as we read it: requests, dumps and attributes (linux/netlink.h, nfnetlink.h).

libnftables tells the same in JSON, but a table of 100,000 elements takes it many seconds.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from typing import NamedTuple

from ringfence.backends.netns import inside
from ringfence.errors import CannotRun

NFTABLES, CONNTRACK, LOG = 10, 1, 4
"""Subsystems: the upper byte of a message's kind."""

_FAMILY = 12  # NETLINK_NETFILTER
_REQUEST, _ACK, _DUMP = 0x1, 0x4, 0x300
_INTERRUPTED = 0x10  # NLM_F_DUMP_INTR: the table changed under the dump
_ERROR, _DONE, _FIRST_KIND = 2, 3, 16
_HEADER, _SUBHEADER, _ATTRIBUTE = struct.Struct("=IHHII"), struct.Struct("=BBH"), struct.Struct("=HH")
_CODE = struct.Struct("=i")
_KIND_MASK = 0x3FFF  # without the bits NESTED and BYTEORDER
_LARGEST = 1 << 17  # bytes of one reply; the kernel sends at most 32 KiB


class Message(NamedTuple):
    """One message: what kind it is, the two bytes of its subheader that say something, and its attributes."""

    kind: int
    family: int
    resource: int
    body: memoryview


def attributes(data: memoryview) -> Iterator[tuple[int, memoryview]]:
    """The attributes that follow each other in a message, or inside another attribute: type and value."""
    offset, end, unpack = 0, len(data), _ATTRIBUTE.unpack_from
    while offset + 4 <= end:
        length, kind = unpack(data, offset)
        if length < 4:
            return
        yield kind & _KIND_MASK, data[offset + 4 : offset + length]
        offset += length + 3 & ~3


def attribute(kind: int, value: bytes) -> bytes:
    """One attribute, padded."""
    return _ATTRIBUTE.pack(4 + len(value), kind) + value + bytes(-len(value) % 4)


def text(value: memoryview) -> str:
    """A string of the kernel's: it ends at the first NUL."""
    return bytes(value).partition(b"\0")[0].decode(errors="replace")


class Netlink:
    """A netfilter socket of one network namespace; it stays there, whoever uses it and wherever they are."""

    def __init__(self, namespace: str) -> None:
        with inside(namespace):
            self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _FAMILY)
        self.socket.bind((0, 0))
        self._sequence = 0

    def ask(self, kind: int, payload: bytes, *, family: int = 0, resource: int = 0) -> list[Message]:
        """Send one request and give back what the kernel answers; raises `OSError` with its reason to refuse."""
        self._send(kind, payload, _REQUEST | _ACK, family, resource)
        return list(self._replies())

    def dump(self, kind: int, payload: bytes = b"", *, family: int = 0) -> Iterator[Message]:
        """Everything of one kind that the kernel has; raises `Interrupted` at the end if it changed meanwhile."""
        self._send(kind, payload, _REQUEST | _DUMP, family, 0)
        yield from self._replies()

    def _send(self, kind: int, payload: bytes, flags: int, family: int, resource: int) -> None:
        self._sequence += 1
        body = _SUBHEADER.pack(family, 0, socket.htons(resource)) + payload
        self.socket.send(_HEADER.pack(_HEADER.size + len(body), kind, flags, self._sequence, 0) + body)

    def _replies(self) -> Iterator[Message]:
        """The answers to the last request; those to one that was given up are passed over."""
        interrupted = False
        while True:
            for flags, sequence, message in messages(self.socket.recv(_LARGEST)):
                if sequence != self._sequence:
                    continue
                interrupted = interrupted or bool(flags & _INTERRUPTED)
                if message.kind == _ERROR:
                    _raise_if_refused(message)
                if message.kind in (_ERROR, _DONE):
                    if interrupted:
                        raise Interrupted("the kernel's rules changed while they were read; try again")
                    return
                yield message

    def close(self) -> None:
        """Close the socket."""
        self.socket.close()


class Interrupted(CannotRun):
    """What was read changed meanwhile, so that the parts may not fit together."""


def messages(data: bytes) -> Iterator[tuple[int, int, Message]]:
    """The messages of one datagram, each with its flags and its sequence number."""
    view, offset = memoryview(data), 0
    while offset + _HEADER.size <= len(data):
        length, kind, flags, sequence, _ = _HEADER.unpack_from(data, offset)
        start = offset + _HEADER.size
        if kind < _FIRST_KIND:
            yield flags, sequence, Message(kind, 0, 0, view[start : offset + length])
        else:
            family, _version, resource = _SUBHEADER.unpack_from(data, start)
            body = view[start + _SUBHEADER.size : offset + length]
            yield flags, sequence, Message(kind, family, socket.ntohs(resource), body)
        offset += length + 3 & ~3


def _raise_if_refused(message: Message) -> None:
    (code,) = _CODE.unpack_from(message.body)
    if code:
        raise OSError(-code, os.strerror(-code))
