"""The lab's wiring: a namespace that routes for each VPC, one for each guest and outside host, and links between.

::

    instance            VPC (routes, judges)              internet               outside host
    eth0 ────────── rf… port's outer end                  (routes)
         10.0.1.11      /32 route, proxy ARP   rf-uplink ── vpc-…   out-… ────── eth0
                        fe80::1                 fe80::2     fe80::1  fe80::1          203.0.113.9/32
                        rf-… ── rf-… a peered VPC

No link is ever in the default namespace. Two ports of one subnet have no wire between them: proxy ARP (IPv4) and
addresses of length /128 (IPv6) lead every packet to the router. An instance is one namespace, and one more for each
that its ports name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ringfence.backends.nftables.names import UPLINK, port_link
from ringfence.backends.tracking import tracking_sysctls
from ringfence.lab.lines import HOST_LINK
from ringfence.lab.names import LabNames, guest_link, internet_link
from ringfence.lab.netns import IpRoute, make, set_sysctls
from ringfence.lab.numbers import GUEST_PORTS
from ringfence.lab.parts import guests, namespaces, parts
from ringfence.lab.wiring import plug
from ringfence.model.address import Address
from ringfence.model.flow import Endpoint, Flow
from ringfence.model.profile import Profile
from ringfence.model.topology import Port
from ringfence.model.world import World

_QUIET = {
    "net/ipv4/conf/all/rp_filter": 0,  # the driver's table knows better who may send what
    "net/ipv4/conf/default/rp_filter": 0,
    "net/ipv6/conf/default/accept_dad": 0,  # an address is usable at once
    "net/ipv6/conf/default/accept_ra": 0,
    "net/ipv6/conf/default/addr_gen_mode": 1,  # link-local addresses are given, not made
    "net/ipv4/ip_local_port_range": f"{GUEST_PORTS.start} {GUEST_PORTS.stop - 1}",
}
FORWARDING = {"net/ipv4/ip_forward": 1, "net/ipv6/conf/all/forwarding": 1}
"""What makes a namespace route."""
_PROXY = {"net/ipv4/conf/default/proxy_arp": 1}


@dataclass(frozen=True, slots=True)
class Place:
    """Where an address is in the lab: its interface, and the router's end of the same link (the gate)."""

    owner: str
    """The instance or outside host; empty for an address that nobody has."""
    namespace: str
    link: str
    gate_namespace: str
    gate: str

    @property
    def told(self) -> str:
        """Whose it is, in words."""
        return self.owner or "the internet"


class Places:
    """Finds the place of each end of a flow."""

    def __init__(self, world: World, names: LabNames) -> None:
        self._names = names
        self._known = dict(_known_places(world, names))
        self._own: dict[str, set[Address]] = {}
        for (_, address), place in self._known.items():
            self._own.setdefault(place.namespace, set()).add(address)

    def source(self, endpoint: Endpoint) -> Place | None:
        """Where packets from an endpoint are sent; None if nobody has the address."""
        return self._known.get((endpoint.vpc, endpoint.address))

    def destination(self, endpoint: Endpoint, source: Endpoint) -> Place | None:
        """Where packets to an endpoint arrive.

        An address that nobody has is behind the uplink of the source's VPC: a packet to it arrives on the internet.
        """
        found = self._known.get((endpoint.vpc, endpoint.address))
        if found or not source.vpc:
            return found
        internet, vpc = self._names.internet, self._names.vpc(source.vpc)
        return Place("", internet, internet_link("vpc", source.vpc), vpc, UPLINK)

    def stays_in_guest(self, flow: Flow) -> bool:
        """Whether a packet never leaves its source's guest, because the destination address is one of its own there."""
        source = self.source(flow.source)
        return source is not None and flow.destination.address in self._own[source.namespace]


def _known_places(world: World, names: LabNames) -> Iterator[tuple[tuple[str, Address], Place]]:
    for port in world.ports:
        yield from _at(port, port.addresses, names)
    for vip in world.virtual_ips.values():
        yield from _at(world.port_by_name[vip.active], vip.addresses, names)
    for host in world.outside.values():
        link = internet_link("out", host.name)
        place = Place(host.name, names.outside(host.name), HOST_LINK, names.internet, link)
        for address in host.addresses:
            yield ("", address), place


def _at(port: Port, addresses: Iterable[Address], names: LabNames) -> Iterator[tuple[tuple[str, Address], Place]]:
    router, gate = names.vpc(port.vpc), port_link(str(port))
    place = Place(port.instance, names.guest(*port.guest), guest_link(port.name), router, gate)
    return (((port.vpc, address), place) for address in addresses)


def targets(world: World, names: LabNames) -> Mapping[str, str]:
    """The namespace of each guest (``instance``, or ``instance/namespace``) and outside host, by its name."""
    return guests(world, names) | {name: names.outside(name) for name in world.outside}


def build(world: World, names: LabNames, ip: IpRoute) -> None:
    """Make the namespaces and wire them. VPCs do not forward yet: see `open_gates`. Raises `CannotRun`."""
    make_namespaces(namespaces(world, names), world, names, ip)
    plug(parts(world, names), ip)


def make_namespaces(wanted: Sequence[str], world: World, names: LabNames, ip: IpRoute) -> None:
    """Make some of a world's namespaces, ready to be wired."""
    make(wanted, ip)
    furnish(wanted, world, names)


def furnish(wanted: Iterable[str], world: World, names: LabNames) -> None:
    """Set what the kernel is to do in some of a world's namespaces, before there are links in them."""
    routers = {names.vpc(name) for name in world.vpcs}
    for namespace in wanted:
        extra = _PROXY if namespace in routers else FORWARDING if namespace == names.internet else {}
        set_sysctls(namespace, _QUIET | extra)


def open_gates(world: World, names: LabNames) -> None:
    """Let the VPCs route. Only after a policy is in force in every one of them: before that nothing passes."""
    for vpc in world.vpcs.values():
        set_sysctls(names.vpc(vpc.name), gate_sysctls(vpc.profile))


def gate_sysctls(profile: Profile) -> Mapping[str, int]:
    """The kernel parameters of a VPC's namespace once its policy is in force: how it tracks, and that it routes."""
    return {**tracking_sysctls(profile), **FORWARDING}
