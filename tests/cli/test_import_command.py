"""``ringfence import``: files in, a world file out that the other commands work on, with no server and no root."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.shell import ringfence
from tests.importing.shapes import ALL

ASKED = {
    "aws": ("192.0.2.9", "web-1", "tcp/80"),
    "alibaba": ("web-1", "i-bp1db", "tcp/3306"),
    "huawei": ("vm-web", "vm-db", "tcp/3306"),
    "openstack-api": ("vm1", "vm2", "tcp/5432"),
    "openstack-cli": ("192.0.2.9", "p1", "tcp/22"),
    "terraform-aws": ("192.0.2.9", "web-1", "tcp/9001"),
    "terraform-aws-file": ("192.0.2.9", "web-1", "tcp/9001"),
    "terraform-alicloud": ("10.9.9.9", "web-1", "tcp/9001"),
    "terraform-huawei": ("192.0.2.9", "web-1", "tcp/9001"),
    "terraform-openstack": ("192.0.2.9", "web-1", "tcp/10"),
}


def written(directory: Path, name: str) -> list[str]:
    for file, doc in ALL[name].items():
        (directory / file).write_text(json.dumps(doc, indent=2), encoding="utf-8")
    return [str(directory / file) for file in ALL[name]]


@pytest.mark.parametrize("name", ALL)
def test_check_and_why_work_on_what_was_imported(name: str, tmp_path: Path) -> None:
    world = tmp_path / "world.yaml"
    done = ringfence("import", *written(tmp_path, name), "-o", str(world))
    assert (done.code, done.out) == (0, "")
    assert "rules: " in done.err
    source, destination, service = ASKED[name]
    with world.open("a", encoding="utf-8") as file:
        file.write(f"expect: [{source} -> {destination} {service} allow]\n")
    assert ringfence("check", str(world)).code == 0
    why = ringfence("why", "-f", str(world), source, destination, service)
    assert why.code == 0, why.out
    assert "ALLOW" in why.out


def test_the_world_is_printed_and_the_report_is_for_programs_too(tmp_path: Path) -> None:
    files = written(tmp_path, "aws")
    printed = ringfence("import", *files)
    assert printed.out.startswith("profile: huawei\n")
    told = ringfence("import", *files, "-o", str(tmp_path / "w.yaml"), "--json")
    assert told.json["counts"]["rules"]["read"] == told.json["counts"]["rules"]["in_world"]
    assert (tmp_path / "w.yaml").read_text(encoding="utf-8") == printed.out


def test_a_file_that_is_cut_off_writes_nothing(tmp_path: Path) -> None:
    files = written(tmp_path, "huawei")
    Path(files[0]).write_text(Path(files[0]).read_text(encoding="utf-8")[:200], encoding="utf-8")
    done = ringfence("import", *files, "-o", str(tmp_path / "w.yaml"))
    assert done.code == 2
    assert "rules.json, line " in done.err
    assert "[import.invalid]" in done.err
    assert not (tmp_path / "w.yaml").exists()


def test_a_world_that_cannot_be_written_is_one_message(tmp_path: Path) -> None:
    done = ringfence("import", *written(tmp_path, "aws"), "-o", str(tmp_path / "none" / "w.yaml"))
    assert (done.code, done.out) == (2, "")
    assert "w.yaml cannot be written: No such file or directory" in done.err


def test_the_report_ends_with_what_became_of_it(tmp_path: Path) -> None:
    done = ringfence("import", *written(tmp_path, "aws"), "-o", str(tmp_path / "w.yaml"))
    lines = done.err.splitlines()
    assert lines[-1].startswith("2 left out, 1 changed, ")
    outcomes = [line.split(": ")[1] for line in lines if line.startswith(str(tmp_path)) and ": " in line]
    assert outcomes == sorted(outcomes, key=["left out", "changed", "not modelled", "made up", "merged"].index)


def test_what_cannot_be_read_is_one_message(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"{\n\xff\xfe")
    for file, code in ((tmp_path / "x", "import.invalid"), (tmp_path / "none", "input.invalid")):
        done = ringfence("import", str(file))
        assert (done.code, done.out) == (2, "")
        assert f"[{code}]" in done.err
