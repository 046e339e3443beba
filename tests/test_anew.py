from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

SHARING = """
import pytest

made = []

@pytest.fixture(scope="session")
def world():
    made.append("world")
    yield

@pytest.fixture(scope="module")
def lab(world):
    made.append("lab")
    yield
    made.append("down")

@pytest.fixture
def unruly(lab):
    yield
    assert False

LAB, ANEW = ["world", "lab"], ["down", "lab"]

def test_first(lab): assert made == LAB
def test_second(lab): assert made == LAB
def test_that_fails(lab): assert False
def test_without(): assert made == LAB + ["down"]
def test_third(lab): assert made == LAB + ANEW
def test_with_a_bad_end(unruly): pass
def test_fourth(lab): assert made == LAB + ANEW * 2
def test_fifth(lab): assert made == LAB + ANEW * 2
def test_last_fails(lab): assert False
"""


def test_what_a_module_shares_is_made_anew_after_a_failure_and_only_then(tmp_path: Path) -> None:
    (tmp_path / "test_sharing.py").write_text(SHARING)
    command = [sys.executable, "-m", "pytest", "-p", "tests.anew", "-p", "no:cacheprovider", "--no-header"]
    done = subprocess.run(
        [*command, "-c", "/dev/null", f"--rootdir={tmp_path}", str(tmp_path)],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
    bad = re.findall(r"^(FAILED|ERROR) \S+::(\w+)", done.stdout, re.MULTILINE)
    assert sorted(bad) == [
        ("ERROR", "test_with_a_bad_end"),
        ("FAILED", "test_last_fails"),
        ("FAILED", "test_that_fails"),
    ]
    assert "2 failed, 7 passed, 1 error" in done.stdout
