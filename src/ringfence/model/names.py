"""Names of groups, instances, subnets and the rest."""

from __future__ import annotations

import re

from ringfence.errors import NotationError

_NAME = re.compile(r"[\w.-]{1,128}")
_RESERVED = frozenset({"any", "group", "to", "from"})


def check_name(text: str, *, dots: bool = True) -> str:
    """Give back a name that is fit for use: letters of any script, digits, ``_``, ``-`` and, with ``dots``, ``.``.

    Raises `NotationError` for anything else, and for the words that the rule notation needs.
    """
    if not _NAME.fullmatch(text) or text.strip("-.") != text:
        raise NotationError(
            f"{text!r} is not a name", "use 1 to 128 letters, digits, '_', '-' or '.', no '-' or '.' at the ends"
        )
    if not dots and "." in text:
        raise NotationError(f"{text!r} has a dot", "leave it out: a dot stands between an instance and its port")
    if text in _RESERVED:
        raise NotationError(f"{text!r} is a word of the rule notation", "choose another name")
    return text


def is_whole(text: str) -> bool:
    """Whether it is of whole Unicode characters without zero bytes, as databases and files want it."""
    return "\0" not in text and (text.isascii() or not any("\ud800" <= each <= "\udfff" for each in text))
