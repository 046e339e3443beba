"""SVG as text: elements, measures of text, and the style that all pictures share."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

SIZE, SMALL = 13, 11
"""Sizes of text, in pixels."""
_WIDE, _NARROW = frozenset("mwMW@%&+<>=_"), frozenset("iljtfrI.,:;|'!()[]/ -*")
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SHORTEST, _BOLD = 4, 1.14

STYLE = """
text { font-family: system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", Arial, sans-serif; fill: #1f2430; }
.paper { fill: #ffffff; } .soft { fill: #5c6370; } .strong { font-weight: 600; }
.vpc { fill: #f4f6fa; stroke: #c3cad8; stroke-dasharray: 5 4; } .node { fill: #ffffff; stroke: #4b5d7e; }
.net { fill: #e8f1fd; stroke: #2f6fbd; stroke-width: 1.6; } .chip { fill: #ffffff; stroke: #8a94a6; }
.line { fill: none; stroke: #8a94a6; stroke-width: 1.5; } .tip { fill: #8a94a6; }
.chip.in { stroke: #2f6fbd; } .line.in { stroke: #2f6fbd; stroke-width: 2; } .tip.in { fill: #2f6fbd; }
.chip.all { stroke: #b7791f; } .line.all { stroke: #b7791f; } .tip.all { fill: #b7791f; }
.chip.risk { stroke: #c53030; } .line.risk { stroke: #c53030; } .tip.risk { fill: #c53030; }
.chip.danger { fill: #fdecec; stroke: #c53030; stroke-width: 2; } .line.danger { stroke: #c53030; stroke-width: 2.6; }
.tip.danger { fill: #c53030; } .bad { fill: #b3261e; font-weight: 600; }
.none { fill: #eef0f4; } .some { fill: #8fb8e8; } .risky { fill: #ef8a62; } .every { fill: #b2182b; }
.mesh { stroke: #ffffff; stroke-width: 1; } .on { fill: #10131a; } text.every { fill: #ffffff; }
@media (prefers-color-scheme: dark) {
text { fill: #e6e9ef; } .paper { fill: #14171d; } .soft { fill: #a2aab8; }
.vpc { fill: #1b2029; stroke: #465064; } .node { fill: #232a36; stroke: #93a5c8; }
.net { fill: #16273d; stroke: #6aa5ec; }
.chip { fill: #14171d; stroke: #7c879b; } .line { stroke: #7c879b; } .tip { fill: #7c879b; }
.chip.in, .line.in { stroke: #6aa5ec; } .tip.in { fill: #6aa5ec; } .chip.all, .line.all { stroke: #d9a441; }
.tip.all { fill: #d9a441; } .chip.risk, .line.risk, .chip.danger, .line.danger { stroke: #ff7b72; }
.chip.danger { fill: #3a1a1c; } .tip.risk, .tip.danger { fill: #ff7b72; } .bad { fill: #ff9d96; }
.none { fill: #20252e; } .some { fill: #2f5f95; } .risky { fill: #c0603a; } .every { fill: #d43a48; }
.mesh { stroke: #14171d; } .on { fill: #ffffff; }
}
"""


def text_width(text: str, size: float = SIZE, *, bold: bool = False) -> float:
    """How wide a text is at most, in any usual font without serifs."""
    return size * sum(map(_em, text)) * (_BOLD if bold else 1)


def _em(char: str) -> float:
    if char in _NARROW:
        return 0.38
    if char in _WIDE or char.isupper():
        return 0.92 if char in _WIDE else 0.74
    return 0.62 if char.isascii() else 1.05


def shortened(text: str, width: float, size: float = SIZE, *, bold: bool = False) -> str:
    """A text cut so that it is no wider than that."""
    if text_width(text, size, bold=bold) <= width:
        return text
    while len(text) > _SHORTEST and text_width(text + "…", size, bold=bold) > width:
        text = text[:-1]
    return text.rstrip() + "…"


def safe(text: str) -> str:
    """Text as XML may hold it."""
    return html.escape(_NO_XML.sub("\ufffd", text), quote=True)


def element(name: str, content: str = "", /, **attributes: str | float) -> str:
    """An element; ``class_`` is its class, and ``_`` in names of attributes stands for ``-``."""
    said = "".join(f' {key.rstrip("_").replace("_", "-")}="{_told(value)}"' for key, value in attributes.items())
    return f"<{name}{said}>{content}</{name}>" if content else f"<{name}{said}/>"


def _told(value: str | float) -> str:
    return safe(value) if isinstance(value, str) else f"{value:.1f}".removesuffix(".0")


def label(text: str, x: float, y: float, size: float = SIZE, class_: str = "", **attributes: str | float) -> str:
    """A line of text."""
    named = {"class_": class_} if class_ else {}
    return element("text", safe(text), x=x, y=y, font_size=size, **named, **attributes)


def box(x: float, y: float, width: float, height: float, class_: str, radius: float = 0) -> str:
    """A rectangle."""
    said: dict[str, str | float] = {"x": x, "y": y, "width": width, "height": height, "class_": class_}
    return element("rect", **said | ({"rx": radius} if radius else {}))


def titled(text: str, *content: str, **attributes: str | float) -> str:
    """A group with a title, which viewers show where one points at it."""
    return element("g", element("title", safe(text)) + "".join(content), **attributes)


def document(width: float, height: float, title: str, description: str, content: Iterable[str]) -> str:
    """The whole picture: it stands alone, needs no fonts and runs no scripts."""
    head = (
        element("title", safe(title), id="title"),
        element("desc", safe(description), id="desc"),
        element("style", STYLE),
        box(0, 0, width, height, "paper"),
    )
    wide, high = round(width), round(height)
    names = {"xmlns": "http://www.w3.org/2000/svg", "role": "img", "aria_labelledby": "title desc"}
    content = "\n".join((*head, *content))
    return element("svg", f"\n{content}\n", **names, width=wide, height=high, viewBox=f"0 0 {wide} {high}") + "\n"
