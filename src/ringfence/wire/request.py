"""A request to one of the clouds' APIs as its translator sees it, and what the translator answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from ringfence.control import reading
from ringfence.control.authority import REGION
from ringfence.control.caller import Caller
from ringfence.control.control import Answered, Control, Once
from ringfence.control.draft import Draft
from ringfence.control.identity import From, Identities
from ringfence.ram.actions import Action
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource
from ringfence.resources.state import State
from ringfence.security.signing import Request as Signed

Told = Mapping[str, Any]
"""What is told of something, as JSON."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came; ``signed`` is path, query, headers and body as on the wire."""

    signed: Signed
    origin: From
    log: dict[str, Any] = field(default_factory=dict)
    """For more fields of the request's line in the log."""

    def header(self, name: str) -> str:
        """The value of a header by its name in small letters; empty where it is not there."""
        return next((value for key, value in self.signed.headers if key.lower() == name), "")


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered. ``label`` says which operation it was, for the figures and the log."""

    status: int
    body: bytes
    media_type: str
    label: str
    headers: Mapping[str, str] = field(default_factory=dict)


class Surface(Protocol):
    """One of the clouds' APIs."""

    def claims(self, request: Request) -> bool:
        """Whether a request, its body not read yet, speaks this API."""

    def answer(self, request: Request) -> Answer:
        """Answer a request, refusals too."""

    def refuse(self, request: Request, status: int) -> Answer:
        """Answer a request that came to nothing before an operation had it, or that the server failed at.

        ``status`` is that of HTTP: 413 for a body that is too large, 400 for what is not readable, 500, 503.
        """


@dataclass(frozen=True)
class Service:
    """What translators work with."""

    control: Control
    identities: Identities

    @property
    def region(self) -> str:
        """The only region that is served; empty where the server was told none: then it is whatever a request names."""
        return "" if self.control.region == REGION else self.control.region


@dataclass(frozen=True, slots=True)
class Fault:
    """A refusal as a vendor tells it. ``message`` is the vendor's own; empty: what the refusal itself says."""

    status: int
    code: str
    message: str = ""


@dataclass(frozen=True)
class Asked:
    """A request of a caller who has proved who they are: what handlers of both clouds' operations look at."""

    service: Service
    caller: Caller

    @property
    def control(self) -> Control:
        """The service itself."""
        return self.service.control

    @property
    def state(self) -> State:
        """The newest state."""
        return self.control.state

    def visible(self, kind: Kind) -> list[Resource]:
        """What of a kind the caller may see, by id. Raises `Forbidden`."""
        return reading.visible(self.control, self.state, self.caller, kind)

    def find(self, kind: Kind, id_: str, action: Action | None = None) -> Resource:
        """A resource by its id, if the caller may see it, or do that to it. Raises `NotFound`, `Forbidden`."""
        return reading.find_by_id(self.control, self.state, self.caller, kind, id_, action)


def changed(
    control: Control,
    caller: Caller,
    operation: str,
    work: Callable[[Draft], Told],
    *,
    dry_run: bool = False,
    once: Once | None = None,
) -> Told:
    """Make a change and give what ``work`` tells of it; the same again where ``once`` says that it was done before."""
    try:
        with control.change(caller, operation, dry_run=dry_run, once=once) as draft:
            told = work(draft)
            if once and not dry_run:
                draft.answer = (200, json.dumps(told, ensure_ascii=False))
    except Answered as before:
        told = json.loads(before.body)
    return told
