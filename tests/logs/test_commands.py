"""``ringfence hits``, ``drops`` and ``flows``, as a user meets them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from typer.testing import CliRunner

from ringfence.cli.main import app
from ringfence.errors import LabMissing, UnknownName
from ringfence.lab.lab import Lab
from tests.lab.worlds import flow, world
from tests.logs.recording import told

pytestmark = pytest.mark.packets


@pytest.fixture(scope="module")
def lab(lab_names: Callable[[], str]) -> Iterator[Lab]:
    with Lab.up(world(), lab_names()) as made:
        yield made


def said(*words: str) -> str:
    """What a command prints on standard output."""
    done = CliRunner().invoke(app, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def refuse(lab: Lab, text: str) -> None:
    assert not lab.probe([flow(lab.world, text)])[0].arrived


def test_drops_and_hits_are_told(lab: Lab) -> None:
    of = ("--lab", lab.names.lab)
    with told(lab) as heard:
        refuse(lab, "laptop -> db-1 tcp/3306")
        refuse(lab, "laptop -> web-1 tcp/22")
        heard.records(2)
    assert [json.loads(line)["port"] for line in said("drops", *of, "--json").splitlines()] == [
        "db-1.eth0",
        "web-1.eth0",
    ]
    last = said("drops", *of, "--last", "1")
    assert last.count("\n") == 1
    assert "denied at ingress web-1.eth0 by default-ingress" in last
    assert said("drops", *of, "--last", "0") == ""
    rows = {row["rule_id"]: row for row in json.loads(said("hits", *of, "--json"))}
    assert rows["default-ingress"]["packets"] == 2
    of_db = said("hits", "sg-db", *of)
    assert "in allow tcp 3306 from group sg-web" in of_db
    assert "in allow tcp 80 from any" not in of_db
    with pytest.raises(UnknownName, match="no group, ACL or firewall 'sg-bd' has rules; did you mean 'sg-db'"):
        said("hits", "sg-bd", *of)


def test_following_goes_on_until_interrupted(lab: Lab) -> None:
    """Drops come as they happen; an interrupt ends a flow log's window early, and its records are there."""
    with told(lab) as heard:
        following = start("drops", "--lab", lab.names.lab, "--follow", "--last", "0", "--json")
        logging = start("flows", "--lab", lab.names.lab, "--format", "json", "--window", "60")
        assert logging.stderr
        assert "logging for 60 s" in logging.stderr.readline()
        assert following.stderr
        assert "following" in following.stderr.readline()
        refuse(lab, "laptop -> web-2 tcp/22")
        assert following.stdout
        assert json.loads(following.stdout.readline())["port"] == "web-2.eth0"
        heard.records(1)
        for process in (following, logging):
            process.send_signal(signal.SIGINT)
        (rest, _), (lines, _) = following.communicate(), logging.communicate()
    assert (following.returncode, logging.returncode, rest) == (0, 0, "")
    records = [json.loads(line) for line in lines.splitlines()]
    assert [it["port"] for it in records if it.get("action") == "REJECT"] == ["web-2.eth0"]


def start(*words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "ringfence", *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("command", ["hits", "drops", "flows"])
def test_without_a_lab_there_is_nothing_to_tell(lab_name: str, command: str) -> None:
    with pytest.raises(LabMissing, match="is not up; run: ringfence up FILE"):
        said(command, "--lab", lab_name)


def test_following_ends_with_the_lab(lab_name: str) -> None:
    with Lab.up(world(), lab_name):
        following = start("drops", "--lab", lab_name, "--follow")
        assert following.stderr
        while "following" not in following.stderr.readline():
            assert following.poll() is None
    _, errors = following.communicate()
    assert following.returncode == 3
    assert f"drops of lab {lab_name!r} are not recorded any more" in errors
