"""A load of HTTP requests from a process of its own, over connections that stay open.

Requests are bytes made before the clock starts. The process does little else than wait, so that what is measured is
the server.
"""

from __future__ import annotations

import multiprocessing
import selectors
import socket
import time
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection
from typing import Self

CONNECTIONS = 8
"""Clients that ask at the same time, each one request after the other."""


class Load:
    """Drives a server on loopback. As a context manager it ends its process."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, far = context.Pipe()
        self._process = context.Process(target=_serve, args=(far,), daemon=True)
        self._process.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pipe.send(None)
        self._process.join(10)

    def drive(self, port: int, requests: Sequence[bytes], connections: int = CONNECTIONS) -> float:
        """Send all requests; gives the seconds that it took. Raises `RuntimeError` if one was not answered with 2xx."""
        self._pipe.send((port, list(requests), connections))
        seconds, bad = self._pipe.recv()
        if bad:
            raise RuntimeError(f"the server answered: {bad}")
        return float(seconds)


def request(method: str, path: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """A request as it is on the wire."""
    lines = [f"{method} {path} HTTP/1.1", "host: localhost", f"content-length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def _serve(pipe: Connection) -> None:
    while (job := pipe.recv()) is not None:
        pipe.send(_drive(*job))


def _drive(port: int, requests: list[bytes], connections: int) -> tuple[float, str]:
    with selectors.DefaultSelector() as selector:
        sockets = [socket.create_connection(("127.0.0.1", port)) for _ in range(connections)]
        for each in sockets:
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(each, selectors.EVENT_READ, each)
        pending = iter(requests)
        buffers = dict.fromkeys(sockets, b"")
        began, open_, bad = time.perf_counter(), 0, ""
        for each in sockets:
            open_ += _send(each, pending)
        while open_:
            for each in (key.data for key, _ in selector.select()):
                buffers[each] += each.recv(1 << 16)
                if (whole := _length(buffers[each])) and len(buffers[each]) >= whole:
                    if buffers[each][9:10] != b"2":
                        bad = buffers[each][:600].decode(errors="replace")
                    buffers[each] = buffers[each][whole:]
                    open_ += _send(each, pending) - 1
        seconds = time.perf_counter() - began
        for each in sockets:
            each.close()
        return seconds, bad


def _send(each: socket.socket, pending: Iterator[bytes]) -> int:
    found = next(pending, None)
    if found is None:
        return 0
    each.sendall(found)
    return 1


def _length(data: bytes) -> int:
    """Bytes of the whole answer at the front of some data; 0 while its head is not there."""
    head, found, _ = data.partition(b"\r\n\r\n")
    if not found:
        return 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return len(head) + 4 + int(line[15:])
    return len(head) + 4
