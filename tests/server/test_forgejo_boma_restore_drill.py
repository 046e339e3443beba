"""forgejo sjat/boma: the snapshot to go back to could not be loaded, which showed when it was needed.

So here everything is destroyed and restored, from either database into either, and the service goes on from there: the
same revision, the same world, the same key, the same kernel.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from ringfence.backends.nftables.driver import Driver
from ringfence.client.client import Client
from ringfence.compile.compiler import compile_world
from ringfence.control.control import Control
from ringfence.errors import NotAuthenticated
from ringfence.resources.state import State
from ringfence.security.keys import AccessKey
from ringfence.security.secret import Secret
from ringfence.store.store import Store
from tests.agent.places import bare
from tests.server.processes import ROOT, Processes, forked


def sqlite(directory: Path) -> str:
    """The URL of a server's own store."""
    return f"sqlite:///{directory}/data/ringfence.db"


def stored(url: str) -> State:
    """The state in a store."""
    with closing(Store.open(url)) as store:
        return Control(store).state


def audited(namespace: str, state: State) -> list[str]:
    """What the kernel holds other than what is stored."""
    driver = Driver(namespace, "ringfence")
    try:
        return driver.audit(compile_world(state.world).vpcs["shop"])
    finally:
        driver.close()


def fill(root: Client) -> AccessKey:
    """Have the service keep something of each sort, and give the key of a user."""
    root.post("/v1/vpcs", {"name": "shop", "cidrs": ["10.0.0.0/16"]})
    root.post("/v1/subnets", {"name": "web", "vpc": "shop", "cidr": "10.0.1.0/24"})
    root.post("/v1/groups", {"name": "sg-web", "vpc": "shop"})
    root.post("/v1/instances", {"name": "web-1", "ports": [{"subnet": "web", "groups": ["sg-web"]}]})
    root.post("/v1/groups/sg-web/rules", {"rules": ["in allow tcp 80 from any", "in deny tcp 22 from 10.9.0.0/16"]})
    root.put("/v1/quotas", {"limits": {"rules_per_group": 7}})
    user = root.post("/v1/users", {"name": "ann"})["item"]["id"]
    made = root.post("/v1/access-keys", {"user": user})
    return AccessKey(made["item"]["id"], Secret(made["secret"]))


@pytest.mark.packets
def test_everything_is_destroyed_and_restored(run: Processes, postgres: Callable[[], str]) -> None:
    """From SQLite to SQLite, and to PostgreSQL; `--wait` says that the kernel holds what was restored."""
    directory, file, elsewhere = run.directory, run.directory / "backup", postgres()
    with bare("shop") as prefix:
        where = ("--namespaces", prefix, "--name", "one")
        server = run.serve(*where)
        ann = fill(server.client())
        assert forked("backup", str(file), "--data", str(directory / "data")).returncode == 0  # while it runs
        late = server.client().post("/v1/groups/sg-web/rules", {"rules": ["in allow udp 53 from any"]}, {"wait": 20})
        assert late["enforced"] is True
        done = forked("backup", str(file), "--data", str(directory / "data"))
        assert (done.returncode, file.stat().st_mode & 0o777) == (0, 0o600)
        before = stored(sqlite(directory))
        assert server.end() == 0
        shutil.copy(directory / "data/secret.key", directory / "secret.key")
        shutil.rmtree(directory / "data")

        (directory / "data").mkdir()
        shutil.copy(directory / "secret.key", directory / "data/secret.key")
        for database in (sqlite(directory), elsewhere):
            told = forked("restore", str(file), "--data", str(directory / "data"), "--database", database)
            assert (told.returncode, told.stdout) == (0, f"restored revision {before.revision}\n")
            assert stored(database) == before
            server = run.serve(*where, "--database", database, env={})
            assert "ACCESS_KEY" not in server.out
            root = server.client()
            assert audited(f"{prefix}shop", before) == []
            assert server.client(ann).get("/v1/me")["user_name"] == "ann"
            made = root.post("/v1/groups/sg-web/rules", {"rules": ["in allow tcp 443 from any"]}, {"wait": 20})
            assert (made["revision"], made["enforced"]) == (before.revision + 1, True)
            assert audited(f"{prefix}shop", stored(database)) == []
            assert server.end() == 0


def _cut(text: bytes) -> bytes:
    return text[: len(text) * 2 // 3]


def _altered(text: bytes) -> bytes:
    assert b"10.9.0.0/16" in text
    return text.replace(b"10.9.0.0/16", b"10.8.0.0/16")


def _without_a_line(text: bytes) -> bytes:
    lines = text.splitlines(keepends=True)
    return b"".join(lines[:5] + lines[6:])


BROKEN: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "cut off": (_cut, "the backup"),
    "its last line gone": (lambda text: text[: text[:-1].rindex(b"\n") + 1], "is cut off"),
    "altered": (_altered, "was changed"),
    "a line gone": (_without_a_line, "was changed"),
    "another file": (lambda _: b"vpcs: {}\n", "no backup of a store"),
    "nothing": (lambda _: b"", "no backup of a store"),
}


def test_a_backup_that_is_not_whole_is_refused_and_a_store_that_is_used(run: Processes) -> None:
    """Before anything is written: afterwards the good one is restored, and once only."""
    directory = run.directory
    server = run.serve()
    fill(server.client())
    assert server.end() == 0
    good = directory / "good"
    assert forked("backup", str(good), "--data", str(directory / "data")).returncode == 0
    for change, says in BROKEN.values():
        bad = directory / "bad"
        bad.write_bytes(change(good.read_bytes()))
        done = forked("restore", str(bad), "--data", str(directory / "new"))
        assert (done.returncode, done.stdout) == (3, "")
        assert says in done.stderr
        assert stored(f"sqlite:///{directory}/new/ringfence.db") == State()
    assert forked("restore", str(good), "--data", str(directory / "new")).returncode == 0
    again = forked("restore", str(good), "--data", str(directory / "new"))
    assert (again.returncode, "the store is not empty" in again.stderr) == (3, True)
    assert stored(f"sqlite:///{directory}/new/ringfence.db") == stored(sqlite(directory))


@pytest.mark.parametrize("words", [["backup", "copy"], ["rotate-key"]], ids=lambda words: str(words[0]))
def test_what_is_no_store_is_not_backed_up_and_not_made(tmp_path: Path, words: list[str]) -> None:
    for makes, says in ((False, "there is no store"), (True, "is empty")):
        (tmp_path / "data").mkdir(exist_ok=True)
        if makes:
            Store.open(sqlite(tmp_path)).close()
        before = sorted(tmp_path.rglob("*"))
        done = forked(*(str(tmp_path / it) if it == "copy" else it for it in words), "--data", str(tmp_path / "data"))
        assert (done.returncode, says in done.stderr) == (3, True), done
        assert sorted(tmp_path.rglob("*")) == before


def test_the_key_is_rotated(run: Processes) -> None:
    """Everybody's access key goes on signing; the old key file opens nothing that was sealed anew."""
    directory = run.directory
    server = run.serve()
    ann = fill(server.client())
    assert server.end() == 0
    key_file = directory / "data/secret.key"
    old = key_file.read_text()
    done = forked("rotate-key", "--data", str(directory / "data"))
    assert (done.returncode, done.stdout) == (0, "sealed 2 secrets under a new key\n")
    assert len(key_file.read_text().splitlines()) == 2
    key_file.write_text(key_file.read_text().splitlines()[1] + "\n")  # the old one is of no use any more
    server = run.serve(env={})
    assert server.client(ann).get("/v1/me")["user_name"] == "ann"
    assert server.client().get("/v1/revisions", {"limit": 1})["items"]
    with pytest.raises(NotAuthenticated):
        server.client(AccessKey(ROOT.id, Secret("another secret altogether"))).get("/v1/me")
    assert server.end() == 0
    key_file.write_text(old)
    refused = forked("serve", "--data", str(directory / "data"), "--listen", "127.0.0.1:0")
    assert (refused.returncode, "use the key file it was sealed by" in refused.stderr) == (3, True)
