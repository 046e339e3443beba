"""A small server for an instance: ``python -I -S listener.py tcp/80 udp/53 tcp/6379@127.0.0.1``.

Over TCP it sends one line and closes when the other side does; over UDP it answers every datagram. Without an address
it serves both families on all addresses. It says ``ready`` on standard output once it listens. It starts without the
rest of Ringfence, so that a lab of many instances is up fast.
"""

import contextlib
import os
import selectors
import socket
import struct
import sys

_IP_PKTINFO = 8  # linux/in.h; not in Python 3.11
_BANNER = b"ringfence listener\n"


def main(listeners: list[str]) -> None:
    """Serve until ended."""
    os.chdir("/")
    ready = selectors.DefaultSelector()
    for text in listeners:
        for server in _servers(text):
            ready.register(server, selectors.EVENT_READ, _accept if server.type == socket.SOCK_STREAM else _answer)
    os.write(1, b"ready\n")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    while True:
        for key, _ in ready.select():
            with contextlib.suppress(OSError):  # one client went away or cannot be answered; the others stay
                key.data(ready, key.fileobj)


def _servers(text: str) -> list[socket.socket]:
    service, _, address = text.partition("@")
    protocol, _, port = service.partition("/")
    kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
    ends = [(socket.AF_INET6 if ":" in address else socket.AF_INET, address)] if address else _EVERYWHERE
    return [_server(family, kind, host, int(port)) for family, host in ends]


_EVERYWHERE = [(socket.AF_INET, ""), (socket.AF_INET6, "")]


def _server(family: socket.AddressFamily, kind: socket.SocketKind, host: str, port: int) -> socket.socket:
    server = socket.socket(family, kind | socket.SOCK_NONBLOCK)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
    else:
        server.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
    server.bind((host, port))
    if kind == socket.SOCK_STREAM:
        server.listen(512)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)  # who sends from this port may bind to it
    return server


def _accept(ready: selectors.BaseSelector, server: socket.socket) -> None:
    connection, _ = server.accept()
    connection.setblocking(False)
    ready.register(connection, selectors.EVENT_READ, _read)
    connection.send(_BANNER)


def _read(ready: selectors.BaseSelector, connection: socket.socket) -> None:
    data = b""
    try:
        data = connection.recv(65536)
    finally:  # at the end, and at a reset
        if not data:
            ready.unregister(connection)
            connection.close()


def _answer(_ready: selectors.BaseSelector, server: socket.socket) -> None:
    """Answer from the address that was asked: an instance with several ports has several."""
    data, control, _, client = server.recvmsg(65536, 256)
    server.sendmsg([data], [(level, kind, _from(kind, info)) for level, kind, info in control], 0, client)


def _from(kind: int, info: bytes) -> bytes:
    """The packet information with the interface left open: address and interface change places between families."""
    if kind == _IP_PKTINFO:
        _, local, _ = struct.unpack("i4s4s", info)
        return struct.pack("i4s4s", 0, local, bytes(4))
    return info[:16] + bytes(4)


if __name__ == "__main__":
    main(sys.argv[1:])
