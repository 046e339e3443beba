"""The native API as one ASGI application."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Iterable
from functools import partial
from importlib.metadata import version
from typing import Any, cast

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute
from starlette.types import Receive, Scope, Send

from ringfence.api import (
    attaching,
    audit,
    declaring,
    enforcement,
    exchange,
    explaining,
    fixing,
    history,
    keys,
    lines,
    linting,
    membership,
    problems,
    quotas,
    reaching,
    resources,
    rules,
    tags,
    watch,
)
from ringfence.api.call import Answer, Call, Service
from ringfence.api.protocol import connection_of
from ringfence.api.requests import signed_request
from ringfence.api.room import Room, Rooms
from ringfence.api.route import Route
from ringfence.control.caller import Caller
from ringfence.control.identity import From
from ringfence.errors import NotAuthenticated, RingfenceError
from ringfence.security.keys import is_token
from ringfence.security.secret import Secret

ACCOUNT_HEADER, SERVICE_HEADER = "x-ringfence-account", "x-ringfence-service"
"""Headers by which an operator acts on another account, or as a managed service."""

_OFTEN = ("create_rule", "authorize_rules", "get_group")
"""The routes that are asked for most."""

Endpoint = Callable[[Request], Awaitable[Response]]


def all_routes() -> list[Route]:
    """Every route of the native API that wants a caller."""
    changing = (quotas, resources, rules, membership, attaching, exchange, lines, tags, keys, declaring)
    rooms = (*changing, explaining, fixing, linting, reaching, history, audit, watch, enforcement)
    found = [route for room in rooms for route in room.routes()]
    return sorted(found, key=lambda route: route.name not in _OFTEN)  # a request tries one route after the other


def build(service: Service, routes: Iterable[Route] | None = None) -> FastAPI:
    """The application. What stands around it (request ids, bounds, logs) is `ringfence.api.requests.Frame`."""
    app = _Native(
        title="Ringfence", version=version("ringfence"), docs_url=None, redoc_url=None, redirect_slashes=False
    )  # a request that is sent on elsewhere has the signature of another path
    problems.install(app)
    rooms = Rooms()
    for route in all_routes() if routes is None else routes:
        endpoint = _endpoint(service, route, rooms)
        app.router.add_api_route(
            route.path,
            endpoint,
            methods=[route.method],
            operation_id=route.name,
            summary=route.doc,
            status_code=route.status,
            response_class=Response,
            response_model=None,
            openapi_extra=route.as_openapi(),
            route_class_override=_Plain,
        )
        if "{" not in route.path:
            app.direct[route.method, route.path] = app.router.routes[-1], endpoint
    _describe(app)
    return app


class _Native(FastAPI):
    """FastAPI, which finds the routes and tells them. What a path alone names is asked for at once.

    All that stands between there is nothing to us: no dependencies, no bounds but the frame's. It takes 60 µs.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.direct: dict[tuple[str, str], tuple[BaseRoute, Endpoint]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; what nobody foresaw is raised, for the frame to log."""
        found = self.direct.get((scope["method"], scope["path"])) if scope["type"] == "http" else None
        if found is None:
            await super().__call__(scope, receive, send)
            return
        scope["route"], endpoint = found
        request = Request(scope, receive, send)
        try:
            response = await endpoint(request)
        except (RingfenceError, HTTPException) as error:
            response = await problems.answer(request, error)
        await response(scope, receive, send)


class _Plain(APIRoute):
    """A route whose endpoint takes the request as it is: there are no parameters for FastAPI to look for in it."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The endpoint."""
        return cast("Callable[[Request], Coroutine[Any, Any, Response]]", self.endpoint)


def _endpoint(service: Service, route: Route, rooms: Rooms) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        raw = await request.body()
        room = _room_for(route, request, rooms)
        if room is None:
            return await run_in_threadpool(_answered, service, route, request, raw)
        caller = await run_in_threadpool(_known, service, request, raw)
        return await room.run(caller.account, partial(_told, service, route, request, raw, caller))

    return endpoint


def _room_for(route: Route, request: Request, rooms: Rooms) -> Room | None:
    if route.is_long or _is_long(request):
        return rooms.working
    if route.is_judged:
        return rooms.judged
    return rooms.waiting if "wait" in request.query_params else None


def _is_long(request: Request) -> bool:
    """Whether a request tells what a change would lead to, which takes as long as any analysis, or is about the past,
    which is all read again.
    """
    asked = request.query_params
    foresees = (asked.get(name, "false").lower() not in ("false", "0") for name in ("dry_run", "preview"))
    return any(foresees) or "as_of" in asked


def _answered(service: Service, route: Route, request: Request, raw: bytes) -> Response:
    return _told(service, route, request, raw, _known(service, request, raw))


def _known(service: Service, request: Request, raw: bytes) -> Caller:
    """Who asks, as the log says it, too."""
    caller = caller_of(service, request, raw)
    request.scope["state"].setdefault("log", {})["account"] = caller.account
    return caller


def _told(service: Service, route: Route, request: Request, raw: bytes, caller: Caller) -> Response:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in request.scope["headers"]}
    call = Call(service, caller, request.path_params, request.query_params, headers, raw)
    answer = _handled(route, call)
    if answer.stream:
        stream = answer.stream(request.scope)
        return StreamingResponse(stream, answer.status, dict(answer.headers), answer.media_type)
    return Response(answer.encoded(), answer.status, dict(answer.headers), answer.media_type)


def _handled(route: Route, call: Call) -> Answer:
    """What the route answers to those who may ask for it at all; a refusal is in the audit, of reads, too."""
    with call.control.asked(call.caller, route.actions[0].name, () if route.own else route.actions):
        route.check_parameters(call)
        return route.handle(call)


def caller_of(service: Service, request: Request, raw: bytes) -> Caller:
    """Who asks, by token or signature. Raises `NotAuthenticated`, `Forbidden`."""
    origin = origin_of(request)
    scheme, _, rest = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        if not is_token(rest):
            raise NotAuthenticated("this is no token", "log in to get one", reason="auth.token")
        return service.identities.by_token(Secret(rest), origin)
    return service.identities.by_signature(signed_request(request.scope, raw), origin)


def origin_of(request: Request) -> From:
    """Where a request comes from."""
    scope = request.scope
    connection = connection_of(scope)
    return From(
        source=scope["client"][0] if scope.get("client") else "",
        request_id=scope["state"].get("request_id", ""),
        secure=scope["scheme"] == "https",
        connection=connection.id,
        connected=connection.opened,
        account=request.headers.get(ACCOUNT_HEADER, ""),
        service=request.headers.get(SERVICE_HEADER, ""),
    )


def _describe(app: FastAPI) -> None:
    """Add to the OpenAPI what all routes share."""
    made = app.openapi

    def openapi() -> dict[str, Any]:
        if not app.openapi_schema:
            schema = made()
            components: dict[str, Any] = schema.setdefault("components", {})
            components["securitySchemes"] = {
                "token": {"type": "http", "scheme": "bearer"},
                "signature": {"type": "apiKey", "in": "header", "name": "Authorization"},
            }
            schema["security"] = [{"token": []}, {"signature": []}]
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # as FastAPI's documentation has it
