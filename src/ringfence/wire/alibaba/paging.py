"""Long lists in parts: by token, or by the numbers of pages (apis/alibaba.md 2.8).

A token names the last item that was told, by its key; so nothing is told twice or left out while the list changes.
"""

from __future__ import annotations

import base64
import binascii
from bisect import bisect_right
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple, TypeVar

from ringfence.errors import Refused
from ringfence.wire.alibaba.operation import Field
from ringfence.wire.alibaba.parameters import Parameters, invalid

Item = TypeVar("Item")
BY_TOKEN: Final = (Field("MaxResults", "so many at a time"), Field("NextToken", "where the answer before ended"))
BY_NUMBER: Final = (Field("PageNumber", "from 1"), Field("PageSize", "10 if nothing is said"))
_DEFAULT: Final = 10


class Sizes(NamedTuple):
    """How many items one answer may have. `USUAL` is what most operations let ask for."""

    default: int = _DEFAULT
    most: int = 100
    least: int = 1


USUAL: Final = Sizes()


def by_token(
    said: Parameters, items: Iterable[Item], key: Callable[[Item], str], sizes: Sizes = USUAL
) -> tuple[list[Item], dict[str, Any]]:
    """The items that a token asks for, in the order of their keys, and what is told besides: the next token."""
    number = said.number("MaxResults", sizes.default, sizes.least, sizes.most)
    ordered = sorted(items, key=key)
    begin = bisect_right(ordered, _after(said), key=key) if "NextToken" in said else 0
    page = ordered[begin : begin + number]
    more = begin + number < len(ordered)
    return page, {"NextToken": _token(key(page[-1])) if more else ""}


def by_number(
    said: Parameters, items: Iterable[Item], key: Callable[[Item], str], most: int = 50
) -> tuple[list[Item], dict[str, Any]]:
    """The items of a page by its number, and what is told besides: number, size, and how many there are."""
    number, size = said.number("PageNumber", 1, 1, 1_000_000_000), said.number("PageSize", _DEFAULT, 1, most)
    ordered = sorted(items, key=key)
    told = {"PageNumber": number, "PageSize": size, "TotalCount": len(ordered)}
    return ordered[(number - 1) * size : number * size], told


def either(
    said: Parameters, items: Iterable[Item], key: Callable[[Item], str], most: int = 50, sizes: Sizes = USUAL
) -> tuple[list[Item], dict[str, Any]]:
    """The items in the way that the request asks for, which cannot be both; the first ones in both if it says none."""
    tokens = "MaxResults" in said or "NextToken" in said
    numbers = "PageNumber" in said or "PageSize" in said
    if tokens and numbers:
        what = "Specified parameters PageNumber and PageSize are not supported together with MaxResults and NextToken."
        raise Refused(what, reason="NotSupported.PageNumberAndPageSize")
    if numbers:
        return by_number(said, items, key, most)
    listed = list(items)
    page, told = by_token(said, listed, key, sizes)
    return page, told if tokens else told | by_number(said, listed, key, most)[1]


def _token(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode()


def _after(said: Parameters) -> str:
    text = said.text("NextToken")
    try:
        return base64.b64decode(text.encode(), b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError):
        right = "give the NextToken of the answer before"
        raise invalid("NextToken", right, text, "InValidParameter.NextToken") from None
