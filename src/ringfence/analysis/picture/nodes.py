"""How nodes and services are written: their texts, and the boxes that these need."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ringfence.analysis.picture.edges import Edge, Lines
from ringfence.analysis.picture.folding import Node, Scene
from ringfence.analysis.picture.layers import Box
from ringfence.analysis.picture.svg import SIZE, SMALL, box, label, shortened, text_width, titled
from ringfence.analysis.reach.answer import Grade, Kind

_WIDEST, _LINES, _LEADING, _INNER, _LEAST = 230.0, 4, 15.0, 10.0, 110.0
_LOOPS = 2
"""So many lines of what passes within a node."""


def style_of(scene: Scene, edge: Edge) -> str:
    """The class of an edge: what comes from the internet stands out, and what is risky."""
    comes = scene.nodes[edge.sources[0]].kind is Kind.INTERNET
    goes = all(scene.nodes[it].kind is Kind.INTERNET for it in edge.destinations)
    if comes:
        return "danger" if edge.grade is not Grade.SOME else "in"
    return "" if goes or edge.grade is Grade.SOME else "risk" if edge.grade is Grade.RISKY else "all"


def exactly(lines: Lines) -> str:
    """Lines in one, in full."""
    return "; ".join(f"{line.text} ({line.family})" if line.family else line.text for line in lines)


@dataclass(frozen=True, slots=True)
class Chip:
    """The services of an edge, as they stand on it."""

    edge: Edge
    style: str
    nodes: tuple[Node, ...]

    @property
    def size(self) -> tuple[float, float]:
        """Width and height."""
        widths = (text_width(text, SMALL, bold=bold) for text, bold in self._shown)
        return max(widths) + 16, len(self._shown) * _LEADING + 8

    @property
    def _shown(self) -> list[tuple[str, bool]]:
        """The lines that fit, each with whether it stands out."""
        lines = self.edge.lines
        kept = lines if len(lines) <= _LINES else lines[: _LINES - 1]
        found = [(shortened(str(it), _WIDEST, SMALL), self._stands_out(it.is_risky, it.grade)) for it in kept]
        return [*found, (f"… {len(lines) - len(kept)} more", False)] if len(kept) < len(lines) else found

    def _stands_out(self, is_risky: bool, grade: Grade) -> bool:
        return is_risky and (self.style == "danger" or grade is Grade.RISKY)

    def shape(self, at: Box) -> str:
        """As SVG."""
        names = [", ".join(self.nodes[it].title for it in side) for side in (self.edge.sources, self.edge.destinations)]
        whole = f"{names[0]} → {names[1]}: {exactly(self.edge.lines)}"
        frame = box(at.left, at.top, at.width, at.height, f"chip {self.style}".strip(), 6)
        return titled(whole, frame, *self._texts(at), class_="service")

    def _texts(self, at: Box) -> Iterator[str]:
        for number, (text, stands_out) in enumerate(self._shown):
            y = at.top + 4 + (number + 0.75) * _LEADING
            yield label(text, at.x, y, SMALL, "bad" if stands_out else "", text_anchor="middle")


@dataclass(frozen=True, slots=True)
class Card:
    """Nodes that stand in one box, and what passes among the ends of each."""

    nodes: tuple[Node, ...]
    within: Lines = ()
    is_all: bool = False
    """Whether they are all of the internet."""

    @property
    def title(self) -> str:
        """What the box is called."""
        if self.is_all:
            return "internet"
        parts = sorted((it.title for it in self.nodes), key=lambda it: not it.startswith("internet"))
        return ", ".join(parts)

    @property
    def size(self) -> tuple[float, float]:
        """Width and height."""
        widths = (text_width(text, SMALL) for text in self._texts)
        widest = max(text_width(self._head, bold=True), *widths, _LEAST - 2 * _INNER)
        return widest + 2 * _INNER, 30 + len(self._texts) * _LEADING

    @property
    def _head(self) -> str:
        return shortened(self.title, _WIDEST, bold=True)

    @property
    def _texts(self) -> list[str]:
        members = list(dict.fromkeys(name for node in self.nodes for name in node.members))
        size = sum(node.size for node in self.nodes)
        told = ", ".join(members) + (f" … {size} addresses" if size > len(members) else "")
        more = f" … {len(self.within) - _LOOPS} more" if len(self.within) > _LOOPS else ""
        among = f"each other: {'; '.join(map(str, self.within[:_LOOPS]))}{more}" if self.within else ""
        return [shortened(text, _WIDEST, SMALL) for text in (told, among) if text]

    def shape(self, at: Box) -> str:
        """As SVG."""
        first = self.nodes[0]
        parts = [box(at.left, at.top, at.width, at.height, "node" if first.kind is Kind.INSIDE else "net", 8)]
        x, y = at.left + _INNER, at.top + 19
        parts.append(label(self._head, x, y, SIZE, "strong"))
        for number, text in enumerate(self._texts, 1):
            parts.append(label(text, x, y + number * _LEADING, SMALL, self._class(number)))
        return titled(self._whole, *parts, class_="end")

    def _class(self, number: int) -> str:
        is_risky = number == len(self._texts) and any(it.is_risky and it.grade is Grade.RISKY for it in self.within)
        return "bad" if is_risky else "soft"

    @property
    def _whole(self) -> str:
        names = ", ".join(dict.fromkeys(end.name for node in self.nodes for end in node.ends))
        return f"{self.title}: {names}" + (f"; among themselves: {exactly(self.within)}" if self.within else "")


def room_for(lines: int) -> float:
    """How high a box is at least that so many lines end at."""
    return 12.0 * lines + 10


def legend(styles: Sequence[str]) -> list[tuple[str, str]]:
    """What the styles mean that are in a picture."""
    known = {
        "danger": "from the internet, with a risky port or all",
        "in": "from the internet",
        "risk": "a risky port, from inside",
        "all": "everything, from inside",
        "": "anything else" if any(styles) else "permitted",
    }
    return [(style, text) for style, text in known.items() if style in styles]
