"""A layered layout: boxes in columns, bands across these, and links that run between boxes and never through one.

A link that spans several columns passes each as a thin box of its own. Within a column boxes are put where their
neighbours want them, as near as the order and the gaps allow; the order with the fewest crossings is kept.
Our own, since layout libraries in Python bring a licence or a C library that the rest has no need of, and their
results change with their versions, while a picture under review should change only with what it shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise

GAP, BESIDE = 14.0, 42.0
"""Between boxes of a column, and between columns, in pixels."""
_PASSING = 9.0
"""The height that a link takes where it passes a column."""
_ROUNDS, _SMOOTHING = 12, 6
ANYWHERE = -1
"""The band of a box that is bound to none."""


@dataclass(eq=False, slots=True)
class Box:
    """Something with a place: its size, its column, and the band that it stays in. ``x`` and ``y`` are its centre."""

    width: float
    height: float
    column: int
    band: int = ANYWHERE
    x: float = 0
    y: float = 0
    beside: list[Box] = field(default_factory=list)

    @property
    def top(self) -> float:
        """Its upper edge."""
        return self.y - self.height / 2

    @property
    def left(self) -> float:
        """Its left edge."""
        return self.x - self.width / 2


@dataclass(frozen=True, slots=True)
class Column:
    """Where a column is."""

    left: float
    width: float

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.left + self.width


@dataclass(frozen=True, slots=True)
class Plan:
    """A finished layout: where columns and bands are, and for each link the boxes that it runs through."""

    columns: tuple[Column, ...]
    bands: tuple[tuple[float, float], ...]
    """Top and bottom of each."""
    routes: tuple[tuple[Box, ...], ...]
    width: float
    height: float


def laid_out(boxes: Sequence[Box], links: Iterable[tuple[Box, Box]], *, padding: float = 0, head: float = 0) -> Plan:
    """Give each box its place. ``padding`` is left free around the boxes of a band, ``head`` above them besides."""
    every = [*boxes]
    routes = tuple(_route(one, two, every) for one, two in links)
    for route in routes:
        for one, two in pairwise(route):
            one.beside.append(two)
            two.beside.append(one)
    columns: list[list[Box]] = [[] for _ in range(max(it.column for it in every) + 1)]
    for each in every:
        columns[each.column].append(each)
    bands = _bands(columns, padding, head)
    limits = {band: (top + padding + head, bottom - padding) for band, (top, bottom) in enumerate(bands)}
    height = max(bands[-1][1] if bands else 0, *(_needed(column) for column in columns))
    limits[ANYWHERE] = (0, height)
    _arrange(columns, limits)
    placed = _across(columns)
    return Plan(placed, tuple(bands), routes, placed[-1].right, height)


def _route(one: Box, two: Box, every: list[Box]) -> tuple[Box, ...]:
    """The boxes on the way, with a thin one in each column between."""
    step = 1 if two.column > one.column else -1
    band = one.band if one.band != ANYWHERE else two.band
    between = [Box(0, _PASSING, column, band) for column in range(one.column + step, two.column, step)]
    every += between
    return one, *between, two


def _needed(boxes: Sequence[Box]) -> float:
    return sum(it.height for it in boxes) + GAP * max(0, len(boxes) - 1)


def _bands(columns: list[list[Box]], padding: float, head: float) -> list[tuple[float, float]]:
    found: list[tuple[float, float]] = []
    top = 0.0
    for band in range(max((it.band for column in columns for it in column), default=ANYWHERE) + 1):
        inner = max(_needed([it for it in column if it.band == band]) for column in columns)
        found.append((top, top + inner + 2 * padding + head))
        top = found[-1][1] + GAP
    return found


def _across(columns: list[list[Box]]) -> tuple[Column, ...]:
    placed, left = [], 0.0
    for boxes in columns:
        column = Column(left, max((it.width for it in boxes), default=0))
        placed.append(column)
        for each in boxes:
            each.x = column.left + column.width / 2
        left = column.right + BESIDE
    return tuple(placed)


# ---- heights


def _arrange(columns: list[list[Box]], limits: dict[int, tuple[float, float]]) -> None:
    for boxes in columns:
        _place(boxes, {}, limits)
    best: tuple[tuple[int, float], list[tuple[Box, float]]] | None = None
    for number in range(_ROUNDS):
        for boxes in columns if number % 2 else columns[::-1]:
            wanted = {id(it): _wanted(it) for it in boxes}
            boxes.sort(key=lambda it: (it.band, wanted[id(it)]))  # used at once
            _place(boxes, wanted, limits)
        cost = _crossings(columns), _length(columns)
        if best is None or cost < best[0]:
            best = cost, [(it, it.y) for boxes in columns for it in boxes]
    for each, y in best[1] if best else ():
        each.y = y
    for boxes in columns:
        boxes.sort(key=lambda it: (it.band, it.y))
    for number in range(_SMOOTHING):
        for boxes in columns if number % 2 else columns[::-1]:
            _place(boxes, {id(it): _wanted(it) for it in boxes}, limits)


def _wanted(one: Box) -> float:
    return sum(it.y for it in one.beside) / len(one.beside) if one.beside else one.y


def _place(boxes: list[Box], wanted: dict[int, float], limits: dict[int, tuple[float, float]]) -> None:
    """Put the boxes of a column, in their order, as near to where they want to be as they fit."""
    for band in sorted({it.band for it in boxes}):
        some = [it for it in boxes if it.band == band]
        top, bottom = limits[band]
        middle = (top + bottom - _needed(some)) / 2
        offsets = [0.0]
        for one, two in pairwise(some):
            offsets.append(offsets[-1] + (one.height + two.height) / 2 + GAP)
        low, high = top + some[0].height / 2, bottom - some[-1].height / 2 - offsets[-1]
        start = middle + some[0].height / 2
        targets = [wanted.get(id(it), start + offset) - offset for it, offset in zip(some, offsets, strict=True)]
        for each, offset, target in zip(some, offsets, _rising(targets), strict=True):
            each.y = round(min(max(target, low), max(low, high)) + offset, 1)


def _rising(values: list[float]) -> list[float]:
    """The nearest values that never fall (least squares): neighbours that would cross share their mean."""
    pools: list[tuple[float, int]] = []
    for value in values:
        pools.append((value, 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (one, few), (two, more) = pools[-2:]
            pools[-2:] = [((one * few + two * more) / (few + more), few + more)]
    return [value for value, count in pools for _ in range(count)]


def _segments(columns: list[list[Box]]) -> Iterable[list[tuple[float, float]]]:
    for boxes in columns[:-1]:
        yield [(it.y, other.y) for it in boxes for other in it.beside if other.column > it.column]


def _crossings(columns: list[list[Box]]) -> int:
    return sum(
        (one[0] - two[0]) * (one[1] - two[1]) < 0
        for segments in _segments(columns)
        for one, two in combinations(segments, 2)
    )


def _length(columns: list[list[Box]]) -> float:
    return sum(abs(one - two) for segments in _segments(columns) for one, two in segments)
