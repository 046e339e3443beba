"""``lint`` as a user meets it: a table, JSON, SARIF, accepted findings, fixes, and one clear message for bad input."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from ringfence.analysis.lint.registry import CHECKS
from tests.cli.shell import ringfence

WORLD = """\
# the shop
vpcs: {shop: {cidrs: [10.0.0.0/16], subnets: {web: 10.0.1.0/24, db: 10.0.2.0/24}}}
address_groups:
  old: [198.51.100.7]  # nobody knows
groups:
  web:
    # from everywhere, for now
    - in allow tcp 22 from any "ssh"
    - in allow tcp 443 from any
    - in allow tcp 443 from 10.0.0.0/8 priority 2  # left over
    - out allow all to any
  db:
    - in allow tcp 3306 from 10.0.1.0/24
    - out allow all to any
instances:
  web-1: {subnet: web, ip: 10.0.1.11, groups: web}
  db-1: {subnet: db, ip: 10.0.2.11, groups: db, serve: [tcp/3306, tcp/22]}
"""
FOUND = [
    ("error", 8, "risky-port-open", "web", False),
    ("warning", 17, "login-locked-out", "db-1", False),
    ("note", 13, "prefix-for-group", "db", False),
    ("note", 10, "shadowed-rule", "web", True),
    ("note", 4, "unused-object", "old", True),
]
SCHEMA = jsonschema_rs.validator_for(json.loads((Path(__file__).parent / "sarif-2.1.0.json").read_text()))
"""That of SARIF 2.1.0 by OASIS, with errata 01, without its descriptions."""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "worlds").mkdir()
    path = tmp_path / "worlds/the shop.yaml"
    path.write_text(WORLD)
    return path.relative_to(tmp_path)


def told(*words: object, code: int = 1) -> list[dict[str, Any]]:
    done = ringfence("lint", *map(str, words), "--json")
    assert done.code == code, done
    found: list[dict[str, Any]] = done.json["findings"]
    return found


def brief(found: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [tuple(it[key] for key in ("severity", "line", "check", "name", "fixable")) for it in found]


def test_what_is_found_with_its_lines(file: Path) -> None:
    assert brief(told(file)) == FOUND
    assert brief(told(file, "--severity", "error")) == FOUND[:1]
    done = ringfence("lint", str(file))
    assert done.code == 1
    lines = [" ".join(line.split()) for line in done.out.splitlines()]
    assert [line for line in lines if line in ("1 error", "1 warning", "3 notes")] == [
        "1 error",
        "1 warning",
        "3 notes",
    ]
    assert lines[1].startswith(
        'line 8 group web: in allow tcp 22 from any priority 1 "ssh" high-risk tcp 22 is open to'
    )
    assert "fix: write 'in allow tcp 3306 from group web priority 1'" in done.out
    assert lines[-1] == "1 error, 1 warning, 3 notes; 2 can go by --fix"


def test_nothing_to_say(file: Path) -> None:
    file.write_text(WORLD.replace("    - in allow tcp 22 from any", "    - in allow tcp 22 from 203.0.113.0/24"))
    done = ringfence("lint", str(file), "--severity", "error")
    assert (done.code, done.out.strip()) == (0, "nothing to say")


def test_what_is_accepted_stays_so_wherever_it_stands(file: Path) -> None:
    done = ringfence("lint", str(file), "--baseline", "known.json", "--write-baseline")
    assert (done.code, done.out, done.err) == (0, "", "5 findings accepted in known.json\n")
    accepted = json.loads(Path("known.json").read_text())["accepted"]
    assert {it["check"] for it in accepted} == {row[2] for row in FOUND}
    moved = WORLD.replace('    - in allow tcp 22 from any "ssh"\n', "").replace(
        "    - out allow all to any\n  db:", '    - out allow all to any\n    - in allow tcp 22 from any "login"\n  db:'
    )
    file.write_text("# a line more\n" + moved)
    assert told(file, "--baseline", "known.json", code=0) == []
    assert ringfence("lint", str(file), "--baseline", "known.json").out.strip() == "nothing to say; 5 accepted"
    file.write_text(moved.replace("443 from any", "22,443 from any"))
    assert [it["check"] for it in told(file, "--baseline", "known.json")] == ["risky-port-open", "redundant-rule"]


def test_an_accepted_finding_that_becomes_graver_is_a_new_one(file: Path) -> None:
    masked = WORLD.replace("web: 10.0.1.0/24", "web: {cidr: 10.0.1.0/24, acl: no}") + "acls: {no: {rules: []}}\n"
    file.write_text(masked)
    ringfence("lint", str(file), "--baseline", "known.json", "--write-baseline")
    assert told(file, "--baseline", "known.json", code=0) == []
    file.write_text(masked.replace("rules: []", "rules: [in allow all from any to any, out allow all from any to any]"))
    assert [it["severity"] for it in told(file, "--baseline", "known.json")] == ["error"]


def test_sarif_for_code_review(file: Path) -> None:
    ringfence("lint", str(file), "--baseline", "known.json", "--write-baseline", "--severity", "error")
    done = ringfence("lint", str(file), "--sarif", "out.sarif", "--baseline", "known.json")
    content = json.loads(Path("out.sarif").read_text())
    assert done.code == 1
    assert [str(error) for error in SCHEMA.iter_errors(content)] == []
    (run,) = content["runs"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == [check.name for check in CHECKS]
    results = {it["ruleId"]: it for it in run["results"]}
    for severity, line, check, _, _ in FOUND:
        (location,) = results[check]["locations"]
        assert location["physicalLocation"] == {
            "artifactLocation": {"uri": "worlds/the%20shop.yaml"},
            "region": {"startLine": line},
        }
        assert results[check]["level"] == severity
        assert run["tool"]["driver"]["rules"][results[check]["ruleIndex"]]["id"] == check
        assert bool(results[check].get("suppressions")) is (severity == "error")
    ids = {it["partialFingerprints"]["ringfence/v1"] for it in run["results"]}
    assert len(ids) == len(FOUND)
    nothing = json.loads(json.dumps(content).replace('"startLine": 8', '"startLine": 0'))
    assert list(SCHEMA.iter_errors(nothing)), "the schema tells"


def test_fixes_are_written_and_nothing_else_changes(file: Path) -> None:
    done = ringfence("lint", str(file), "--fix", "--dry-run")
    assert done.code == 1
    changed = [line for line in done.out.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")]
    assert changed == [
        "-address_groups:",
        "-  old: [198.51.100.7]  # nobody knows",
        "-    - in allow tcp 443 from 10.0.0.0/8 priority 2  # left over",
    ]
    assert file.read_text() == WORLD
    done = ringfence("lint", str(file), "--fix", "--json")
    assert done.err == f"{file}: 2 findings fixed; every flow fares as before\n"
    assert brief(done.json["findings"]) == [
        (row[0], row[1] - (3 if row[1] > 10 else 2), *row[2:]) for row in FOUND if not row[4]
    ]
    assert file.read_text() == "".join(f"{line}\n" for line in WORLD.splitlines() if f"-{line}" not in changed)
    again = file.read_text()
    assert ringfence("lint", str(file), "--fix").err == ""
    assert ringfence("lint", str(file), "--fix", "--dry-run").out == ""
    assert file.read_text() == again


def test_what_is_accepted_or_not_grave_enough_is_not_fixed(file: Path) -> None:
    ringfence("lint", str(file), "--baseline", "known.json", "--write-baseline")
    for words in (("--baseline", "known.json"), ("--severity", "warning")):
        ringfence("lint", str(file), "--fix", *words)
        assert file.read_text() == WORLD


def test_who_was_locked_out_since(file: Path) -> None:
    shutil.copy(file, "old.yaml")
    file.write_text(WORLD.replace('22 from any "ssh"', "2222 from any"))
    assert brief(told(file, "--severity", "warning", "--against", "old.yaml")) == [
        ("error", 16, "login-locked-out", "web-1", False),
        ("warning", 17, "login-locked-out", "db-1", False),
    ]


BAD = [
    (("worlds/none.yaml",), "cannot read worlds/none.yaml: No such file or directory; name a world file"),
    (("worlds/the shop.yaml", "--baseline", "worlds/the shop.yaml"), "is no list of accepted findings; make one with"),
    (("worlds/the shop.yaml", "--baseline", "none.json"), "none.json is not there; make it with --write-baseline"),
    (("worlds/the shop.yaml", "--write-baseline"), "--write-baseline writes the file of --baseline; name it"),
    (("worlds/the shop.yaml", "--dry-run"), "--dry-run is for --fix; give both"),
    (("worlds/the shop.yaml", "--lab", "x"), "a file and a lab or a server are named; give one of"),
    (("--fix",), "--fix and --against are for a world file; name one"),
    (("worlds/the shop.yaml", "--severity", "fatal"), "'fatal' is not one of"),
]


@pytest.mark.parametrize(("words", "message"), BAD)
def test_what_makes_no_sense_is_refused(file: Path, words: tuple[str, ...], message: str) -> None:
    done = ringfence("lint", *words)
    assert (done.code, done.out) == (2, "")
    assert message in done.err
    assert "Traceback" not in done.err
    assert file.read_text() == WORLD


@pytest.mark.parametrize(
    "content", ["", "[]", "{", '{"version": 1}', '{"version": 1, "accepted": [1]}', '{"version": 2, "accepted": []}']
)
def test_a_broken_list_of_accepted_findings_accepts_nothing(file: Path, content: str) -> None:
    Path("known.json").write_text(content)
    done = ringfence("lint", str(file), "--baseline", "known.json")
    assert (done.code, done.out) == (2, "")
    assert "is no list of accepted findings" in done.err
