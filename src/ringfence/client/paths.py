"""Paths of the native API."""

from __future__ import annotations

from urllib.parse import quote


def at(*parts: str) -> str:
    """The path of something: ``at("groups", "sg-web", "rules")``; a part may hold anything."""
    return "/".join(("/v1", *(quote(part, safe="") for part in parts)))
