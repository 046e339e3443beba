"""Address groups and port lists."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from ringfence.errors import NotationError
from ringfence.model.address import AddressRange
from ringfence.model.group import AddressGroup
from ringfence.model.port_list import NamedPorts, PortList
from ringfence.model.rule import AddressGroupRemote, parse_remote
from ringfence.model.service import PortRange
from ringfence.model.world import by_name
from ringfence.worldfile.nodes import Cursor, given
from ringfence.worldfile.switches import number

Entry = TypeVar("Entry", AddressRange, PortRange)
_ADDRESSES = "[203.0.113.0/24]"
_PORTS = "[80, 8000-8100]"


def read_address_groups(cursor: Cursor) -> Mapping[str, AddressGroup]:
    """The address groups, entries in the order of their addresses."""
    named = cursor.named(f"NAME: {_ADDRESSES}")
    return by_name(_read_address_group(name, each) for name, each in named.items())


def read_port_lists(cursor: Cursor) -> Mapping[str, PortList]:
    """The port lists, entries in the order of their ports."""
    return by_name(_read_port_list(name, each) for name, each in cursor.named(f"NAME: {_PORTS}").items())


def _read_address_group(name: str, cursor: Cursor) -> AddressGroup:
    if not cursor.broken:
        cursor.noting(lambda: _check_remote_name(name))
    listed, bound = _parts(cursor, _ADDRESSES)
    items = listed.items("a list of addresses, prefixes or ranges", one=True) if listed else []
    return AddressGroup(name, _read(items, AddressRange.parse, "an address, a prefix or FIRST-LAST"), bound)


def _read_port_list(name: str, cursor: Cursor) -> PortList:
    if not cursor.broken:
        cursor.noting(lambda: NamedPorts(name))
    listed, bound = _parts(cursor, _PORTS)
    items = listed.items("a list of ports or ranges", one=True) if listed else []
    return PortList(name, _read(items, PortRange.parse, "a port or FIRST-LAST"), bound)


def _parts(cursor: Cursor, form: str) -> tuple[Cursor | None, int | None]:
    """Where the entries stand, and how many there may be."""
    if not cursor.is_mapping:
        return cursor, None
    fields = cursor.fields(("entries", "max_entries"), f"{{entries: {form}}}")
    bound = given(fields, "max_entries", lambda each: each.read(number(0, 1_000_000), "a number"), None)
    return cursor.need(fields, "entries", form), bound


def _read(items: list[Cursor], parse: Callable[[str], Entry], form: str) -> tuple[Entry, ...]:
    read = [item.read(parse, form) for item in items]
    return tuple(sorted(entry for entry in read if entry))


def _check_remote_name(name: str) -> None:
    try:
        usable = parse_remote(name) == AddressGroupRemote(name)
    except NotationError:
        usable = False
    if not usable:
        raise NotationError(f"the name {name!r} reads as an address in a rule", "choose a name with letters")
