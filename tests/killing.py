"""A change of policy in a process that is killed on the way."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

from ringfence.backends.nftables.driver import Driver
from ringfence.compile.plan import VpcPlan


def apply_and_be_killed(make: Callable[[], Driver], held: VpcPlan, plan: VpcPlan, delay: float) -> None:
    """Change from a plan to another in a process that is killed after some seconds; after none, before it begins."""
    (read, write), (waiting, starting) = os.pipe(), os.pipe()
    pid = os.fork()
    if not pid:
        try:
            driver = make()
            driver.apply(held)  # read the kernel first: it is the change that is to be interrupted
            os.write(write, b"go")
            os.read(waiting, 1)
            driver.apply(plan)
        finally:
            os._exit(0)
    os.close(write)
    assert os.read(read, 2) == b"go"
    if delay:
        os.write(starting, b"!")
        time.sleep(delay)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    for end in (read, waiting, starting):
        os.close(end)
