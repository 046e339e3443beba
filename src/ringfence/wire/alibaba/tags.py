"""Tags of resources, the new calls and the old ones, and resource groups, of which there is one (SEMANTICS.md 1.2)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from ringfence.control import tagging
from ringfence.control.draft import Draft
from ringfence.errors import Forbidden, NotFound, Refused
from ringfence.ram import actions as ram
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource
from ringfence.wire.alibaba.common import REGION, refuse_resource_group
from ringfence.wire.alibaba.operation import Call, Field, Operation, Product
from ringfence.wire.alibaba.paging import BY_NUMBER, Sizes, by_number, by_token
from ringfence.wire.alibaba.parameters import Parameters, invalid
from ringfence.wire.alibaba.tagged import TAGS, has_tags, tags_said
from ringfence.wire.request import Fault, Told

TYPES: Final[Mapping[str, Kind]] = {
    "instance": Kind.INSTANCE,
    "securitygroup": Kind.GROUP,
    "eni": Kind.PORT,
    "prefixlist": Kind.ADDRESS_GROUP,
    "portrangelist": Kind.PORT_LIST,
}
"""The types of resources that have tags here, by the vendor's words for them."""
_OTHERS = (
    *("disk", "image", "snapshot", "keypair", "ddh", "launchtemplate", "reservedinstance", "snapshotpolicy", "volume"),
    *("automaticsnapshotpolicy", "elasticityassurance", "capacityreservation", "command", "invocation"),
)
"""Types that the vendor has, and nobody has anything of here."""
_ALL: Final = {**{word: word for word in TYPES}, **{word: word for word in _OTHERS}}
_COUNTED: Final = {"Instance": "instance", "Securitygroup": "securitygroup", "Eni": "eni"}
_NEVER: Final = ("Ddh", "Disk", "Image", "KeyPair", "LaunchTemplate", "ReservedInstance", "Snapshot", "SnapshotPolicy")
_MOST_IDS: Final = 50
_MOST_TAGS: Final = 20
_AT_ONCE: Final = 50

_TYPE = Field("ResourceType", f"must be there: one of {', '.join(TYPES)}")
"""Whose lack has a code of its own here."""
_IDS = Field("ResourceId.N", required=True)
_NO_RESOURCE: Final = Fault(404, "InvalidResourceId.NotFound", "The specified ResourceId is not found in our records.")
_CODES_OF_404 = (
    "InvalidResourceId.NotFound",
    "InvalidResourceType.NotFound",
    "MissingParameter.ResourceType",
    "MissingParameter.Tags",
    "MissingParameter.RegionId",
    "InvalidResourceGroup.NotFound",
)
_FAULTS: Mapping[str, Fault] = {code: Fault(404, code) for code in _CODES_OF_404}


def operations() -> Iterator[Operation]:
    """The operations."""

    def one(name: str, doc: str, action: ram.Action, handle: Callable[[Call], Told], *fields: Field) -> Operation:
        return Operation(name, Product.ECS, doc, (action,), handle, fields, faults=_FAULTS)

    filters = (Field("TagFilter.N.TagKey"), Field("TagFilter.N.TagValues.N"))
    some = (Field("ResourceId.N"), Field("NextToken"), *TAGS, *filters)
    doc = "Gives tags to resources of one type; tags of other keys stay."
    yield one("TagResources", doc, ram.TAG_RESOURCES, _tag, REGION, _TYPE, _IDS, *TAGS)
    doc, more = "Takes tags by their keys, or all.", (Field("TagKey.N"), Field("All", "only without a TagKey"))
    yield one("UntagResources", doc, ram.UNTAG_RESOURCES, _untag, REGION, _TYPE, _IDS, *more)
    doc = "Tags of resources of one type."
    yield one("ListTagResources", doc, ram.LIST_TAG_RESOURCES, _list, REGION, _TYPE, *some)
    single = (REGION, _TYPE, Field("ResourceId", required=True), *TAGS)
    yield one("AddTags", "Gives tags to one resource.", ram.TAG_RESOURCES, _add, *single)
    doc = "Takes tags from one resource: those of the keys, where a value is said only those with it."
    yield one("RemoveTags", doc, ram.UNTAG_RESOURCES, _remove, *single)
    doc, named = "Every tag, with how many resources have it.", Field("Category", "custom, the only ones there are")
    of_type = (REGION, Field("ResourceType"), *TAGS, *BY_NUMBER)
    yield one("DescribeTags", doc, ram.LIST_TAG_RESOURCES, _describe, Field("ResourceId"), named, *of_type)
    doc = "Resources that have all of some tags."
    yield one("DescribeResourceByTags", doc, ram.LIST_TAG_RESOURCES, _by_tags, *of_type)
    doc = "Moves a resource to the default resource group, the only one; others are refused."
    names = (Field("ResourceGroupId"), Field("ResourceId"), Field("ResourceType"))
    yield one("JoinResourceGroup", doc, ram.JOIN_RESOURCE_GROUP, _join_group, *names)


# --- changes


def _tag(call: Call) -> Told:
    return _on_each(call, _several(call), _wanted_tags(call), tagging.tag)


def _add(call: Call) -> Told:
    return _on_each(call, [call.said.required("ResourceId")], _wanted_tags(call), tagging.tag)


def _wanted_tags(call: Call) -> dict[str, str]:
    tags = tags_said(call.said)
    if len(tags) > _MOST_TAGS:
        raise invalid("Tag", f"use at most {_MOST_TAGS} tags", len(tags), "NumberExceed.Tags")
    if tags:
        return tags
    raise Refused("Tag is mandatory for this action.", reason="MissingParameter.Tags", field="Tag")


def _untag(call: Call) -> Told:
    keys = call.said.every("TagKey")
    if len(keys) > _MOST_TAGS:
        raise invalid("TagKey", f"use at most {_MOST_TAGS} keys", len(keys), "NumberExceed.Tags")
    if not keys and not call.said.flag("All"):
        raise Refused("TagKey is mandatory for this action.", reason="MissingParameter.Tags", field="TagKey")
    return _on_each(call, _several(call), keys, tagging.untag)


def _remove(call: Call) -> Told:
    def remove(draft: Draft, kind: Kind, ref: str, wanted: Mapping[str, str]) -> Resource:
        there = draft.own(kind, ref).tags
        gone = [key for key, value in wanted.items() if not value or there.get(key) == value]
        return tagging.untag(draft, kind, ref, gone or [""])

    return _on_each(call, [call.said.required("ResourceId")], _wanted_tags(call), remove)


def _several(call: Call) -> list[str]:
    ids = list(dict.fromkeys(call.said.every("ResourceId")))
    if not ids:
        call.said.required("ResourceId.1")
    if len(ids) > _MOST_IDS:
        raise invalid("ResourceId", f"use at most {_MOST_IDS} ids", len(ids), "NumberExceed.ResourceIds")
    return ids


def _on_each(call: Call, ids: list[str], what: object, change: Callable[..., Resource]) -> Told:
    kind = TYPES.get(_type(call.said))

    def work(draft: Draft) -> Told:
        for id_ in ids:
            change(draft, *_one(draft, kind, id_), what)
        return {}

    return call.change(work)


def _one(draft: Draft, kind: Kind | None, id_: str) -> tuple[Kind, str]:
    """A resource that is the caller's; raises `Refused`."""
    try:
        if kind:
            return kind, draft.own(kind, id_).id
    except NotFound:
        pass  # told with the code that is for every type
    raise Refused(_NO_RESOURCE.message, reason=_NO_RESOURCE.code, field="ResourceId", value=id_)


def _type(said: Parameters, *, required: bool = True) -> str:
    """The vendor's word for the type; raises `Refused`."""
    text = said.text("ResourceType")
    if not text and required:
        what = "ResourceType is mandatory for this action."
        raise Refused(what, reason="MissingParameter.ResourceType", field="ResourceType")
    if text and text.lower() not in _ALL:
        what = f"The specified ResourceType is not found; it is one of {', '.join(TYPES)}."
        raise Refused(what, reason="InvalidResourceType.NotFound", field="ResourceType", value=text)
    return text.lower()


# --- what is there


def _seen(call: Call, word: str) -> list[tuple[str, Resource]]:
    """The resources that the caller may see of one type, or of every type that there is for a caller to see."""
    if word:
        kind = TYPES.get(word)
        return [(word, it) for it in call.visible(kind)] if kind else []
    found = []
    for each, kind in TYPES.items():
        try:
            found += [(each, it) for it in call.visible(kind)]
        except Forbidden:
            continue  # of what the caller may not see at all there is nothing to tell
    return found


def _list(call: Call) -> Told:
    word, ids = _type(call.said), call.said.every("ResourceId")
    if len(ids) > _MOST_IDS:
        raise invalid("ResourceId", f"use at most {_MOST_IDS} ids", len(ids), "NumberExceed.ResourceIds")
    found = [it for _, it in _seen(call, word) if not ids or it.id in ids]
    found = [it for it in found if has_tags(it, call.said) and _fits(it, call.said)]
    pairs = [(it.id, key, value) for it in found for key, value in sorted(it.tags.items())]
    page, next_ = by_token(call.said, pairs, "\0".join, Sizes(_AT_ONCE, _AT_ONCE))
    told = [{"ResourceId": id_, "ResourceType": word, "TagKey": key, "TagValue": value} for id_, key, value in page]
    return {"TagResources": {"TagResource": told}, **next_}


def _fits(resource: Resource, said: Parameters) -> bool:
    """Whether a resource has one of the values of each filter."""
    for each in said.parts("TagFilter"):
        key, values = each.required("TagKey"), each.every("TagValues")
        if key not in resource.tags or (values and resource.tags[key] not in values):
            return False
    return True


def _describe(call: Call) -> Told:
    said = call.said
    id_, word = said.text("ResourceId"), _type(said, required=False)
    found = [it for _, it in _seen(call, word) if not id_ or it.id == id_]
    if said.text("Category", "custom") not in ("custom", "all"):
        found = []  # the vendor has given nobody a tag
    wanted = tags_said(said)
    told = [it for it in tagging.tags_of(found) if not wanted or wanted.get(it.key) in ("", it.value)]
    page, more = by_number(said, told, lambda it: f"{it.key}\0{it.value}", 100)
    return {**more, "Tags": {"Tag": [_counted(it) for it in page]}}


def _counted(tag: tagging.Tag) -> Told:
    counts = {name: tag.resources.get(TYPES[word], 0) for name, word in _COUNTED.items()}
    return {"TagKey": tag.key, "TagValue": tag.value, "ResourceTypeCount": {**dict.fromkeys(_NEVER, 0), **counts}}


def _by_tags(call: Call) -> Told:
    _wanted_tags(call)
    seen = _seen(call, _type(call.said, required=False))
    found = [(word, it) for word, it in seen if has_tags(it, call.said)]
    page, more = by_number(call.said, found, lambda it: f"{it[0]}\0{it[1].id}", 100)
    told = [{"ResourceId": it.id, "ResourceType": word, "RegionId": call.region} for word, it in page]
    return {**more, "Resources": {"Resource": told}}


def _join_group(call: Call) -> Told:
    """There is one resource group, which has no id of its own: everything is in it."""
    refuse_resource_group(call)
    id_, kind = call.said.required("ResourceId"), TYPES.get(_type(call.said))

    def work(draft: Draft) -> Told:
        found = draft.own(*_one(draft, kind, id_))
        draft.require(ram.JOIN_RESOURCE_GROUP, found)
        return {}

    return call.change(work)
