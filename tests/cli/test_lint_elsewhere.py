"""``lint`` of what an account has on a server, and of a lab with what really runs in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ringfence.client.paths import at
from tests.cli.shell import ringfence
from tests.cli.test_model_commands import ringfence as apart
from tests.served import Served, served

WORLD = """\
vpcs:
  mill: {profile: alibaba, cidrs: [10.9.0.0/16], subnets: {floor: 10.9.1.0/24, loft: 10.9.2.0/24}}
groups:
  sg-mill:
    vpc: mill
    rules: [in allow tcp 22 from any, in allow tcp 80 from 10.9.2.11/32, in deny tcp 22 from any priority 9]
  sg-loft: {vpc: mill, rules: [out deny all to any]}
  sg-dead: {vpc: mill}
instances:
  mill-1: {subnet: mill/floor, ip: 10.9.1.11, groups: [sg-mill]}
  loft-1: {subnet: mill/loft, ip: 10.9.2.11, groups: [sg-loft]}
"""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("lint")) as running:
        yield running


def known(found: list[dict[str, Any]]) -> set[tuple[str, ...]]:
    return {tuple(str(it[key]) for key in ("check", "severity", "fingerprint", "reason", "rule")) for it in found}


def test_a_server_says_of_an_account_what_its_world_file_says(
    service: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("RINGFENCE_ACCESS_KEY_ID", service.key.id)
    monkeypatch.setenv("RINGFENCE_ACCESS_KEY_SECRET", service.key.secret.reveal())
    with service.client() as operator:
        miller, other = (operator.post(at("accounts"), {"name": name})["item"]["id"] for name in ("miller", "other"))
    file = tmp_path / "mill.yaml"
    for account, address in ((miller, "10.9."), (other, "10.8.")):
        file.write_text(WORLD.replace("10.9.", address))
        done = ringfence("apply", str(file), "--server", service.url, "--account", account)
        assert done.code == 0, done
    file.write_text(WORLD)
    of_file = ringfence("lint", str(file), "--json").json["findings"]
    asked = ("lint", "--server", service.url, "--account", miller, "--json")
    done = ringfence(*asked)
    assert done.code == 1, done
    assert known(done.json["findings"]) == known(of_file)
    assert {it["check"] for it in of_file} > {
        "risky-port-open",
        "egress-locked-out",
        "unused-group",
        "prefix-for-group",
    }
    assert len(ringfence(*asked, "--severity", "warning").json["findings"]) < len(of_file)
    ringfence(*asked, "--baseline", str(tmp_path / "known.json"), "--write-baseline")
    for words in ((str(file),), asked[1:]):
        assert ringfence("lint", *words, "--baseline", str(tmp_path / "known.json")).code == 0, "one list serves both"


LAB = """\
vpcs: {v: {cidrs: [10.0.0.0/16], subnets: {s: 10.0.1.0/24}}}
groups: {sg: [in allow tcp 80-90 from any, in allow tcp 443 from any, out allow all to any]}
instances:
  web: {subnet: s, ip: 10.0.1.11, groups: sg, serve: [tcp/80, "tcp/443@127.0.0.1"]}
  asks: {subnet: s, ip: 10.0.1.12, groups: sg}
"""


@pytest.mark.packets
def test_a_lab_tells_what_listens_and_what_was_never_hit(lab_names: Callable[[], str], tmp_path: Path) -> None:
    name, path = lab_names(), tmp_path / "world.yaml"
    path.write_text(LAB)
    assert apart("up", str(path), "--lab", name).returncode == 0

    def found() -> set[tuple[str, str]]:
        told = json.loads(apart("lint", "--lab", name, "--json").stdout)["findings"]
        checks = ("nothing-listens", "never-hit")
        return {(it["check"], it["rule"].split(" priority")[0]) for it in told if it["check"] in checks}

    loopback = ("nothing-listens", "in allow tcp 443 from any")
    out, web, tls = (
        ("never-hit", rule) for rule in ("out allow all to any", "in allow tcp 80-90 from any", loopback[1])
    )
    try:
        assert found() == {loopback, out, web, tls}
        assert apart("why", "asks", "web", "tcp/80", "--probe", "--lab", name).returncode == 0
        assert found() == {loopback, tls}, "a packet has gone out and come in"
    finally:
        apart("down", "--lab", name)
