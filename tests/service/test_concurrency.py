"""Eight clients change the same things at once, at one server and at two on one store: nothing is lost."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ringfence.client.client import Client
from ringfence.errors import Conflict, Refused
from ringfence.model.validation import problems
from ringfence.resources.kind import IDENTITY, Kind
from ringfence.resources.resource import Resource
from ringfence.resources.state import State
from ringfence.store.rows import Revision
from ringfence.store.store import Store
from tests.service.servers import Running, Servers

CLIENTS = 8
Work = Callable[[int, Client], Any]


@dataclass(frozen=True)
class Site:
    """Servers on one store; client number n asks the server n modulo their number."""

    running: Sequence[Running]
    store: Store

    def at_once(self, work: Work) -> list[Any]:
        """What some work gives that all clients begin at the same moment."""
        start = threading.Barrier(CLIENTS)

        def one(number: int) -> Any:
            with self.running[number % len(self.running)].client() as client:
                client.get("/v1/vpcs")  # connected, before it counts
                start.wait(30)
                return work(number, client)

        with ThreadPoolExecutor(CLIENTS) as pool:
            return list(pool.map(one, range(CLIENTS), timeout=90))

    def ask(self, method: str, path: str, said: Any = None) -> Any:
        """Ask the first server, once it knows all; what is said is the query of a get, and the body else."""
        with self.running[0].client() as client:
            await_head(client, self.store)
            return getattr(client, method)(path, said)

    def history(self) -> list[Revision]:
        """All revisions, none of them missing."""
        found = self.store.revisions(0, 100_000)
        assert [revision.number for revision in found] == [*range(1, self.store.head() + 1)]
        return found


@pytest.fixture(scope="module", params=["one-sqlite", "two-sqlite", "two-postgresql"])
def site(request: pytest.FixtureRequest, servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One or two servers on a new store."""
    number, database = request.param.split("-")
    data: Path = tmp_path_factory.mktemp("site")
    url = f"sqlite:///{data / 'ringfence.db'}" if database == "sqlite" else request.getfixturevalue("postgres")()
    running = [servers.start(data, database=url) for _ in range(1 if number == "one" else 2)]
    store = Store.open(url)
    made = Site(running, store)
    made.ask("post", "/v1/vpcs", {"name": "net", "cidrs": ["10.0.0.0/16"]})
    made.ask("post", "/v1/subnets", {"name": "sub", "vpc": "net", "cidr": "10.0.1.0/24"})
    made.ask("post", "/v1/groups", {"name": "home"})
    yield made
    assert_consistent(made)
    store.close()
    for each in running:
        each.end(signal.SIGTERM)


def assert_consistent(site: Site) -> None:
    """After all of it: every revision is there, and all servers and the store agree on a valid state."""
    head, rows = site.store.load()
    state = State.of(head, (Resource.parse(row.body) for row in rows))
    replayed: dict[tuple[str, str], str] = {}
    for revision in site.history():
        for version in revision.versions:
            assert replayed.get(version.key) == (version.before.body if version.before else None)
            replayed.pop(version.key, None)
            if version.after:
                replayed[version.key] = version.after.body
    assert replayed == {(row.kind, row.id): row.body for row in rows}
    assert problems(state.world) == ()
    for server in site.running:
        with server.client() as client:
            await_head(client, site.store)
            lines = client.get_bytes("/v1/snapshot", {"everything": True}).decode().splitlines()
        told = {(it["kind"], it["id"]): it for it in map(json.loads, lines[1:])}
        known = {(key.kind.value, key.id): it.shown() for key, it in state.resources.items()}
        assert told == {key: it for key, it in known.items() if Kind(key[0]) not in IDENTITY}


def await_head(client: Client, store: Store) -> None:
    """Wait until a server knows what the other one did: it looks every tenth of a second."""
    end = time.monotonic() + 20
    while client.get("/v1/enforcement")["revision"] < store.head():
        assert time.monotonic() < end, "the server does not follow the other one"
        time.sleep(0.02)


def refusal_of(client: Client, path: str, body: Any) -> str:
    """The code by which a post is refused; empty if it is done."""
    try:
        client.post(path, body)
    except Refused as refused:
        return refused.reason
    return ""


def test_every_acknowledged_change_is_in_the_history_once(site: Site) -> None:
    """All add rules to one group and take some away, and each acknowledgement names its own revision."""
    site.ask("post", "/v1/groups", {"name": "shared"})

    def work(number: int, client: Client) -> list[tuple[int, str, bool]]:
        done = []
        for turn in range(5):
            line = f"in allow tcp {1000 + 10 * number + turn} from 10.0.0.0/8"
            added = client.post("/v1/groups/shared/rules", {"rules": [line]})
            rule = added["added"][0]["id"]
            done.append((added["revision"], rule, True))
            if turn % 2:
                done.append((client.delete(f"/v1/rules/{rule}")["revision"], rule, False))
        return done

    acknowledged = site.at_once(work)
    by_number = {revision.number: revision for revision in site.history()}
    for done in acknowledged:
        assert [number for number, *_ in done] == sorted(number for number, *_ in done)
    every = [each for done in acknowledged for each in done]
    assert len({number for number, *_ in every}) == len(every) == CLIENTS * 7
    for number, rule, added in every:
        assert [(it.key[1], it.before is None) for it in by_number[number].versions] == [(rule, added)]
    kept = {rule for _, rule, _ in every} - {rule for _, rule, added in every if not added}
    assert {it["id"] for it in site.ask("get", "/v1/rules", {"group": "shared"})["items"]} == kept


def test_no_update_of_the_same_field_is_lost(site: Site) -> None:
    """Eight count up one number, each by what it has seen: who was overtaken is told so, and tries again."""
    site.ask("post", "/v1/groups", {"name": "counted", "description": "0"})

    def work(_: int, client: Client) -> int:
        overtaken = 0
        for _turn in range(3):
            while True:
                seen = client.get("/v1/enforcement")["revision"]
                number = int(client.get("/v1/groups/counted", {"as_of": seen})["description"])
                try:
                    said = {"description": str(number + 1)}
                    client.patch("/v1/groups/counted", said, {"if_revision": seen})
                    break
                except Conflict:
                    overtaken += 1
        return overtaken

    assert sum(site.at_once(work)) > 0
    assert site.ask("get", "/v1/groups/counted")["description"] == str(3 * CLIENTS)


def test_no_membership_is_lost_and_no_more_groups_than_a_port_may_have(site: Site) -> None:
    """Each lets the same port join a group of its own; a Huawei port may be in five, and it was in one."""
    for number in range(CLIENTS):
        site.ask("post", "/v1/groups", {"name": f"own-{number}"})
    site.ask("post", "/v1/instances", {"name": "vm", "ports": [{"subnet": "sub", "groups": ["home"]}]})
    body = {"members": ["vm.eth0"]}
    codes = site.at_once(lambda number, client: refusal_of(client, f"/v1/groups/own-{number}/members", body))
    assert Counter(codes) == {"": 4, "InstanceSecurityGroupLimitExceeded": 4}
    joined = {f"own-{number}" for number, code in enumerate(codes) if not code}
    assert {*site.ask("get", "/v1/ports/vm.eth0")["groups"]} == joined | {"home"}


def test_no_group_has_more_rules_than_it_may(site: Site) -> None:
    """Eight clients add to a group that has room for twelve rules: twelve are added, and everybody else is told why."""
    site.ask("post", "/v1/groups", {"name": "full"})
    site.ask("post", "/v1/groups/full/rules", {"rules": [f"in allow udp {port} from ::/0" for port in range(1, 39)]})

    def work(number: int, client: Client) -> list[str]:
        lines = [f"in allow udp {1000 + 10 * number + turn} from ::/0" for turn in range(4)]
        return [refusal_of(client, "/v1/groups/full/rules", {"rules": [line]}) for line in lines]

    codes = Counter(code for codes in site.at_once(work) for code in codes)
    assert codes == {"": 12, "AuthorizationLimitExceed": 4 * CLIENTS - 12}
    assert len(site.ask("get", "/v1/rules", {"group": "full"})["items"]) == 50


def test_no_account_has_more_groups_than_it_may(site: Site) -> None:
    """The same with groups: the operator has set the quota so that there is room for ten."""
    have = len(site.ask("get", "/v1/groups", {"limit": 1000})["items"])
    site.ask("post", "/v1/quotas", {"target": "operator", "limits": {"groups_per_account": have + 10}})

    def work(number: int, client: Client) -> list[str]:
        return [refusal_of(client, "/v1/groups", {"name": f"another-{number}-{turn}"}) for turn in range(3)]

    codes = Counter(code for codes in site.at_once(work) for code in codes)
    assert codes == {"": 10, "QuotaExceed.SecurityGroup": 3 * CLIENTS - 10}
    assert len(site.ask("get", "/v1/groups", {"limit": 1000})["items"]) == have + 10


def test_what_is_asked_eight_times_with_one_key_is_done_once(site: Site) -> None:
    """All send the same request with the same idempotency key at the same moment, and get the same answer."""
    before = site.store.head()
    body, headers = {"name": "once", "cidrs": ["10.99.0.0/16"]}, {"idempotency-key": "the same"}
    answers = site.at_once(lambda _, client: client.post("/v1/vpcs", body, headers=headers))
    assert len({json.dumps(answer, sort_keys=True) for answer in answers}) == 1
    assert [revision.number for revision in site.store.revisions(before)] == [answers[0]["revision"]] == [before + 1]


def test_no_port_is_lost_and_none_gets_the_address_of_another(site: Site) -> None:
    """All make machines in one subnet at once, which gives addresses as they come."""

    def work(number: int, client: Client) -> list[str]:
        said = [{"name": f"m-{number}-{turn}", "ports": [{"subnet": "sub", "groups": ["home"]}]} for turn in range(2)]
        return [client.post("/v1/instances", each)["item"]["id"] for each in said]

    made = {name for names in site.at_once(work) for name in names}
    ports = site.ask("get", "/v1/ports", {"limit": 1000, "groups": "home"})["items"]
    assert len(made) == 2 * CLIENTS
    assert {port["instance"] for port in ports} >= made
    assert len({address for port in ports for address in port["addresses"]}) == len(ports)
