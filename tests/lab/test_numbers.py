from __future__ import annotations

from pathlib import Path

import pytest

from ringfence.errors import ProbeFailed
from ringfence.lab.numbers import GUEST_PORTS, NUMBERS, SourceNumbers
from ringfence.lab.rules import telling_ports
from ringfence.model.flow import EPHEMERAL
from tests.lab.worlds import world


class Memory:
    """Stands for conntrack: what it has seen since it last forgot."""

    def __init__(self) -> None:
        self.seen: set[int] = set()
        self.forgotten = 0

    def forget(self) -> None:
        self.seen.clear()
        self.forgotten += 1


def test_no_number_is_given_twice_before_conntrack_forgets(tmp_path: Path) -> None:
    memory = Memory()
    two_processes = [SourceNumbers(tmp_path / "next", memory.forget) for _ in range(2)]
    for turn in range(2 * len(NUMBERS) + 10):
        number = two_processes[turn % 2].take()
        assert number in NUMBERS
        assert number not in memory.seen
        memory.seen.add(number)
    assert memory.forgotten == 2


def test_a_destination_port_is_not_given_out_and_not_remembered(tmp_path: Path) -> None:
    memory = Memory()
    numbers = SourceNumbers(tmp_path / "next", memory.forget)
    numbers.avoid({80, NUMBERS.start, NUMBERS.start + 2})
    assert memory.forgotten == 1
    assert [numbers.take(), numbers.take()] == [NUMBERS.start + 1, NUMBERS.start + 3]


def test_ports_outside_the_range_cost_nothing(tmp_path: Path) -> None:
    memory = Memory()
    SourceNumbers(tmp_path / "next", memory.forget).avoid({80, 443, NUMBERS.start - 1, NUMBERS.stop})
    assert memory.forgotten == 0


def test_probes_and_guests_use_ephemeral_ports_and_not_the_same() -> None:
    ephemeral = range(EPHEMERAL.first, EPHEMERAL.last + 1)
    assert {*NUMBERS} | {*GUEST_PORTS} <= {*ephemeral}
    assert {*NUMBERS}.isdisjoint(GUEST_PORTS)


def test_what_is_unfit_is_not_given_out_and_costs_nothing(tmp_path: Path) -> None:
    memory = Memory()
    numbers = SourceNumbers(tmp_path / "next", memory.forget)
    numbers.avoid({80}, unfit=range(NUMBERS.start, NUMBERS.stop - 1))
    assert [numbers.take(), numbers.take()] == [NUMBERS.stop - 1] * 2
    assert memory.forgotten == 1  # it went round
    with pytest.raises(ProbeFailed, match="no source port is left"):
        numbers.avoid({NUMBERS.stop - 1}, unfit=range(NUMBERS.start, NUMBERS.stop - 1))


TELLING = """
vpcs: {v: {profile: alibaba, cidrs: [10.0.0.0/16], subnets: {s: {cidr: 10.0.0.0/24, acl: e}}, border: [%s]}}
acls: {e: {vpc: v, rules: [%s]}}
groups: {g: {vpc: v, rules: [%s]}}
instances: {a: {subnet: s, ip: 10.0.0.5, groups: g}}
"""


@pytest.mark.parametrize(
    ("border", "acl", "group", "expected"),
    [
        ("", "", "in allow tcp 40000-41000 from any", set()),  # an answer never meets a group
        ("", "", "in allow tcp 80 from any port 1024-65535", set()),  # every one of them, or none
        ("", "", "in allow tcp 80 from any port 40000-40002", {40000, 40001, 40002}),
        ("", "", "in allow udp 80 from any port 1-32768", {32768}),
        ("", "out allow tcp 60998-65535 from any to any", "", {60998, 60999}),
        ("", "in allow tcp from any port 33000 to any", "", {33000}),
        ("in deny udp from any port 33001 to any", "", "", {33001}),
    ],
)
def test_the_ports_that_some_rule_tells_from_others(border: str, acl: str, group: str, expected: set[int]) -> None:
    assert telling_ports(world(TELLING % (border, acl, group))) == expected
