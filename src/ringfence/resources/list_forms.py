"""The forms of what rules name instead of addresses and ports: address groups and port lists."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ringfence.errors import NotationError
from ringfence.model.address import AddressRange, Family
from ringfence.model.group import AddressGroup
from ringfence.model.port_list import PortList
from ringfence.model.service import PortRange
from ringfence.resources.fields import Field, listed, mapping, number, parsed, text
from ringfence.resources.form import Form
from ringfence.resources.kind import Kind
from ringfence.resources.naming import Called
from ringfence.resources.values import Listing, listing

REMARK = text("remark", "words about one entry", longest=255)
"""What may be said of an entry: Huawei takes 255 characters, Alibaba 32 (SEMANTICS.md 1.3)."""
PARSERS: Mapping[Kind, Callable[[str], AddressRange | PortRange]] = {
    Kind.ADDRESS_GROUP: AddressRange.parse,
    Kind.PORT_LIST: PortRange.parse,
}
"""How an entry of each kind of list is read."""
_MOST = 1_000_000
_FAMILIES = {str(family): family for family in Family}


def _family(said: str) -> Family:
    if said not in _FAMILIES:
        raise NotationError(f"{said!r} is no address family", f"use {' or '.join(_FAMILIES)}")
    return _FAMILIES[said]


def _remarks(kind: Kind) -> Field:
    def read(said: Mapping[str, Any]) -> dict[str, str]:
        return {str(PARSERS[kind](entry)): REMARK.read(remark) for entry, remark in said.items()}

    return mapping("remarks", "words about single entries, by entry", read, dict, longest=_MOST)


def _checked(made: Listing, remarks: Mapping[str, str]) -> Listing:
    """The listing; refused where a remark is about no entry of it, or an entry is of another family."""
    if astray := sorted(remarks.keys() - set(map(str, made.listed.entries))):
        raise NotationError(f"there is a remark about {astray[0]}, which is not among the entries", "add the entry")
    check_family(made)
    return made


def check_family(it: Listing) -> None:
    """Raise `NotationError` if all entries of an address group are of another family than it is of for good.

    That they are of two families is for the world to say.
    """
    families = {entry.family for entry in it.listed.entries if isinstance(entry, AddressRange)}
    if it.family and families and it.family not in families:
        what = f"the entries are {' and '.join(map(str, families))}, and the address group is of {it.family} for good"
        raise NotationError(what, "make another address group for them")


def _address_group(called: Called, fields: Mapping[str, Any]) -> Listing:
    made = AddressGroup(called.id, fields["entries"], fields["max_entries"], called.account)
    return _checked(listing(made, fields["remarks"], fields["family"]), fields["remarks"])


def _port_list(called: Called, fields: Mapping[str, Any]) -> Listing:
    made = PortList(called.id, fields["entries"], fields["max_entries"], called.account)
    return _checked(listing(made, fields["remarks"]), fields["remarks"])


def _parts(it: Listing) -> dict[str, Any]:
    own = {"entries": it.listed.entries, "max_entries": it.listed.max_entries}
    return {**own, "family": it.family, "remarks": it.remarks}


ADDRESS_GROUP = Form(
    kind=Kind.ADDRESS_GROUP,
    plural="address-groups",
    prefix="pl",
    fields=(
        listed(
            "entries",
            "addresses, prefixes and ranges of one family",
            AddressRange.parse,
            default=(),
            longest=_MOST,
            example="203.0.113.0/24",
        ),
        number("max_entries", "how many it may ever have", 1, 100_000, default=None, fixed=True),
        parsed(
            "family",
            "ipv4 or ipv6; that of its first entry, if nothing is said",
            _family,
            default=None,
            fixed=True,
            example="ipv4",
        ),
        _remarks(Kind.ADDRESS_GROUP),
    ),
    build=_address_group,
    parts=_parts,
    refers=lambda it: (),
)

PORT_LIST = Form(
    kind=Kind.PORT_LIST,
    plural="port-lists",
    prefix="prl",
    fields=(
        listed("entries", "ports and port ranges", PortRange.parse, default=(), longest=_MOST, example="8000-8100"),
        number("max_entries", "how many it may ever have", 1, 100_000, default=None, fixed=True),
        _remarks(Kind.PORT_LIST),
    ),
    build=_port_list,
    parts=_parts,
    refers=lambda it: (),
)
