"""Ids of new resources."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from ringfence.errors import NotationError
from ringfence.model.names import check_name
from ringfence.resources.forms import FORMS
from ringfence.resources.kind import Kind

_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"  # none that looks like another; 32, so bytes give each as often
_LETTER_OF = bytes(ord(_LETTERS[byte % len(_LETTERS)]) for byte in range(256))
_LENGTH = 17
_MADE_UP = frozenset({Kind.RULE, Kind.ACCESS_KEY, Kind.EXPECTATION, Kind.PENALTY, Kind.QUOTA})
"""Kinds whose names say nothing: their ids are always made up."""


def new_id(kind: Kind, name: str, *, speaking: bool, taken: Callable[[str], bool]) -> str:
    """An id for something new.

    ``speaking``: the name itself, where it can be one and nobody has it, so that ids are the names that people wrote.
    That is for the operator's own account alone: who gets another id than the name would learn that a stranger has it.
    """
    if speaking and kind not in _MADE_UP and _fits(kind, name) and not taken(name):
        return name
    while taken(made := f"{FORMS[kind].prefix}-{random_text(_LENGTH)}"):
        pass
    return made


def random_text(length: int) -> str:
    """Small letters and digits by chance."""
    return secrets.token_bytes(length).translate(_LETTER_OF).decode()


def _fits(kind: Kind, name: str) -> bool:
    try:
        return bool(check_name(name, dots=kind not in (Kind.INSTANCE, Kind.VIRTUAL_IP, Kind.OUTSIDE_HOST)))
    except NotationError:
        return False
