"""Calls of Huawei's APIs: each names the actions that allow it, its path, what it takes, and what answers it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from ringfence.control import basic
from ringfence.control.draft import Draft, not_found
from ringfence.errors import NotFound
from ringfence.ram.actions import Action, check_named
from ringfence.resources.kind import Kind
from ringfence.wire.huawei.members import Member, invalid
from ringfence.wire.request import Asked, Fault, Told, changed

MOST: Final = 2000
"""So many items a page has at most; a limit of 0 means none at all."""


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
        if not self.own:
            check_named(self.name, self.actions)

    @property
    def version(self) -> str:
        """The first part of its path: v1, v2.0 or v3. Each tells refusals in a form of its own."""
        return self.path.split("/")[1]

    @property
    def label(self) -> str:
        """The version and the name: ``v3 list_ports``."""
        return f"{self.version} {self.name}".strip()

    def parts_of(self, parts: Sequence[str]) -> dict[str, str] | None:
        """What a path says for the parts that the template names, if it is one of this call's.

        ``parts`` are decoded each by itself: a tag's key may have a slash in it.
        """
        template = self.path.split("/")
        if len(template) != len(parts):
            return None
        pairs = list(zip(template, parts, strict=True))
        if not all((part and name.startswith("{")) or part == name for name, part in pairs):
            return None
        return {name[1:-1]: part for name, part in pairs if name.startswith("{")}

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
class Call(Asked):
    """A request for a call, of a caller who has proved who they are. Bad parameters raise `InvalidFields`."""

    operation: Operation
    path: Mapping[str, str]
    query: Mapping[str, tuple[str, ...]]
    json: Mapping[str, Any]
    """The body; empty where there is none."""
    request_id: str
    origin: str
    """The server's address as the client knows it: ``http://127.0.0.1:8080``."""

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


def deleting(kind: Kind, parameter: str) -> Callable[[Call], Told]:
    """A handler that deletes what a parameter of the path names."""

    def handle(call: Call) -> Told:
        def work(draft: Draft) -> Told:
            basic.delete(draft, kind, draft.own(kind, call.path[parameter]).id)
            return {}

        return call.change(work)

    return handle


class DryRun(Exception):
    """A dry run would have done: it is answered with 202."""
