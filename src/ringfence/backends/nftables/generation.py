"""The generation of a namespace's nftables: a number that the kernel raises with each transaction, whoever sent it."""

from __future__ import annotations

import socket
import struct

from ringfence.backends.netns import inside
from ringfence.errors import CannotRun

# linux/netfilter/nfnetlink.h, nf_tables.h
_NETLINK_NETFILTER = 12
_GET_GENERATION = 10 << 8 | 16
_GENERATION_ID = 1
_REQUEST = struct.pack("=IHHIIBBH", 20, _GET_GENERATION, 1, 0, 0, socket.AF_UNSPEC, 0, 0)
_HEADERS = 20  # of netlink and of nfnetlink


class Generation:
    """Asks for the generation of one namespace; a question costs some microseconds."""

    def __init__(self, namespace: str) -> None:
        with inside(namespace):
            self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_NETFILTER)
        self._socket.bind((0, 0))

    def now(self) -> int:
        """The present generation; raises `CannotRun` if the kernel does not say."""
        self._socket.send(_REQUEST)
        reply = self._socket.recv(4096)
        offset = _HEADERS
        while offset + 4 <= len(reply):
            length, kind = struct.unpack_from("=HH", reply, offset)
            if kind == _GENERATION_ID:
                (generation,) = struct.unpack_from(">I", reply, offset + 4)
                return int(generation)
            offset += max(4, length + 3 & ~3)
        raise CannotRun("the kernel does not tell the generation of its nftables rules; it needs Linux 4.8 or later")

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()
