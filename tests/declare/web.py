"""The service under a real server, and clients of it whose connections are known."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import httpx2

from ringfence.api.app import build
from ringfence.api.call import Service
from ringfence.api.metrics import Metrics
from ringfence.api.requests import Frame
from ringfence.control.caller import Caller
from tests.declare.desk import Desk
from tests.serving import serving


@dataclass
class Web:
    """A served desk."""

    desk: Desk
    service: Service
    url: str
    clients: ExitStack

    def token(self, caller: Caller) -> str:
        """A token for somebody."""
        return self.desk.identities.log_in(caller)[0].reveal()

    def client(self, caller: Caller | None = None, **headers: str) -> httpx2.Client:
        """A client with a connection of its own, which it keeps."""
        caller = caller or self.desk.caller(key_id=self.desk.root.id)
        head = {"authorization": f"Bearer {self.token(caller)}", "content-type": "text/yaml", **headers}
        made = httpx2.Client(base_url=self.url, headers=head, limits=httpx2.Limits(max_connections=1), timeout=30)
        return self.clients.enter_context(made)


@contextmanager
def web(desk: Desk, *, timer: bool = True) -> Iterator[Web]:
    """Serve a desk; with the timer that takes back what nobody confirms."""
    service = Service(desk.control, desk.identities)
    if timer:
        service.confirming.start()
    try:
        with serving(Frame(build(service), Metrics())) as served, ExitStack() as clients:
            yield Web(desk, service, served.url, clients)
    finally:
        service.confirming.stop()


def refused(response: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    """The problem that a request was refused with."""
    told: dict[str, Any] = response.json()
    assert (response.status_code, told["code"]) == (status, code), told
    return told
