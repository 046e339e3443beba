"""Size of the service, and how soon it enforces: a process of its own with a store of many ports, started cold.

The process opens the store, serves, and enforces in a namespace; the time is from its start to the kernel's last
commit. Next to it stands the time that loading the same policy takes in one piece, as text through libnftables.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bench.compiling import commands
from bench.report import Figure, Relation, Target
from bench.stored import fill
from bench.track import load, namespaces, require_root
from bench.worlds import VPC, estate
from ringfence.server.runtime import Runtime, Settings


@dataclass(frozen=True, slots=True)
class FootprintCase:
    """Ports of the estate, and the memory that it may take in MB."""

    ports: int
    memory: int = 400


def measure_footprint(case: FootprintCase) -> list[Figure]:
    """Measure one start; raises `NotRoot`."""
    require_root()
    world = estate(case.ports)
    with (
        namespaces(VPC, "text") as (enforced, other),
        tempfile.TemporaryDirectory(prefix="ringfence-bench-") as directory,
    ):
        runtime = Runtime(Settings.at(Path(directory)))
        fill(runtime.store, world)
        runtime.store.close()
        text = commands(world)
        began = time.perf_counter()
        load(other, text)
        loaded = time.perf_counter() - began
        del text, world, runtime
        told = json.loads(
            subprocess.run(
                [sys.executable, "-m", "bench.started", directory, enforced.removesuffix(VPC)],
                check=True, capture_output=True, text=True, timeout=600,
            ).stdout
        )  # fmt: skip
    return [
        Figure.of(
            f"start to enforced, {case.ports:,} ports, over the kernel's load of the same text",
            [told["seconds"] / loaded] * 2,
            f"{told['seconds']:.1f} s / {loaded:.1f} s",
            Target(Relation.AT_MOST, 3),
        ),
        Figure.of(
            f"memory of the serving and enforcing process, {case.ports:,} ports, over {case.memory} MB",
            [told["memory"] / case.memory] * 2,
            f"{told['memory']:.0f} MB ({told['peak']:.0f} MB at its peak) / {case.memory} MB",
            Target(Relation.AT_MOST, 1),
        ),
    ]
