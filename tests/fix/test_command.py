"""The command ``fix``, of files and of a server: each reason for which rules do not work gets the fix it deserves."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

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
    assert ringfence("why", *ask).code == 1
    written = ringfence("fix", *ask, "--write")
    assert written.code == done.code
    assert ringfence("why", *ask).code == done.code
    assert file.read_text().startswith("# what nobody may lose\n")
    if case.fix:
        assert "passes already" in ringfence("fix", *ask).out


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
    for fix in (told["fixes"][0], *told["fixes"][1:][-1:]):
        assert said(env, "why", *case.question.split()).code == 1
        for line in fix["commands"]:
            program, *words = shlex.split(line)
            done = said(env, *words)
            assert (program, done.code) == ("ringfence", 0), f"{line}: {done.err}"
        assert said(env, "why", *case.question.split()).code == 0, fix["commands"]
        assert said(env, *apply).code == 0
