"""Prefix lists: addresses of one family that rules name; Huawei's address groups are the same things."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Final, cast

from ringfence.errors import NotationError
from ringfence.model.address import Family, Prefix
from ringfence.ram import actions as ram
from ringfence.ram.actions import Action
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource
from ringfence.resources.values import Listing
from ringfence.wire.alibaba import lists
from ringfence.wire.alibaba.groups import REGION
from ringfence.wire.alibaba.lists import ListKind
from ringfence.wire.alibaba.operation import Call, Field, Operation, Product
from ringfence.wire.alibaba.paging import BY_TOKEN
from ringfence.wire.alibaba.parameters import invalid
from ringfence.wire.alibaba.tagged import TAGS
from ringfence.wire.request import Fault, Told


def _read(text: str) -> str:
    return str(Prefix.parse(text).range)


LIST: Final = ListKind(
    Kind.ADDRESS_GROUP,
    "PrefixList",
    "Cidr",
    200,
    "InvalidParameter.PrefixListName",
    "InvalidParameter.CidrMalformed",
    "InvalidParameter.CidrDuplicated",
    _read,
    Fault(404, "InvalidPrefixListId.NotFound", "The specified prefix list was not found."),
)
_FAMILIES: Final = {"ipv4": str(Family.IPV4), "ipv6": str(Family.IPV6)}
_WORDS: Final = {Family.IPV4: "IPv4", Family.IPV6: "IPv6"}
_BAD_FAMILY: Final = "InvalidParameter.AddressFamily"


def operations() -> Iterator[Operation]:
    """The operations."""
    texts = (Field("PrefixListName"), Field("Description"))
    group = Field("ResourceGroupId")
    name, family = Field("PrefixListName", required=True), Field("AddressFamily", "IPv4 or IPv6", required=True)
    size = Field("MaxEntries", "1 to 200: what a rule that names it costs", required=True)
    yield _operation(
        "CreatePrefixList",
        "Make a prefix list.",
        ram.CREATE_PREFIX_LIST,
        _create,
        *(name, family, size, texts[1], group, *TAGS, *LIST.entry_fields("Entry")),
    )
    yield _operation(
        "ModifyPrefixList",
        "Change a list's name, description and entries; every rule that names it follows. An entry that is there"
        " already gets the new description; one that is not there is as good as removed.",
        ram.MODIFY_PREFIX_LIST,
        _modify,
        *(LIST.id_field, *texts, *LIST.entry_fields("AddEntry"), *LIST.entry_fields("RemoveEntry", described=False)),
    )
    yield _operation(
        "DeletePrefixList",
        "Delete a list that no rule names.",
        ram.DELETE_PREFIX_LIST,
        partial(lists.delete, LIST),
        LIST.id_field,
    )
    yield _operation(
        "DescribePrefixLists",
        "List the account's prefix lists, Huawei's address groups too.",
        ram.DESCRIBE_PREFIX_LISTS,
        _describe,
        *(Field("PrefixListId.N"), texts[0], Field("AddressFamily"), *TAGS, group, *BY_TOKEN),
    )
    yield _operation(
        "DescribePrefixListAttributes",
        "Show a list with its entries; a range that no prefix is, as Huawei's may have, is told as it is.",
        ram.DESCRIBE_PREFIX_LIST_ATTRIBUTES,
        _attributes,
        LIST.id_field,
    )
    yield _operation(
        "DescribePrefixListAssociations",
        "List what names a list: groups by their rules, ACLs by their lines.",
        ram.DESCRIBE_PREFIX_LIST_ASSOCIATIONS,
        _associations,
        *(LIST.id_field, *BY_TOKEN),
    )


def _operation(name: str, doc: str, action: Action, handle: Callable[[Call], Told], *fields: Field) -> Operation:
    return Operation(name, Product.ECS, doc, (action,), handle, (REGION, *fields), faults=LIST.faults)


def _create(call: Call) -> Told:
    family = call.said.choice("AddressFamily", _FAMILIES, code=_BAD_FAMILY)
    _check_family(family, lists.entries_of(LIST, call.said, "Entry"))
    return lists.create(LIST, call, {"family": family})


def _modify(call: Call) -> Told:
    def check(found: Resource, entries: Iterable[str]) -> None:
        family = cast("Listing", found.value).family
        _check_family(str(family or ""), entries)

    return lists.modify(LIST, call, check)


def _check_family(family: str, entries: Iterable[str]) -> None:
    for entry in entries:
        if family and str(Prefix.parse(entry).family) != family:
            raise invalid("Cidr", f"the list is of {family}", entry, _BAD_FAMILY)


def _describe(call: Call) -> Told:
    family = call.said.choice("AddressFamily", _FAMILIES, code=_BAD_FAMILY)
    found, paged = lists.page(LIST, call, lambda it: family in ("", str(it.family)))
    return {"PrefixLists": {"PrefixList": [_told(call, it) for it in found]}, **paged}


def _told(call: Call, resource: Resource) -> Told:
    family = cast("Listing", resource.value).family
    return {**lists.told(LIST, call, resource), "AddressFamily": _WORDS[family] if family else ""}


def _attributes(call: Call) -> Told:
    found = lists.find(LIST, call, ram.DESCRIBE_PREFIX_LIST_ATTRIBUTES)
    it = cast("Listing", found.value)
    shown = ((_cidr(str(entry)), it.remarks.get(str(entry), "")) for entry in it.listed.entries)
    entries = [{"Cidr": cidr, "Description": remark} for cidr, remark in shown]
    about = ("PrefixListId", "PrefixListName", "AddressFamily", "Description", "CreationTime", "MaxEntries")
    told = _told(call, found)
    return {**{name: told[name] for name in about}, "Entries": {"Entry": entries}}


def _cidr(entry: str) -> str:
    """The entry as a prefix, where it is one."""
    try:
        return str(Prefix.parse(entry))
    except NotationError:
        return entry


def _associations(call: Call) -> Told:
    found = lists.find(LIST, call, ram.DESCRIBE_PREFIX_LIST_ASSOCIATIONS)
    told, paged = lists.associations(call, found)
    return {"PrefixListAssociations": {"PrefixListAssociation": told}, **paged}
