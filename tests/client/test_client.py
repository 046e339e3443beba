"""The client against a real service, and against what is none."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Receive, Scope, Send

from ringfence import errors
from ringfence.client.client import Client, lines_of
from ringfence.client.paths import at
from ringfence.client.refusals import error_of
from ringfence.errors import RingfenceError
from ringfence.security.keys import AccessKey
from ringfence.security.secret import Secret
from tests.served import Served, served
from tests.serving import Serving, serving


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("client")) as running:
        yield running


@pytest.fixture
def client(service: Served) -> Iterator[Client]:
    with service.client() as made:
        yield made


def test_what_is_put_in_comes_out_whatever_it_is_called(client: Client) -> None:
    names = [f"sg ü%2?#&+{number}" for number in range(5)]
    for name in names:
        client.post(at("groups"), {"name": name, "tags": {"a b": "c&d"}})
    tagged = {"tag": "a b=c&d"}
    assert sorted(it["name"] for it in client.pages(at("groups"), {"limit": 2, **tagged})) == names
    first = next(iter(client.pages(at("groups"), {"name": names[0]})))
    assert client.get(at("groups", names[0])) == client.get(at("groups", first["id"])) == first
    changed = client.patch(at("groups", names[0]), {"description": "one line"}, {"dry_run": True, "wait": None})
    assert (changed["item"]["description"], changed["dry_run"]) == ("one line", True)
    assert client.put(at("groups", names[0], "tags"), {"tags": {"k": "v", "l": ""}})["item"]["tags"]["k"] == "v"
    untagged = client.delete(at("groups", names[0], "tags"), query={"key": ["a b", "l"]})
    assert untagged["item"]["tags"] == {"k": "v"}
    with client.stream("GET", at("snapshot"), {"everything": True}) as lines:
        head, *rest = map(json.loads, lines)
    assert head["resources"] == len(rest)
    assert names[0] in {it["name"] for it in rest}


Ask = Callable[[Client], Any]


@pytest.mark.parametrize(
    ("ask", "kind", "code", "pattern"),
    [
        (lambda it: it.get(at("groups", "sg-none")), errors.NotFound, "resource.not_found", "no group 'sg-none'"),
        (lambda it: it.get("/v1/nothing"), errors.NotFound, "request.path", "nothing at this path"),
        (lambda it: it.post(at("vpcs"), {"cidrs": 3, "x": 1}), errors.InvalidFields, "input.fields", "cidrs.*x"),
        (lambda it: it.post(at("vpcs"), b"{"), errors.InvalidFields, "input.fields", "no JSON"),
        (
            lambda it: it.post(at("accounts"), {"name": "a"}, {"if_revision": 0}),
            errors.Conflict,
            "revision.mismatch",
            "evision",
        ),
        (
            lambda it: it.delete(at("accounts", "operator")),
            errors.Protected,
            "InvalidOperation.DeletionProtection",
            "operator",
        ),
        (lambda it: it.get(at("revisions", "99999")), errors.NotFound, "resource.not_found", "99999"),
        (
            lambda it: it.post(at("plan"), b"vpcs: 3", headers={"content-type": "text/yaml"}),
            errors.WorldFileError,
            "world.invalid",
            "line 1: ",
        ),
        (
            lambda it: it.stream("GET", at("watch"), {"after": "x"}).__enter__(),
            errors.InvalidFields,
            "input.fields",
            "'x' is not a number",
        ),
        (
            lambda it: it.get(at("why"), {"source": "a", "destination": "b", "service": "tcp/1"}),
            errors.UnknownName,
            "input.unknown_name",
            "'a'",
        ),
        (
            lambda it: it.post(at("policies"), {"name": "p", "document": "{}"}),
            errors.ServerRefused,
            "ram.policy",
            "object",
        ),
    ],
)
def test_a_refusal_is_the_error_that_it_was_there(
    client: Client, ask: Ask, kind: type[RingfenceError], code: str, pattern: str
) -> None:
    with pytest.raises(kind, match=pattern) as caught:
        ask(client)
    assert type(caught.value) is kind
    assert getattr(caught.value, "reason", caught.value.code) == code


def test_every_error_of_the_tree_comes_back_as_itself() -> None:
    from ringfence.api.problems import problem_of

    problem = errors.FieldProblem("priority", "0 is too small", "use 1 to 100", "input.field", 0)
    made: list[RingfenceError] = [errors.InvalidFields((problem, problem)), errors.Forbidden("no", "ask")]
    made += [errors.QuotaExceeded("too many", "fewer", reason="Vendor.Code"), errors.StoreBusy("later")]
    made += [
        errors.NotationError("what", "right"),
        errors.WorldFileError("f: x", (errors.Mistake(3, 1, "c", "w", "r"),)),
    ]
    for error in made:
        told = json.loads(problem_of(error).body("request-1"))
        back = error_of(told["status"], told)
        assert (type(back), str(back), back.exit_code) == (type(error), str(error), error.exit_code)
        assert getattr(back, "reason", "") == getattr(error, "reason", "")
    newer = {"title": "I'm a teapot", "detail": "short and stout", "code": "tea.pot", "request_id": "r", "errors": []}
    refused = error_of(418, newer)
    assert isinstance(refused, errors.ServerRefused)
    assert (refused.reason, refused.status, refused.request_id, refused.exit_code) == ("tea.pot", 418, "r", 1)
    failed = error_of(500, newer | {"code": "internal"})
    assert isinstance(failed, errors.ServerFailed)
    assert "the request was r" in str(failed)


def test_who_asks_must_prove_it_and_no_header_is_added_on_the_way(service: Served) -> None:
    wrong = AccessKey(service.key.id, Secret("not the secret"))
    nobodys = Secret("rft_" + "x" * 43)
    for client in (
        Client(service.url),
        Client(service.url, key=wrong),
        Client(service.url, token=nobodys),
        service.client("no-account"),
    ):
        with client, pytest.raises(errors.NotAuthenticated):
            client.get(at("me"))
    with service.client() as client:
        token = Secret(client.post(at("tokens"), {})["token"])
    with Client(service.url, token=token) as client:
        assert client.get(at("me"))["account"] == "operator"
        client.post(at("accounts"), {"name": "shop"})
        with Client(service.url, token=token, account="shop") as other, service.client("shop") as signed:
            assert other.get(at("me"))["account"] == signed.get(at("me"))["account"] == "shop"
    for header in ("X-Ringfence-Account", "X-Ringfence-Service", "X-Ringfence-Anything"):
        with service.client() as client:
            meddle = {"request": [lambda request, name=header: request.headers.update({name: "shop"})]}
            client._http.event_hooks = meddle  # these run after the request was signed
            with pytest.raises(errors.NotAuthenticated, match=f"not signed: {header.lower()}"):
                client.get(at("me"))


# --- servers that are none


class Stranger:
    """Answers what a Ringfence server does not, tells which connection was used, and can keep silent."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        status, kind, body = {
            "/html": (200, b"text/html", b"<html>hello</html>"),
            "/bad": (502, b"text/html", b"<html>bad gateway</html>"),
            "/odd": (409, b"application/json", b'["not", "a problem"]'),
            "/moved": (302, b"text/plain", b"elsewhere"),
            "/port": (200, b"application/json", str(scope["client"][1]).encode()),
            "/empty": (204, b"text/plain", b""),
        }.get(scope["path"], (200, b"text/event-stream", b"data: one\n"))
        silent = kind == b"text/event-stream"
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", kind)]})
        await send({"type": "http.response.body", "body": body, "more_body": silent})
        if silent:
            while (await receive())["type"] != "http.disconnect":
                pass


@pytest.fixture(scope="module")
def stranger() -> Iterator[Serving]:
    with serving(Stranger(), grace=1) as running:
        yield running


def test_who_is_no_ringfence_server_is_told_from_one(stranger: Serving) -> None:
    with Client(stranger.url, timeout=5) as client:
        for path, status in (("/html", 200), ("/bad", 502), ("/odd", 409), ("/moved", 302)):
            with pytest.raises(errors.ServerFailed, match=f"status {status} .* where JSON was due"):
                client.get(path)
        assert client.get("/empty") is None
        with client.fresh() as fresh:
            ports = [it.get("/port") for it in (client, client, fresh, fresh)]
        assert ports[0] == ports[1] != ports[2] == ports[3]
        began = time.monotonic()
        with client.stream("GET", "/silent", silence=0.2) as lines:
            assert next(lines) == "data: one"
            with pytest.raises(errors.ServerUnreachable, match="did not answer"):
                next(lines)
        assert time.monotonic() - began < 3


def test_no_server_is_told_at_once() -> None:
    with Client("http://127.0.0.1:1") as client:
        with pytest.raises(errors.ServerUnreachable, match=r"127[.]0[.]0[.]1:1 cannot be reached: Connection refused"):
            client.get("/")
        with (
            pytest.raises(errors.ServerUnreachable, match="Connection refused"),
            client.stream("GET", "/") as lines,
        ):
            list(lines)
    for text in ("", "example.com", "ftp://x", "http://", "http://u:p@x", "http://x?y", "http://[1", "http://x:y"):
        with pytest.raises(errors.InvalidInput, match="no address of a server"):
            Client(text)


@given(st.text(st.sampled_from("a\n\r\x85\u2028ü"), max_size=40), st.lists(st.integers(0, 40), max_size=8))
def test_lines_end_at_newlines_however_the_text_is_cut(text: str, cuts: list[int]) -> None:
    data = text.encode()
    marks = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    pieces = [data[one:two] for one, two in pairwise(marks)]
    expected = [line.removesuffix("\r") for line in text.split("\n")]
    last = text.rpartition("\n")[2]
    found = list(lines_of(pieces))
    assert found == ([*expected[:-1], last] if last else expected[:-1])
