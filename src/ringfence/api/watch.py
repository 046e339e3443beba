"""Following the service: a snapshot of all resources, and a stream of what revisions change from there on.

The stream is of server-sent events, one a revision, with the revision's number as the event's id::

    event: revision
    id: 42
    data: {"number": 42, "at": "…", "account": "…", "user": "", "operation": "…",
           "changes": [{"before": …, "after": …}]}   in one line

An event ``reset`` says that the revisions asked for are kept no longer: take a snapshot, and follow from there.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.types import Scope

from ringfence.api.call import Answer, Call
from ringfence.api.protocol import stopping_of
from ringfence.api.route import AS_OF, TRUTH, Parameter, Route
from ringfence.control.group import Step
from ringfence.control.identity import From
from ringfence.control.kinds import Verb, action_for
from ringfence.errors import Forbidden, NotAuthenticated, UnknownRevision
from ringfence.ram import actions as ram
from ringfence.ram.arn import REVISION
from ringfence.resources.kind import IDENTITY, Kind
from ringfence.resources.resource import Resource, ResourceChange
from ringfence.security.secret import Secret
from ringfence.store.rows import Revision, Row

_QUIET = 10.0  # seconds after which a stream that has nothing to say shows that it is alive
_CHUNK = 500  # resources in one piece of a snapshot
EVERYTHING = Parameter("everything", "of all accounts, as agents need it: for operators", TRUTH)
_AFTER = Parameter(
    "after", "the revision that is known already; the newest, if nothing is said", {"type": "integer", "minimum": 0}
)
_STORE = Parameter("store", "the id of the store that is followed, as the snapshot tells it; of another: reset")
Sees = Callable[[Resource], bool]


def routes() -> Iterator[Route]:
    """The snapshot and the stream."""
    watch, told = (ram.WATCH_REVISIONS,), "text/event-stream"
    yield Route(
        "GET",
        "/v1/snapshot",
        "snapshot",
        "All resources at one revision, a line each.",
        watch,
        _snapshot,
        (EVERYTHING, AS_OF),
        answer={"type": "string"},
        answer_type="application/x-ndjson",
    )
    yield Route(
        "GET",
        "/v1/watch",
        "watch",
        "A stream of what revisions change.",
        watch,
        _watch,
        (EVERYTHING, _AFTER, _STORE),
        answer={"type": "string"},
        answer_type=told,
    )


def sees(call: Call) -> Sees:
    """What of all resources a caller may follow. Raises `Forbidden`."""
    caller = call.caller
    everything = call.flag("everything")
    call.control.authority.require_kind(caller, ram.WATCH_REVISIONS, REVISION, operators_only=everything)
    if everything:
        return lambda resource: resource.kind not in IDENTITY
    may = call.control.authority.may

    def is_seen(it: Resource) -> bool:
        own = it.account == caller.account and it.kind is not Kind.ACCESS_KEY
        return own and (not caller.user or may(caller, action_for(Verb.READ, it), it))

    return is_seen


def check_still(call: Call) -> None:
    """Raise `Forbidden` or `NotAuthenticated` once the caller may follow no longer, or is nobody any more."""
    scheme, _, token = call.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        call.service.identities.by_token(Secret(token), From())
    else:
        call.service.identities.by_key(call.caller.key_id, From())
    sees(call)


def _snapshot(call: Call) -> Answer:
    seen, state, store = sees(call), call.state, _store(call)
    lines = [each.shown_text() for each in state.resources.values() if seen(each)]

    async def stream(_: Scope) -> AsyncIterator[bytes]:
        yield json.dumps({"store": store, "revision": state.revision, "resources": len(lines)}).encode() + b"\n"
        for first in range(0, len(lines), _CHUNK):
            yield "".join(f"{line}\n" for line in lines[first : first + _CHUNK]).encode()

    return Answer(stream=stream, media_type="application/x-ndjson")


def _watch(call: Call) -> Answer:
    seen, control = sees(call), call.control
    after = call.number("after", control.state.revision, 0, 2**53)
    is_other = call.query.get("store", "") not in ("", _store(call))

    async def stream(scope: Scope) -> AsyncIterator[bytes]:
        if is_other:
            yield _event(
                "reset", after, _json({"code": "store.other", "detail": "these are revisions of another store"})
            )
            return
        async for piece in _followed(call, after, seen, stopping_of(scope)):
            yield piece

    return Answer(stream=stream, media_type="text/event-stream", headers={"cache-control": "no-store"})


def _store(call: Call) -> str:
    return call.control.store.meta("store_id") or ""


async def _followed(call: Call, after: int, seen: Sees, stopping: asyncio.Event) -> AsyncIterator[bytes]:
    """Events of the revisions after one, until the server stops or the caller may see them no longer."""
    loop, news = asyncio.get_running_loop(), asyncio.Event()

    def tell(_: Step) -> None:
        with suppress(RuntimeError):  # the loop is closed: the server has ended
            loop.call_soon_threadsafe(news.set)

    end = call.control.listen(tell)
    stop = asyncio.ensure_future(stopping.wait())
    try:
        yield b": following\n\n"
        while not stopping.is_set():
            news.clear()
            try:
                events = await run_in_threadpool(_events, call, after, seen)
            except (Forbidden, NotAuthenticated):
                return
            except UnknownRevision as error:
                yield _event("reset", after, _json({"code": error.code, "detail": str(error)}))
                return
            for number, piece in events:
                after = number
                yield piece
            if not events and not await _is_woken(news, stop):
                yield b": alive\n\n"
    finally:
        stop.cancel()
        end()


async def _is_woken(news: asyncio.Event, stop: asyncio.Future[Any]) -> bool:
    """Wait until there are news, or the server stops; False if it was quiet for some time."""
    waiting = asyncio.ensure_future(news.wait())
    try:
        done, _ = await asyncio.wait({waiting, stop}, timeout=_QUIET, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
    return bool(done)


def _events(call: Call, after: int, seen: Sees) -> list[tuple[int, bytes]]:
    """The revisions after one as events; those in which nothing is to be seen only tell that they were."""
    check_still(call)
    control = call.control
    known = control.steps(after)
    steps = control.past(after) if known is None else [(step.revision, step.changes) for step in known]
    return [
        (revision.number, _event("revision", revision.number, _told(revision, changes, seen)))
        for revision, changes in steps
    ]


def _told(revision: Revision, changes: Sequence[ResourceChange], seen: Sees) -> str:
    """A revision as JSON, with what is seen of its changes; where that is nothing, not even who made it."""
    made = [
        f'{{"before":{_text(version.before, change.before)},"after":{_text(version.after, change.after)}}}'
        for version, change in zip(revision.versions, changes, strict=True)
        if seen(change.resource)
    ]
    who = {"account": revision.account, "user": revision.user, "operation": revision.operation}
    head = {"number": revision.number, "at": revision.at, **(who if made else dict.fromkeys(who, ""))}
    return f'{_json(head)[:-1]},"changes":[{",".join(made)}]}}'


def _text(row: Row | None, resource: Resource | None) -> str:
    """A resource as JSON: as it is stored, since many may follow, unless it has something to hide."""
    if row is None or resource is None:
        return "null"
    return resource.shown_text() if resource.form.is_secretive else row.body


def _json(said: object) -> str:
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"))


def _event(kind: str, number: int, data: str) -> bytes:
    return f"event: {kind}\nid: {number}\ndata: {data}\n\n".encode()
