"""One thing that is wrong with a world, and where it stands."""

from __future__ import annotations

from dataclasses import dataclass

Path = tuple[str | int, ...]
"""Where a thing stands: ``("groups", "sg-web", "rules", 3)``; rules count from 0 in the order of the group."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: where, a stable code (the cloud's, where it has one), what, and what would be right."""

    path: Path
    code: str
    what: str
    right: str
