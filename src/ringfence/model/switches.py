"""The switches of a profile, by name: which there are, and a profile as a cloud's name and what differs from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from enum import StrEnum
from typing import Any, get_type_hints

from ringfence.errors import NotationError
from ringfence.model.profile import PROFILES, Profile, Timeouts
from ringfence.model.service import ServiceSet

_FIXED = ("name", "acl_exempt", "acl_default", "default_rules", "default_rules_advanced")
"""What a cloud is known by, and the rules that it makes itself."""

_TYPES = get_type_hints(Profile)
SWITCHES: Mapping[str, type] = {field.name: _TYPES[field.name] for field in fields(Profile) if field.name not in _FIXED}
"""The switches that may be set, with their types."""


def switch_value(value: object) -> Any:
    """The value of a switch as people write it."""
    if isinstance(value, Timeouts):
        return asdict(value)
    if isinstance(value, ServiceSet):
        return list(filter(None, str(value).split(",")))
    return value.value if isinstance(value, StrEnum) else value


def switches_of(profile: Profile) -> dict[str, Any]:
    """The switches in which a profile differs from its cloud's own."""
    base = PROFILES[profile.name]
    return {
        name: switch_value(getattr(profile, name)) for name in SWITCHES if getattr(profile, name) != getattr(base, name)
    }


def switched(base: Profile, values: Mapping[str, object]) -> Profile:
    """A profile with some switches set, each as people write it. Raises `NotationError`."""
    unknown = sorted(values.keys() - SWITCHES.keys())
    if unknown:
        raise NotationError(f"{unknown[0]!r} is no switch", f"use one of {', '.join(SWITCHES)}")
    read: dict[str, Any] = {name: _read(name, value, getattr(base, name)) for name, value in values.items()}
    return replace(base, **read)


def _read(name: str, value: object, base: object) -> object:
    kind = SWITCHES[name]
    if issubclass(kind, StrEnum):
        known = {member.value: member for member in kind}
        if value not in known:
            raise NotationError(f"{name} cannot be {value!r}", f"use {' or '.join(known)}")
        return known[str(value)]
    if kind is Timeouts:
        return Timeouts.parse(_joined(name, value), base if isinstance(base, Timeouts) else None)
    if kind is ServiceSet:
        return ServiceSet.parse(_joined(name, value))
    if kind is bool:
        if not isinstance(value, bool):
            raise NotationError(f"{name} cannot be {value!r}", "use true or false")
        return value
    low, high = (1, 100) if name.endswith("priority") else (0, 1_000_000)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise NotationError(f"{name} cannot be {value!r}", f"use a number from {low} to {high}")
    return value


def _joined(name: str, value: object) -> str:
    """A list or a mapping as the text that it stands for."""
    if isinstance(value, Mapping):
        return ",".join(f"{key}={each}" for key, each in value.items())
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ",".join(value)
    if isinstance(value, str):
        return value
    raise NotationError(f"{name} cannot be {value!r}", "use a text, a list or a mapping")
