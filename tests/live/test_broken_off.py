"""A change that is killed after the switch and before it has cut: the next one does what is left to do."""

from __future__ import annotations

import signal
import subprocess
import sys
from itertools import product

import pytest

from ringfence.lab.lab import Lab
from ringfence.model.address import Family
from tests.live.cells import CELLS
from tests.live.flows import begin, closing_all, living

pytestmark = pytest.mark.packets

DENIED = next(cell for cell in CELLS if cell.name == "rule added that denies")
PROGRAM = """
import os, signal, sys
from ringfence.backends.nftables import conntrack
from ringfence.backends.nftables.driver import Driver
from ringfence.lab.lab import Lab
from tests.live.test_broken_off import DENIED

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

lab = Lab.attach(sys.argv[1])
setattr(*{"before holding": (Driver, "hold"), "before deleting": (conntrack, "delete")}[sys.argv[2]], die)
lab.enforce(DENIED.after("huawei"))
"""


@pytest.mark.parametrize("moment", ["before holding", "before deleting"])
@pytest.mark.parametrize("then", ["the same change", "the change taken back"])
def test_the_next_change_finishes_what_a_killed_one_left(lab_name: str, moment: str, then: str) -> None:
    before, after = DENIED.before("huawei"), DENIED.after("huawei")
    with Lab.up(before, lab_name) as lab, closing_all() as flows:
        flows += [begin(lab, *which) for which in product(("in", "out"), ("tcp", "udp", "icmp", "gre"), Family)]
        assert living(flows, flows) == set(flows)
        lab.close()
        killed = subprocess.run([sys.executable, "-c", PROGRAM, lab_name, moment], check=False)
        assert killed.returncode == -signal.SIGKILL
        went_on = set(flows) if moment == "before holding" else {one for one in flows if one.name == "out"}
        assert living(flows, went_on) == went_on
        lab.enforce(after if then == "the same change" else before)
        doomed = {one for one in flows if one.name == "in"}
        assert {one for one in flows for cut in lab.cuts if one.is_known_as(cut.connection)} == doomed
        assert living(flows, set(flows) - doomed) == set(flows) - doomed
        lab.enforce(lab.world)
        assert lab.cuts == []
