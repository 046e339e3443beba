"""HTTP connections under the API: uvicorn's protocols, which also tell each request of the connection it came by."""

from __future__ import annotations

import asyncio
import secrets
import time
from dataclasses import dataclass
from itertools import count
from typing import Any, Final, Self

from starlette.types import Scope
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from ringfence.api.problems import Problem, refusal

MAX_HEAD: Final = 1024 * 1024
"""Most bytes of a request's line and headers. Some clients put all into the query: 100 rules can be 480 KB there."""

_PROCESS = secrets.token_hex(8)
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Connection:
    """The TCP connection by which a request came; two requests came by the same one exactly if the ids are equal.

    ``opened`` is when it was accepted, in Unix seconds. No other process gives the same ids, so they may be stored.
    """

    id: str
    opened: float

    @classmethod
    def accepted(cls) -> Self:
        """A connection that was opened just now."""
        return cls(f"{_PROCESS}.{next(_numbers)}", time.time())


def connection_of(scope: Scope) -> Connection:
    """The connection of a request; raises `KeyError` under a server without these protocols."""
    found = scope["state"]["connection"]
    assert isinstance(found, Connection)
    return found


def stopping_of(scope: Scope) -> asyncio.Event:
    """The event that is set when the server is told to stop: a stream waits for it beside its news, and ends."""
    found = scope["state"]["stopping"]
    assert isinstance(found, asyncio.Event)
    return found


class StoppableState(ServerState):
    """What all connections of one server share, and whether it is stopping."""

    def __init__(self) -> None:
        super().__init__()
        self.stopping = asyncio.Event()


class _Telling(asyncio.Protocol):
    """Puts the connection into the state of every request's scope, and refuses malformed HTTP in the common shape."""

    app_state: dict[str, Any]
    server_state: ServerState
    transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.app_state = {**self.app_state, "connection": Connection.accepted()}
        if isinstance(self.server_state, StoppableState):
            self.app_state["stopping"] = self.server_state.stopping
        super().connection_made(transport)

    def send_400_response(self, _message: str) -> None:
        self._refuse(refusal(400, "request.http", "this is no HTTP request", "speak HTTP/1.1"))

    def _refuse(self, problem: Problem) -> None:
        body = problem.body("")
        head = [f"HTTP/1.1 {problem.status} {problem.title}", f"content-length: {len(body)}", "connection: close"]
        head += [f"{name}: {value}" for name, value in problem.all_headers()]
        self.transport.write("\r\n".join((*head, "", "")).encode("ascii") + body)
        self.transport.close()


class H11(_Telling, H11Protocol):
    """The protocol in pure Python."""


try:
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
except ImportError:  # slower without, and otherwise the same
    PROTOCOL: type[asyncio.Protocol] = H11
else:

    class HttpTools(_Telling, HttpToolsProtocol):
        """The protocol by httptools, with the bound on a request's head that its parser does not have."""

        _in_head = False
        _head_bytes = 0

        def data_received(self, data: bytes) -> None:
            """Take bytes of the connection in."""
            super().data_received(data)
            if self._in_head:
                self._head_bytes += len(data)
                if self._head_bytes > MAX_HEAD and not self.transport.is_closing():
                    what, right = (
                        "the request's line and headers are too long",
                        f"send at most {MAX_HEAD} bytes of them",
                    )
                    self._refuse(refusal(431, "request.head", what, right))

        def on_message_begin(self) -> None:
            """A request's first byte has come."""
            self._in_head, self._head_bytes = True, 0
            super().on_message_begin()

        def on_headers_complete(self) -> None:
            """The empty line after the headers has come."""
            self._in_head = False
            if not self.url.startswith(b"/"):  # OPTIONS *, or the form that proxies are asked in
                super().on_headers_complete()
                return
            # The parser of URLs takes no more than 64 KiB, so the query goes past it; the app's task starts later.
            self.url, _, query = self.url.partition(b"?")
            super().on_headers_complete()
            self.scope["query_string"] = query

    PROTOCOL = HttpTools
