"""``ringfence serve`` as a process: its first start and later ones, how it ends, and what keeps it from starting."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import httpx2
import pytest

from ringfence.backends.netns import NAMESPACES
from ringfence.client.client import Client
from ringfence.errors import Forbidden, NotAuthenticated
from ringfence.lab.names import LabNames
from ringfence.security.keys import AccessKey
from ringfence.security.secret import Secret
from ringfence.store.migrations.guards import VERSION_TABLE
from tests.server.processes import ROOT, Processes, Server, command, forked, given, of, until

KEY = re.compile(r"ACCESS_KEY_ID=(\S+)\n.*ACCESS_KEY_SECRET=(\S+)\n")


def followed(server: Server, key: AccessKey) -> tuple[threading.Thread, list[str]]:
    """A thread that reads the stream until it ends, and the lines that came."""
    lines: list[str] = []

    def read() -> None:
        with Client(server.url, key=key) as client, client.stream("GET", "/v1/watch", {"after": "0"}) as stream:
            lines.extend(stream)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    until(lambda: any(line.startswith("data: ") for line in lines))
    return thread, lines


def test_a_life(run: Processes) -> None:
    """The key is told once and goes on signing; a stop is graceful, with a stream open; no secret is in any output."""
    first = run.serve(env={}, through=[])
    found = KEY.search(first.out)
    assert found
    key = AccessKey(found[1], Secret(found[2]))
    client = first.client(key)
    vpc = client.post("/v1/vpcs", {"name": "shop", "cidrs": ["10.0.0.0/16"]}, headers={"x-request-id": "made-by-test"})
    assert vpc["revision"] == 2
    user = client.post("/v1/users", {"name": "ann"})["item"]["id"]
    made = client.post("/v1/access-keys", {"user": user})
    token = client.post("/v1/tokens", {})["token"]
    other = Secret(f"{token[:9]}{'A' if token[9] != 'A' else 'B'}{token[10:]}")
    with Client(first.url, token=other) as stranger, pytest.raises(NotAuthenticated):
        stranger.get("/v1/vpcs")
    assert client.get("/v1/vpcs")["items"][0]["name"] == "shop"
    head = client.get("/v1/revisions", {"limit": 1})
    watching, lines = followed(first, key)
    began = time.monotonic()
    assert first.end() == 0
    assert time.monotonic() - began < 8
    watching.join(5)
    assert not watching.is_alive()
    again = run.serve("--log-level", "debug", env={}, through=[])
    assert KEY.search(again.out) is None
    assert again.client(key).get("/v1/revisions", {"limit": 1}) == head
    with Client(again.url, token=Secret(token)) as by_token:
        assert by_token.get("/v1/vpcs/shop")["cidrs"] == ["10.0.0.0/16"]
    assert again.end(signal.SIGINT) == 0
    entries = [json.loads(line) for line in (first.err + again.err).splitlines()]
    assert {"made-by-test"} == {
        it["request_id"] for it in entries if it.get("path") == "/v1/vpcs" and it["status"] == 201
    }
    secrets = [key.secret.reveal(), made["secret"], token]
    told = run.output().replace(f"SECRET={secrets[0]}", "", 1) + "".join(lines)
    assert [secret for secret in secrets if secret in told] == []
    stored = b"".join(path.read_bytes() for path in (run.directory / "data").glob("ringfence.db*"))
    assert [secret for secret in secrets if secret.encode() in stored] == []


def test_two_servers_on_one_store_and_the_key_that_is_given(run: Processes) -> None:
    """Each takes in what the other writes, and `RINGFENCE_ROOT_…` says the key, which nobody prints."""
    one, two = run.serve(), run.serve()
    for number, (here, there) in enumerate(((one, two), (two, one))):
        revision = here.client().post("/v1/address-groups", {"name": f"list-{number}", "entries": ["10.0.0.0/8"]})[
            "revision"
        ]
        until(lambda at=there, wanted=revision: wanted == _revision(at))  # type: ignore[misc]
        assert there.client().get(f"/v1/address-groups/list-{number}")["entries"] == ["10.0.0.0/8"]
    assert ROOT.id not in one.out + two.out
    one.kill()
    assert two.client().delete("/v1/address-groups/list-0")["revision"] == 4
    assert two.end(signal.SIGHUP) == 0


def test_policies_mean_the_region_of_the_server(run: Processes) -> None:
    """One that names another region allows nothing."""
    server = run.serve("--region", "cn-hangzhou")
    client, regions = server.client(), ("cn-hangzhou", "local", "cn-*", "*")
    client.post("/v1/groups", {"name": "sg-web"})
    told = {}
    for number, region in enumerate(regions):
        name = f"user-{number}"
        document = {"Action": "ecs:DescribeSecurityGroups", "Resource": f"acs:ecs:{region}:*:securitygroup/sg-web"}
        text = json.dumps({"Version": "1", "Statement": [{"Effect": "Allow", **document}]})
        policy = client.post("/v1/policies", {"name": name, "document": text})["item"]["id"]
        client.post("/v1/users", {"name": name, "policies": [policy]})
        made = client.post("/v1/access-keys", {"user": name})
        with server.client(AccessKey(made["item"]["id"], Secret(made["secret"]))) as user:
            try:
                told[region] = user.get("/v1/groups/sg-web")["id"]
            except Forbidden as error:
                told[region] = str(error)
    assert "acs:ecs:cn-hangzhou:operator:securitygroup/sg-web" in told.pop("local")
    assert told == dict.fromkeys(("cn-hangzhou", "cn-*", "*"), "sg-web")
    assert server.end() == 0


def _revision(server: Server) -> int:
    found: int = server.client().get("/v1/enforcement")["revision"]
    return found


def test_metrics_health_and_readiness(run: Processes) -> None:
    server = run.serve("--metrics", "127.0.0.1:0")
    client = server.client()
    plain = httpx2.get(f"{server.url}/healthz")
    assert (plain.status_code, plain.json()) == (200, {"alive": True})
    assert httpx2.get(f"{server.url}/readyz").json() == {"ready": True, "checks": {"store": True}}
    assert httpx2.get(f"{server.url}/metrics").status_code == 401
    tenant = client.post("/v1/accounts", {"name": "tenant"})["item"]["id"]
    acting = server.client(account=tenant)
    secret = acting.post("/v1/access-keys", {})
    with pytest.raises(Forbidden):
        server.client(AccessKey(secret["item"]["id"], Secret(secret["secret"]))).get_bytes("/metrics")
    said = {"agent": "far", "revision": 3, "status": "ok"}
    client.post("/v1/enforcement", said)
    client.post("/v1/enforcement", said | {"status": "drift", "detail": "a chain was missing"})
    told = dict(
        line.rsplit(" ", 1) for line in client.get_bytes("/metrics").decode().splitlines() if not line.startswith("#")
    )
    expected = {
        "ringfence_revision": 3,
        'ringfence_enforced_revision{agent="far"}': 3,
        'ringfence_drift_repairs_total{agent="far"}': 1,
        'ringfence_enforcement_seconds_count{agent="far"}': 1,
        'ringfence_resources{kind="account"}': 2,
        'ringfence_requests_total{method="GET",route="/metrics",status="401"}': 1,
        'ringfence_requests_total{method="POST",route="/v1/enforcement",status="200"}': 2,
    }
    assert {name: float(told[name]) for name in expected} == expected
    at = re.search(r"Metrics at (\S+)", server.out)
    assert at
    assert "\nringfence_revision 3.0\n" in httpx2.get(at[1]).text
    assert server.end() == 0


def test_systemd_is_told(run: Processes) -> None:
    """``READY=1`` comes when the server answers, ``STOPPING=1`` when it ends."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(str(run.directory / "notify"))
        channel.settimeout(30)
        server = run.serve(env=given() | {"NOTIFY_SOCKET": str(run.directory / "notify")})
        assert channel.recv(100) == b"READY=1"
        assert httpx2.get(f"{server.url}/readyz").status_code == 200
        assert server.end() == 0
        assert channel.recv(100) == b"STOPPING=1"


def test_a_signal_while_it_starts_ends_it_in_order(run: Processes) -> None:
    process = run.start("serve", "--data", run.directory / "data", "--listen", "127.0.0.1:0", env=given(), through=[])
    until(lambda: (run.directory / "data").exists())
    assert process.end() == 0
    assert process.err == ""


# --- what keeps it from starting


def _port_taken(directory: Path) -> list[str]:
    taken = socket.create_server(("127.0.0.1", 0))
    _KEPT.append(taken)
    return ["--listen", f"127.0.0.1:{taken.getsockname()[1]}"]


_KEPT: list[socket.socket] = []


def _broken_key(directory: Path) -> list[str]:
    (directory / "data/secret.key").write_text("what?")
    return []


def _open_key(directory: Path) -> list[str]:
    (directory / "data/secret.key").chmod(0o644)
    return []


def _wrong_key(directory: Path) -> list[str]:
    (directory / "data/secret.key").write_text("0" * 64 + "\n")
    return []


def _no_key(directory: Path) -> list[str]:
    (directory / "data/secret.key").unlink()
    return []


def _no_directory(directory: Path) -> list[str]:
    (directory / "file").touch()
    return ["--data", str(directory / "file/data")]


def _no_store(directory: Path) -> list[str]:
    (directory / "data/ringfence.db").write_bytes(b"this is no database, only a text of some length" * 100)
    return []


def _newer_store(directory: Path) -> list[str]:
    with sqlite3.connect(directory / "data/ringfence.db") as connection:
        connection.execute(f"UPDATE {VERSION_TABLE} SET version_num = '9999'")
    connection.close()
    return []


def _bad_world(directory: Path) -> list[str]:
    (directory / "world.yaml").write_text("vpcs: [")
    return ["--world", str(directory / "world.yaml"), "--data", str(directory / "fresh")]


REFUSED: Mapping[str, tuple[Callable[[Path], list[str]], int, str]] = {
    "port taken": (_port_taken, 3, "choose another address or port"),
    "key file broken": (_broken_key, 3, "each line must be 64 hexadecimal digits"),
    "key file open to others": (_open_key, 3, "chmod 600"),
    "key file of another store": (_wrong_key, 3, "use the key file it was sealed by"),
    "key file gone": (_no_key, 3, "put the file back that sealed them"),
    "no directory": (_no_directory, 3, "name another one with --data"),
    "no database": (_no_store, 3, "[store.unusable]"),
    "store of a newer version": (_newer_store, 3, "start the newer version"),
    "world with mistakes": (_bad_world, 2, "line 1"),
    "address that is none": (lambda _: ["--listen", "here"], 2, "write it like 127.0.0.1:8475"),
    "region with a colon": (lambda _: ["--region", "cn:north"], 2, "no name of a region"),
    "figures for everybody": (lambda _: ["--metrics", "0.0.0.0:0"], 2, "no loopback address"),
    "level that is none": (lambda _: ["--log-level", "loud"], 2, "use debug, info, warning, error"),
    "database that is none": (lambda _: ["--database", "mysql://x:hidden@y/z"], 3, "a store is sqlite:///PATH or"),
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, bytes]:
    """The files of a data directory after a first start."""
    made = Processes(tmp_path_factory.mktemp("store"))
    made.serve().end()
    return {path.name: path.read_bytes() for path in (made.directory / "data").iterdir()}


def _files(directory: Path) -> dict[str, tuple[int, bytes]]:
    # SQLite's shared memory is no content
    return {
        str(path): (path.stat().st_mode, path.read_bytes())
        for path in sorted(directory.rglob("*"))
        if path.is_file() and not path.name.endswith(("-shm", "-wal"))
    }


@pytest.mark.parametrize(("make", "code", "says"), REFUSED.values(), ids=REFUSED)
def test_what_keeps_it_from_starting_is_told_in_one_line_and_changes_nothing(
    tmp_path: Path, store: Mapping[str, bytes], make: Callable[[Path], list[str]], code: int, says: str
) -> None:
    (tmp_path / "data").mkdir()
    for name, content in store.items():
        (tmp_path / "data" / name).write_bytes(content)
        (tmp_path / "data" / name).chmod(0o600)
    options = make(tmp_path)
    before = _files(tmp_path)
    done = forked("serve", "--data", tmp_path / "data", "--listen", "127.0.0.1:0", *options)
    assert (done.returncode, done.stdout) == (code, "")
    assert says in done.stderr
    assert "hidden" not in done.stderr
    lines = done.stderr.splitlines()
    assert lines[0].startswith("ringfence: ")
    assert len(lines) <= 2
    assert _files(tmp_path) == before
    while _KEPT:
        _KEPT.pop().close()


BAD_ROOT_KEYS = {
    "half of it": ({"RINGFENCE_ROOT_ACCESS_KEY_ID": ROOT.id}, "RINGFENCE_ROOT_ACCESS_KEY_SECRET is no secret"),
    "a short id": (given(AccessKey("root", Secret("a" * 30))), "set it to 16 to 128 letters and digits"),
    "a short secret": (given(AccessKey(ROOT.id, Secret("hush"))), "set it to 20 to 128"),
}


@pytest.mark.parametrize(("env", "says"), BAD_ROOT_KEYS.values(), ids=BAD_ROOT_KEYS)
def test_a_root_key_that_is_none_is_refused(tmp_path: Path, env: Mapping[str, str], says: str) -> None:
    done = forked("serve", "--data", tmp_path / "data", "--listen", "127.0.0.1:0", env=env)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert "hush" not in done.stderr
    assert _files(tmp_path) == {}


# --- a demonstration


@pytest.mark.packets
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_demonstration_leaves_nothing(run: Processes, lab_name: str, number: signal.Signals) -> None:
    """Not when it is stopped, and not when that comes while its lab is being built."""
    where = ("--demo", "examples/sg-ab.yaml", "--lab", lab_name, "--listen", "127.0.0.1:0")
    demo = run.start("serve", *where, env={})
    if number is signal.SIGTERM:
        demo.wait_for("It stays up until ctrl-C.")
        found = KEY.search(demo.out)
        url = re.search(r"answers at (\S+)", demo.out)
        assert found
        assert url
        told = command("enforcement", "--json", env=of(url[1], AccessKey(found[1], Secret(found[2]))))
        assert [it["status"] for it in json.loads(told.stdout)["items"]] == ["ok"]
    else:
        until(lambda: _namespaces(lab_name) > 0)
    assert demo.end(number) == 0
    assert _namespaces(lab_name) == 0
    assert not LabNames(lab_name).directory.exists()


def _namespaces(lab: str) -> int:
    return sum(name.startswith(LabNames(lab).prefix) for name in os.listdir(NAMESPACES))
