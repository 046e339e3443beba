"""Reachability as a heat map: who sends in rows, who gets in columns, and the more is permitted the darker."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from ringfence.analysis.picture.edges import Lines
from ringfence.analysis.picture.folding import Node, Scene, scenes
from ringfence.analysis.picture.frame import Caption, framed
from ringfence.analysis.picture.nodes import exactly
from ringfence.analysis.picture.svg import SMALL, box, element, label, shortened, text_width, titled
from ringfence.analysis.reach.answer import Answer, Grade, Kind

MOST_NODES = 400
"""Beyond this whole VPCs are drawn."""
_TOLD, _WRITTEN = 60, 12
"""Up to so many nodes a cell tells what is in it when one points at it, and up to so many it is written there."""
_KINDS = (("none", "nothing"), ("some", "some services"), ("risky", "a risky port, too"), ("every", "everything"))
_CLASSES = {Grade.SOME: "some", Grade.RISKY: "risky", Grade.ALL: "every"}
_LONGEST, _BETWEEN, _BAND, _SLOPE = 250.0, 8.0, 16.0, 0.87


def heatmap(answer: Answer, caption: Caption) -> str:
    """The heat map of an answer as SVG."""
    drawing = HeatMap(next(scenes(answer, MOST_NODES)))
    return framed(caption, answer, drawing.scene, drawing.shapes(), drawing.size, _KINDS)


def class_of(lines: Lines) -> str:
    """The class of a cell: by the most that is permitted in it."""
    return _CLASSES[max((it.grade for it in lines), key=lambda it: it.rank)] if lines else "none"


class HeatMap:
    """Places and shapes of one scene."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self._count = len(scene.nodes)
        self._written = self._count <= _WRITTEN
        self.cell = (96.0, 34.0) if self._written else (16.0, 16.0) if self._count <= _TOLD else (10.0, 10.0)
        """Width and height of a cell, in pixels."""
        self._text = SMALL if self._count <= _TOLD else 8.5
        self._names = _names(scene.nodes)
        widest = max((text_width(name, self._text) for name in self._names), default=0)
        self.left = min(widest, _LONGEST) + _BETWEEN + _BAND
        self.top = min(widest, _LONGEST) * _SLOPE + 2 * _BETWEEN
        """Where the cells begin."""

    @property
    def size(self) -> tuple[float, float]:
        """Width and height."""
        return self.left + self._count * self.cell[0] + self.top * 0.5, self.top + self._count * self.cell[1]

    def shapes(self) -> Iterator[str]:
        """The map: its ground, its cells, a mesh over these, and the names."""
        wide, high = self._count * self.cell[0], self._count * self.cell[1]
        yield box(self.left, self.top, wide, high, "none")
        yield from self._cells()
        yield self._mesh(wide, high)
        yield from self._labels()
        yield from self._vpcs()
        yield label("from ↓   to →", self.left - _BETWEEN, self.top - 6, self._text, "soft", text_anchor="end")

    def _cells(self) -> Iterator[str]:
        for row, cells in groupby(self.scene.cells.items(), key=lambda it: it[0][0]):
            found = {column: lines for (_, column), lines in cells}
            yield from self._single(row, found) if self._count <= _TOLD else self._runs(row, found)

    def _single(self, row: int, found: dict[int, Lines]) -> Iterator[str]:
        names = self._names
        for column, lines in found.items():
            whole = f"{names[row]} → {names[column]}: {exactly(lines)}"
            yield titled(whole, self._cell(row, column, 1, lines), *self._words(row, column, lines))

    def _runs(self, row: int, found: dict[int, Lines]) -> Iterator[str]:
        """Neighbours that are alike as one shape."""
        for _, run in groupby(enumerate(found), key=lambda it: (it[1] - it[0], class_of(found[it[1]]))):
            columns = [column for _, column in run]
            yield self._cell(row, columns[0], len(columns), found[columns[0]])

    def _cell(self, row: int, column: int, columns: int, lines: Lines) -> str:
        x, y = self.left + column * self.cell[0], self.top + row * self.cell[1]
        return box(x, y, columns * self.cell[0], self.cell[1], class_of(lines))

    def _words(self, row: int, column: int, lines: Lines) -> Iterator[str]:
        if not self._written:
            return
        texts = [shortened(str(it), self.cell[0] - 8, 9.5) for it in lines]
        shown = texts if len(texts) <= 2 else [texts[0], f"… {len(texts) - 1} more"]
        x = self.left + (column + 0.5) * self.cell[0]
        y = self.top + row * self.cell[1] + self.cell[1] / 2 + 3.5 - 6 * (len(shown) - 1)
        class_ = "every" if class_of(lines) == "every" else "on"
        for number, text in enumerate(shown):
            yield label(text, x, y + 12 * number, 9.5, class_, text_anchor="middle")

    def _mesh(self, wide: float, high: float) -> str:
        rows = (f"M{self.left:.1f} {self.top + row * self.cell[1]:.1f}h{wide:.1f}" for row in range(self._count + 1))
        columns = (f"M{self.left + it * self.cell[0]:.1f} {self.top:.1f}v{high:.1f}" for it in range(self._count + 1))
        return element("path", d="".join((*rows, *columns)), class_="mesh", fill="none")

    def _labels(self) -> Iterator[str]:
        size = self._text
        for place, name in enumerate(self._names):
            text = shortened(name, _LONGEST, size)
            y = self.top + (place + 0.5) * self.cell[1] + size / 3
            yield titled(name, label(text, self.left - _BETWEEN, y, size, text_anchor="end"), class_="end row")
            x = self.left + (place + 0.5) * self.cell[0] + size / 3
            turned = f"rotate(-60 {x:.1f} {self.top - _BETWEEN:.1f})"
            yield titled(name, label(text, x, self.top - _BETWEEN, size, transform=turned), class_="end column")

    def _vpcs(self) -> Iterator[str]:
        """A bracket beside the rows of each VPC."""
        place = 0
        for vpc, nodes in groupby(self.scene.nodes, key=lambda it: it.vpc if it.kind is Kind.INSIDE else ""):
            high = len([*nodes]) * self.cell[1]
            y = self.top + place * self.cell[1]
            if vpc:
                yield element("path", d=f"M{_BAND - 4:.1f} {y + 1:.1f}h-4v{high - 2:.1f}h4", class_="line")
                turned = f"rotate(-90 6 {y + high / 2:.1f})"
                text = shortened(f"VPC {vpc}", high, 9)
                yield label(text, 6, y + high / 2, 9, "soft", text_anchor="middle", transform=turned)
            place += round(high / self.cell[1])


def _names(nodes: Sequence[Node]) -> list[str]:
    """The title of each node, with its members where another one has the same."""
    titles = [node.title for node in nodes]
    return [
        f"{title} ({', '.join(node.members[:2])}{', …' * (len(node.members) > 2)})" if node.members else title
        for node, title in zip(nodes, titles, strict=True)
    ]
