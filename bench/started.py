"""The process that `bench.footprint` measures: serves a store, enforces it, tells how long that took, and its size."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from tests.serving import serving

from ringfence.agent.namespaces import Namespaces
from ringfence.api.logging import configure
from ringfence.server.runtime import Runtime, Settings


def main(directory: str, prefix: str) -> None:
    """Start, wait until all is enforced, answer one request, tell, and stop."""
    configure(sys.stderr, "warning")
    runtime = Runtime(Settings.at(Path(directory)))
    runtime.attach("bench", Namespaces(prefix))
    with runtime.running(), serving(runtime.app()):
        assert runtime.control.enforcement.wait(runtime.control.state.revision, 500), "it was not enforced"
        seconds = time.time() - _started()
        print(json.dumps({"seconds": seconds, "memory": _kilobytes("VmRSS") / 1e3, "peak": _kilobytes("VmHWM") / 1e3}))


def _started() -> float:
    """When this process began, in seconds since the epoch (proc(5): field 22 of stat, in clock ticks since boot)."""
    ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
    booted = next(line for line in Path("/proc/stat").read_text().splitlines() if line.startswith("btime"))
    return int(booted.split()[1]) + ticks / os.sysconf("SC_CLK_TCK")


def _kilobytes(name: str) -> int:
    status = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in status if line.startswith(name)).split()[1])


if __name__ == "__main__":
    main(*sys.argv[1:])
