"""What listens in a namespace, by the kernel's own word (sock_diag(7)): addresses alone in /proc would not say whether
a socket of IPv6 serves IPv4 too.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from ringfence.backends.netns import inside
from ringfence.backends.nftables.netlink import attributes
from ringfence.errors import CannotRun
from ringfence.model.address import Address, Family
from ringfence.model.service import TCP, Service

# linux/sock_diag.h, inet_diag.h, net/tcp_states.h
_SOCK_DIAG, _BY_FAMILY = 4, 20
_REQUEST_DUMP = 0x301
_ERROR, _DONE = 2, 3
_ONLY_V6 = 11
_LISTENING, _UNCONNECTED = 1 << 10, 1 << 7
_HEADER = struct.Struct("=IHHII")
_QUESTION = struct.Struct("=BBBBI 2s2s 44x")  # family, protocol, …, states; then a socket's identity: its port
_ANSWER = struct.Struct("=4x 2s2x 16s 16x I")  # port, address, device
_ANSWER_SIZE = 72
_FAMILIES = (socket.AF_INET, socket.AF_INET6)
_MAPPED = 0xFFFF  # ::ffff:0:0/96, an IPv4 address as a socket of IPv6 has it


@dataclass(frozen=True, slots=True)
class Listening:
    """A socket that takes what comes to a port. An ``address`` of zero is any; so is an empty ``device``."""

    address: Address
    device: str
    only_v6: bool = False

    def takes(self, address: Address, device: str) -> bool:
        """Whether it takes what comes to an address by a device."""
        if self.device not in ("", device):
            return False
        if self.address.value:
            return self.address == address
        return self.address.family is address.family or (self.address.family is Family.IPV6 and not self.only_v6)

    @property
    def is_loopback(self) -> bool:
        """Whether nobody outside of the guest can come to it."""
        loopback = self.address.value >> 24 == 127 if self.address.family is Family.IPV4 else self.address.value == 1
        return loopback or self.device == "lo"

    def __str__(self) -> str:
        on = f" on {self.device}" if self.device else ""
        family = f" ({self.address.family} only)" if self.address.family is Family.IPV4 or self.only_v6 else ""
        return f"{self.address}{on}" if self.address.value else f"any address{family}{on}"


def listening(namespace: str, service: Service) -> list[Listening]:
    """What listens on a TCP port, or waits on a UDP port for whoever sends; raises `CannotRun`."""
    with inside(namespace):
        asking = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _SOCK_DIAG)
        with asking:
            return sorted(
                (found for family in _FAMILIES for found in _of_family(asking, family, service)),
                key=lambda found: (found.address, found.device),
            )


def all_listening(namespace: str, number: int) -> list[tuple[int, Listening]]:
    """Everything that listens on TCP, or waits on UDP for whoever sends, with its port; raises `CannotRun`."""
    with inside(namespace):
        asking = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _SOCK_DIAG)
        with asking:
            every = bytes(2)  # a question for port 0 is one for all
            return [found for family in _FAMILIES for found in _asked(asking, family, number, every)]


def _of_family(asking: socket.socket, family: int, service: Service) -> Iterator[Listening]:
    assert service.port is not None
    return (found for _, found in _asked(asking, family, service.number, service.port.to_bytes(2)))


def _asked(asking: socket.socket, family: int, number: int, port: bytes) -> Iterator[tuple[int, Listening]]:
    states = _LISTENING if number == TCP else _UNCONNECTED
    question = _QUESTION.pack(family, number, 0, 0, states, port, bytes(2))
    asking.send(_HEADER.pack(_HEADER.size + len(question), _BY_FAMILY, _REQUEST_DUMP, 1, 0) + question)
    while True:
        data = memoryview(asking.recv(1 << 16))
        while data:
            length, kind, *_ = _HEADER.unpack_from(data)
            body, data = data[_HEADER.size : length], data[length + 3 & ~3 :]
            if kind == _ERROR:
                raise CannotRun(f"the kernel does not tell what listens: {os.strerror(-_code(body))}")
            if kind == _DONE:
                return
            yield int.from_bytes(body[4:6]), _read(family, body)


def _code(body: memoryview) -> int:
    return int.from_bytes(body[:4], "little", signed=True)


def _read(family: int, body: memoryview) -> Listening:
    _port, raw, index = _ANSWER.unpack_from(body)
    device = socket.if_indextoname(index) if index else ""
    if family == socket.AF_INET:
        return Listening(Address(Family.IPV4, int.from_bytes(raw[:4])), device)
    value = int.from_bytes(raw)
    if value >> 32 == _MAPPED:
        return Listening(Address(Family.IPV4, value & Family.IPV4.top), device)
    only_v6 = any(kind == _ONLY_V6 and bool(told[0]) for kind, told in attributes(body[_ANSWER_SIZE:]))
    return Listening(Address(Family.IPV6, value), device, only_v6)
