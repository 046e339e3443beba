from __future__ import annotations

from pathlib import Path

from ringfence.lab.numbers import NUMBERS, SourceNumbers


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
    SourceNumbers(tmp_path / "next", memory.forget).avoid({80, 443, 33000})
    assert memory.forgotten == 0
