"""The private addresses of a port: its first one is its primary address and stays, more come and go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

from ringfence.control.draft import Draft
from ringfence.control.machines import parsed
from ringfence.control.settling import free_addresses
from ringfence.errors import FieldProblem, InvalidFields
from ringfence.model.address import Address, Family
from ringfence.model.topology import Port, Subnet
from ringfence.ram import actions as ram
from ringfence.ram.actions import Action
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource
from ringfence.resources.values import PortAt

MOST = 512
"""So many addresses a port has at most."""


@dataclass(frozen=True, slots=True)
class Assigned:
    """A port, and the addresses that are new to it."""

    port: Resource
    addresses: tuple[Address, ...]


def assign(
    draft: Draft, port: str, addresses: Sequence[str] = (), *, count: int = 0, family: Family = Family.IPV4
) -> Assigned:
    """Give a port more addresses of its subnet: these, and ``count`` free ones of a family.

    Raises `NotFound`, `Forbidden`, and `InvalidFields`: it has them, others have them, or none is free.
    """
    found = draft.find(Kind.PORT, port)
    with draft.telling(ram.ASSIGN_PRIVATE_IP_ADDRESSES, found):
        own = cast("PortAt", found.value).port
        asked = [parsed(text, f"addresses.{index}") for index, text in enumerate(addresses)]
        for index, address in enumerate(asked):
            if address in (*own.addresses, *asked[:index]):
                raise _wrong(index, address, f"{found.key} has {address} already", "leave it out", "world.duplicate")
        new = (*asked, *_free(draft, own, count, family, asked))
        if not new or len(own.addresses) + len(new) > MOST:
            what = f"{found.key} would get {len(new)} addresses, and has {len(own.addresses)}"
            raise InvalidFields((FieldProblem("addresses", what, f"give 1 or more, up to {MOST} in all"),))
    return Assigned(_put(draft, ram.ASSIGN_PRIVATE_IP_ADDRESSES, found, (*own.addresses, *new)), new)


def unassign(draft: Draft, port: str, addresses: Sequence[str]) -> Assigned:
    """Take addresses from a port, and tell which; the primary one stays.

    Raises `NotFound`, `Forbidden`, and `InvalidFields`: it does not have them, or one is the primary one.
    """
    found = draft.find(Kind.PORT, port)
    with draft.telling(ram.UNASSIGN_PRIVATE_IP_ADDRESSES, found):
        own = cast("PortAt", found.value).port
        gone = [parsed(text, f"addresses.{index}") for index, text in enumerate(addresses)]
        for index, address in enumerate(gone):
            if address not in own.addresses:
                raise _wrong(index, address, f"{found.key} does not have {address}", "leave it out", "input.field")
            if address == own.addresses[0]:
                raise _wrong(index, address, f"{address} is its primary address", "leave it out", "input.field")
    kept = tuple(address for address in own.addresses if address not in gone)
    return Assigned(_put(draft, ram.UNASSIGN_PRIVATE_IP_ADDRESSES, found, kept), tuple(dict.fromkeys(gone)))


def _free(draft: Draft, own: Port, count: int, family: Family, asked: Sequence[Address]) -> list[Address]:
    if not count:
        return []
    home = draft.get(Kind.SUBNET, own.subnet)
    subnet = cast("Subnet", home.value) if home else None
    prefix = subnet.prefix_of(family) if subnet else None
    if subnet is None or prefix is None:
        what = f"subnet {own.subnet} has no {family} prefix"
        raise InvalidFields((FieldProblem("family", what, "ask for the other family", value=str(family)),))
    found = free_addresses(draft, subnet, prefix, count + len(asked))
    return [address for address in found if address not in asked][:count]


def _put(draft: Draft, action: Action, port: Resource, addresses: tuple[Address, ...]) -> Resource:
    at = cast("PortAt", port.value)
    by_family = tuple(sorted(addresses, key=lambda address: address.family.bits))
    return draft.put(action, replace(port, value=replace(at, port=replace(at.port, addresses=by_family))))


def _wrong(index: int, address: Address, what: str, right: str, code: str) -> InvalidFields:
    return InvalidFields((FieldProblem(f"addresses.{index}", what, right, code, str(address)),))
