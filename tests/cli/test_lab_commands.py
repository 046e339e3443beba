"""The commands that need a lab, as a user meets them: what they print, their exit codes, and what they leave."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.test_model_commands import WORLD, ringfence

pytestmark = pytest.mark.packets


@pytest.fixture
def world(tmp_path: Path) -> str:
    path = tmp_path / "shop.yaml"
    path.write_text(WORLD)
    return str(path)


def test_a_life_of_a_lab(world: str, lab_name: str, tmp_path: Path) -> None:
    lab = ("--lab", lab_name)
    built = ringfence("up", world, *lab)
    assert built.returncode == 0, built.stderr
    assert "3 expectations: expected, model and packet agree" in built.stdout
    again = ringfence("up", world, *lab)
    assert again.returncode == 3
    assert f"ringfence down --lab {lab_name}" in again.stderr
    told = json.loads(ringfence("verify", *lab, "--json").stdout)
    assert told["probes"] > 50
    assert told["differences"] == told["unproved"] == []
    probed = ringfence("why", "laptop", "db-1", "tcp/3306", "--probe", *lab)
    assert probed.returncode == 1
    side_by_side = [" ".join(line.split()) for line in probed.stdout.splitlines()[-5:-2]]
    assert side_by_side == ["model does not arrive -", "packet did not arrive -", "they agree"]
    assert ringfence("reach", *lab).stdout == ringfence("reach", world).stdout
    other = tmp_path / "other.yaml"
    other.write_text(WORLD.replace("tcp 80", "tcp 81"))
    mixed = ringfence("why", "laptop", "web-1", "tcp/80", "-f", str(other), "--probe", *lab)
    assert mixed.returncode == 2
    assert f"up --replace {other} --lab {lab_name}" in mixed.stderr
    assert ringfence("up", world, "--replace", *lab, "--json").returncode == 0
    assert ringfence("down", *lab).stdout == f"lab {lab_name!r} is gone\n"
    gone = ringfence("down", *lab)
    assert gone.returncode == 0
    assert "nothing to remove" in gone.stdout
    assert f"run: ringfence up FILE --lab {lab_name}" in ringfence("verify", *lab).stderr


def test_exec_passes_codes_and_signals_through(world: str, lab_name: str) -> None:
    lab = ("--lab", lab_name)
    assert ringfence("up", world, *lab).returncode == 0
    assert ringfence("exec", *lab, "web-1", "--", "sh", "-c", "exit 42").returncode == 42
    assert ringfence("exec", *lab, "web-1", "--", "no-such-command").returncode == 3
    assert ringfence("exec", *lab, "web-9", "--", "true").returncode == 2
    for words in (("web-1", "--"), ("web-1", "--lab", lab_name, "--", "true")):
        misplaced = ringfence("exec", *lab, *words)
        assert misplaced.returncode == 2
        assert "where the command should be" in misplaced.stderr
    command = [sys.executable, "-m", "ringfence", "exec", *lab, "web-1", "--", "sh", "-c", "echo up; exec sleep 60"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout
        assert running.stdout.readline() == "up\n"
        began = time.monotonic()
        running.send_signal(signal.SIGTERM)
        assert running.wait(timeout=10) == 128 + signal.SIGTERM
        assert time.monotonic() - began < 10


def test_a_packet_that_nobody_can_send_proves_nothing(world: str, lab_name: str) -> None:
    lab = ("--lab", lab_name)
    assert ringfence("up", world, *lab).returncode == 0
    done = ringfence("why", "192.0.2.1", "web-1", "tcp/80", "--probe", *lab)
    assert done.returncode == 3
    assert "it proves nothing: nobody in the lab has the address 192.0.2.1" in done.stdout


def test_an_end_that_stays_in_the_guest_is_said_to(tmp_path: Path, lab_name: str) -> None:
    """Its interfaces have names that iproute2 would take for words of its own."""
    path = tmp_path / "two.yaml"
    path.write_text("""\
vpcs: {v: {cidrs: [10.0.0.0/16], subnets: {s: 10.0.1.0/24}}}
groups: {sg: []}
instances: {i: {ports: {a: {subnet: s, ip: 10.0.1.11, groups: sg}, up: {subnet: s, ip: 10.0.1.12, groups: sg}}}}
expect: [i.a -> i.up tcp/22 allow]
""")
    done = ringfence("up", str(path), "--lab", lab_name)
    assert done.returncode == 0, done.stderr
    assert "in guest" in done.stdout
