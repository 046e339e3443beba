"""The connection-tracking table of a namespace, by ctnetlink."""

from __future__ import annotations

import os
import socket
import struct
from pathlib import Path

from ringfence.backends.netns import inside
from ringfence.errors import CannotRun

_NETLINK_NETFILTER = 12
_DELETE = 1 << 8 | 2  # NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_DELETE
_REQUEST_ACK = 1 | 4  # NLM_F_REQUEST, NLM_F_ACK
_COUNT = Path("/proc/sys/net/netfilter/nf_conntrack_count")
_HEADER = struct.Struct("=IHHII")
_ERROR = struct.Struct("=i")


def flush(namespace: str) -> None:
    """Forget every connection of a namespace; raises `CannotRun`.

    A delete message that names no connection means all of them (linux/netfilter/nfnetlink_conntrack.h).
    """
    any_family = struct.pack("=BBH", socket.AF_UNSPEC, 0, 0)
    message = _HEADER.pack(_HEADER.size + len(any_family), _DELETE, _REQUEST_ACK, 1, 0) + any_family
    with inside(namespace):
        netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_NETFILTER)
    with netlink:
        netlink.send(message)
        (error,) = _ERROR.unpack_from(netlink.recv(4096), _HEADER.size)
    if error:
        raise CannotRun(f"the kernel does not flush connections of {namespace}: {os.strerror(-error)}")


def is_half_full(namespace: str) -> bool:
    """Whether a namespace tracks half as many connections as it may; a full table drops what policy would let pass."""
    with inside(namespace):
        if not _COUNT.exists():  # no rule asks for connections yet
            return False
        return int(_COUNT.read_text()) * 2 > int(_COUNT.with_name("nf_conntrack_max").read_text())
