"""What each kind of change does to live connections, by packets of TCP, UDP, ICMP and GRE in both families."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product

import pytest

from ringfence.backends.nftables import conntrack
from ringfence.backends.nftables.library import Nft
from ringfence.lab.lab import Lab
from ringfence.model.address import Family
from ringfence.model.profile import AfterClear, OnChange
from ringfence.model.world import World
from ringfence.policy.evaluate import Policy
from ringfence.policy.live import Cut
from tests.live.cells import CELLS, FLOWS, PROTOCOLS, Cell, flow
from tests.live.flows import LiveFlow, begin, closing_all, living

pytestmark = pytest.mark.packets

SWAPPED = ("rule added", "rule deleted", "member with connections goes", "entry of an address group replaced")
MODES = [
    *(pytest.param(cell, profile, "", id=f"{cell}-{profile}") for cell in CELLS for profile in ("huawei", "alibaba")),
    *(
        pytest.param(cell, *switched, id=f"{cell}-{'-'.join(switched)}".replace(": ", "-"))
        for cell in CELLS
        for switched in (
            ("huawei", "after_clear: rematch"),
            ("huawei", "on_change: keep"),
            ("alibaba", "after_clear: hold"),
            ("alibaba", "on_change: keep"),
        )
        if cell.name in SWAPPED
    ),
]


@pytest.fixture(scope="module")
def lab(lab_names: Callable[[], str]) -> Iterator[Lab]:
    with Lab.up(CELLS[0].before("huawei"), lab_names()) as made:
        yield made


@pytest.fixture(autouse=True)
def _forgets(lab: Lab) -> None:
    """Nothing is left of the test before: no connection, and no key held."""
    namespace = lab.names.vpc("shop")
    nft = Nft(namespace)
    nft.run(f"add table inet {lab.names.table}-hold\ndelete table inet {lab.names.table}-hold")
    nft.close()
    conntrack.flush(namespace)


def whose(cut: Cut, flows: list[LiveFlow]) -> LiveFlow:
    """The live flow that a cut is about."""
    (found,) = (one for one in flows if one.is_known_as(cut.connection))
    return found


@pytest.mark.parametrize(("cell", "profile", "switches"), MODES)
def test_a_change_cuts_what_the_table_says(lab: Lab, cell: Cell, profile: str, switches: str) -> None:
    before, after = cell.before(profile, switches), cell.after(profile, switches)
    lab.enforce(before)
    with closing_all() as flows:
        flows += [begin(lab, *which) for which in product(FLOWS, PROTOCOLS, Family)]
        assert living(flows, flows) == set(flows)
        expected = {one: hold for one in flows if (hold := fate(cell, after, one)) is not None}
        preview = {whose(cut, flows): cut.hold for cut in lab.preview(after)}
        assert preview == expected
        lab.enforce(after)
        assert {whose(cut, flows): cut.hold for cut in lab.cuts} == expected
        alive = {one for one in flows if lives(cell, after, one, expected)}
        fresh = [begin(lab, *which) for which in product(others(cell), ("tcp", "udp", "icmp"), Family)]
        flows += fresh
        policy = Policy(after)
        alive |= {one for one in fresh if allowed(policy, one)}  # a new key is judged at once
        assert living(flows, alive) == alive
        if not expected:  # what was not cut goes on, also if it was dropped for a while
            lab.enforce(before)
            assert living(flows, flows) == set(flows)


def fate(cell: Cell, after: World, one: LiveFlow) -> int | None:
    """For how long its key is held if it is cut; None if it is not."""
    profile = after.vpcs["shop"].profile
    if one.name in cell.always.split():
        return 0
    cut = {OnChange.CLEAR_INBOUND: cell.clear_inbound, OnChange.REJUDGE: cell.rejudge, OnChange.KEEP: ""}
    if one.name not in cut[profile.on_change].split():
        return None
    timeouts = profile.timeouts
    holds = {"tcp": timeouts.tcp_established, "icmp": timeouts.icmp}
    return holds.get(one.protocol, timeouts.both_ways) if profile.after_clear is AfterClear.HOLD else 0


def lives(cell: Cell, after: World, one: LiveFlow, cut: dict[LiveFlow, int]) -> bool:
    """Whether packets pass both ways after the change. What was cut and is not held begins anew if it may."""
    stateful = after.vpcs["shop"].profile.acl_stateful
    if one.name in (cell.silent if stateful else f"{cell.silent} {cell.silent_if_stateless}").split():
        return False
    if one not in cut:
        return True
    if cut[one] or one.protocol == "tcp":
        return False
    if one.name in cell.always.split():  # the next packet goes to the new owner, whose kernel answers an echo
        return one.name == "vip" and one.protocol == "icmp"
    return allowed(Policy(after), one)


def others(cell: Cell) -> list[str]:
    """The connections whose ends are where they were."""
    return [name for name in FLOWS if name not in cell.always.split()]


def allowed(policy: Policy, one: LiveFlow) -> bool:
    """Whether the model would let it begin, and its answers come back."""
    return policy.evaluate(flow(policy.world, one.name, one.protocol, one.family, one.number, one.number)).allowed
