"""However many long questions an account asks, others are answered: by another account's turn, and at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import pytest

from ringfence.api.app import all_routes, build
from ringfence.api.call import Answer, Call, Service
from ringfence.api.metrics import Metrics
from ringfence.api.requests import Frame
from ringfence.api.room import PLACES
from ringfence.api.route import Route
from ringfence.ram import actions as ram
from tests.declare.desk import Desk
from tests.serving import serving

MANY = 60
"""More than a server has threads."""


@dataclass
class Slow:
    """A route that answers when it is told to, and which accounts are in it."""

    let_go: threading.Event = field(default_factory=threading.Event)
    inside: list[str] = field(default_factory=list)
    most: int = 0

    def handle(self, call: Call) -> Answer:
        self.inside.append(call.caller.account)
        self.most = max(self.most, len(self.inside))
        self.let_go.wait(20)
        self.inside.remove(call.caller.account)
        return Answer({})

    def routes(self) -> Iterator[Route]:
        yield Route("GET", "/v1/slow", "slow", "Slow.", (ram.DESCRIBE_REACHABILITY,), self.handle, is_long=True)


def until(holds: list[str], wanted: list[str]) -> None:
    deadline = time.monotonic() + 10
    while sorted(holds) != wanted and time.monotonic() < deadline:
        time.sleep(0.01)
    assert sorted(holds) == wanted


@contextmanager
def tokens(path: Path, slow: Slow) -> Iterator[tuple[str, dict[str, dict[str, str]], Service]]:
    desk = Desk(path)
    try:
        callers = [desk.tenant(name) for name in ("ann", "bob", "eve")]
        service = Service(desk.control, desk.identities)
        app = build(service, [*all_routes(), *slow.routes()])
        keys = {}
        for caller in callers:
            with desk.control.change(caller, "CreateKey") as draft:
                keys[caller.account] = desk.identities.create_key(draft, "")[0].id
        heads = {
            account: {"authorization": f"Bearer {desk.identities.log_in(desk.caller(account, key_id=key))[0].reveal()}"}
            for account, key in keys.items()
        }
        with serving(Frame(app, Metrics())) as there:
            yield there.url, heads, service
    finally:
        slow.let_go.set()
        desk.store.close()


def test_who_asks_much_stops_nobody(tmp_path: Path) -> None:
    slow = Slow()
    limits = httpx2.Limits(max_connections=MANY + 9)
    with (
        tokens(tmp_path, slow) as (url, heads, _),
        httpx2.Client(base_url=url, limits=limits, timeout=30) as client,
        ThreadPoolExecutor(MANY + 2) as pool,
    ):
        ann, bob, eve = heads
        asked = [pool.submit(client.get, "/v1/slow", headers=heads[ann]) for _ in range(MANY)]
        until(slow.inside, [ann])
        asked += [pool.submit(client.get, "/v1/slow", headers=heads[bob])]
        until(slow.inside, sorted([ann, bob]))
        groups = {"name": "g"}
        for head in heads.values():  # their changes are made, and ann's own
            made = client.post("/v1/groups", json=groups, headers=head, timeout=5)
            assert made.status_code == 201, made.text
        for method, path in (
            ("POST", "/v1/groups?dry_run=true"),  # what a change would do is a question, too
            ("POST", "/v1/groups/g/rules/import?preview=true"),
            ("GET", "/v1/groups?as_of=1"),  # the past has to be read
            ("GET", "/v1/world"),
        ):
            with pytest.raises(httpx2.TimeoutException):
                client.request(method, path, json=groups, headers=heads[eve], timeout=0.5)
        slow.let_go.set()
        assert {each.result(30).status_code for each in asked} == {200}
        assert slow.most == PLACES


FILE = "groups: {web: {rules: [in allow tcp 80 from any]}}"


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/v1/revisions/1/enforcement?wait=30", "", 200),
        ("POST", "/v1/groups?wait=30", '{"name": "g"}', 201),
        ("POST", "/v1/apply", FILE, 200),
    ],
)
def test_who_waits_keeps_nobody_waiting(tmp_path: Path, method: str, path: str, body: str, status: int) -> None:
    """So many who waited until something was in force, or until a file was judged, had every thread of the server."""
    slow = Slow()
    limits = httpx2.Limits(max_connections=MANY + 9)
    with (
        tokens(tmp_path, slow) as (url, heads, service),
        httpx2.Client(base_url=url, limits=limits, timeout=30) as client,
        ThreadPoolExecutor(MANY) as pool,
    ):
        ann, bob, _ = heads
        with service.judging:
            asked = [pool.submit(client.request, method, path, content=body, headers=heads[ann]) for _ in range(MANY)]
            time.sleep(1)
            for who in (ann, bob):
                for _ in range(5):
                    made = client.post("/v1/vpcs", json={"name": "v", "cidrs": []}, headers=heads[who], timeout=5)
                    assert made.status_code == 201, made.text
        service.control.enforcement.report("agent", 2**40, "ok")
        assert {each.result(30).status_code for each in asked} == {status}


def test_a_file_is_read_in_its_turn(tmp_path: Path) -> None:
    """To read a large one takes the processor as well."""
    with tokens(tmp_path, Slow()) as (url, heads, service), httpx2.Client(base_url=url, timeout=30) as client:
        ann, bob, _ = heads
        with service.judging, pytest.raises(httpx2.TimeoutException):
            client.post("/v1/apply", content="a: [", headers=heads[ann], timeout=0.5)
        assert client.post("/v1/apply", content="a: [", headers=heads[bob]).status_code == 422
