"""Reachability as a graph: groups in their VPCs, the internet on both sides, and what is permitted between."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ringfence.analysis.picture.edges import Edge, edges, loops
from ringfence.analysis.picture.folding import Scene, scenes
from ringfence.analysis.picture.frame import Caption, framed
from ringfence.analysis.picture.layers import ANYWHERE, Box, laid_out
from ringfence.analysis.picture.nodes import Card, Chip, legend, room_for, style_of
from ringfence.analysis.picture.ranks import ranks
from ringfence.analysis.picture.svg import SMALL, box, element, label, shortened
from ringfence.analysis.reach.answer import Answer, Kind

MOST_NODES, MOST_EDGES = 40, 90
"""Beyond these a graph is no picture any more, and whole VPCs are drawn."""
_PADDING, _HEAD, _TIP = 14.0, 20.0, 8.0


def graph(answer: Answer, caption: Caption) -> str:
    """The graph of an answer as SVG."""
    found = list(scenes(answer, MOST_NODES))
    drawing = Drawing(next((it for it in found if len(edges(it)) <= MOST_EDGES), found[-1]))
    return framed(caption, answer, drawing.scene, drawing.shapes(), drawing.size, legend(drawing.styles))


@dataclass(eq=False, slots=True)
class _Link:
    """A line between a node and the services of an edge."""

    style: str
    at: Box
    node: Box
    sends: bool
    gets: bool


class Drawing:
    """Places and shapes of one scene."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.edges = scene, edges(scene)
        self._vpcs = sorted({it.vpc for it in scene.nodes if it.kind is not Kind.INTERNET})
        self._ranks = self._ranked()
        self._sending: dict[int, Box] = {}
        self._getting: dict[int, Box] = {}
        self.cards: dict[Box, Card] = {}
        self._put_inside()
        self._put_outside()
        styled = [(edge, style_of(scene, edge)) for edge in self.edges]
        self.styles = [style for _, style in styled]
        chips = [Chip(edge, style, scene.nodes) for edge, style in styled]
        self.chips = {Box(*chip.size, 0): chip for chip in chips}
        for box_, chip in self.chips.items():
            self._put_chip(box_, chip.edge)
        self._links = [link for box_, chip in self.chips.items() for link in self._linked(chip, box_)]
        self._level()
        ends = ((it.node, it.at) for it in self._links)
        self.plan = laid_out([*self.cards, *self.chips], ends, padding=_PADDING, head=_HEAD)

    @property
    def size(self) -> tuple[float, float]:
        """Width and height."""
        return self.plan.width, self.plan.height

    def _is_out(self, place: int) -> bool:
        return self.scene.nodes[place].kind is Kind.INTERNET

    def _ranked(self) -> dict[int, int]:
        inside = [place for place in range(len(self.scene.nodes)) if not self._is_out(place)]
        reached = {to for edge in self.edges if self._is_out(edge.sources[0]) for to in edge.destinations}
        return ranks(inside, self.edges, reached)

    def _put_inside(self) -> None:
        """Nodes stand in even columns."""
        within = loops(self.scene)
        for place, rank in self._ranks.items():
            node = self.scene.nodes[place]
            card = Card((node,), within.get(place, ()))
            at = self._sending[place] = self._getting[place] = Box(*card.size, 2 + 2 * rank, self._vpcs.index(node.vpc))
            self.cards[at] = card

    def _put_outside(self) -> None:
        """The internet sends in the first column and gets in the last, in parts where these differ."""
        last = 2 * (max(self._ranks.values(), default=0) + 2)
        sources, destinations = [it.sources for it in self.edges], [it.destinations for it in self.edges]
        outside = [place for place in range(len(self.scene.nodes)) if self._is_out(place)]
        idle = [it for it in outside if not any(it in side for side in (*sources, *destinations))]
        self._put_parts(self._sending, sources, [it for it in outside if it not in idle], 0)
        self._put_parts(self._sending, [], idle, 0)
        self._put_parts(self._getting, destinations, [it for it in outside if it not in idle], last)

    def _put_parts(
        self, boxes: dict[int, Box], sides: Sequence[tuple[int, ...]], places: Iterable[int], column: int
    ) -> None:
        alike: dict[tuple[int, ...], list[int]] = {}
        for place in places:
            alike.setdefault(tuple(number for number, it in enumerate(sides) if place in it), []).append(place)
        for used, together in alike.items():
            if used or not sides:
                is_all = len(together) == sum(map(self._is_out, range(len(self.scene.nodes)))) > 1
                card = Card(tuple(self.scene.nodes[it] for it in together), is_all=is_all)
                at = Box(*card.size, column)
                self.cards[at] = card
                boxes.update(dict.fromkeys(together, at))

    def _put_chip(self, chip: Box, edge: Edge) -> None:
        """Services stand in odd columns, where their lines are shortest; of several, before who gets them."""
        getting = [self._getting[it] for it in edge.destinations]
        ends = [self._sending[it] for it in edge.sources] + getting
        low, high = (pick(it.column for it in ends) for pick in (min, max))
        columns, before = range(low + 1, high + 2, 2), min(it.column for it in getting)
        chip.column = min(columns, key=lambda it: (sum(abs(it - end.column) for end in ends), abs(it + 1 - before)))
        inside = sorted(it.band for it in ends if it.band != ANYWHERE)
        chip.band = inside[(len(inside) - 1) // 2] if inside else ANYWHERE

    def _linked(self, chip: Chip, at: Box) -> Iterator[_Link]:
        edge = chip.edge
        sending = {self._sending[it] for it in edge.sources}
        getting = {self._getting[it] for it in edge.destinations}
        for node in self.cards:
            if node in sending or node in getting:
                yield _Link(chip.style, at, node, node in sending, node in getting)

    def _level(self) -> None:
        """Make the nodes of a column equally wide, and each as high as its lines need."""
        ending = Counter((link.node, link.at.column > link.node.column) for link in self._links)
        for at in self.cards:
            at.width = max(it.width for it in self.cards if it.column == at.column)
            at.height = max(at.height, *(room_for(ending[at, side]) for side in (False, True)))

    # ---- shapes

    def shapes(self) -> Iterator[str]:
        """Bands, lines, nodes and services, in the order in which they cover each other."""
        yield from self._bands()
        attached = self._attached()
        for number, (link, route) in enumerate(zip(self._links, self.plan.routes, strict=True)):
            yield from self._line(link, route, attached[number])
        yield from (card.shape(at) for at, card in self.cards.items())
        yield from (chip.shape(at) for at, chip in self.chips.items())

    def _bands(self) -> Iterator[str]:
        inner = [it for it in self.cards if it.band != ANYWHERE]
        if not inner:
            return
        columns = self.plan.columns
        left = columns[min(it.column for it in inner)].left - _PADDING
        right = columns[max(it.column for it in inner)].right + _PADDING
        for vpc, (top, bottom) in zip(self._vpcs, self.plan.bands, strict=True):
            yield box(left, top, right - left, bottom - top, "vpc", 10)
            title = shortened(f"VPC {vpc}" if vpc else "of other accounts", right - left - 20, SMALL)
            yield label(title, left + 10, top + 16, SMALL, class_="soft strong")

    def _attached(self) -> dict[int, float]:
        """Where each line meets its node: at heights of its own, in the order of where the lines come from."""
        sides: dict[tuple[Box, bool], list[tuple[float, int]]] = {}
        for number, (link, route) in enumerate(zip(self._links, self.plan.routes, strict=True)):
            sides.setdefault((link.node, link.at.column > link.node.column), []).append((route[1].y, number))
        found = {}
        for (node, _), lines in sides.items():
            step = min(14.0, (node.height - 12) / len(lines))
            for index, (_, number) in enumerate(sorted(lines)):
                found[number] = node.y + (index - (len(lines) - 1) / 2) * step
        return found

    def _line(self, link: _Link, route: Sequence[Box], y: float) -> Iterator[str]:
        rightward = link.at.column > link.node.column
        side = 1 if rightward else -1
        tip = _TIP if link.gets else 0
        edge_of_node = link.node.x + side * link.node.width / 2
        points = [(edge_of_node + side * tip, y), (self._side(link.node, side), y)]
        for passed in route[1:-1]:
            points += [(self._side(passed, -side), passed.y), (self._side(passed, side), passed.y)]
        end = link.at.x - side * (link.at.width / 2 + (_TIP if link.sends and link.gets else 0))
        points += [(self._side(link.at, -side), link.at.y), (end, link.at.y)]
        yield element("path", d=_path(points), class_=f"line {link.style}".strip())
        if link.gets:
            yield _arrow(edge_of_node, y, -side, link.style)
        if link.sends and link.gets:
            yield _arrow(end + side * _TIP, link.at.y, side, link.style)

    def _side(self, of: Box, side: int) -> float:
        column = self.plan.columns[of.column]
        return column.right if side > 0 else column.left


def _path(points: Sequence[tuple[float, float]]) -> str:
    """Straight along columns, curved between them."""
    (x, y), *rest = points
    said = [f"M{x:.1f} {y:.1f}"]
    for number, (to_x, to_y) in enumerate(rest):
        if number % 2 and to_y != y:
            middle = (x + to_x) / 2
            said.append(f"C{middle:.1f} {y:.1f} {middle:.1f} {to_y:.1f} {to_x:.1f} {to_y:.1f}")
        elif (to_x, to_y) != (x, y):
            said.append(f"L{to_x:.1f} {to_y:.1f}")
        x, y = to_x, to_y
    return "".join(said)


def _arrow(x: float, y: float, towards: int, class_: str) -> str:
    back = x - towards * (_TIP + 2)
    shape = f"M{x:.1f} {y:.1f}L{back:.1f} {y - 5:.1f}L{back:.1f} {y + 5:.1f}Z"
    return element("path", d=shape, class_=f"tip {class_}".strip())
