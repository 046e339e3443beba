"""Changes to a YAML text at single places of it, found by the marks of its nodes; every other byte stays."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

import yaml
from yaml import CollectionNode, Node, ScalarNode, SequenceNode

from ringfence.errors import CannotAmend
from ringfence.worldfile.dump import Dumper
from ringfence.worldfile.page import COMMENT, WIDE, Page, Span

_PROPERTIES = re.compile(r"(?:[ \t]+[&!]\S+)*")
"""An anchor and a tag, behind a colon."""
_COMMA = re.compile(r"\s*,")


def is_empty(node: Node) -> bool:
    """Whether nothing stands there: no text at all, ``~``, ``[]`` or ``{}``."""
    scalar = isinstance(node, ScalarNode) and node.tag == "tag:yaml.org,2002:null"
    return scalar or (isinstance(node, CollectionNode) and not node.value)


def flow_text(data: Any, style: str | None = None) -> str:
    """A value in one line, as it may stand inside of brackets."""
    text = yaml.dump([data], Dumper=Dumper, default_flow_style=True, sort_keys=False, allow_unicode=True, width=WIDE)
    return _quoted(data, style) or text.strip()[1:-1]


def _line_text(data: Any, style: str | None = None) -> str:
    """A value in one line, as it may stand alone behind a key or a dash."""
    if isinstance(data, str):
        return _quoted(data, style) or yaml.dump([data], Dumper=Dumper, allow_unicode=True, width=WIDE)[2:-1]
    return flow_text(data)


def _quoted(data: Any, style: str | None) -> str:
    if not isinstance(data, str) or style not in ("'", '"'):
        return ""
    return yaml.dump(data, Dumper=Dumper, default_style=style, allow_unicode=True, width=WIDE).rstrip("\n")


class Splicer(Page):
    """A page that can be changed; raises `CannotAmend` where a place cannot be changed alone."""

    # ---- single values

    def rewrite(self, node: Node, data: Any, *, inside_flow: bool) -> None:
        """Another value in place of a whole node."""
        start, end = node.start_mark.index, self.end(node)
        if self.has_comment(node):
            raise CannotAmend("a comment stands inside of what would be written anew", self.line(start))
        style = node.style if isinstance(node, ScalarNode) else None
        self.put(start, end, (" " if start == end else "") + (flow_text if inside_flow else _line_text)(data, style))

    def fill(self, key: Node, node: Node, data: Any, *, inside_flow: bool) -> None:
        """A value behind a key where there is none, or in place of empty brackets or of lines."""
        lines = is_empty(node) or self.is_block(node)
        if inside_flow or not lines or not isinstance(data, dict | list):
            self.rewrite(node, data, inside_flow=inside_flow)
            return
        colon = self.text.index(":", self.end(key)) + 1
        if COMMENT.search(self.text[colon : self.end(node)]):
            raise CannotAmend("a comment stands inside of what would be written anew", self.line(colon))
        self.put(colon, self.end(node), "")
        self.put(*2 * (self.line_end(colon),), self.newline + self.block(data, key.start_mark.column))

    def wrap(self, node: CollectionNode, key: str, data: dict[str, Any]) -> None:
        """A mapping in place of a list, which becomes the value of one of its keys."""
        if not self.is_block(node):
            self.put(*2 * (node.start_mark.index,), "{" + flow_text(data)[1:-1] + f", {key}: ")
            self.put(*2 * (self.end(node),), "}")
            return
        start, _ = self.span(node, 0)  # that of the node is its anchor's, if it has one
        column = start - self.line_start(start)
        self.insert_lines(start, [self.block(data, column, 0), " " * column + f"{key}:"])

    # ---- collections

    def rearrange(self, node: CollectionNode, order: Sequence[int | Any], key: Node | None) -> None:
        """The items of a list or the entries of a mapping in another order.

        ``order`` has the number of each that stays, and the text of each that is new: a value of a list, or a pair of
        key and value. ``key`` is what the collection stands behind.
        """
        spans = [self.span(node, index) for index in range(len(node.value))]
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
        column = spans[0][0] - self.line_start(spans[0][0])
        for index in gone:
            self._remove_lines(spans, index)
        for after, items in come.items():
            lines = [self._moved(spans[it]) if isinstance(it, int) else self._fresh(it, column) for it in items]
            if after >= 0:
                end = self.line_end(spans[after][1])
                self.put(end, end, "".join(self.newline + line for line in lines))
            elif kept:
                start = spans[min(kept)][0]
                self.put(start, start, "".join(line.lstrip(" ") + self.newline + " " * column for line in lines))
            else:
                self.insert_lines(spans[0][0], lines)
        if not kept and not come:
            if key is None:
                raise CannotAmend("nothing would be left of it", self.line(spans[0][0]))
            colon = self.text.index(":", self.end(key)) + 1
            named = _PROPERTIES.match(self.text, colon)
            self.put(*2 * (named.end() if named else colon,), " []" if isinstance(node, SequenceNode) else " {}")

    def _remove_lines(self, spans: list[Span], index: int) -> None:
        start, end = spans[index]
        first = self.line_start(start)
        if not self.text[first:start].strip():
            self.remove_whole_lines(start, end)
        elif index + 1 == len(spans):
            raise CannotAmend("what would go shares its line with something that stays", self.line(start))
        elif COMMENT.search(self.text[self.line_end(end) : spans[index + 1][0]]):
            self.put(len(self.text[:start].rstrip()), self.line_end(end), "")
        else:
            self.put(start, spans[index + 1][0], "")

    def _moved(self, span: Span) -> str:
        start = self.line_start(span[0])
        if self.text[start : span[0]].strip():
            raise CannotAmend("what would move shares its line with something that stays", self.line(start))
        return self.text[start : self.line_end(span[1])]

    def _fresh(self, item: Any, column: int) -> str:
        """The line or lines of a new item; a pair is an entry of a mapping."""
        indent = " " * column
        if not isinstance(item, tuple):
            return f"{indent}- {_line_text(item)}"
        return self.block(dict([item]), column, 0)

    def _rearrange_flow(
        self, node: CollectionNode, spans: list[Span], kept: set[int], come: dict[int, list[int | Any]], gone: list[int]
    ) -> None:
        texts = {after: [self._flow_item(spans, it) for it in items] for after, items in come.items()}
        if not kept:
            inner = ", ".join(texts.get(-1, []))
            start = spans[0][0] if spans else self.text.index("[" if isinstance(node, SequenceNode) else "{") + 1
            if spans and self.has_comment(node):
                raise CannotAmend("a comment stands inside of what would be written anew", self.line(start))
            end = spans[-1][1] if spans else start
            comma = None if inner else _COMMA.match(self.text, end)
            self.put(start, comma.end() if comma else end, inner)
            return
        for after, items in texts.items():
            at = spans[after][1] if after >= 0 else spans[min(kept)][0]
            self.put(at, at, "".join(f", {it}" if after >= 0 else f"{it}, " for it in items))
        for index in gone:
            self._remove_flow(spans, index, kept)

    def _flow_item(self, spans: list[Span], item: int | Any) -> str:
        if isinstance(item, int):
            return self.text[slice(*spans[item])]
        return flow_text(dict([item]))[1:-1] if isinstance(item, tuple) else flow_text(item)

    def _remove_flow(self, spans: list[Span], index: int, kept: set[int]) -> None:
        start, end = spans[index]
        after = spans[index + 1][0] if index + 1 < len(spans) else None
        first, last = self.line_start(start), self.line_end(end)
        alone = not self.text[first:start].strip() and not COMMENT.sub("", self.text[end:last]).strip(" \t\r,")
        if alone:
            self.remove_whole_lines(start, end)
        elif after is None or index > max(kept):
            before = spans[index - 1][1]
            self.put(start if "\n" in self.text[before:start] else before, end, "")
        elif "\n" not in self.text[end:after]:
            self.put(start, after, "")
        elif COMMENT.search(self.text[end : self.text.index(",", end)]):
            raise CannotAmend("a comment stands between what would go and its comma", self.line(end))
        else:
            self.put(start, self.text.index(",", end) + 1, "")


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
