"""Decision diagrams over intervals: exact sets of points in a few dimensions, with one shape for one meaning.

A diagram asks for one coordinate, cuts its axis into pieces, and goes on with the diagram of the piece that the point
lies in, down to `NOTHING` or `EVERYTHING`. Dimensions are asked in the order of their numbers; one that makes no
difference is not asked, and neighbouring pieces that go on alike are one. So two diagrams are equal exactly if they
hold the same points, and an operation costs what the cuts of both sides cost, not the boxes that they make up.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import reduce
from itertools import pairwise

Interval = tuple[int, int]
"""First and last value, both inclusive."""

_LEAF = 1 << 30
"""From here on dimensions are of the two diagrams that ask nothing."""


class Diagram:
    """A set of points. Build it with `span`, and with the operators ``|``, ``&`` and ``-``; ``<=`` is inclusion.

    ``dimension`` is asked first. ``cuts`` are the values at which a new piece of its axis begins, in ascending order,
    and ``pieces`` how it goes on in each; there is one piece more than there are cuts. (No dataclass: millions are
    made.)
    """

    __slots__ = ("cuts", "digest", "dimension", "pieces")
    digest: int

    def __init__(self, dimension: int, cuts: tuple[int, ...], pieces: tuple[Diagram, ...]) -> None:
        self.dimension, self.cuts, self.pieces = dimension, cuts, pieces
        self.digest = hash((dimension, cuts, tuple([piece.digest for piece in pieces])))

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Diagram) or self.digest != other.digest:
            return False
        return (self.dimension, self.cuts, self.pieces) == (other.dimension, other.cuts, other.pieces)

    def __hash__(self) -> int:
        return self.digest

    def __bool__(self) -> bool:
        return self is not NOTHING

    def __or__(self, other: Diagram) -> Diagram:
        return _Union().of(self, other)

    def __and__(self, other: Diagram) -> Diagram:
        return _Intersection().of(self, other)

    def __sub__(self, other: Diagram) -> Diagram:
        return _Difference().of(self, other)

    def __le__(self, other: Diagram) -> bool:
        return not self - other

    def covers(self, box: Sequence[Interval]) -> bool:
        """Whether every point of a box is in it; the box has an interval for each dimension, by its number."""
        if self.dimension >= _LEAF:
            return bool(self)
        first, last = box[self.dimension]
        begin, end = bisect_right(self.cuts, first), bisect_right(self.cuts, last)
        return all(piece.covers(box) for piece in self.pieces[begin : end + 1])

    def at(self, value: int) -> Diagram:
        """How it goes on where the coordinate of its first dimension has a value."""
        return self.pieces[bisect_right(self.cuts, value)]

    def spans(self, bounds: Interval) -> Iterator[tuple[Interval, Diagram]]:
        """The pieces of its axis between two bounds, in ascending order, without those that hold nothing."""
        first, last = bounds
        pieces = self.pieces or (self,)
        for begin, end, piece in zip((first, *self.cuts), (*self.cuts, last + 1), pieces, strict=True):
            if piece:
                yield (begin, end - 1), piece


NOTHING = Diagram(_LEAF, (), ())
"""No point."""
EVERYTHING = Diagram(_LEAF + 1, (), ())
"""Every point."""


def span(dimension: int, intervals: Iterable[Interval], bounds: Interval, inner: Diagram = EVERYTHING) -> Diagram:
    """All points of ``inner`` whose coordinate lies in one of some intervals, which may overlap.

    ``bounds`` are the first and the last value of the dimension; ``inner`` asks for later dimensions only.
    """
    cuts: list[int] = []
    pieces: list[Diagram] = [NOTHING]
    for first, last in joined(intervals):
        if first > bounds[0]:
            cuts.append(first)
            pieces.append(inner)
        else:
            pieces[0] = inner
        if last < bounds[1]:
            cuts.append(last + 1)
            pieces.append(NOTHING)
    return _node(dimension, cuts, pieces)


def joined(intervals: Iterable[Interval]) -> list[Interval]:
    """The same values in ascending order, intervals that overlap or touch made one."""
    found: list[Interval] = []
    for first, last in sorted(intervals):
        if found and first <= found[-1][1] + 1:
            found[-1] = found[-1][0], max(found[-1][1], last)
        else:
            found.append((first, last))
    return found


def union(diagrams: Iterable[Diagram]) -> Diagram:
    """What is in any of them."""
    return reduce(Diagram.__or__, diagrams, NOTHING)


def _node(dimension: int, cuts: Sequence[int], pieces: Sequence[Diagram]) -> Diagram:
    """The diagram of some pieces, neighbours that are alike made one."""
    digests = [piece.digest for piece in pieces]
    alike = [
        index for index, (one, two) in enumerate(pairwise(digests)) if one == two and pieces[index] == pieces[index + 1]
    ]
    if alike:
        gone = set(alike)
        cuts = [cut for index, cut in enumerate(cuts) if index not in gone]
        pieces = [pieces[0], *(piece for index, piece in enumerate(pieces[1:]) if index not in gone)]
    return Diagram(dimension, tuple(cuts), tuple(pieces)) if cuts else pieces[0]


class _Operation:
    """One operation on two diagrams, which remembers what it has found for parts that both share."""

    def __init__(self) -> None:
        self._found: dict[tuple[int, int], Diagram] = {}

    def shortcut(self, one: Diagram, two: Diagram) -> Diagram | None:
        """The answer where one side alone gives it."""
        raise NotImplementedError

    def of(self, one: Diagram, two: Diagram) -> Diagram:
        """Apply it."""
        known = self.shortcut(one, two)
        if known is not None:
            return known
        key = id(one), id(two)  # both live as long as this operation
        if key not in self._found:
            self._found[key] = self._apply(one, two)
        return self._found[key]

    def _apply(self, one: Diagram, two: Diagram) -> Diagram:
        if one.dimension < two.dimension:
            return _node(one.dimension, one.cuts, [self.of(piece, two) for piece in one.pieces])
        if one.dimension > two.dimension:
            return _node(two.dimension, two.cuts, [self.of(one, piece) for piece in two.pieces])
        if len(one.cuts) <= len(two.cuts):
            return self._along(one, two, self.of)
        return self._along(two, one, lambda piece, other: self.of(other, piece))

    def _along(self, few: Diagram, many: Diagram, of: Callable[[Diagram, Diagram], Diagram]) -> Diagram:
        """Go along the pieces of the side that has fewer, and take the other's in slices."""
        cuts: list[int] = []
        pieces: list[Diagram] = []
        begin = 0
        for index, piece in enumerate(few.pieces):
            if index:
                cuts.append(few.cuts[index - 1])
            end = bisect_left(many.cuts, few.cuts[index]) if index < len(few.cuts) else len(many.cuts)
            made = self._slice(piece, many.pieces[begin : end + 1], of)
            cuts.extend(many.cuts[begin:end] if len(made) > 1 else ())
            pieces.extend(made)
            begin = bisect_right(many.cuts, few.cuts[index]) if index < len(few.cuts) else end
        return _node(few.dimension, cuts, pieces)

    @staticmethod
    def _slice(
        piece: Diagram, others: tuple[Diagram, ...], of: Callable[[Diagram, Diagram], Diagram]
    ) -> Sequence[Diagram]:
        """What one piece makes of several; a single answer where it makes the same of all of them."""
        if piece.dimension >= _LEAF:
            low, high = of(piece, NOTHING), of(piece, EVERYTHING)
            if low is high:
                return (low,)
            if high is EVERYTHING:
                return others
        return [of(piece, other) for other in others]


class _Union(_Operation):
    def shortcut(self, one: Diagram, two: Diagram) -> Diagram | None:
        if one is EVERYTHING or two is NOTHING or one is two:
            return one
        return two if two is EVERYTHING or one is NOTHING else None


class _Intersection(_Operation):
    def shortcut(self, one: Diagram, two: Diagram) -> Diagram | None:
        if one is NOTHING or two is EVERYTHING or one is two:
            return one
        return two if two is NOTHING or one is EVERYTHING else None


class _Difference(_Operation):
    def shortcut(self, one: Diagram, two: Diagram) -> Diagram | None:
        if one is NOTHING or two is NOTHING:
            return one
        return NOTHING if two is EVERYTHING or one is two else None
