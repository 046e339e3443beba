"""The differential test for as long as one likes: ``python -m tests.soak --minutes 10 [--seed N]``. Root only."""

from __future__ import annotations

import argparse
import random
import sys
import time

from ringfence.lab.lab import Lab
from tests.differential import PROFILES, differences
from tests.worlds import random_world

PACKETS = 400


def main() -> int:
    """Run until the time is up or a difference shows; print what was seen."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1000, help="the first seed; a difference names its own")
    arguments = parser.parse_args()
    end = time.monotonic() + arguments.minutes * 60
    worlds, seed, found = 0, arguments.seed, 0
    while time.monotonic() < end and not found:
        for name, profile in PROFILES.items():
            with Lab.up(random_world(random.Random(seed), profile), "soak") as lab:
                for seed in range(seed, seed + 25):  # noqa: B020 # the next lab goes on where this one stops
                    for line in differences(lab, seed, PACKETS):
                        print(line)
                        found += 1
                    worlds += 1
                    if time.monotonic() > end:
                        break
            print(f"{name}: {worlds} worlds, {worlds * PACKETS} packets, {found} differences", flush=True)
            seed += 1
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
