"""``why`` in a lab that is up: what the guests do with a packet, next to what the network does with it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ringfence.lab.names import LabNames
from tests.cli.test_model_commands import ringfence

pytestmark = pytest.mark.packets

WORLD = """\
vpcs: {v: {cidrs: [10.0.0.0/16], subnets: {s: 10.0.1.0/24}}}
groups: {sg: [in allow tcp 80-90 from any, out allow all to any]}
instances:
  web: {subnet: s, ip: 10.0.1.11, groups: sg, serve: [tcp/80, "tcp/81@127.0.0.1"]}
  asks: {subnet: s, ip: 10.0.1.12, groups: sg}
"""
RULES = """\
table inet guest {
  chain input {
    type filter hook input priority 0; policy accept;
    ip saddr 10.0.1.12 tcp dport 80 drop comment "not from there"
  }
}
"""


@pytest.fixture(scope="module")
def lab(lab_names: Callable[[], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A lab that is up, and its file."""
    name, path = lab_names(), tmp_path_factory.mktemp("why") / "world.yaml"
    path.write_text(WORLD)
    built = ringfence("up", str(path), "--lab", name)
    assert built.returncode == 0, built.stderr
    yield name, path
    ringfence("down", "--lab", name)


@pytest.mark.parametrize(
    ("service", "code", "line"),
    [
        ("tcp/80", 0, "  3. inside the guest of web.eth0: allow"),
        ("tcp/81", 1, "But denied inside the guest of web.eth0: tcp/81 is served on loopback only (127.0.0.1), not at"),
        ("tcp/82", 1, "But denied inside the guest of web.eth0: nothing listens on tcp/82."),
        ("tcp/91", 1, "Also denied inside the guest of web.eth0: nothing listens on tcp/91."),
    ],
)
def test_sockets_are_looked_at_in_a_lab_and_not_in_a_file(
    lab: tuple[str, Path], service: str, code: int, line: str
) -> None:
    name, path = lab
    done = ringfence("why", "asks", "web", service, "--lab", name)
    assert done.returncode == code, done.stderr
    assert any(said.startswith(line) for said in done.stdout.splitlines()), done.stdout
    told = json.loads(ringfence("why", "asks", "web", service, "--lab", name, "--json").stdout)
    assert [(guest["stage"], guest["port"], guest["direction"]) for guest in told["guests"]] == [
        ("guest", "asks.eth0", "egress"),
        ("guest", "web.eth0", "ingress"),
    ]
    assert [guest["verdict"] for guest in told["guests"]] == ["allow", "deny" if code else "allow"]
    of_file = ringfence("why", "asks", "web", service, "-f", str(path), "--json")
    assert of_file.returncode == (1 if service == "tcp/91" else 0)
    assert json.loads(of_file.stdout) == {key: value for key, value in told.items() if key != "guests"}


def test_a_probe_names_the_guests_own_rule(lab: tuple[str, Path]) -> None:
    """Model and packet agree: the network lets it pass. The guest does not."""
    name, path = lab
    namespace = LabNames(name).instance("web")
    subprocess.run(["ip", "netns", "exec", namespace, "nft", "-f", "-"], input=RULES, text=True, check=True)
    asked = ("why", "asks", "web", "tcp/80")
    unsure = ringfence(*asked, "--lab", name)
    assert unsure.returncode == 0
    assert "3. inside the guest of web.eth0: unknown" in unsure.stdout
    assert "(1 rule in table inet guest); --probe tells what it does with the packet" in unsure.stdout
    probed = ringfence(*asked, "--lab", name, "-f", str(path), "--probe")
    assert probed.returncode == 1
    rule = 'ip saddr 10.0.1.12 tcp dport 80 drop comment "not from there"'
    words = f"its own firewall drops the packet, chain input of table inet guest: {rule}"
    assert f"But denied inside the guest of web.eth0: {words}.\n" in probed.stdout
    assert "Model: allow   packet: allow   they agree" in probed.stdout
    told = json.loads(ringfence(*asked, "--lab", name, "--probe", "--json").stdout)
    assert (told["verdict"], told["packet"]) == ("allow", "allow")
    assert told["guests"][1]["findings"][0] == {"about": "firewall", "verdict": "deny", "text": words}
