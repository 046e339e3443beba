"""Time from a durable change to its enforcement: the whole way through the service, in a small and in a large fleet.

A rule is authorised over HTTP. The clock starts when its revision is durable, which is what the answer says, and stops
when the kernel has committed it: in between the agent is woken, takes the change in, compiles and enforces it, while
the server still answers. The fleets stand side by side and are measured in turns.
"""

from __future__ import annotations

import gc
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

import httpx2
from tests.serving import serving

from bench.report import Figure, Relation, Target
from bench.stored import fill
from bench.track import namespaces, require_root
from bench.worlds import FLEET_GROUPS, VPC, fleet
from ringfence.agent.enforcer import Enforcer
from ringfence.agent.namespaces import Namespaces
from ringfence.agent.outcome import Enforced
from ringfence.api.logging import configure
from ringfence.control.authority import OPERATOR
from ringfence.control.caller import Caller
from ringfence.model.edit import Edit
from ringfence.model.world import World
from ringfence.server.runtime import Runtime, Settings


@dataclass(frozen=True, slots=True)
class FollowCase:
    """How much to measure: ports of the small and the large fleet, and rounds."""

    ports: tuple[int, int]
    rounds: int


class _Clocked(Enforcer):
    """An enforcer that says when the kernel had committed."""

    committed = 0.0

    def __init__(self, fabric: Namespaces) -> None:
        super().__init__(fabric)
        self.done = threading.Semaphore(0)

    def enforce(self, world: World, edits: Sequence[Edit] | None = None) -> Enforced:
        """As `Enforcer.enforce`."""
        began = time.perf_counter()
        found = super().enforce(world, edits)
        assert found.ok, found
        self.committed = began + found.committed
        self.done.release()
        return found


class _Served:
    """A fleet that is served and enforced."""

    def __init__(self, runtime: Runtime, enforcer: _Clocked, client: httpx2.Client) -> None:
        self._enforcer, self._client = enforcer, client
        self._durable = 0.0
        runtime.control.listen(lambda _: self._note())

    def _note(self) -> None:
        self._durable = time.perf_counter()

    def authorise(self, round_: int) -> float:
        """Authorise a rule; gives the seconds from its being durable to its being enforced."""
        rule = f"in allow tcp {20_000 + round_} from 10.2.0.0/16"
        answer = self._client.post("/v1/rules", json={"group": f"sg-{round_ % FLEET_GROUPS}", "rule": rule})
        assert answer.status_code == 201, answer.text
        self._enforcer.done.acquire()
        return self._enforcer.committed - self._durable


def measure_following(case: FollowCase) -> list[Figure]:
    """Measure both fleets; raises `NotRoot`."""
    require_root()
    configure(sys.stderr, "warning")
    with ExitStack() as stack:
        names = stack.enter_context(namespaces(*(f"{ports}-{VPC}" for ports in case.ports)))
        fleets = [stack.enter_context(_served(ports, name)) for ports, name in zip(case.ports, names, strict=True)]
        times: list[list[float]] = [[] for _ in fleets]
        gc.collect()
        gc.freeze()  # a collection in between would walk the large fleet, whichever of the two is measured
        for round_ in range(case.rounds + 5):
            for index, each in enumerate(fleets):
                times[index].append(each.authorise(round_))
        gc.unfreeze()
    return list(_figures(case, [found[5:] for found in times]))  # the first rounds warm up


def _figures(case: FollowCase, times: list[list[float]]) -> Iterator[Figure]:
    few, many = case.ports
    small, large = times
    told = " / ".join(f"{_percentile(found, 50):.2f} and {_percentile(found, 99):.2f} ms" for found in (large, small))
    yield Figure.of(
        f"durable to enforced, {many:,} over {few:,} ports (p50 and p99 of each)",
        [one / median(small) for one in large],
        told,
        Target(Relation.AT_MOST, 1.5),
    )


def _percentile(samples: Sequence[float], percent: int) -> float:
    return quantiles(samples, n=100, method="inclusive")[percent - 1] * 1e3


@contextmanager
def _served(ports: int, namespace: str) -> Iterator[_Served]:
    with ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="ringfence-bench-"))
        runtime = Runtime(Settings.at(Path(directory), audit_every=1e9))
        fill(runtime.store, fleet(ports))
        runtime.control.refresh()
        enforcer = _Clocked(Namespaces(namespace.removesuffix(VPC)))
        runtime.attach("bench", enforcer.fabric, enforcer)
        assert runtime.root_key
        token, _ = runtime.identities.log_in(Caller(OPERATOR, key_id=runtime.root_key.id, operator=True))
        stack.enter_context(runtime.running())
        enforcer.done.acquire()
        server = stack.enter_context(serving(runtime.app()))
        headers = {"authorization": f"Bearer {token.reveal()}"}
        yield _Served(runtime, enforcer, stack.enter_context(httpx2.Client(base_url=server.url, headers=headers)))
