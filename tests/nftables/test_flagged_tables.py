"""Tables with flags, ours or others': libnftables 1.0.6 spoils the memory of who reads one in JSON.

What such a table of ours is made to say again, and that it is told, is in `test_drift`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing

import pytest

from ringfence.backends.nftables.holding import hold_table
from ringfence.backends.nftables.library import Nft, TableFlags
from ringfence.compile.compiler import Compilation
from ringfence.errors import KernelRefused
from ringfence.model.edit import GroupChanged
from ringfence.model.profile import HUAWEI
from tests.nftables.kernel import TABLE, Kernel
from tests.nftables.plans import plan_of
from tests.policy.build import build

pytestmark = pytest.mark.packets

READER = f"""
import sys
from ringfence.backends.nftables.driver import Driver
from ringfence.compile.plan import VpcPlan
for _ in range(500):
    driver = Driver(sys.argv[1], "{TABLE}")
    driver.audit(VpcPlan("empty"))
    driver.close()
"""
STRICT = {"PYTHONMALLOC": "malloc", "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0:glibc.malloc.mxfast=0"}
"""Every block that is freed goes where malloc checks it, so that a write to it ends the process soon."""


def flagged(name: str) -> str:
    return f"add table inet {name} {{ flags dormant; }}"


@pytest.mark.parametrize("name", ["neighbour", TABLE])
def test_who_reads_beside_a_table_with_a_flag_lives_on(kernel: Kernel, name: str) -> None:
    kernel.nft(flagged(name))
    done = subprocess.run(
        [sys.executable, "-c", READER, kernel.name], env={**os.environ, **STRICT}, capture_output=True, check=False
    )
    assert (done.returncode, done.stderr.decode()) == (0, "")


def test_flags_are_told(kernel: Kernel) -> None:
    with closing(Nft(kernel.name)) as nft, closing(Nft(kernel.name)) as other:
        assert nft.flags("plain") is None
        nft.run(f"add table inet plain\n{flagged('asleep')}\nadd table ip elsewhere")
        other.run("add table inet owned { flags owner; }")
        found = {name: nft.flags(name) for name in ("plain", "asleep", "owned", "elsewhere")}
    assert found == {"plain": 0, "asleep": TableFlags.DORMANT, "owned": TableFlags.OWNER, "elsewhere": None}


def test_a_table_that_another_process_owns_is_told(kernel: Kernel) -> None:
    with closing(Nft(kernel.name)) as owner:
        owner.run(f"add table inet {TABLE} {{ flags owner; }}")
        for act in (kernel.driver().audit, kernel.driver().apply):
            with pytest.raises(KernelRefused, match=f"another process owns table inet {TABLE}"):
                act(plan_of())


def test_a_table_that_holds_keys_and_sleeps_goes_with_the_next_change(kernel: Kernel) -> None:
    kernel.nft(flagged(hold_table(TABLE)))
    kernel.driver().apply(plan_of())
    assert hold_table(TABLE) not in kernel.nft("list", "tables")


def test_a_change_makes_a_table_whole_that_was_seen_asleep(kernel: Kernel) -> None:
    """A change of rules alone names nothing but a chain; nothing else of the table is known then."""
    compilation = Compilation(build(HUAWEI, "a: web", {"web": "in allow tcp 80 from any"}))
    driver, before = kernel.driver(), compilation.plan_of("main")
    driver.apply(before)
    kernel.nft(flagged(TABLE))
    assert driver.audit(before) != []
    group = build(HUAWEI, "a: web", {"web": "in allow tcp 81 from any"}).groups["web"]
    changes = compilation.follow(GroupChanged(group))
    assert changes
    driver.follow(changes["main"], lambda: compilation.plan_of("main"))
    assert kernel.driver().audit(compilation.plan_of("main")) == []
