"""What the service costs over HTTP: durable authorisations a second, next to a bare handler on the same server stack.

The bare handler is a route of FastAPI, served by the same uvicorn in the same process, that commits one row to the same
SQLite file through the same pool of connections. What a rule authorisation does besides: it is authenticated, judged by
a RAM user's policies, checked against the model and the quotas, audited, and made a revision. Eight clients ask at the
same time over open connections; slices of both take turns, and a ratio is taken between slices of one turn.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from fastapi import FastAPI
from sqlalchemy import create_engine, event, text
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from tests.serving import serving

from bench.load import Load, request
from bench.report import Figure, Relation, Target
from bench.worlds import estate
from ringfence.api.logging import configure
from ringfence.control import basic
from ringfence.control.authority import OPERATOR
from ringfence.control.caller import Caller
from ringfence.resources.kind import Kind
from ringfence.security.secret import Secret
from ringfence.security.signing import Request, signed_headers
from ringfence.server.runtime import Runtime, Settings

_POLICY = json.dumps(
    {
        "Version": "1",
        "Statement": [
            {"Effect": "Allow", "Action": ["ecs:Authorize*", "ecs:Revoke*"], "Resource": "acs:ecs:*:*:securitygroup/*"},
            {"Effect": "Deny", "Action": "ecs:Delete*", "Resource": "*"},
        ],
    }
)


@dataclass(frozen=True, slots=True)
class ServeCase:
    """How much to measure: ports of the estate, requests in a slice, turns, and rules in a batch."""

    ports: int
    requests: int
    rounds: int
    batch: int


@dataclass(frozen=True, slots=True)
class _Who:
    """A RAM user who may authorise, by token and by access key."""

    token: str
    key_id: str
    secret: Secret


def measure_serving(case: ServeCase) -> list[Figure]:
    """Measure all of it on one store."""
    from bench.stored import fill  # the estate as resources

    configure(sys.stderr, "warning")
    with tempfile.TemporaryDirectory(prefix="ringfence-bench-") as directory:
        runtime = Runtime(Settings.at(Path(directory)))
        fill(runtime.store, estate(case.ports))
        runtime.control.refresh()
        who = _somebody(runtime)
        with serving(runtime.app()) as ours, serving(_bare(runtime)) as bare, Load() as load:
            makers = _Requests(case.ports // 10, who, ours.port)
            kinds: dict[str, tuple[int, Callable[[], bytes], int]] = {
                "bare": (bare.port, lambda: request("POST", "/row", {}, b"{}"), case.requests),
                "token": (ours.port, makers.by_token, case.requests),
                "signature": (ours.port, makers.signed, case.requests),
                # so many that a slice of them takes about as long as one of single calls
                "batch": (ours.port, lambda: makers.batch(case.batch), max(8, case.requests // 10)),
            }
            rates: dict[str, list[float]] = {name: [] for name in kinds}
            for _ in range(case.rounds + 1):
                for name, (port, make, count) in kinds.items():
                    requests = [make() for _ in range(count)]
                    rates[name].append(count / load.drive(port, requests))
        runtime.store.close()
    return list(_figures(case, {name: found[1:] for name, found in rates.items()}))  # the first turn warms up


def _figures(case: ServeCase, rates: dict[str, list[float]]) -> Iterator[Figure]:
    middle = {name: median(found) for name, found in rates.items()}
    for name in ("token", "signature"):
        yield Figure.of(
            f"rule authorisations a second by {name}, over a bare handler that commits a row",
            [one / other for one, other in zip(rates[name], rates["bare"], strict=True)],
            f"{middle[name]:.0f}/s / {middle['bare']:.0f}/s",
            Target(Relation.AT_LEAST, 0.4),
        )
    yield Figure.of(
        f"rules a second in calls of {case.batch}, over single calls",
        [case.batch * one / other for one, other in zip(rates["batch"], rates["token"], strict=True)],
        f"{case.batch * middle['batch']:.0f}/s / {middle['token']:.0f}/s",
        Target(Relation.AT_LEAST, 20),
    )


def _somebody(runtime: Runtime) -> _Who:
    caller = Caller(OPERATOR, operator=True)
    with runtime.control.change(caller, "Bench") as draft:
        policy = basic.create(draft, Kind.POLICY, {"name": "authorise", "document": _POLICY})
        user = basic.create(draft, Kind.USER, {"name": "ci", "policies": [policy.id]})
        key, secret = runtime.identities.create_key(draft, user.id)
    token, _ = runtime.identities.log_in(Caller(OPERATOR, user=user.id, key_id=key.id, home=OPERATOR))
    return _Who(token.reveal(), key.id, secret)


class _Requests:
    """Makes requests that each authorise rules which are not there yet, in one group after the other."""

    def __init__(self, groups: int, who: _Who, port: int) -> None:
        self._groups, self._who, self._host = groups, who, f"127.0.0.1:{port}"
        self._made = 0

    def _rule(self) -> tuple[str, str]:
        self._made += 1
        number, group = divmod(self._made, self._groups)
        high, low = divmod(number, 256)
        return f"sg-{group}", f"in allow tcp {20_000 + self._made % 20_000} from 100.{64 + high}.{low}.0/24"

    def _single(self) -> bytes:
        group, rule = self._rule()
        return json.dumps({"group": group, "rule": rule}).encode()

    def by_token(self) -> bytes:
        """One rule, with a bearer token."""
        return request("POST", "/v1/rules", {"authorization": f"Bearer {self._who.token}"}, self._single())

    def signed(self) -> bytes:
        """One rule, signed with an access key."""
        body = self._single()
        bare = Request("POST", "/v1/rules", "", (("host", self._host),), body)
        headers = signed_headers(bare, self._who.key_id, self._who.secret)
        return request("POST", "/v1/rules", headers, body).replace(b"host: localhost", f"host: {self._host}".encode())

    def batch(self, count: int) -> bytes:
        """Many rules of one group in one call."""
        group, _ = self._rule()
        base = self._made * 131 % 16_000
        rules = [
            f"in allow udp {1024 + (base + line) % 60_000} from 100.{64 + self._made % 60}.0.0/16"
            for line in range(count)
        ]
        headers = {"authorization": f"Bearer {self._who.token}"}
        return request("POST", f"/v1/groups/{group}/rules", headers, json.dumps({"rules": rules}).encode())


def _durable(connection: sqlite3.Connection, _: object) -> None:
    connection.execute("PRAGMA synchronous = FULL")  # the file is in WAL mode already


def _bare(runtime: Runtime) -> FastAPI:
    """One route that commits one row to the service's own SQLite file: as durably, and one at a time."""
    engine, turn = create_engine(runtime.settings.database), threading.Lock()
    event.listen(engine, "connect", _durable)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE bench (id INTEGER PRIMARY KEY, body TEXT)"))
    insert = text("INSERT INTO bench (body) VALUES (:body)")
    app = FastAPI()

    def row(request_: HttpRequest) -> Response:
        with turn, engine.begin() as connection:
            connection.execute(insert, {"body": request_.url.path})
        return Response(b"{}", 201, media_type="application/json")

    app.add_api_route("/row", row, methods=["POST"], response_model=None)
    return app
