"""A real server of any ASGI app on a free loopback port, in a thread of the test's process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread

from starlette.types import ASGIApp

from ringfence.api.server import GRACE, Server, listening, server


@dataclass(frozen=True, slots=True)
class Serving:
    """A server that runs; ``url`` is its origin without a slash at the end."""

    url: str
    port: int
    server: Server
    thread: Thread

    def stop(self) -> None:
        """Stop as on a signal, and wait until it has; a server that hangs fails the test."""
        self.server.should_exit = True
        bound = (self.server.config.timeout_graceful_shutdown or 0) + 10
        self.thread.join(bound)
        assert not self.thread.is_alive(), "the server did not stop within its grace"


@contextmanager
def serving(app: ASGIApp, grace: int = GRACE) -> Iterator[Serving]:
    """Serve the app until the block is left, then stop gracefully (0.2 s: share a server among tests where it fits)."""
    bound = listening("127.0.0.1", 0)
    port = bound.getsockname()[1]
    running = server(app, grace)
    thread = Thread(target=running.run, kwargs={"sockets": [bound]}, name=f"server on port {port}", daemon=True)
    thread.start()
    while not running.ready.wait(0.05):
        assert thread.is_alive(), "the server did not start: its log says why"
    serves = Serving(f"http://127.0.0.1:{port}", port, running, thread)
    try:
        yield serves
    finally:
        serves.stop()
