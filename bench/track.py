"""The namespaces of one case: client and server, and between them a VPC namespace that forwards."""

from __future__ import annotations

import os
import socket
import struct
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from bench.segments import MAC_CLIENT, MAC_ROUTER, MAC_SERVER
from bench.worlds import CLIENT, SERVER
from ringfence.backends.netns import NAMESPACES, inside
from ringfence.backends.nftables.library import Nft
from ringfence.backends.nftables.names import port_link
from ringfence.errors import CannotRun, NotRoot
from ringfence.model.address import Address

PREFIX = "rfbench-"
_SOL_PACKET, _PACKET_QDISC_BYPASS = 263, 20  # linux/socket.h, linux/if_packet.h
_NETLINK_NETFILTER = 12
_CT_DELETE, _REQUEST_ACK = 1 << 8 | 2, 1 | 4
_SINK = 'table netdev sink { chain ingress { type filter hook ingress device "eth0" priority 0; policy drop; }\n}'


class Arrived(NamedTuple):
    """Packets that have come out at the two ends."""

    client: int
    server: int

    def since(self, before: Arrived) -> Arrived:
        """How many more than before."""
        return Arrived(self.client - before.client, self.server - before.server)


def require_root() -> None:
    """Raise `NotRoot` without root."""
    if os.geteuid():
        raise NotRoot("the bench makes namespaces and loads kernel rules, which only root may; run it as root")


def sweep() -> None:
    """Remove namespaces that runs left which were killed; those of a run that lives are not touched."""
    for path in NAMESPACES.glob(f"{PREFIX}*"):
        owner = path.name.removeprefix(PREFIX).partition("-")[0]
        if owner.isdigit() and not Path("/proc", owner).exists():
            _ip([f"netns del {path.name}"])


def _ip(lines: Iterable[str], namespace: str = "") -> None:
    where = ["-n", namespace] if namespace else []
    done = subprocess.run(["ip", *where, "-batch", "-"], input="\n".join(lines), text=True, capture_output=True)
    if done.returncode:
        raise CannotRun(f"ip refused to build the bench: {done.stderr.strip()[:300]}")


@contextmanager
def namespaces(*names: str) -> Iterator[tuple[str, ...]]:
    """Namespaces of this run, by what comes after its prefix; gone again when the block ends, however it ends."""
    full = tuple(f"{PREFIX}{os.getpid()}-{name}" for name in names)
    try:
        _ip(f"netns add {name}" for name in full)
        yield full
    finally:
        _ip(f"netns del {name}" for name in full if (NAMESPACES / name).exists())


def load(namespace: str, commands: str) -> None:
    """Load nft commands into a namespace."""
    nft = Nft(namespace)
    try:
        nft.run(commands)
    finally:
        nft.close()


def _set(namespace: str, **values: int) -> None:
    """Write values of ``net.*``; ``__`` in a name stands for a slash."""
    with inside(namespace):
        for name, value in values.items():
            Path("/proc/sys/net", name.replace("__", "/")).write_text(str(value))


class Track:
    """A VPC namespace with a client's and a server's port, ready for frames. Rules are for the caller to load.

    Whatever arrives at an end is counted and dropped at once: nothing answers, all segments are the measurement's own.
    """

    def __init__(self, names: Sequence[str], clients: Iterable[Address], server_address: Address) -> None:
        self.vpc, self._client, self._server = vpc, client, server = names
        for name in names:
            _set(name, ipv6__conf__all__disable_ipv6=1, ipv6__conf__default__disable_ipv6=1)  # no packets of its own
        _ip(_links(client, server, clients, server_address), vpc)
        _set(vpc, ipv4__ip_forward=1)
        for name in (client, server):
            _ip(["link set eth0 up"], name)
            load(name, _SINK)
        self.from_client, self.from_server = _wire(client), _wire(server)
        with inside(vpc):
            self._conntrack = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_NETFILTER)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for one in (self.from_client, self.from_server, self._conntrack):
            one.close()

    def arrived(self) -> Arrived:
        """What has arrived so far."""
        return Arrived(_received(self._client), _received(self._server))

    def forget(self) -> None:
        """Flush the VPC namespace's conntrack table, so that 5-tuples may be used again."""
        self._conntrack.send(struct.pack("=IHHIIBBH", 20, _CT_DELETE, _REQUEST_ACK, 1, 0, socket.AF_UNSPEC, 0, 0))
        (error,) = struct.unpack_from("=i", self._conntrack.recv(4096), 16)
        if error:
            raise CannotRun(f"conntrack could not be flushed in {self.vpc}: {os.strerror(-error)}")


def _links(client: str, server: str, clients: Iterable[Address], server_address: Address) -> Iterator[str]:
    a, b = port_link(CLIENT), port_link(SERVER)
    yield f"link add {a} address {MAC_ROUTER} type veth peer name eth0 address {MAC_CLIENT} netns {client}"
    yield f"link add {b} address {MAC_ROUTER} type veth peer name eth0 address {MAC_SERVER} netns {server}"
    yield from (f"link set {link} up" for link in (a, b))
    yield f"addr add 169.254.0.1/32 dev {a}"
    for link, mac, addresses in ((a, MAC_CLIENT, clients), (b, MAC_SERVER, (server_address,))):
        for address in addresses:
            yield f"route add {address}/32 dev {link}"
            yield f"neigh add {address} lladdr {mac} dev {link} nud permanent"


def _wire(namespace: str) -> socket.socket:
    with inside(namespace):
        wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        wire.bind(("eth0", 0))
    wire.setsockopt(_SOL_PACKET, _PACKET_QDISC_BYPASS, 1)
    return wire


def _received(namespace: str) -> int:
    with inside(namespace):
        lines = Path("/proc/thread-self/net/dev").read_text().splitlines()
    (line,) = (line for line in lines if line.strip().startswith("eth0:"))
    return int(line.partition(":")[2].split()[1])
