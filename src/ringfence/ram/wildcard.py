"""Wildcards of policies: ``*`` is any run of characters, also an empty one; ``?`` is one character (SEMANTICS.md 9.1).

A pattern comes from a tenant and is matched against names that others chose, so the time must not explode: every run
but the last is an atomic group that takes the first place where what follows it fits, which is all a wildcard needs.
The time is at most the length of the pattern times the length of the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

ANY = "."
"""What ``*`` and ``?`` stand for where nothing bounds them."""
NO_COLON = "[^:]"
"""What they stand for inside one field of a name whose fields are parted by colons."""

_STARS = re.compile(r"\*+")


def expression(pattern: str, character: str = ANY) -> str:
    """A wildcard pattern as the text of a regular expression."""
    first, *rest = ("".join(character if c == "?" else re.escape(c) for c in part) for part in _STARS.split(pattern))
    if not rest:
        return first
    *middle, last = rest
    return first + "".join(f"(?>{character}*?{part})" for part in middle) + f"{character}*{last}"


def any_of(expressions: Iterable[str]) -> re.Pattern[str]:
    """One compiled expression that fully matches what any of these matches."""
    return re.compile("|".join(f"(?:{text})" for text in expressions), re.DOTALL)
