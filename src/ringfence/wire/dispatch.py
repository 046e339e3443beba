"""One port for the native API and the clouds' own ones: each request goes to whom it speaks (apis/README.md 5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from ringfence.api.app import origin_of
from ringfence.api.logging import logger
from ringfence.api.problems import Problem, response
from ringfence.api.requests import signed_request
from ringfence.control.identity import From
from ringfence.security.signing import SCHEME
from ringfence.wire.request import Answer, Request, Surface

_OURS = SCHEME.encode()


@dataclass(frozen=True, slots=True)
class _Label:
    """What stands for the path's template in figures and in the log: the operation."""

    path_format: str


class Wires:
    """ASGI app that answers the requests that one of the surfaces claims, the first that does; an app has the rest."""

    def __init__(self, app: ASGIApp, surfaces: Sequence[Surface]) -> None:
        self._app = app
        self._surfaces = surfaces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        surface = self._surface_of(scope)
        if surface is None:
            await self._app(scope, receive, send)
            return
        http = HttpRequest(scope, receive)
        signed = signed_request(scope, await http.body())
        origin = replace(origin_of(http), account="", service="")  # of headers that the clouds' signatures do not cover
        request = Request(signed, origin, scope["state"].setdefault("log", {}))
        try:
            answer = await run_in_threadpool(surface.answer, request)
        except Exception:
            logger().exception("request.failed")
            answer = surface.refuse(request, 500)
        scope["route"] = _Label(answer.label)
        await _http(answer)(scope, receive, send)

    def refusal(self, scope: Scope, problem: Problem, request_id: str) -> ASGIApp:
        """The answer to a request that came to nothing before it was an operation's, as its API would tell it."""
        surface = self._surface_of(scope)
        if surface is None:
            return response(problem, request_id)
        request = Request(signed_request(scope, b""), From(request_id=request_id))
        return _http(surface.refuse(request, problem.status))

    def _surface_of(self, scope: Scope) -> Surface | None:
        if scope["type"] != "http" or _is_native(scope):
            return None
        head = Request(signed_request(scope, b""), From())
        return next((surface for surface in self._surfaces if surface.claims(head)), None)


def _is_native(scope: Scope) -> bool:
    """Whether a request is surely one to the native API: told fast, as it is asked of every one."""
    given = (value for name, value in scope["headers"] if name == b"authorization")
    return scope["path"] != "/" and next(given, b"").startswith((b"Bearer ", _OURS))


def _http(answer: Answer) -> Response:
    return Response(answer.body, answer.status, dict(answer.headers), answer.media_type)
