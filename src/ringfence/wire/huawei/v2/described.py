"""Names and descriptions as version 2.0 takes them of ports and firewalls: any text of up to 255 characters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ringfence.wire.huawei.members import Member

DESCRIBED: Final = (Member("name", (str,)), Member("description", (str,)))


def described(said: Mapping[str, Any]) -> dict[str, Any]:
    """Name and description of a body, as far as they are given."""
    return {name: said[name] for name in ("name", "description") if said.get(name) is not None}
