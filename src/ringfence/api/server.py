"""The HTTP server of every service: uvicorn, set up to trust nobody's headers and to stop without hanging."""

from __future__ import annotations

import socket
import threading
from collections.abc import Sequence
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from ringfence import garbage
from ringfence.api.protocol import MAX_HEAD, PROTOCOL, StoppableState
from ringfence.errors import CannotRun

GRACE: Final = 5
"""Seconds that open requests have to end after the server was told to stop."""

_BACKLOG = 2048  # uvicorn's own
_KEEP_ALIVE = 75  # seconds; longer than clients keep a connection idle, so that it is they who close it


class Server(uvicorn.Server):
    """A server of one app. On a signal, or when ``should_exit`` is set, it stops within its grace:

    it accepts nothing more, open requests end, streams are told by ``stopping_of(scope)``, what is left is cut off.
    ``ready`` is set as soon as it accepts connections.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.server_state: StoppableState = StoppableState()
        self.ready = threading.Event()

    def stop(self) -> None:
        """Stop as on a signal, from any thread or from a signal's handler."""
        self.should_exit = True

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until told to stop."""
        with garbage.settled():
            await super().serve(sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to accept connections."""
        await super().startup(sockets)
        self.ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Tell the streams, then end as uvicorn does: within the time for a graceful stop."""
        self.server_state.stopping.set()
        await super().shutdown(sockets)


def server(app: ASGIApp, grace: int = GRACE, proxies: Sequence[str] = ()) -> Server:
    """A server of the app, to be run on a socket of `listening`.

    The client's address is that of the connection; ``X-Forwarded-For`` counts only from the addresses in ``proxies``.
    """
    return Server(
        uvicorn.Config(
            app,
            http=PROTOCOL,
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=bool(proxies),
            forwarded_allow_ips=list(proxies),
            timeout_keep_alive=_KEEP_ALIVE,
            timeout_graceful_shutdown=grace,
            h11_max_incomplete_event_size=MAX_HEAD,
            reset_contextvars=True,  # what one request bound must not show in another's lines
        )
    )


def listening(host: str, port: int) -> socket.socket:
    """A socket bound to an address for a server; port 0 takes a free one. Raises `CannotRun`."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        bound = socket.socket(family, kind, protocol)
    except OSError as error:
        raise CannotRun(f"cannot listen on {host!r}: {error.strerror}; name an address of this machine") from None
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        bound.listen(_BACKLOG)  # who asks from now on waits until the server runs, and is not refused
    except OSError as error:
        bound.close()
        raise CannotRun(
            f"cannot listen on {host} port {port}: {error.strerror}; choose another address or port"
        ) from None
    return bound
