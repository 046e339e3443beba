"""Addresses of network interfaces: more are given to them, and taken away again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from ringfence.control import addressing
from ringfence.control.draft import Draft
from ringfence.model.address import Family
from ringfence.ram import actions as ram
from ringfence.resources.kind import Kind
from ringfence.wire.alibaba.addresses import in_family
from ringfence.wire.alibaba.common import REGION, refuse_unserved
from ringfence.wire.alibaba.interfaces import FAULTS, PREFIXES
from ringfence.wire.alibaba.operation import Call, Field, Operation, Product
from ringfence.wire.alibaba.parameters import Parameters, invalid, missing
from ringfence.wire.request import Told


class _Words(NamedTuple):
    """What the parameters are called for one family."""

    family: Family
    addresses: str
    number: str


_WORDS: Final = {
    "PrivateIpAddresses": _Words(Family.IPV4, "PrivateIpAddress", "SecondaryPrivateIpAddressCount"),
    "Ipv6Addresses": _Words(Family.IPV6, "Ipv6Address", "Ipv6AddressCount"),
}
"""By the end of an operation's name."""
_MOST: Final = 50


def operations() -> Iterator[Operation]:
    """The operations."""
    both = (REGION, Field("NetworkInterfaceId", required=True))
    for name, words in _WORDS.items():
        prefix = f"Ipv{words.family.value}Prefix"
        fields = (*both, Field(f"{words.addresses}.N"), Field(f"{prefix}.N", "refused"))
        more = (Field(words.number, "or so many free ones"), Field(f"{prefix}Count", "refused"))
        doc, action = f"Gives more {words.family} addresses of its vSwitch.", ram.ASSIGN_PRIVATE_IP_ADDRESSES
        yield Operation(f"Assign{name}", Product.ECS, doc, (action,), _assign, (*fields, *more), faults=FAULTS)
        doc, action = f"Takes {words.family} addresses; the primary one stays.", ram.UNASSIGN_PRIVATE_IP_ADDRESSES
        yield Operation(f"Unassign{name}", Product.ECS, doc, (action,), _unassign, fields, faults=FAULTS)


def _read(call: Call) -> tuple[Parameters, _Words, str]:
    """What is said, in which words, and of which network interface."""
    call.said.required("RegionId")
    refuse_unserved(call.said, PREFIXES)
    (words,) = (words for name, words in _WORDS.items() if call.operation.name.endswith(name))
    return call.said, words, call.said.required("NetworkInterfaceId")


def _assign(call: Call) -> Told:
    said, words, id_ = _read(call)
    asked, count = in_family(said, words.addresses, words.family), said.number(words.number, 0, 1, _MOST)
    if asked and count:
        raise invalid(words.number, f"give one of {words.addresses} and {words.number}", count)
    if not (asked or count):
        raise missing(f"{words.addresses}.1")

    def work(draft: Draft) -> Told:
        found = addressing.assign(draft, draft.own(Kind.PORT, id_).id, asked, count=count, family=words.family)
        return _told(id_, words.family, [str(address) for address in found.addresses])

    return call.change(work)


def _told(id_: str, family: Family, new: list[str]) -> Told:
    if family is Family.IPV6:
        return {"NetworkInterfaceId": id_, "Ipv6Sets": {"Ipv6Address": new}, "Ipv6PrefixSets": {"Ipv6Prefix": []}}
    told = {"PrivateIpSet": {"PrivateIpAddress": new}, "Ipv4PrefixSet": {"Ipv4Prefixes": []}}
    return {"AssignedPrivateIpAddressesSet": {"NetworkInterfaceId": id_, **told}}


def _unassign(call: Call) -> Told:
    said, words, id_ = _read(call)
    gone = in_family(said, words.addresses, words.family)
    if not gone:
        raise missing(f"{words.addresses}.1")

    def work(draft: Draft) -> Told:
        addressing.unassign(draft, draft.own(Kind.PORT, id_).id, gone)
        return {}

    return call.change(work)
