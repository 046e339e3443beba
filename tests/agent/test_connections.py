"""What edits do to live connections, by packets: in namespaces that somebody else wires, and in a lab."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path

import pytest

from ringfence.agent.enforcer import Enforcer
from ringfence.agent.fabric import LabFabric
from ringfence.agent.namespaces import Namespaces
from ringfence.agent.outcome import Enforced, Status
from ringfence.backends.nftables import conntrack
from ringfence.backends.nftables.driver import Driver
from ringfence.backends.nftables.library import Nft
from ringfence.compile.plan import VpcChange, VpcPlan
from ringfence.errors import KernelRefused
from ringfence.lab.lab import Lab
from ringfence.model.address import Family
from ringfence.policy.evaluate import Policy
from tests.agent.places import TABLE, edits_between, enforcing, unguarded
from tests.live.cells import CELLS, FLOWS, Cell, Edit
from tests.live.flows import LiveFlow, begin, closing_all, living
from tests.live.test_changes import allowed, fate, lives, others, whose

pytestmark = pytest.mark.packets

NAMES = (
    "rule added that denies",
    "rule deleted",
    "rule described",
    "member comes",
    "member with connections goes",
    "entry of an address group replaced",
    "entry added to a port list",
)
WEB = "in allow all from any priority 50"
SHADOWED = Cell(
    "rule added that nothing reaches", (Edit(WEB, f"{WEB}\n      - in allow tcp 1 from any priority 90"),), "in vip", ""
)
EDITED = [next(cell for cell in CELLS if cell.name == name) for name in NAMES]
COMPILED_ANEW = ("member with connections goes",)  # behind a virtual IP
DENIED = EDITED[0]
PROTOCOLS = ("tcp", "udp")


@pytest.fixture(scope="module")
def lab(lab_names: Callable[[], str]) -> Iterator[Lab]:
    with Lab.up(DENIED.before("huawei"), lab_names()) as made:
        yield made


@contextmanager
def fresh(lab: Lab, kind: str, before: Cell, profile: str) -> Iterator[Enforcer]:
    """An enforcer that has the world before a cell's change in force, and nothing is left of an earlier test."""
    namespace = lab.names.vpc("shop")
    nft = Nft(namespace)
    for table in (TABLE, lab.names.table):
        for name in (table, f"{table}-hold"):
            nft.run(f"add table inet {name}\ndelete table inet {name}")
    nft.close()
    conntrack.flush(namespace)
    if kind == "lab":
        enforcer = Enforcer(LabFabric(lab))
        assert enforcer.enforce(before.before(profile)).ok
        yield enforcer
        enforcer.close()
    else:
        lab.enforce(before.before(profile))
        with enforcing(Namespaces(unguarded(lab))) as enforcer:
            assert enforcer.enforce(before.before(profile)).ok
            yield enforcer


@pytest.mark.parametrize(
    ("kind", "cell", "profile"),
    [
        *(
            pytest.param("others", *it, id="-".join(map(str, it)))
            for it in product((*EDITED, SHADOWED), ("huawei", "alibaba"))
        ),
        pytest.param("lab", DENIED, "huawei", id="lab"),
    ],
)
def test_edits_cut_what_the_table_says(lab: Lab, kind: str, cell: Cell, profile: str) -> None:
    before, after = cell.before(profile), cell.after(profile)
    with fresh(lab, kind, cell, profile) as enforcer, closing_all() as flows:
        flows += [begin(lab, *which) for which in product(FLOWS, PROTOCOLS, Family)]
        assert living(flows, flows) == set(flows)
        expected = {one: hold for one in flows if (hold := fate(cell, after, one)) is not None}
        done = enforcer.enforce(after, edits_between(before, after))
        assert (done.ok, done.whole) == (True, cell.name in COMPILED_ANEW)
        assert (done.commands == 0) is (cell in (SHADOWED, EDITED[2]))
        assert {whose(cut, flows): cut.hold for cut in done.cuts} == expected
        alive = {one for one in flows if lives(cell, after, one, expected)}
        more = [begin(lab, *which) for which in product(others(cell), PROTOCOLS, Family)]
        flows += more
        policy = Policy(after)
        alive |= {one for one in more if allowed(policy, one)}
        assert living(flows, alive) == alive
        if kind == "lab":
            assert Lab.attach(lab.names.lab).world == after


@pytest.mark.parametrize("when", ["in this process", "in the next"])
def test_what_was_not_cut_is_cut_by_the_next_change(lab: Lab, monkeypatch: pytest.MonkeyPatch, when: str) -> None:
    """The policy is switched, then nothing can be held: it is told, and what is left to do is not forgotten."""
    before, after = DENIED.before("huawei"), DENIED.after("huawei")
    with fresh(lab, "others", DENIED, "huawei") as enforcer, closing_all() as flows:
        flows += [begin(lab, *which) for which in product(("in", "out"), PROTOCOLS, Family)]
        assert living(flows, flows) == set(flows)
        with monkeypatch.context() as patch:
            patch.setattr(Driver, "hold", _refuse)
            done = enforcer.enforce(after, edits_between(before, after))
        assert (done.ok, done.cuts, done.vpcs["shop"].status) == (False, [], Status.FAILED)
        assert living(flows, flows) == set(flows)
        doomed = {one for one in flows if one.name == "in"}
        if when == "in this process":
            assert cut_by(enforcer.enforce(after, []), flows) == doomed
        else:
            with enforcing(Namespaces(lab.names.vpc(""), before=before, begun=[after])) as again:
                assert cut_by(again.enforce(after), flows) == doomed
                assert cut_by(again.enforce(after), flows) == set()
        assert living(flows, set(flows) - doomed) == set(flows) - doomed


def _refuse(*_: object) -> None:
    raise KernelRefused("nftables refused the change as a whole: out of memory")


def cut_by(done: Enforced, flows: list[LiveFlow]) -> set[LiveFlow]:
    """The flows that a change cut."""
    assert done.ok
    return {whose(cut, flows) for cut in done.cuts}


def test_what_begins_while_the_policy_is_switched_is_judged_apart(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that the new policy allows goes on, though rules changed where it leads to; one that none allows does not."""
    cell = next(cell for cell in CELLS if cell.name == "rule added")
    before, after, gap = cell.before("huawei"), cell.after("huawei"), DENIED.after("huawei")
    follow = Driver.follow
    with fresh(lab, "others", cell, "huawei") as enforcer, closing_all() as flows:
        flows.append(begin(lab, "in", "tcp", Family.IPV4))
        assert living(flows, flows) == set(flows)

        def slow(driver: Driver, change: VpcChange, whole: Callable[[], VpcPlan]) -> int:
            begun = [begin(lab, "in", "tcp", Family.IPV4), begin(lab, "in", "udp", Family.IPV6)]
            flows.extend(begun)
            assert living(begun, begun) == set(begun)
            return follow(driver, change, whole)

        monkeypatch.setattr(Driver, "follow", slow)
        done = enforcer.enforce(after, edits_between(before, after))
        assert cut_by(done, flows) == {flows[0]}
        assert living(flows, flows[1:]) == set(flows[1:])
        done = enforcer.enforce(gap, edits_between(after, gap))
        assert cut_by(done, flows) == set(flows[1:])  # two of before, and two that the new policy denies
        assert len(flows) == 5


def test_hits_outlive_the_policy_and_the_process(lab: Lab, tmp_path: Path) -> None:
    before, after = DENIED.before("huawei"), DENIED.after("huawei")
    with fresh(lab, "others", DENIED, "huawei") as other, closing_all() as flows:
        other.close()
        with enforcing(Namespaces(lab.names.vpc(""), hits=tmp_path)) as enforcer:
            enforcer.enforce(before)
            flows.append(begin(lab, "in", "tcp", Family.IPV4))
            assert living(flows, flows) == set(flows)
            hits = counted(enforcer)
            assert sum(hits.values()) >= 2
            enforcer.enforce(after, edits_between(before, after))
        with enforcing(Namespaces(lab.names.vpc(""), hits=tmp_path)) as again:
            assert counted(again).items() >= hits.items()


def counted(enforcer: Enforcer) -> dict[str, int]:
    """The packets that rules have matched, by their ids."""
    driver = enforcer.fabric.driver("shop")
    assert driver
    return {rule: count.packets for rule, count in driver.counters().items() if count.packets}


PROGRAM = """
import os, signal, sys
from ringfence.agent.enforcer import Enforcer
from ringfence.agent.fabric import LabFabric
from ringfence.backends.nftables.driver import Driver
from ringfence.lab.lab import Lab
from tests.agent.places import edits_between
from tests.agent.test_connections import DENIED

lab = Lab.attach(sys.argv[1])
enforcer = Enforcer(LabFabric(lab))
assert enforcer.enforce(lab.world).commands == 0
Driver.hold = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
after = DENIED.after("huawei")
enforcer.enforce(after, edits_between(lab.world, after))
"""


def test_a_kill_between_switch_and_cut_is_made_up_for(lab_name: str) -> None:
    """In a lab its file tells what a change was leading to."""
    before, after = DENIED.before("huawei"), DENIED.after("huawei")
    with Lab.up(before, lab_name) as lab, closing_all() as flows:
        flows += [begin(lab, *which) for which in product(("in", "out"), PROTOCOLS, Family)]
        assert living(flows, flows) == set(flows)
        lab.close()
        killed = subprocess.run([sys.executable, "-c", PROGRAM, lab_name], check=False)
        assert killed.returncode == -signal.SIGKILL
        assert living(flows, flows) == set(flows)
        enforcer = Enforcer(LabFabric(lab))
        doomed = {one for one in flows if one.name == "in"}
        assert cut_by(enforcer.enforce(after), flows) == doomed
        assert living(flows, set(flows) - doomed) == set(flows) - doomed
        enforcer.close()
