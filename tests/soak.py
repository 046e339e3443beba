"""The differential test for as long as one likes: ``python -m tests.soak --minutes 10 [--seed N]``. Root only."""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Iterator

from ringfence.lab.lab import Lab
from tests.differential import differences
from tests.topologies import TOPOLOGIES
from tests.worlds import random_world

PACKETS = 400
WORLDS = 25


def main() -> int:
    """Run until the time is up or a difference shows; print what was seen."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1000, help="the first seed; a difference names its own")
    arguments = parser.parse_args()
    end = time.monotonic() + arguments.minutes * 60
    worlds, seed, found = 0, arguments.seed, 0
    while time.monotonic() < end and not found:
        for name in TOPOLOGIES:
            for lines in _worlds(name, seed):
                for line in lines:
                    print(f"{name}: {line}")
                    found += 1
                worlds += 1
                if time.monotonic() > end:
                    break
            print(f"{name}: {worlds} worlds, {worlds * PACKETS} packets, {found} differences", flush=True)
            seed += WORLDS
    return 1 if found else 0


def _worlds(name: str, first: int) -> Iterator[Iterator[str]]:
    """One lab, and the differences of each of some worlds in it."""
    topology = TOPOLOGIES[name]
    with Lab.up(random_world(random.Random(first), topology.profile, topology), "soak") as lab:
        for seed in range(first, first + WORLDS):
            yield differences(lab, topology, seed, PACKETS)


if __name__ == "__main__":
    sys.exit(main())
