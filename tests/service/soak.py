"""Histories and crashes for as long as one likes: ``python -m tests.service.soak --minutes 10 [--seed N]``.

As root the kernel is enforced and read back as well.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path

from tests.agent.places import bare
from tests.service.crashing import VPC, Crashing
from tests.service.histories import History, closed, opened
from tests.service.plain import TENANT
from tests.service.requests import Requests, beginning
from tests.service.servers import Servers

REQUESTS = 80
MOMENTS = 100


def main() -> int:
    """A hundred crashes, then history after history until the time is up; an error names its seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1000, help="the first seed")
    arguments = parser.parse_args()
    end = time.monotonic() + arguments.minutes * 60
    print(crashes(arguments.seed), flush=True)
    seed = arguments.seed
    while time.monotonic() < end:
        print(f"history {seed}: {history(seed)}", flush=True)
        seed += 1
    return 0


def crashes(seed: int) -> str:
    """A server is killed a hundred times; what came of it, in words."""
    place = bare(VPC) if os.geteuid() == 0 else nullcontext("")
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="ringfence-") as directory, place as prefix:
        servers = Servers(Path(directory) / "log")
        try:
            crashing = Crashing(servers, Path(directory), prefix)
            crashing.run(MOMENTS, seed)
        finally:
            servers.close()
    seconds = time.monotonic() - began
    return f"{MOMENTS} kills under {len(crashing.acknowledged)} changes in {seconds:.0f} s: nothing lost, nothing half"


def history(seed: int) -> str:
    """One history, with all its laws at each step; what it was, in words."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="ringfence-") as directory:
        control, _ = opened(Path(directory))
        made = History(control, chance.choice(["operator", TENANT]))
        made.request(beginning(chance))
        for _ in range(REQUESTS):
            made.request(Requests(chance).next(made.plain))
            made.check_store()
            made.check_world()
        made.check_replays(chance)
        closed(control)
    return f"{len(made.changes)} revisions, {made.refused} refusals"


if __name__ == "__main__":
    sys.exit(main())
