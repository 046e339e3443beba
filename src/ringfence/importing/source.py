"""Text of a file as values with places: each knows its file, its line and its path in the JSON.

What is not as expected raises `ringfence.errors.BadImportFile`: place, what is wrong and what would be right.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from ringfence.errors import BadImportFile, NotationError

Path = tuple[str | int, ...]
T = TypeVar("T")

EMPTY: Final[tuple[object, ...]] = (None, "", [], {})
"""What says nothing."""
_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()
_DEEPEST = 200


@dataclass(frozen=True)
class Source:
    """One file: its name and its text."""

    name: str
    text: str
    _children: dict[Path, dict[str | int, int]] = field(default_factory=dict, repr=False, compare=False)
    _breaks: list[int] = field(default_factory=list, repr=False, compare=False)
    asked: set[str] = field(default_factory=set, repr=False, compare=False)
    """The shapes of the fields that were asked for."""

    def line(self, path: Path) -> int:
        """The line, from 1, on which the value at a path begins."""
        if not self._breaks:
            self._breaks.extend(match.start() for match in re.finditer("\n", self.text))
        return bisect_left(self._breaks, self._offset(path)) + 1

    def _offset(self, path: Path) -> int:
        return self._inside(path[:-1])[path[-1]] if path else self._after_space(0)

    def _inside(self, path: Path) -> dict[str | int, int]:
        """Where the values of an object or a list begin: it is read once, and its parts are passed over."""
        if path not in self._children:
            start = self._offset(path)
            found = self._members(start) if self.text[start] == "{" else self._elements(start)
            self._children[path] = found
        return self._children[path]

    def _members(self, at: int) -> dict[str | int, int]:
        found: dict[str | int, int] = {}
        at = self._after_space(at + 1)
        while self.text[at] != "}":
            key, at = _DECODER.raw_decode(self.text, at)
            at = self._after_space(self._after_space(at) + 1)  # the colon
            found[key] = at
            at = self._next(at)
        return found

    def _elements(self, at: int) -> dict[str | int, int]:
        found: dict[str | int, int] = {}
        at = self._after_space(at + 1)
        while self.text[at] != "]":
            found[len(found)] = at
            at = self._next(at)
        return found

    def _next(self, at: int) -> int:
        """Where what follows the value at an offset begins, or what closes the whole."""
        at = self._after_space(_DECODER.raw_decode(self.text, at)[1])
        return self._after_space(at + 1) if self.text[at] == "," else at

    def _after_space(self, at: int) -> int:
        match = _SPACE.match(self.text, at)
        return match.end() if match else at


@dataclass(frozen=True, slots=True)
class Item:
    """A value of a file, and where it stands; None is what is absent or null."""

    value: Any
    source: Source = field(repr=False, compare=False)
    path: Path = ()
    shape: str = field(default="", compare=False)
    """The path without indexes: fields of things of one kind have one."""

    @property
    def where(self) -> str:
        """The path as people write it: ``SecurityGroups[0].IpPermissions[2]``."""
        steps = (f"[{step}]" if isinstance(step, int) else f".{shown(step)}" for step in self.path)
        return "".join(steps).removeprefix(".") or "the whole"

    @property
    def line(self) -> int:
        """The line on which it begins; of what is absent, the line of what lacks it."""
        path = self.path
        while path:
            try:
                return self.source.line(path)
            except KeyError:
                path = path[:-1]
        return self.source.line(())

    def bad(self, what: str, right: str) -> BadImportFile:
        """The error that this value is."""
        return BadImportFile(self.source.name, self.line, self.where, what, right)

    def get(self, *names: str) -> Item:
        """The first of some fields that is there and not null."""
        fields = self.mapping()
        name = next((name for name in names if fields.get(name) is not None), names[0])
        for each in names:
            self.source.asked.add(self._shape(each))
        return Item(fields.get(name), self.source, (*self.path, name), self._shape(name))

    def _shape(self, name: str) -> str:
        return f"{self.shape}.{name}" if self.shape else name

    def mapping(self) -> dict[str, Any]:
        """The value as an object; raises `BadImportFile`."""
        if not isinstance(self.value, dict):
            raise self.bad(f"it is {_kind(self.value)}", "an object belongs here")
        return self.value

    def has(self, name: str) -> bool:
        """Whether a field is there and not null."""
        return self.mapping().get(name) is not None

    def part(self, name: str) -> Item:
        """A field that is an object; an empty one where it is absent."""
        found = self.get(name)
        if found.value is None:
            return Item({}, self.source, found.path, found.shape)
        found.mapping()
        return found

    def items(self, name: str = "") -> list[Item]:
        """The values of a list, of a field or of this value itself; none where it is absent."""
        found = self.get(name) if name else self
        if found.value is None:
            return []
        if not isinstance(found.value, list):
            raise found.bad(f"it is {_kind(found.value)}", "a list belongs here")
        shape = f"{found.shape}[]"
        return [Item(each, self.source, (*found.path, index), shape) for index, each in enumerate(found.value)]

    def unasked(self) -> Iterator[str]:
        """The shapes of fields inside that nobody asked for, one for each time that they say something."""
        if isinstance(self.value, list):
            for each in self.items():
                yield from each.unasked()
        elif isinstance(self.value, dict):
            for name, value in self.value.items():
                shape = self._shape(name)
                if shape in self.source.asked:
                    yield from Item(value, self.source, (), shape).unasked()
                elif value not in EMPTY:
                    yield shape

    def text(self, *names: str) -> str:
        """A field, or this value where none is named, as a text; empty where it is absent."""
        found = self.get(*names) if names else self
        value = found.value
        if value is None:
            return ""
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise found.bad(f"it is {_kind(value)}", "a text belongs here")
        return str(value)

    def need(self, *names: str) -> str:
        """A text that must be there."""
        text = self.text(*names)
        if not text:
            raise self.bad(f"it has no {names[0]}", "give what the cloud's own API or tool prints, unshortened")
        return text

    def only(self, *names: str) -> str:
        """The name of the one of some fields that says something, or nothing; two of them exclude each other."""
        said = [name for name in names if self.text(name)]
        if len(said) > 1:
            raise self.bad(f"it has both {said[0]} and {said[1]}", "one of them belongs here")
        return said[0] if said else ""

    def texts(self, name: str) -> list[str]:
        """A list of texts."""
        return [each.text() for each in self.items(name)]

    def number(self, name: str) -> int | None:
        """A whole number, itself or as a text; None where it is absent or empty."""
        found = self.get(name)
        value = found.value
        if value is None or value == "":
            return None
        if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,9}", value, re.ASCII):
            return int(value)
        if isinstance(value, float) and value.is_integer():
            return int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise found.bad(f"it is {_kind(value)}", "a whole number belongs here")
        return value

    def flag(self, name: str, default: bool) -> bool:
        """True or false."""
        found = self.get(name)
        if found.value is None:
            return default
        if not isinstance(found.value, bool):
            raise found.bad(f"it is {_kind(found.value)}", "true or false belongs here")
        return found.value

    def one_of(self, name: str, known: dict[str, T], default: T | None = None) -> T:
        """A text that is one of some words, whatever its case."""
        text = self.text(name)
        if not text and default is not None:
            return default
        if text.lower() not in known:
            raise self.get(name).bad(f"{text!r} is not known here", f"one of {', '.join(known)} belongs here")
        return known[text.lower()]

    def parsed(self, parse: Callable[[str], T], *names: str) -> T:
        """A text that is read by one of our parsers."""
        try:
            return parse(self.text(*names))
        except NotationError as error:
            found = self.get(*names) if names else self
            raise found.bad(error.what, error.right) from None


def shown(text: str) -> str:
    """A text from a file, fit for a terminal: without control characters."""
    return "".join(each if each.isprintable() else "\ufffd" for each in text)


def _kind(value: object) -> str:
    if value is None:
        return "absent"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, str):
        return "a text"
    if isinstance(value, dict):
        return "an object"
    return "a list" if isinstance(value, list) else "a number"
