"""The benchmarks run, measure what they name, and leave nothing behind. Their figures are for ``make bench``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.packets
def test_a_quick_run_prints_every_figure_as_json() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--quick", "--json", "-"],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    names = " ".join(figure["name"] for figure in told["figures"])
    assert all(
        words in names
        for words in (
            "over conntrack alone",
            "linear chain",
            "compile time over load",
            "member join to enforced",
            "cold apply",
            "rule authorisations a second by signature",
            "rules a second in calls of",
            "durable to enforced",
            "start to enforced",
            "lint --fix with its proof over lint",
            "memory of the serving and enforcing process",
            "difference of a one-rule change",
            "a second dry run at a new revision",
            "whole reachability",
            "one why",
            "fixes found and weighed",
            "start of ringfence --help",
            "start of ringfence's completion",
        )
    )
    assert all(figure["ratio"] > 0 for figure in told["figures"])
    assert not [name for name in os.listdir("/run/netns") if name.startswith("rfbench-")]
