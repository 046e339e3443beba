"""Tags in requests and answers of ECS (apis/alibaba.md 2.6 and 2.8)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ringfence.resources.resource import Resource
from ringfence.wire.alibaba.operation import Field
from ringfence.wire.alibaba.parameters import Parameters, invalid
from ringfence.wire.request import Told

TAGS: Final = (
    Field("Tag.N.Key", "at most 20 tags, and 128 characters"),
    Field("Tag.N.Value"),
    Field("Tag.N.key", "the same as Key: older clients spell it so"),
    Field("Tag.N.value", "the same as Value"),
)
"""The parameters that say tags."""


def tags_said(said: Parameters) -> dict[str, str]:
    """The tags that a new resource is to have; raises `InvalidFields`."""
    found: dict[str, str] = {}
    for part in said.parts("Tag"):
        key, value = _pair(part)
        if not key:
            raise invalid(f"{part.path}Key", "give a key", key, "InvalidTagKey.Malformed")
        if key in found:
            raise invalid(f"{part.path}Key", "give each key once", key, "Duplicate.TagKey")
        if len(value) > 128 or "://" in value:
            raise invalid(f"{part.path}Value", "use at most 128 characters", value, "InvalidTagValue.Malformed")
        found[key] = value
    return found


def has_tags(resource: Resource, said: Parameters) -> bool:
    """Whether a resource has each tag that a request asks for: with the value, where it says one."""
    wanted = map(_pair, said.parts("Tag"))
    return all(key in resource.tags and value in ("", resource.tags[key]) for key, value in wanted)


def tags_told(tags: Mapping[str, str]) -> Told:
    """Tags as answers have them."""
    return {"Tag": [{"TagKey": key, "TagValue": value} for key, value in sorted(tags.items())]}


def _pair(part: Parameters) -> tuple[str, str]:
    return part.text("Key") or part.text("key"), part.text("Value") or part.text("value")
