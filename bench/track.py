"""The namespaces of one case: client and server, and between them a VPC namespace that forwards."""

from __future__ import annotations

import os
import socket
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
from ringfence.errors import NotRoot
from ringfence.lab import conntrack
from ringfence.lab.netns import IpRoute, set_sysctls
from ringfence.model.address import Address

PREFIX = "rfbench-"
"""No lab's: theirs begin with rf-, the lab's name and another dash."""
_SOL_PACKET, _PACKET_QDISC_BYPASS = 263, 20  # linux/socket.h, linux/if_packet.h
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
            IpRoute().run([f"netns del {path.name}"])


@contextmanager
def namespaces(*names: str) -> Iterator[tuple[str, ...]]:
    """Namespaces of this run, by what comes after its prefix; gone again when the block ends, however it ends."""
    full = tuple(f"{PREFIX}{os.getpid()}-{name}" for name in names)
    try:
        IpRoute().run(f"netns add {name}" for name in full)
        yield full
    finally:
        IpRoute().run(f"netns del {name}" for name in full if (NAMESPACES / name).exists())


def load(namespace: str, commands: str) -> None:
    """Load nft commands into a namespace."""
    nft = Nft(namespace)
    try:
        nft.run(commands)
    finally:
        nft.close()


_NO_IPV6 = {f"net/ipv6/conf/{which}/disable_ipv6": 1 for which in ("all", "default")}  # no packets of its own


class Track:
    """A VPC namespace with a client's and a server's port, ready for frames. Rules are for the caller to load.

    Whatever arrives at an end is counted and dropped at once: nothing answers, all segments are the measurement's own.
    """

    def __init__(self, names: Sequence[str], clients: Iterable[Address], server_address: Address) -> None:
        self.vpc, self._client, self._server = vpc, client, server = names
        for name in names:
            set_sysctls(name, _NO_IPV6)
        IpRoute().run(_links(client, server, clients, server_address), vpc)
        set_sysctls(vpc, {"net/ipv4/ip_forward": 1})
        for name in (client, server):
            IpRoute().run(["link set eth0 up"], name)
            load(name, _SINK)
        self.from_client, self.from_server = _wire(client), _wire(server)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for one in (self.from_client, self.from_server):
            one.close()

    def arrived(self) -> Arrived:
        """What has arrived so far."""
        return Arrived(_received(self._client), _received(self._server))

    def forget(self) -> None:
        """Flush the VPC namespace's conntrack table, so that 5-tuples may be used again."""
        conntrack.flush(self.vpc)


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
