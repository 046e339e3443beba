"""``ringfence diff`` of files and labs: what people read, what programs read, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from ringfence import worldfile
from ringfence.lab.lab import Lab
from ringfence.model.address import Family
from tests.cli.shell import ringfence
from tests.live.cells import CELLS
from tests.live.flows import begin, closing_all, living

ROOT = Path(__file__).parent.parent.parent
TIERS = ROOT / "examples" / "three-tier.yaml"


@pytest.fixture
def changed(tmp_path: Path) -> Path:
    file = tmp_path / "changed.yaml"
    file.write_text(TIERS.read_text(encoding="utf-8").replace("tcp 3306", "tcp 3307"), encoding="utf-8")
    return file


def test_files(changed: Path) -> None:
    same = ringfence("diff", str(TIERS), str(TIERS))
    assert (same.code, same.out) == (0, "nothing changes in who reaches whom\n")
    done = ringfence("diff", str(TIERS), str(changed))
    assert done.code == 1
    denied, allowed = done.out.split("allowed now:\n")
    assert denied.startswith("denied now:\n  app-1.eth0 -> db-1.eth0: tcp 3306\n      for example app-1.eth0 -> ")
    assert allowed.startswith("  app-1.eth0 -> db-1.eth0: tcp 3307\n")
    assert "as sg-app: out allow tcp 3307 to group sg-db" in allowed
    told = ringfence("diff", str(TIERS), str(changed), "--json").json
    (first, second) = told["allowed"]
    assert (first["from"], first["to"], first["services"]) == (["app-1.eth0"], ["db-1.eth0"], ["tcp 3307"])
    assert [first["family"], second["family"]] == ["ipv4", "ipv6"]
    assert ["tcp 3306"] in [it["services"] for it in told["connections"]]
    assert "living" not in told


@pytest.mark.parametrize(
    ("old", "words"),
    [
        ("@x", "@x is no revision; write @ and its number, like @42, or @now"),
        ("@4", "@4 is of a server; name it by --server"),
        ("nowhere.yaml", "cannot read nowhere.yaml"),
        ("lab:gone", "gone"),
    ],
)
def test_what_is_refused(old: str, words: str, tmp_path: Path) -> None:
    done = ringfence("diff", old, str(TIERS), env={"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)})
    assert done.code in (2, 3)
    assert words in done.err


@pytest.mark.packets
def test_a_lab_tells_which_connections_live(lab_name: str, tmp_path: Path) -> None:
    cell = next(cell for cell in CELLS if cell.name == "rule added")
    file = tmp_path / "world.yaml"
    file.write_text(worldfile.dump(cell.after("huawei")), encoding="utf-8")
    with Lab.up(cell.before("huawei"), lab_name) as lab, closing_all() as flows:
        flows += [begin(lab, "in", "tcp", family) for family in Family]
        assert living(flows, flows) == set(flows)
        done = ringfence("diff", f"lab:{lab_name}", str(file))
        assert "connections that would be cut, if they live:\n" in done.out
        assert "it would cut 2 live connections:\n" in done.out
        told = ringfence("diff", f"lab:{lab_name}", str(file), "--json").json
        assert [it["hold"] for it in told["living"]] == [600, 600]
        assert living(flows, flows) == set(flows)
