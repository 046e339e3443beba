"""The parts that a world is wired of: see the picture in `ringfence.lab.topology`."""

from __future__ import annotations

from collections.abc import Iterator

from ringfence.backends.nftables.names import UPLINK, peer_link
from ringfence.lab.guest_parts import GuestParts
from ringfence.lab.lines import (
    ANYWHERE,
    HOST_LINK,
    OTHER,
    ROUTER,
    at,
    guest_end,
    known,
    link,
    own_address,
    router_end,
    way,
)
from ringfence.lab.links import Spot
from ringfence.lab.names import LabNames, far_mac, internet_link, near_mac
from ringfence.lab.wiring import Command, Level, Part, Where
from ringfence.model.address import Family, Prefix
from ringfence.model.topology import OutsideHost, Peering, Subnet, Vpc
from ringfence.model.world import World

_VOID = "rf-void"  # where a VPC sends what is for none of its ports
_FROM_VPCS = 10  # routing table of the internet for packets from a VPC: private addresses are not in it


def parts(world: World, names: LabNames) -> tuple[Part, ...]:
    """Everything that a world is wired of, what others need first."""
    return (
        _internet_part(names),
        *(each for vpc in world.vpcs.values() for each in _vpc_parts(world, vpc, names)),
        *(_peering_part(world, peering, names) for peering in world.peerings.values()),
        *(_host_part(host, names) for host in world.outside.values()),
        *(_loopback_part(namespace) for namespace in guests(world, names).values()),
        *GuestParts(world, names).all(),
    )


def guests(world: World, names: LabNames) -> dict[str, str]:
    """The lab's namespaces of all guests, by ``instance`` for the main one and ``instance/namespace`` for others."""
    others = {port.guest for port in world.ports if port.namespace}
    return {name: names.instance(name) for name in world.instances} | {
        "/".join(guest): names.guest(*guest) for guest in sorted(others)
    }


def namespaces(world: World, names: LabNames) -> list[str]:
    """Every namespace of a lab."""
    vpcs, hosts = map(names.vpc, world.vpcs), map(names.outside, world.outside)
    return [*vpcs, names.internet, *guests(world, names).values(), *hosts]


def _vpc(name: str, names: LabNames) -> Where:
    return Where(Level.VPC, names.vpc(name))


def _internet(names: LabNames, family: int = 0) -> Where:
    return Where(Level.INTERNET, names.internet, family)


def _internet_part(names: LabNames) -> Part:
    tables = [
        f"blackhole {anywhere}{table}" for anywhere in ANYWHERE.values() for table in ("", f" table {_FROM_VPCS}")
    ]
    lines = ["link set dev lo up", *(f"route add {each}" for each in tables)]
    undo = (f"route del {each}" for each in tables)
    return Part(tuple(at(_internet(names), lines)), tuple(at(_internet(names), undo)))


def _vpc_parts(world: World, vpc: Vpc, names: LabNames) -> Iterator[Part]:
    own, outer = _vpc(vpc.name, names), internet_link("vpc", vpc.name)
    ends = Spot(own.namespace, UPLINK), Spot(names.internet, outer)
    uplink = Part(tuple(_vpc_lines(vpc, names)), tuple(_vpc_undo(vpc, names)), name=f"VPC {vpc}", ends=ends)
    yield uplink
    yield from (_gateway_part(subnet, own) for subnet in vpc.subnets.values())
    for cidr in _void_spaces(world, vpc):
        route = f"{cidr} dev {_VOID}"
        yield Part(((own, f"route add {route}"),), ((own, f"route del {route}"),), (uplink,))
    # Without hosts outside there is nobody to answer, and VPCs may then use the same addresses.
    for cidr in vpc.cidrs if world.outside else ():
        line, undo = way(cidr, outer, OTHER), f"route del {cidr} dev {outer}"
        out = _internet(names)
        yield Part(((out, line),), ((out, undo),), (uplink,))


def _vpc_lines(vpc: Vpc, names: LabNames) -> Iterator[Command]:
    outer, near, far = internet_link("vpc", vpc.name), near_mac(vpc.name), far_mac(vpc.name)
    inside = [
        "link set dev lo up",
        f"link add name {_VOID} type bridge",
        f"link set dev {_VOID} up",
        link(UPLINK, near, outer, far, names.internet),
        *router_end(UPLINK, OTHER),
        known(ROUTER, UPLINK, far),
        *(way(anywhere, UPLINK, ROUTER) for anywhere in ANYWHERE.values()),
    ]
    yield from at(_vpc(vpc.name, names), inside)
    yield from at(_internet(names), (*router_end(outer, ROUTER), known(OTHER, outer, near)))
    for family in Family:
        yield _internet(names, family), f"rule add iif {outer} lookup {_FROM_VPCS}"


def _vpc_undo(vpc: Vpc, names: LabNames) -> Iterator[Command]:
    for family in Family:
        yield _internet(names, family), f"rule del iif {internet_link('vpc', vpc.name)} lookup {_FROM_VPCS}"
    yield from at(_vpc(vpc.name, names), (f"link del dev {_VOID}", f"link del dev {UPLINK}"))


def _gateway_part(subnet: Subnet, own: Where) -> Part:
    addresses = [f"{gateway.host_prefix} dev lo" for gateway in subnet.gateways]
    lines, undo = (tuple((own, f"addr {what} {each}") for each in addresses) for what in ("add", "del"))
    return Part(lines, undo)


def _void_spaces(world: World, vpc: Vpc) -> list[Prefix]:
    """What must not leave a VPC by its uplink: its own unassigned addresses, and VPCs to which there is no way.

    A space inside its own or a peer's is that one's. The route has a device, unlike a blackhole, so that guests get an
    answer to ARP and the packet is judged; no gate knows the device.
    """
    near = {*vpc.cidrs, *(cidr for peer in world.peers_of(vpc.name) for cidr in world.vpcs[peer].cidrs)}
    foreign = {cidr for each in world.vpcs.values() for cidr in each.cidrs}
    shadowing = {cidr for cidr in foreign if any(_is_inside(cidr, space) for space in near)}
    return sorted({*vpc.cidrs, *(foreign - shadowing)})


def _is_inside(inner: Prefix, outer: Prefix) -> bool:
    return inner.family is outer.family and inner.length >= outer.length and inner.range.overlaps(outer.range)


def _peering_part(world: World, peering: Peering, names: LabNames) -> Part:
    """A link between two VPCs, made by the one whose turn to be wired comes first; each has the way to the other."""
    first, second = sorted(peering.vpcs, key=names.vpc)
    there, back = peer_link(second), peer_link(first)
    near, far = near_mac(f"peering {first} {second}"), far_mac(f"peering {first} {second}")
    ends = [(first, second, there, ROUTER, OTHER, far), (second, first, back, OTHER, ROUTER, near)]
    one = _vpc(first, names)
    lines = [(one, link(there, near, back, far, names.vpc(second)))]
    for own, other, device, address, via, mac in ends:
        ways = (way(cidr, device, via) for cidr in world.vpcs[other].cidrs)
        lines += at(_vpc(own, names), (*router_end(device, address), known(via, device, mac), *ways))
    spots = tuple(Spot(names.vpc(own), device) for own, _, device, *_ in ends)
    return Part(tuple(lines), ((one, f"link del dev {there}"),), name=f"peering {peering}", ends=spots)


def _host_part(host: OutsideHost, names: LabNames) -> Part:
    device, far, out = internet_link("out", host.name), far_mac(host.name), _internet(names)
    behind = [f"{it.host_prefix} dev {device}" for it in host.addresses]
    lines = [
        link(device, near_mac(host.name), HOST_LINK, far, names.outside(host.name)),
        *router_end(device, ROUTER),
        *(f"route add {each}{table}" for each in behind for table in ("", f" table {_FROM_VPCS}")),
        *(known(it, device, far) for it in host.addresses),
    ]
    inside = [
        "link set dev lo up",
        *guest_end(HOST_LINK, far),
        *(own_address(it, it.family.bits, HOST_LINK) for it in host.addresses),
        *(way(anywhere, HOST_LINK, ROUTER) for anywhere in ANYWHERE.values()),
    ]
    own = Where(Level.GUEST, names.outside(host.name))
    ends = Spot(out.namespace, device), Spot(own.namespace, HOST_LINK)
    undo = ((out, f"link del dev {device}"),)
    return Part((*at(out, lines), *at(own, inside)), undo, name=f"host {host}", ends=ends)


def _loopback_part(namespace: str) -> Part:
    return Part(((Where(Level.GUEST, namespace), "link set dev lo up"),))
