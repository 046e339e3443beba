"""What ``ip`` is told: lines that several parts of the wiring have in common."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ringfence.lab.names import guest_link
from ringfence.lab.wiring import Command, Where
from ringfence.model.address import Address, Family, Prefix
from ringfence.model.topology import Port

ROUTER, OTHER = "fe80::1", "fe80::2"
"""A router's own address on a link, and the address of another router there."""
ANYWHERE = {Family.IPV4: Prefix.parse("0.0.0.0/0"), Family.IPV6: Prefix.parse("::/0")}
"""Where a default route leads, by family."""
HOST_LINK = "eth0"
"""The link of an outside host."""
_BURST = 4096  # packets that may wait for one neighbour's answer


def at(where: Where, lines: Iterable[str]) -> Iterator[Command]:
    """Lines with the place where they are said."""
    return ((where, line) for line in lines)


def link(near: str, near_mac: str, far: str, far_mac: str, namespace: str) -> str:
    """A link whose far end is in another namespace from its first moment on."""
    return f"link add name {near} address {near_mac} type veth peer name {far} address {far_mac} netns {namespace}"


def router_end(device: str, address: str) -> Iterator[str]:
    """The router's end of a link."""
    yield f"link set dev {device} up"
    yield f"addr add {address}/64 dev {device} nodad"
    yield f"ntable change name arp_cache dev {device} proxy_delay 0"


def way(prefix: Prefix, device: str, via: str = "") -> str:
    """A route; by a router's link-local address, which is on the link whatever its addresses say."""
    if not via:
        return f"route replace {prefix} dev {device}"
    return f"route replace {prefix} via {'inet6 ' if prefix.family is Family.IPV4 else ''}{via} dev {device} onlink"


def known(address: Address | str, device: str, mac: str) -> str:
    """A neighbour that a router knows and need not ask for."""
    return f"neigh replace {address} lladdr {mac} dev {device} nud permanent"


def unknown(address: Address, device: str) -> str:
    """Forget a neighbour. To delete one that is not there would end the whole batch, forced or not."""
    return f"neigh flush to {address} dev {device} nud permanent"


def guest_end(device: str, own_mac: str) -> Iterator[str]:
    """The end of a link in an instance or outside host."""
    yield f"link set dev {device} up"
    yield f"addr add {_link_local(own_mac)}/64 dev {device} nodad"
    yield from (f"ntable change name {cache} dev {device} queue {_BURST}" for cache in ("arp_cache", "ndisc_cache"))


def _link_local(own_mac: str) -> str:
    """The address that a machine makes of its MAC address (RFC 4291, appendix A)."""
    parts = [int(part, 16) for part in own_mac.split(":")]
    parts[0] ^= 2
    value = int.from_bytes(bytes([*parts[:3], 0xFF, 0xFE, *parts[3:]]))
    return str(Address(Family.IPV6, 0xFE80 << 112 | value))


def own_address(address: Address, length: int, device: str) -> str:
    """An address of a guest, usable at once."""
    return f"addr add {address}/{length} dev {device}" + (" nodad" if address.family is Family.IPV6 else "")


def take_address(address: Address, port: Port) -> str:
    """How a guest takes a virtual IP; deprecated (IPv6), so that no program sends from it that does not ask for it."""
    quiet = " nodad preferred_lft 0" if address.family is Family.IPV6 else ""
    return f"addr replace {address.host_prefix} dev {guest_link(port.name)}{quiet}"


def drop_address(address: Address, port: Port) -> str:
    """How a guest gives it up."""
    return f"addr del {address.host_prefix} dev {guest_link(port.name)}"
