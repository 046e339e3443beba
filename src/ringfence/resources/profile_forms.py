"""The fields of a profile, and the form of the settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ringfence.errors import NotationError
from ringfence.model.profile import HUAWEI, PROFILES, Profile
from ringfence.model.switches import switched, switches_of
from ringfence.resources.fields import Field, mapping, parsed
from ringfence.resources.form import Form
from ringfence.resources.kind import Kind

Fields = Mapping[str, Any]


SWITCHES = mapping("switches", "switches of the profile that are set otherwise", dict, dict)
"""The field of its switches."""


def profile_name(name: str) -> str:
    """The name of a profile; raises `NotationError` where there is none."""
    if name not in PROFILES:
        raise NotationError(f"there is no profile {name!r}", f"use {' or '.join(PROFILES)}")
    return name


def profile_field(default: str) -> Field:
    """The field of its name."""
    return parsed("profile", "huawei or alibaba", profile_name, default=default, example="huawei")


def profile_of(fields: Fields) -> Profile:
    """The profile of the fields that say one, which are its name and its switches."""
    return switched(PROFILES[fields["profile"]], fields["switches"])


def profile_parts(profile: Profile) -> dict[str, Any]:
    """The fields that say a profile."""
    return {"profile": profile.name, "switches": switches_of(profile)}


SETTINGS = Form(
    kind=Kind.SETTINGS,
    plural="settings",
    prefix="settings",
    fields=(profile_field(HUAWEI.name), SWITCHES),
    build=lambda called, fields: profile_of(fields),
    parts=profile_parts,
    refers=lambda it: (),
)
