"""Services that some rules do not tell apart: one packet of each run of ports stands for all of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from ringfence.model.acl import AclRule
from ringfence.model.address import Family
from ringfence.model.port_list import PortLists, resolved
from ringfence.model.rule import Rule
from ringfence.model.service import ICMP, ICMPV6, TCP, UDP, PortSet, Protocol, Service, ServiceSet

_PORTED = (TCP, UDP)
_TOP = 65535


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A run of ports of TCP or UDP, or a protocol without ports; ``others`` is every protocol that no rule names."""

    number: int
    first: int | None = None
    last: int | None = None
    others: bool = False

    @property
    def service(self) -> Service:
        """What stands for it."""
        return Service(Protocol(self.number), self.first)

    def __str__(self) -> str:
        if self.others:
            return "other protocols"
        if self.first is None or (self.first, self.last) == (1, _TOP):
            return str(Protocol(self.number))
        return f"{Protocol(self.number)}/{self.first}" + (f"-{self.last}" if self.last != self.first else "")


def joined(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The same services, runs that touch made one."""
    found: list[Span] = []
    for span in sorted(spans):
        before = found[-1] if found else None
        if before and before.last and before.number == span.number and span.first == before.last + 1:
            found[-1] = Span(span.number, before.first, span.last)
        else:
            found.append(span)
    return tuple(sorted(found, key=lambda span: (span.others, span)))


@dataclass(frozen=True, slots=True)
class Cuts:
    """Where rules tell services apart: ports at which a run begins, protocols that are named, and source ports."""

    ports: frozenset[tuple[int, int]] = frozenset()
    protocols: frozenset[int] = frozenset()
    sources: frozenset[int] = frozenset()

    @classmethod
    def of(cls, rules: Iterable[Rule | AclRule], *lists: PortLists) -> Cuts:
        """Those of some rules, with each of several states of the port lists that they may name.

        An ACL's source ports tell services apart too, since it may judge answers.
        """
        ports: set[tuple[int, int]] = set()
        protocols: set[int] = set()
        sources: set[int] = set()
        for rule in rules:
            number = rule.protocol.number
            if number is not None:
                protocols.add(number)
                sets = filter(None, (resolved(rule.ports, each) for each in lists))
                ports |= {(number, port) for each in sets for port in _begins(each)}
            if number is not None and isinstance(rule, AclRule):
                ports |= {(number, port) for port in _begins(rule.source_ports)}
            sources |= set(_begins(rule.source_ports))
        return cls(frozenset(ports), frozenset(protocols), frozenset(sources))

    @classmethod
    def at(cls, listed: ServiceSet) -> Cuts:
        """Those of services that the platform blocks."""
        found = {
            (protocol.number or 0, port) for protocol, ports in listed.ranges for port in _begins(PortSet((ports,)))
        }
        return cls(frozenset(found))

    def __or__(self, other: Cuts) -> Cuts:
        return Cuts(self.ports | other.ports, self.protocols | other.protocols, self.sources | other.sources)

    def spans(self, family: Family) -> Iterator[Span]:
        """Every service of a family, in runs that the rules do not tell apart."""
        for number in _PORTED:
            begins = sorted({1, *(port for protocol, port in self.ports if protocol == number)})
            yield from (Span(number, first, after - 1) for first, after in pairwise([*begins, _TOP + 1]))
        yield Span(ICMP if family is Family.IPV4 else ICMPV6)
        named = self.protocols - {TCP, UDP, ICMP, ICMPV6}
        yield from map(Span, sorted(named))
        rest = (number for number in range(254, -1, -1) if number not in {*named, TCP, UDP, ICMP, ICMPV6})
        yield from (Span(number, others=True) for number in [*rest][:1])

    def source_ports(self, span: Span) -> tuple[int | None, ...]:
        """The source ports to try: any of a program's, and one of each run that a rule tells from others."""
        ported = span.number in _PORTED and self.sources
        return (None, *(sorted({1, *self.sources}) if ported else ()))


NO_CUTS = Cuts()


def _begins(ports: PortSet) -> Iterator[int]:
    """Where a range begins, and where what follows it does."""
    for each in ports.ranges:
        yield each.first
        if each.last < _TOP:
            yield each.last + 1
