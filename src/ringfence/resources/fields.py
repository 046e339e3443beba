"""Fields of resources: JSON on one side, values of the model on the other, in the notation that people write."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from ringfence.errors import NotationError
from ringfence.model.names import check_name

REQUIRED: Any = object()
"""The default of a field that has none."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field: how it is read (raising `NotationError`) and shown, its JSON schema, what it is where nothing is said.

    ``default`` is the value, not its JSON. A ``fixed`` field cannot be changed later.
    """

    name: str
    doc: str
    read: Callable[[Any], Any]
    show: Callable[[Any], Any]
    schema: Mapping[str, Any]
    default: Any = REQUIRED
    fixed: bool = False
    hidden: bool = field(default=False)
    """Whether it is kept and never shown to anybody."""

    @property
    def required(self) -> bool:
        """Whether it must be given."""
        return self.default is REQUIRED


def _text_of(json: object, what: str) -> str:
    if not isinstance(json, str):
        raise NotationError(f"{json!r} is not {what}", "use a text")
    return json


def text(name: str, doc: str, *, longest: int = 512, default: Any = "", fixed: bool = False) -> Field:
    """A text of one line."""

    def read(json: object) -> str:
        found = _text_of(json, "a text")
        if len(found) > longest or not found.isprintable():
            raise NotationError(
                f"{name} is too long, or holds what does not print", f"use at most {longest} characters in one line"
            )
        return found

    return Field(name, doc, read, str, {"type": "string", "maxLength": longest}, default, fixed)


def reference(name: str, doc: str, *, default: Any = REQUIRED, fixed: bool = False) -> Field:
    """The id of another resource."""

    def read(json: object) -> str:
        found = _text_of(json, "an id")
        return check_name(found) if found else _empty(name, default)

    return Field(name, doc, read, str, {"type": "string", "maxLength": 128}, default, fixed)


def _empty(name: str, default: Any) -> str:
    if default is REQUIRED:
        raise NotationError(f"{name} is empty", "give an id")
    return ""


def parsed(
    name: str,
    doc: str,
    parse: Callable[[str], Any],
    *,
    show: Callable[[Any], str] = str,
    default: Any = REQUIRED,
    fixed: bool = False,
    example: str = "",
) -> Field:
    """A value that has a notation of its own; null or an empty text is the default, if there is one."""
    optional = default is not REQUIRED

    def read(json: object) -> Any:
        if optional and (json is None or json == ""):
            return default
        return parse(_text_of(json, f"like {example}" if example else "a text"))

    def shown(value: Any) -> str | None:
        return None if value is None else show(value)

    schema: dict[str, Any] = {"type": ["string", "null"] if optional else "string", "maxLength": 4096}
    if example:
        schema["examples"] = [example]
    return Field(name, doc, read, shown if default is None else show, schema, default, fixed)


def listed(
    name: str,
    doc: str,
    parse: Callable[[str], Any],
    *,
    default: Any = REQUIRED,
    fixed: bool = False,
    longest: int = 10_000,
    example: str = "",
) -> Field:
    """A list of texts, each with a notation of its own."""

    def read(json: object) -> tuple[Any, ...]:
        if not isinstance(json, list) or len(json) > longest:
            raise NotationError(f"{name} is not a list of at most {longest} texts", f"use a list like [{example!r}]")
        return tuple(parse(_text_of(each, f"like {example}")) for each in json)

    schema = {"type": "array", "items": {"type": "string", "maxLength": 4096}, "maxItems": longest}
    if example:
        schema["examples"] = [[example]]
    return Field(name, doc, read, lambda value: list(map(str, value)), schema, default, fixed)


def choice(name: str, doc: str, kind: type[StrEnum], *, default: Any = REQUIRED, fixed: bool = False) -> Field:
    """One of some words."""
    known = {member.value: member for member in kind}

    def read(json: object) -> Any:
        if json is None and default is None:
            return None
        if not isinstance(json, str) or json not in known:
            raise NotationError(f"{name} cannot be {json!r}", f"use {' or '.join(known)}")
        return known[json]

    schema: dict[str, Any] = {"enum": [*known, None] if default is None else list(known)}
    shown: dict[Any, str | None] = {None: None} | {member: member.value for member in kind}
    return Field(name, doc, read, shown.__getitem__, schema, default, fixed)


def flag(name: str, doc: str, *, default: bool, fixed: bool = False) -> Field:
    """True or false."""

    def read(json: object) -> bool:
        if not isinstance(json, bool):
            raise NotationError(f"{name} cannot be {json!r}", "use true or false")
        return json

    return Field(name, doc, read, bool, {"type": "boolean"}, default, fixed)


def number(name: str, doc: str, low: int, high: int, *, default: Any = REQUIRED, fixed: bool = False) -> Field:
    """A whole number from ``low`` to ``high``; null where the default is None."""

    def read(json: object) -> int | None:
        if json is None and default is None:
            return None
        if not isinstance(json, int) or isinstance(json, bool) or not low <= json <= high:
            raise NotationError(f"{name} cannot be {json!r}", f"use a number from {low} to {high}")
        return json

    kind: Any = ["integer", "null"] if default is None else "integer"
    return Field(name, doc, read, lambda value: value, {"type": kind, "minimum": low, "maximum": high}, default, fixed)


def mapping(
    name: str,
    doc: str,
    read: Callable[[Mapping[str, Any]], Any],
    show: Callable[[Any], Any],
    *,
    longest: int = 200,
) -> Field:
    """An object; ``read`` looks into it."""

    def checked(json: object) -> Any:
        if not isinstance(json, dict) or len(json) > longest:
            raise NotationError(f"{name} is not an object", "use an object like {}")
        return read(json)

    return Field(name, doc, checked, show, {"type": "object", "additionalProperties": True}, {})
