"""Rules of xtables-legacy without its programs: the table ``filter`` by one call to the kernel (ip_tables.h)."""

from __future__ import annotations

import ctypes
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager

from ringfence.model.address import Family

_REPLACE = 64  # IPT_SO_SET_REPLACE, IP6T_SO_SET_REPLACE
_ACCEPT, _DROP = -2, -1  # as verdicts of a standard target
_HOOKS = (1, 2, 3)  # input, forward, output
_MATCH = {Family.IPV4: 84, Family.IPV6: 136}  # bytes that match any packet if all are zero
_SOCKETS = {Family.IPV4: (socket.AF_INET, socket.SOL_IP), Family.IPV6: (socket.AF_INET6, socket.IPPROTO_IPV6)}


@contextmanager
def drop_all_input(family: Family) -> Iterator[None]:
    """Give the chain INPUT of the namespace that we are in the policy DROP, and take it back."""
    _replace(family, _DROP)
    try:
        yield
    finally:
        _replace(family, _ACCEPT)


def _replace(family: Family, input_policy: int) -> None:
    rules = [_standard(family, verdict) for verdict in (input_policy, _ACCEPT, _ACCEPT)]
    starts = [sum(map(len, rules[:number])) for number in range(len(rules))]
    hooks = struct.pack("=5I", 0, *starts, 0)
    entries = b"".join([*rules, _end(family)])
    counters = ctypes.create_string_buffer(16 * (len(rules) + 1))  # the kernel writes the old rules' counters here
    head = struct.pack("=32s3I", b"filter", sum(1 << hook for hook in _HOOKS), len(rules) + 1, len(entries))
    tail = struct.pack("=IQ", len(rules) + 1, ctypes.addressof(counters))
    kind, level = _SOCKETS[family]
    with socket.socket(kind, socket.SOCK_RAW, socket.IPPROTO_RAW) as setting:
        setting.setsockopt(level, _REPLACE, head + hooks + hooks + tail + entries)


def _entry(family: Family, target: bytes) -> bytes:
    sizes = struct.pack("=IHHI", 0, _size(family), _size(family) + len(target), 0)
    return (bytes(_MATCH[family]) + sizes).ljust(_size(family), b"\0") + target


def _size(family: Family) -> int:
    """Match, sizes (12 bytes), and two counters that begin at a multiple of 8."""
    return (_MATCH[family] + 12 + 7 & ~7) + 16


def _standard(family: Family, verdict: int) -> bytes:
    return _entry(family, struct.pack("=H29sBi4x", 40, b"", 0, verdict))


def _end(family: Family) -> bytes:
    """The rule that ends every table."""
    return _entry(family, struct.pack("=H29sB30s2x", 64, b"ERROR", 0, b"ERROR"))
