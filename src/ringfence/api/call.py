"""One request to the native API, as its handler sees it; and how a handler answers."""

from __future__ import annotations

import json
import math
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from threading import Lock
from typing import Any

from starlette.datastructures import QueryParams
from starlette.types import Scope

from ringfence.control.caller import Caller
from ringfence.control.confirming import Confirming
from ringfence.control.control import Control
from ringfence.control.foresight import Foresight
from ringfence.control.identity import Identities
from ringfence.control.reaching import Reaching
from ringfence.errors import FieldProblem, InvalidFields
from ringfence.model.names import is_whole
from ringfence.resources.resource import Text
from ringfence.resources.state import State

MAX_PAGE = 1000
"""So many items a page may have."""
_PAGE = 100
_TRUTH = {"true": True, "1": True, "": True, "false": False, "0": False}


@dataclass(frozen=True)
class Service:
    """What handlers work with."""

    control: Control
    identities: Identities

    @cached_property
    def confirming(self) -> Confirming:
        """Takes back what nobody confirms: started and stopped with the server."""
        return Confirming(self.control)

    @cached_property
    def judging(self) -> Lock:
        """The turn of those who have a file judged, one at a time: it takes the processor for seconds."""
        return Lock()

    @cached_property
    def foresight(self) -> Foresight:
        """Answers what a change would lead to, and keeps what it worked out for that."""
        return Foresight()

    @cached_property
    def reaching(self) -> Reaching:
        """Answers who can reach whom, and keeps what it worked out for that."""
        return Reaching()


@dataclass(frozen=True)
class Call:
    """A request of a caller who has proved who they are. Bad parameters raise `InvalidFields`."""

    service: Service
    caller: Caller
    path: Mapping[str, str]
    query: QueryParams
    headers: Mapping[str, str]
    raw: bytes

    @property
    def control(self) -> Control:
        """The service itself."""
        return self.service.control

    @property
    def state(self) -> State:
        """The newest state; the one of an older revision where the request says ``as_of``."""
        revision = self.number("as_of", 0, 0, 2**53)
        return self.control.as_of(revision) if "as_of" in self.query else self.control.state

    @cached_property
    def json(self) -> Any:
        """The body as JSON; an object without members where there is none."""
        if not self.raw:
            return {}
        try:
            text = self.raw.decode()
            found = json.loads(text, parse_constant=_no_number)
        except (ValueError, RecursionError) as error:
            what = f"the body is no JSON: {error}"
            raise _wrong("body", what, "send one JSON document in UTF-8", None, "request.json") from None
        if "\\u" in text and not all(map(is_whole, texts_in(found))):
            what = "a text holds a zero byte, or half of a surrogate pair"
            raise _wrong("body", what, "send texts of whole Unicode characters", None, "request.text")
        return found

    @property
    def object(self) -> dict[str, Any]:
        """The body as a JSON object."""
        if not isinstance(self.json, dict):
            raise _wrong("body", "the body is not an object", 'send an object like {"name": "web"}', None)
        return self.json

    def number(self, name: str, default: int, low: int, high: int) -> int:
        """A parameter of the query that is a whole number."""
        text = self.query.get(name)
        if text is None:
            return default
        if not (text.isascii() and text.isdigit() and len(text) < 17 and low <= int(text) <= high):
            raise _wrong(name, f"{text!r} is not a number from {low} to {high}", "use one in that range", text)
        return int(text)

    def path_number(self, name: str) -> int:
        """A part of the path that is a whole number."""
        text = self.path[name]
        if not (text.isascii() and text.isdigit() and len(text) < 17):
            raise _wrong(name, f"{text!r} is not a number", "use a whole number", text)
        return int(text)

    def checked(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """The body as a flat object that a schema describes: required and unknown members, types, bounds, choices."""
        said = self.object
        problems = list(flaws(said, schema))
        if problems:
            raise InvalidFields(tuple(problems))
        return said

    def every(self, name: str) -> list[str]:
        """A parameter of the query that may be there several times."""
        return self.query.getlist(name)

    def flag(self, name: str) -> bool:
        """A parameter of the query that is true or false; false where it is not there."""
        text = self.query.get(name, "false")
        if text.lower() not in _TRUTH:
            raise _wrong(name, f"{text!r} is neither true nor false", "use true or false", text)
        return _TRUTH[text.lower()]

    def page(self, items: list[dict[str, Any]], key: str = "id") -> Answer:
        """One page of items that are in the order of a key: ``limit`` of them ``after`` one."""
        limit, after = self.number("limit", _PAGE, 1, MAX_PAGE), self.query.get("after", "")
        left = [it for it in items if str(it[key]) > after] if after else items
        rest = len(left) > limit
        return Answer({"items": left[:limit], "next": left[limit - 1][key] if rest else None})


_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}


def flaws(said: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[FieldProblem]:
    """What is wrong with an object, by the part of JSON Schema that requests need."""
    known: Mapping[str, Any] = schema["properties"]
    for name in schema.get("required", ()):
        if name not in said:
            yield FieldProblem(name, f"{name} is missing", "it is required", "input.missing")
    for name, value in said.items():
        if name not in known:
            yield FieldProblem(
                name, f"there is no field {name!r}", f"use {', '.join(known)}", "input.unknown_field", value
            )
        elif not _fit((value,), known[name]):
            yield FieldProblem(
                name, f"{name} is not accepted", f"it must be {_wanted(known[name])}", "input.field", value
            )


def _fit(values: Iterable[Any], schema: Mapping[str, Any]) -> bool:
    """Whether each of some values is as a schema wants it."""
    if "enum" in schema:
        return all(value in schema["enum"] for value in values)
    kinds = schema.get("type", "object")
    allowed = [kinds] if isinstance(kinds, str) else kinds
    types = tuple(kind for name in allowed for kind in _TYPES[name])
    low = schema.get("minimum", schema.get("minLength", schema.get("minItems", -math.inf)))
    high = schema.get("maximum", schema.get("maxLength", schema.get("maxItems", math.inf)))
    items = schema.get("items")
    for value in values:
        if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
            return False
        if value is not None and not low <= _size(value) <= high:
            return False
        if items and isinstance(value, list) and not _fit(value, items):
            return False
    return True


def _size(value: Any) -> float:
    """What bounds are about: the number itself, or how long a text or a list is."""
    return value if isinstance(value, int | float) else len(value)


def _wanted(schema: Mapping[str, Any]) -> str:
    return json.dumps({name: each for name, each in schema.items() if name not in ("description", "examples")})


def texts_in(said: object) -> Iterator[str]:
    """Every text of a JSON document, names of members too."""
    if isinstance(said, str):
        yield said
    elif isinstance(said, dict):
        yield from said
        yield from (text for each in said.values() for text in texts_in(each))
    elif isinstance(said, list):
        yield from (text for each in said for text in texts_in(each))


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no number of JSON")


def _wrong(field_: str, what: str, right: str, value: object, code: str = "request.parameter") -> InvalidFields:
    return InvalidFields((FieldProblem(field_, what, right, code, value),))


@dataclass(frozen=True)
class Answer:
    """What a handler answers: JSON, bytes of another kind, or a ``stream`` of them."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = "application/json"
    stream: Callable[[Scope], AsyncIterator[bytes]] | None = None

    def encoded(self) -> bytes:
        """The body as it is sent."""
        if isinstance(self.body, bytes):
            return self.body
        return Text.around(self.body).encode()
