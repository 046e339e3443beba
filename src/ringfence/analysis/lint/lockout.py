"""Machines that can reach nothing, and machines that nobody can log in to any more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ringfence.analysis.lint.finding import Finding, Fix, Severity, at_group, at_thing
from ringfence.analysis.lint.subject import Subject
from ringfence.analysis.reach.ends import EndClass
from ringfence.analysis.reach.reach import Reach
from ringfence.model.address import Address, Prefix
from ringfence.model.flow import Endpoint, Flow
from ringfence.model.service import Listener, Protocol, Service
from ringfence.model.topology import Instance
from ringfence.policy.platform import penalty_of

EGRESS_LOCKED_OUT, LOGIN_LOCKED_OUT = "egress-locked-out", "login-locked-out"
LOGINS: Mapping[str, Service] = {"SSH": Service(Protocol.TCP, 22), "RDP": Service(Protocol.TCP, 3389)}
"""What people log in by."""
_PLATFORM = tuple(map(Prefix.parse, ("100.64.0.0/10", "169.254.0.0/16")))
_HTTPS = Service(Protocol.TCP, 443)


def egress_locked_out(subject: Subject) -> Iterator[Finding]:
    """Groups whose ports can reach nothing at all, as nothing lets them send."""
    outside = {it.family: it for it in sorted(subject.reach.classes, key=lambda it: it.size) if it.is_outside}
    told: set[tuple[str, ...]] = set()
    for end in subject.reach.classes:
        port = end.port
        if port is None or not end.own or port.groups in told or not _is_own(subject, end):
            continue
        if penalty_of(subject.world, port) or subject.reach.between(end, outside[end.family]):
            continue
        if all(map(_is_platform, (it for way in subject.reach.of([end]) for it in way.destinations))):
            told.add(port.groups)
            flow = Flow(end.example, outside[end.family].example, _HTTPS)
            why = subject.told(subject.policy.evaluate(flow).decided_by)
            text = f"{end.label} can reach nothing; of its requests to the internet: {why}"
            fix = Fix(f"add what it needs, such as 'out allow all to any', to {port.groups[0]}")
            group = subject.world.groups[port.groups[0]]
            yield Finding(EGRESS_LOCKED_OUT, Severity.WARNING, at_group(group), text, fix, "+".join(port.groups))


def _is_platform(end: EndClass) -> bool:
    """Whether it is the platform's own, such as its metadata, which ACLs always let pass (SEMANTICS.md 4.1, 4.2)."""
    return end.is_outside and any(end.example.address in it for it in _PLATFORM)


def _is_own(subject: Subject, end: EndClass) -> bool:
    return end.port is not None and subject.owns(end.port.instance)


def login_locked_out(subject: Subject) -> Iterator[Finding]:
    """Instances that nobody can log in to: they serve SSH or RDP, or could be reached by it before."""
    now = _Logins(subject.reach)
    before = _Logins(Reach(subject.before)) if subject.before else None
    for instance in subject.world.instances.values():
        if not subject.owns(instance.name):
            continue
        earlier = subject.before.instances.get(instance.name) if subject.before else None
        for name, service in LOGINS.items():
            was_open = before is not None and earlier is not None and before.reaches(earlier, service)
            if (was_open or _serves(subject, instance, service)) and not now.reaches(instance, service):
                yield _locked_out(instance, name, service, was_open=was_open)


def _locked_out(instance: Instance, name: str, service: Service, *, was_open: bool) -> Finding:
    since = "could reach it before, and nobody can now" if was_open else "can reach it, though it is served"
    text = f"{'somebody' if was_open else 'nobody'} {since}: {name} ({service})"
    fix = Fix(f"allow {service} from a jump host's group or your office's addresses")
    severity = Severity.ERROR if was_open else Severity.WARNING
    return Finding(
        LOGIN_LOCKED_OUT, severity, at_thing("instances", "instance", instance.name), text, fix, str(service)
    )


def _serves(subject: Subject, instance: Instance, service: Service) -> bool:
    known = (subject.listening or {}).get(instance.name, ())
    return any(it.service == service and not is_loopback(it) for it in known)


def is_loopback(listener: Listener) -> bool:
    """Whether only the machine itself can come to what listens."""
    return listener.address is not None and not _is_reachable(listener.address)


def _is_reachable(address: Address) -> bool:
    return address.is_unicast


class _Logins:
    """Who may be reached by what, asked once a class."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._known: dict[tuple[int, Service], bool] = {}

    def reaches(self, instance: Instance, service: Service) -> bool:
        """Whether somebody, anywhere, reaches one of the instance's own addresses."""
        ends = (self._reach.at(Endpoint(it, port.vpc)) for port in instance.ports for it in port.addresses)
        return any(self._is_open(end, service) for end in ends if end)

    def _is_open(self, end: EndClass, service: Service) -> bool:
        key = id(end), service  # the reach keeps its classes
        if key not in self._known:
            self._known[key] = bool(self._reach.to([end], service))
        return self._known[key]
