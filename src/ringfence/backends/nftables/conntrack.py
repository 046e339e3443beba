"""The connection-tracking table of a namespace, by ctnetlink (linux/netfilter/nfnetlink_conntrack.h)."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from ringfence.backends.netns import inside
from ringfence.backends.nftables.netlink import CONNTRACK, Netlink, attribute, attributes
from ringfence.errors import CannotRun
from ringfence.model.address import Address, Family
from ringfence.model.connection import Connection
from ringfence.model.service import TCP

_GET, _DELETE = CONNTRACK << 8 | 1, CONNTRACK << 8 | 2
_ORIGINAL, _STATUS, _STATE, _ID, _PARENT, _ZONE = 1, 3, 4, 12, 14, 18
_ADDRESSES, _PORTS = 1, 2  # the parts of a tuple
_NUMBER, _SOURCE_PORT, _DESTINATION_PORT = 1, 2, 3
_ICMP_ID, _ICMP_TYPE, _ICMP_CODE = (4, 7), (5, 8), (6, 9)  # of ICMP and of ICMPv6
_SEEN_REPLY = 1 << 1
_TIME_WAIT, _CLOSE = 7, 8  # linux/netfilter/nf_conntrack_tcp.h
_FAMILIES = {4: Family.IPV4, 16: Family.IPV6}
_KERNEL_FAMILIES = {Family.IPV4: socket.AF_INET, Family.IPV6: socket.AF_INET6}
_COUNT = Path("/proc/sys/net/netfilter/nf_conntrack_count")


class Entry(NamedTuple):
    """A live connection, and by what the kernel knows its entry: key and id.

    After a flush it may give a later connection with the same key the same id again.
    """

    connection: Connection
    handle: bytes


class _Tuple(NamedTuple):
    protocol: int
    source: Address
    destination: Address
    source_port: int
    destination_port: int


def entries(namespace: str, vpc: str) -> list[Entry]:
    """Every connection that a namespace remembers, those of both families; ``vpc`` is whose namespace it is.

    Raises `CannotRun`.
    """
    with _netlink(namespace, "does not tell") as netlink:
        return [read_entry(vpc, message.body) for message in netlink.dump(_GET)]


def delete(namespace: str, gone: Iterable[Entry]) -> None:
    """Forget some connections; those that have ended meanwhile are no error. Raises `CannotRun`."""
    with _netlink(namespace, "does not forget") as netlink:
        for connection, handle in gone:
            try:
                netlink.ask(_DELETE, handle, family=_KERNEL_FAMILIES[connection.source.family])
            except OSError as error:
                if error.errno != errno.ENOENT:
                    raise


def flush(namespace: str) -> None:
    """Forget every connection of a namespace; raises `CannotRun`."""
    with _netlink(namespace, "does not flush") as netlink:
        netlink.ask(_DELETE, b"")  # a delete message that names no connection means all of them


def is_half_full(namespace: str) -> bool:
    """Whether a namespace tracks half as many connections as it may; a full table drops what policy would let pass."""
    with inside(namespace):
        if not _COUNT.exists():  # no rule asks for connections yet
            return False
        return int(_COUNT.read_text()) * 2 > int(_COUNT.with_name("nf_conntrack_max").read_text())


@contextmanager
def _netlink(namespace: str, refusal: str) -> Iterator[Netlink]:
    try:
        with closing(Netlink(namespace)) as netlink:
            yield netlink
    except OSError as error:
        reason = error.strerror or os.strerror(error.errno or 0)
        raise CannotRun(f"the kernel {refusal} connections of {namespace}: {reason}") from None


def read_entry(vpc: str, body: memoryview) -> Entry:
    """The connection of a message; ``vpc`` as of `entries`."""
    found = dict(attributes(body))
    original = _tuple(found[_ORIGINAL])
    parent = Connection(vpc, *_tuple(found[_PARENT])) if _PARENT in found else None
    status = int.from_bytes(found[_STATUS])
    ended = original.protocol == TCP and _STATE in found and tcp_state(found[_STATE]) in (_TIME_WAIT, _CLOSE)
    named = (attribute(kind, bytes(found[kind])) for kind in (_ORIGINAL, _ZONE, _ID) if kind in found)
    return Entry(Connection(vpc, *original, bool(status & _SEEN_REPLY), ended, parent), b"".join(named))


def _tuple(data: memoryview) -> _Tuple:
    parts = dict(attributes(data))
    (_, source), (_, destination) = attributes(parts[_ADDRESSES])
    numbers = {kind: int.from_bytes(value) for kind, value in attributes(parts[_PORTS])}
    source_port, destination_port = numbers.get(_SOURCE_PORT, 0), numbers.get(_DESTINATION_PORT, 0)
    for identity, kind, code in zip(_ICMP_ID, _ICMP_TYPE, _ICMP_CODE, strict=True):
        if identity in numbers:
            source_port, destination_port = numbers[identity], numbers[kind] << 8 | numbers[code]
    return _Tuple(numbers[_NUMBER], _address(source), _address(destination), source_port, destination_port)


def _address(value: memoryview) -> Address:
    return Address(_FAMILIES[len(value)], int.from_bytes(value))


def tcp_state(data: memoryview) -> int:
    """The first attribute of the first protocol's: what the state is (linux/netfilter/nf_conntrack_tcp.h)."""
    for _, tcp in attributes(data):
        for _, state in attributes(tcp):
            return state[0]
    return 0
