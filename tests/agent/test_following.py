"""The agent as it follows: what it keeps on disk, whom it believes, and what it does while nobody answers."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ringfence.agent.agent import Agent, Event
from ringfence.agent.enforcer import Enforcer
from ringfence.agent.kept import KeptFile
from ringfence.agent.namespaces import Namespaces
from ringfence.agent.remote import RemoteSource
from ringfence.agent.source import LocalSource, Snapshot, Source
from ringfence.backends.nftables.driver import Driver
from ringfence.compile.compiler import compile_world
from ringfence.lab.netns import differing_sysctls
from ringfence.lab.topology import gate_sysctls
from ringfence.model.world import World
from ringfence.resources.kind import Kind
from ringfence.resources.state import State
from ringfence.security.keys import AccessKey
from ringfence.store.rows import Report
from tests.agent.places import TABLE, bare, nft
from tests.control.service import Service
from tests.served import Served, served

pytestmark = pytest.mark.packets
VPC = "shop"


def fill(service: Service) -> None:
    """A VPC with a port."""
    service.make(Kind.VPC, name=VPC, cidrs=["10.0.0.0/16"])
    service.make(Kind.SUBNET, name="web", vpc=VPC, cidr="10.0.1.0/24")
    service.make(Kind.GROUP, name="sg-web", vpc=VPC)
    service.make(Kind.INSTANCE, name="web-1", ports=[{"subnet": "web", "groups": ["sg-web"]}])


def add(service: Service, port: int) -> None:
    """Another rule."""
    service.make(Kind.RULE, group="sg-web", rule=f"in allow tcp {port} from any")


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with Service.fresh(tmp_path) as made:
        fill(made)
        yield made


@dataclass
class Told:
    """What an agent has told."""

    events: list[Event] = field(default_factory=list)

    def until(self, name: str, holds: Callable[[Event], bool] = lambda event: True) -> Event:
        """Wait for an event."""
        deadline = time.monotonic() + 30
        while not (found := [it for it in self.events if it.name == name and holds(it)]):
            assert time.monotonic() < deadline, (name, self.events)
            time.sleep(0.02)
        return found[0]


@contextmanager
def following(source: Source, prefix: str, kept: KeptFile | None = None, audit_every: float = 60.0) -> Iterator[Told]:
    """An agent, as that of a process which ends with the block."""
    told, fabric = Told(), Namespaces(prefix)
    enforcer = Enforcer(fabric)
    agent = Agent("one", source, enforcer, kept=kept, audit_every=audit_every, tell=told.events.append)
    agent.start()
    try:
        yield told
    finally:
        agent.stop()
        enforcer.close()
        fabric.close()


def reported(service: Service, status: str = "ok") -> Report:
    """What the agent has reported, once it says that: an agent tells its log first, and reports then."""
    deadline = time.monotonic() + 30
    while True:
        found = service.control.enforcement.reports()
        if [it.status for it in found] == [status]:
            return found[0]
        assert time.monotonic() < deadline, found
        time.sleep(0.02)


def audited(namespace: str, world: World) -> list[str]:
    """What the kernel holds other than the plan."""
    driver = Driver(namespace, TABLE)
    try:
        return driver.audit(compile_world(world).vpcs[VPC])
    finally:
        driver.close()


def test_a_disk_that_is_full_keeps_nobody_from_enforcing(service: Service, tmp_path: Path) -> None:
    """And then nothing is kept rather than something old."""
    full = os.open("/dev/full", os.O_WRONLY)
    with bare(VPC) as prefix:
        kept = KeptFile(tmp_path / "kept")
        with following(LocalSource(service.control), prefix, kept) as told:
            told.until("enforced")
            assert kept._file
            os.dup2(full, kept._file.fileno())
            add(service, 80)
            told.until("not_kept", lambda it: "No space left" in it.detail)
            told.until("enforced", lambda it: it.revision == service.control.state.revision)
            assert not (tmp_path / "kept").exists()
            assert audited(prefix + VPC, service.control.state.world) == []
    os.close(full)


def test_a_namespace_that_comes_late_or_is_made_anew_is_taken_in(service: Service) -> None:
    """Within about a second, and then it routes; nobody has to change anything for that."""
    with bare() as prefix, following(LocalSource(service.control), prefix) as told:
        told.until("enforced")
        assert VPC in reported(service).detail  # which no host has
        for _ in range(2):
            subprocess.run(["ip", "netns", "add", prefix + VPC], check=True)
            before = len(told.events)
            told.until("enforced", lambda it, at=before: it in told.events[at:])  # type: ignore[misc]
            world = service.control.state.world
            assert audited(prefix + VPC, world) == []
            assert differing_sysctls(prefix + VPC, gate_sysctls(world.vpcs[VPC].profile)) == []
            subprocess.run(["ip", "netns", "del", prefix + VPC], check=True)


def test_drift_is_found_mended_and_reported(service: Service) -> None:
    """Whatever somebody does to our table, within the interval of audits; what others have is not touched."""
    with bare(VPC) as prefix, following(LocalSource(service.control), prefix, audit_every=1) as told:
        told.until("enforced")
        namespace = prefix + VPC
        nft(namespace, "add", "table", "inet", "theirs")
        for number, edit in enumerate(
            (
                ["flush", "ruleset"],
                ["delete", "table", "inet", TABLE],
                ["add", "chain", "inet", TABLE, "mine"],
                ["insert", "rule", "inet", TABLE, "prerouting", "accept"],
            )
        ):
            nft(namespace, *edit)
            told.until("drift", lambda it, at=number: len([e for e in told.events if e.name == "drift"]) > at)  # type: ignore[misc]
            assert audited(namespace, service.control.state.world) == []
            report = reported(service, "drift")
            assert report.agent == "one"
            assert report.detail.startswith("shop: ")


def fill_over_http(of: Served) -> None:
    fill(Service(of.control, of.identities))


def test_of_another_store_nothing_is_enforced(tmp_path: Path) -> None:
    """Its revisions say something else; the policy that was kept stays in force, until somebody decides."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with served(tmp_path / "a") as one, served(tmp_path / "b") as two, bare(VPC) as prefix:
        fill_over_http(one)
        path = tmp_path / "kept"
        with following(RemoteSource(one.client()), prefix, KeptFile(path)) as told:
            told.until("enforced")
        kept = KeptFile(path).read()
        with following(RemoteSource(two.client()), prefix, KeptFile(path)) as told:
            lost = told.until("lost")
            assert f"another store ({two.store.meta('store_id')})" in lost.detail
            assert str(path) in lost.detail
            told.until("enforced")  # what was kept
            assert two.control.enforcement.reports() == []
        assert audited(prefix + VPC, one.control.state.world) == []
        assert KeptFile(path).read() == kept
        path.unlink()
        with following(RemoteSource(two.client()), prefix, KeptFile(path)) as told:
            told.until("enforced")
        assert KeptFile(path).read() == Snapshot(two.store.meta("store_id") or "", State(two.control.state.revision))


def test_an_agent_that_is_refused_keeps_the_policy_and_asks_again(tmp_path: Path) -> None:
    """Its key is disabled, and enabled again: it says so once, and then follows from where it was."""
    with served(tmp_path) as one, bare(VPC) as prefix:
        service = Service(one.control, one.identities)
        fill(service)
        key, secret = service.do(lambda draft: one.identities.create_key(draft, ""))
        client = one.client(key=AccessKey(key.id, secret))
        with following(RemoteSource(client), prefix) as told:
            told.until("enforced")
            service.set(Kind.ACCESS_KEY, key.id, enabled=False)
            lost = told.until("lost")
            assert "[auth." in lost.detail
            add(service, 80)
            time.sleep(1)
            service.set(Kind.ACCESS_KEY, key.id, enabled=True)
            told.until("following")
            told.until("enforced", lambda it: it.revision == one.control.state.revision)
            assert audited(prefix + VPC, one.control.state.world) == []
            assert len([it for it in told.events if it.name == "lost"]) <= 2  # the stream ends, then the key is refused


def test_followers_learn_nothing_of_other_accounts(tmp_path: Path) -> None:
    """Of a revision in which they see nothing, they are told the number and the time."""
    with served(tmp_path) as one:
        service = Service(one.control, one.identities)
        tenants = [service.make(Kind.ACCOUNT, name=name).id for name in ("ann", "bob")]
        first = one.control.state.revision
        for account in tenants:
            service.acting(account=account, home="operator").make(
                Kind.ADDRESS_GROUP, name="mine", entries=["10.0.0.0/8"]
            )
        with one.client(account=tenants[0]) as client, client.stream("GET", "/v1/watch", {"after": first}) as lines:
            events = (json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: "))
            mine, other = next(events), next(events)
    assert (mine["account"], len(mine["changes"])) == (tenants[0], 1)
    assert {name: other[name] for name in other if name not in ("number", "at")} == {
        "account": "",
        "user": "",
        "operation": "",
        "changes": [],
    }
