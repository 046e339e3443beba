"""Port range lists: TCP and UDP ports that rules name (apis/alibaba.md 2.11). Their answers are not wrapped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Final, cast

from ringfence.errors import NotationError
from ringfence.model.service import PortRange
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
from ringfence.wire.alibaba.tagged import TAGS
from ringfence.wire.request import Fault, Told


def _read(text: str) -> str:
    first, slash, last = text.partition("/")
    if not slash:
        raise NotationError(f"{text!r} is no range of ports", "write first/last")
    return str(PortRange.parse(f"{first}-{last}"))


LIST: Final = ListKind(
    Kind.PORT_LIST,
    "PortRangeList",
    "PortRange",
    2000,
    "InvalidParameter.PortRangeListName",
    "InvalidParameter.PortRange",
    "InvalidParameter.PortRangeDuplicated",
    _read,
    Fault(404, "InvalidPortRangeListId.NotFound", "The specified port range list was not found."),
)


def operations() -> Iterator[Operation]:
    """The operations."""
    texts, group = (Field("PortRangeListName"), Field("Description")), Field("ResourceGroupId")
    size = Field("MaxEntries", "1 to 2000: what a rule that names it costs", required=True)
    yield _operation(
        "CreatePortRangeList",
        "Make a port range list.",
        ram.CREATE_PORT_RANGE_LIST,
        lambda call: lists.create(LIST, call, {}),
        *(Field("PortRangeListName", required=True), size, texts[1], group, *TAGS, *LIST.entry_fields("Entry")),
    )
    yield _operation(
        "ModifyPortRangeList",
        "Change a list's name, description and entries; every rule that names it follows. An entry that is there"
        " already gets the new description; one that is not there is as good as removed.",
        ram.MODIFY_PORT_RANGE_LIST,
        lambda call: lists.modify(LIST, call, lambda _, __: None),
        *(LIST.id_field, *texts, *LIST.entry_fields("AddEntry"), *LIST.entry_fields("RemoveEntry", described=False)),
    )
    yield _operation(
        "DeletePortRangeList",
        "Delete a list that no rule names.",
        ram.DELETE_PORT_RANGE_LIST,
        partial(lists.delete, LIST),
        LIST.id_field,
    )
    yield _operation(
        "DescribePortRangeLists",
        "List the account's port range lists.",
        ram.DESCRIBE_PORT_RANGE_LISTS,
        _describe,
        *(Field("PortRangeListId.N"), texts[0], *TAGS, group, *BY_TOKEN),
    )
    yield _operation(
        "DescribePortRangeListEntries",
        "List the entries of a list.",
        ram.DESCRIBE_PORT_RANGE_LIST_ENTRIES,
        _entries,
        LIST.id_field,
    )
    yield _operation(
        "DescribePortRangeListAssociations",
        "List the groups whose rules name a list.",
        ram.DESCRIBE_PORT_RANGE_LIST_ASSOCIATIONS,
        _associations,
        *(LIST.id_field, *BY_TOKEN),
    )


def _operation(name: str, doc: str, action: Action, handle: Callable[[Call], Told], *fields: Field) -> Operation:
    return Operation(name, Product.ECS, doc, (action,), handle, (REGION, *fields), faults=LIST.faults)


def _describe(call: Call) -> Told:
    found, paged = lists.page(LIST, call)
    return {"PortRangeLists": [_told(call, it) for it in found], **paged}


def _told(call: Call, resource: Resource) -> Told:
    told = lists.told(LIST, call, resource)
    return {**told, "Tags": told["Tags"]["Tag"]}


def _entries(call: Call) -> Told:
    it = cast("Listing", lists.find(LIST, call, ram.DESCRIBE_PORT_RANGE_LIST_ENTRIES).value)
    ranges = (cast("PortRange", entry) for entry in it.listed.entries)
    told = ((f"{each.first}/{each.last}", it.remarks.get(str(each), "")) for each in ranges)
    return {"Entries": [{"PortRange": text, "Description": remark} for text, remark in told]}


def _associations(call: Call) -> Told:
    found = lists.find(LIST, call, ram.DESCRIBE_PORT_RANGE_LIST_ASSOCIATIONS)
    told, paged = lists.associations(call, found)
    return {"PortRangeListAssociations": told, **paged}
