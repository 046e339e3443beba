"""Ringfence's named figures, each a ratio of two things measured in this one run, with its target.

Run it as root with ``make bench`` or ``python -m bench``. Each part is a module of this package, which says what is
measured and how.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from bench.changing import ChangeCase, measure_changes
from bench.compiling import CompileCase, measure_compiling
from bench.connections import ConnectionCase, measure_connections
from bench.difference import DifferenceCase, measure_difference
from bench.fixing import FixCase, measure_fixing
from bench.following import FollowCase, measure_following
from bench.footprint import FootprintCase, measure_footprint
from bench.foreseeing import ForeseeCase, measure_foreseeing
from bench.linting import LintCase, measure_linting
from bench.reaching import ReachCase, measure_reaching
from bench.redundancy import RedundancyCase, measure_redundancy
from bench.report import Figure, as_json, show
from bench.sdks import SdkCase, measure_sdks
from bench.serving import ServeCase, measure_serving
from bench.starting import StartCase, measure_starting
from bench.why import WhyCase, measure_why
from ringfence.errors import RingfenceError

Part = Callable[[], list[Figure]]
FULL: dict[str, Part] = {
    "connections": partial(
        measure_connections, ConnectionCase(sizes=(1, 10, 100, 1_000), connections=1_024, rounds=160)
    ),
    "compiling": partial(measure_compiling, CompileCase(ports=(1_000, 10_000), repetitions=(5, 3))),
    "changing": partial(measure_changes, ChangeCase(ports=(100, 100_000), rounds=60, cold=10_000)),
    "serving": partial(measure_serving, ServeCase(ports=10_000, requests=400, rounds=12, batch=100)),
    "sdks": partial(measure_sdks, SdkCase(calls=100, rounds=12)),
    "following": partial(measure_following, FollowCase(ports=(100, 100_000), rounds=100)),
    "footprint": partial(measure_footprint, FootprintCase(ports=10_000)),
    "difference": partial(measure_difference, DifferenceCase(instances=10_000, rounds=4)),
    "foreseeing": partial(measure_foreseeing, ForeseeCase(instances=10_000, rounds=6)),
    "reach": partial(
        measure_reaching, ReachCase(instances=10_000, growing=(1_000, 10_000, 100_000), groups=500, rounds=3)
    ),
    "why": partial(measure_why, WhyCase(instances=10_000, questions=300)),
    "fix": partial(measure_fixing, FixCase(instances=10_000)),
    "redundancy": partial(measure_redundancy, RedundancyCase(rules=1_000, rounds=3)),
    "lint": partial(measure_linting, LintCase(ports=(1_000, 10_000), rounds=2)),
    "starting": partial(measure_starting, StartCase(rounds=20)),
}
QUICK: dict[str, Part] = {
    "connections": partial(measure_connections, ConnectionCase(sizes=(10, 50), connections=256, rounds=3)),
    "compiling": partial(measure_compiling, CompileCase(ports=(20, 200), repetitions=(2, 2))),
    "changing": partial(measure_changes, ChangeCase(ports=(30, 300), rounds=3, cold=100)),
    "serving": partial(measure_serving, ServeCase(ports=20, requests=16, rounds=2, batch=4)),
    "sdks": partial(measure_sdks, SdkCase(calls=5, rounds=2)),
    "following": partial(measure_following, FollowCase(ports=(30, 60), rounds=3)),
    "footprint": partial(measure_footprint, FootprintCase(ports=100)),
    "difference": partial(measure_difference, DifferenceCase(instances=100, rounds=1)),
    "foreseeing": partial(measure_foreseeing, ForeseeCase(instances=100, rounds=2)),
    "reach": partial(measure_reaching, ReachCase(instances=100, growing=(40, 80), groups=20, rounds=2)),
    "why": partial(measure_why, WhyCase(instances=100, questions=20)),
    "fix": partial(measure_fixing, FixCase(instances=100)),
    "redundancy": partial(measure_redundancy, RedundancyCase(rules=50, rounds=2)),
    "lint": partial(measure_linting, LintCase(ports=(30, 60), rounds=2)),
    "starting": partial(measure_starting, StartCase(rounds=2)),
}
"""The same with tiny sizes, without targets: these are for the full ones."""


def main() -> int:
    """Measure, print, and give back the exit code: 0 whether or not the targets are reached."""
    arguments = _arguments()
    # As on ctrl-C, so that the namespaces go away.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        figures = _measure(QUICK if arguments.quick else FULL, arguments.only)
    except RingfenceError as error:
        print(f"bench: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("bench: interrupted; what it made is gone", file=sys.stderr)
        return 130
    if arguments.quick:
        figures = [replace(figure, target=None) for figure in figures]
    show(figures, to_stderr=arguments.json == "-")
    if arguments.json == "-":
        print(as_json(figures))
    elif arguments.json:
        Path(arguments.json).write_text(as_json(figures) + "\n")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="tiny sizes, a few seconds: shows that it works, no more")
    parser.add_argument("--only", metavar="PART", default="", choices=list(FULL), help=f"one of {', '.join(FULL)}")
    parser.add_argument("--json", metavar="FILE", default="", help="write the figures there as JSON; - is the output")
    return parser.parse_args()


def _measure(parts: dict[str, Part], only: str) -> list[Figure]:
    """All figures, or those of one part."""
    return [figure for name, measure in parts.items() if only in ("", name) for figure in measure()]


if __name__ == "__main__":
    sys.exit(main())
