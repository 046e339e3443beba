"""Exact sets of packets, against judging packet by packet; one shape for one meaning; and what people read."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.analysis.rules.lists import Line, decided
from ringfence.analysis.rules.spares import SpareSets
from ringfence.analysis.sets.notation import told, told_services
from ringfence.analysis.sets.packets import Packets, listed_services, services
from ringfence.model.acl import AclRule, Side
from ringfence.model.address import Address, AddressRange, Family, Prefix
from ringfence.model.flow import EPHEMERAL, Endpoint, Flow
from ringfence.model.rule import Action
from ringfence.model.service import PortSet, Protocol, Service, ServiceSet
from tests.analysis.by_sets import allowed_by
from tests.value_strategies import acl_rules

BLOCKS: dict[Family, list[Side]] = {
    Family.IPV4: [Prefix.parse(it) for it in ("0.0.0.0/0", "10.0.0.0/30", "10.0.0.0/31", "10.0.0.3/32", "128.0.0.0/1")],
    Family.IPV6: [Prefix.parse(it) for it in ("::/0", "fd00::/127", "fd00::1/128", "8000::/1")],
}
ADDRESSES = {
    Family.IPV4: [Address.parse(it) for it in ("9.9.9.9", "10.0.0.0", "10.0.0.1", "10.0.0.2", "10.0.0.3", "200.0.0.1")],
    Family.IPV6: [Address.parse(it) for it in ("1::", "fd00::", "fd00::1", "8001::")],
}


def packets(text: str) -> Packets:
    return of(AclRule.parse(f"allow {text}"))


def of(rule: AclRule) -> Packets:
    """The set that the algebra makes of a rule."""
    source, destination = ([it.range] if isinstance(it, Prefix) else None for it in (rule.source, rule.destination))
    return Packets.of(rule.protocol, rule.ports, source, rule.source_ports, destination)


def matches(rule: AclRule, flow: Flow) -> bool:
    """What a rule says of one packet, without the algebra."""
    sides = (rule.source, flow.source.address), (rule.destination, flow.destination.address)
    return (
        flow.family in rule.families
        and rule.protocol.covers(flow.service.number)
        and flow.goes_to(rule.ports)
        and (not rule.source_ports or flow.comes_from(rule.source_ports))
        and all(address in side for side, address in sides if isinstance(side, Prefix))
    )


def flows(rng: random.Random, rules: Sequence[AclRule], count: int) -> Iterator[Flow]:
    """Packets at the edges of what rules say."""
    edges = {
        each + step
        for it in rules
        for found in (*it.ports.ranges, *it.source_ports.ranges)
        for each in (found.first, found.last)
        for step in (-1, 0, 1)
        if 1 <= each + step <= 65535
    } | {1, 65535}
    numbers = {it.protocol.number for it in rules if it.protocol.number is not None} | {6, 17, 1, 58, 47, 0, 255}
    for _ in range(count):
        family = rng.choice(list(Family))
        fitting = [number for number in sorted(numbers) if family in Protocol(number).families]
        protocol = Protocol(rng.choice([6, 6, 17, *fitting]))
        port, source_port = (rng.choice(sorted(edges)) if protocol.has_ports else None for _ in range(2))
        one, two = (Endpoint(rng.choice(ADDRESSES[family])) for _ in range(2))
        yield Flow(one, two, Service(protocol, port), source_port)


def rules_lists(most: int = 7) -> st.SearchStrategy[list[AclRule]]:
    return st.lists(acl_rules((None,), BLOCKS), max_size=most)


def allows(rules: Sequence[AclRule], flow: Flow) -> bool:
    return next((it.action is Action.ALLOW for it in rules if matches(it, flow)), False)


@settings(max_examples=80, deadline=None)
@given(rules_lists(), st.integers(0, 2**32))
def test_a_list_does_what_its_first_match_says(rules: list[AclRule], seed: int) -> None:
    lines = [Line(of(it), it.action) for it in rules]
    allowed, parts = allowed_by(lines), decided(lines)
    samples = [part.sample for part in parts]
    for flow in (*flows(random.Random(seed), rules, 60), *(it for it in samples if it)):
        first = next((index for index, it in enumerate(rules) if matches(it, flow)), None)
        assert (flow in allowed) == allows(rules, flow)
        assert [index for index, part in enumerate(parts) if flow in part] == ([] if first is None else [first])


def test_a_line_is_needless_whatever_makes_it_so() -> None:
    texts = (
        "allow tcp 1-100 from 10.0.0.0/9 to any",
        "allow tcp 90-200 from 10.128.0.0/9 to any",
        "deny tcp 50 from 10.1.0.0/16 to any",  # the first decides already
        "allow tcp 90-100 from 10.0.0.0/8 to any",  # the first two together cover it, neither alone
        "deny udp 53 from 10.0.0.1 to any",  # decides, and so would the default
        "allow udp 67 from 10.0.0.2 to any",  # decides, and so would the next
        "allow udp from 10.0.0.2 to any",
    )
    spares = SpareSets([Line(of(rule), rule.action) for rule in map(AclRule.parse, texts)])
    places = range(len(texts))
    assert [place for place in places if spares.is_shadowed(place)] == [2, 3]
    assert [place for place in places if spares.among([place])] == [2, 3, 4, 5]


SETS = st.lists(rules_lists(4), min_size=2, max_size=2)


@settings(max_examples=80, deadline=None)
@given(SETS, st.integers(0, 2**32))
def test_the_operations_are_those_of_sets_and_equal_sets_are_equal(rules: list[list[AclRule]], seed: int) -> None:
    one, two = (reduce(Packets.__or__, map(of, each), Packets.NONE) for each in rules)
    for flow in flows(random.Random(seed), rules[0] + rules[1], 40):
        in_one, in_two = (any(matches(it, flow) for it in each) for each in rules)
        assert (flow in one, flow in two) == (in_one, in_two)
        made = [flow in it for it in (one | two, one & two, one - two)]
        assert made == [in_one or in_two, in_one and in_two, in_one and not in_two]
    laws: list[tuple[Packets, Packets]] = [
        (one | two, two | one),
        (one & two, Packets.ALL - ((Packets.ALL - one) | (Packets.ALL - two))),
        ((one - two) | (one & two), one),
        (reduce(Packets.__or__, map(of, reversed(rules[0])), Packets.NONE), one),
    ]
    for left, right in laws:
        assert left == right
        assert hash(left) == hash(right)
    assert (one <= two) == (not one - two) == (one | two == two)


@settings(max_examples=80, deadline=None)
@given(rules_lists())
def test_a_sample_is_in_it_boxes_and_lines_make_it_up(rules: list[AclRule]) -> None:
    found = allowed_by([Line(of(it), it.action) for it in rules])
    sample = found.sample
    assert (sample is None) == (not found)
    assert sample is None or (sample in found and allows(rules, sample))
    made, lines = Packets.NONE, Packets.NONE
    for family, (protocols, ports, source_ports, source, destination) in found.boxes:
        part = Packets.NONE
        for number in range(protocols[0], protocols[1] + 1):
            protocol = Protocol(number)
            to, comes_from = (
                PortSet.parse(f"{first}-{last}") if protocol.has_ports else PortSet()
                for first, last in (ports, source_ports)
            )
            sides = [[AddressRange(family, *it)] for it in (source, destination)]
            part |= Packets.of(protocol, to, sides[0], comes_from, sides[1])
        assert not part & made, "boxes overlap"
        made |= part
    for line in told(found):
        lines |= read(line)
    assert made == found
    assert lines == found


def read(line: str) -> Packets:
    """A line of the notation: that of rules, with several sides, runs of protocols, and what is left out."""
    service, _, sides = line.partition(" from ")
    left_out = service.removeprefix("all but ").split(", ") if service.startswith("all but ") else []
    source, _, destination = sides.partition(" to ")
    source, _, source_ports = source.partition(" port ")
    found = Packets.NONE
    for one, two in product(source.split(","), (destination or "any").split(",")):
        ranges = [None if it == "any" else [AddressRange.parse(it)] for it in (one, two)]
        comes_from = PortSet.parse(source_ports) if source_ports else PortSet()
        part = named("all" if left_out else service, comes_from, ranges)
        found |= reduce(Packets.__sub__, (named(each, comes_from, ranges) for each in left_out), part)
    return found


def named(service: str, comes_from: PortSet, ranges: list[list[AddressRange] | None]) -> Packets:
    name, _, ports = service.partition(" ")
    first, _, last = name.partition("-")
    protocols = [Protocol(it) for it in range(int(first), int(last) + 1)] if last else [Protocol.parse(name)]
    found = Packets.NONE
    for protocol in protocols:
        to = PortSet.parse(ports) if ports else PortSet()
        found |= Packets.of(protocol, to, ranges[0], comes_from, ranges[1])
    return found


LINES: list[tuple[Callable[[], Packets], tuple[str, ...]]] = [
    (lambda: packets("tcp 80,443 from 10.0.0.0/8 to any"), ("tcp 80,443 from 10.0.0.0/8",)),
    (lambda: packets("all from any to any"), ("all from any",)),
    (lambda: packets("all from 0.0.0.0/0 to any"), ("all from 0.0.0.0/0",)),
    (lambda: packets("icmp from any to any"), ("icmp from 0.0.0.0/0",)),
    (lambda: Packets.ALL - packets("tcp 25 from any to any"), ("all but tcp 25 from any",)),
    (lambda: packets("udp 53 from any port 1-99 to ::1/128"), ("udp 53 from any port 1-99 to ::1",)),
    (
        lambda: packets("tcp 80 from any to any") | packets("tcp 443 from 10.0.0.0/8 to any"),
        ("tcp 80 from any", "tcp 80,443 from 10.0.0.0/8"),
    ),
    (
        lambda: packets("tcp from any to 10.0.0.1/32") - packets("tcp from 10.0.0.0/8 to any"),
        ("tcp from 0.0.0.0-9.255.255.255,11.0.0.0-255.255.255.255 to 10.0.0.1",),
    ),
    (lambda: Packets.NONE, ()),
]


@pytest.mark.parametrize(("make", "lines"), LINES, ids=[" + ".join(lines) or "nothing" for _, lines in LINES])
def test_sets_are_told_in_the_notation_of_rules(make: Callable[[], Packets], lines: tuple[str, ...]) -> None:
    assert told(make()) == lines


def test_services_alone() -> None:
    blocked = listed_services(Family.IPV4, ServiceSet.parse("tcp/25,udp/135-139"))
    assert told_services(blocked, Family.IPV4) == ("tcp 25", "udp 135-139")
    low = services(Family.IPV6, Protocol.TCP, PortSet.parse("22"), PortSet.parse("1-1023"))
    assert told_services(low, Family.IPV6) == ("tcp 22 from port 1-1023",)
    assert told_services(services(Family.IPV4, Protocol.ICMPV6), Family.IPV4) == ()


def test_an_unnamed_source_port_is_any_of_a_programs() -> None:
    ends = Endpoint(Address.parse("10.0.0.1")), Endpoint(Address.parse("10.0.0.2"))
    flow = Flow(*ends, Service.parse("tcp/80"))
    assert flow in packets(f"tcp 80 from any port {EPHEMERAL} to any")
    assert flow not in packets(f"tcp 80 from any port {EPHEMERAL.first}-{EPHEMERAL.last - 1} to any")
