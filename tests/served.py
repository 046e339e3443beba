"""A real service for tests: a store, all its APIs on a loopback port, and the operator's access key."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from ringfence.api.app import build
from ringfence.api.call import Service
from ringfence.api.metrics import Metrics
from ringfence.api.requests import Frame
from ringfence.client.client import Client
from ringfence.control.control import Control
from ringfence.control.identity import Identities
from ringfence.security.keyring import Keyring
from ringfence.security.keys import AccessKey
from ringfence.store.store import Store
from ringfence.wire.apis import wire_apis
from tests.serving import Serving, serving


@dataclass(frozen=True)
class Served:
    """A service that runs. ``key`` is the operator's: its account is ``operator``."""

    serving: Serving
    store: Store
    control: Control
    identities: Identities
    key: AccessKey

    @property
    def url(self) -> str:
        """The server's origin."""
        return self.serving.url

    def client(self, account: str = "", key: AccessKey | None = None) -> Client:
        """A client of the operator's, or of another key's; ``account`` is the one to act on."""
        return Client(self.url, key=key or self.key, account=account)


@contextmanager
def served(directory: Path, database: str = "") -> Iterator[Served]:
    """Serve a new store (SQLite in the directory, or the database of a URL) until the block is left."""
    if not structlog.is_configured():  # lines of the log do not mix with what a test prints
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with closing(Store.open(database or f"sqlite:///{directory}/ringfence.db")) as store:
        control = Control(store)
        identities = Identities(control, Keyring.load(directory / "keys"))
        key = identities.bootstrap()
        assert key, "the store is not new"
        service = Service(control, identities)
        service.confirming.start()
        try:
            wires = wire_apis(build(service), control, identities)
            with serving(Frame(wires, Metrics(), refusal=wires.refusal)) as running:
                yield Served(running, store, control, identities, key)
        finally:
            service.confirming.stop()
