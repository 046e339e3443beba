"""The command ``fix``, of files and of a server: each reason for which rules do not work gets the fix it deserves."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ringfence.analysis.fix.edits import EnableRule, SetPriority
from ringfence.analysis.fix.fixes import fixes
from ringfence.analysis.why.diagnosis import diagnose
from ringfence.model.flow import Query
from ringfence.worldfile.parse import parse
from tests.cli.shell import Done, ringfence
from tests.fix.cases import CASES, Case
from tests.served import Served, served

IDS = [case.name for case in CASES]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("fix")) as running:
        yield running


def said(env: dict[str, str], *words: str) -> Done:
    done = ringfence(*words, env=env)
    assert "Traceback" not in done.err
    return done


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_a_file_is_told_its_fix_and_has_it_written(case: Case, tmp_path: Path) -> None:
    file = tmp_path / "world.yaml"
    file.write_text(f"# what nobody may lose\n{case.world}")
    ask = (*case.question.split(), "-f", str(file))
    done = ringfence("fix", *ask, "--json")
    told = done.json
    best = told["fixes"][0]["edits"] if told["fixes"] else []
    assert sorted(best) == sorted(case.fix)
    assert len(told["fixes"]) == (case.others + 1 if case.fix else 0), [it["edits"] for it in told["fixes"]]
    assert done.code == (0 if case.fix else 1)
    shown = ringfence("fix", *ask)
    assert case.instead in shown.out
    assert all(line in shown.out for line in case.fix)
    why = ringfence("why", *ask)
    assert why.code == 1
    check_why_ends_with(why.out, ringfence("why", *ask, "--json").json, told, shown.out)
    written = ringfence("fix", *ask, "--write")
    assert written.code == done.code
    now = ringfence("why", *ask, "--json")
    assert now.code == done.code
    assert not case.fix or (now.json["fix"], now.json["advice"]) == (None, [])
    assert file.read_text().startswith("# what nobody may lose\n")
    if case.fix:
        assert "passes already" in ringfence("fix", *ask).out


def check_why_ends_with(text: str, why: dict[str, Any], told: dict[str, Any], shown: str) -> None:
    """What ``why`` says last is what ``fix`` says first, and the command that it names says the rest."""
    end, fix, best = text.partition("The path:")[2], why["fix"], told["fixes"][0] if told["fixes"] else None
    if not best:
        assert fix is None
        advice = [*told["obstacles"], *told["refused"]]
        assert why["advice"][: len(advice)] == advice
        assert all(f"{it['what']}." in end and it["instead"] in end for it in why["advice"])
        assert "$ ringfence" not in end
        return
    assert {key: fix[key] for key in best if key != "file_edit"} == {k: v for k, v in best.items() if k != "file_edit"}
    assert fix["others"] == len(told["fixes"]) - 1
    lines = [line.strip() for line in end.splitlines()]
    assert {*best["edits"], *(f"$ {each}" for each in best["commands"])} <= {*lines}
    program, *words = shlex.split(lines[-1].removeprefix("$ ") if not why["advice"] else fix["shown_by"])
    assert program == "ringfence"
    assert ringfence(*words).out == shown


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_a_rule_that_comes_near_and_the_fix_say_the_same_of_it(case: Case) -> None:
    """Where a fix changes one rule that is a near miss, it is to what the near miss would have to be."""
    world = parse(case.world, "world.yaml")
    source, destination, service, *rest = case.question.split()
    over = " over ipv6" if rest else ""
    flow = world.flow(Query.parse(f"{source} -> {destination} {service}{over}"))
    near = {str(it.rule): it for blocker in diagnose(world, flow).blockers for it in blocker.near}
    found = fixes(world, flow)
    for fix in (*found.all, *found.withheld):
        for edit in fix.edits:
            miss = near.get(str(edit.rule)) if isinstance(edit, EnableRule | SetPriority) else None
            if miss and isinstance(edit, EnableRule | SetPriority) and len(miss.differences) == 1:
                assert str(miss.edited) == str(edit.after)
                assert miss.passes or len(fix.edits) > 1


@pytest.mark.parametrize("case", [case for case in CASES if case.fix], ids=lambda case: case.name)
def test_on_a_server_the_commands_of_each_fix_do_it(case: Case, service: Served, tmp_path: Path) -> None:
    file = tmp_path / "world.yaml"
    file.write_text(case.world)
    env = {
        "XDG_CONFIG_HOME": str(tmp_path),
        "RINGFENCE_SERVER": service.url,
        "RINGFENCE_ACCESS_KEY_ID": service.key.id,
        "RINGFENCE_ACCESS_KEY_SECRET": service.key.secret.reveal(),
    }
    apply = ("apply", str(file), "--yes")
    assert said(env, *apply).code == 0
    told = said(env, "fix", *case.question.split(), "--json").json
    assert sorted(told["fixes"][0]["edits"]) == sorted(case.fix)
    why = said(env, "why", *case.question.split(), "--json").json["fix"]
    assert {key: why[key] for key in told["fixes"][0]} == told["fixes"][0]
    assert shlex.split(why["shown_by"]) == ["ringfence", "fix", *case.question.split()]
    for fix in (told["fixes"][0], *told["fixes"][1:][-1:]):
        assert said(env, "why", *case.question.split()).code == 1
        for line in fix["commands"]:
            program, *words = shlex.split(line)
            done = said(env, *words)
            assert (program, done.code) == ("ringfence", 0), f"{line}: {done.err}"
        assert said(env, "why", *case.question.split()).code == 0, fix["commands"]
        assert said(env, *apply).code == 0
