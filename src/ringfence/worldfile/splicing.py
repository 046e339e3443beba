"""Changes to a YAML text at single places of it, found by the marks of its nodes; every other byte stays."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from copy import copy
from typing import Any

import yaml
from yaml import CollectionNode, MappingNode, Node, ScalarNode, SequenceNode

from ringfence.errors import CannotAmend
from ringfence.worldfile.dump import Dumper

_COMMENT = re.compile(r"(?m)(?:^|(?<=\s))#.*$")
_WIDE = 1 << 20
Span = tuple[int, int]


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


def is_empty(node: Node) -> bool:
    """Whether nothing stands there: no text at all, ``~``, ``[]`` or ``{}``."""
    scalar = isinstance(node, ScalarNode) and node.tag == "tag:yaml.org,2002:null"
    return scalar or (isinstance(node, CollectionNode) and not node.value)


def flow_text(data: Any, style: str | None = None) -> str:
    """A value in one line, as it may stand inside of brackets."""
    text = yaml.dump([data], Dumper=Dumper, default_flow_style=True, sort_keys=False, allow_unicode=True, width=_WIDE)
    return _quoted(data, style) or text.strip()[1:-1]


def _line_text(data: Any, style: str | None = None) -> str:
    """A value in one line, as it may stand alone behind a key or a dash."""
    if isinstance(data, str):
        return _quoted(data, style) or yaml.dump([data], Dumper=Dumper, allow_unicode=True, width=_WIDE)[2:-1]
    return flow_text(data)


def _quoted(data: Any, style: str | None) -> str:
    if not isinstance(data, str) or style not in ("'", '"'):
        return ""
    return yaml.dump(data, Dumper=Dumper, default_style=style, allow_unicode=True, width=_WIDE).rstrip("\n")


class Page:
    """A text, its nodes, and the changes to make; raises `CannotAmend` where a place cannot be changed alone."""

    def __init__(self, text: str) -> None:
        self.text = text
        loader = _Loader(text)
        self.root: Node | None = loader.get_single_node()
        self._aliases = loader.aliases
        self._changes: list[tuple[int, int, str]] = []
        self._newline = "\r\n" if "\r\n" in text else "\n"
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

    # ---- single values

    def rewrite(self, node: Node, data: Any, *, inside_flow: bool) -> None:
        """Another value in place of a whole node."""
        start, end = node.start_mark.index, self._end(node)
        if self._has_comment(node):
            raise CannotAmend("a comment stands inside of what would be written anew", self._line(start))
        style = node.style if isinstance(node, ScalarNode) else None
        self._put(start, end, (" " if start == end else "") + (flow_text if inside_flow else _line_text)(data, style))

    def fill(self, key: Node, node: Node, data: Any, *, inside_flow: bool) -> None:
        """A value behind a key where there is none, or in place of empty brackets or of lines."""
        lines = is_empty(node) or self.is_block(node)
        if inside_flow or not lines or not isinstance(data, dict | list):
            self.rewrite(node, data, inside_flow=inside_flow)
            return
        colon = self.text.index(":", self._end(key)) + 1
        if _COMMENT.search(self.text[colon : self._end(node)]):
            raise CannotAmend("a comment stands inside of what would be written anew", self._line(colon))
        self._put(colon, self._end(node), "")
        self._put(*2 * (self._line_end(colon),), self._newline + self._block(data, key.start_mark.column))

    def wrap(self, node: Node, key: str, data: dict[str, Any]) -> None:
        """A mapping in place of a list, which becomes the value of one of its keys."""
        if not self.is_block(node):
            self._put(*2 * (node.start_mark.index,), "{" + flow_text(data)[1:-1] + f", {key}: ")
            self._put(*2 * (self._end(node),), "}")
            return
        column, at = node.start_mark.column, self._before_line(node.start_mark.index)
        lines = [self._block(data, column, 0), " " * column + f"{key}:"]
        self._put(at, at, "".join(self._newline + line for line in lines))

    # ---- collections

    def rearrange(self, node: CollectionNode, order: Sequence[int | Any], key: Node | None) -> None:
        """The items of a list or the entries of a mapping in another order.

        ``order`` has the number of each that stays, and the text of each that is new: a value of a list, or a pair of
        key and value. ``key`` is what the collection stands behind.
        """
        spans = [self._span(node, index) for index in range(len(node.value))]
        kept = _rising([each for each in order if isinstance(each, int)])
        come = _arrivals(order, kept)
        gone = [index for index in range(len(spans)) if index not in kept]
        if self.is_block(node):
            self._rearrange_block(node, spans, kept, come, gone, key)
        else:
            self._rearrange_flow(node, spans, kept, come, gone)

    def _rearrange_block(
        self,
        node: CollectionNode,
        spans: list[Span],
        kept: set[int],
        come: dict[int, list[int | Any]],
        gone: list[int],
        key: Node | None,
    ) -> None:
        column = spans[0][0] - self._line_start(spans[0][0])
        for index in gone:
            self._remove_lines(spans, index)
        for after, items in come.items():
            lines = [self._moved(spans[it]) if isinstance(it, int) else self._fresh(it, column) for it in items]
            if after >= 0:
                end = self._line_end(spans[after][1])
                self._put(end, end, "".join(self._newline + line for line in lines))
            elif kept:
                start = spans[min(kept)][0]
                self._put(start, start, "".join(line.lstrip(" ") + self._newline + " " * column for line in lines))
            else:
                at = self._before_line(spans[0][0])
                self._put(at, at, "".join(self._newline + line for line in lines))
        if not kept and not come:
            if key is None:
                raise CannotAmend("nothing would be left of it", self._line(spans[0][0]))
            colon = self.text.index(":", self._end(key)) + 1
            self._put(colon, colon, " []" if isinstance(node, SequenceNode) else " {}")

    def _remove_lines(self, spans: list[Span], index: int) -> None:
        start, end = spans[index]
        first = self._line_start(start)
        if not self.text[first:start].strip():
            self._remove_whole_lines(start, end)
        elif index + 1 == len(spans):
            raise CannotAmend("what would go shares its line with something that stays", self._line(start))
        elif _COMMENT.search(self.text[self._line_end(end) : spans[index + 1][0]]):
            self._put(len(self.text[:start].rstrip()), self._line_end(end), "")
        else:
            self._put(start, spans[index + 1][0], "")

    def _moved(self, span: Span) -> str:
        start = self._line_start(span[0])
        if self.text[start : span[0]].strip():
            raise CannotAmend("what would move shares its line with something that stays", self._line(start))
        return self.text[start : self._line_end(span[1])]

    def _fresh(self, item: Any, column: int) -> str:
        """The line or lines of a new item; a pair is an entry of a mapping."""
        indent = " " * column
        if not isinstance(item, tuple):
            return f"{indent}- {_line_text(item)}"
        return self._block(dict([item]), column, 0)

    def _rearrange_flow(
        self, node: CollectionNode, spans: list[Span], kept: set[int], come: dict[int, list[int | Any]], gone: list[int]
    ) -> None:
        texts = {after: [self._flow_item(spans, it) for it in items] for after, items in come.items()}
        if not kept:
            inner = ", ".join(texts.get(-1, []))
            start = spans[0][0] if spans else self.text.index("[" if isinstance(node, SequenceNode) else "{") + 1
            if spans and self._has_comment(node):
                raise CannotAmend("a comment stands inside of what would be written anew", self._line(start))
            self._put(start, spans[-1][1] if spans else start, inner)
            return
        for after, items in texts.items():
            at = spans[after][1] if after >= 0 else spans[min(kept)][0]
            self._put(at, at, "".join(f", {it}" if after >= 0 else f"{it}, " for it in items))
        for index in gone:
            self._remove_flow(spans, index, kept)

    def _flow_item(self, spans: list[Span], item: int | Any) -> str:
        if isinstance(item, int):
            return self.text[slice(*spans[item])]
        return flow_text(dict([item]))[1:-1] if isinstance(item, tuple) else flow_text(item)

    def _remove_flow(self, spans: list[Span], index: int, kept: set[int]) -> None:
        start, end = spans[index]
        after = spans[index + 1][0] if index + 1 < len(spans) else None
        first, last = self._line_start(start), self._line_end(end)
        alone = not self.text[first:start].strip() and not _COMMENT.sub("", self.text[end:last]).strip(" \t\r,")
        if alone:
            self._remove_whole_lines(start, end)
        elif after is None or index > max(kept):
            before = spans[index - 1][1]
            self._put(start if "\n" in self.text[before:start] else before, end, "")
        elif "\n" not in self.text[end:after]:
            self._put(start, after, "")
        elif _COMMENT.search(self.text[end : self.text.index(",", end)]):
            raise CannotAmend("a comment stands between what would go and its comma", self._line(end))
        else:
            self._put(start, self.text.index(",", end) + 1, "")

    # ---- places

    def _span(self, node: CollectionNode, index: int) -> Span:
        """From the dash or key of an item to its end."""
        if isinstance(node, MappingNode):
            key, value = node.value[index]
            return key.start_mark.index, max(self._end(key), self._end(value))
        item = node.value[index]
        if not self.is_block(node):
            return item.start_mark.index, self._end(item)
        before = self._end(node.value[index - 1]) if index else node.start_mark.index
        between = _COMMENT.sub(lambda found: " " * len(found[0]), self.text[before : item.start_mark.index])
        return before + between.rindex("-"), max(self._end(item), before + between.rindex("-") + 1)

    def _end(self, node: Node) -> int:
        """Where a node ends: what PyYAML says of a block is where the next thing begins."""
        if self.is_block(node) and node.value:
            last = node.value[-1]
            return max(map(self._end, last)) if isinstance(last, tuple) else max(self._end(last), 0)
        end: int = node.end_mark.index
        if isinstance(node, ScalarNode) and node.style in ("|", ">"):
            return len(self.text[:end].rstrip())
        return end

    def _has_comment(self, node: Node) -> bool:
        start = node.start_mark.index
        letters = list(self.text[start : self._end(node)])
        for scalar in self._scalars(node):
            first, last = scalar.start_mark.index - start, self._end(scalar) - start
            letters[first:last] = "x" * (last - first)
        return bool(_COMMENT.search("".join(letters)))

    def _line(self, position: int) -> int:
        return self.text.count("\n", 0, position) + 1

    def _line_start(self, position: int) -> int:
        return self.text.rfind("\n", 0, position) + 1

    def _line_end(self, position: int) -> int:
        found = self.text.find("\n", position)
        end = len(self.text) if found < 0 else found
        return end - 1 if end > position and self.text[end - 1 : end + 1] == "\r\n" else end

    def _before_line(self, position: int) -> int:
        """The end of the line before, or the start of the text."""
        start = self._line_start(position)
        return start - 2 if self.text.endswith("\r\n", 0, start) else max(start - 1, 0)

    def _remove_whole_lines(self, start: int, end: int) -> None:
        first, last = self._before_line(start), self._line_end(end)
        if not first:
            last += len(self._newline) if self.text.startswith(self._newline, last) else 0
        self._put(first, last, "")

    def _put(self, start: int, end: int, new: str) -> None:
        self._changes.append((start, end, new))

    def _block(self, data: Any, column: int, step: int = 2) -> str:
        """A collection in lines, ``step`` columns to the right of a key."""
        text = yaml.dump(
            data, Dumper=self._dumper, default_flow_style=False, sort_keys=False, allow_unicode=True, width=_WIDE
        )
        indentless = isinstance(data, list) and self._dumper is Dumper
        indent = " " * (column + (0 if indentless else step))
        return self._newline.join(indent + line for line in text.splitlines())

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


def _rising(numbers: Sequence[int]) -> set[int]:
    """The longest part of a sequence that rises: what stays in place when the rest moves."""
    ends: list[int] = []
    before: dict[int, int | None] = {}
    for number in numbers:
        at = bisect_left(ends, number)
        before[number] = ends[at - 1] if at else None
        ends[at : at + 1] = [number]
    found: set[int] = set()
    last = ends[-1] if ends else None
    while last is not None:
        found.add(last)
        last = before[last]
    return found


def _arrivals(order: Sequence[int | Any], kept: set[int]) -> dict[int, list[int | Any]]:
    """What comes to stand behind each that stays; behind -1 what comes before all of them."""
    come: dict[int, list[int | Any]] = {}
    after = -1
    for each in order:
        if isinstance(each, int) and each in kept:
            after = each
        else:
            come.setdefault(after, []).append(each)
    return come
