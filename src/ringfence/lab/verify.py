"""Verify: for every pair of addresses and every interesting service, does the packet do what the evaluator says?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice, permutations

from ringfence.lab.numbers import NUMBERS
from ringfence.lab.outcome import Difference, Report, Row
from ringfence.lab.packets import is_probeable
from ringfence.lab.probe import Observation, Prober
from ringfence.lab.rules import edges, every_rule
from ringfence.model.acl import AclRule
from ringfence.model.address import Address, Family
from ringfence.model.flow import Endpoint, Flow
from ringfence.model.port_list import resolved
from ringfence.model.rule import Rule
from ringfence.model.service import ALL_PORTS, ICMP, ICMPV6, TCP, UDP, PortSet, Protocol, Service
from ringfence.model.world import World
from ringfence.policy.evaluate import Policy
from ringfence.policy.verdict import Stage

_CHUNK = 4096

Progress = Callable[[int, int], None]
"""Called with how many flows are done, and of how many."""


def interesting_services(world: World, family: Family) -> tuple[Service, ...]:
    """What verify tries on every pair.

    Every port that a rule mentions, its two neighbours and one that none mentions, over TCP and UDP; an echo request;
    every other protocol that a rule names; and of what the platform blocks one service each.
    """
    rules = list(every_rule(world))
    near = {port for rule in rules for port in edges(_ports(world, rule))}
    quiet = _quiet_port(world)
    ports = sorted(near | ({quiet} if quiet else set()))
    echo = ICMP if family is Family.IPV4 else ICMPV6
    named = {rule.protocol.number for rule in rules} - {None, TCP, UDP, ICMP, ICMPV6}
    others = sorted(number for number in named if number is not None and is_probeable(family, number))
    found = (
        *(Service(Protocol(protocol), port) for protocol in (TCP, UDP) for port in ports),
        *_blocked_services(world),
        Service(Protocol(echo)),
        *(Service(Protocol(number)) for number in others),
    )
    return tuple(dict.fromkeys(found))


def _ports(world: World, rule: Rule | AclRule) -> PortSet:
    """The ports that a rule mentions, if any: an empty port list mentions none."""
    return resolved(rule.ports, world.port_lists) or ALL_PORTS


def _blocked_services(world: World) -> Iterator[Service]:
    """The first port of each list and protocol."""
    for profile in {vpc.profile for vpc in world.vpcs.values()}:
        for listed in (profile.blocked_egress, profile.carrier_blocks):
            firsts = {protocol: ports.first for protocol, ports in reversed(listed.ranges)}
            yield from (Service(protocol, port) for protocol, port in sorted(firsts.items()))


def _quiet_port(world: World) -> int | None:
    """A port that no rule mentions, if there is one; none of the probes' own, which would have to be kept free."""
    ranges = [each for rule in every_rule(world) for each in _ports(world, rule).ranges]
    ports = (*range(NUMBERS.stop, 65536), *range(1024, NUMBERS.start))
    return next((port for port in ports if not any(port in each for each in ranges)), None)


def interesting_sources(world: World) -> tuple[tuple[Service, int], ...]:
    """Services with the source ports to try them from: those that rules mention and the ports beside them."""
    found: dict[tuple[Service, int], None] = {}
    for rule in every_rule(world):
        if rule.source_ports:
            ports = [each.first for each in _ports(world, rule).ranges] or [_quiet_port(world) or 1]
            pairs = (
                (Service(rule.protocol, port), source) for port in ports for source in sorted(edges(rule.source_ports))
            )
            found |= dict.fromkeys(pairs)
    return tuple(found)


def endpoints(world: World) -> tuple[Endpoint, ...]:
    """Every address of every port, virtual IP and outside host, as an end of a flow."""
    ports = (Endpoint(address, port.vpc, str(port)) for port in world.ports for address in port.addresses)
    vips = (Endpoint(it, vip.vpc, vip.name) for vip in world.virtual_ips.values() for it in vip.addresses)
    hosts = (Endpoint(address, "", host.name) for host in world.outside.values() for address in host.addresses)
    return (*ports, *vips, *hosts)


def interesting_flows(world: World) -> Iterator[Flow]:
    """Every ordered pair of addresses with every interesting service, source by source.

    Left out is what no group sees: between two outside hosts, and inside one guest.
    """
    services = {family: interesting_services(world, family) for family in Family}
    sources = interesting_sources(world)
    for source, destination in _pairs(world):
        yield from (Flow(source, destination, service) for service in services[source.address.family])
        yield from (Flow(source, destination, service, port) for service, port in sources)


def _pairs(world: World) -> Iterator[tuple[Endpoint, Endpoint]]:
    own: dict[tuple[str, str], set[Address]] = {}
    for endpoint in endpoints(world):
        if port := world.port_at(endpoint):
            own.setdefault(port.guest, set()).add(endpoint.address)
    for source, destination in permutations(endpoints(world), 2):
        if source.address.family is destination.address.family and (source.vpc or destination.vpc):
            port = world.port_at(source)
            if not port or destination.address not in own[port.guest]:
                yield source, destination


def _count(world: World) -> int:
    sources = len(interesting_sources(world))
    sizes = {family: len(interesting_services(world, family)) + sources for family in Family}
    return sum(sizes[source.address.family] for source, _ in _pairs(world))


def verify(world: World, prober: Prober, progress: Progress | None = None) -> Report:
    """Probe every interesting flow of what is enforced: whether it arrives must be what `evaluate` says."""
    policy = Policy(world)
    total, done = _count(world), 0
    differences: list[Difference] = []
    unproved: list[Observation] = []
    flows = interesting_flows(world)
    while chunk := list(islice(flows, _CHUNK)):
        for observation in prober.probe(chunk):
            verdict = policy.evaluate(observation.flow)
            if observation.failure:
                unproved.append(observation)
            elif verdict.arrives is not observation.arrived:
                differences.append(Difference(verdict, observation))
        done += len(chunk)
        if progress:
            progress(done, total)
    return Report(total, tuple(differences), tuple(unproved))


def check_expectations(world: World, prober: Prober) -> list[Row]:
    """Judge each ``expect`` line of a world by the model and by a whole conversation."""
    policy = Policy(world)
    verdicts = [policy.evaluate(world.flow(expectation.query)) for expectation in world.expects]
    flows = [verdict.flow for verdict in verdicts if verdict.decided_by.stage is not Stage.LOCAL]
    seen = {observation.flow: observation for observation in prober.converse(flows)}
    return [
        Row(expectation, verdict, seen.get(verdict.flow))
        for expectation, verdict in zip(world.expects, verdicts, strict=True)
    ]
