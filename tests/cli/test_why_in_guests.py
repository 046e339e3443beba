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
    ("service", "cause", "line"),
    [
        ("tcp/80", None, "  3. inside the guest of web.eth0: allow"),
        (
            *("tcp/81", "loopback-only"),
            "Denied inside the guest of web.eth0: tcp/81 is served on loopback only (127.0.0.1), not at 10.0.1.11.",
        ),
        ("tcp/82", "not-listening", "Denied inside the guest of web.eth0: nothing listens on tcp/82."),
        ("tcp/91", "port", "Denied inside the guest of web.eth0: nothing listens on tcp/91."),
    ],
)
def test_sockets_are_looked_at_in_a_lab_and_not_in_a_file(
    lab: tuple[str, Path], service: str, cause: str | None, line: str
) -> None:
    name, path = lab
    done = ringfence("why", "asks", "web", service, "--lab", name)
    assert done.returncode == (1 if cause else 0), done.stderr
    assert line in done.stdout.splitlines(), done.stdout
    assert not cause or f": {cause}. " in done.stdout.splitlines()[2]
    told = json.loads(ringfence("why", "asks", "web", service, "--lab", name, "--json").stdout)
    assert [(guest["stage"], guest["port"], guest["direction"]) for guest in told["guests"]] == [
        ("guest", "asks.eth0", "egress"),
        ("guest", "web.eth0", "ingress"),
    ]
    assert [guest["verdict"] for guest in told["guests"]] == ["allow", "deny" if cause else "allow"]
    assert told["cause"] == cause
    of_file = ringfence("why", "asks", "web", service, "-f", str(path), "--json")
    assert of_file.returncode == (1 if service == "tcp/91" else 0)
    of_guests = {"guests", "works", "cause", "because", "blockers"}
    model = json.loads(of_file.stdout)
    if model["fix"]:  # and what listens is told as advice where nobody looked, if the world says it
        assert (model["fix"].pop("shown_by"), model.pop("advice")[0]["what"]) == (
            f"ringfence fix asks web {service} -f {path}",
            f"nothing listens for {service} on web",
        )
        assert (told["fix"].pop("shown_by"), told.pop("advice")) == (
            f"ringfence fix asks web {service} --lab {name}",
            [],
        )
    assert {key: model[key] for key in model.keys() - of_guests} == {key: told[key] for key in told.keys() - of_guests}
    assert model["blockers"] == [blocker for blocker in told["blockers"] if blocker["stage"] != "guest"]


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
    assert f"Denied inside the guest of web.eth0: {words}.\n" in probed.stdout
    assert "Why not, though the network lets it pass: guest-firewall. " in probed.stdout
    model, packet, remark = (" ".join(line.split()) for line in probed.stdout.splitlines()[-3:])
    assert (model, packet) == ("model arrives comes back", "packet arrived did not come")
    assert remark == "no answer came, and the guest may be silent by itself: it says nothing of the network"
    told = json.loads(ringfence(*asked, "--lab", name, "--probe", "--json").stdout)
    assert (told["verdict"], told["packet"], told["cause"]) == ("allow", "no answer", "guest-firewall")
    assert told["guests"][1]["findings"][0] == {"about": "firewall", "verdict": "deny", "text": words}
