"""What stands around every picture: what it is of, what its colours mean, and what it leaves out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ringfence.analysis.picture.folding import Fold, Scene
from ringfence.analysis.picture.svg import SMALL, document, element, label, shortened, text_width
from ringfence.analysis.reach.answer import ALL_THAT_MAY, Answer, Grade, Kind

MARGIN, TOP, LARGE = 24.0, 62.0, 17.0
_LINE = 18.0
_LEAST = 560.0
FILLS = ("none", "some", "risky", "every")
"""Classes that are told by a filled square, not by a line."""
_NARROW = "Ask for less to see them: --from, --to, --service."
_FOLDED: Mapping[Fold, Sequence[str]] = {
    Fold.NOT: (),
    Fold.INTERNET: (f"The internet is shown as one, with all that any part of it may use. {_NARROW}",),
    Fold.VPCS: (
        "Too much for one picture: VPCs are shown whole, with what any end of one may use of any end of another.",
        _NARROW,
    ),
}
_STAR = f"{ALL_THAT_MAY} everything but what the platform and carriers never let pass (tcp 25, …)."
Kinds = Sequence[tuple[str, str]]
"""Classes of the legend, and what they mean."""


@dataclass(frozen=True, slots=True)
class Caption:
    """What a picture is of: the name of the world, and what was asked, if it is not everything."""

    world: str
    asked: str = ""


def framed(
    caption: Caption, answer: Answer, scene: Scene, shapes: Iterable[str], size: tuple[float, float], kinds: Kinds
) -> str:
    """A whole picture around what was drawn."""
    width, height = size
    title = f"Who reaches whom: {caption.world}" + (f" ({caption.asked})" if caption.asked else "")
    told, notes = summary(answer), _notes(scene)
    wide = max(width, *(text_width(text, SMALL) for text in (told, *notes)), _LEAST)
    below = TOP + height + 30
    foot = below + _LINE * _rows(kinds, wide)
    parts = [
        label(shortened(title, wide, LARGE, bold=True), MARGIN, 30, LARGE, "strong"),
        label(told, MARGIN, 48, SMALL, "soft"),
        element("g", "\n".join(shapes), transform=f"translate({MARGIN:.1f} {TOP:.1f})"),
        *_legend(kinds, wide, below),
        *(label(note, MARGIN, foot + _LINE * number, SMALL, "soft") for number, note in enumerate(notes)),
    ]
    return document(wide + 2 * MARGIN, foot + _LINE * len(notes), title, told, parts)


def _notes(scene: Scene) -> list[str]:
    has_all = any(line.shown == ALL_THAT_MAY for lines in scene.cells.values() for line in lines)
    return [*_FOLDED[scene.fold], *([_STAR] * has_all)]


def summary(answer: Answer) -> str:
    """An answer in one line: ``9 ways between 5 kinds of ends; 3 come from the internet (1 risky); 1 goes there``."""
    outside = {(it.family, it.name) for it in answer.ends if it.kind is Kind.INTERNET}
    inside = len({(it.vpc, it.groups, it.members) for it in answer.ends if it.kind is not Kind.INTERNET})
    coming = [way for way in answer.ways if (way.family, way.sources[0]) in outside]
    risky = sum(way.grade is not Grade.SOME for way in coming)
    going = sum((way.family, way.destinations[0]) in outside for way in answer.ways)
    parts = [
        f"{_counted(len(answer.ways), 'way', 'ways')} between {_counted(inside, 'kind', 'kinds')} of ends inside",
        f"{_counted(len(coming), 'comes', 'come')} from the internet" + (f" ({risky} risky)" if risky else ""),
        f"{_counted(going, 'goes', 'go')} there",
    ]
    return "; ".join(parts)


def _counted(number: int, one: str, more: str) -> str:
    return f"{number or 'none'} {one if number == 1 else more}"


def _legend(kinds: Kinds, width: float, y: float) -> Iterator[str]:
    for row, x, class_, text in _spots(kinds, width):
        at = y + row * _LINE
        if class_ in FILLS:
            yield element("rect", x=x, y=at - 11, width=14, height=14, class_=class_)
        else:
            yield element("path", d=f"M{x:.1f} {at - 4:.1f}h22", class_=f"line {class_}".strip())
        yield label(text, x + 28, at, SMALL)


def _spots(kinds: Kinds, width: float) -> Iterator[tuple[int, float, str, str]]:
    """Where each entry of the legend stands: its row, and from where on."""
    row, x = 0, MARGIN
    for class_, text in kinds:
        needed = text_width(text, SMALL) + 52
        if x > MARGIN and x + needed > width + MARGIN:
            row, x = row + 1, MARGIN
        yield row, x, class_, text
        x += needed


def _rows(kinds: Kinds, width: float) -> int:
    return 1 + max((row for row, *_ in _spots(kinds, width)), default=-1)
