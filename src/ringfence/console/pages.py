"""Pages for people, in a browser: quotas. Who looks signs in with a token; a cookie keeps it, for these pages alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from urllib.parse import parse_qs

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from ringfence.api.app import origin_of
from ringfence.api.call import Service
from ringfence.console import page
from ringfence.control import quotas
from ringfence.control.caller import Caller
from ringfence.errors import Forbidden, NotAuthenticated
from ringfence.resources.kind import Kind
from ringfence.security.keys import is_token
from ringfence.security.secret import Secret

PATH = "/quotas"
COOKIE = "ringfence_page"
"""Sent by browsers to these pages only; the API does not know it."""
_MOST = 4096  # bytes of a form


def install(app: FastAPI, service: Service) -> None:
    """Add the pages to an app."""

    async def show(request: Request) -> Response:
        return await run_in_threadpool(_show, service, request)

    async def enter(request: Request) -> Response:
        return await run_in_threadpool(_enter, service, request, await request.body())

    async def leave(request: Request) -> Response:
        return _leave(request)

    routes: tuple[tuple[str, str, Callable[[Request], object]], ...] = (
        ("GET", PATH, show),
        ("POST", f"{PATH}/sign-in", enter),
        ("POST", f"{PATH}/sign-out", leave),
    )
    for method, path, handle in routes:
        app.add_api_route(path, handle, methods=[method], include_in_schema=False, response_model=None)


def _show(service: Service, request: Request) -> Response:
    token = request.cookies.get(COOKIE, "")
    if not token:
        return _html(page.sign_in(), 200)
    try:
        caller = _caller(service, request, token)
        used = quotas.usage_for(service.control, caller)
    except NotAuthenticated as error:
        return _html(page.sign_in(str(error)), 401)
    except Forbidden as error:
        return _html(page.refused(str(error)), 403)
    account = service.control.state.get(Kind.ACCOUNT, caller.account)
    return _html(page.quotas(caller.account, account.name if account else "", used), 200)


def _enter(service: Service, request: Request, body: bytes) -> Response:
    if not _is_own(request):
        return _html(page.sign_in("the form was not sent by this page; sign in here"), 403)
    said = parse_qs(body[:_MOST].decode("utf-8", "replace"))
    token = said.get("token", [""])[0].strip()
    try:
        _caller(service, request, token)
    except (NotAuthenticated, Forbidden) as error:
        return _html(page.sign_in(str(error)), 401)
    return _going_back(request, token, None)


def _leave(request: Request) -> Response:
    if not _is_own(request):
        return _html(page.refused("the form was not sent by this page"), 403)
    return _going_back(request, "", 0)


def _caller(service: Service, request: Request, token: str) -> Caller:
    """Who has the token, acting on the account that the page is asked for; only an operator may name another."""
    if not is_token(token):
        raise NotAuthenticated("this is no token", "paste one as ringfence login makes it", reason="auth.token")
    origin = replace(origin_of(request), account=request.query_params.get("account", ""), service="")
    return service.identities.by_token(Secret(token), origin)


def _is_own(request: Request) -> bool:
    """Whether a form comes from a page of this server, as far as the browser says."""
    return request.headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none")


def _going_back(request: Request, token: str, max_age: int | None) -> Response:
    cookie = f"{COOKIE}={token}; Path={PATH}; HttpOnly; SameSite=Strict"
    cookie += "; Secure" if request.url.scheme == "https" else ""
    cookie += "" if max_age is None else f"; Max-Age={max_age}"
    return RedirectResponse(PATH, 303, {**page.HEADERS, "set-cookie": cookie})


def _html(text: str, status: int) -> Response:
    return HTMLResponse(text, status, page.HEADERS)
