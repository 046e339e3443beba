"""A command starts with what it needs, and no more: what a fresh process has imported when it ends."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
import typer
from typer.main import get_group

from ringfence.cli.lazily import Later
from ringfence.cli.main import app
from tests.served import served

ROOT = Path(__file__).parents[2]
RUN = """
import json, sys
sys.argv[0] = "ringfence"
from ringfence.cli.main import run
try:
    run()
except SystemExit as end:
    print("\\n" + json.dumps([end.code or 0, list(sys.modules)]))
"""
NAMED_OTHERWISE = {
    "prometheus-client": "prometheus_client",
    "PyYAML": "yaml",
    "rpds-py": "rpds",
    "SQLAlchemy": "sqlalchemy",
}
"""Distributions with the modules that they hold, where the names differ."""
OWN = {"cli", "errors", "resources"}
CLIENT = OWN | {"client", "model", "security"}
FILE = CLIENT | {"policy", "worldfile"}


def libraries() -> set[str]:
    """The modules of all libraries that Ringfence depends on."""
    said = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    named = [re.split(r"[\[>]", line)[0] for line in said]
    return {NAMED_OTHERWISE.get(name, name) for name in named}


def loaded(words: str, env: Mapping[str, str], code: int) -> tuple[set[str], set[str]]:
    """The libraries, and the rooms of Ringfence, that a command has imported."""
    done = subprocess.run(
        [sys.executable, "-c", RUN, *words.split()],
        env={**os.environ, **env}, capture_output=True, text=True, check=True, timeout=60, cwd=ROOT,
    )  # fmt: skip
    found, modules = json.loads(done.stdout.splitlines()[-1])
    assert found == code, done.stderr
    return libraries() & set(modules), {name.split(".")[1] for name in modules if name.startswith("ringfence.")}


def pressed(line: str) -> dict[str, str]:
    """What bash says when the tabulator is pressed at the end of a line."""
    return {"_RINGFENCE_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1)}


@pytest.mark.parametrize(
    ("words", "env", "code", "may", "rooms"),
    [
        ("--help", {}, 0, "typer", OWN),
        ("--version", {}, 0, "typer", OWN),
        ("grop", {}, 2, "typer", OWN),
        ("", pressed("ringfence gr"), 0, "typer", OWN),
        ("", pressed("ringfence group sh"), 0, "typer", CLIENT),
        ("group create --help", {}, 0, "typer", CLIENT),
        ("plan --help", {}, 0, "typer", CLIENT),
        ("login --help", {}, 0, "typer", CLIENT),
        ("serve --help", {}, 0, "typer", OWN | {"security"}),
        ("restore --help", {}, 0, "typer", OWN),
        ("check examples/allow-80.yaml", {}, 0, "typer yaml rpds rich", FILE | {"lab"}),
        ("why visitor web tcp/80 -f examples/allow-80.yaml", {}, 0, "typer yaml rpds", FILE | {"analysis"}),
        ("lint examples/allow-80.yaml", {}, 0, "typer yaml rpds rich", FILE | {"analysis"}),
    ],
)
def test_a_command_imports_what_it_needs(words: str, env: dict[str, str], code: int, may: str, rooms: set[str]) -> None:
    found, walked = loaded(words, env, code)
    assert "typer" in found
    assert found <= set(may.split())
    assert walked <= rooms


def test_a_command_against_a_server_imports_the_client_and_no_service(tmp_path: Path) -> None:
    with served(tmp_path) as service:
        env = {
            "RINGFENCE_SERVER": service.url,
            "RINGFENCE_ACCESS_KEY_ID": service.key.id,
            "RINGFENCE_ACCESS_KEY_SECRET": service.key.secret.reveal(),
        }
        asks = {"typer", "httpx2", "anyio"}  # which httpx2 brings along
        for words, may in (("account list --json", asks), ("account list", asks | {"rich"})):
            assert loaded(words, env, 0) == (may, CLIENT)


def commands() -> Sequence[Later]:
    group = get_group(app)
    found = [group.get_command(typer.Context(group), name) for name in group.list_commands(typer.Context(group))]
    return [each for each in found if isinstance(each, Later)]


def test_the_list_of_commands_says_what_each_says_of_itself() -> None:
    assert len(commands()) > 50
    for each in commands():
        own = each.make()
        assert (own.name, own.hidden, own.deprecated) == (each.name, False, False)
        assert own.get_short_help_str(200) == each.get_short_help_str(200)
