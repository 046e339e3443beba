"""What resources are known by."""

from __future__ import annotations

from typing import NamedTuple

from ringfence.resources.kind import Kind


class Key(NamedTuple):
    """A resource's kind and id: no two have the same."""

    kind: Kind
    id: str

    def __str__(self) -> str:
        return f"{self.kind.words} {self.id}"


class Called(NamedTuple):
    """Who has a resource and what it is called: the part of it that its value may repeat."""

    id: str
    name: str
    account: str
    description: str
