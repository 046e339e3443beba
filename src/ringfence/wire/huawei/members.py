"""What a request may say in its query and in its body, and the refusal of what it may not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

from ringfence.errors import FieldProblem, InvalidFields, Refused

_MOST_PARAMETERS: Final = 2000


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a body. ``of`` are the members of its objects, where it is one or a list of them."""

    name: str
    types: tuple[type, ...]
    required: bool = False
    of: tuple[Member, ...] = ()
    ignored: bool = False
    """Whether it is taken, and means nothing, as it has nothing to do with what is served."""


def parameters(query: str) -> dict[str, tuple[str, ...]]:
    """The parameters of a query, each with all its values. Raises `InvalidFields`."""
    found: dict[str, tuple[str, ...]] = {}
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=_MOST_PARAMETERS)
    except ValueError:
        raise invalid("query", f"send at most {_MOST_PARAMETERS} parameters, percent-encoded in UTF-8", None) from None
    for name, value in pairs:
        found[name] = (*found.get(name, ()), value)
    return found


def body_of(raw: bytes, members: tuple[Member, ...]) -> dict[str, Any]:
    """The body of a request, checked by what it may have. Raises `InvalidFields`."""
    if not raw and not any(each.required for each in members):
        return {}
    try:
        said = json.loads(raw.decode(), parse_constant=_no_number)
        json.dumps(said, ensure_ascii=False).encode()  # half of a surrogate pair is no text
    except (ValueError, RecursionError):
        raise invalid("body", "send one JSON object in UTF-8", None) from None
    _check_object("body", said, members)
    assert isinstance(said, dict)
    return said


def _no_number(text: str) -> None:
    raise ValueError(text)


def _check_object(where: str, said: object, members: tuple[Member, ...]) -> None:
    if not isinstance(said, dict):
        raise invalid(where, "it must be an object", said)
    known = {each.name: each for each in members}
    for name, value in said.items():
        if name not in known:
            raise invalid(_under(where, name), f"the request has no such member; use {', '.join(known)}", value)
        _check_member(_under(where, name), value, known[name])
    for each in members:
        if each.required and said.get(each.name) is None:
            raise invalid(_under(where, each.name), "it is required", None)


def _check_member(where: str, value: object, member: Member) -> None:
    if value is None or member.ignored:
        return
    if not isinstance(value, member.types) or (isinstance(value, bool) and bool not in member.types):
        words = " or ".join(_WORDS[each] for each in member.types)
        raise invalid(where, f"it must be {words}", value)
    if isinstance(value, str) and "\0" in value:
        raise invalid(where, "leave out zero bytes", value)
    for index, each in enumerate(value if isinstance(value, list) else ()):
        if member.of:
            _check_object(f"{where}.{index}", each, member.of)
        elif not isinstance(each, str):
            raise invalid(f"{where}.{index}", "it must be a text", each)
    if isinstance(value, dict) and member.of:
        _check_object(where, value, member.of)


_WORDS: Mapping[type, str] = {
    str: "a text",
    int: "a whole number",
    bool: "true or false",
    list: "a list",
    dict: "an object",
}


def _under(where: str, name: str) -> str:
    return name if where == "body" else f"{where}.{name}"


def invalid(name: str, right: str, value: object, code: str = "input.field") -> InvalidFields:
    """The refusal of a parameter, with what would be right."""
    return InvalidFields((FieldProblem(name, f"{name} is not accepted", right, code, value),))


def refused(what: str, code: str) -> Refused:
    """A refusal by one of our codes or of the vendor's."""
    return Refused(what, reason=code)
