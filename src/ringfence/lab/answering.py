"""Serving ports that nothing serves, for the length of a probe."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterable
from contextlib import ExitStack

from ringfence.backends.netns import inside
from ringfence.errors import ProbeFailed
from ringfence.lab.topology import Place
from ringfence.model.address import Address, Family
from ringfence.model.flow import Flow
from ringfence.model.service import TCP, UDP

_KINDS = {TCP: socket.SOCK_STREAM, UDP: socket.SOCK_DGRAM}


class Answering:
    """Sockets that listen at the destinations of a batch, where nothing of the instance's own does."""

    def __init__(self) -> None:
        self._datagrams: list[socket.socket] = []
        self._closing = ExitStack()

    def serve(self, targets: Iterable[tuple[Flow, Place]]) -> None:
        """Listen wherever the flows go; raises `ProbeFailed`."""
        wanted = {
            (place.namespace, flow.destination.address, flow.service.number, flow.service.port)
            for flow, place in targets
            if flow.service.number in _KINDS and place.owner
        }
        for namespace, address, protocol, port in sorted(wanted):
            assert port is not None
            self._listen(namespace, address, protocol, port)

    def _listen(self, namespace: str, address: Address, protocol: int, port: int) -> None:
        kind = _KINDS[protocol]
        with inside(namespace):
            family = socket.AF_INET if address.family is Family.IPV4 else socket.AF_INET6
            server = socket.socket(family, kind | socket.SOCK_NONBLOCK)
        self._closing.enter_context(server)
        if protocol == TCP:  # remains of a closed connection are no reason; another listener is
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            server.bind((str(address), port))
            if protocol == TCP:
                server.listen(512)
        except OSError as error:
            # Served already; or the guest has lost the address, and then no answer comes, which is what will be seen.
            if error.errno not in (errno.EADDRINUSE, errno.EADDRNOTAVAIL):
                raise ProbeFailed(f"cannot listen on {address} port {port}: {error.strerror}") from None
            return
        # Now that it has the port alone, a probe may be sent from there as well.
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if protocol == UDP:
            self._datagrams.append(server)

    def answer(self) -> None:
        """Send back every datagram that has come in. TCP needs nobody: the kernel shakes hands."""
        for server in self._datagrams:
            while True:
                try:
                    data, client = server.recvfrom(65536)
                except BlockingIOError:
                    break
                server.sendto(data, client)

    def close(self) -> None:
        """Listen no longer."""
        self._closing.close()
