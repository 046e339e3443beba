"""Calls of Huawei's APIs: each names the actions that allow it, its path, what it takes, and what answers it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final
from urllib.parse import parse_qsl

from ringfence.control import reading
from ringfence.control.caller import Caller
from ringfence.control.control import Control
from ringfence.control.draft import Draft, not_found
from ringfence.errors import FieldProblem, InvalidFields, NotFound, Refused
from ringfence.ram.actions import ACTIONS, Action
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource
from ringfence.resources.state import State
from ringfence.wire.request import Service, Told, changed

MOST: Final = 2000
"""So many items a page has at most; a limit of 0 means none at all."""
_MOST_PARAMETERS: Final = 2000


@dataclass(frozen=True, slots=True)
class Fault:
    """A refusal as the vendor tells it. ``message`` is the vendor's own; empty: what the refusal itself says."""

    status: int
    code: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a body. ``of`` are the members of its objects, where it is one or a list of them."""

    name: str
    types: tuple[type, ...]
    required: bool = False
    of: tuple[Member, ...] = ()
    ignored: bool = False
    """Whether it is taken, and means nothing, as it has nothing to do with what is served."""


@dataclass(frozen=True)
class Operation:
    """One call, by the name of the SDK's method. ``path`` is a template as the SDK has it.

    ``actions`` are those that may be asked for: nothing can be served that names none. ``handle`` gives the answer's
    body; ``status`` is that of success. ``query`` are the parameters that it takes, ``body`` the members of its body.
    What is named nowhere is refused. ``faults`` are what refusals are called here and not elsewhere, by our code.
    """

    name: str
    method: str
    path: str
    doc: str
    actions: tuple[Action, ...]
    handle: Callable[[Call], Told]
    status: int = 200
    query: tuple[str, ...] = ()
    body: tuple[Member, ...] = ()
    faults: Mapping[str, Fault] = field(default_factory=dict)
    own: bool = False
    """Whether everybody may ask for it, as it tells nothing of anybody."""
    only: tuple[str, str] | None = None
    """A member of the body and what it says, where that decides between calls of one path; the last has none."""

    def __post_init__(self) -> None:
        unknown = [action for action in self.actions if ACTIONS.get(action.name) is not action]
        if unknown or not (self.actions or self.own):
            raise ValueError(f"{self.name} names no action of RAM that allows it: {unknown}")

    @property
    def version(self) -> str:
        """The first part of its path: v1, v2.0 or v3. Each tells refusals in a form of its own."""
        return self.path.split("/")[1]

    @property
    def label(self) -> str:
        """The version and the name: ``v3 list_ports``."""
        return f"{self.version} {self.name}".strip()

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """What paths of this call look like, decoded."""
        return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(self.path)))

    def is_said(self, raw: bytes) -> bool:
        """Whether a body, not checked yet, is for this call and not for another one of the same path."""
        if self.only is None:
            return True
        try:
            said = json.loads(raw)
        except (ValueError, RecursionError):
            return False
        member, value = self.only
        return isinstance(said, dict) and said.get(member) == value


@dataclass(frozen=True)
class Call:
    """A request for a call, of a caller who has proved who they are. Bad parameters raise `InvalidFields`."""

    service: Service
    operation: Operation
    caller: Caller
    path: Mapping[str, str]
    query: Mapping[str, tuple[str, ...]]
    json: Mapping[str, Any]
    """The body; empty where there is none."""
    request_id: str
    origin: str
    """The server's address as the client knows it: ``http://127.0.0.1:8080``."""

    @property
    def control(self) -> Control:
        """The service itself."""
        return self.service.control

    @property
    def state(self) -> State:
        """The newest state."""
        return self.control.state

    @property
    def project(self) -> str:
        """The id of the caller's project, which is the account's."""
        return self.caller.account

    def change(self, work: Callable[[Draft], Told]) -> Told:
        """Make a change; a dry run that would have done is told by `DryRun`."""
        dry_run = bool(self.json.get("dry_run", False))
        told = changed(self.control, self.caller, self.operation.name, work, dry_run=dry_run)
        if dry_run:
            raise DryRun
        return told

    def looking(self) -> Draft:
        """The newest state, to be looked at as what changes look at: nothing comes of what is put into it."""
        return Draft(self.state, self.caller, self.control.authority, "")

    def visible(self, kind: Kind) -> list[Resource]:
        """What of a kind the caller may see, by id. Raises `Forbidden`."""
        return reading.visible(self.control, self.state, self.caller, kind)

    def find(self, kind: Kind, id_: str) -> Resource:
        """A resource by its id, if the caller may see it. Raises `NotFound`, `Forbidden`."""
        return reading.find_by_id(self.control, self.state, self.caller, kind, id_)

    def missing(self, kind: Kind, id_: str) -> NotFound:
        """The refusal of what is not there."""
        return not_found(self.control.authority, self.state, self.caller, kind, id_)

    def one(self, name: str) -> str | None:
        """A parameter of the query, the last where it is there several times; None where it is not."""
        return self.query[name][-1] if name in self.query else None

    def number(self, name: str, default: int, low: int, high: int) -> int:
        """A parameter of the query that is a whole number."""
        text = self.one(name)
        if text is None:
            return default
        if not (text.isascii() and text.isdigit() and len(text) < 10 and low <= int(text) <= high):
            raise invalid(name, f"use a number from {low} to {high}", text)
        return int(text)

    def page(self, items: list[dict[str, Any]], key: str) -> Told:
        """A page of what is told under a key: ``limit`` of the items after that with the id ``marker``, by id."""
        limit, marker = self.number("limit", MOST, 0, MOST), self.one("marker")
        left = [it for it in sorted(items, key=lambda it: str(it["id"])) if marker is None or str(it["id"]) > marker]
        page = left[:limit]
        page += [it for it in left[limit:] if page and it["id"] == page[-1]["id"]]  # what one thing is told as, at once
        info: dict[str, Any] = {"current_count": len(page)}
        if page:
            info["previous_marker"] = page[0]["id"]
        if page and len(left) > len(page):
            info["next_marker"] = page[-1]["id"]
        return {key: page, "page_info": info}


class DryRun(Exception):
    """A dry run would have done: it is answered with 202."""


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
