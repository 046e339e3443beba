"""Names, descriptions and times in the way that Alibaba's APIs take and tell them (apis/alibaba.md 2.8)."""

from __future__ import annotations

from typing import Final

from ringfence.wire.alibaba.parameters import Parameters, invalid

_WEB: Final = ("http://", "https://")
NAME_RIGHT: Final = "use 2 to 128 characters, the first a letter, not http:// or https:// at the front"


def name_of(said: Parameters, field: str, code: str, reserved: tuple[str, ...] = ()) -> str:
    """A name: 2 to 128 characters, a letter of any script first; empty if nothing is said. Raises `InvalidFields`."""
    text = said.text(field)
    if text and not (2 <= len(text) <= 128 and text[0].isalpha() and _is_plain(text, reserved)):
        raise invalid(said.path + field, NAME_RIGHT, text, code)
    return text


def description_of(said: Parameters, code: str, low: int = 2, high: int = 256) -> str:
    """A description; empty if nothing is said. Raises `InvalidFields`."""
    text = said.text("Description")
    if text and not (low <= len(text) <= high and _is_plain(text, ())):
        right = f"use {low} to {high} characters in one line, not http:// or https:// at the front"
        raise invalid(f"{said.path}Description", right, text, code)
    return text


def _is_plain(text: str, reserved: tuple[str, ...]) -> bool:
    return text.isprintable() and not text.lower().startswith((*_WEB, *reserved))


def time_of(moment: str) -> str:
    """A moment of the store as these APIs tell it: ``2018-12-12T07:28:38Z``."""
    return f"{moment[:19]}Z" if moment else ""
