"""Routes for those who run the service: what is served, is it alive, can it serve, and its figures."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ringfence.api.app import caller_of
from ringfence.api.call import Service
from ringfence.api.metrics import Metrics
from ringfence.ram import actions as ram
from ringfence.ram.arn import METRICS
from ringfence.wire.index import index

PUBLIC = ("/", "/healthz", "/readyz")
"""Paths that need no caller: they tell nothing of anybody."""


def install(app: FastAPI, service: Service, metrics: Metrics, ready: Callable[[], dict[str, bool]]) -> None:
    """Add the routes. ``ready`` tells what the service needs to serve, and whether it is there."""

    async def root(request: Request) -> Response:
        return JSONResponse(index(str(request.base_url).rstrip("/")))

    async def healthz() -> Response:
        return JSONResponse({"alive": True})

    async def readyz() -> Response:
        found = await run_in_threadpool(ready)
        return JSONResponse({"ready": all(found.values()), "checks": found}, 200 if all(found.values()) else 503)

    def figures(request: Request, raw: bytes) -> bytes:
        caller = caller_of(service, request, raw)
        service.control.authority.require_kind(caller, ram.DESCRIBE_METRICS, METRICS, operators_only=True)
        return metrics.text()

    async def metrics_(request: Request) -> Response:
        told = await run_in_threadpool(figures, request, await request.body())
        return Response(told, media_type="text/plain; version=0.0.4")

    for path, handle in (("/", root), ("/healthz", healthz), ("/readyz", readyz), ("/metrics", metrics_)):
        app.add_api_route(path, handle, methods=["GET"], include_in_schema=False)
