"""What is open to everybody: by the rules' words, and by what of it the internet really reaches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

from ringfence.analysis.lint.finding import Finding, Fix, Severity, at_rule
from ringfence.analysis.lint.opening import Open, concerns, is_all_ports, open_alone, open_together, packets_of, sources
from ringfence.analysis.lint.subject import Subject
from ringfence.analysis.reach.ends import EndClass, EndSet
from ringfence.analysis.sets.diagram import NOTHING, Diagram
from ringfence.analysis.sets.notation import Services, told_services
from ringfence.analysis.sets.packets import listed_services
from ringfence.model.address import Family
from ringfence.model.flow import Flow
from ringfence.model.group import SecurityGroup
from ringfence.model.rule import AnyRemote, Rule
from ringfence.model.service import Protocol
from ringfence.model.world import World

ALL_PORTS_OPEN, RISKY_PORT_OPEN = "all-ports-open", "risky-port-open"


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
        listed = subject.world.profile_of(group).risky_ports
        risky = {family: listed_services(family, listed) for family in Family}
        concerned = (rule for rule in subject.lets_in(group) if concerns(rule, listed, subject.world))
        rules = [rule for rule in concerned if not _is_told(rule, subject.world)]
        alone = [(rule, _both(open_alone(rule, subject.world), risky)) for rule in rules]
        for rule, wanted in alone:
            if any(wanted.values()):
                yield _risky(exposure, group, [rule], wanted)
        rest = [rule for rule, wanted in alone if not any(wanted.values()) and sources(rule, subject.world)]
        for family in Family:
            if found := open_together(rest, subject.world, family) & risky[family]:
                named = [it for it in rest if packets_of(it, subject.world).of_family(family) & found]
                yield _risky(exposure, group, named, {**dict.fromkeys(Family, NOTHING), family: found}, str(family))


def _is_told(rule: Rule, world: World) -> bool:
    """Whether it is said already that a rule opens all ports."""
    return is_all_ports(rule, world) and any(open_alone(rule, world).values())


def _risky(exposure: Exposure, group: SecurityGroup, rules: list[Rule], wanted: Open, about: str = "") -> Finding:
    severity, text, flow = exposure.judged(group, wanted)
    ports = ", ".join(dict.fromkeys(line for family in Family for line in told_services(wanted[family], family)))
    together = f", together with {', '.join(str(rule.remote) for rule in rules[1:4])}" if len(rules) > 1 else ""
    reason = f"high-risk {ports} is open to {_whom(rules[0]) if len(rules) == 1 else rules[0].remote}{together}"
    reason += f"{', which is everybody' if together else ''}; {text}"
    fix = Fix("allow it from the addresses or the group that need it, such as those of your office or a jump host")
    return Finding(RISKY_PORT_OPEN, severity, at_rule(group, rules[0]), reason, fix, about, flow)


def _whom(rule: Rule) -> str:
    return "everybody" if isinstance(rule.remote, AnyRemote) else str(rule.remote)


def _both(one: Open, two: Open) -> Open:
    return {family: one[family] & two[family] for family in Family}
