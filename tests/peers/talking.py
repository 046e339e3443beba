"""Two guests that talk without pause through whatever a test does, and tell afterwards what was lost."""

from __future__ import annotations

import os
import socket
import sys
import threading
from abc import ABC, abstractmethod
from typing import Self

from ringfence.backends.netns import inside
from ringfence.lab.lab import Lab
from ringfence.model.address import Family
from tests.peers import frames
from tests.peers.wire import address, until, use_another_processor

_PATIENCE = 5.0  # seconds, after which an answer is not only late
_KINDS = {Family.IPV4: socket.AF_INET, Family.IPV6: socket.AF_INET6}


class Talk(ABC):
    """Takes one turn after the other while its block runs, until one fails."""

    def __init__(self) -> None:
        self._thread = threading.Thread(target=self._run)
        self._wanted = True
        self.turns = 0
        self.is_broken = False
        """Whether an answer did not come; then there are no more turns."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._wanted = False
        self._thread.join()
        self._close()

    def goes_on(self) -> bool:
        """Whether there are turns after this moment."""
        before = self.turns
        return until(lambda: self.turns > before or self.is_broken, _PATIENCE) and not self.is_broken

    def _run(self) -> None:
        use_another_processor(0)
        while self._wanted and not self.is_broken:
            try:
                self._turn(self.turns)
                self.turns += 1
            except (TimeoutError, ConnectionError):
                self.is_broken = True

    @abstractmethod
    def _turn(self, number: int) -> None:
        """Ask and wait for the answer; raises `TimeoutError` if it does not come."""

    @abstractmethod
    def _close(self) -> None:
        """Close its sockets."""


class Conversation(Talk):
    """A TCP connection between two instances, on which each says in turn what the other said."""

    def __init__(self, lab: Lab, family: Family, client: str, server: str, port: int) -> None:
        super().__init__()
        target = (str(address(lab, server, family)), port)
        with inside(lab.namespace(server)):
            listener = socket.create_server(target, family=_KINDS[family])
        with inside(lab.namespace(client)):
            self._client = socket.socket(_KINDS[family])
        with listener:
            self._client.settimeout(_PATIENCE)
            self._client.connect(target)
            self._accepted = listener.accept()[0]
        self._accepted.settimeout(_PATIENCE)

    def _turn(self, number: int) -> None:
        said = b"%08d" % number
        for speaker, listener in ((self._client, self._accepted), (self._accepted, self._client)):
            speaker.sendall(said)
            assert listener.recv(len(said), socket.MSG_WAITALL) == said

    def sent_again(self) -> list[int]:
        """How many segments each side had to send again."""
        infos = [it.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104) for it in (self._client, self._accepted)]
        return [int.from_bytes(info[100:104], sys.byteorder) for info in infos]  # tcpi_total_retrans

    def _close(self) -> None:
        self._client.close()
        self._accepted.close()


class Ping(Talk):
    """Echo requests of one ping from an instance to another, each sent when the one before was answered."""

    def __init__(self, lab: Lab, family: Family, client: str, server: str) -> None:
        super().__init__()
        self._target, self._id = str(address(lab, server, family)), os.urandom(2)
        protocol = socket.IPPROTO_ICMP if family is Family.IPV4 else socket.IPPROTO_ICMPV6
        self._request, self._reply = (8, 0) if family is Family.IPV4 else (128, 129)
        with inside(lab.namespace(client)):
            self._socket = socket.socket(_KINDS[family], socket.SOCK_RAW, protocol)
        self._socket.settimeout(_PATIENCE)

    def _turn(self, number: int) -> None:
        body = self._id + (number & 0xFFFF).to_bytes(2)
        self._socket.sendto(frames.icmp(self._request, 0, body), (self._target, 0))
        while not (heard := self._socket.recv(2048)).endswith(body) or heard[-8] != self._reply:
            pass  # a raw socket hears every ICMP message of its guest

    def _close(self) -> None:
        self._socket.close()
