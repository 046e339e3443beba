"""Sending the first packets of new connections from the namespaces of their sources."""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Callable
from contextlib import ExitStack

from ringfence.backends.netns import inside
from ringfence.lab.packets import Sighting, craft, first_packet
from ringfence.model.address import Address, Family
from ringfence.model.flow import Flow
from ringfence.model.service import TCP, UDP

_FAMILIES = {Family.IPV4: socket.AF_INET, Family.IPV6: socket.AF_INET6}
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_UNDER_WAY = (0, errno.EINPROGRESS, errno.ECONNREFUSED)
_SO_SNDBUFFORCE = 32
_BUFFER = 32 << 20  # bytes; a batch waits in it while the first packet asks for its neighbour


class Salvo:
    """The probes of one batch: their sockets, until it is closed.

    All bear one number (source port, ICMP id) unless it is taken, or they are to come from another port: the flows of a
    batch differ in the rest.
    """

    def __init__(self, take_number: Callable[[], int]) -> None:
        self._take_number = take_number
        self._number = take_number()
        self._shared: dict[tuple[Address, str, socket.SocketKind], tuple[socket.socket, int]] = {}
        self._closing = ExitStack()

    def close(self) -> None:
        """Give up every socket; a TCP connection under way is reset, not waited for."""
        self._closing.close()

    def send(self, flow: Flow, namespace: str, payload: bytes | None, port: int | None = None) -> Sighting:
        """Send one, from a certain port if one is given; gives what a capture will see of it.

        Raises `OSError` if the source could not send at all.
        """
        source, destination, service = flow.source.address, flow.destination.address, flow.service
        end = (str(destination), service.port or 0)
        if service.number == TCP:
            number = self._connect(source, namespace, end, port)
        elif service.number == UDP:
            number = self._send_datagram(source, namespace, end, port, payload or b"ringfence")
        else:
            sender, number = self._sender(source, namespace, socket.SOCK_RAW)
            first = first_packet(source, destination, service.number, number, service.port or 0)
            sender.sendto(craft(first) if payload is None else craft(first, payload), (end[0], 0))
        return first_packet(source, destination, service.number, number, service.port or 0)

    def _connect(self, source: Address, namespace: str, end: tuple[str, int], port: int | None) -> int:
        stream = self._socket(source, namespace, socket.SOCK_STREAM)
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        number = self._bind_to(stream, source, port) if port else self._bind(stream, source)
        problem = stream.connect_ex(end)
        if problem not in _UNDER_WAY:
            raise OSError(problem, os.strerror(problem))
        return number

    def _send_datagram(
        self, source: Address, namespace: str, end: tuple[str, int], port: int | None, payload: bytes
    ) -> int:
        if not port:
            sender, number = self._sender(source, namespace, socket.SOCK_DGRAM)
            sender.sendto(payload, end)
            return number
        sender = self._socket(source, namespace, socket.SOCK_DGRAM)
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._bind_to(sender, source, port)
        sender.connect(end)  # so that what others send to the port goes to whoever serves it
        sender.send(payload)
        return port

    def _bind_to(self, sender: socket.socket, source: Address, port: int) -> int:
        """Bind to a port, beside a server of the lab's own that has it."""
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sender.bind((str(source), port))
        return port

    def _sender(self, source: Address, namespace: str, kind: socket.SocketKind) -> tuple[socket.socket, int]:
        key = (source, namespace, kind)
        if key not in self._shared:
            sender = self._socket(source, namespace, kind)
            sender.setsockopt(socket.SOL_SOCKET, _SO_SNDBUFFORCE, _BUFFER)
            if kind == socket.SOCK_RAW:
                sender.bind((str(source), 0))
                self._shared[key] = sender, self._number
            else:
                self._shared[key] = sender, self._bind(sender, source)
        return self._shared[key]

    def _socket(self, source: Address, namespace: str, kind: socket.SocketKind) -> socket.socket:
        protocol = socket.IPPROTO_RAW if kind == socket.SOCK_RAW else 0
        with inside(namespace):
            made = socket.socket(_FAMILIES[source.family], kind | socket.SOCK_NONBLOCK, protocol)
        return self._closing.enter_context(made)

    def _bind(self, sender: socket.socket, source: Address) -> int:
        while True:
            try:
                sender.bind((str(source), self._number))
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
                self._number = self._take_number()  # a program of the instance has it
            else:
                return self._number
