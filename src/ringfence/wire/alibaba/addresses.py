"""The addresses that a request wants for a network interface: named ones, and free ones by their number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from ringfence.control.draft import Draft
from ringfence.control.settling import free_addresses
from ringfence.errors import NotationError
from ringfence.model.address import Address, Family
from ringfence.model.topology import Subnet
from ringfence.resources.kind import Kind
from ringfence.wire.alibaba.parameters import Parameters, invalid

_MOST = 50
_BAD = "InvalidIp.Address"


def subnet_of(draft: Draft, id_: str) -> Subnet:
    """A subnet that the caller may have ports in, by its id; raises `NotFound`."""
    found = draft.usable(Kind.SUBNET, id_)
    if found is None:
        raise draft.missing(Kind.SUBNET, id_)
    return cast("Subnet", found.value)


def in_family(said: Parameters, name: str, family: Family) -> list[str]:
    """The addresses of a list, all of one family; raises `InvalidFields`."""
    return [str(_parsed(f"{said.path}{name}", text, family)) for text in said.every(name)]


def addresses_said(
    draft: Draft, subnet: Subnet, said: Parameters, primary: str, taken: Sequence[str] = ()
) -> list[str]:
    """The primary address, the others, and those of IPv6, which a port has only if they are asked for.

    ``primary`` is the parameter that says the first one; ``taken`` are those of other ports of the same request.
    """
    first = said.text(primary)
    named = [str(_parsed(said.path + primary, first, Family.IPV4))] if first else []
    named += in_family(said, "PrivateIpAddress", Family.IPV4) if primary != "PrivateIpAddress" else []
    more = _count(said, "SecondaryPrivateIpAddressCount", named[bool(first) :])
    free = _free(draft, subnet, Family.IPV4, more + (not first), [*taken, *named])
    four = [*named, *free] if first else [*free[:1], *named, *free[1:]]
    six = in_family(said, "Ipv6Address", Family.IPV6)
    return [*four, *six, *_free(draft, subnet, Family.IPV6, _count(said, "Ipv6AddressCount", six), [*taken, *six])]


def _count(said: Parameters, name: str, named: Sequence[str]) -> int:
    count = said.number(name, 0, 0, _MOST)
    if count and named:
        raise invalid(said.path + name, "give addresses or their number", count, "InvalidParameter.Conflict")
    return count


def _free(draft: Draft, subnet: Subnet, family: Family, count: int, taken: Sequence[str]) -> list[str]:
    """Addresses that nobody has or asks for; of a family that the subnet does not have, none can be had."""
    prefix = subnet.prefix_of(family)
    if not count or (prefix is None and family is Family.IPV4):
        return []
    if prefix is None:
        raise invalid(
            "Ipv6AddressCount", f"vSwitch {subnet.name} has no IPv6 block", count, "InvalidVSwitch.Ipv6NotTurnOn"
        )
    found = map(str, free_addresses(draft, subnet, prefix, count + len(taken)))
    return [address for address in found if address not in taken][:count]


def _parsed(name: str, text: str, family: Family) -> Address:
    try:
        found = Address.parse(text)
    except NotationError as error:
        raise invalid(name, error.right, text, _BAD) from None
    if found.family is not family:
        raise invalid(name, f"use an {family} address", text, _BAD)
    return found
