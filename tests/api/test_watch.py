"""Following the service: nothing is missed, nothing is seen that is another's, and nobody is held up by it."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from ringfence.api import watch
from ringfence.ram.actions import ACTIONS
from ringfence.resources.kind import IDENTITY, Kind
from ringfence.resources.resource import Resource, ResourceChange
from ringfence.resources.state import State
from tests.api.asking import EVERYTHING, Account, Town, deny, only
from tests.api.things import Ask
from tests.served import served

ALL = {"tenant", "stranger", "operator"}
Events = Iterator[tuple[str, dict[str, Any]]]


@contextmanager
def following(here: Town, token: str, **query: str | int) -> Iterator[Events]:
    """The events of a stream as they come."""
    headers = {"authorization": f"Bearer {token}"}
    with (
        httpx2.Client(base_url=here.served.url, trust_env=False, timeout=20) as client,
        client.stream("GET", "/v1/watch", params=query, headers=headers) as response,
    ):
        assert response.status_code == 200
        assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
        yield events(response.iter_lines())


def events(lines: Iterator[str]) -> Events:
    kind = ""
    for line in lines:
        name, _, value = line.partition(": ")
        if name == "event":
            kind = value
        elif name == "data":
            yield kind, json.loads(value)
        elif line.startswith(":"):
            yield line.strip(": "), {}


def revisions(found: Events, until: int) -> Iterator[dict[str, Any]]:
    """Those of a stream up to one."""
    for kind, data in found:
        assert kind in ("following", "alive", "revision")
        if data:
            yield data
        if data.get("number", 0) >= until:
            return


def change(here: Town, account: Account, name: str) -> int:
    """Make a change in an account; gives its revision."""
    said = Ask("POST", "/v1/groups", {"name": name}, dry=False)
    response = here.ask(said, account.tokens["account"])
    assert response.status_code == 201, response.text
    return int(response.json()["revision"])


def head(here: Town) -> int:
    return here.served.control.state.revision


def state_of(here: Town, token: str, **query: str) -> State:
    """What a snapshot tells."""
    lines = here.http.get("/v1/snapshot", params=query, headers={"authorization": f"Bearer {token}"}).text.splitlines()
    first = json.loads(lines[0])
    assert first["resources"] == len(lines) - 1
    return State.of(first["revision"], map(Resource.parse, lines[1:]))


def changes_in(revision: dict[str, Any]) -> list[ResourceChange]:
    return [
        ResourceChange(*(each[name] and Resource.of(each[name]) for name in ("before", "after")))
        for each in revision["changes"]
    ]


def test_whoever_follows_misses_nothing_while_many_write_and_connections_break(here: Town) -> None:
    token = here.operator.tokens["account"]
    before = state_of(here, token, everything="true")
    writers, each = 4, 12
    last = head(here) + writers * each

    def write(number: int) -> None:
        for index in range(each):
            change(here, (here.tenant, here.stranger)[number % 2], f"w{number}-{index}")

    def follow(at_once: int) -> State:
        state = before
        while state.revision < last:
            with following(here, token, everything="true", after=state.revision) as found:
                for count, revision in enumerate(revisions(found, last), 1):
                    assert revision["number"] == state.revision + 1
                    state = state.after(revision["number"], changes_in(revision))
                    if count == at_once:
                        break
        return state

    with ThreadPoolExecutor() as pool:
        followers = [pool.submit(follow, at_once) for at_once in (1000, 5, 1)]
        list(pool.map(write, range(writers)))
        states = [it.result(60) for it in followers]
    known = here.served.control.state
    told = {key: it for key, it in known.resources.items() if it.kind not in IDENTITY}
    for state in states:
        assert (state.revision, dict(state.resources.items()), state.world) == (last, told, known.world)


def test_what_is_kept_no_longer_or_was_never_there_is_told_as_a_reset(here: Town) -> None:
    token, store = here.tenant.tokens["account"], here.served.store
    change(here, here.tenant, "before-pruning")
    here.served.control._steps.clear()  # as after a restart
    store.prune(head(here) - 3)
    for query in ({"after": 1}, {"after": head(here) + 1000}, {"after": head(here), "store": "another"}):
        with following(here, token, **query) as found:
            told = [(kind, data.get("code", "")) for kind, data in found]
        assert [kind for kind, _ in told][-1] == "reset", query
        assert told[-1][1] in ("store.unknown_revision", "store.other")
    with following(here, token, after=head(here) - 3) as found:
        assert [it["number"] for it in revisions(found, head(here))] == [head(here) - 2 + i for i in range(3)]


def test_tenants_follow_their_own_and_nobody_is_told_a_secret(here: Town) -> None:
    tenant, stranger, first = here.tenant, here.stranger, head(here)
    change(here, stranger, "a-strangers-group")
    key = here.ask(Ask("POST", "/v1/access-keys", {}, dry=False), tenant.tokens["account"]).json()
    here.ask(Ask("DELETE", f"/v1/access-keys/{key['item']['id']}", dry=False), tenant.tokens["account"])
    here.ask(Ask("POST", "/v1/groups", {"name": "by-root"}, dry=False, acting=True), here.operator.tokens["account"])
    last = change(here, tenant, "own-group")
    told: dict[str, str] = {}
    for who, account, query in (
        ("own", tenant, {}),
        ("of an operator", here.operator, {}),
        ("of all", here.operator, {"everything": "true"}),
    ):
        token = account.tokens["account"]
        with following(here, token, after=first, **query) as found:
            seen = list(revisions(found, last))
        assert [it["number"] for it in seen] == list(range(first + 1, last + 1))
        resources = [it for each in seen for change in each["changes"] for it in change.values() if it]
        state = state_of(here, token, **query)
        resources += [it.as_json() for it in state.resources.values()]
        assert {it["account"] for it in resources} == (
            {account.id} if not query else {"tenant", "stranger", "operator"}
        )
        kinds = {Kind(it["kind"]) for it in resources}
        assert not kinds & (IDENTITY if query else {Kind.ACCESS_KEY})
        told[who] = json.dumps([seen, resources])
    assert "a-strangers-group" in told["of all"]
    for text in told.values():
        assert "sealed" not in text
        assert key["secret"] not in text
        assert "rfs1." not in text
    for word in (stranger.id, "a-strangers-group", *(id_ for id_ in stranger.ids.values() if len(id_) > 12)):
        assert word not in told["own"]


def test_a_user_follows_what_policies_let_the_user_see_for_as_long_as_they_do(here: Town) -> None:
    tenant, token = here.tenant, here.tenant.tokens["probe"]
    watching = ACTIONS["WatchRevisions"]
    here.allow(tenant, EVERYTHING, deny([ACTIONS["DescribeSecurityGroups"], ACTIONS["ListUsers"]]))
    kinds = {it.kind for it in state_of(here, token).resources.values()}
    assert Kind.VPC in kinds
    assert not kinds & {Kind.GROUP, Kind.USER}
    here.allow(tenant, only([watching]))
    assert not state_of(here, token).resources
    with following(here, token, after=head(here)) as found:
        number = change(here, tenant, "unseen")
        assert [it["changes"] for it in revisions(found, number)] == [[]]
        here.allow(tenant, deny([watching]))
        assert [data for _, data in found if data] == []  # and it ends


@pytest.mark.parametrize("how", ["token", "key"])
def test_a_stream_ends_with_the_proof_of_who_follows(here: Town, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "_QUIET", 0.1)
    monkeypatch.setattr("ringfence.control.identity._TRUSTED_FOR", 0.1)
    here.allow(here.tenant, EVERYTHING)
    token = here.token(here.tenant, "probe")
    (key,) = [
        it.id
        for it in here.served.control.state.owned(here.tenant.id, Kind.ACCESS_KEY)
        if it.name == f"{here.tenant.id}/{here.tenant.users['probe']}"
    ]
    account = here.tenant.tokens["account"]
    with following(here, token) as found:
        assert [next(found)[0] for _ in range(3)] == ["following", "alive", "alive"]
        if how == "token":
            assert here.ask(Ask("DELETE", "/v1/tokens/current", dry=False), token).status_code == 200
        else:
            off = Ask("PATCH", f"/v1/access-keys/{key}", {"enabled": False}, dry=False)
            assert here.ask(off, account).status_code == 200
        assert {kind for kind, _ in found} <= {"alive", "revision"}  # and it ends
    if how == "key":
        here.ask(Ask("PATCH", f"/v1/access-keys/{key}", {"enabled": True}, dry=False), account)


def test_streams_end_whole_when_the_server_stops(tmp_path: Path) -> None:
    with served(tmp_path) as running, running.client() as client, ThreadPoolExecutor() as pool:
        token = client.post("/v1/tokens", {})["token"]

        def follow() -> list[str]:
            url, headers = f"{running.url}/v1/watch?after=0", {"authorization": f"Bearer {token}"}
            with httpx2.stream("GET", url, headers=headers, trust_env=False, timeout=20) as response:
                return [data["operation"] for _, data in events(response.iter_lines()) if data]

        followers = [pool.submit(follow) for _ in range(5)]
        client.post("/v1/groups", {"name": "one"})
        while len(running.control._listeners) < 5:
            time.sleep(0.01)
        time.sleep(0.2)
        began = time.monotonic()
        running.serving.stop()
        assert time.monotonic() - began < 3
        for each in followers:
            assert each.result(10)[-1] == "CreateSecurityGroup"
        assert not running.control._listeners


def test_readers_who_do_not_read_hold_nobody_up_and_lose_nothing(here: Town) -> None:
    token, limits = here.operator.tokens["account"], {"address_group_entries": 5000}
    quota = Ask("PUT", "/v1/quotas", {"target": here.tenant.id, "limits": limits}, dry=False)
    assert here.ask(quota, token).status_code == 200
    made = here.ask(Ask("POST", "/v1/address-groups", {"name": "large"}, dry=False), here.tenant.tokens["account"])
    group = made.json()["item"]["id"]
    entries = [f"10.{number >> 8}.{number & 255}.0/24" for number in range(0, 4096, 2)]

    def write(count: int) -> float:
        slowest = 0.0
        for number in range(count):
            began = time.monotonic()  # each is a change: one entry more, one less
            ask = Ask("PATCH", f"/v1/address-groups/{group}", {"entries": entries[number % 2 :]}, dry=False)
            assert here.ask(ask, here.tenant.tokens["account"]).status_code == 200
            slowest = max(slowest, time.monotonic() - began)
        return slowest

    alone, first = write(6), head(here)
    with lazy_readers(here, token, first, 10) as readers:
        count, began = 30, time.monotonic()
        slowest = write(count)
        assert slowest < 2 + 4 * alone
        assert time.monotonic() - began < 30
        assert head(here) == first + count
        text = read_until(readers[-1], f"id: {first + count}\n")
    assert [int(line[4:]) for line in text.splitlines() if line.startswith("id: ")] == list(
        range(first + 1, first + count + 1)
    )


@contextmanager
def lazy_readers(here: Town, token: str, after: int, count: int) -> Iterator[list[socket.socket]]:
    readers = []
    for _ in range(count):
        reader = socket.socket()
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        reader.settimeout(20)
        reader.connect(("127.0.0.1", here.served.serving.port))
        target = f"/v1/watch?everything=true&after={after}"
        reader.sendall(f"GET {target} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
        readers.append(reader)
    try:
        yield readers
    finally:
        for reader in readers:
            reader.close()


def read_until(reader: socket.socket, end: str) -> str:
    read: list[bytes] = []
    tail = b""
    while end.encode() not in tail:
        piece = reader.recv(1 << 20)
        assert piece, "the stream ended"
        read.append(piece)
        tail = tail[-100:] + piece
    return b"".join(read).decode("utf-8", "replace")


def test_those_who_went_are_forgotten(here: Town) -> None:
    def until(holds: Callable[[], bool]) -> None:
        began = time.monotonic()
        while not holds():
            assert time.monotonic() - began < 10
            time.sleep(0.02)

    listeners = here.served.control._listeners
    until(lambda: not listeners)
    with lazy_readers(here, here.operator.tokens["account"], head(here), 10):
        until(lambda: len(listeners) == 10)
    until(lambda: not listeners)
