"""What rules open to everybody, by their words alone: which services every address of the internet may use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ringfence.analysis.sets.diagram import NOTHING, Diagram, joined, span, union
from ringfence.analysis.sets.packets import PORT, PORTS, PROTOCOL, PROTOCOLS, Packets, services
from ringfence.model.address import NOT_UNICAST, AddressRange, Family, Prefix
from ringfence.model.port_list import resolved
from ringfence.model.rule import AddressGroupRemote, AnyRemote, Rule
from ringfence.model.service import ALL_PORTS, PortRange, Protocol, ServiceSet
from ringfence.model.world import World

_ALL = PortRange(1, 65535)
_NOT_PUBLIC = (
    *NOT_UNICAST,
    *map(Prefix.parse, ("10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16")),
)


def _internet(family: Family) -> tuple[AddressRange, ...]:
    """The addresses of the internet: of IPv6 2000::/3 (RFC 4291, 2.4), of IPv4 all but what RFC 6890 sets aside."""
    if family is Family.IPV6:
        return (Prefix.parse("2000::/3").range,)
    found, first = [], 0
    for begin, end in joined((it.range.first, it.range.last) for it in _NOT_PUBLIC if it.family is family):
        if begin > first:
            found.append(AddressRange(family, first, begin - 1))
        first = end + 1
    return tuple(found)


INTERNET = {family: _internet(family) for family in Family}
Open = Mapping[Family, Diagram]
"""Services that everybody may use, by family."""


def is_all_ports(rule: Rule, world: World) -> bool:
    """Whether a rule is for every port of TCP, of UDP or of all protocols."""
    ports = resolved(rule.ports, world.port_lists)
    return (rule.protocol == Protocol.ALL or rule.protocol.has_ports) and ports is not None and ports.covers(_ALL)


def sources(rule: Rule, world: World) -> list[AddressRange]:
    """The addresses that an ingress rule lets in from; none of a group's."""
    if isinstance(rule.remote, AnyRemote):
        return [AddressRange.all(family) for family in Family]
    if isinstance(rule.remote, Prefix):
        return [rule.remote.range]
    return list(world.address_groups[rule.remote.name].entries) if isinstance(rule.remote, AddressGroupRemote) else []


def packets_of(rule: Rule, world: World) -> Packets:
    """Those that an ingress rule means, from whatever port and to whichever address of its members."""
    ports = resolved(rule.ports, world.port_lists)
    if ports is None:
        return Packets.NONE
    families = rule.families
    ranges = [each for each in sources(rule, world) if each.family in families]
    return Packets.of(rule.protocol, ports, ranges)


def _covers_internet(ranges: Iterable[AddressRange], family: Family) -> bool:
    """Whether ranges together hold every address of the internet of a family."""
    together = joined((it.first, it.last) for it in ranges if it.family is family)
    return all(any(first <= it.first and it.last <= last for first, last in together) for it in INTERNET[family])


def open_alone(rule: Rule, world: World) -> Open:
    """The services that an ingress rule lets every address of the internet use."""
    ranges, ports, found = sources(rule, world), resolved(rule.ports, world.port_lists), dict.fromkeys(Family, NOTHING)
    for family in rule.families if ports is not None else ():
        if _covers_internet(ranges, family):
            found[family] = services(family, rule.protocol, ports or ALL_PORTS)
    return found


def open_together(rules: Iterable[Rule], world: World, family: Family) -> Diagram:
    """The same of several rules, none of which says so alone."""
    known = list(rules)
    if not _covers_internet((it for rule in known for it in sources(rule, world)), family):
        return NOTHING
    together = Packets.NONE
    for rule in known:
        together |= packets_of(rule, world)
    return _from_everywhere(together.of_family(family), family)


def _from_everywhere(packets: Diagram, family: Family) -> Diagram:
    """The services of packets that come from everywhere on the internet."""
    internet = Packets.of(source=INTERNET[family]).of_family(family)
    wanted, missing = _projected(packets, family), NOTHING
    lacking = (internet & wanted) - packets
    if lacking:
        missing = _projected(lacking, family)
    return wanted - missing


def _projected(packets: Diagram, family: Family) -> Diagram:
    """The services of some packets, whoever sends them; source ports are the sender's to choose."""
    boxes = Packets(**{str(family): packets}).boxes
    return union({_box(protocol, ports) for _, (protocol, ports, *_) in boxes})


def _box(protocol: tuple[int, int], ports: tuple[int, int]) -> Diagram:
    return span(PROTOCOL, [protocol], PROTOCOLS, span(PORT, [ports], PORTS))


def concerns(rule: Rule, listed: ServiceSet, world: World) -> bool:
    """Whether a rule is for any service of a list."""
    ports = resolved(rule.ports, world.port_lists)
    return ports is not None and any(
        rule.protocol in (protocol, Protocol.ALL)
        and (not ports or any(it.first <= risky.last and risky.first <= it.last for it in ports.ranges))
        for protocol, risky in listed.ranges
    )
