"""Reading a policy document so that each message names the place that is wrong, and what would be right."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from ringfence.errors import InvalidInput

LIMIT = 6144
"""Characters of a policy document; RAM's own limit."""


class PolicyError(InvalidInput):
    """A document that is no policy: where (``Statement[0].Action``), what is wrong, and what would be right."""

    code = "ram.policy"

    def __init__(self, where: str, what: str, right: str) -> None:
        super().__init__(f"{where}: {what}; {right}" if where else f"{what}; {right}")
        self.where, self.what, self.right = where, what, right


@dataclass(frozen=True, slots=True)
class Node:
    """One value of the document, and its place in it."""

    where: str
    value: object

    def error(self, what: str, right: str) -> PolicyError:
        """A refusal that names this place."""
        return PolicyError(self.where, what, right)

    def members(self) -> dict[str, Node]:
        """The members of an object, which must not be empty."""
        if not isinstance(self.value, dict) or not self.value:
            raise self.error(f"{_kind(self.value)} stands where an object should be", 'write {"…": …}')
        return {name: Node(self._inside(name), value) for name, value in self.value.items()}

    def _inside(self, name: str) -> str:
        shown = name if name.isprintable() else repr(name)
        return f"{self.where}.{shown}" if self.where else shown

    def only(self, names: Iterable[str]) -> dict[str, Node]:
        """The members of an object, none of which may have another name than these."""
        members = self.members()
        for name, member in members.items():
            if name not in names:
                raise member.error(f"there is no element {name!r} here", suggest(name, names))
        return members

    def items(self) -> list[Node]:
        """The items of a list, which must not be empty."""
        if not isinstance(self.value, list) or not self.value:
            raise self.error(f"{_kind(self.value)} stands where a list should be", "write […] with one item or more")
        return [Node(f"{self.where}[{index}]", value) for index, value in enumerate(self.value)]

    def text(self) -> str:
        """A string that is not empty and that people can see."""
        if not isinstance(self.value, str):
            right = "write it in double quotes, numbers and booleans too"
            raise self.error(f"{_kind(self.value)} stands where a string should be", right)
        if not self.value.isprintable():
            raise self.error(f"{self.value!r} has a character that does not print", "leave it out")
        if not self.value:
            raise self.error("the string is empty", "write a value, or leave the element out")
        return self.value

    def texts(self) -> list[Node]:
        """The strings of one string or of a list of them."""
        nodes = self.items() if isinstance(self.value, list) else [self]
        for node in nodes:
            node.text()
        return nodes


def suggest(name: str, known: Iterable[str]) -> str:
    """What would be right in place of an unknown name: the nearest one, or all of them."""
    names = list(known)
    near = get_close_matches(name, names, 1)
    return f"did you mean {near[0]}?" if near else f"use one of {', '.join(names)}"


def load(document: object) -> Node:
    """The document, from JSON text or from the object that such a text holds; raises `PolicyError`."""
    text = document if isinstance(document, str) else dump(document)
    if len(text) > LIMIT:
        raise PolicyError("", f"the policy has {len(text)} characters", f"use {LIMIT} at most, or several policies")
    try:
        return Node("", json.loads(text, object_pairs_hook=_once))
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise PolicyError(place, f"this is not JSON: {error.msg}", "write a JSON object") from None
    except (ValueError, RecursionError):
        raise PolicyError("", "the JSON is too deep or has a number too long", "write a policy document") from None


def dump(document: object) -> str:
    """JSON text without blanks; raises `PolicyError` for what JSON has no form for."""
    try:
        return json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError):
        raise PolicyError("", f"{type(document).__name__} is not JSON", "give a policy document") from None


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members: dict[str, object] = {}
    for name, value in pairs:
        if name in members:
            raise PolicyError("", f"{name!r} stands twice in one object", "keep one of the two")
        members[name] = value
    return members


def _kind(value: object) -> str:
    if isinstance(value, dict):
        return "an object" if value else "an empty object"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    return "a string" if isinstance(value, str) else dump(value)
