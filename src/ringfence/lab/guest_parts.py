"""The parts of instances: their ports, the routes of their guests, and virtual IPs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence

from ringfence.backends.nftables.names import port_link
from ringfence.lab.lines import (
    ANYWHERE,
    ROUTER,
    at,
    drop_address,
    guest_end,
    known,
    link,
    own_address,
    router_end,
    take_address,
    unknown,
    way,
)
from ringfence.lab.links import Spot
from ringfence.lab.names import LabNames, guest_link, near_mac
from ringfence.lab.wiring import Level, Part, Where
from ringfence.model.address import Address, Family
from ringfence.model.mac import mac_of
from ringfence.model.rule import NicType
from ringfence.model.topology import Port, VirtualIp
from ringfence.model.world import World


class GuestParts:
    """Makes the parts of a world's instances."""

    def __init__(self, world: World, names: LabNames) -> None:
        self._world = world
        self._names = names
        self._ports = {str(port): self._port(port) for port in world.ports}
        self._guests: dict[tuple[str, str], list[Port]] = {}
        for instance in world.instances.values():
            for port in instance.ports:  # in their order: the first is the primary
                self._guests.setdefault(port.guest, []).append(port)

    def all(self) -> Iterator[Part]:
        """Every part, what others need first."""
        yield from self._ports.values()
        for ports in self._guests.values():
            yield from self._routing(ports)
        for vip in self._world.virtual_ips.values():
            yield from self._virtual(vip)

    def _guest(self, port: Port, family: int = 0) -> Where:
        return Where(Level.GUEST, self._names.guest(*port.guest), family)

    def _router(self, vpc: str) -> Where:
        return Where(Level.VPC, self._names.vpc(vpc))

    def _port(self, port: Port) -> Part:
        """One port. IPv4 has its subnet's prefix, as guests expect; IPv6 a /128, so that it asks for no neighbour.

        A supplementary interface is one as well: its tag would end at the router's side of its parent's link anyway.
        """
        key, router, guest = str(port), self._router(port.vpc), self._guest(port)
        outer, device, near, far = port_link(key), guest_link(port.name), near_mac(key), mac_of(port)
        outside = [link(outer, near, device, far, guest.namespace), *router_end(outer, ROUTER)]
        for address in port.addresses:
            outside += [way(address.host_prefix, outer), known(address, outer, far)]
        lengths = {prefix.family: prefix.length for prefix in self._world.subnet_of(port).prefixes} | {Family.IPV6: 128}
        inside = [*guest_end(device, far), *(own_address(it, lengths[it.family], device) for it in port.addresses)]
        undo = ((router, f"link del dev {outer}"),)
        ends = Spot(router.namespace, outer), Spot(guest.namespace, device)
        return Part((*at(router, outside), *at(guest, inside)), undo, name=f"port {key}", ends=ends)

    def _routing(self, ports: Sequence[Port]) -> Iterator[Part]:
        """Who leads out: for all else one port, the internet's if there is one; for what bears a port's address, it.

        Programs of the classic network that name no address use the intranet's port for what lies there.
        """
        for family in Family:
            having = [port for port in ports if port.address(family)]
            for first in sorted(having, key=self._is_intranet)[:1]:  # the order stays otherwise
                yield self._routes(first, self._ways_out(first, family))
                inner = next(filter(self._is_intranet, having), first)
                if inner is not first:
                    yield self._routes(inner, self._ways_in(inner, family))
        for port in ports if len(ports) > 1 else ():
            yield self._routes(port, self._own_table(port))
            yield self._source_rules(port, port.addresses)

    def _is_intranet(self, port: Port) -> bool:
        return self._world.nic_of(port) is NicType.INTRANET

    def _routes(self, port: Port, lines: Iterable[str]) -> Part:
        """Routes of a guest: they go with the link, or give way to others."""
        return Part(tuple(at(self._guest(port), lines)), needs=(self._ports[str(port)],))

    def _ways_out(self, port: Port, family: Family) -> Iterator[str]:
        """By the gateway of the port's subnet; IPv4 has the subnet's prefix on the link besides."""
        if port.address(family):
            device, prefix = guest_link(port.name), self._world.subnet_of(port).prefix_of(family)
            if family is Family.IPV4:
                yield f"route replace {prefix} dev {device}"
            yield f"route replace {ANYWHERE[family]} via {self._gateway(port, family)} dev {device} onlink"

    def _ways_in(self, port: Port, family: Family) -> Iterator[str]:
        """To every subnet of the classic network's intranet."""
        for subnet in self._world.vpcs[port.vpc].subnets.values():
            if (
                subnet.nic is NicType.INTRANET
                and subnet is not self._world.subnet_of(port)
                and subnet.prefix_of(family)
            ):
                gateway, device = self._gateway(port, family), guest_link(port.name)
                yield f"route replace {subnet.prefix_of(family)} via {gateway} dev {device} onlink"

    def _gateway(self, port: Port, family: Family) -> str:
        prefix = self._world.subnet_of(port).prefix_of(family)
        return str(Address(family, prefix.network + 1)) if prefix and family is Family.IPV4 else ROUTER

    def _own_table(self, port: Port) -> Iterator[str]:
        for family in Family:
            yield from (f"{line} table {_table(port)}" for line in self._ways_out(port, family))

    def _source_rules(self, port: Port, addresses: Iterable[Address]) -> Part:
        """A reply leaves by the port whose address it bears."""
        rules = [(self._guest(port, it.family), f"from {it} lookup {_table(port)}") for it in addresses]
        lines, undo = (tuple((where, f"rule {what} {rule}") for where, rule in rules) for what in ("add", "del"))
        return Part(lines, undo, (self._ports[str(port)],))

    def _virtual(self, vip: VirtualIp) -> Iterator[Part]:
        """A virtual IP: each port behind it is ready to have it, one has it."""
        router = self._router(vip.vpc)
        for name in vip.ports:
            port, outer = self._world.port_by_name[name], port_link(name)
            neighbours = at(router, (known(it, outer, mac_of(port)) for it in vip.addresses))
            undo = at(router, (unknown(it, outer) for it in vip.addresses))
            yield Part(tuple(neighbours), tuple(undo), (self._ports[name],))
            if len(self._guests[port.guest]) > 1:
                yield self._source_rules(port, vip.addresses)
        yield self._held(vip, self._world.port_by_name[vip.active])

    def _held(self, vip: VirtualIp, holder: Port) -> Part:
        router, guest, outer = self._router(vip.vpc), self._guest(holder), port_link(vip.active)
        ways = at(router, (way(it.host_prefix, outer) for it in vip.addresses))
        taken = at(guest, (take_address(it, holder) for it in vip.addresses))
        undo = at(router, (f"route del {it.host_prefix} dev {outer}" for it in vip.addresses))
        dropped = at(guest, (drop_address(it, holder) for it in vip.addresses))
        return Part((*ways, *taken), (*undo, *dropped), (self._ports[vip.active],), f"virtual IP {vip}")


def _table(port: Port) -> int:
    """A routing table of the port's own, that stays its own whatever else its guest has."""
    return 0x10000000 + int(hashlib.sha256(port.name.encode()).hexdigest()[:7], 16)
