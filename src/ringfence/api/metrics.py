"""What Prometheus sees at ``/metrics``. One `Metrics` per service, with a registry of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

CONTENT_TYPE = CONTENT_TYPE_LATEST
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """The counters of one service. Every method is cheap and safe from any thread."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self._requests = Counter(
            "ringfence_requests", "Requests answered.", ("route", "method", "status"), registry=registry
        )
        self._latency = Histogram(
            "ringfence_request_seconds", "From a request's head to its answer's end.", ("route", "method"),
            buckets=_SECONDS, registry=registry,
        )  # fmt: skip
        self._revision = Gauge("ringfence_revision", "Newest revision of the store.", registry=registry)
        self._enforced = Gauge(
            "ringfence_enforced_revision", "Newest revision that an agent enforces.", ("agent",), registry=registry
        )
        self._lag = Histogram(
            "ringfence_enforcement_seconds", "From a revision's commit to the kernel's.", ("agent",),
            buckets=_SECONDS, registry=registry,
        )  # fmt: skip
        self._refused = Counter(
            "ringfence_refusals", "Requests refused, as the audit has them.", ("code",), registry=registry
        )
        self._repairs = Counter(
            "ringfence_drift_repairs", "Times that foreign changes of enforced rules were undone.", ("agent",),
            registry=registry,
        )  # fmt: skip
        self._kept: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        """A request was answered; ``route`` is the path's template, so that the ids in paths make no new series."""
        kept = self._kept.get((route, method, status))
        if kept is None:
            counter = self._requests.labels(route, method, str(status))
            kept = self._kept[route, method, status] = (counter, self._latency.labels(route, method))
        kept[0].inc()
        kept[1].observe(seconds)

    def revision(self, number: int) -> None:
        """The store has a new revision."""
        self._revision.set(number)

    def enforced(self, agent: str, revision: int, seconds: float | None) -> None:
        """An agent has put a revision in force, so long after its commit, if that is known."""
        self._enforced.labels(agent).set(revision)
        if seconds is not None:
            self._lag.labels(agent).observe(max(0.0, seconds))

    def refused(self, code: str) -> None:
        """A request was refused, for a reason with this stable code."""
        self._refused.labels(code).inc()

    def repaired(self, agent: str) -> None:
        """An agent found its rules changed by others, and put them right."""
        self._repairs.labels(agent).inc()

    def count_resources(self, counts: Callable[[], Mapping[str, int]]) -> None:
        """Tell the number of resources by kind, asked whenever the metrics are."""
        self.registry.register(_Resources(counts))

    def text(self) -> bytes:
        """All of it in Prometheus' text form, whose content type is `CONTENT_TYPE`."""
        return generate_latest(self.registry)


class _Resources(Collector):
    def __init__(self, counts: Callable[[], Mapping[str, int]]) -> None:
        self._counts = counts

    def collect(self) -> Iterator[Metric]:
        family = GaugeMetricFamily("ringfence_resources", "Resources in the store.", labels=("kind",))
        for kind, number in sorted(self._counts().items()):
            family.add_metric((kind,), number)
        yield family
