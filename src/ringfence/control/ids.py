"""Ids of new resources."""

from __future__ import annotations

import os
import secrets
import time
import uuid
from collections import deque
from collections.abc import Callable
from enum import Enum, auto

from ringfence.errors import NotationError
from ringfence.model.names import check_name
from ringfence.model.port_list import NamedPorts
from ringfence.resources.forms import FORMS
from ringfence.resources.kind import Kind

_LETTERS = "23456789abcdefghijkmnpqrstuvwxyz"  # none that looks like another; 32, so bytes give each as often
_LETTER_OF = bytes(ord(_LETTERS[byte % len(_LETTERS)]) for byte in range(256))
_OF_TIME, _BY_CHANCE = 7, 10  # letters; 35 bits of seconds last for a thousand years
_AT_ONCE = 128
_drawn: deque[str] = deque()
os.register_at_fork(after_in_child=_drawn.clear)  # two processes do not give the same ones
_MADE_UP = frozenset({Kind.RULE, Kind.ACL_LINE, Kind.ACCESS_KEY, Kind.EXPECTATION, Kind.PENALTY, Kind.QUOTA})
"""Kinds whose names say nothing: their ids are always made up."""


class IdStyle(Enum):
    """What the ids look like that an API gives to what is made through it."""

    SPEAKING = auto()
    """In the operator's account the name itself, where it can be one; else made up like `PREFIXED`."""
    PREFIXED = auto()
    """``sg-`` and 17 small letters and digits."""
    UUID = auto()


def new_id(kind: Kind, name: str, *, style: IdStyle, speaking: bool, taken: Callable[[str], bool]) -> str:
    """An id for something new.

    ``speaking``: the name itself, where the style allows it and nobody has it, so that ids are the names that people
    wrote. That is for the operator's own account alone: who gets another id than the name would learn that a stranger
    has it.
    """
    if speaking and style is IdStyle.SPEAKING and kind not in _MADE_UP and _fits(kind, name) and not taken(name):
        return name
    return made_up(FORMS[kind].prefix, style, taken)


def made_up(prefix: str, style: IdStyle, taken: Callable[[str], bool]) -> str:
    """An id that says nothing and that nobody has."""
    while taken(made := str(uuid.uuid4()) if style is IdStyle.UUID else f"{prefix}-{_new_text()}"):
        pass
    return made


def _new_text() -> str:
    """Small letters and digits: the second in which it was drawn, and chance.

    What is made at one time stands together in an index of the store then; scattered ids would have a change of a
    hundred rules write a hundred pages. Many are drawn at once, as to ask the kernel takes longer than all else.
    """
    while True:
        try:
            return _drawn.pop()
        except IndexError:
            second = int(time.time())
            front = "".join(_LETTERS[second >> 5 * place & 31] for place in reversed(range(_OF_TIME)))
            text = secrets.token_bytes(_BY_CHANCE * _AT_ONCE).translate(_LETTER_OF).decode()
            _drawn.extend(front + text[at : at + _BY_CHANCE] for at in range(0, len(text), _BY_CHANCE))


def _fits(kind: Kind, name: str) -> bool:
    try:
        if kind is Kind.PORT_LIST:
            NamedPorts(name)
        return bool(check_name(name, dots=kind not in (Kind.INSTANCE, Kind.VIRTUAL_IP, Kind.OUTSIDE_HOST)))
    except NotationError:
        return False
