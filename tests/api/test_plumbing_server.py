"""A real server under real clients: which connection a request came by, signatures over the wire, and how it stops."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Thread
from urllib.parse import quote

import httpx2
import pytest
import uvicorn
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.types import Receive, Scope, Send

from ringfence.api import protocol
from ringfence.api.metrics import Metrics
from ringfence.api.protocol import connection_of, stopping_of
from ringfence.api.requests import Frame, signed_request
from ringfence.api.server import Server, listening, server
from ringfence.errors import CannotRun
from ringfence.security.nonces import Nonces
from ringfence.security.secret import Secret
from ringfence.security.signing import Request, Verifier, signed_headers
from tests.serving import Serving, serving

SECRETS = {"LTAIabcdefghij0123456789": Secret("a secret of thirty characters!")}


class Desk:
    """An app without a framework: who signed, which connection, slow answers and endless streams."""

    def __init__(self) -> None:
        self.verifier = Verifier(SECRETS.get, Nonces(since=time.time()), time.time)
        self.ended: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise ValueError("this app has no lifespan")
        handle = {"/connection": self.connection, "/slow": self.slow, "/stream": self.stream, "/deaf": self.deaf}
        await handle.get(scope["path"], self.signed)(scope, receive, send)

    async def connection(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = connection_of(scope)
        await _answer(send, {"id": found.id, "opened": found.opened})

    async def signed(self, scope: Scope, receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message["body"], message["more_body"]
        await _answer(send, {"key": self.verifier.verify(signed_request(scope, body))})

    async def slow(self, scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(0.4)
        self.ended.append("slow")
        await _answer(send, "slow")

    async def stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True})
        await stopping_of(scope).wait()
        self.ended.append("stream")
        await send({"type": "http.response.body", "body": b"data: bye\n\n"})

    async def deaf(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True})
        await asyncio.sleep(3600)


async def _answer(send: Send, document: object) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": json.dumps(document).encode()})


class Signing(httpx2.Auth):
    """How a client signs: over the request as it goes onto the wire."""

    requires_request_body = True

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        path, _, query = request.url.raw_path.decode().partition("?")
        (key_id, secret), *_ = SECRETS.items()
        parts = Request(request.method, path, query, request.headers.multi_items(), request.content)
        request.headers.update(signed_headers(parts, key_id, secret))
        yield request


def client(serves: Serving) -> httpx2.Client:
    return httpx2.Client(base_url=serves.url, trust_env=False, verify=False)  # it need not read certificates


@pytest.fixture(scope="module")
def serves() -> Iterator[Serving]:
    with serving(Frame(Desk(), Metrics())) as running:
        yield running


@pytest.fixture(scope="module")
def sender(serves: Serving) -> Iterator[httpx2.Client]:
    with client(serves) as made:
        yield made


@pytest.mark.parametrize("http", [protocol.PROTOCOL, protocol.H11], ids=["httptools", "h11"])
def test_requests_know_their_connection(http: type[asyncio.Protocol]) -> None:
    running = Server(uvicorn.Config(Frame(Desk(), Metrics()), http=http, log_config=None, lifespan="off"))
    bound = listening("127.0.0.1", 0)
    before = time.time()
    thread = Thread(target=running.run, kwargs={"sockets": [bound]})
    thread.start()
    assert running.ready.wait(10)
    url = f"http://127.0.0.1:{bound.getsockname()[1]}/connection"
    with httpx2.Client(trust_env=False) as kept, httpx2.Client(trust_env=False) as other:
        one = [kept.get(url).json() for _ in range(3)]
        middle = time.time()
        two = [other.get(url).json() for _ in range(2)]
        again = kept.get(url).json()
        last = httpx2.get(url, trust_env=False).json()
    running.should_exit = True
    thread.join(10)
    assert one[0] == one[1] == one[2] == again
    assert two[0] == two[1]
    assert len({one[0]["id"], two[0]["id"], last["id"]}) == 3
    assert before <= one[0]["opened"] <= middle <= two[0]["opened"] <= last["opened"] <= time.time()


def test_pipelined_requests_are_of_one_connection(serves: Serving) -> None:
    with socket.create_connection(("127.0.0.1", serves.port), timeout=5) as raw:
        get = b"GET /connection HTTP/1.1\r\nHost: a\r\n"
        raw.sendall((get + b"\r\n") * 4 + get + b"Connection: close\r\n\r\n")
        bodies = [line for line in raw.makefile("rb").read().split(b"\r\n") if line.startswith(b"{")]
    assert len(bodies) == 5
    assert len(set(bodies)) == 1


@settings(max_examples=30)
@given(
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20),
    st.dictionaries(st.text(st.characters(codec="ascii")), st.text(st.characters(codec="ascii")), max_size=3),
    st.binary(max_size=100),
)
def test_what_a_client_signs_is_what_the_server_verifies(
    serves: Serving, sender: httpx2.Client, path: str, query: dict[str, str], body: bytes
) -> None:
    url = f"{serves.url}/v1/{quote(path)}"
    parameters = {name.replace("\0", ""): value.replace("\0", "") for name, value in query.items()}
    response = sender.post(url, params=parameters, content=body, auth=Signing())
    assert response.json() == {"key": next(iter(SECRETS))}


def test_a_request_that_was_recorded_is_refused_when_it_is_sent_again(sender: httpx2.Client) -> None:
    first = next(Signing().auth_flow(sender.build_request("DELETE", "/v1/groups/a?force=1", content=b"x")))
    assert sender.send(first).status_code == 200
    again = sender.send(first)
    assert (again.status_code, again.json()["code"]) == (401, "auth.replay")
    assert "RINGFENCE1-HMAC-SHA256" in again.headers["www-authenticate"]


def test_on_a_stop_open_requests_end_streams_are_told_and_idle_connections_close() -> None:
    desk = Desk()
    with serving(Frame(desk, Metrics())) as running, client(running) as kept, ThreadPoolExecutor(3) as pool:
        kept.get("/connection")
        told = [pool.submit(lambda: httpx2.get(running.url + "/stream", trust_env=False).text) for _ in range(2)]
        slow = pool.submit(lambda: httpx2.get(running.url + "/slow", trust_env=False).json())
        while len(running.server.server_state.tasks) < 3:
            time.sleep(0.01)
        began = time.monotonic()
        running.stop()
        took = time.monotonic() - began
        assert [each.result() for each in told] == ["data: 1\n\ndata: bye\n\n"] * 2
        assert slow.result() == "slow"
        with pytest.raises(httpx2.ConnectError):
            kept.get("/connection")
    assert desk.ended == ["stream", "stream", "slow"]
    assert took < 2


def test_what_does_not_listen_is_cut_off_when_the_grace_is_over() -> None:
    with serving(Frame(Desk(), Metrics()), grace=1) as running, ThreadPoolExecutor(1) as pool:
        deaf = pool.submit(lambda: httpx2.get(running.url + "/deaf", trust_env=False))
        unfinished = socket.create_connection(("127.0.0.1", running.port), timeout=10)
        unfinished.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf")
        while len(running.server.server_state.tasks) < 2:
            time.sleep(0.01)
        began = time.monotonic()
        running.stop()
        assert 0.9 < time.monotonic() - began < 4
        assert isinstance(deaf.exception(), httpx2.RemoteProtocolError)
        with unfinished, unfinished.makefile("rb") as answer:
            assert answer.readline().startswith(b"HTTP/1.1 503 ")


def test_a_process_that_is_terminated_stops_by_itself() -> None:
    script = (
        "import asyncio\nfrom tests.api.test_plumbing_server import Desk\n"
        "from ringfence.api.server import listening, server\n"
        "bound = listening('127.0.0.1', 0)\nprint(bound.getsockname()[1], flush=True)\n"
        "server(Desk()).run(sockets=[bound])\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        url = f"http://127.0.0.1:{int(process.stdout.readline())}"
        with ThreadPoolExecutor(1) as pool:
            stream = pool.submit(lambda: httpx2.get(url + "/stream", trust_env=False, timeout=20).text)
            while not stream.running():
                time.sleep(0.01)
            time.sleep(0.5)
            os.kill(process.pid, signal.SIGTERM)
            assert stream.result(20) == "data: 1\n\ndata: bye\n\n"
        assert process.wait(10) in (0, -signal.SIGTERM)


def test_an_address_that_cannot_be_had_is_one_clear_error() -> None:
    with listening("127.0.0.1", 0) as taken:
        taken.listen()
        for host, port in (("127.0.0.1", taken.getsockname()[1]), ("no such host", 80), ("203.0.113.1", 0)):
            with pytest.raises(CannotRun, match=f"cannot listen on .*{host}.*; (choose|name) an"):
                listening(host, port)


def test_a_forged_client_address_counts_only_from_a_proxy_that_is_named() -> None:
    seen: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["client"][0])
        await _answer(send, "")

    for proxies in ((), ("127.0.0.1",), ("192.0.2.1",)):
        bound = listening("127.0.0.1", 0)
        running = server(app, proxies=proxies)
        running.config.lifespan = "off"
        thread = Thread(target=running.run, kwargs={"sockets": [bound]})
        thread.start()
        assert running.ready.wait(10)
        httpx2.get(
            f"http://127.0.0.1:{bound.getsockname()[1]}/", headers={"x-forwarded-for": "10.9.9.9"}, trust_env=False
        )
        running.should_exit = True
        thread.join(10)
    assert seen == ["127.0.0.1", "10.9.9.9", "127.0.0.1"]
