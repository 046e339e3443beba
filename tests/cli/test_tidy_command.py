"""``tidy`` as a user meets it: a group over its quota comes back under it, in the file, and the rest of that stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from ringfence.worldfile import read
from tests.cli.shell import ringfence

OFFICES = "".join(f"      - in allow tcp 22 from 203.0.113.{number}  # desk {number}\n" for number in range(64))
WORLD = f"""\
groups:
  # people
  sg-web:
    rules:
      - in allow tcp 80-89 from any   # web
      - in allow tcp 90 from any
{OFFICES}      - out allow all to any
  nat: {{managed: nat, rules: [in allow tcp 1 from any, in allow tcp 1 from any priority 2]}}
"""
AFTER = """\
groups:
  # people
  sg-web:
    rules:
      - in allow tcp 80-90 from any   # web
      - in allow tcp 22 from 203.0.113.0/26  # desk 0
      - out allow all to any
  nat: {managed: nat, rules: [in allow tcp 1 from any, in allow tcp 1 from any priority 2]}
"""


@pytest.fixture
def world(tmp_path: Path) -> Path:
    path = tmp_path / "shop.yaml"
    path.write_text(WORLD)
    return path


def test_a_group_gets_back_under_its_quota(world: Path) -> None:
    shown = ringfence("tidy", str(world))
    assert (shown.code, world.read_text()) == (0, WORLD)
    lines = shown.out.splitlines()
    assert lines[0].startswith("sg-web: 70 of 50 rules (written as 67), 5 say the same; ")
    assert "  + in allow tcp 22 from 203.0.113.0/26 priority 1" in lines
    assert "nat: belongs to nat, and stays as it is" in lines
    assert "-      - in allow tcp 90 from any" in lines
    assert lines[-1] == "nothing is written yet: --write changes the file"
    assert ringfence("tidy", str(world), "--write").out.endswith("written\n")
    assert world.read_text() == AFTER
    assert len(read(world).groups["sg-web"].rules) == 3
    again = ringfence("tidy", str(world), "--group", "sg-web", "--json")
    assert again.json == {
        "groups": [
            {
                "group": "sg-web",
                "cost_before": 5,
                "cost_after": 5,
                "limit": 50,
                "minimal": True,
                "gone": [],
                "come": [],
            }
        ],
        "skipped": {},
        "diff": "",
        "written": False,
    }


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("--group", "sg-wep"), 2, "there is no group 'sg-wep'; did you mean 'sg-web'?"),
        (("--group", "nat"), 1, "group nat belongs to nat; leave it as it is"),
    ],
)
def test_what_is_refused(world: Path, words: tuple[str, ...], code: int, message: str) -> None:
    done = ringfence("tidy", str(world), *words, "--write")
    assert (done.code, done.out, world.read_text()) == (code, "", WORLD)
    assert message in done.err


def test_a_file_that_is_wrong_is_told_as_such(world: Path) -> None:
    world.write_text(WORLD + "acls: {a: [in allow]}\n")
    done = ringfence("tidy", str(world), "--write")
    assert done.code == 2
    assert "line 73:" in done.err
