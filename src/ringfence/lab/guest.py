"""Looking inside the guests at the two ends of a flow: has it the address, does anything listen, does its own firewall
let the packet pass? Nothing of a guest's is changed.

What its firewall does is told by the kernel, which traces the packet of a probe (see `ringfence.lab.tracing`); without
a probe it is only told that there is one.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from ringfence.analysis.why.guest import About, Finding, Guest
from ringfence.backends.netns import inside
from ringfence.lab.firewall import Firewall, read_firewall
from ringfence.lab.lab import Lab
from ringfence.lab.probe import Observation
from ringfence.lab.sockets import Listening, all_listening, listening
from ringfence.lab.topology import Place, Places
from ringfence.lab.tracing import Fate, Trace, Tracer
from ringfence.model.address import Address, Family
from ringfence.model.flow import Endpoint, Flow
from ringfence.model.rule import Action, Direction
from ringfence.model.service import ICMP, ICMPV6, TCP, UDP, Listener, Protocol, Service
from ringfence.model.topology import Instance, Port

_ECHO_IGNORED = {ICMP: "net/ipv4/icmp_echo_ignore_all", ICMPV6: "net/ipv6/icmp/echo_ignore_all"}
_LOOPBACK = Address.parse("127.0.0.1")
_SOCKETS = {Family.IPV4: socket.AF_INET, Family.IPV6: socket.AF_INET6}


class _End(NamedTuple):
    """An end of a flow that is an instance of the lab."""

    port: Port
    place: Place
    direction: Direction
    endpoint: Endpoint


def look(lab: Lab, flow: Flow) -> tuple[Guest, ...]:
    """What can be told of the guests at a flow's ends without a packet; an end that is no instance has none."""
    return tuple(_guest(lab, flow, end, None) for end in _ends(lab, flow))


def look_and_probe(lab: Lab, flow: Flow) -> tuple[Observation, tuple[Guest, ...]]:
    """Have a conversation on a flow, and tell what became of its first packet in the guests at its ends too.

    Raises `ProbeFailed` if the kernel traced more than it could tell.
    """
    ends = list(_ends(lab, flow))
    leaves = not Places(lab.world, lab.names).stays_in_guest(flow)
    with ExitStack() as held:
        tracers = [held.enter_context(closing(_tracer(lab, flow, end))) for end in ends if leaves]
        (observation,) = lab.converse([flow])
        traces: list[Trace | None] = [tracer.trace() for tracer in tracers] or [None] * len(ends)
    return observation, tuple(_guest(lab, flow, end, trace) for end, trace in zip(ends, traces, strict=True))


def served(lab: Lab) -> dict[str, tuple[Listener, ...]]:
    """What really listens in the instances of which the lab's world says what they serve, by their names."""
    instances = (it for it in lab.world.instances.values() if it.serve)
    return {it.name: tuple(dict.fromkeys(_listeners(lab, it))) for it in instances}


def _listeners(lab: Lab, instance: Instance) -> Iterator[Listener]:
    for guest in dict.fromkeys(port.guest for port in instance.ports):
        for protocol in (Protocol.TCP, Protocol.UDP):
            assert protocol.number
            for port, it in all_listening(lab.names.guest(*guest), protocol.number):
                address = _LOOPBACK if it.is_loopback else it.address if it.address.value else None
                yield Listener(Service(protocol, port), address)


def _ends(lab: Lab, flow: Flow) -> Iterator[_End]:
    places = Places(lab.world, lab.names)
    for direction, endpoint, place in (
        (Direction.EGRESS, flow.source, places.source(flow.source)),
        (Direction.INGRESS, flow.destination, places.destination(flow.destination, flow.source)),
    ):
        port = lab.world.port_at(endpoint)
        if port and place:
            yield _End(port, place, direction, endpoint)


def _own_table(lab: Lab) -> str:
    """What the names of our own tables in guests begin with."""
    return f"{lab.names.table}-trace"


def _tracer(lab: Lab, flow: Flow, end: _End) -> Tracer:
    return Tracer(end.place.namespace, _own_table(lab), flow, end.direction, end.place.link)


def _guest(lab: Lab, flow: Flow, end: _End, trace: Trace | None) -> Guest:
    firewall = read_firewall(end.place.namespace, flow.family, _own_table(lab))
    findings = [*_address(end), _judged(firewall, end.direction, trace)]
    if end.direction is Direction.INGRESS and not (trace and trace.fate is Fate.SENT):
        findings += _taken(flow, end, firewall, trace)
    return Guest(end.port, end.direction, tuple(findings), bool(firewall))


def _address(end: _End) -> Iterator[Finding]:
    """Only that the guest has not the address is worth a word: nothing else can bind to an address that it has not."""
    address = end.endpoint.address
    with inside(end.place.namespace), socket.socket(_SOCKETS[address.family], socket.SOCK_DGRAM) as trial:
        try:
            trial.bind((str(address), 0))
        except OSError as error:
            if error.errno != errno.EADDRNOTAVAIL:
                raise
            yield Finding(About.ADDRESS, Action.DENY, f"the guest does not have the address {address}")


def _judged(firewall: Firewall, direction: Direction, trace: Trace | None) -> Finding:
    """What the guest's firewall does with the packet."""
    leaving = direction is Direction.EGRESS
    if trace and trace.fate is Fate.DROPPED:
        text = f"its own firewall drops the packet, {trace.chain}: {trace.rule}"
        return Finding(About.FIREWALL, Action.DENY, text)
    if trace and trace.fate is Fate.LOST:
        way = "set out and did not leave the guest" if leaving else "came into the guest and not to its sockets"
        text = f"the packet {way}, and no rule of nftables dropped it"
        legacy = f"; tables of xtables-legacy, which tell nothing, are there: {', '.join(firewall.legacy)}"
        return Finding(About.FIREWALL, Action.DENY, text + (legacy if firewall.legacy else ""))
    if not firewall:
        return Finding(About.FIREWALL, Action.ALLOW, "it has no firewall of its own")
    if trace is None:
        text = f"it has a firewall of its own ({firewall}); --probe tells what it does with the packet"
        return Finding(About.FIREWALL, None, text)
    if trace.fate is Fate.UNSEEN:
        return Finding(About.FIREWALL, None, f"the packet did not come to its own firewall ({firewall})")
    if trace.fate is Fate.SENT and not leaving:
        return Finding(
            About.FIREWALL, None, f"its own firewall ({firewall}) sends the packet on to {_bound_for(trace)}"
        )
    return Finding(About.FIREWALL, Action.ALLOW, f"its own firewall ({firewall}) lets the packet pass")


def _bound_for(trace: Trace) -> str:
    assert trace.destination
    address, port = trace.destination
    return f"{address}" if port is None else f"{address} port {port}"


def _taken(flow: Flow, end: _End, firewall: Firewall, trace: Trace | None) -> Iterator[Finding]:
    """Whether anything in the guest takes the packet; nothing is said of protocols of which the kernel says nothing."""
    number = flow.service.number
    if number in _ECHO_IGNORED:
        yield _echo(end.place.namespace, _ECHO_IGNORED[number])
    elif number in (TCP, UDP):
        delivered = trace.destination if trace and trace.fate is Fate.DELIVERED else None
        address, port = delivered or (flow.destination.address, flow.service.port)
        service = Service(flow.service.protocol, port)
        finding = _served(end.place, address, service)
        if delivered not in (None, (flow.destination.address, flow.service.port)):
            text = f"its own rules turn the packet to {address} {service}; {finding.text}"
            yield replace(finding, text=text)
        elif delivered is None and firewall.rewrites and finding.action is Action.DENY:
            text = f"{finding.text}; but the guest has rules that rewrite addresses or ports"
            yield replace(finding, action=None, text=text)
        else:
            yield finding


def _echo(namespace: str, switch: str) -> Finding:
    with inside(namespace):
        ignored = int(Path("/proc/sys", switch).read_text())
    if ignored:
        text = f"it answers no echo request: {switch.replace('/', '.')} is {ignored}"
        return Finding(About.SOCKET, Action.DENY, text)
    return Finding(About.SOCKET, Action.ALLOW, "its kernel answers echo requests")


def _served(place: Place, address: Address, service: Service) -> Finding:
    found = listening(place.namespace, service)
    takers = [it for it in found if it.takes(address, place.link)]
    if takers:
        return Finding(About.SOCKET, Action.ALLOW, f"something listens on {service} at {takers[0]}")
    loopback = bool(found) and all(it.is_loopback for it in found)
    return Finding(About.SOCKET, Action.DENY, _why_not(found, address, service), loopback)


def _why_not(found: list[Listening], address: Address, service: Service) -> str:
    if not found:
        return f"nothing listens on {service}"
    where = ", ".join(dict.fromkeys(map(str, found)))
    if all(it.is_loopback for it in found):
        return f"{service} is served on loopback only ({where}), not at {address}"
    return f"{service} is served at {where} only, not at {address}"
