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
from ringfence.backends.nftables.netlink import CONNTRACK, Netlink, attribute, attributes, messages
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
_SOL_NETLINK, _ADD_MEMBERSHIP, _DROP_MEMBERSHIP, _NEW_CONNECTIONS = 270, 1, 2, 1  # linux/netlink.h, nfnetlink_compat.h
_RECEIVE_BUFFER_FORCED = 33  # SO_RCVBUFFORCE
_HEARD, _DATAGRAM = 1 << 23, 1 << 16  # bytes: for ten thousand beginnings, and for one
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

    Costs some milliseconds where there is one at all: the kernel walks a table that all namespaces share. Raises
    `CannotRun`.
    """
    if not _count(namespace):
        return []
    with _netlink(namespace, "does not tell") as netlink:
        return [read_entry(vpc, message.body) for message in netlink.dump(_GET)]


class Table:
    """The connections of one namespace, for who asks often: it keeps its sockets, and it hears of what begins.

    To close a socket of netfilter's takes the kernel some ten milliseconds where a transaction of nftables came before.
    """

    def __init__(self, namespace: str, vpc: str) -> None:
        """``vpc`` is whose namespace it is. Raises `CannotRun`."""
        self._namespace, self._vpc = namespace, vpc
        self._asking, self._hearing = Netlink(namespace), Netlink(namespace)
        self._hearing.socket.setblocking(False)
        self._hearing.socket.setsockopt(socket.SOL_SOCKET, _RECEIVE_BUFFER_FORCED, _HEARD)

    def entries(self) -> list[Entry]:
        """See the function of that name."""
        if not _count(self._namespace):
            return []
        with _refusing(self._namespace, "does not tell"):
            return [read_entry(self._vpc, message.body) for message in self._asking.dump(_GET)]

    def listen(self) -> None:
        """Begin to hear of connections that begin; raises `CannotRun`."""
        self._heard()
        self._membership(_ADD_MEMBERSHIP)

    def born(self) -> frozenset[bytes] | None:
        """The handles (see `Entry`) of those that have begun since; None if they were too many to remember."""
        return self._heard()

    def ignore(self) -> None:
        """Hear of none any more: to be heard of costs a connection time."""
        self._membership(_DROP_MEMBERSHIP)

    def _membership(self, option: int) -> None:
        with _refusing(self._namespace, "does not tell"):
            self._hearing.socket.setsockopt(_SOL_NETLINK, option, _NEW_CONNECTIONS)

    def _heard(self) -> frozenset[bytes] | None:
        found: set[bytes] | None = set()
        with _refusing(self._namespace, "does not tell"):
            while True:
                try:
                    data = self._hearing.socket.recv(_DATAGRAM)
                except BlockingIOError:
                    return None if found is None else frozenset(found)
                except OSError as error:
                    if error.errno != errno.ENOBUFS:
                        raise
                    found = None
                else:
                    if found is not None:
                        found.update(read_entry(self._vpc, it.body).handle for _, _, it in messages(data))

    def close(self) -> None:
        """Close the sockets."""
        self._asking.close()
        self._hearing.close()


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
    count = _count(namespace)
    with inside(namespace):
        return count > 0 and count * 2 > int(_COUNT.with_name("nf_conntrack_max").read_text())


def _count(namespace: str) -> int:
    """How many connections a namespace tracks."""
    with inside(namespace):
        return int(_COUNT.read_text()) if _COUNT.exists() else 0  # before a rule asks for connections there is no file


@contextmanager
def _netlink(namespace: str, refusal: str) -> Iterator[Netlink]:
    with _refusing(namespace, refusal), closing(Netlink(namespace)) as netlink:
        yield netlink


@contextmanager
def _refusing(namespace: str, refusal: str) -> Iterator[None]:
    try:
        yield
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
