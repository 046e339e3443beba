"""The YAML node tree of a world file, and a cursor that reads it and notes what is wrong.

Scalars are taken as the text that stands in the file, never as what YAML makes of it: ``on``, ``22``, ``1:30`` and
``10.0`` are text until a field says otherwise.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from yaml import MappingNode, Mark, Node, ScalarNode, SequenceNode

from ringfence.errors import NotationError
from ringfence.model.names import check_name
from ringfence.model.validation import Path
from ringfence.worldfile.notes import Notes, label

T = TypeVar("T")

_NULL = "tag:yaml.org,2002:null"


def is_null(node: Node) -> bool:
    """Whether a node is YAML's null: nothing at all, ``~`` or ``null``."""
    return isinstance(node, ScalarNode) and node.tag == _NULL


def _found(node: Node) -> str:
    if isinstance(node, MappingNode):
        return "a mapping"
    if isinstance(node, SequenceNode):
        return "a list"
    if is_null(node):
        return "empty"
    return repr(node.value if len(node.value) <= 60 else node.value[:57] + "...")


def _unknown(key: str, known: Collection[str]) -> tuple[str, str]:
    """The key that was meant (else the key itself), and the words that say so."""
    close = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    return (close[0], f"did you mean {close[0]!r}?") if close else (key, f"known keys: {', '.join(known)}")


@dataclass(frozen=True, slots=True)
class Cursor:
    """One node, its path in the world, and the notes to write to. ``flow``: the node is an item of a ``[ ]`` list."""

    notes: Notes
    node: Node
    path: Path = ()
    flow: bool = False

    @property
    def is_mapping(self) -> bool:
        """Whether the node is a mapping that the file's author meant as one."""
        return isinstance(self.node, MappingNode) and not self._is_split_text

    @property
    def is_list(self) -> bool:
        """Whether the node is a list."""
        return isinstance(self.node, SequenceNode)

    @property
    def _is_split_text(self) -> bool:
        # No key of a world file has a space in it, but a text with ': ' in it does once YAML has read it.
        return (
            isinstance(self.node, MappingNode)
            and bool(self.node.value)
            and isinstance(self.node.value[0][0], ScalarNode)
            and " " in self.node.value[0][0].value
        )

    @property
    def mark(self) -> Mark:
        """Where the name of the thing stands, or the thing itself if it is an item of a list."""
        return self.notes.where(self.path)

    @property
    def broken(self) -> bool:
        """Whether a mistake was noted here or inside."""
        return self.notes.broken(*self.path)

    def wrong(self, code: str, what: str, right: str) -> None:
        """Note a mistake: of a scalar where it stands, of anything larger where its name stands."""
        own = isinstance(self.node, ScalarNode) and not is_null(self.node)
        mark = self.node.start_mark if own else self.mark
        self.notes.add(self.path, mark, code, what, right)

    def wrong_type(self, expected: str, form: str) -> None:
        """Note that the node is of another kind than expected."""
        self.notes.unread(self.path)
        if self._is_split_text:
            what = f"{label(self.path)} has a ': ' in it, which YAML reads as the end of a key"
            self.wrong("world.type", what, "put the whole text in single quotes")
        else:
            self.wrong("world.type", f"{label(self.path)} is {_found(self.node)}, not {expected}", f"write {form}")

    def text(self, form: str) -> str | None:
        """The scalar's text as it stands in the file; ``form`` says what would be right."""
        if isinstance(self.node, ScalarNode) and not is_null(self.node):
            return str(self.node.value)
        self.wrong_type("a text", form)
        return None

    def read(self, parse: Callable[[str], T], form: str) -> T | None:
        """The scalar's text, parsed; a `NotationError` becomes a mistake."""
        text = self.text(form)
        return None if text is None else self.noting(lambda: parse(text))

    def noting(self, make: Callable[[], T], hint: str = "") -> T | None:
        """What ``make`` gives; where it raises `NotationError`, that is noted with ``hint`` added."""
        try:
            return make()
        except NotationError as error:
            self.wrong(error.code, error.what, error.right + hint)
            return None

    def choice(self, choices: Mapping[str, T]) -> T | None:
        """One of a few words."""
        words = " or ".join(choices) if len(choices) < 3 else ", ".join(choices)
        text = self.text(words)
        if text is None or text in choices:
            return choices[text] if text else None
        self.wrong("world.value", f"{label(self.path)} is {text!r}", f"use {words}")
        return None

    def items(self, form: str, *, one: bool = False) -> list[Cursor]:
        """The items of a list; empty for null. With ``one``, a scalar is a list of itself."""
        if is_null(self.node):
            return []
        if one and isinstance(self.node, ScalarNode):
            return [self]
        if not isinstance(self.node, SequenceNode):
            self.wrong_type("a list", form)
            return []
        flow = bool(self.node.flow_style)
        return [self._item(index, node, flow) for index, node in enumerate(self.node.value)]

    def _item(self, index: int, node: Node, flow: bool) -> Cursor:
        path = (*self.path, index)
        self.notes.place(path, node.start_mark)
        return Cursor(self.notes, node, path, flow)

    def entries(self, form: str) -> Iterator[tuple[ScalarNode, Cursor]]:
        """Key and value of each entry of a mapping, each key once; none for null."""
        if is_null(self.node):
            return
        if not isinstance(self.node, MappingNode):
            self.wrong_type("a mapping", form)
            return
        seen: dict[str, int] = {}
        for key, value in self.node.value:
            if not isinstance(key, ScalarNode):
                self.notes.add(self.path, key.start_mark, "world.type", f"{_found(key)} stands as a key", "use a name")
            elif key.value in seen:
                self._repeated(key, seen[key.value])
            else:
                seen[key.value] = key.start_mark.line + 1
                path = (*self.path, key.value)
                self.notes.place(path, key.start_mark)
                yield key, Cursor(self.notes, value, path)

    def _repeated(self, key: ScalarNode, line: int) -> None:
        path = (*self.path, key.value)
        what = f"{label(path)} is there already, in line {line}"
        self.notes.add(path, key.start_mark, "world.duplicate_key", what, "keep one, or choose another name")
        self.notes.unread(path)

    def named(self, form: str, *, dots: bool = True) -> dict[str, Cursor]:
        """The entries of a mapping from names that the author chose."""
        found = {}
        for key, value in self.entries(form):
            try:
                check_name(key.value, dots=dots)
            except NotationError as error:
                self.notes.add(value.path, key.start_mark, error.code, error.what, error.right)
            found[key.value] = value
        return found

    def fields(self, known: Collection[str], form: str) -> dict[str, Cursor]:
        """The entries of a mapping whose keys are fixed."""
        found = {}
        for key, value in self.entries(form):
            if key.value in known:
                found[key.value] = value
            else:
                # Noted at the path of the key that was meant, so that this one is not reported as missing as well.
                meant, right = _unknown(key.value, known)
                what = f"unknown key {key.value!r} in {label(self.path)}"
                self.notes.add((*self.path, meant), key.start_mark, "world.unknown_key", what, right)
                self.notes.unread((*self.path, meant))
        return found

    def absent(self, key: str) -> Cursor:
        """A field that the file leaves out: as if it were there and empty."""
        return Cursor(self.notes, ScalarNode(_NULL, "", self.node.start_mark, self.node.end_mark), (*self.path, key))

    def need(self, fields: Mapping[str, Cursor], key: str, form: str) -> Cursor | None:
        """The field of a key that must be there; ``form`` says what to write."""
        if key not in fields and not self.doubts(key):
            path = (*self.path, key)
            self.notes.add(
                path, self.mark, "world.missing_key", f"{label(self.path)} has no {key}", f"add {key}: {form}"
            )
        return fields.get(key)

    def doubts(self, key: str) -> bool:
        """Whether it is unknown what the author wrote under a key, or meant to write."""
        return self.notes.doubtful(*self.path, key)


def given(fields: Mapping[str, Cursor], key: str, read: Callable[[Cursor], T | None], default: T) -> T:
    """What a field holds, read; the default where the file leaves it out or has a mistake in it."""
    value = read(fields[key]) if key in fields else None
    return default if value is None else value
