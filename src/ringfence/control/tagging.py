"""Tags of resources: set, take away, and look at all of an account."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ringfence.control.basic import TAGS
from ringfence.control.draft import Draft
from ringfence.ram import actions as ram
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource, common_problems, refuse


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag, and how many resources of each kind have it."""

    key: str
    value: str
    resources: Mapping[Kind, int]

    @property
    def text(self) -> str:
        """As lists are narrowed by it."""
        return f"{self.key}={self.value}"


def tag(draft: Draft, kind: Kind, ref: str, tags: Mapping[str, Any]) -> Resource:
    """Set some tags of a resource; its others stay. Raises `InvalidFields`, `NotFound`, `Forbidden`."""
    found = draft.find(kind, ref)
    wanted = {**found.tags, **tags}
    refuse(common_problems({"tags": wanted}, TAGS))
    return draft.put(ram.TAG_RESOURCES, replace(found, tags=wanted))


def untag(draft: Draft, kind: Kind, ref: str, keys: Iterable[str]) -> Resource:
    """Take tags away by their keys, or all where none are given; it need not have them. Raises as `tag`."""
    found, gone = draft.find(kind, ref), set(keys)
    left = {key: value for key, value in found.tags.items() if gone and key not in gone}
    return draft.put(ram.UNTAG_RESOURCES, replace(found, tags=left))


def tags_of(resources: Iterable[Resource]) -> list[Tag]:
    """The tags of some resources, by key and value."""
    found: dict[tuple[str, str], Counter[Kind]] = defaultdict(Counter)
    for resource in resources:
        for pair in resource.tags.items():
            found[pair][resource.kind] += 1
    return [Tag(key, value, found[key, value]) for key, value in sorted(found)]
