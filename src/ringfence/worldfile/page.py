"""A YAML text with its nodes, where they begin and end in it, and the changes to make to it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from copy import copy
from typing import Any

import yaml
from yaml import CollectionNode, MappingNode, Node, ScalarNode, SequenceNode

from ringfence.worldfile.dump import Dumper

COMMENT = re.compile(r"(?m)(?:^|(?<=\s))#[^\n\r\x85\u2028\u2029]*")
"""A comment, in a text without scalars; it ends with whatever ends a line in YAML."""
WIDE = 1 << 20
"""So long that no line is folded."""
Span = tuple[int, int]
"""Where something begins and ends."""


class _Loader(yaml.SafeLoader):
    """Composes nodes as they stand in the text: an alias is not the node that it names."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.aliases: set[int] = set()

    def compose_node(self, parent: Node | None, index: int) -> Node | None:
        event: object = self.peek_event()  # type: ignore[no-untyped-call]
        node = super().compose_node(parent, index)
        if node is not None and isinstance(event, yaml.AliasEvent):
            node = copy(node)
            node.start_mark, node.end_mark = event.start_mark, event.end_mark
            self.aliases.add(id(node))
        return node


class _Indented(Dumper):
    """Indents the items of a list in a mapping."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


class Page:
    """A text, its nodes, and the changes to make."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._first = int(text.startswith("\ufeff"))  # a byte order mark is of no line
        loader = _Loader(text)
        self.root: Node | None = loader.get_single_node()
        self._aliases = loader.aliases
        self._changes: list[tuple[int, int, str]] = []
        self.newline = "\r\n" if "\r\n" in text else "\n"
        self._dumper = _Indented if self.root is None or self._indents(self.root) else Dumper

    @property
    def changed(self) -> str:
        """The text after all changes."""
        parts, at = [], 0
        for start, end, new in sorted(self._changes, key=lambda change: change[:2]):
            parts += [self.text[at:start], new]
            at = max(at, end)
        return "".join([*parts, self.text[at:]])

    def is_alias(self, node: Node) -> bool:
        """Whether the text says ``*name`` there; what that stands for is elsewhere."""
        return id(node) in self._aliases

    def is_block(self, node: Node) -> bool:
        """Whether a collection is written over lines, without brackets."""
        return isinstance(node, CollectionNode) and not node.flow_style and not self.is_alias(node)

    # ---- places

    def span(self, node: CollectionNode, index: int) -> Span:
        """From the dash or key of an item to its end."""
        if isinstance(node, MappingNode):
            key, value = node.value[index]
            return key.start_mark.index, max(self.end(key), self.end(value))
        item = node.value[index]
        if not self.is_block(node):
            return item.start_mark.index, self.end(item)
        before = self.end(node.value[index - 1]) if index else node.start_mark.index
        between = COMMENT.sub(lambda found: " " * len(found[0]), self.text[before : item.start_mark.index])
        return before + between.rindex("-"), max(self.end(item), before + between.rindex("-") + 1)

    def end(self, node: Node) -> int:
        """Where a node ends: what PyYAML says of a block is where the next thing begins."""
        if self.is_block(node) and node.value:
            last = node.value[-1]
            return max(map(self.end, last)) if isinstance(last, tuple) else max(self.end(last), 0)
        end: int = node.end_mark.index
        if isinstance(node, ScalarNode) and node.style in ("|", ">"):
            return len(self.text[:end].rstrip())
        return end

    def has_comment(self, node: Node) -> bool:
        """Whether a comment stands inside of a node."""
        start = node.start_mark.index
        letters = list(self.text[start : self.end(node)])
        for scalar in self._scalars(node):
            first, last = scalar.start_mark.index - start, self.end(scalar) - start
            letters[first:last] = "x" * (last - first)
        return bool(COMMENT.search("".join(letters)))

    def line(self, position: int) -> int:
        """The number of a line, from 1."""
        return self.text.count("\n", 0, position) + 1

    def line_start(self, position: int) -> int:
        """Where the line of a position begins."""
        return max(self.text.rfind("\n", 0, position) + 1, self._first)

    def line_end(self, position: int) -> int:
        """Where the line of a position ends, before its line break."""
        found = self.text.find("\n", position)
        end = len(self.text) if found < 0 else found
        return end - 1 if end > position and self.text[end - 1 : end + 1] == "\r\n" else end

    def before_line(self, position: int) -> int:
        """The end of the line before, or the start of the text."""
        start = self.line_start(position)
        return start - 2 if self.text.endswith("\r\n", 0, start) else max(start - 1, self._first)

    def insert_lines(self, position: int, lines: Iterable[str]) -> None:
        """Put lines above the line of a position."""
        at = self.before_line(position)
        new = (line + self.newline if at == self._first else self.newline + line for line in lines)
        self.put(at, at, "".join(new))

    def remove_whole_lines(self, start: int, end: int) -> None:
        """Take out the lines between two positions, with the comments on them."""
        first, last = self.before_line(start), self.line_end(end)
        if first == self._first:
            last += len(self.newline) if self.text.startswith(self.newline, last) else 0
        self.put(first, last, "")

    def put(self, start: int, end: int, new: str) -> None:
        """Another text in place of a part."""
        self._changes.append((start, end, new))

    def block(self, data: Any, column: int, step: int = 2) -> str:
        """A collection in lines, ``step`` columns to the right of a key."""
        text = yaml.dump(
            data, Dumper=self._dumper, default_flow_style=False, sort_keys=False, allow_unicode=True, width=WIDE
        )
        indentless = isinstance(data, list) and self._dumper is Dumper
        indent = " " * (column + (0 if indentless else step))
        return self.newline.join(indent + line for line in text.splitlines())

    def _indents(self, node: Node) -> bool:
        """Whether the first list of lines that stands behind a key is indented; so it is where there is none."""
        for key, value in self._entries(node):
            if isinstance(value, SequenceNode) and self.is_block(value) and value.value:
                return bool(value.start_mark.column > key.start_mark.column)
        return True

    def _entries(self, node: Node) -> Iterator[tuple[Node, Node]]:
        """The entries of all mappings."""
        for each in node.value if isinstance(node, CollectionNode) and not self.is_alias(node) else ():
            if isinstance(each, tuple):
                yield each
            yield from self._entries(each[1] if isinstance(each, tuple) else each)

    def _scalars(self, node: Node) -> Iterator[Node]:
        if isinstance(node, ScalarNode) or self.is_alias(node):
            yield node
            return
        for each in node.value:
            for part in each if isinstance(each, tuple) else (each,):
                yield from self._scalars(part)
