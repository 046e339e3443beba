"""The parts of the service put together in one process: store, operations, API, and an agent if it is to have one."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import cast

from starlette.types import ASGIApp

from ringfence.agent.agent import AUDIT, Agent, Event
from ringfence.agent.enforcer import Enforcer
from ringfence.agent.fabric import Fabric
from ringfence.agent.outcome import code_of, words_of
from ringfence.agent.source import LocalSource
from ringfence.api.app import build
from ringfence.api.call import Service
from ringfence.api.logging import logger
from ringfence.api.metrics import Metrics
from ringfence.api.requests import Frame
from ringfence.console import pages
from ringfence.control.authority import REGION
from ringfence.control.control import Control
from ringfence.control.enforcement import DRIFT
from ringfence.control.group import Step
from ringfence.control.identity import Identities, given_root_key
from ringfence.errors import RingfenceError, SealBroken, UnknownRevision
from ringfence.model.world import World
from ringfence.resources.kind import Kind
from ringfence.resources.state import State
from ringfence.resources.values import AccessKey as SealedKey
from ringfence.security.keyring import Keyring
from ringfence.security.keys import AccessKey
from ringfence.server import operation
from ringfence.store.rows import Report
from ringfence.store.store import Store
from ringfence.wire.apis import wire_apis

_LOOK = 0.1  # seconds between two looks at what other servers have written


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the service keeps what it keeps. ``database`` is a URL; ``key_file`` seals secrets and is kept apart."""

    database: str
    key_file: Path
    audit_every: float = AUDIT
    """Seconds between two comparisons of the kernel with what should be there."""
    region: str = REGION
    """Where everything is, as ARNs name it."""

    @classmethod
    def at(
        cls,
        data: Path,
        database: str = "",
        key_file: Path | None = None,
        *,
        audit_every: float = AUDIT,
        region: str = REGION,
    ) -> Settings:
        """Everything in one directory, where nothing else is said."""
        url, keys = database or f"sqlite:///{data / 'ringfence.db'}", key_file or data / "secret.key"
        return cls(url, keys, audit_every, region)


class Runtime:
    """The service, put together. `running` starts and stops what it does by itself."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        given_root_key()  # bad: told before anything is made
        has_keys = os.path.lexists(settings.key_file)
        keyring = Keyring.load(settings.key_file) if has_keys else None  # broken: the same
        self.store = Store.open(settings.database)
        self.control = Control(self.store, settings.region)
        self.identities = Identities(self.control, _fitting(keyring, self.control.state, settings.key_file))
        self.root_key: AccessKey | None = self.identities.bootstrap()
        """The operator's access key, if this is the first start."""
        self.metrics = Metrics()
        self.control.refusals.append(self.metrics.refused)
        self.control.enforcement.listeners.append(self._reported)
        self._enforced: dict[str, int] = {}
        self.service = Service(self.control, self.identities)
        self.agent: Agent | None = None
        self._stopping = threading.Event()

    def attach(self, name: str, fabric: Fabric, enforcer: Enforcer | None = None) -> None:
        """Have an agent in this process, before it runs."""
        self.agent = Agent(
            name,
            LocalSource(self.control),
            enforcer or Enforcer(fabric),
            audit_every=self.settings.audit_every,
            tell=lambda event: self._heard(name, event),
        )

    def app(self) -> ASGIApp:
        """The APIs with all that stands around them."""
        app = build(self.service)
        operation.install(app, self.service, self.metrics, self.ready)
        pages.install(app, self.service)
        wires = wire_apis(app, self.control, self.identities)
        return Frame(wires, self.metrics, refusal=wires.refusal)

    def ready(self) -> dict[str, bool]:
        """What is needed to serve, and whether it is there."""
        try:
            store = self.store.head() >= 0
        except RingfenceError:
            store = False
        return {"store": store} | ({"agent": self.agent.enforced > 0} if self.agent else {})

    def world_before(self, agent: str) -> World | None:
        """What an agent of that name had in force when it told so last, if the store still knows."""
        for report in self.control.enforcement.reports():
            if report.agent == agent:
                with suppress(UnknownRevision):
                    return self.control.as_of(report.revision).world
        return None

    def await_agent(self, seconds: float) -> None:
        """Wait until the agent has put the first policy in force; not for ever."""
        until = time.monotonic() + seconds
        while self.agent and not self.agent.enforced and time.monotonic() < until:
            time.sleep(0.02)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Follow the store, enforce, and tell figures during the block."""
        end = self.control.listen(self._revised)
        self.metrics.revision(self.control.state.revision)
        self.metrics.count_resources(self._counts)
        follower = threading.Thread(target=self._look, name="following the store", daemon=True)
        follower.start()
        if self.agent:
            self.agent.start()
        self.service.confirming.start()
        try:
            yield
        finally:
            self._stopping.set()
            self.service.confirming.stop()
            if self.agent:
                self.agent.stop()
            follower.join(10)
            end()
            self.store.close()

    def _look(self) -> None:
        """Take in what other processes write."""
        while not self._stopping.wait(_LOOK):
            try:
                self.control.refresh()
                self.service.foresight.rest()
            except Exception as error:  # told; as long as it lasts, changes are refused and the last state is served
                logger().error("store.lost", code=code_of(error), detail=words_of(error))
                self._stopping.wait(1)

    def _revised(self, step: Step) -> None:
        self.metrics.revision(step.revision.number)

    def _counts(self) -> Mapping[str, int]:
        state = self.control.state
        return {kind.value: state.total(kind) for kind in Kind}

    def _reported(self, report: Report) -> None:
        """What an agent tells, here or over HTTP, for the figures."""
        if report.status == DRIFT:
            self.metrics.repaired(report.agent)
        if self._enforced.get(report.agent) != report.revision:
            self._enforced[report.agent] = report.revision
            steps = self.control.steps(report.revision - 1)
            took = _seconds(steps[0].revision.at, report.at) if steps else None
            self.metrics.enforced(report.agent, report.revision, took)

    def _heard(self, agent: str, event: Event) -> None:
        """What the agent of this process does, for the log."""
        told(agent, event)


def told(agent: str, event: Event) -> None:
    """Write what an agent does to the log."""
    tell = logger().info if event.name in ("enforced", "following") else logger().warning
    detail = {"detail": event.detail} if event.detail else {"seconds": round(event.seconds, 4)}
    tell(f"agent.{event.name}", agent=agent, revision=event.revision, **detail)


def _seconds(since: str, until: str) -> float:
    return (datetime.fromisoformat(until) - datetime.fromisoformat(since)).total_seconds()


def _fitting(keyring: Keyring | None, state: State, path: Path) -> Keyring:
    """The keys that seal what the store keeps; new ones only for a store without secrets. Raises `SealBroken`."""
    sealed = {it.id: cast("SealedKey", it.value).sealed for it in state.of_kind(Kind.ACCESS_KEY)}
    if keyring is None and sealed:
        raise SealBroken(f"there is no key file {path}, and the store has secrets; put the file back that sealed them")
    found = keyring or Keyring.load(path)
    for id_, text in sealed.items():
        if not found.knows(text):
            found.open(text, id_)
    return found
