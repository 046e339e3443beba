"""Names and descriptions as Huawei's APIs take them (apis/huawei.md 3.5; SEMANTICS.md 1.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from ringfence.wire.huawei.members import Member, invalid

_NAME: Final = re.compile(r"[\w.-]{1,64}")
_LONGEST_DESCRIPTION: Final = 255

NAME: Final = Member("name", (str,), required=True)
NEW_NAME: Final = Member("name", (str,))
DESCRIPTION: Final = Member("description", (str,))
ENTERPRISE_PROJECT: Final = Member("enterprise_project_id", (str,))
DRY_RUN: Final = Member("dry_run", (bool,))


def named(said: Mapping[str, Any]) -> dict[str, Any]:
    """Name and description of a body, as far as they are given. Raises `InvalidFields`."""
    found = {name: said[name] for name in ("name", "description") if said.get(name) is not None}
    if "name" in found and not _NAME.fullmatch(found["name"]):
        raise invalid("name", "use 1 to 64 letters, digits, _, - and dots", found["name"])
    text = found.get("description", "")
    if len(text) > _LONGEST_DESCRIPTION or "<" in text or ">" in text:
        raise invalid("description", f"use at most {_LONGEST_DESCRIPTION} characters without < and >", text)
    return found
