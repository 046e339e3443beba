"""Near misses: which rules are said to come near, by what they differ, and how they would match."""

from __future__ import annotations

import pytest

from ringfence.analysis.why.diagnosis import diagnose
from ringfence.analysis.why.near import MOST
from ringfence.model.flow import Query
from ringfence.worldfile import parse, read
from tests.test_examples import EXAMPLES

ROWS = [
    # direction, protocol, port, family
    *(
        (
            *("rules-that-do-not-work", "client -> wrong-way tcp/8080", "direction", "it is an 'out' rule"),
            "in allow tcp 8080 from any priority 1",
        ),
        (
            *("rules-that-do-not-work", "client -> wrong-protocol tcp/8080", "protocol", "udp, and tcp is asked for"),
            "in allow tcp 8080 from any priority 1",
        ),
        (
            *("rules-that-do-not-work", "client -> wrong-port tcp/8080", "port", "it covers 80 and not 8080"),
            "in allow tcp 8080 from any priority 1",
        ),
        (
            *("rules-that-come-near", "laptop -> v4 tcp/80 over ipv6", "family", "0.0.0.0/0 does not cover IPv6"),
            "in allow tcp 80 from ::/0 priority 1",
        ),
        (
            *("remote-login-known-range", "stranger -> linux-ecs tcp/22 over ipv6", "family"),
            *("192.168.0.0/24 does not cover IPv6", "in allow tcp 22 from 2001:db8::9/128 priority 1"),
        ),
        (
            *("ping", "pc -> ecs-ping-v4 icmp over ipv6", "family", "icmp is not icmpv6, which is what IPv6 has"),
            "in allow icmpv6 from ::/0 priority 1",
        ),
    ),
    # who it comes from
    *(
        (
            *("rules-that-come-near", "web-1 -> db tcp/3306", "remote", "group sg-app, and web-1 is not a member"),
            "in allow tcp 3306 from 10.93.1.11/32 priority 1",
        ),
        (
            *("rules-that-come-near", "web-1 -> db tcp/5432", "remote", "is not in it (10.93.0.0/22 holds both)"),
            "in allow tcp 5432 from 10.93.1.11/32 priority 1",
        ),
        (
            *("databases", "ecs-past-list -> database tcp/6379", "remote"),
            *("that address group does not hold 10.36.2.76", "in allow tcp 6379 from 10.36.2.76/32 priority 1"),
        ),
        (
            *("databases", "laptop -> database tcp/3306", "remote", "laptop lies outside of every VPC: a group means"),
            "in allow tcp 3306 from 203.0.113.9/32 priority 1",
        ),
        (
            *("virtual-ip", "vip -> by-group tcp/3306", "remote"),
            *("vip is a virtual IP: a group means its members' own addresses", "in allow tcp 3306 from 10.63.1.100/32"),
        ),
        (
            *("classic-network", "web-1.eth1 -> redis-1 tcp/6379", "remote"),
            *("web-1.eth1 is a member by its internet interface", "in allow tcp 6379 from "),
        ),
        (
            *("five-tuple", "laptop -> logs udp/514", "source-port", "and this comes from any of 32768-60999"),
            "in allow udp 514 from 0.0.0.0/0 to 10.88.1.21/32 priority 1",
        ),
    ),
    # rules that do not count, or come too late
    *(
        (
            *("rules-that-come-near", "web-1 -> off-1 tcp/22", "disabled", "it is disabled"),
            "in allow tcp 22 from any priority 1",
        ),
        (
            *("rules-that-come-near", "laptop -> late tcp/443", "priority", "its priority 50 is weaker than 10"),
            "in allow tcp 443 from any priority 9",
        ),
        ("three-tier", "attacker -> web-1 tcp/443", "priority", "it has the priority of sgr-", ""),
        (
            *("rules-that-come-near", "laptop -> two.eth1 tcp/8443", "membership"),
            *("two.eth1 is not in sg-public, and two.eth0 is", ""),
        ),
        (
            *("classic-network", "neighbour -> web-1.eth0 tcp/443", "interface", "it is for the internet interface"),
            "in allow tcp 443 from any nic intranet priority 1",
        ),
        (  # what is the internet interface's anyway need not say so
            *("classic-network", "visitor -> web-1.eth1 udp/443", "protocol", "it is for tcp, and udp is asked for"),
            "in allow udp 443 from any priority 1",
        ),
        (
            *("groups-in-sequence", "laptop -> ecs-swapped tcp/22", "priority", "comes first, and there sgr-", ""),
        ),
    ),
    # network ACLs and firewalls
    *(
        ("acl-disabled", "laptop -> ecs-off tcp/80", "disabled", "ACL acl-off is disabled, and its lines with it", ""),
        ("acl-over-groups", "laptop -> web-1 tcp/80", "priority", "it stands behind acr-", ""),
        (
            *("acl-over-groups", "laptop -> web-4 tcp/22", "own-address"),
            *("it is for 10.64.2.11/32 only, and the packet is for", "in allow tcp 22 from any to 10.64.2.12/32"),
        ),
        (
            *("internet-border", "stranger -> web tcp/22", "remote", "from office, and that address group"),
            "in allow tcp 22 from 203.0.113.9/32 to ",
        ),
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("example", "question", "kind", "words", "would"), ROWS, ids=[f"{it[0]}: {it[1]}" for it in ROWS]
)
def test_what_comes_near(example: str, question: str, kind: str, words: str, would: str) -> None:
    world = read(EXAMPLES / f"{example}.yaml")
    found = diagnose(world, world.flow(Query.parse(question)))
    near = next(near for blocker in found.blockers for near in blocker.near)
    (difference,) = near.differences
    assert str(difference.kind) == kind
    assert words in difference.text
    told = near.as_json()["would_match"]
    assert told is None if not would else str(told).startswith(would)


def test_of_many_the_likeliest_are_told() -> None:
    """What names the service is before what is about other ports, and never more than `MOST`."""
    rules = [f"in allow tcp {port} from any" for port in range(9000, 9020)]
    text = f"""
vpcs: {{v: {{cidrs: [10.0.0.0/16], subnets: {{s: 10.0.1.0/24}}}}}}
groups: {{sg: {[*rules, "in allow tcp 80 from 10.0.0.0/8", "in allow all from group sg"]}}}
instances: {{web: {{subnet: s, ip: 10.0.1.11, groups: sg}}}}
outside: {{laptop: 203.0.113.9}}
"""
    world = parse(text, "world")
    (blocker,) = diagnose(world, world.flow(Query.parse("laptop -> web tcp/80"))).blockers
    assert len(blocker.near) == MOST
    assert str(blocker.near[0].rule) == "in allow tcp 80 from 10.0.0.0/8 priority 1"
    assert {str(near.differences[0].kind) for near in blocker.near[1:]} == {"port"}


def test_nothing_is_said_to_be_near_that_is_not() -> None:
    """A group that lets everything out, an echo and other services say nothing of a port that nobody mentions."""
    world = read(EXAMPLES / "ping.yaml")
    for question in ("pc -> ecs-ping tcp/80", "pc -> ecs-silent icmp"):
        (blocker,) = diagnose(world, world.flow(Query.parse(question))).blockers
        assert (str(blocker.cause), blocker.near) == ("no-rule", ())
