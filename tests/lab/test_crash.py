from __future__ import annotations

import subprocess
import sys
import time
from contextlib import suppress

import pytest

from ringfence.errors import LabMissing
from ringfence.lab.lab import Lab, down
from tests.lab.worlds import flow, remains, world

pytestmark = pytest.mark.packets

_UP = """
import sys
from ringfence.lab.lab import Lab
from tests.lab.worlds import world
ready = world()
print("go", flush=True)
Lab.up(ready, sys.argv[1])
print("up", flush=True)
sys.stdin.read()
"""


def _kill(name: str, delay: float) -> None:
    """Kill an ``up`` some seconds after its start; with a negative delay, after it is through."""
    command = [sys.executable, "-c", _UP, name]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "go\n"
        if delay < 0:
            assert process.stdout.readline() == "up\n"
        time.sleep(max(delay, 0))
        process.kill()


@pytest.mark.parametrize("delay", [number * 0.012 for number in range(20)])
def test_a_kill_of_up_at_any_moment_leaves_nothing_after_down(lab_name: str, delay: float) -> None:
    _kill(lab_name, delay)
    with suppress(LabMissing):  # killed before it had made anything
        down(lab_name)
    assert remains(lab_name) == []
    with Lab.up(world(), lab_name) as lab:
        (seen,) = lab.converse([flow(lab.world, "web-1 -> db-1 tcp/3306")])
        assert seen.answered
    assert remains(lab_name) == []


@pytest.mark.parametrize("delay", [number * 0.015 for number in range(8)])
def test_a_kill_of_down_at_any_moment_is_made_good_by_the_next(lab_name: str, delay: float) -> None:
    Lab.up(world(), lab_name).close()
    program = f"from ringfence.lab.lab import down; print(flush=True); down({lab_name!r})"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        time.sleep(delay)
        process.kill()
    with suppress(LabMissing):  # killed when it was through
        down(lab_name)
    assert remains(lab_name) == []


def test_a_kill_after_up_leaves_the_lab_up(lab_name: str) -> None:
    _kill(lab_name, -1)
    lab = Lab.attach(lab_name)
    assert all(row.ok for row in lab.check_expectations())
    lab.down()
    assert remains(lab_name) == []


def test_down_waits_for_a_program_that_a_killed_up_left_at_work(lab_name: str) -> None:
    """The lock is inherited: a child that outlives its parent keeps ``down`` waiting until it ends."""
    orphan = f"""
import subprocess
from ringfence.lab.locking import locked
from ringfence.lab.names import LabNames
with locked(LabNames({lab_name!r})) as lock:
    child = subprocess.Popen(["sleep", "1"], pass_fds=(lock,))
    print("holding", flush=True)
    child.wait()
"""
    parent = subprocess.Popen([sys.executable, "-c", orphan], stdout=subprocess.PIPE)
    with parent:
        assert parent.stdout
        parent.stdout.readline()
        start = time.monotonic()
        parent.kill()
    with pytest.raises(LabMissing):
        down(lab_name)
    assert time.monotonic() - start > 0.7
    assert remains(lab_name) == []
