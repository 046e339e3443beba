"""A server as the source of an agent, over HTTP: a snapshot, then the stream of what revisions change."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterator, Mapping
from typing import Any

from ringfence.agent.source import Lost, News, Snapshot, combined
from ringfence.client.client import Client, events_of
from ringfence.errors import ServerFailed
from ringfence.resources.resource import Resource, ResourceChange
from ringfence.resources.state import State

_SILENCE = 30.0  # seconds without a sign of life after which a stream is taken for dead


class RemoteSource:
    """Follows a server. A thread reads its stream; `news` gives what it has read."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._stream: _Stream | None = None

    def snapshot(self) -> Snapshot:
        """See `Source`."""
        self._end_stream()
        try:
            with self._client.stream("GET", "/v1/snapshot", {"everything": "true"}) as lines:
                head = json.loads(next(lines))
                resources = [Resource.parse(line) for line in lines if line]
            if len(resources) == head["resources"]:
                return Snapshot(head["store"], State.of(head["revision"], resources))
        except (ValueError, KeyError, TypeError, StopIteration) as error:
            raise ServerFailed(f"the snapshot of {self._client.url} makes no sense: {error!r}") from None
        raise ServerFailed(f"the snapshot of {self._client.url} was cut off; it is taken again")

    def news(self, store: str, after: int, timeout: float) -> News | None:
        """See `Source`."""
        if self._stream is None or self._stream.position != (store, after):
            self._end_stream()
            self._stream = _Stream(self._client.fresh(), store, after)
        try:
            return self._stream.take(timeout)
        except BaseException:
            self._end_stream()
            raise

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
    """One connection that tells of revisions, and a thread that reads it."""

    def __init__(self, client: Client, store: str, after: int) -> None:
        self._client = client
        self.position = store, after
        """The store, and its last revision that was taken."""
        self._events: queue.Queue[Mapping[str, Any] | Exception] = queue.Queue()
        self._ended = threading.Event()
        threading.Thread(target=self._read, args=self.position, name="watching", daemon=True).start()

    def _read(self, store: str, after: int) -> None:
        query = {"everything": "true", "store": store, "after": str(after)}
        try:
            with self._client, self._client.stream("GET", "/v1/watch", query, silence=_SILENCE) as lines:
                for kind, data in events_of(self._until_ended(lines)):
                    self._events.put(Lost() if kind == "reset" else json.loads(data))
            self._events.put(ServerFailed(f"{self._client.url} has ended the stream"))
        except Exception as error:  # told in the thread that takes
            self._events.put(error)

    def _until_ended(self, lines: Iterator[str]) -> Iterator[str]:
        """Only the thread that reads a connection may close it; the server has something to say every few seconds."""
        for line in lines:
            if self._ended.is_set():
                return
            yield line

    def take(self, timeout: float) -> News | None:
        """All that has come, as one; waiting for the first. Raises why nothing more comes."""
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
        if news:
            self.position = self.position[0], news.revision
        return news

    def end(self) -> None:
        """Read no more, as soon as the thread finds out."""
        self._ended.set()


def _changes(told: Mapping[str, Any]) -> list[ResourceChange]:
    pairs = ((change["before"], change["after"]) for change in told["changes"])
    return [ResourceChange(before and Resource.of(before), after and Resource.of(after)) for before, after in pairs]
