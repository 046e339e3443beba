"""Terraform's state: what ``terraform show -json`` prints of it, or the state file itself (version 4).

Resources are read by their types, in an order in which what others name comes first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import compress
from operator import not_
from typing import Final, NamedTuple

from ringfence.importing import terraform_alicloud, terraform_aws, terraform_huawei, terraform_openstack
from ringfence.importing.cloud import Cloud
from ringfence.importing.reading import Read, Reading
from ringfence.importing.report import Outcome
from ringfence.importing.source import Item

TYPES: Final[Mapping[Cloud, Mapping[str, Read]]] = {
    Cloud.AWS: terraform_aws.TYPES,
    Cloud.ALIBABA: terraform_alicloud.TYPES,
    Cloud.HUAWEI: terraform_huawei.TYPES,
    Cloud.OPENSTACK: terraform_openstack.TYPES,
}
"""Readers by types of resources; those that come first are read first."""
_PLACES: Final = frozenset(
    {"aws_vpc", "aws_subnet", "alicloud_vpc", "alicloud_vswitch", "huaweicloud_vpc", "huaweicloud_vpc_subnet"}
    | {"openstack_networking_subnet_v2"}
)
"""Types that mean the same as data sources."""
_DEEPEST = 50


class Resource(NamedTuple):
    """One resource: its type, whether it is only looked up, and its attributes."""

    type: str
    is_data: bool
    values: Item


def is_state(item: Item) -> bool:
    """Whether a file is a state, or a plan."""
    fields = item.value if isinstance(item.value, dict) else {}
    return "terraform_version" in fields or ("values" in fields and "format_version" in fields)


def resources(item: Item) -> list[Resource]:
    """The resources of a state. Raises `BadImportFile` for a plan, and for a state of another version."""
    if item.has("planned_values") or item.has("resource_changes"):
        raise item.bad("it is a plan, and what a plan makes is not known yet", "run terraform show -json on the state")
    if item.has("resources") or item.has("modules"):
        if item.number("version") != 4:
            right = "print it with terraform show -json, of a version of Terraform that is not older than 0.12"
            raise item.get("version").bad("of state files only version 4 is known", right)
        return [*_from_state(item)]
    if not is_state(item):
        raise item.bad("it is no state of Terraform", "give what terraform show -json prints")
    return [*_from_module(item.part("values").part("root_module"), 0)]


def _from_state(item: Item) -> Iterator[Resource]:
    for each in item.items("resources"):
        for instance in each.items("instances"):
            yield Resource(each.need("type"), each.text("mode") == "data", instance.part("attributes"))


def _from_module(module: Item, depth: int) -> Iterator[Resource]:
    for each in module.items("resources"):
        yield Resource(each.need("type"), each.text("mode") == "data", each.part("values"))
    for child in module.items("child_modules"):
        if depth > _DEEPEST:
            raise child.bad("modules are nested too deeply", "give the state of one of them")
        yield from _from_module(child, depth + 1)


def cloud_of(type_: str) -> Cloud | None:
    """Whose resource a type is, where this version reads it."""
    return next((cloud for cloud, types in TYPES.items() if type_ in types), None)


def clouds_in(found: list[Resource]) -> set[Cloud]:
    """The clouds of whose resources some are read."""
    return {cloud for each in found if (cloud := cloud_of(each.type))}


def read_resources(reading: Reading, found: list[Resource], cloud: Cloud) -> None:
    """Read the resources of one cloud; the others are told."""
    types = TYPES[cloud]
    order = {name: index for index, name in enumerate(types)}
    known = [each.type in types and (not each.is_data or each.type in _PLACES) for each in found]
    for each in sorted(compress(found, known), key=lambda each: order[each.type]):
        values = replace(each.values, shape=each.type)  # each type has fields of its own
        reading.watch(values)
        types[each.type](reading, values)
    for each in compress(found, map(not_, known)):
        kind = "data source" if each.is_data else "resource"
        reading.draft.report.note(
            Outcome.TOLD, each.values, f"{kind} of type {each.type}", _why_not(each, cloud), "it is not read"
        )


def _why_not(resource: Resource, cloud: Cloud) -> str:
    own = cloud_of(resource.type)
    if own is None:
        return "this version reads no such type"
    return "a data source tells no rules" if own is cloud else f"it is of {own}, and {cloud} is imported"
