"""The documents name every command, switch and error code that the code has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer
from typer.main import get_group

from ringfence import errors, worldfile
from ringfence.analysis.lint.registry import CHECKS
from ringfence.analysis.why.causes import Cause
from ringfence.cli.main import app
from ringfence.model.profile import ALIBABA, HUAWEI, Profile
from ringfence.model.switches import SWITCHES
from ringfence.policy.evaluate import evaluate
from tests.cli.shell import ringfence

COMMANDS = get_group(app)
ROOT = Path(__file__).parent.parent
SOURCES = [
    *(path for room in ("model/validation", "worldfile") for path in (ROOT / "src/ringfence" / room).glob("*.py")),
    ROOT / "src/ringfence/control/acl_policies.py",
]
CODE = re.compile(r'"((?:world|limit|input|acl)\.[a-z_]+|(?:Invalid|Authoriz|NotSupported)[A-Za-z.]+)"')


def codes() -> set[str]:
    classes = [it for it in vars(errors).values() if isinstance(it, type) and issubclass(it, errors.RingfenceError)]
    literal = {code for path in SOURCES for code in CODE.findall(path.read_text())}
    return {it.code for it in classes if it is not errors.RingfenceError} | literal


def test_every_error_code_is_documented_and_no_other() -> None:
    text = (ROOT / "docs/errors.md").read_text()
    documented = set(re.findall(r"`([A-Za-z]+\.[A-Za-z_.]+|AuthorizationLimitExceed|refused)`", text))
    assert documented == codes()


def test_every_cause_is_documented_in_its_order() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \| (.*) \|$", (ROOT / "docs/why.md").read_text(), re.MULTILINE)
    assert rows == [(str(cause), cause.sentence) for cause in Cause]


@pytest.mark.parametrize("switch", SWITCHES)
def test_every_switch_is_documented_with_its_values(switch: str) -> None:
    def shown(profile: Profile) -> str:
        value = getattr(profile, switch)
        return str(value).lower() if isinstance(value, bool) else str(value)

    row = f"| `{switch}` | {shown(HUAWEI)} | {shown(ALIBABA)} |"
    text = (ROOT / "docs/world-file.md").read_text()
    if len(row) < 120:
        assert row in text
        return
    # Long values have a line of their own.
    for value in {shown(HUAWEI), shown(ALIBABA)}:
        names = [profile.name for profile in (HUAWEI, ALIBABA) if shown(profile) == value]
        assert f"`{switch}` of {' and '.join(names)}: {value}" in text


@pytest.mark.parametrize("command", COMMANDS.list_commands(typer.Context(COMMANDS)))
def test_every_command_is_documented(command: str) -> None:
    texts = [(ROOT / name).read_text() for name in ("README.md", "docs/cli.md")]
    assert any(f"`ringfence {command}" in text for text in texts)


@pytest.mark.parametrize(
    ("page", "before", "words"),
    [
        ("README.md", "$ ringfence fix ", "fix web-1 db tcp/3306 -f examples/rules-that-come-near.yaml"),
        ("README.md", "443 --probe", "why attacker web-1 tcp/443 -f examples/three-tier.yaml"),
        ("docs/why.md", "$ ringfence why ", "why web-1 db tcp/3306 -f examples/rules-that-come-near.yaml"),
    ],
)  # fmt: skip
def test_the_answers_in_the_documents_are_those_of_the_commands(
    page: str, before: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    said = ringfence(*words.split()).out
    asked, _, rest = (ROOT / page).read_text().partition(before)[2].partition("\n")
    assert asked in ("", words.partition(" ")[2])
    parts = re.split(r"\n\n#|```", rest)[0].split("…\n")
    of_model = [part for part in parts if "first packet" not in part]  # what only a lab says
    assert len(of_model) > 1
    assert all(part.strip() in said for part in of_model)


def test_the_world_of_the_documentation_is_valid() -> None:
    texts = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/world-file.md").read_text(), re.DOTALL)
    assert len(texts) == 4
    for world in (worldfile.parse(text, "docs") for text in texts):
        for expectation in world.expects:
            assert evaluate(world, world.flow(expectation.query)).action is expectation.action


def test_every_check_of_lint_is_documented_and_no_other() -> None:
    text = (ROOT / "docs/lint.md").read_text()
    for check in CHECKS:
        severities = ", ".join(map(str, check.severities))
        assert f"| `{check.name}` | {severities} | {check.purpose} | {check.fix} | {check.source} |\n" in text
    assert re.findall(r"^\| `([a-z][a-z-]+)` \|", text, re.MULTILINE) == [check.name for check in CHECKS]
