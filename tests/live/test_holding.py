"""How long the key of a connection that was cut is held, which keys are, and what becomes of the table that does it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import product

import pytest

from ringfence.backends.nftables import driver as driver_module
from ringfence.backends.nftables.library import Nft
from ringfence.compile.compiler import compile_world
from ringfence.lab.lab import Lab
from ringfence.model.address import Family
from tests.live.cells import CELLS, Cell
from tests.live.flows import LiveFlow, begin, closing_all, living, turn

pytestmark = pytest.mark.packets

ADDED = next(cell for cell in CELLS if cell.name == "rule added")  # what it cuts is allowed as before
SHORT = "timeouts: {tcp_established: 4, icmp: 2, both_ways: 3, one_way: 1}"
HELD = {"tcp": 4, "icmp": 2, "udp": 3, "gre": 3, "unanswered": 1, "sctp": 1}
SLACK = 1.5  # seconds that a busy machine may be late


@pytest.fixture(scope="module")
def lab(lab_names: Callable[[], str]) -> Iterator[Lab]:
    with Lab.up(ADDED.before("huawei", SHORT), lab_names()) as made:
        yield made


def tables(lab: Lab) -> str:
    nft = Nft(lab.names.vpc("shop"))
    try:
        return nft.show("list tables inet")
    finally:
        nft.close()


def change(lab: Lab, cell: Cell, switches: str, flows: list[LiveFlow]) -> tuple[float, float]:
    """Have the flows live in the world before, then change it; the moments before and after that."""
    lab.enforce(cell.before("huawei", switches))
    assert living(flows, flows) == set(flows)
    since = time.monotonic()
    lab.enforce(cell.after("huawei", switches))
    return since, time.monotonic()


def freed(flows: list[LiveFlow], until: float) -> dict[LiveFlow, float]:
    """Try each key again and again, and tell when it passed for the first time."""
    found: dict[LiveFlow, float] = {}
    while time.monotonic() < until and len(found) < len(flows):
        with closing_all() as tried:
            for one in flows:
                if one not in found:
                    tried.append(begin(one.lab, one.name, one.protocol, one.family, one.number))
                    tried[-1].ask()
            soon = time.monotonic() + 0.1
            while time.monotonic() < soon:
                turn(tried)
            passed = {(it.protocol, it.family) for it in tried if it.heard}
        found |= {one: time.monotonic() for one in flows if (one.protocol, one.family) in passed and one not in found}
    return found


def test_a_key_is_held_for_its_timeout_and_no_longer_and_no_other_key_is(lab: Lab) -> None:
    with closing_all() as flows:
        flows += [begin(lab, "in", *which) for which in product(HELD, Family)]
        since, until = change(lab, ADDED, SHORT, flows)
        for one in flows:
            one.close()
        assert f"{lab.names.table}-hold" in tables(lab)
        others = [begin(lab, "in", *which) for which in product(("tcp", "udp", "icmp", "sctp"), Family)]
        flows += others
        assert living(others, others) == set(others)
        held = flows[: -len(others)]
        found = freed(held, until + max(HELD.values()) + SLACK)
        assert found.keys() == set(held)
        for one, moment in found.items():
            seconds = HELD[one.protocol]
            assert since + seconds <= moment <= until + seconds + SLACK, one
    time.sleep(1.1)  # the driver counts in whole seconds
    assert lab.enforce(lab.world) == 0
    assert f"{lab.names.table}-hold" not in tables(lab)


def test_an_icmp_key_is_held_for_thirty_seconds(lab: Lab) -> None:
    """On the real timeouts: the requirement's own example."""
    with closing_all() as flows:
        flows += [begin(lab, "in", "icmp", family) for family in Family]
        since, until = change(lab, ADDED, "", flows)
        assert [cut.hold for cut in lab.cuts] == [30, 30]
        found = freed(flows, until + 30 + SLACK)
        assert found.keys() == set(flows)
        assert all(since + 30 <= moment <= until + 30 + SLACK for moment in found.values())


def test_holding_leaves_what_the_driver_knows_of_its_own_table(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table that comes and goes beside it is no reason to read the whole policy back."""
    lab.enforce(ADDED.before("huawei", SHORT))
    with closing_all() as flows:
        flows += [begin(lab, "in", "udp", family) for family in Family]
        monkeypatch.setattr(driver_module, "read_table", _never)
        change(lab, ADDED, SHORT, flows)
        assert f"{lab.names.table}-hold" in tables(lab)
        assert lab.enforce(lab.world) == 0
        time.sleep(HELD["udp"] + 1.1)
        assert lab.enforce(lab.world) == 0
        assert f"{lab.names.table}-hold" not in tables(lab)
        assert lab.enforce(lab.world) == 0


def _never(*_: object) -> None:
    raise AssertionError("the table was read back")


def test_another_process_finds_what_is_held(lab: Lab) -> None:
    with closing_all() as flows:
        flows += [begin(lab, "in", "udp", family) for family in Family]
        change(lab, ADDED, SHORT, flows)
        other = Lab.attach(lab.names.lab)
        assert other.enforce(other.world) == 0
        assert f"{lab.names.table}-hold" in tables(lab)
        assert living(flows, []) == set()
        time.sleep(HELD["udp"] + 1.1)
        assert other.driver("shop").audit(compile_world(other.world).vpcs["shop"]) == []
        other.close()
        assert f"{lab.names.table}-hold" not in tables(lab)
