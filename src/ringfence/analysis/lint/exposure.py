"""What is open to everybody: by the rules' words, and by what of it the internet really reaches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

from ringfence.analysis.lint.finding import Finding, Fix, Severity, at_rule
from ringfence.analysis.lint.subject import Subject
from ringfence.analysis.reach.ends import EndClass, EndSet
from ringfence.analysis.sets.diagram import NOTHING, Diagram, joined, span, union
from ringfence.analysis.sets.notation import Services, told_services
from ringfence.analysis.sets.packets import PORT, PORTS, PROTOCOL, PROTOCOLS, Packets, listed_services, services
from ringfence.model.address import NOT_UNICAST, AddressRange, Family, Prefix
from ringfence.model.flow import Flow
from ringfence.model.group import SecurityGroup
from ringfence.model.port_list import resolved
from ringfence.model.rule import AddressGroupRemote, AnyRemote, Rule
from ringfence.model.service import ALL_PORTS, PortRange, Protocol
from ringfence.model.world import World

ALL_PORTS_OPEN, RISKY_PORT_OPEN = "all-ports-open", "risky-port-open"
_ALL = PortRange(1, 65535)
_NOT_PUBLIC = (
    *NOT_UNICAST,
    *map(Prefix.parse, ("10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16")),
)


def _internet(family: Family) -> tuple[AddressRange, ...]:
    """The addresses of the internet: of IPv6 2000::/3 (RFC 4291, 2.4), of IPv4 what RFC 6890 sets aside for no use."""
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


def _ranges(rule: Rule, world: World) -> list[AddressRange]:
    """The addresses that an ingress rule lets in from; none of a group's."""
    if isinstance(rule.remote, AnyRemote):
        return [AddressRange.all(family) for family in Family]
    if isinstance(rule.remote, Prefix):
        return [rule.remote.range]
    return list(world.address_groups[rule.remote.name].entries) if isinstance(rule.remote, AddressGroupRemote) else []


def _packets(rule: Rule, world: World) -> Packets:
    """Those that an ingress rule means, from whatever port and to whichever address of its members."""
    ports = resolved(rule.ports, world.port_lists)
    if ports is None:
        return Packets.NONE
    families = rule.families
    ranges = [each for each in _ranges(rule, world) if each.family in families]
    return Packets.of(rule.protocol, ports, ranges)


def _covers_internet(ranges: Iterable[AddressRange], family: Family) -> bool:
    """Whether ranges together hold every address of the internet of a family."""
    together = joined((it.first, it.last) for it in ranges if it.family is family)
    return all(any(first <= it.first and it.last <= last for first, last in together) for it in INTERNET[family])


def open_alone(rule: Rule, world: World) -> Open:
    """The services that an ingress rule lets every address of the internet use."""
    ranges, ports, found = _ranges(rule, world), resolved(rule.ports, world.port_lists), dict.fromkeys(Family, NOTHING)
    for family in rule.families if ports is not None else ():
        if _covers_internet(ranges, family):
            found[family] = services(family, rule.protocol, ports or ALL_PORTS)
    return found


def open_together(rules: Iterable[Rule], world: World, family: Family) -> Diagram:
    """The same of several rules, none of which says so alone."""
    known = list(rules)
    if not _covers_internet((it for rule in known for it in _ranges(rule, world)), family):
        return NOTHING
    together = Packets.NONE
    for rule in known:
        together |= _packets(rule, world)
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


class _Entry(NamedTuple):
    """A class of ends, some sources outside, and services that these may use of it."""

    end: EndClass
    sources: EndSet
    services: Diagram


class Exposure:
    """What the internet reaches, by group."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject

    @cached_property
    def _by_class(self) -> Mapping[tuple[Family, int], list[_Entry]]:
        found: dict[tuple[Family, int], list[_Entry]] = {}
        for way in self._subject.reach.open_to_internet():
            for end in way.destinations:
                entry = _Entry(end, way.sources, way.services.diagram)
                found.setdefault((end.family, end.index), []).append(entry)
        return found

    @cached_property
    def _rest(self) -> Mapping[Family, EndClass]:
        """Everybody outside whom no rule names: the largest class."""
        outside = [each for each in self._subject.reach.classes if each.is_outside]
        by_family = {family: [each for each in outside if each.family is family] for family in Family}
        return {family: max(all_, key=lambda each: each.size) for family, all_ in by_family.items() if all_}

    def judged(self, group: SecurityGroup, wanted: Open) -> tuple[Severity, str, Flow | None]:
        """How grave it is that a group's rules open some services: whether the internet really comes to its ports."""
        ends = [each for each in self._subject.classes[group.name] if wanted[each.family]]
        if not ends:
            return Severity.NOTE, "no port is in the group that it could be reached at", None
        hits = [
            _Entry(it.end, it.sources, hit)
            for end in ends
            for it in self._open(end)
            if (hit := it.services & wanted[end.family])
        ]
        everyone = [it for it in hits if self._rest[it.end.family] in it.sources]
        if everyone:
            first = everyone[0]
            text = f"the internet reaches {_listed(it.end.label for it in everyone)}"
            return Severity.ERROR, text, _flow(self._rest[first.end.family], first.end, first.services)
        if hits:
            first, near = hits[0], next(iter(hits[0].sources))
            text = f"only {first.sources} comes through to {_listed(it.end.label for it in hits)}, the rest is stopped"
            return Severity.WARNING, text, _flow(near, first.end, first.services)
        return Severity.NOTE, self._why_not(ends[0], wanted), None

    def _open(self, end: EndClass) -> list[_Entry]:
        return self._by_class.get((end.family, end.index), [])

    def _why_not(self, end: EndClass, wanted: Open) -> str:
        flow = _flow(self._rest[end.family], end, wanted[end.family])
        verdict = self._subject.policy.evaluate(flow)
        return f"it does not come through, by {self._subject.told(verdict.decided_by)}"


def _flow(source: EndClass, destination: EndClass, found: Diagram) -> Flow:
    service, source_port = Services(source.family, found).sample or (None, None)
    assert service
    return Flow(source.example, destination.example, service, source_port)


def _listed(labels: Iterable[str]) -> str:
    known = list(dict.fromkeys(labels))
    return known[0] if len(known) == 1 else f"{known[0]} and {len(known) - 1} more"


def all_ports_open(subject: Subject) -> Iterator[Finding]:
    """Rules that let everybody in on every port."""
    exposure = Exposure(subject)
    for group in subject.groups(managed=True):
        for rule in subject.lets_in(group):
            if is_all_ports(rule, subject.world) and any((wanted := open_alone(rule, subject.world)).values()):
                severity, text, flow = exposure.judged(group, wanted)
                what = "every port" if rule.protocol == Protocol.ALL else f"every {rule.protocol} port"
                reason = f"{what} is open to {_whom(rule)}; {text}"
                fix = Fix("allow the ports that are served, each from where it is needed")
                yield Finding(ALL_PORTS_OPEN, severity, at_rule(group, rule), reason, fix, flow=flow)


def risky_port_open(subject: Subject) -> Iterator[Finding]:
    """Rules that let everybody in on a high-risk port, alone or together."""
    exposure = Exposure(subject)
    for group in subject.groups(managed=True):
        risky = {it: listed_services(it, subject.world.profile_of(group).risky_ports) for it in Family}
        rules = [rule for rule in subject.lets_in(group) if not _is_told(rule, subject.world)]
        alone = [(rule, _both(open_alone(rule, subject.world), risky)) for rule in rules]
        for rule, wanted in alone:
            if any(wanted.values()):
                yield _risky(exposure, group, [rule], wanted)
        rest = [rule for rule, wanted in alone if not any(wanted.values()) and _ranges(rule, subject.world)]
        for family in Family:
            if found := open_together(rest, subject.world, family) & risky[family]:
                named = [it for it in rest if _packets(it, subject.world).of_family(family) & found]
                yield _risky(exposure, group, named, {**dict.fromkeys(Family, NOTHING), family: found})


def _is_told(rule: Rule, world: World) -> bool:
    """Whether it is said already that a rule opens all ports."""
    return is_all_ports(rule, world) and any(open_alone(rule, world).values())


def _risky(exposure: Exposure, group: SecurityGroup, rules: list[Rule], wanted: Open) -> Finding:
    severity, text, flow = exposure.judged(group, wanted)
    ports = ", ".join(dict.fromkeys(line for family in Family for line in told_services(wanted[family], family)))
    together = f", together with {', '.join(str(rule.remote) for rule in rules[1:4])}" if len(rules) > 1 else ""
    reason = f"high-risk {ports} is open to {_whom(rules[0]) if len(rules) == 1 else rules[0].remote}{together}"
    reason += f"{', which is everybody' if together else ''}; {text}"
    fix = Fix("allow it from the addresses or the group that need it, such as those of your office or a jump host")
    return Finding(RISKY_PORT_OPEN, severity, at_rule(group, rules[0]), reason, fix, flow=flow)


def _whom(rule: Rule) -> str:
    return "everybody" if isinstance(rule.remote, AnyRemote) else str(rule.remote)


def _both(one: Open, two: Open) -> Open:
    return {family: one[family] & two[family] for family in Family}
