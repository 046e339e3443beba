"""``ringfence apply`` tells which live connections a change will cut, and then which it did."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest

from ringfence import worldfile
from ringfence.lab.lab import Lab
from ringfence.model.address import Family
from tests.live.cells import CELLS
from tests.live.flows import begin, closing_all, living

pytestmark = pytest.mark.packets

ADDED = next(cell for cell in CELLS if cell.name == "rule added")


def apply(*words: str) -> str:
    command = [sys.executable, "-m", "ringfence", "apply", *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_apply_previews_and_reports_what_it_cuts(lab_name: str, tmp_path: Path) -> None:
    file = tmp_path / "world.yaml"
    file.write_text(worldfile.dump(ADDED.after("huawei")), encoding="utf-8")
    words = (str(file), "--lab", lab_name)
    with Lab.up(ADDED.before("huawei"), lab_name) as lab, closing_all() as flows:
        flows += [begin(lab, *which) for which in product(("in", "out"), ("tcp", "icmp"), Family)]
        assert living(flows, flows) == set(flows)
        will = apply(*words, "--dry-run")
        assert living(flows, flows) == set(flows)
        assert will.startswith("this change will cut 4 live connections:\n")
        (first,) = (one.number for one in flows if str(one) == "in tcp ipv4")
        row = f"shop  203.0.113.9 -> 10.0.1.11 tcp/{first} from port {first}"
        (told,) = (line for line in will.splitlines() if line.startswith(row))
        words_after = " ".join(told.removeprefix(row).split())
        assert words_after.startswith("600 s group sg-web has a new rule: in allow tcp 9999")
        preview = json.loads(apply(*words, "--dry-run", "--json"))
        did = json.loads(apply(*words, "--json"))
        assert did["cuts"] == preview["cuts"]
        assert (preview["dry_run"], did["dry_run"]) == (True, False)
        assert [cut["hold"] for cut in did["cuts"]] == [30, 600, 600, 30]
        assert did["cuts"][1]["connection"] == {
            "vpc": "shop",
            "protocol": "tcp",
            "source": "203.0.113.9",
            "destination": "10.0.1.11",
            "source_port": first,
            "destination_port": first,
            "answered": True,
        }
        alive = {one for one in flows if one.name == "out"}
        assert living(flows, alive) == alive
        assert apply(*words) == f"lab {lab_name!r} took 0 nft commands\n"


def test_a_world_whose_expectations_do_not_hold_stays_out_unless_somebody_says_why(
    lab_name: str, tmp_path: Path
) -> None:
    file = tmp_path / "world.yaml"
    text = worldfile.dump(ADDED.after("huawei"))
    world = worldfile.parse(text, str(file))
    wrong = f"{next(iter(world.outside))} -> {next(iter(world.instances))} tcp/4444 allow"
    file.write_text(f"{text}\nexpect:\n  - {wrong}\n", encoding="utf-8")
    command = [sys.executable, "-m", "ringfence", "apply", str(file), "--lab", lab_name]
    with Lab.up(ADDED.before("huawei"), lab_name) as lab:
        refused = subprocess.run(command, check=False, capture_output=True, text=True)
        assert refused.returncode == 1
        assert f"{wrong} (it is deny by " in refused.stderr
        assert "[expect.failed]" in refused.stderr
        dry = subprocess.run([*command, "--dry-run"], check=False, capture_output=True, text=True)
        assert (dry.returncode, dry.stderr) == (1, refused.stderr)
        assert "who reaches whom:" in dry.stdout
        assert f"lab {lab_name!r} would take " in dry.stdout
        assert not lab.names.overrides.exists()
        apply(*command[4:], "--override-expectations", "a trial")
        (kept,) = map(json.loads, lab.names.overrides.read_text().splitlines())
        assert kept["override"] == "a trial"
        assert kept["user"]
        assert [line.partition(" (")[0] for line in kept["expectations"]] == [wrong]
