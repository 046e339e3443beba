"""What lint says may go may go, by the evaluator's word; and just what it says is open to the internet is so."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

import pytest

from ringfence.analysis.lint import exposure
from ringfence.analysis.lint.finding import Severity
from ringfence.analysis.lint.fixing import fixed, fixed_throughout, means_the_same
from ringfence.analysis.lint.registry import lint
from ringfence.analysis.lint.subject import Subject
from ringfence.model.address import Address
from ringfence.model.flow import Endpoint, Flow
from ringfence.model.group import SecurityGroup
from ringfence.model.port_list import resolved
from ringfence.model.profile import ALIBABA, HUAWEI
from ringfence.model.rule import AnyRemote, Direction, Rule
from ringfence.model.service import PortRange, Protocol, Service, ServiceSet
from ringfence.model.topology import Port
from ringfence.model.world import World
from ringfence.policy.evaluate import Policy
from tests.rules import SOURCES
from tests.worlds import random_flows, random_world


def drawn(seed: int) -> tuple[random.Random, World]:
    rng = random.Random(seed)
    return rng, random_world(rng, [HUAWEI, ALIBABA][seed % 2])


def same_verdicts(before: World, after: World, rng: random.Random, count: int) -> bool:
    one, two = Policy(before), Policy(after)
    return all(one.evaluate(it).allowed is two.evaluate(it).allowed for it in random_flows(rng, before, count))


@pytest.mark.parametrize("seed", range(2))
def test_whatever_may_go_may_go_alone_and_together(seed: int) -> None:
    rng, world = drawn(seed)
    found = [finding for finding in lint(world) if finding.fix.removal]
    rules = [finding.fix.removal for finding in found if finding.fix.removal and finding.fix.removal.rule_id]
    assert len(set(rules)) == len(rules) > 20, "a rule is told of once"
    after = fixed(world, found)
    for name, group in after.groups.items():
        assert len(group.rules) == len(world.groups[name].rules) - sum(it.name == name for it in rules if it)
    lines = [finding.place.kind for finding in found if finding.fix.removal and finding.fix.removal.line is not None]
    assert lines
    assert same_verdicts(world, after, rng, 2000)
    assert means_the_same(world, after)
    for some in (*([it] for it in rng.sample(found, 2)), found[::2], rng.sample(found, len(found) // 2)):
        assert same_verdicts(world, fixed(world, some), rng, 500), "what is accepted may stay"
    left, gone = fixed_throughout(world, lambda _: True)
    assert len(gone) >= len(found)
    assert not any(finding.fix.removal for finding in lint(left))


@pytest.mark.parametrize("seed", range(2))
def test_the_proof_tells_worlds_apart_where_the_evaluator_does(seed: int) -> None:
    rng, world = drawn(seed)
    alike = apart = 0
    for group in rng.sample([it for it in world.groups.values() if it.rules], 4):
        rule = rng.choice(group.rules)
        for kept in ([it for it in group.rules if it is not rule], *(group_without(group, way) for way in Direction)):
            after = replace(world, groups={**world.groups, group.name: replace(group, rules=tuple(kept))})
            same, seen = means_the_same(world, after), same_verdicts(world, after, rng, 300)
            assert seen or not same
            alike, apart = alike + same, apart + (not seen)
    assert alike
    assert apart


def group_without(group: SecurityGroup, direction: Direction) -> list[Rule]:
    return [rule for rule in group.rules if rule.direction is not direction]


RISKY = ServiceSet.parse("tcp/22-23,tcp/80-90,udp/80,tcp/443")
FROM = [
    Endpoint(Address.parse(it)) for it in ("1.2.3.4", "8.8.8.8", "130.1.1.1", "203.0.113.9", "2600::1", "2001:db8::9")
]


@pytest.mark.parametrize("seed", range(4))
def test_what_is_told_to_be_open_to_the_internet_is_so_by_the_evaluators_word(seed: int) -> None:
    rng, world = drawn(seed)
    vpcs = {it.name: replace(it, profile=replace(it.profile, risky_ports=RISKY)) for it in world.vpcs.values()}
    world = replace(world, profile=replace(world.profile, risky_ports=RISKY), vpcs=vpcs)
    policy, subject = Policy(world), Subject(world)
    found = [*exposure.all_ports_open(subject), *exposure.risky_port_open(subject)]
    assert {it.severity for it in found} > {Severity.NOTE}
    for finding in found:
        members = [port for port in world.ports if finding.place.name in port.groups]
        rule = world.groups[finding.place.name].by_id[finding.place.rule_id]
        if finding.flow:
            port = world.port_at(finding.flow.destination)
            assert port in members
            assert policy.evaluate(finding.flow).allowed
            assert not finding.flow.source.vpc
            assert matches(rule, world, finding.flow)
        else:
            assert finding.severity is Severity.NOTE
        for flow in asked(world, members, rng):
            if finding.severity is Severity.NOTE and matches(rule, world, flow):
                assert not policy.evaluate(flow).allowed, (finding, flow)
    told = {finding.place.rule_id for finding in found}
    for group in subject.groups():
        for rule in subject.lets_in(group):
            if isinstance(rule.remote, AnyRemote) and exposed(rule, world):
                assert rule.id_in(group.name) in told


def asked(world: World, members: list[Port], rng: random.Random) -> Iterator[Flow]:
    for port in members:
        for address in port.addresses:
            for source in FROM:
                service = Service.parse(rng.choice(["tcp/22", "tcp/80", "tcp/85", "udp/80", "tcp/443", "tcp/90"]))
                if source.address.family is address.family:
                    yield Flow(source, Endpoint(address, port.vpc), service, rng.choice(SOURCES))


def matches(rule: Rule, world: World, flow: Flow) -> bool:
    """Whether a rule is for the service of a flow, in its family."""
    ports = resolved(rule.ports, world.port_lists)
    return (
        ports is not None
        and rule.protocol.covers(flow.service.number)
        and flow.family in rule.families
        and flow.goes_to(ports)
        and (flow.service in RISKY or rule.protocol == Protocol.ALL or ports.covers(PortRange(1, 65535)))
    )


def exposed(rule: Rule, world: World) -> bool:
    """Whether a rule from any source is for a high-risk port, by counting."""
    ports = resolved(rule.ports, world.port_lists)
    return ports is not None and any(
        rule.protocol in (protocol, Protocol.ALL) and number in ports
        for protocol, risky in RISKY.ranges
        for number in range(risky.first, risky.last + 1)
    )
