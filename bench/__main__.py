"""Ringfence's named figures, each a ratio of two things measured in this one run, with its target.

Run it as root with ``make bench`` or ``python -m bench``; see `bench.connections`, `bench.compiling`,
`bench.changing`, `bench.serving`, `bench.sdks`, `bench.following`, `bench.footprint` and `bench.linting` for what is
measured and how.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from bench.changing import ChangeCase, measure_changes
from bench.compiling import CompileCase, measure_compiling
from bench.connections import ConnectionCase, measure_connections
from bench.following import FollowCase, measure_following
from bench.footprint import FootprintCase, measure_footprint
from bench.linting import LintCase, measure_linting
from bench.report import Figure, as_json, show
from bench.sdks import SdkCase, measure_sdks
from bench.serving import ServeCase, measure_serving
from ringfence.errors import RingfenceError

FULL = (
    ConnectionCase(sizes=(1, 10, 100, 1_000), connections=1_024, rounds=160),
    CompileCase(ports=(1_000, 10_000), repetitions=(5, 3)),
    ChangeCase(ports=(100, 100_000), rounds=60, cold=10_000),
    ServeCase(ports=10_000, requests=400, rounds=12, batch=100),
    SdkCase(calls=100, rounds=12),
    FollowCase(ports=(100, 100_000), rounds=100),
    FootprintCase(ports=10_000),
    LintCase(ports=(1_000, 10_000), rounds=2),
)
QUICK = (
    ConnectionCase(sizes=(10, 50), connections=256, rounds=3),
    CompileCase(ports=(20, 200), repetitions=(2, 2)),
    ChangeCase(ports=(30, 300), rounds=3, cold=100),
    ServeCase(ports=20, requests=16, rounds=2, batch=4),
    SdkCase(calls=5, rounds=2),
    FollowCase(ports=(30, 60), rounds=3),
    FootprintCase(ports=100),
    LintCase(ports=(30, 60), rounds=2),
)


PARTS = ("connections", "compiling", "changing", "serving", "sdks", "following", "footprint", "lint")


def main() -> int:
    """Measure, print, and give back the exit code: 0 whether or not the targets are reached."""
    arguments = _arguments()
    # As on ctrl-C, so that the namespaces go away.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sizes = QUICK if arguments.quick else FULL
        figures = _measure(*sizes, only=arguments.only, targets=not arguments.quick)
    except RingfenceError as error:
        print(f"bench: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("bench: interrupted; what it made is gone", file=sys.stderr)
        return 130
    show(figures, to_stderr=arguments.json == "-")
    if arguments.json == "-":
        print(as_json(figures))
    elif arguments.json:
        Path(arguments.json).write_text(as_json(figures) + "\n")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="tiny sizes, a few seconds: shows that it works, no more")
    parser.add_argument("--only", metavar="PART", default="", choices=PARTS, help=f"one of {', '.join(PARTS)}")
    parser.add_argument("--json", metavar="FILE", default="", help="write the figures there as JSON; - is the output")
    return parser.parse_args()


def _measure(
    connections: ConnectionCase,
    compiling: CompileCase,
    changing: ChangeCase,
    serving: ServeCase,
    sdks: SdkCase,
    following: FollowCase,
    footprint: FootprintCase,
    linting: LintCase,
    *,
    only: str = "",
    targets: bool = True,
) -> list[Figure]:
    """All figures, or those of one part; without their targets where the sizes are not those that these are for."""
    parts: dict[str, Callable[[], list[Figure]]] = {
        "connections": lambda: measure_connections(connections),
        "compiling": lambda: measure_compiling(compiling),
        "changing": lambda: measure_changes(changing),
        "serving": lambda: measure_serving(serving),
        "sdks": lambda: measure_sdks(sdks),
        "following": lambda: measure_following(following),
        "footprint": lambda: measure_footprint(footprint),
        "lint": lambda: measure_linting(linting),
    }
    figures = [figure for name, measure in parts.items() if only in ("", name) for figure in measure()]
    return figures if targets else [replace(figure, target=None) for figure in figures]


if __name__ == "__main__":
    sys.exit(main())
