"""Wildcards again, slowly and by hand: what the fast matcher is compared with."""

from __future__ import annotations

from functools import cache


def like(pattern: str, text: str) -> bool:
    """Whether a pattern of ``*`` and ``?`` is all of the text."""

    @cache
    def rest(p: int, t: int) -> bool:
        if p == len(pattern):
            return t == len(text)
        if pattern[p] == "*":
            return rest(p + 1, t) or (t < len(text) and rest(p, t + 1))
        return t < len(text) and pattern[p] in ("?", text[t]) and rest(p + 1, t + 1)

    return rest(0, 0)


def like_fields(pattern: str, text: str, fields: int) -> bool:
    """The same for names of several fields, of which only the last may hold colons."""
    if pattern == "*":
        return True
    patterns, texts = pattern.split(":", fields - 1), text.split(":", fields - 1)
    return len(patterns) == len(texts) and all(map(like, patterns, texts))
