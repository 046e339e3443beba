from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ringfence.backends.netns import inside
from ringfence.errors import CannotRun, LabExists, LabMissing, ToolMissing, UnknownName
from ringfence.lab.lab import Lab, down
from ringfence.lab.names import LabNames
from ringfence.lab.netns import IpRoute, make, named
from ringfence.model.service import Listener
from tests.lab.worlds import SHOP, flow, lab_files, links, remains, world

pytestmark = pytest.mark.packets


@pytest.fixture(scope="module")
def shop(lab_names: Callable[[], str]) -> Iterator[Lab]:
    with Lab.up(world(), lab_names(), SHOP) as lab:
        yield lab


def test_down_leaves_nothing(lab_name: str) -> None:
    links_before, files_before = links(), lab_files()
    lab = Lab.up(world(), lab_name)
    assert links() == links_before
    assert len(named(lab.names.prefix)) == 6
    lab.down()
    assert remains(lab_name) == []
    assert links() == links_before
    assert {name for name in lab_files() - files_before if name.startswith(lab_name)} == set()  # others may run labs


def test_down_of_one_lab_leaves_the_other(lab_name: str, lab_names: Callable[[], str]) -> None:
    with Lab.up(world(), lab_names()) as other:
        before = named(other.names.prefix)
        Lab.up(world(), lab_name).down()
        assert named(other.names.prefix) == before
        (seen,) = other.converse([flow(other.world, "web-1 -> db-1 tcp/3306")])
        assert seen.answered


def test_down_ends_what_runs_inside_and_nothing_else(lab_name: str) -> None:
    lab = Lab.up(world(), lab_name)
    outsider = subprocess.Popen(["sleep", "60"])
    stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(60)"
    with inside(lab.namespace("web-2")):
        insider = subprocess.Popen([sys.executable, "-c", stubborn], stdout=subprocess.PIPE)
    assert insider.stdout
    insider.stdout.readline()
    lab.down()
    assert insider.wait(5) in (-signal.SIGKILL, 0)  # 0: reaped by down
    insider.stdout.close()
    assert outsider.poll() is None
    outsider.kill()
    outsider.wait()
    assert remains(lab_name) == []


def test_a_second_up_says_what_is_in_the_way(shop: Lab) -> None:
    with pytest.raises(LabExists, match=f"is up already; run: ringfence down --lab {shop.names.lab}"):
        Lab.up(world(), shop.names.lab)
    (seen,) = shop.converse([flow(shop.world, "web-1 -> db-1 tcp/3306")])
    assert seen.answered


def test_what_a_crash_left_is_named_and_removed(lab_name: str) -> None:
    names = LabNames(lab_name)
    make([names.vpc("shop")], IpRoute())
    Path("/run/netns", names.instance("half-made")).touch()
    said = f"crash left parts.*ringfence down --lab {lab_name}"
    with pytest.raises(LabExists, match=said):
        Lab.up(world(), lab_name)
    with pytest.raises(LabMissing, match=said):
        Lab.attach(lab_name)
    down(lab_name)
    assert remains(lab_name) == []


def test_down_of_nothing_says_so(lab_name: str) -> None:
    with pytest.raises(LabMissing, match="is not up; run: ringfence up FILE"):
        down(lab_name)
    with pytest.raises(LabMissing, match="is not up; run: ringfence up FILE"):
        Lab.attach(lab_name)
    assert remains(lab_name) == []


def test_an_up_that_fails_removes_what_it_made(lab_name: str) -> None:
    shop = world()
    nowhere = replace(shop.instances["db-1"], serve=(Listener.parse("tcp/80@192.0.2.1"),))
    broken = replace(shop, instances={**shop.instances, "db-1": nowhere})  # no file could say this
    with pytest.raises(CannotRun, match=r"db-1 cannot serve tcp/80@192\.0\.2\.1: .*Cannot assign"):
        Lab.up(broken, lab_name)
    assert remains(lab_name) == []


def test_without_tools_nothing_is_made(lab_name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ToolMissing, match="iproute2"):
        Lab.up(world(), lab_name)
    monkeypatch.undo()
    assert remains(lab_name) == []


def test_without_root_nothing_is_made(lab_name: str) -> None:
    """In a child that gives root up after it has imported all it needs."""
    pid = os.fork()
    if not pid:
        from ringfence.errors import NotRoot

        ready = world()
        os.setresuid(65534, 65534, 65534)
        try:
            Lab.up(ready, lab_name)
        except NotRoot:
            os._exit(42)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 42
    assert remains(lab_name) == []


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (["true"], 0),
        (["sh", "-c", "exit 7"], 7),
        (["sh", "-c", "kill -TERM $$"], 143),
        (["sh", "-c", "ip -o addr show eth0 | grep -q 10.0.1.11"], 0),
    ],
)
def test_exec_passes_the_exit_code_through(shop: Lab, command: list[str], code: int) -> None:
    assert Lab.attach(shop.names.lab).exec("web-1", command) == code


def test_exec_works_for_outside_hosts_and_names_what_it_does_not_know(shop: Lab) -> None:
    assert shop.exec("laptop", ["sh", "-c", "ip -o addr show eth0 | grep -q 203.0.113.9"]) == 0
    with pytest.raises(UnknownName, match=r"'web-3'; did you mean 'web-[12]'"):
        shop.exec("web-3", ["true"])
    with pytest.raises(ToolMissing, match="no-such-program"):
        shop.exec("web-1", ["no-such-program"])


def test_attach_finds_the_same_world(shop: Lab) -> None:
    assert Lab.attach(shop.names.lab).world == shop.world


def test_listeners_are_where_the_file_says(shop: Lab) -> None:
    def reaches(instance: str, address: str, port: int) -> bool:
        with inside(shop.namespace(instance)):
            client = socket.socket()
        with client:
            client.settimeout(2)
            return client.connect_ex((address, port)) == 0 and client.recv(100).startswith(b"ringfence")

    assert reaches("db-1", "127.0.0.1", 6379)
    assert not reaches("db-1", "10.0.2.21", 6379)
    assert reaches("db-1", "10.0.2.21", 3306)
    assert reaches("web-1", "10.0.2.21", 3306)


def test_enforce_changes_the_policy_and_nothing_but_the_policy(lab_name: str) -> None:
    with Lab.up(world(), lab_name) as lab:
        asked = flow(lab.world, "web-1 -> db-1 tcp/3306")
        for text, arrives in ((SHOP.replace("tcp 3306", "tcp 3307"), False), (SHOP, True)):
            assert lab.enforce(world(text)) > 0
            assert lab.enforce(world(text)) == 0
            (seen,) = lab.probe([asked])
            assert (seen.left, seen.arrived) == (True, arrives)
            assert Lab.attach(lab_name).world == world(text)


def test_a_world_of_odd_names_comes_up(lab_name: str) -> None:
    long = "ü" * 128
    odd = world(
        f"""
vpcs: {{店: {{cidrs: [10.0.0.0/24], subnets: {{s: 10.0.0.0/25}}}}}}
groups: {{g: {{rules: [in allow all from any, out allow all to any]}}}}
instances:
  {long}: {{subnet: s, ip: 10.0.0.5, groups: [g], serve: [tcp/80]}}
  網: {{ports: {{lo: {{subnet: s, ip: 10.0.0.6, groups: [g]}}, all: {{subnet: s, ip: 10.0.0.7, groups: [g]}}}}}}
expect:
  - {long} -> 網.lo tcp/80 allow
  - 網.all -> {long} tcp/80 allow
"""
    )
    with Lab.up(odd, lab_name) as lab:
        assert [row.ok for row in lab.check_expectations()] == [True, True]
    assert remains(lab_name) == []
