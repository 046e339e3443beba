"""The profile of a world or of one VPC: a cloud's name, and single switches set to another value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from enum import StrEnum
from typing import Any, get_type_hints

from ringfence.errors import NotationError
from ringfence.model.profile import PROFILES, Profile
from ringfence.worldfile.nodes import Cursor

SWITCHES: Mapping[str, type] = {
    field.name: get_type_hints(Profile)[field.name]
    for field in fields(Profile)
    if field.name != "name" and not field.name.startswith("default_rules")
}
"""The switches that a file may set, with their types."""

_LATER = {
    name: f"the switch {name} is"
    for name in ("after_clear", "on_change", "timeouts", "blocked_egress", "risky_ports", "limits")
}
"""Switches of SEMANTICS.md section 13 that nothing reads yet."""

_BOOLS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
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
        profile = replace(profile, **_switch_values(switches))
    if (named and named.broken) or (switches and switches.broken):
        return _lenient(profile)
    return profile


def _switch_values(cursor: Cursor) -> dict[str, Any]:
    given = cursor.fields(SWITCHES, "SWITCH: VALUE", _LATER)
    values = {name: _switch_value(name, switch) for name, switch in given.items()}
    return {name: value for name, value in values.items() if value is not None}


def _switch_value(name: str, cursor: Cursor) -> StrEnum | int | None:
    kind = SWITCHES[name]
    if issubclass(kind, StrEnum):
        return cursor.choice({member.value: member for member in kind})
    if kind is bool:
        return cursor.read(truth, "true or false")
    if name.endswith("priority"):
        return cursor.read(number(1, 100), "a number from 1 to 100")
    return cursor.read(number(0, 1_000_000), "a number")


def _lenient(profile: Profile) -> Profile:
    return replace(
        profile,
        rules_per_group=_NO_LIMIT,
        groups_per_port=_NO_LIMIT,
        rules_per_port=_NO_LIMIT,
        group_rules_per_group=_NO_LIMIT,
        port_ranges_per_rule=_NO_LIMIT,
        groups_need_vpc=False,
        advanced_groups=True,
        self_reference=True,
    )
