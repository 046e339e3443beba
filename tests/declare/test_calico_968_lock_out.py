"""calico#968, Proxmox: a change is confirmed by a new connection, or taken back by itself, whatever happens."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest

from ringfence.control import basic
from ringfence.control.awaiting import NOT_PENDING, PENDING
from ringfence.control.confirming import NOT_ENFORCED, OLD_CONNECTION, SAME_CONNECTION, Confirming
from ringfence.control.control import Control
from ringfence.errors import Conflict
from ringfence.resources.kind import Kind
from ringfence.store.store import Store
from tests.declare.desk import Desk
from tests.declare.web import Web, refused, web

ALLOW_ALL = '{"Version": "1", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'
FIRST = "vpcs: {shop: {cidrs: [10.0.0.0/16], subnets: {front: 10.0.1.0/24}}}\ngroups: {sg: {rules: []}}\n"
SECOND = FIRST.replace("rules: []", "rules: [in allow tcp 80 from any]") + "outside: {laptop: [203.0.113.9]}\n"


def wait_until(holds: Callable[[], bool], seconds: float = 8) -> None:
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.02)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Web]:
    desk = Desk(tmp_path)
    desk.apply(desk.caller(), FIRST)
    with web(desk) as made:
        yield made
    desk.store.close()


def _apply(client: httpx2.Client, seconds: int, text: str = SECOND) -> int:
    answer = client.post(f"/v1/apply?confirm={seconds}", content=text)
    assert answer.status_code == 200, answer.text
    assert answer.json()["confirm_until"]
    return int(answer.json()["revision"])


def test_only_a_new_connection_confirms(served: Web) -> None:
    kept, older, control = served.client(), served.client(), served.desk.control
    older.get("/v1/world")
    number = _apply(kept, 600)
    refused(kept.post(f"/v1/revisions/{number}/confirm"), 409, SAME_CONNECTION)
    refused(older.post(f"/v1/revisions/{number}/confirm"), 409, OLD_CONNECTION)
    for method, path, body in (
        ("POST", "/v1/groups", '{"name": "more"}'),
        ("POST", "/v1/apply", FIRST),
        ("POST", f"/v1/revisions/{number - 1}/revert", ""),
        ("DELETE", "/v1/groups/sg", ""),
    ):
        told = refused(older.request(method, path, content=body), 409, PENDING)
        assert "until 2" in told["detail"]
    [waiting] = kept.get("/v1/confirmations").json()["items"]
    assert (waiting["revision"], waiting["failure"]) == (number, None)
    assert kept.get(f"/v1/revisions/{number}").json()["confirm_until"] == waiting["confirm_until"]
    fresh = served.client()
    assert fresh.post(f"/v1/revisions/{number}/confirm?dry_run=true").status_code == 200
    assert fresh.post(f"/v1/revisions/{number}/confirm").json()["confirmed"] == number
    refused(fresh.post(f"/v1/revisions/{number}/confirm"), 409, NOT_PENDING)
    assert kept.post("/v1/groups", json={"name": "more"}).status_code == 201
    assert control.state.get(Kind.OUTSIDE_HOST, "laptop")


def test_who_comes_to_confirm_may_log_in_and_a_lost_key_may_be_shut(served: Web) -> None:
    """Whose connection was cut off had a token nowhere else, and could not confirm in time."""
    client = served.client()
    user = client.post("/v1/users", json={"name": "ann"}).json()["item"]["id"]
    key = client.post("/v1/access-keys", json={"user": user}).json()["item"]["id"]
    number = _apply(client, 600)
    for method, path, body in (
        ("POST", "/v1/tokens", {}),
        ("PATCH", f"/v1/access-keys/{key}", {"enabled": False}),
        ("PATCH", f"/v1/users/{user}", {"enabled": False}),
        ("POST", "/v1/policies", {"name": "p", "document": ALLOW_ALL}),
        ("DELETE", f"/v1/access-keys/{key}", None),
        ("DELETE", f"/v1/users/{user}", None),
    ):
        answer = client.request(method, path, json=body)
        assert answer.status_code in (200, 201), answer.text
    refused(client.put("/v1/groups/sg/tags", json={"tags": {"a": "b"}}), 409, PENDING)
    token = client.post("/v1/tokens", json={}).json()["token"]
    fresh = served.client()
    fresh.headers["authorization"] = f"Bearer {token}"
    assert fresh.post(f"/v1/revisions/{number}/confirm").json()["confirmed"] == number


def test_others_go_on(served: Web) -> None:
    number = _apply(served.client(), 600)
    other = served.desk.caller("other")
    served.desk.make(other, Kind.GROUP, name="theirs")
    with pytest.raises(Conflict) as error:
        served.service.confirming.confirm(other, number)
    assert error.value.reason == NOT_PENDING, "what waits elsewhere is nobody's to know"


def test_what_nobody_confirms_is_taken_back(served: Web) -> None:
    control = served.desk.control
    before = control.state
    number = _apply(served.client(), 1)
    assert control.state.world != before.world
    wait_until(lambda: control.state.revision == number + 1)
    assert dict(control.state.resources) == dict(before.resources)
    told = served.client().get(f"/v1/revisions/{number + 1}").json()
    assert told["operation"] == "RevertUnconfirmed"
    wait_until(lambda: not served.service.confirming.pending("operator"))
    served.desk.make(served.desk.caller(), Kind.GROUP, name="more")


def test_it_can_be_taken_back_at_once(served: Web) -> None:
    client, before = served.client(), served.desk.control.state
    number = _apply(client, 600)
    assert client.post(f"/v1/revisions/{number}/revert").json()["revision"] == number + 1
    assert dict(served.desk.control.state.resources) == dict(before.resources)
    assert client.get("/v1/confirmations").json()["items"] == []


def test_it_has_to_be_in_force(served: Web) -> None:
    """Where agents enforce, the connection must have been opened after they did."""
    enforcement = served.desk.control.enforcement
    enforcement.report("agent", served.desk.control.state.revision, "ok")
    number = _apply(served.client(), 600)
    early = served.client()
    refused(early.post(f"/v1/revisions/{number}/confirm"), 409, NOT_ENFORCED)
    time.sleep(0.01)
    enforcement.report("agent", number, "ok")
    refused(early.post(f"/v1/revisions/{number}/confirm"), 409, OLD_CONNECTION)
    time.sleep(0.01)
    late = served.client()
    late.get("/v1/world")
    wait_until(lambda: number in served.service.confirming._enforced)
    enforcement.report("agent", number, "ok")  # the next sign of life is not a new enforcement
    assert late.post(f"/v1/revisions/{number}/confirm").status_code == 200


def test_no_time_at_all_is_refused(served: Web) -> None:
    client, revision = served.client(), served.desk.control.state.revision
    for seconds in ("0", "3601", "soon"):
        refused(client.post(f"/v1/apply?confirm={seconds}", content=SECOND), 422, "input.fields")
    unchanged = client.post("/v1/apply?confirm=60", content=FIRST).json()
    assert (unchanged["confirm_until"], unchanged["revision"]) == (None, revision)


def test_two_servers_take_it_back_once(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.apply(desk.caller(), SECOND, confirm=1)
    number = desk.control.state.revision
    other = Control(Store.open(f"sqlite:///{tmp_path / 'ringfence.db'}"))
    timers = [Confirming(control) for control in (desk.control, other)]
    for timer in timers:
        timer.start()
    wait_until(lambda: not desk.store.confirmations())
    time.sleep(0.5)
    for timer in timers:
        timer.stop()
        assert timer.failures == {}
    assert desk.store.head() == number + 1
    other.store.close()


def test_what_cannot_be_taken_back_is_told_loudly(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Another account has put something into what would go: it stays awaited, with the reason, until that is gone."""
    desk = Desk(tmp_path)
    me, guest = desk.caller(), desk.tenant("guest")
    desk.apply(me, FIRST)
    desk.update(me, Kind.VPC, "shop", shared_with=[guest.account])
    desk.apply(me, FIRST.replace("10.0.1.0/24}", "10.0.1.0/24, back: 10.0.2.0/24}"), confirm=1)
    number = desk.control.state.revision
    group = desk.make(guest, Kind.GROUP, name="sg").id
    machine = desk.make(guest, Kind.INSTANCE, name="web", ports=[{"subnet": "back", "groups": [group]}])
    timer = Confirming(desk.control)
    with caplog.at_level(logging.ERROR):
        timer.start()
        wait_until(lambda: number in timer.failures)
    assert "CANNOT BE TAKEN BACK" in caplog.text
    assert "subnet back is used by" in timer.failures[number]
    with pytest.raises(Conflict, match="waits for its confirmation"):
        desk.make(me, Kind.GROUP, name="more")
    port = desk.control.state.owned(guest.account, Kind.PORT)[0].id
    with desk.control.change(guest, "DeleteInstance") as draft:
        basic.delete(draft, Kind.INSTANCE, machine.id)
    assert desk.control.state.get(Kind.PORT, port) is None
    wait_until(lambda: not timer.failures)
    timer.stop()
    assert desk.control.state.get(Kind.SUBNET, "back") is None
    assert desk.store.confirmations() == []


def _start(directory: Path) -> tuple[subprocess.Popen[str], str]:
    command = [sys.executable, "-m", "tests.declare.served", str(directory)]
    environment = {**os.environ, "RINGFENCE_ROOT_ACCESS_KEY_ID": "", "RINGFENCE_ROOT_ACCESS_KEY_SECRET": ""}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout
    return process, f"http://127.0.0.1:{int(process.stdout.readline())}"


def _kill(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert process.stdout
    process.stdout.close()


def test_a_killed_server_takes_it_back_when_it_is_up_again(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.apply(desk.caller(), FIRST)
    before = desk.export(desk.caller())
    token = desk.identities.log_in(desk.caller(key_id=desk.root.id))[0].reveal()
    head = {"authorization": f"Bearer {token}"}
    process, url = _start(tmp_path)
    try:
        answer = httpx2.post(f"{url}/v1/apply?confirm=1", content=SECOND, headers=head)
        assert answer.status_code == 200, answer.text
        number = answer.json()["revision"]
    finally:
        _kill(process)
    time.sleep(1.1)  # it falls due while nobody is there
    assert desk.store.head() == number
    process, url = _start(tmp_path)
    try:
        assert httpx2.get(f"{url}/v1/confirmations", headers=head).json()["items"] == []
    finally:
        _kill(process)
    desk.control.refresh()
    assert desk.store.head() == number + 1
    assert desk.export(desk.caller()) == before
