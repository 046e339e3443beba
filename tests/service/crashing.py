"""A server that is killed again and again under load, and what must be true after each time.

Eight clients change things without a break. A client whose answer is lost asks again with the same idempotency key once
there is a server; so in the end each change is done exactly once, and every revision is somebody's.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ringfence.client.client import Client
from ringfence.errors import ServerFailed, ServerUnreachable
from ringfence.model.validation import problems
from ringfence.resources.resource import Resource
from ringfence.resources.state import State
from ringfence.store.rows import AuditFilter, Revision
from ringfence.store.store import Store
from tests.service.kernel import wrong
from tests.service.servers import Running, Servers

CLIENTS = 8
VPC = "net"
LOAD = 16
"""So many changes at most are made before a kill, which then comes within some milliseconds."""


@dataclass(frozen=True)
class Wish:
    """A request of a client: how it is asked, and what its revision does: kinds of things made, changed and gone."""

    method: str
    path: str
    said: Any
    does: Sequence[tuple[str, str]]


def _wishes(name: str) -> Generator[Wish, Any, None]:
    """What a client wants, in a round that leaves things as they were; the id that an answer told comes back."""
    for turn in range(1_000_000):
        lines = [f'in allow tcp {1 + (turn * 3 + each) % 60_000} from 10.0.0.0/8 "{name}"' for each in range(3)]
        answer = yield Wish("post", f"/v1/groups/{name}/rules", {"rules": lines}, [("rule", "made")] * 3)
        ids = [each["id"] for each in answer["added"]]
        port = {"subnet": "sub", "groups": [name]}
        made = {"name": f"vm-{name}", "ports": [port, port]}
        yield Wish("post", "/v1/instances", made, [("instance", "made"), ("port", "made"), ("port", "made")])
        yield Wish("post", "/v1/groups/shared/members", {"members": [f"vm-{name}.eth1"]}, [("port", "changed")])
        yield Wish("post", f"/v1/groups/{name}/rules/revoke", {"ids": ids}, [("rule", "gone")] * 3)
        group = {"name": f"extra-{name}", "template": "default"}
        yield Wish("post", "/v1/groups", group, [("group", "made"), *[("rule", "made")] * 4])
        gone = [("instance", "gone"), ("port", "gone"), ("port", "gone")]
        yield Wish("delete", f"/v1/instances/vm-{name}", None, gone)
        gone = [("group", "gone"), *[("rule", "gone")] * 4]
        yield Wish("delete", f"/v1/groups/extra-{name}", None, gone)


def _done(revision: Revision) -> list[tuple[str, str]]:
    """What a revision does."""
    words = {(True, False): "gone", (False, True): "made", (True, True): "changed"}
    return sorted((it.key[0], words[it.before is not None, it.after is not None]) for it in revision.versions)


@dataclass
class Crashing:
    """The servers one after the other, the clients, and what these were told."""

    servers: Servers
    data: Path
    prefix: str = ""
    """What names of namespaces begin with, if there are any to enforce in."""
    acknowledged: dict[int, Wish] = field(default_factory=dict)
    """By the revision that each was told."""
    wrong: list[str] = field(default_factory=list)
    running: Running = field(init=False)

    def __post_init__(self) -> None:
        self._open, self._stop, self._failed = threading.Event(), threading.Event(), threading.Event()
        self._told = threading.Lock()

    def run(self, moments: int, seed: int) -> None:
        """Kill the server at so many random moments; raise what is not as it should be."""
        chance = random.Random(seed)
        self.running = self.servers.start(self.data, namespaces=self.prefix)
        self._prepare()
        store = Store.open(f"sqlite:///{self.data / 'ringfence.db'}")
        first = store.head()
        clients = [threading.Thread(target=self._client, args=(f"c{number}",)) for number in range(CLIENTS)]
        for client in clients:
            client.start()
        try:
            for _ in range(moments):
                self._work(chance.randint(0, LOAD), chance.uniform(0, 0.02))
                self.running.end()
                self._open.clear()
                self._check(store, first)
                self.running = self.servers.start(self.data, namespaces=self.prefix)
                self._check_enforced(store)
        except BaseException:
            self._failed.set()  # nobody need wait for a server any more
            raise
        finally:
            self._stop.set()
            self._open.set()
            for client in clients:
                client.join(60)
        assert not any(client.is_alive() for client in clients)
        self._check(store, first)
        assert len(self.acknowledged) == store.head() - first, "a revision that nobody asked for, or was told of"
        audited = {entry.revision for entry in store.find_audit(AuditFilter(allowed=True), limit=1_000_000)}
        assert audited - {None} == {*range(1, store.head() + 1)}
        self._check_enforced(store)
        store.close()
        self.running.end()

    def _prepare(self) -> None:
        with self.running.client() as client:
            client.post("/v1/vpcs", {"name": VPC, "cidrs": ["10.0.0.0/16"]})
            client.post("/v1/subnets", {"name": "sub", "vpc": VPC, "cidr": "10.0.1.0/24"})
            for name in ("shared", *(f"c{number}" for number in range(CLIENTS))):
                client.post("/v1/groups", {"name": name})

    def _work(self, changes: int, more: float) -> None:
        """Let the clients make some changes, and go on for some seconds."""
        enough, end = len(self.acknowledged) + changes, time.monotonic() + 60
        self._open.set()
        while len(self.acknowledged) < enough:
            assert time.monotonic() < end, "the server does not answer"
            time.sleep(0.002)
        time.sleep(more)

    # --- a client

    def _client(self, name: str) -> None:
        wishes, answer, number = _wishes(name), None, 0
        asker = _Asker()
        while not self._stop.is_set():
            wish = wishes.send(answer)
            number += 1
            answer = self._granted(asker, wish, f"{name}-{number}")
            if answer is None:
                break
            with self._told:
                if answer["revision"] in self.acknowledged:
                    self.wrong.append(f"two requests were told revision {answer['revision']}")
                self.acknowledged[answer["revision"]] = wish
        asker.close()

    def _granted(self, asker: _Asker, wish: Wish, key: str) -> Any:
        """The answer, however many servers it takes; none if the test has failed."""
        while not self._failed.is_set():
            self._open.wait(60)
            try:
                return _asked(asker.client(self.running), wish, key)
            except (ServerUnreachable, ServerFailed):
                time.sleep(0.005)
        return None

    # --- what must be true

    def _check(self, store: Store, first: int) -> None:
        """What is stored, while no server runs or nothing is asked: nothing lost, nothing half, nothing invalid."""
        assert self.wrong == []
        head, rows = store.load()
        state = State.of(head, (Resource.parse(row.body) for row in rows))
        assert problems(state.world) == ()
        found = {revision.number: revision for revision in store.revisions(first, 1_000_000)}
        assert [*found] == [*range(first + 1, head + 1)]
        with self._told:
            known = dict(self.acknowledged)
        assert known.keys() <= found.keys(), "an acknowledged change is lost"
        for number, wish in known.items():
            assert _done(found[number]) == sorted(wish.does), (number, wish)
        rest = [_done(found[number]) for number in found.keys() - known.keys()]
        assert len(rest) <= CLIENTS
        whole = [sorted(wish.does) for wish in known.values()]
        assert all(each in whole or len(whole) < 50 for each in rest), "half a change"

    def _check_enforced(self, store: Store) -> None:
        """The kernel holds what is stored, as the server says."""
        if not self.prefix:
            return
        head, rows = store.load()
        with self.running.client() as client:
            assert client.get(f"/v1/revisions/{head}/enforcement", {"wait": 20})["enforced"]
        assert wrong(self.prefix, State.of(head, (Resource.parse(row.body) for row in rows)).world) == []


class _Asker:
    """A client of whichever server runs: a new one costs more than what it asks."""

    def __init__(self) -> None:
        self._at: tuple[Running, Client] | None = None

    def client(self, running: Running) -> Client:
        """A client of that server."""
        if self._at is None or self._at[0] is not running:
            self.close()
            self._at = running, running.client(timeout=10)
        return self._at[1]

    def close(self) -> None:
        """Close its connections."""
        if self._at:
            self._at[1].close()


def _asked(client: Client, wish: Wish, key: str) -> Any:
    headers = {"idempotency-key": key}
    if wish.method == "post":
        return client.post(wish.path, wish.said, headers=headers)
    return client.delete(wish.path, headers=headers)
