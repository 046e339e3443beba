"""Start of the command line: what somebody waits who asks for help, or presses the tabulator.

Each is a process of its own, over one that only imports the library that the command line is made with. Times are CPU
seconds of the processes; bytecode is there, as it is where Ringfence is installed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from resource import RUSAGE_CHILDREN, getrusage
from statistics import median

from bench.report import Figure, Relation, Target

_LIBRARY = "import typer"
_COMMAND = "import sys; sys.argv[0] = 'ringfence'; from ringfence.cli.main import run; run()"
_TABULATOR = {"_RINGFENCE_COMPLETE": "complete_bash", "COMP_WORDS": "ringfence gr", "COMP_CWORD": "1"}
"""What bash says when the tabulator is pressed after ``ringfence gr`` (typer's completion)."""


@dataclass(frozen=True, slots=True)
class StartCase:
    """How often each process is started."""

    rounds: int


def measure_starting(case: StartCase) -> list[Figure]:
    """Measure help and completion, by turns with the library alone."""
    asked: tuple[tuple[str, tuple[str, ...], Mapping[str, str], float], ...] = (
        ("start of ringfence --help", ("--help",), {}, 2),
        ("start of ringfence's completion", (), _TABULATOR, 4),
    )
    with tempfile.TemporaryDirectory(prefix="ringfence-bench-") as bytecode:
        return [_measure(case, bytecode, *each) for each in asked]


def _measure(
    case: StartCase, bytecode: str, name: str, words: tuple[str, ...], said: Mapping[str, str], target: float
) -> Figure:
    times = [
        (_seconds(bytecode, _LIBRARY), _seconds(bytecode, _COMMAND, *words, **said)) for _ in range(case.rounds + 1)
    ][1:]  # the first pair wrote the bytecode
    library, command = (median(each) for each in zip(*times, strict=True))
    return Figure.of(
        f"{name}, over import typer",
        [ours / theirs for theirs, ours in times],
        f"{1e3 * command:.0f} ms / {1e3 * library:.0f} ms",
        Target(Relation.AT_MOST, target),
    )


def _seconds(bytecode: str, code: str, *words: str, **said: str) -> float:
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    before = getrusage(RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-c", code, *words],
        env={**env, "PYTHONPYCACHEPREFIX": bytecode, **said},
        check=True,
        stdout=subprocess.DEVNULL,
        timeout=60,
    )
    after = getrusage(RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
