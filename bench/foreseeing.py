"""What a change would lead to, asked of the service: by an analysis that is kept from one revision to the next.

The first dry run makes the analysis; then rules are written, and after each a dry run asks about another one. Measured
is the answer without HTTP: the change in a draft, what it changes in who reaches whom, and the telling of that.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.report import Figure, Relation, Target
from bench.stored import fill
from bench.worlds import estate
from ringfence.control import basic
from ringfence.control.authority import OPERATOR
from ringfence.control.caller import Caller
from ringfence.control.control import Control
from ringfence.control.foresight import Foresight
from ringfence.control.view import View
from ringfence.resources.kind import Kind
from ringfence.server.runtime import Runtime, Settings

_WRITTEN = ("in allow tcp 9999 from any", "in allow tcp 22 from 203.0.113.0/28", "in allow udp 53 from 10.1.0.0/24")


@dataclass(frozen=True)
class ForeseeCase:
    """How many instances, and how many revisions."""

    instances: int
    rounds: int


def measure_foreseeing(case: ForeseeCase) -> list[Figure]:
    """The first dry run, and one after each of some changes."""
    with tempfile.TemporaryDirectory(prefix="ringfence-bench-") as directory:
        runtime = Runtime(Settings.at(Path(directory)))
        fill(runtime.store, estate(case.instances))
        runtime.control.refresh()
        foresight, groups = Foresight(), max(1, case.instances // 10)
        first = _asked(runtime.control, foresight, 0, groups)
        later = []
        for number in range(1, case.rounds + 1):
            _add(runtime.control, number, groups, dry_run=False)
            later.append(_asked(runtime.control, foresight, number, groups))
        runtime.store.close()
    return [
        Figure.of(
            "a second dry run at a new revision, over the first",
            [it / first for it in later],
            f"{median(later):.2f} s / {first:.1f} s, {case.instances} instances",
            Target(Relation.AT_MOST, 0.25),
        )
    ]


def _add(control: Control, number: int, groups: int, *, dry_run: bool) -> tuple[View, View]:
    """Add a rule to a group, or only try to; what is seen before and after."""
    said = {"group": f"sg-{(7 * number + dry_run) % groups}", "rule": _WRITTEN[number % len(_WRITTEN)]}
    with control.change(Caller(OPERATOR, operator=True), "Bench", dry_run=dry_run) as draft:
        basic.create(draft, Kind.RULE, said)
    before = draft.state
    return View(before, OPERATOR), View(before.after(draft.revision, draft.changes), OPERATOR)


def _asked(control: Control, foresight: Foresight, number: int, groups: int) -> float:
    """The time of a dry run."""
    began = time.perf_counter()
    foresight.told(*_add(control, number, groups, dry_run=True))
    return time.perf_counter() - began
