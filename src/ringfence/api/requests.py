"""The frame around every request: its id, the bound of its body, its line in the log, its count in the metrics."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Callable
from functools import cached_property
from time import perf_counter
from typing import Any, Final
from urllib.parse import unquote_to_bytes

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ringfence.api.logging import logger
from ringfence.api.metrics import Metrics
from ringfence.api.problems import Problem, problem_of, refusal, response
from ringfence.security.signing import Request as SignedRequest

MAX_BODY: Final = 8 * 1024 * 1024
"""Most bytes of a request's body; a world of 10,000 ports is smaller."""

Refusal = Callable[[Scope, Problem, str], ASGIApp]
"""How a refusal of the frame itself is told, with the request's id: the request may speak another API."""

_REQUEST_ID = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def _as_problem(_scope: Scope, problem: Problem, request_id: str) -> ASGIApp:
    return response(problem, request_id)


class Frame:
    """ASGI middleware around a whole app; logs are set up before its first request. In the scope's state it leaves
    ``request_id``, and ``log``: a dict for more fields of the request's line in the log, as the account that asks.
    """

    def __init__(
        self, app: ASGIApp, metrics: Metrics, max_body: int = MAX_BODY, *, refusal: Refusal | None = None
    ) -> None:
        self._app = app
        self._metrics = metrics
        self._max_body = max_body
        self._refusal = refusal or _as_problem

    @cached_property
    def _log(self) -> Any:
        return logger().bind()  # kept, as to assemble a logger costs more than to write a line

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the app answer one request; whatever it raises is answered, too."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(scope, receive, send, self._max_body, self._refusal)
        try:
            if bad := exchange.bad_head():
                await exchange.answer(bad)
            else:
                await self._app(scope, exchange.receive, exchange.send)
        except ClientDisconnect:
            exchange.status = exchange.status or 400  # nobody is there to be answered
        except asyncio.CancelledError:
            await exchange.answer(refusal(503, "run.stopping", "the server is stopping", "send it again later"))
        except Exception as error:
            self._log.exception("request.failed")
            await exchange.answer(problem_of(error))
        finally:
            self._record(scope, exchange)

    def _record(self, scope: Scope, exchange: _Exchange) -> None:
        seconds = perf_counter() - exchange.began
        method = scope["method"] if scope["method"] in _METHODS else "other"
        route = _route(scope)
        self._metrics.request(route, method, exchange.status, seconds)
        client = scope["client"][0] if scope.get("client") else ""
        (self._log.warning if exchange.status >= 500 else self._log.info)(
            "request", method=method, path=_path(scope), route=route, status=exchange.status,
            ms=round(seconds * 1000, 2), client=client, **exchange.log,
        )  # fmt: skip


class _Exchange:
    """One request and its answer."""

    __slots__ = (
        "_length",
        "_receive",
        "_refusal",
        "_scope",
        "_send",
        "began",
        "log",
        "max_body",
        "received",
        "request_id",
        "status",
    )

    def __init__(self, scope: Scope, receive: Receive, send: Send, max_body: int, refusal: Refusal) -> None:
        self.began = perf_counter()
        self._refusal = refusal
        self._scope, self._receive, self._send = scope, receive, send
        self.max_body, self.received, self.status = max_body, 0, 0
        self._length, given = 0, b""
        for name, value in scope["headers"]:
            if name == b"content-length":
                self._length = int(value)
            elif name == b"x-request-id":
                given = value
        self.request_id = given.decode() if _REQUEST_ID.fullmatch(given) else secrets.token_hex(16)
        self.log: dict[str, Any] = {}
        state = scope.setdefault("state", {})
        state["request_id"], state["log"] = self.request_id, self.log
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=self.request_id)

    def bad_head(self) -> Problem | None:
        """What is wrong with the request before its body comes, if anything is."""
        if self._length > self.max_body:
            return _too_large(self.max_body)
        return _bad_target(_path(self._scope).encode("latin-1") + b"?" + self._scope["query_string"])

    async def receive(self) -> Message:
        """The next part of the body; too many bytes without a length told before are refused as they come."""
        message = await self._receive()
        if message["type"] == "http.request":
            self.received += len(message.get("body", b""))
            if self.received > self.max_body:
                # Of all errors, this one passes through what parses bodies.
                raise HTTPException(413, f"send at most {self.max_body} bytes")
        return message

    async def send(self, message: Message) -> None:
        """Send a part of the answer; the first one with the request's id."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message.get("headers", ()), (b"x-request-id", self.request_id.encode())]
        await self._send(message)

    async def answer(self, problem: Problem) -> None:
        """Answer with a problem, unless an answer has begun: then the server closes the connection on its half."""
        if not self.status:
            await self._refusal(self._scope, problem, self.request_id)(self._scope, self._receive, self.send)


def signed_request(scope: Scope, body: bytes) -> SignedRequest:
    """A request as its signature is made over it: path, query and headers as they are on the wire."""
    headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"])
    return SignedRequest(scope["method"], _path(scope), scope["query_string"].decode("latin-1"), headers, body)


def _path(scope: Scope) -> str:
    raw: bytes | None = scope.get("raw_path")
    return raw.decode("latin-1") if raw is not None else str(scope["path"])


def _route(scope: Scope) -> str:
    """The template of the path that was asked for; what no route has is counted as one."""
    included = scope.get("fastapi", {}).get("effective_route_context")  # it knows the prefix of its router
    for route in (included, scope.get("route")):
        if template := getattr(route, "path_format", ""):
            return str(template)
    return "(none)"


def _bad_target(target: bytes) -> Problem | None:
    if b"%" not in target and target.isascii():
        return None
    try:
        text = unquote_to_bytes(target).decode()
    except UnicodeDecodeError:
        text = "\0"
    if target.isascii() and "\0" not in text:
        return None
    what = "the path or the query is not percent-encoded UTF-8, or holds a zero byte"
    return refusal(400, "request.encoding", what, "percent-encode the UTF-8 of its text", "path")


def _too_large(most: int) -> Problem:
    return refusal(413, "request.too_large", "the body is too large", f"send at most {most} bytes", "body")
