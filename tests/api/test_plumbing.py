"""What every request passes through, before a real server: problems, request ids, bounds, logs and metrics."""

from __future__ import annotations

import io
import json
import logging
import re
import socket
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import httpx2
import pytest
import structlog
from fastapi import APIRouter, FastAPI, Query, Request
from fastapi.responses import StreamingResponse
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from ringfence import errors
from ringfence.api.logging import configure, logger
from ringfence.api.metrics import CONTENT_TYPE, Metrics
from ringfence.api.problems import SCHEMA, STATUS, documented, install, problem_of
from ringfence.api.redaction import clean
from ringfence.api.requests import Frame
from ringfence.ram.document import PolicyError
from ringfence.security.secret import Secret
from tests.serving import Serving, serving

LIMIT = 1000


class Rule(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str = Field(max_length=8)
    priority: Annotated[int, Field(ge=1, le=100)] = 1
    secret: Annotated[str, Field(max_length=3)] = ""


RAISED: dict[str, Exception] = {
    "forbidden": errors.Forbidden("no policy allows it", "ask for one", action="ringfence:Create"),
    "fields": errors.InvalidFields((errors.FieldProblem("priority", "0 is too low", "use 1 to 100", "rule.p", 0),)),
    "notation": errors.NotationError("tcp:99999 is no port", "ports are 1 to 65535"),
    "world": errors.WorldFileError("w.yaml", (errors.Mistake(3, 1, "group.unknown", "no group a", "name one"),)),
    "precondition": errors.Conflict("it is at revision 8", "read it again", reason="revision.mismatch"),
    "fault": ValueError("the inner secret=hunter2 of the server"),
    "base": errors.RingfenceError("odd"),
}


def make_app() -> FastAPI:
    app, router = FastAPI(), APIRouter()
    install(app)

    @router.post("/rules/{group}")
    async def make_rule(group: str, rule: Rule, request: Request) -> dict[str, Any]:
        request.state.log["account"] = "root"
        return {"group": group, "rule": rule.model_dump(), "request_id": request.state.request_id}

    @router.get("/rules/{group}")
    async def list_rules(group: str, limit: Annotated[int, Query(le=100)] = 10) -> dict[str, Any]:
        return {"group": group, "limit": limit}

    @router.get("/raise/{which}")
    def fail(which: str) -> None:
        raise RAISED[which]

    @router.post("/raw")
    async def take_raw(request: Request) -> int:
        return len(await request.body())

    @router.get("/half", responses=documented(404, 422))
    async def half() -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            yield b"x"
            raise ValueError("midway")

        return StreamingResponse(parts())

    app.include_router(router, prefix="/v1")
    return app


@dataclass
class Bench:
    serves: Serving
    client: httpx2.Client
    metrics: Metrics
    log: io.StringIO

    def lines(self, request_id: str = "") -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self.log.getvalue().splitlines()]
        return [line for line in lines if not request_id or line.get("request_id") == request_id]


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    log, metrics, before = io.StringIO(), Metrics(), logging.getLogger().handlers[:]
    configure(log, as_json=True)
    app = Frame(make_app(), metrics, max_body=LIMIT)
    with serving(app) as serves, httpx2.Client(base_url=serves.url, trust_env=False) as client:
        yield Bench(serves, client, metrics, log)
    structlog.reset_defaults()
    logging.getLogger().handlers[:] = before


def problem(response: httpx2.Response) -> dict[str, Any]:
    """The problem details, which have the one shape whatever they tell."""
    assert response.headers["content-type"] == "application/problem+json"
    told: dict[str, Any] = response.json()
    assert set(told) == set(SCHEMA["required"]) == set(SCHEMA["properties"])
    assert told["status"] == response.status_code
    assert told["type"] == f"/problems/{told['code']}"
    assert told["request_id"] == response.headers["x-request-id"]
    assert all(set(fault) == {"field", "value", "what", "right", "code"} for fault in told["errors"])
    return told


JSON = {"content-type": "application/json"}
GOOD = b'{"name": "a"}'


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code", "field", "says"),
    [
        ("GET", "/v1/raise/forbidden", None, 403, "ram.forbidden", "", "no policy allows it; ask for one"),
        ("GET", "/v1/raise/fields", None, 422, "input.fields", "priority", "use 1 to 100"),
        ("GET", "/v1/raise/notation", None, 422, "input.notation", "", "ports are 1 to 65535"),
        ("GET", "/v1/raise/world", None, 422, "world.invalid", "line 3", "no group a; name one"),
        ("GET", "/v1/raise/precondition", None, 412, "revision.mismatch", "", "it is at revision 8"),
        ("GET", "/v1/raise/fault", None, 500, "internal", None, "fault of this server"),
        ("GET", "/v1/raise/base", None, 500, "ringfence", None, "odd"),
        ("GET", "/v1/nothing", None, 404, "request.path", "", "see /openapi.json"),
        ("GET", "/v1/rules/a?limit=101", None, 422, "request.less_than_equal", "limit", "less than or equal to 100"),
        ("GET", "/v1/rules/a?limit=x%00", None, 400, "request.encoding", "path", "percent-encode"),
        ("GET", "/v1/rules/%ff", None, 400, "request.encoding", "path", "percent-encode the UTF-8"),
        ("POST", "/v1/rules/a", None, 422, "request.missing", "body", "it is required"),
        ("POST", "/v1/rules/a", b"{", 400, "request.json", "body", "the body is no JSON: Expecting property name"),
        ("POST", "/v1/rules/a", b'"\xff"', 400, "request.encoding", "body", "send JSON in UTF-8"),
        ("POST", "/v1/rules/a", b"[" * LIMIT, 400, "request.json", "body", "body"),
        ("POST", "/v1/rules/a", b"1" * LIMIT, 422, "request.model_attributes_type", "body", "object"),
        ("POST", "/v1/rules/a", b"{}", 422, "request.missing", "name", "it is required"),
        ("POST", "/v1/rules/a", b'{"name": "a", "x": 1}', 422, "request.extra_forbidden", "x", "leave it out"),
        ("POST", "/v1/rules/a", b'{"name": 7}', 422, "request.string_type", "name", "7 is not accepted, input should"),
        ("POST", "/v1/rules/a", b'{"name":"a","priority":NaN}', 422, "request.finite_number", "priority", "finite"),
        ("POST", "/v1/rules/a", b'{"name":"a","priority":1e999}', 422, "request.finite_number", "priority", "finite"),
        ("POST", "/v1/rules/a", b'{"name":"a","priority":9%s}' % (b"9" * 99), 422, "request.less_than_equal",
         "priority", "a number of 333 bits"),
        ("POST", "/v1/rules/a", b'{"name":"\\ud800 is no text"}', 422, "request.string_unicode", "name", "unicode"),
        ("POST", "/v1/rules/a", b'{"name":"%s"}' % (b"n" * 500), 422, "request.string_too_long", "name", "nnnn…"),
        ("POST", "/v1/rules/a", b'{"name":"a","secret":"hunter2"}', 422, "request.string_too_long", "secret",
         "[redacted]"),
        ("POST", "/v1/rules/a", b" " * (LIMIT + 1), 413, "request.too_large", "body", "send at most 1000 bytes"),
    ],
)  # fmt: skip
def test_every_refusal_is_a_problem_that_says_what_would_be_accepted(
    bench: Bench, method: str, path: str, body: bytes | None, status: int, code: str, field: str | None, says: str
) -> None:
    response = bench.client.request(method, path, content=body, headers=JSON)
    told = problem(response)
    assert response.status_code == status
    if field is None:
        assert (told["code"], told["errors"]) == (code, [])
    else:
        fault = told["errors"][0]
        assert code in (told["code"], fault["code"])
        assert fault["field"] == field
        assert fault["right"]
    assert says in told["detail"]
    assert "hunter2" not in response.text + bench.log.getvalue()


@settings(max_examples=40)
@given(st.binary(max_size=60) | st.text(max_size=30).map(lambda text: json.dumps({"name": text}).encode()))
def test_no_body_makes_the_server_fail(bench: Bench, body: bytes) -> None:
    for headers in (
        JSON,
        {"content-type": "text/plain"},
        {"content-type": "application/json", "content-encoding": "br"},
    ):
        response = bench.client.post("/v1/rules/a", content=body, headers=headers)
        if response.status_code != 200:
            assert response.status_code in (400, 422)
            problem(response)


def test_problems_are_in_the_openapi_document(bench: Bench) -> None:
    document = bench.client.get("/openapi.json").json()
    assert document["components"]["schemas"]["Problem"] == SCHEMA
    answers = document["paths"]["/v1/half"]["get"]["responses"]
    reference = {"schema": {"$ref": "#/components/schemas/Problem"}}
    assert [answers[status]["content"] for status in ("404", "422")] == [{"application/problem+json": reference}] * 2


def test_a_method_that_a_path_does_not_take_names_those_it_does(bench: Bench) -> None:
    response = bench.client.put("/v1/raise/x")
    assert response.headers["allow"] == "GET"
    assert problem(response)["code"] == "request.method"
    assert "use GET" in problem(response)["detail"]


def test_a_body_without_a_length_is_bounded_as_it_comes(bench: Bench) -> None:
    def endless() -> Iterator[bytes]:
        yield from [b" " * 300] * 3
        yield GOOD + b" " * 200

    response = bench.client.post("/v1/rules/a", content=endless(), headers=JSON)
    assert (response.status_code, problem(response)["code"]) == (413, "request.too_large")
    assert bench.client.post("/v1/rules/a", content=iter([GOOD]), headers=JSON).status_code == 200


@pytest.mark.parametrize(
    "sent", [b"\0\1\2\r\n\r\n", b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"]
)
def test_what_is_no_http_is_refused_in_the_same_shape(bench: Bench, sent: bytes) -> None:
    with socket.create_connection(("127.0.0.1", bench.serves.port), timeout=5) as raw:
        raw.sendall(sent)
        head, _, body = raw.makefile("rb").read().partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert json.loads(body)["code"] == "request.http"


def test_an_endless_head_is_cut_off(bench: Bench) -> None:
    with socket.create_connection(("127.0.0.1", bench.serves.port), timeout=5) as raw:
        raw.sendall(b"GET /v1/rules/a HTTP/1.1\r\nHost: a\r\nX: " + b"x" * (1024 * 1024 + 10))
        assert raw.recv(100).startswith(b"HTTP/1.1 431 ")
    with socket.create_connection(("127.0.0.1", bench.serves.port), timeout=5) as raw:
        raw.sendall(b"GET /v1/rules/a?%s=1 HTTP/1.1\r\nHost: a\r\n\r\n" % (b"q" * 900_000))
        assert raw.recv(100).startswith(b"HTTP/1.1 200 ")


def test_a_client_that_leaves_midway_is_no_fault_of_the_server(bench: Bench) -> None:
    for path in (b"/v1/rules/a", b"/v1/raw"):
        head = b"POST %s HTTP/1.1\r\nHost: a\r\nX-Request-Id: cut-off-%s\r\nContent-Length: 99\r\n\r\nhalf"
        with socket.create_connection(("127.0.0.1", bench.serves.port), timeout=5) as raw:
            raw.sendall(head % (path, path[-3:].replace(b"/", b"-")))
    deadline = time.monotonic() + 5
    while len(seen := [line for line in bench.lines() if "cut-off" in str(line.get("request_id"))]) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert [(line["event"], line["status"]) for line in seen] == [("request", 400)] * 2


def test_an_answer_that_fails_midway_is_cut_and_the_server_goes_on(bench: Bench) -> None:
    with pytest.raises(httpx2.RemoteProtocolError):
        bench.client.get("/v1/half", headers={"x-request-id": "half-answered"})
    assert [line["event"] for line in bench.lines("half-answered")][:2] == ["request.failed", "request"]
    assert "midway" in bench.lines("half-answered")[0]["exception"]
    assert bench.client.get("/v1/rules/a").status_code == 200


@pytest.mark.parametrize(
    ("sent", "taken"),
    [
        ("req-0123.4567_89", True),
        ("a" * 64, True),
        ("short", False),
        ("a" * 65, False),
        ("x y 12345678", False),
        ("", False),
    ],
)
def test_a_sane_request_id_is_taken_and_a_new_one_made_otherwise(bench: Bench, sent: str, taken: bool) -> None:
    response = bench.client.post("/v1/rules/a", content=GOOD, headers={**JSON, "x-request-id": sent})
    given_id = response.headers["x-request-id"]
    assert response.json()["request_id"] == given_id
    assert (given_id == sent) is taken
    assert taken or re.fullmatch("[0-9a-f]{32}", given_id)
    (line,) = bench.lines(given_id)[-1:]
    assert line["account"] == "root"
    assert (line["route"], line["path"], line["status"]) == ("/v1/rules/{group}", "/v1/rules/a", 200)


def test_requests_are_counted_by_route_and_not_by_path(bench: Bench) -> None:
    for path in ("/v1/rules/one", "/v1/rules/two", "/etc/passwd", "/.git"):
        bench.client.get(path)
    bench.metrics.revision(7)
    bench.metrics.enforced("lab", 7, 0.004)
    bench.metrics.refused("ram.forbidden")
    bench.metrics.repaired("lab")
    bench.metrics.count_resources(lambda: {"group": 3, "rule": 20})
    text = bench.metrics.text().decode()
    for line in (
        'ringfence_requests_total{method="GET",route="(none)",status="404"}',
        'ringfence_request_seconds_bucket{le="0.1",method="GET",route="/v1/rules/{group}"}',
        "ringfence_revision 7.0",
        'ringfence_enforced_revision{agent="lab"} 7.0',
        'ringfence_enforcement_seconds_bucket{agent="lab",le="0.005"} 1.0',
        'ringfence_refusals_total{code="ram.forbidden"} 1.0',
        'ringfence_drift_repairs_total{agent="lab"} 1.0',
        'ringfence_resources{kind="rule"} 20.0',
    ):
        assert line in text
    assert "passwd" not in text
    assert "/v1/rules/one" not in text
    assert CONTENT_TYPE.startswith("text/plain")


SPECIAL: dict[type, tuple[object, ...]] = {
    errors.BadImportFile: ("a", 1, "b", "c", "d"),
    errors.WorldFileError: ("a", ()),
    errors.InvalidFields: ((),),
    PolicyError: ("a", "b", "c"),
    errors.ServerRefused: ("a",),
}


def test_every_error_of_the_tree_has_a_status() -> None:
    def below(kind: type[errors.RingfenceError]) -> Iterator[type[errors.RingfenceError]]:
        yield kind
        for each in kind.__subclasses__():
            yield from below(each)

    known = set(STATUS)
    for kind in below(errors.RingfenceError):
        told = problem_of(kind(*SPECIAL.get(kind, ("a", "b"))))
        assert 400 <= told.status < 600
        if issubclass(kind, errors.Refused) and kind.__module__ == "ringfence.errors":
            assert kind in known, f"{kind.__name__} needs a line of its own"
    assert problem_of(errors.NotAuthenticated("a", "b", reason="auth.clock")).status == 401


SENSITIVE = st.sampled_from(
    [
        "Authorization",
        "secret",
        "access_key_secret",
        "token",
        "X-Auth-Token",
        "password",
        "db_passwd",
        "Set-Cookie",
        "sealed",
    ]
)
HARMLESS = st.sampled_from(["event", "account", "path", "key_id", "note"])
VALUE = "hunter2-hunter2"


def _nested(depth: int) -> Any:
    return VALUE if depth == 0 else {"inner": [_nested(depth - 1)]}


@given(SENSITIVE, HARMLESS, st.integers(0, 4), st.booleans())
def test_no_secret_reaches_a_log_by_its_name_or_by_its_form(name: str, other: str, depth: int, wrapped: bool) -> None:
    forms = [
        f"{name}={VALUE}", f'{{"{name}": "{VALUE}"}}', f"{name}: {VALUE}", f"Authorization: Bearer {VALUE}",
        f"rft_{VALUE}", f"RINGFENCE1-HMAC-SHA256 Credential=LTAIx, SignedHeaders=host, Signature={VALUE}",
        f"postgresql+psycopg://ringfence:{VALUE}@127.0.0.1/db", f"rfs1.0123456789ab.{VALUE}",
    ]  # fmt: skip
    for form in forms:
        assert VALUE not in str(clean({other: [form] if wrapped else form}))
    assert VALUE not in json.dumps(clean({other: {name: _nested(depth)}}))
    assert VALUE not in str(clean({other: Secret(VALUE)}))
    assert clean({other: "a plain note: 7 tokens"}) == {other: "a plain note: 7 tokens"}


@pytest.mark.parametrize("as_json", [True, False])
def test_logs_of_all_origins_are_lines_without_secrets_that_know_their_request(as_json: bool) -> None:
    stream, before = io.StringIO(), logging.getLogger().handlers[:]
    configure(stream, as_json=as_json)
    try:
        structlog.contextvars.bind_contextvars(request_id="req-77777777")
        logger().info("key.made", key_id="LTAI1", secret=VALUE, password=VALUE, headers={"Authorization": VALUE})
        logging.getLogger("sqlalchemy").warning("connect to postgresql://u:%s@h/db", VALUE, extra={"token": VALUE})
        try:
            raise ValueError(f"token={VALUE}")
        except ValueError:
            logger().exception("failed")
            logging.getLogger("uvicorn.error").error("failed too", exc_info=sys.exc_info())
        logger().debug("not at this level")
    finally:
        structlog.contextvars.clear_contextvars()
        structlog.reset_defaults()
        logging.getLogger().handlers[:] = before
    text = stream.getvalue()
    assert VALUE not in text
    assert text.count("req-77777777") == 4
    assert text.count("Traceback") == 2
    assert "not at this level" not in text
    if as_json:
        lines = [json.loads(line) for line in text.splitlines()]
        assert [line["level"] for line in lines] == ["info", "warning", "error", "error"]
        assert lines[0]["key_id"] == "LTAI1"
        assert all(line["timestamp"].endswith("Z") for line in lines)
