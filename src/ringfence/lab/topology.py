"""The lab's wiring: a namespace that routes for each VPC, one for each instance and outside host, and links between.

::

    instance            VPC (routes, judges)              internet               outside host
    eth0 ────────── rf… port's outer end                  (routes)
         10.0.1.11      /32 route, proxy ARP   rf-uplink ── vpc-…   out-… ────── eth0
                        fe80::1                 fe80::2     fe80::1  fe80::1          203.0.113.9/32

No link is ever in the default namespace. Two ports of one subnet have no wire between them: proxy ARP (IPv4) and
addresses of length /128 (IPv6) lead every packet to the router.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ringfence.backends.nftables.names import UPLINK, port_link
from ringfence.lab.names import LabNames, guest_link, internet_link, mac
from ringfence.lab.netns import IpRoute, make, set_sysctls
from ringfence.model.address import Address, Family
from ringfence.model.flow import Endpoint, Flow
from ringfence.model.profile import MidStream
from ringfence.model.topology import Instance, OutsideHost, Port, Vpc
from ringfence.model.world import World

_ROUTER = "fe80::1"
_UPLINK_ADDRESS = "fe80::2"
_HOST_LINK = "eth0"
_VOID = "rf-void"  # where a VPC sends what is for none of its ports
_FROM_VPCS = 10  # routing table of the internet for packets from a VPC: private addresses are not in it
_FIRST_TABLE = 100  # an instance's routing tables, one a port
_ANYWHERE = ("0.0.0.0/0", "::/0")

_QUIET = {
    "net/ipv4/conf/all/rp_filter": 0,  # the driver's table knows better who may send what
    "net/ipv4/conf/default/rp_filter": 0,
    "net/ipv6/conf/default/accept_dad": 0,  # an address is usable at once
    "net/ipv6/conf/default/accept_ra": 0,
    "net/ipv6/conf/default/addr_gen_mode": 1,  # link-local addresses are given, not made
}
_FORWARDING = {"net/ipv4/ip_forward": 1, "net/ipv6/conf/all/forwarding": 1}
# The ends check checksums. Conntrack does so for UDP-Lite as if it were UDP, and would take every packet for invalid.
_TRACKING = {"net/netfilter/nf_conntrack_checksum": 0}
_PROXY = {"net/ipv4/conf/default/proxy_arp": 1}
_BURST = 4096  # packets that may wait for one neighbour's answer


@dataclass(frozen=True, slots=True)
class Place:
    """Where an address is in the lab: its interface, and the router's end of the same link (the gate)."""

    owner: str
    """The instance or outside host; empty for an address that nobody has."""
    namespace: str
    link: str
    gate_namespace: str
    gate: str


class Places:
    """Finds the place of each end of a flow."""

    def __init__(self, world: World, names: LabNames) -> None:
        self._names = names
        self._known = dict(_known_places(world, names))
        self._own: dict[str, set[Address]] = {}
        for (_, address), place in self._known.items():
            self._own.setdefault(place.owner, set()).add(address)

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
        """Whether a packet never leaves its source, because the destination address is one of the source's own."""
        source = self.source(flow.source)
        return source is not None and flow.destination.address in self._own[source.owner]


def _known_places(world: World, names: LabNames) -> Iterator[tuple[tuple[str, Address], Place]]:
    for port in world.ports:
        guest, router = names.instance(port.instance), names.vpc(port.vpc)
        place = Place(port.instance, guest, guest_link(port.name), router, port_link(str(port)))
        yield from (((port.vpc, address), place) for address in port.addresses)
    for host in world.outside.values():
        place = Place(host.name, names.outside(host.name), _HOST_LINK, names.internet, internet_link("out", host.name))
        yield from ((("", address), place) for address in host.addresses)


def targets(world: World, names: LabNames) -> Mapping[str, str]:
    """The namespace of each instance and outside host, by name."""
    instances = {name: names.instance(name) for name in world.instances}
    return instances | {name: names.outside(name) for name in world.outside}


def build(world: World, names: LabNames, ip: IpRoute) -> None:
    """Make and wire every namespace. VPCs do not forward yet: see `open_gates`."""
    guests = targets(world, names).values()
    routers = [names.vpc(name) for name in world.vpcs]
    make([names.internet, *routers, *guests], ip)
    for namespace in (names.internet, *guests):
        set_sysctls(namespace, _QUIET)
    for namespace in routers:
        set_sysctls(namespace, _QUIET | _PROXY)
    set_sysctls(names.internet, _FORWARDING)
    for vpc in world.vpcs.values():
        ip.run(_vpc_lines(world, vpc, names), names.vpc(vpc.name))
    _build_internet(world, names, ip)
    for instance in world.instances.values():
        _build_instance(world, instance, names.instance(instance.name), ip)
    for host in world.outside.values():
        ip.run(_host_lines(host), names.outside(host.name))


def open_gates(world: World, names: LabNames) -> None:
    """Let the VPCs route. Only after a policy is in force in every one of them: before that nothing passes."""
    for vpc in world.vpcs.values():
        loose = int(vpc.profile.mid_stream is MidStream.LOOSE)
        set_sysctls(names.vpc(vpc.name), {"net/netfilter/nf_conntrack_tcp_loose": loose, **_TRACKING, **_FORWARDING})


def _default_routes(device: str) -> Iterator[str]:
    """Both families by the router's link-local address; it is on the link, whatever its addresses say."""
    yield f"route add 0.0.0.0/0 via inet6 {_ROUTER} dev {device} onlink"
    yield f"route add ::/0 via {_ROUTER} dev {device} onlink"


def _router_end(device: str, address: str, addresses: tuple[Address, ...], far_mac: str) -> Iterator[str]:
    """The router's end of a link, and the way to each address behind it. It knows who is there and need not ask."""
    yield f"link set dev {device} up"
    yield f"addr add {address}/64 dev {device} nodad"
    yield f"ntable change name arp_cache dev {device} proxy_delay 0"
    for behind in addresses:
        yield f"route add {behind.host_prefix} dev {device}"
        yield f"neigh replace {behind} lladdr {far_mac} dev {device} nud permanent"


def _vpc_lines(world: World, vpc: Vpc, names: LabNames) -> Iterator[str]:
    yield "link set dev lo up"
    # An unassigned address must not leave by the uplink, nor what lies in another VPC: there is no way to it. The route
    # has a device, unlike a blackhole, so that guests get an answer to ARP and the packet is judged; no gate knows it.
    yield f"link add name {_VOID} type bridge"
    yield f"link set dev {_VOID} up"
    spaces = {cidr for each in world.vpcs.values() for cidr in each.cidrs}
    yield from (f"route add {cidr} dev {_VOID}" for cidr in sorted(spaces))
    for subnet in vpc.subnets.values():
        yield from (f"addr add {gateway.host_prefix} dev lo" for gateway in subnet.gateways)
    outer = internet_link("vpc", vpc.name)
    yield _link(UPLINK, _near(vpc.name), outer, _far(vpc.name), names.internet)
    yield from _router_end(UPLINK, _UPLINK_ADDRESS, (), "")
    yield f"neigh replace {_ROUTER} lladdr {_far(vpc.name)} dev {UPLINK} nud permanent"
    yield from _default_routes(UPLINK)
    for port in world.ports:
        if port.vpc == vpc.name:
            key, link = str(port), port_link(str(port))
            yield _link(link, _near(key), guest_link(port.name), _far(key), names.instance(port.instance))
            yield from _router_end(link, _ROUTER, port.addresses, _far(key))


def _near(key: str) -> str:
    return mac(f"near {key}")


def _far(key: str) -> str:
    return mac(f"far {key}")


def _link(near: str, near_mac: str, far: str, far_mac: str, namespace: str) -> str:
    """A link whose far end is in another namespace from its first moment on."""
    return f"link add name {near} address {near_mac} type veth peer name {far} address {far_mac} netns {namespace}"


def _build_internet(world: World, names: LabNames, ip: IpRoute) -> None:
    ip.run(_internet_lines(world, names), names.internet)
    for family in Family:
        rules = (f"rule add iif {internet_link('vpc', name)} lookup {_FROM_VPCS}" for name in world.vpcs)
        ip.run(rules, names.internet, family)


def _internet_lines(world: World, names: LabNames) -> Iterator[str]:
    yield "link set dev lo up"
    for anywhere in _ANYWHERE:
        yield f"route add blackhole {anywhere}"
        yield f"route add blackhole {anywhere} table {_FROM_VPCS}"
    for vpc in world.vpcs.values():
        device = internet_link("vpc", vpc.name)
        yield from _router_end(device, _ROUTER, (), "")
        yield f"neigh replace {_UPLINK_ADDRESS} lladdr {_near(vpc.name)} dev {device} nud permanent"
        # Without hosts outside there is nobody to answer, and VPCs may then use the same addresses.
        for cidr in vpc.cidrs if world.outside else ():
            via = f"inet6 {_UPLINK_ADDRESS}" if cidr.family is Family.IPV4 else _UPLINK_ADDRESS
            yield f"route add {cidr} via {via} dev {device} onlink"
    for host in world.outside.values():
        device, far = internet_link("out", host.name), _far(host.name)
        yield _link(device, _near(host.name), _HOST_LINK, far, names.outside(host.name))
        yield from _router_end(device, _ROUTER, host.addresses, far)
        yield from (f"route add {it.host_prefix} dev {device} table {_FROM_VPCS}" for it in host.addresses)


def _host_lines(host: OutsideHost) -> Iterator[str]:
    yield "link set dev lo up"
    yield from _guest_end(_HOST_LINK, _far(host.name))
    yield from (f"addr add {address.host_prefix} dev {_HOST_LINK} nodad" for address in host.addresses)
    yield from _default_routes(_HOST_LINK)


def _guest_end(device: str, own_mac: str) -> Iterator[str]:
    yield f"link set dev {device} up"
    yield f"addr add {_link_local(own_mac)}/64 dev {device} nodad"
    yield from (f"ntable change name {cache} dev {device} queue {_BURST}" for cache in ("arp_cache", "ndisc_cache"))


def _link_local(own_mac: str) -> str:
    """The address that a machine makes of its MAC address (RFC 4291, appendix A)."""
    parts = [int(part, 16) for part in own_mac.split(":")]
    parts[0] ^= 2
    value = int.from_bytes(bytes([*parts[:3], 0xFF, 0xFE, *parts[3:]]))
    return str(Address(Family.IPV6, 0xFE80 << 112 | value))


def _build_instance(world: World, instance: Instance, namespace: str, ip: IpRoute) -> None:
    lines = ["link set dev lo up"]
    for port in instance.ports:
        lines += _port_lines(world, instance, port)
    ip.run(lines, namespace)
    if len(instance.ports) > 1:
        for family in Family:
            ip.run(_source_rules(instance, family), namespace, family)


def _port_lines(world: World, instance: Instance, port: Port) -> Iterator[str]:
    """One port. IPv4 has its subnet's prefix, as guests expect it; IPv6 a /128, so that it asks for no neighbour."""
    device = guest_link(port.name)
    yield from _guest_end(device, _far(str(port)))
    for address in port.addresses:
        prefix = world.subnet_of(port).prefix_of(address.family)
        assert prefix is not None
        if address.family is Family.IPV4:
            yield f"addr add {address}/{prefix.length} dev {device}"
            routes = [
                f"{prefix} dev {device}",
                f"0.0.0.0/0 via {Address(address.family, prefix.network + 1)} dev {device}",
            ]
        else:
            yield f"addr add {address.host_prefix} dev {device} nodad"
            routes = [f"::/0 via {_ROUTER} dev {device} onlink"]
        for table in _tables(instance, port, address.family):
            yield from (f"route replace {route} table {table}" for route in routes)


def _tables(instance: Instance, port: Port, family: Family) -> Iterator[str]:
    """The routing tables that lead out by a port: the main one if it is the first, and its own if it is not alone."""
    if port is next(it for it in instance.ports if it.address(family)):
        yield "main"
    if len(instance.ports) > 1:
        yield str(_FIRST_TABLE + instance.ports.index(port))


def _source_rules(instance: Instance, family: Family) -> Iterator[str]:
    """A reply leaves by the port whose address it bears."""
    for number, port in enumerate(instance.ports):
        for address in port.addresses:
            if address.family is family:
                yield f"rule add from {address} lookup {_FIRST_TABLE + number}"
