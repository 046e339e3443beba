"""Operators of conditions, as RAM and Huawei Cloud's IAM name and mean them.

Sources: SEMANTICS.md 9.1 and 9.2; RAM's page on conditional operators; table 4 of IAM's policy syntax. The two differ
where they share a name: ``StringLike`` is a pattern with wildcards in RAM and "contains, whatever the case" in IAM.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from itertools import repeat
from typing import Any

from ringfence.errors import NotationError
from ringfence.model.address import AddressRange, Family, Prefix
from ringfence.ram.keys import ValueKind
from ringfence.ram.wildcard import any_of, expression

Predicate = Callable[[str], bool]
"""Whether one value of the request matches one of the policy's."""
Prepare = Callable[[tuple[str, ...]], Predicate]
"""Makes the predicate from the policy's values; raises `NotationError` for values that are not of its kind."""


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator. ``negated``: met by what matches none of the values. ``absent``: met where there is no value."""

    kind: ValueKind
    prepare: Prepare
    negated: bool = False
    absent: bool = False


_NUMBER = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,9})?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})")
_MAPPED = range(0xFFFF << 32, 0x10000 << 32)
"""The IPv4-mapped addresses ``::ffff:0:0/96`` (RFC 4291)."""


@lru_cache(4096)
def _number(text: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise NotationError(f"{text!r} is not a number", "write one like 12 or -3.5")
    return float(text) if "." in text else int(text)


@lru_cache(4096)
def _date(text: str) -> datetime:
    right = "write one like 2026-11-22T09:30:00Z"
    if not _DATE.fullmatch(text):
        raise NotationError(f"{text!r} is not a date and time with a zone", right)
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise NotationError(f"{text!r} is not a date and time: {error}", right) from None


@lru_cache(4096)
def _range(text: str) -> AddressRange:
    """The addresses of an address or a prefix. An IPv4 address that came over an IPv6 socket is the IPv4 address."""
    found = Prefix.parse(text).range
    if found.family is Family.IPV6 and found.first in _MAPPED and found.last in _MAPPED:
        return AddressRange(Family.IPV4, found.first & Family.IPV4.top, found.last & Family.IPV4.top)
    return found


def _bool(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise NotationError(f"{text!r} is neither true nor false", 'write "true" or "false"')
    return text.lower() == "true"


def _within(inner: AddressRange, outer: AddressRange) -> bool:
    return inner.family is outer.family and outer.first <= inner.first and inner.last <= outer.last


def _equal(values: tuple[str, ...]) -> Predicate:
    return frozenset(values).__contains__


def _equal_ignoring_case(values: tuple[str, ...]) -> Predicate:
    folded = frozenset(value.casefold() for value in values)
    return lambda text: text.casefold() in folded


def _like(values: tuple[str, ...]) -> Predicate:
    match = any_of(map(expression, values)).fullmatch
    return lambda text: match(text) is not None


def _holding(test: Callable[[str, str], bool]) -> Prepare:
    """Huawei's tests of a part of a string, which do not care for the case."""

    def prepare(values: tuple[str, ...]) -> Predicate:
        folded = tuple(value.casefold() for value in values)
        return lambda text: any(test(text.casefold(), value) for value in folded)

    return prepare


def _compared(read: Callable[[str], Any], test: Callable[[Any, Any], bool]) -> Prepare:
    """A test of values that are more than text. What a request holds and cannot be read matches nothing."""

    def prepare(values: tuple[str, ...]) -> Predicate:
        wanted = tuple(map(read, values))

        def matches(text: str) -> bool:
            try:
                have = read(text)
            except NotationError:
                return False
            return any(map(test, repeat(have), wanted))

        return matches

    return prepare


def _null(values: tuple[str, ...]) -> Predicate:
    if values != ("true",):
        raise NotationError("the value of a test for absence is not true", 'write "true"')
    return lambda text: False


def _null_or_empty(values: tuple[str, ...]) -> Predicate:
    _null(values)
    return lambda text: text == ""


def _with_opposites(operators: Mapping[str, Operator], prefix: str) -> dict[str, Operator]:
    """The operators and their opposites: ``StringEquals`` and ``StringNotEquals``."""
    opposite = {
        f"{prefix}Not{name.removeprefix(prefix)}": replace(found, negated=True, absent=True)
        for name, found in operators.items()
    }
    return {**operators, **opposite}


def _comparisons(prefix: str, kind: ValueKind, read: Callable[[str], Any]) -> dict[str, Operator]:
    tests = {
        "LessThan": operator.lt,
        "LessThanEquals": operator.le,
        "GreaterThan": operator.gt,
        "GreaterThanEquals": operator.ge,
    }
    return {f"{prefix}{name}": Operator(kind, _compared(read, test)) for name, test in tests.items()}


def _equality(prefix: str, kind: ValueKind, read: Callable[[str], Any]) -> dict[str, Operator]:
    return _with_opposites({f"{prefix}Equals": Operator(kind, _compared(read, operator.eq))}, prefix)


def _strings(prepares: Mapping[str, Prepare]) -> dict[str, Operator]:
    plain = {f"String{name}": Operator(ValueKind.STRING, prepare) for name, prepare in prepares.items()}
    return _with_opposites(plain, "String")


def _suffixed(operators: Mapping[str, Operator], suffix: str) -> dict[str, Operator]:
    return {f"{name}{suffix}": found for name, found in operators.items()}


_EQUALS = {"Equals": _equal, "EqualsIgnoreCase": _equal_ignoring_case}
_BOOL = {"Bool": Operator(ValueKind.BOOL, _compared(_bool, operator.eq))}
_IP = _with_opposites({"IpAddress": Operator(ValueKind.IP, _compared(_range, _within))}, "")

ALIBABA_OPERATORS: Mapping[str, Operator] = {
    **_strings({**_EQUALS, "Like": _like}),
    **_equality("Numeric", ValueKind.NUMBER, _number),
    **_comparisons("Numeric", ValueKind.NUMBER, _number),
    **_equality("Date", ValueKind.DATE, _date),
    **_comparisons("Date", ValueKind.DATE, _date),
    **_BOOL,
    **_IP,
}
"""The operators of RAM."""

_HUAWEI_STRINGS = _strings(
    {
        **_EQUALS,
        "Like": _holding(operator.contains),
        "StartWith": _holding(str.startswith),
        "EndWith": _holding(str.endswith),
    }
)
_HUAWEI_EQUALITY = _equality("Number", ValueKind.NUMBER, _number)
_HUAWEI_VALUED = {
    **_HUAWEI_STRINGS,
    **_suffixed(_HUAWEI_STRINGS, "AnyOf"),
    **_HUAWEI_EQUALITY,
    **_suffixed(_HUAWEI_EQUALITY, "AnyOf"),
    **_comparisons("Number", ValueKind.NUMBER, _number),
    **_comparisons("Date", ValueKind.DATE, _date),
    **_BOOL,
    **_IP,
}

HUAWEI_OPERATORS: Mapping[str, Operator] = {
    **_HUAWEI_VALUED,
    **_suffixed({name: replace(found, absent=True) for name, found in _HUAWEI_VALUED.items()}, "IfExists"),
    "IsNull": Operator(ValueKind.STRING, _null, absent=True),
    "IsNotNull": Operator(ValueKind.STRING, _null, negated=True),
    "IsNullOrEmpty": Operator(ValueKind.STRING, _null_or_empty, absent=True),
}
"""The operators of Huawei Cloud's IAM, with the suffixes ``AnyOf`` and ``IfExists`` where its table has them."""
