"""Every refusal in one shape: problem details (RFC 9457) whose ``code`` is the exception tree's.

::

    {"type": "/problems/input.fields", "title": "Invalid fields", "status": 422, "detail": "…", "code": "input.fields",
     "request_id": "…", "errors": [{"field": "priority", "value": 0, "what": "…", "right": "…", "code": "…"}]}

What the web framework refuses (a body that does not parse, a path that is not there) has the same shape.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from ringfence import errors
from ringfence.api.redaction import is_sensitive
from ringfence.exchange.values import BadRulesFile
from ringfence.ram.document import PolicyError

MEDIA_TYPE = "application/problem+json"
_LONGEST = 200  # characters of a value that is told back

STATUS: dict[type[errors.RingfenceError], int] = {
    errors.NotAuthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.InUse: 409,
    errors.Conflict: 409,
    errors.Protected: 409,
    errors.CannotAmend: 409,
    errors.UnknownRevision: 404,
    errors.QuotaExceeded: 403,
    errors.ServerRefused: 409,
    errors.Refused: 409,
    errors.InvalidInput: 422,
    errors.SealBroken: 500,
    errors.StoreMismatch: 500,
    errors.CannotRun: 503,
    errors.RingfenceError: 500,
}
"""The HTTP status of a class of errors; of a class that is not here, its nearest ancestor's."""

_STATUS_OF_REASON = {"revision.mismatch": 412}
"""Where one reason has a status of its own: If-Match that does not hold is a precondition (RFC 9110, 13.1.1)."""

_HEADERS = {
    401: (("www-authenticate", "RINGFENCE1-HMAC-SHA256, Bearer"),),
    413: (("connection", "close"),),
    503: (("retry-after", "1"),),
}


_TEXT = {"type": "string"}
_FAULT = {
    "type": "object",
    "required": ["field", "value", "what", "right", "code"],
    "properties": {"field": _TEXT, "value": {}, "what": _TEXT, "right": _TEXT, "code": _TEXT},
}
SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "description": "Why a request was refused, after RFC 9457; errors tells each field and what would be accepted.",
    "required": ["type", "title", "status", "detail", "code", "request_id", "errors"],
    "properties": {
        **dict.fromkeys(("type", "title", "detail", "code", "request_id"), _TEXT),
        "status": {"type": "integer"},
        "errors": {"type": "array", "items": _FAULT},
    },
}
"""The JSON schema of a problem."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: the field, what it said, what is wrong with it, and what would be accepted."""

    field: str
    value: object
    what: str
    right: str
    code: str


@dataclass(frozen=True, slots=True)
class Problem:
    """A refusal as HTTP tells it."""

    status: int
    code: str
    title: str
    detail: str
    faults: tuple[Fault, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()

    def body(self, request_id: str) -> bytes:
        """The problem details in JSON."""
        document = {"type": f"/problems/{self.code}", "title": self.title, "status": self.status, "detail": self.detail}
        document |= {"code": self.code, "request_id": request_id, "errors": [asdict(fault) for fault in self.faults]}
        # A lone surrogate in a value has no UTF-8; as a backslash escape it is the same JSON string.
        return json.dumps(document, ensure_ascii=False, allow_nan=False).encode("utf-8", "backslashreplace")

    def all_headers(self) -> tuple[tuple[str, str], ...]:
        """Content type, the problem's own headers, and those that its status calls for."""
        return (("content-type", MEDIA_TYPE), *self.headers, *_HEADERS.get(self.status, ()))


def problem_of(error: Exception) -> Problem:
    """The problem that an error is: one of Ringfence's, of the web framework's, or an unforeseen one (500)."""
    match error:
        case errors.RingfenceError():
            return _of_ours(error)
        case RequestValidationError():
            return _of_validation(error)
        case HTTPException():
            return _of_framework(error)
        case ClientDisconnect():  # for the log and the metrics; nobody is there to read it
            return refusal(
                400, "request.cut_off", "the client left before its body came", "send the whole body", "body"
            )
    return Problem(500, "internal", "Internal error", "the request failed by a fault of this server; its log has more")


def refusal(status: int, code: str, what: str, right: str, field: str = "", value: object = None) -> Problem:
    """A problem of HTTP itself, which has no class of error."""
    fault = Fault(field, shown(field, value), what, right, code)
    return Problem(status, code, HTTPStatus(status).phrase.capitalize(), f"{what}; {right}", (fault,))


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What a route gives as its ``responses``: these statuses, each with a problem. See `install` for its schema."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in statuses}


def install(app: FastAPI) -> None:
    """Answer every error that the app's routes raise with its problem; one that nobody foresaw, the frame logs.

    The app's OpenAPI document gets the schema of problems.
    """
    plain = app.openapi

    def with_schema() -> dict[str, Any]:
        document = plain()
        document.setdefault("components", {}).setdefault("schemas", {})["Problem"] = SCHEMA
        return document

    app.openapi = with_schema  # type: ignore[method-assign]  # the way that FastAPI documents for changes of it
    for kind in (errors.RingfenceError, RequestValidationError, HTTPException, Exception):
        app.add_exception_handler(kind, answer)


async def answer(request: Request, error: Exception) -> Response:
    """The response that tells an error."""
    return response(problem_of(error), getattr(request.state, "request_id", ""))


def response(problem: Problem, request_id: str) -> Response:
    """The response that tells a problem."""
    return Response(problem.body(request_id), problem.status, dict(problem.all_headers()))


def shown(field: str, value: object) -> object:
    """A value as it may be told back: JSON, short, and nothing of a field whose name says it is secret."""
    if value is None or isinstance(value, bool):
        return value
    if is_sensitive(field):
        return "[redacted]"
    if isinstance(value, int | float) and abs(value) < 2**53:  # neither NaN nor infinite
        return value
    text = value if isinstance(value, str) else _plain(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _plain(value: object) -> str:
    """Words for what is no text or number; what is inside may be secret, so of a container only its size is told."""
    match value:
        case Mapping():
            return f"an object of {len(value)} fields"
        case list() | tuple():
            return f"a list of {len(value)}"
        case int():
            return f"a number of {value.bit_length()} bits"
        case float():
            return str(value)
    return type(value).__name__


def _of_ours(error: errors.RingfenceError) -> Problem:
    reason = getattr(error, "reason", "") or error.code
    status = _STATUS_OF_REASON.get(reason) or next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
    return Problem(status, reason, _title(type(error)), str(error), tuple(_faults(error, reason)))


def _faults(error: errors.RingfenceError, code: str) -> Iterable[Fault]:
    match error:
        case errors.InvalidFields():
            for each in error.problems:
                yield Fault(each.field, shown(each.field, each.value), each.what, each.right, each.code)
        case errors.WorldFileError():
            for mistake in error.mistakes:
                yield Fault(f"line {mistake.line}", None, mistake.what, mistake.right, mistake.code)
        case errors.Refused():
            yield Fault(error.field, shown(error.field, error.value), error.what, error.right, code)
        case errors.NotationError() | errors.UnknownName():
            yield Fault(error.field, shown(error.field, error.value or None), error.what, error.right, code)
        case PolicyError():
            yield Fault(".".join(filter(None, ("document", error.where))), None, error.what, error.right, code)
        case BadRulesFile():
            yield Fault("body", None, error.what, error.right, code)


def _title(kind: type[Exception]) -> str:
    """The name of a class of errors in words: InUse is "In use"."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind.__name__).capitalize()


def _of_validation(error: RequestValidationError) -> Problem:
    found = error.errors()
    if found and found[0]["type"] == "json_invalid":
        at = found[0]["loc"][-1]
        return refusal(400, "request.json", f"the body is no JSON: {found[0]['ctx']['error']} at character {at}",
                       "send one JSON document", "body")  # fmt: skip
    faults = tuple(map(_fault, found))
    detail = "; ".join(f"{fault.field}: {fault.what}, {fault.right}" for fault in faults)
    return Problem(422, "request.invalid", "Invalid request", detail, faults)


def _fault(found: Mapping[str, object]) -> Fault:
    where, kind, message = found["loc"], str(found["type"]), str(found["msg"])
    parts = [str(part) for part in where] if isinstance(where, tuple | list) else [str(where)]
    field = ".".join(parts[1:]) or parts[0]
    code = f"request.{kind}"
    match kind:
        case "missing":
            return Fault(field, None, f"{parts[0]} lacks it", "it is required", code)
        case "extra_forbidden":
            return Fault(field, None, f"{parts[0]} has no such field", "leave it out", code)
    value = shown(field, found.get("input"))
    return Fault(field, value, f"{value!r} is not accepted", message[:1].lower() + message[1:], code)


def _of_framework(error: HTTPException) -> Problem:
    headers = tuple((error.headers or {}).items())
    problem = _framework_refusal(error)
    return Problem(problem.status, problem.code, problem.title, problem.detail, problem.faults, headers)


def _framework_refusal(error: HTTPException) -> Problem:
    match error.status_code:
        case 404:
            return refusal(404, "request.path", "there is nothing at this path", "see /openapi.json for all paths")
        case 405:
            allowed = (error.headers or {}).get("Allow", "another method")
            return refusal(405, "request.method", "this path does not take this method", f"use {allowed}")
        case 413:
            return refusal(413, "request.too_large", "the body is too large", str(error.detail), "body")
        case 400 if isinstance(error.__cause__, UnicodeDecodeError):
            return refusal(400, "request.encoding", "the body is not UTF-8", "send JSON in UTF-8", "body")
        case 400 if isinstance(error.__cause__, RecursionError):
            return refusal(400, "request.json", "the body is nested too deep", "send fewer levels", "body")
    code = f"request.{HTTPStatus(error.status_code).name.lower()}"
    return refusal(error.status_code, code, str(error.detail), "see /openapi.json for what is accepted")
