"""Routes of the native API: each names the actions that allow it, what it takes, and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from typing import Any

from ringfence.api.call import Answer, Call
from ringfence.api.problems import documented
from ringfence.errors import FieldProblem, InvalidFields
from ringfence.ram.actions import Action, check_named

Schema = Mapping[str, Any]
ANYTHING: Schema = {"type": "object"}


@dataclass(frozen=True)
class Parameter:
    """A parameter of the query or a header."""

    name: str
    doc: str
    schema: Schema = field(default_factory=lambda: {"type": "string"})
    where: str = "query"

    @property
    def is_list(self) -> bool:
        """Whether it may be there several times."""
        return bool(self.schema.get("type") == "array")

    def as_openapi(self) -> dict[str, Any]:
        """As OpenAPI tells it."""
        return {"name": self.name, "in": self.where, "description": self.doc, "schema": dict(self.schema)}


TRUTH: Schema = {"type": "boolean"}
DRY_RUN = Parameter(
    "dry_run",
    "check everything, and change nothing; tells `reachability` and `expectations` as a plan, null to who may not",
    TRUTH,
)
WAIT = Parameter("wait", "seconds to wait until it is enforced", {"type": "integer", "minimum": 0, "maximum": 60})
IF_REVISION = Parameter("if_revision", "refuse if there is a newer revision", {"type": "integer", "minimum": 0})
AS_OF = Parameter("as_of", "the revision to look at", {"type": "integer", "minimum": 0})
IDEMPOTENCY_KEY = Parameter(
    "Idempotency-Key",
    "done once, however often it comes",
    {"type": "string", "minLength": 1, "maxLength": 128},
    "header",
)
IF_MATCH = Parameter("If-Match", "refuse unless the resource is as the ETag says", {"type": "string"}, "header")
CHANGE = (DRY_RUN, WAIT, IF_REVISION, IDEMPOTENCY_KEY)
"""What every change takes."""
PAGE = (
    Parameter("limit", "items a page", {"type": "integer", "minimum": 1, "maximum": 1000}),
    Parameter("after", "the `next` of the page before"),
)
"""What every list takes."""


_CONDITIONS = frozenset({IDEMPOTENCY_KEY.name.lower(), IF_MATCH.name.lower()})
"""Headers that a request does not mean in vain."""
_REFUSALS = (400, 401, 403, 404, 413, 422, 503)
_OF_CHANGES = (409, 412)


@dataclass(frozen=True)
class Route:
    """One operation of the API. ``actions`` are those that may be asked for: nothing can be served that names none.

    ``handle`` judges them on what the request is about, and runs in a thread; it may wait for disk and kernel. A user
    who may do none of them on anything never gets that far.
    """

    method: str
    path: str
    name: str
    doc: str
    actions: tuple[Action, ...]
    handle: Callable[[Call], Answer]
    parameters: tuple[Parameter, ...] = ()
    body: Schema | None = None
    body_type: str = "application/json"
    answer: Schema = field(default_factory=lambda: ANYTHING)
    answer_type: str = "application/json"
    other_answers: Mapping[str, Schema] = field(default_factory=dict)
    """Answers of other media types, where the request asks for them."""
    status: int = 200
    own: bool = False
    """Whether everybody may do it for themselves, unless a policy denies it."""
    is_long: bool = False
    """Whether it may take seconds: it waits for a place in the `ringfence.api.room`, so that nobody waits for it."""
    is_judged: bool = False
    """Whether it waits for seconds until it is its turn to be judged: in a room of its own, an account's one by one."""

    def __post_init__(self) -> None:
        check_named(f"{self.method} {self.path}", self.actions)

    def check_parameters(self, call: Call) -> None:
        """Raise `InvalidFields` for a parameter that is not taken here, or is given twice.

        Whoever misspells ``dry_run`` must not get the change itself, nor anybody a change whose condition nobody read.
        """
        unread = self._conditions & call.headers.keys() if self.method != "GET" else ()
        if call.query or unread:
            found = [*self._unknown(call), *(self._not_taken(name, call.headers[name]) for name in sorted(unread))]
            if found:
                raise InvalidFields(tuple(found))

    @cached_property
    def _conditions(self) -> frozenset[str]:
        """Headers on which a change depends, and that are not read here."""
        return _CONDITIONS - {each.name.lower() for each in self.parameters}

    @cached_property
    def _queried(self) -> Mapping[str, Parameter]:
        return {each.name: each for each in self.parameters if each.where == "query"}

    def _unknown(self, call: Call) -> Iterator[FieldProblem]:
        for name, value in call.query.items():
            if name not in self._queried:
                yield self._not_taken(name, value)
            elif len(said := call.every(name)) > 1 and not self._queried[name].is_list:
                what = f"{name} is there {len(said)} times"
                yield FieldProblem(name, what, "give it once", "request.parameter", said)

    def _not_taken(self, name: str, value: str) -> FieldProblem:
        known = ", ".join(each.name for each in self.parameters)
        right = f"use {known}" if known else "leave it out"
        return FieldProblem(name, f"{name} is no parameter of this request", right, "request.parameter", value)

    def as_openapi(self) -> dict[str, Any]:
        """What OpenAPI tells of it besides method and path."""
        told: dict[str, Any] = {
            "parameters": [*self._path_parameters(), *(each.as_openapi() for each in self.parameters)],
            "responses": self._responses(),
            "x-ringfence-actions": [action.name for action in self.actions],
        }
        if self.body is not None:
            told["requestBody"] = {"content": {self.body_type: {"schema": dict(self.body)}}, "required": True}
        return told

    def _path_parameters(self) -> list[dict[str, Any]]:
        names = [part[1:-1] for part in self.path.split("/") if part.startswith("{")]
        schema = {"type": "string", "minLength": 1, "maxLength": 128}
        return [{"name": name, "in": "path", "required": True, "schema": schema} for name in names]

    def _responses(self) -> dict[str, Any]:
        good = {200, self.status} if DRY_RUN in self.parameters else {self.status}
        told: dict[str, Any] = {
            str(status): {"description": HTTPStatus(status).phrase, "content": self._content(self.answer)}
            for status in sorted(good)
        }
        refused = (*_REFUSALS, *(_OF_CHANGES if self.method != "GET" else ()))
        return told | {str(status): problem for status, problem in documented(*sorted(refused)).items()}

    def _content(self, schema: Schema) -> dict[str, Any]:
        told = {self.answer_type: schema, **self.other_answers}
        return {media_type: {"schema": dict(each)} for media_type, each in told.items()}
