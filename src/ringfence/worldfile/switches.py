"""The profile of a world or of one VPC: a cloud's name, and single switches set to another value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from enum import StrEnum
from functools import partial
from typing import Any

from ringfence.errors import NotationError
from ringfence.model.profile import LIMITS, PROFILES, Profile, Timeouts
from ringfence.model.service import ServiceSet
from ringfence.model.switches import SWITCHES
from ringfence.worldfile.nodes import Cursor, is_null

_BOOLS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_SERVICES = "a list like [tcp/25, udp/135-139]"
_TIMEOUTS = tuple(field.name for field in fields(Timeouts))
_TIMEOUTS_FORM = "{tcp_established: 60, icmp: 30}"
_NO_LIMIT = 2**31


def number(low: int, high: int) -> Callable[[str], int]:
    """A parser of whole numbers from ``low`` to ``high``."""

    def parse(text: str) -> int:
        if text.isascii() and text.isdigit() and len(text) < 12 and low <= int(text) <= high:
            return int(text)
        raise NotationError(f"{text!r} is not a number from {low} to {high}", "use a whole number in that range")

    return parse


def truth(text: str) -> bool:
    """Read ``true`` or ``false``, or one of YAML's other words for them."""
    if text.lower() in _BOOLS:
        return _BOOLS[text.lower()]
    raise NotationError(f"{text!r} is neither true nor false", "use true or false")


def read_profile(fields: Mapping[str, Cursor], base: Profile) -> Profile:
    """The profile that ``profile`` and ``switches`` describe; a named one starts from that cloud's own values.

    Where either has a mistake, the result has no limits and demands nothing, so that nothing else follows from it.
    """
    named, switches = fields.get("profile"), fields.get("switches")
    profile = (named.choice(PROFILES) if named else None) or base
    if switches:
        profile = replace(profile, **_switch_values(switches, profile))
    if (named and named.broken) or (switches and switches.broken):
        return _lenient(profile)
    return profile


def _switch_values(cursor: Cursor, base: Profile) -> dict[str, Any]:
    given = cursor.fields(SWITCHES, "SWITCH: VALUE")
    values = {name: _switch_value(name, switch, base) for name, switch in given.items()}
    return {name: value for name, value in values.items() if value is not None}


def _switch_value(name: str, cursor: Cursor, base: Profile) -> StrEnum | int | Timeouts | ServiceSet | None:
    kind = SWITCHES[name]
    if issubclass(kind, StrEnum):
        return cursor.choice({member.value: member for member in kind})
    if kind is Timeouts:
        return _read_timeouts(cursor, base.timeouts)
    if kind is ServiceSet:
        return _read_services(cursor)
    if kind is bool:
        return cursor.read(truth, "true or false")
    if name.endswith("priority"):
        return cursor.read(number(1, 100), "a number from 1 to 100")
    return cursor.read(number(0, 1_000_000), "a number")


def _read_timeouts(cursor: Cursor, base: Timeouts) -> Timeouts | None:
    """A mapping or a text; what it leaves out stays as it is."""
    if not cursor.is_mapping:
        return cursor.read(partial(Timeouts.parse, base=base), _TIMEOUTS_FORM)
    given = cursor.fields(_TIMEOUTS, _TIMEOUTS_FORM)
    read = {name: each.read(number(1, 432_000), "a number of seconds") for name, each in given.items()}
    return replace(base, **{name: seconds for name, seconds in read.items() if seconds is not None})


def _read_services(cursor: Cursor) -> ServiceSet | None:
    """A list or a text; an empty list is none at all."""
    if is_null(cursor.node):
        cursor.wrong_type("a list", _SERVICES)
        return None
    read = [item.read(ServiceSet.parse, _SERVICES) for item in cursor.items(_SERVICES, one=True)]
    return ServiceSet(tuple(sorted(each for found in read if found for each in found.ranges)))


def _lenient(profile: Profile) -> Profile:
    limits: dict[str, Any] = dict.fromkeys(LIMITS, _NO_LIMIT)
    return replace(
        profile,
        **limits,
        groups_need_vpc=False,
        acls_need_vpc=False,
        advanced_groups=True,
        self_reference=True,
        cross_account=True,
        five_tuple=True,
        classic_network=True,
        address_group_ranges=True,
    )
