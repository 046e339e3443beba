"""Questions about many ends at once, against asking about each address by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from ringfence.analysis.why.asking import Question, is_several
from ringfence.analysis.why.diagnosis import Diagnosis, diagnosed
from ringfence.analysis.why.several import Answer, Several
from ringfence.analysis.why.telling import explain_several
from ringfence.errors import UnknownName
from ringfence.model.address import Family
from ringfence.model.flow import Endpoint, Flow
from ringfence.model.service import Service
from ringfence.model.world import World
from ringfence.policy.evaluate import Policy
from ringfence.worldfile import parse
from tests.full_worlds import full_worlds

SERVICES = ("tcp/80", "tcp/22", "udp/53", "gre", "tcp/443")


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(full_worlds(), st.data())
def test_what_is_said_of_classes_holds_for_each_address(world: World, data: st.DataObject) -> None:
    ends = [*world.groups, "internet"]
    source, destination = (data.draw(st.sampled_from(ends)) for _ in range(2))
    service = Service.parse(data.draw(st.sampled_from(SERVICES)))
    assume(all(is_several(world, name) for name in (source, destination)))
    policy = Policy(world)
    every = [diagnosed(policy, flow) for flow in flows(world, source, destination, service)]
    assume(every)
    answer = ask(world, source, destination, service)
    said = {reasons(outcome.example) for outcome in answer.outcomes}
    found = {reasons(each) for each in every}
    if "internet" in (source, destination):  # of which a sample is asked here
        assert found <= said
    else:
        assert found == said
    assert answer.works is (answer.word == "allow")
    assert answer.word == "some" if len({bool(it) for it in said}) == 2 else answer.word in ("allow", "deny")


def ask(world: World, source: str, destination: str, service: Service, family: Family | None = None) -> Answer:
    policy = Policy(world)
    return Several(world, lambda flow: diagnosed(policy, flow)).answer(Question(source, destination, service, family))


def reasons(diagnosis: Diagnosis) -> tuple[object, ...]:
    """What denies; nothing for what passes. All that are cut off are alike, whatever the penalty."""
    ids = (re.sub("^penalty-.*", "penalty", it.step.rule_id) for it in diagnosis.blockers)
    return tuple(
        (it.step.stage, it.step.group, id_, it.answer) for it, id_ in zip(diagnosis.blockers, ids, strict=True)
    )


def flows(world: World, source: str, destination: str, service: Service) -> Iterator[Flow]:
    for one in addresses(world, source):
        for two in addresses(world, destination):
            ports = world.port_at(one), world.port_at(two)
            apart = not (ports[0] and ports[1] and ports[0].guest == ports[1].guest)
            if one.address.family is two.address.family and (ports[0] or ports[1]) and apart:
                yield Flow(one, two, service)


def addresses(world: World, name: str) -> list[Endpoint]:
    """Every address of a group's members; the hosts outside that have names."""
    if name == "internet":
        return [Endpoint(it) for host in world.outside.values() for it in host.addresses]
    vips = [Endpoint(it, vip.vpc) for vip in world.virtual_ips.values() for it in vip.addresses]
    own = [Endpoint(it, port.vpc) for port in world.ports for it in port.addresses]
    holding = ((end, world.port_at(end)) for end in dict.fromkeys((*own, *vips)))
    return [end for end, port in holding if port and name in port.groups]


WORLD = parse(
    """\
vpcs: {v: {cidrs: [10.0.0.0/16, "fd00:10::/56"], subnets: {s: {cidr: 10.0.1.0/24, cidr6: "fd00:10:0:1::/64"}}}}
groups:
  sg-web: ["in allow tcp 80 from 203.0.113.0/24", "in allow tcp 443 from any", "out allow all to any"]
  sg-alone: ["in allow tcp 80 from group sg-alone", "out allow all to any"]
  sg-pair: ["out allow all to group sg-pair", "in allow all from 10.0.0.0/16"]
  sg-nobody: ["in allow tcp 80 from any"]
  web: ["in allow tcp 1 from any"]
instances:
  web: {subnet: s, ip: 10.0.1.11, groups: sg-web}
  web-2: {subnet: s, ip: 10.0.1.12, ip6: "fd00:10:0:1::12", groups: sg-web}
  alone: {subnet: s, ip: 10.0.1.13, groups: sg-alone}
  pair-1: {subnet: s, ip: 10.0.1.21, groups: sg-pair}
  pair-2: {subnet: s, ip: 10.0.1.22, groups: sg-pair}
virtual_ips: {one: {subnet: s, ip: 10.0.1.101, ports: [pair-1]}, two: {subnet: s, ip: 10.0.1.102, ports: [pair-2]}}
outside: {office: [203.0.113.9, "2001:db8::9"], laptop: 198.51.100.7}
""",
    "world",
)


@pytest.mark.parametrize(
    ("source", "destination", "service", "word", "lines"),
    [
        ("internet", "sg-web", "tcp/443", "allow", ["ALLOW: all of it", "over ipv4", "over ipv6"]),
        (
            *("internet", "sg-web", "tcp/80", "some"),
            [
                *("SOME: not all of it passes", "ALLOW", "203.0.113.0/24 (office) -> sg-web (2 addresses) over ipv4"),
                *("such as office (203.0.113.9)", "DENY: family.", "over ipv6", "203.0.113.0/24 does not cover IPv6"),
                *("DENY: source.", "outside -> sg-web (2 addresses) over ipv4", "such as laptop (198.51.100.7)"),
                "203.0.113.0/24, and 198.51.100.7 is not in it",
            ],
        ),
        ("sg-web", "sg-web", "tcp/443", "allow", ["web.eth0 (10.0.1.11) -> web-2.eth0 (10.0.1.12)"]),
        (
            "web",
            "sg-web",
            "tcp/443",
            "allow",
            ["web -> sg-web (2 addresses) over ipv4"],
        ),  # no group
        ("sg-web", "web", "tcp/80", "deny", ["DENY: all of it", "DENY: source."]),
        (  # both ends may be virtual IPs of one class
            *("sg-pair", "sg-pair", "tcp/80", "some"),
            [
                "DENY: source.",
                "sg-pair (2 addresses), sg-pair (2 addresses, as pair-1.eth0 10.0.1.101) -> sg-pair (2 addresses, as",
            ],
        ),
        ("office", "internet", "tcp/80", "unknown", ["no packet that anything judges"]),
        ("sg-alone", "sg-alone", "tcp/80", "unknown", ["no packet that anything judges"]),
        ("internet", "sg-nobody", "tcp/80", "unknown", ["nobody is in group sg-nobody"]),
        (
            "internet",
            "sg-wbe",
            "tcp/80",
            "unknown",
            ["there is no instance, virtual IP, outside host or group 'sg-wbe'"],
        ),
    ],
)
def test_what_is_told(source: str, destination: str, service: str, word: str, lines: list[str]) -> None:
    if word == "unknown":
        with pytest.raises(UnknownName, match=lines[0]):
            ask(WORLD, source, destination, Service.parse(service))
        return
    answer = ask(WORLD, source, destination, Service.parse(service))
    assert answer.word == word
    text = explain_several(answer.as_json())
    place = 0
    for line in lines:
        place = text.find(line, place)
        assert place >= 0, f"{line!r} is not in its place in:\n{text}"
