"""Lines of a list any of which may go: whichever of them do, every packet is judged as before. By trying all."""

from __future__ import annotations

import random
from itertools import combinations

import pytest

from ringfence.analysis.rules.lists import Line
from ringfence.analysis.rules.spares import Spares
from ringfence.analysis.sets.packets import Packets
from ringfence.model.rule import Action
from ringfence.model.service import PortRange, PortSet, Protocol

PORTS = range(1, 6)
Drawn = list[tuple[frozenset[int], Action]]


def judged(lines: Drawn, gone: frozenset[int] = frozenset()) -> list[Action]:
    kept = [it for index, it in enumerate(lines) if index not in gone]
    return [next((action for ports, action in kept if port in ports), Action.DENY) for port in PORTS]


def drawn(rng: random.Random) -> Drawn:
    def ports() -> frozenset[int]:
        return frozenset(rng.sample(PORTS, rng.choice([1, 2, 2, 3, 5])))

    return [(ports(), rng.choice(list(Action))) for _ in range(rng.randint(2, 7))]


def as_line(ports: frozenset[int], action: Action) -> Line:
    return Line(Packets.of(Protocol.TCP, PortSet(tuple(PortRange(it, it) for it in sorted(ports)))), action)


@pytest.mark.parametrize("seed", range(4))
def test_any_of_them_may_go(seed: int) -> None:
    rng, several = random.Random(seed), 0
    for _ in range(120):
        lines = drawn(rng)
        candidates = {index for index in range(len(lines)) if rng.random() < 0.9}
        found = Spares([as_line(*it) for it in lines]).among(candidates)
        assert found.keys() <= candidates
        for count in range(1, len(found) + 1):
            for gone in combinations(found, count):
                assert judged(lines, frozenset(gone)) == judged(lines), (lines, gone)
        for index, (ports, _) in enumerate(lines):
            above = frozenset[int]().union(*(it for it, _ in lines[:index]))
            assert found.get(index, False) is (ports <= above and index in candidates), "every shadowed line, no other"
        alone = [it for it in candidates if judged(lines, frozenset([it])) == judged(lines)]
        assert bool(found) is bool(alone), "something may go where anything may"
        several += len(found) > 1
    assert several > 20
