"""A server as the source of an agent, over HTTP: a snapshot, then the stream of what revisions change."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import httpx2

from ringfence.agent.source import Lost, News, combined
from ringfence.client.client import Client
from ringfence.errors import CannotRun
from ringfence.resources.resource import Resource, ResourceChange
from ringfence.resources.state import State

_SILENCE = 30.0  # seconds without a sign of life after which a stream is taken for dead


class RemoteSource:
    """Follows a server. A thread reads its stream; `news` gives what it has read."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._stream: _Stream | None = None

    def snapshot(self) -> State:
        """See `Source`."""
        self._end_stream()
        with self._client.stream("GET", "/v1/snapshot", {"everything": "true"}) as lines:
            head = json.loads(next(lines))
            resources = [Resource.parse(line) for line in lines if line]
        if len(resources) != head["resources"]:
            raise CannotRun(f"the snapshot of {self._client.url} was cut off; it is taken again")
        return State.of(head["revision"], resources)

    def news(self, after: int, timeout: float) -> News | None:
        """See `Source`."""
        if self._stream is None or self._stream.position != after:
            self._end_stream()
            self._stream = _Stream(self._client, after)
        return self._stream.take(timeout)

    def report(self, agent: str, revision: int, status: str, detail: str) -> None:
        """See `Source`."""
        said = {"agent": agent, "revision": revision, "status": status, "detail": detail[:4096]}
        self._client.post("/v1/enforcement", said)

    def close(self) -> None:
        """See `Source`."""
        self._end_stream()
        self._client.close()

    def _end_stream(self) -> None:
        if self._stream:
            self._stream.end()
        self._stream = None


class _Stream:
    """One connection that tells of revisions."""

    def __init__(self, client: Client, after: int) -> None:
        self._client = client
        self.position = after
        """The last revision that was taken."""
        self._events: queue.Queue[Mapping[str, Any] | Exception] = queue.Queue()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._read, args=(after,), name="watching", daemon=True)
        self._thread.start()

    def _read(self, after: int) -> None:
        try:
            query = {"everything": "true", "after": str(after)}
            with self._client.stream("GET", "/v1/watch", query, silence=_SILENCE) as lines:
                for kind, data in _events(lines):
                    if self._ended.is_set():
                        return
                    self._events.put(Lost() if kind == "reset" else json.loads(data))
            self._events.put(CannotRun(f"{self._client.url} has ended the stream"))
        except (CannotRun, httpx2.HTTPError, ValueError) as error:
            self._events.put(CannotRun(f"the stream of {self._client.url} broke: {error}"))

    def take(self, timeout: float) -> News | None:
        """All that has come, as one; waiting for the first."""
        try:
            found = [self._events.get(timeout=timeout)]
        except queue.Empty:
            return None
        while not self._events.empty():
            found.append(self._events.get_nowait())
        for each in found:
            if isinstance(each, Exception):
                raise each
        news = combined((it["number"], _changes(it)) for it in found if not isinstance(it, Exception))
        self.position = news.revision if news else self.position
        return news

    def end(self) -> None:
        """Read no more."""
        self._ended.set()


def _events(lines: Iterator[str]) -> Iterator[tuple[str, str]]:
    """Kind and data of the events of a stream."""
    kind = ""
    for line in lines:
        name, _, value = line.partition(": ")
        if name == "event":
            kind = value
        elif name == "data":
            yield kind, value


def _changes(told: Mapping[str, Any]) -> list[ResourceChange]:
    pairs = ((change["before"], change["after"]) for change in told["changes"])
    return [ResourceChange(before and Resource.of(before), after and Resource.of(after)) for before, after in pairs]
