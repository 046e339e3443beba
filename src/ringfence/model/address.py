"""Addresses, prefixes and ranges of IPv4 and IPv6, as integers inside and as people write them outside."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from enum import IntEnum

from ringfence.errors import NotationError


class Family(IntEnum):
    """An address family; its value is the IP version."""

    IPV4 = 4
    IPV6 = 6

    @property
    def bits(self) -> int:
        """Length of an address in bits."""
        return 32 if self is Family.IPV4 else 128

    @property
    def top(self) -> int:
        """The highest address, as an integer."""
        return (1 << self.bits) - 1

    def __str__(self) -> str:
        return f"ipv{self.value}"


def _render(family: Family, value: int) -> str:
    # ipaddress gives the canonical text (RFC 5952 for IPv6).
    if family is Family.IPV4:
        return f"{value >> 24}.{value >> 16 & 255}.{value >> 8 & 255}.{value & 255}"
    return str(ipaddress.IPv6Address(value))


@dataclass(frozen=True, slots=True, order=True)
class Address:
    """One IPv4 or IPv6 address: ``10.0.1.11``, ``fd00:10::1``."""

    family: Family
    value: int

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read an address; raises `NotationError`."""
        try:
            parsed = ipaddress.ip_address(text.strip())
        except ValueError:
            raise NotationError(f"{text!r} is not an address", "write one like 10.0.1.11 or fd00:10::1") from None
        if isinstance(parsed, ipaddress.IPv6Address) and parsed.scope_id:
            raise NotationError(f"{text!r} has a zone", "leave out what follows the %")
        return cls(Family(parsed.version), int(parsed))

    @property
    def is_unicast(self) -> bool:
        """Whether a machine can have it and be reached at it through a router: no loopback, link or group address."""
        return not any(self in prefix for prefix in NOT_UNICAST)

    @property
    def host_prefix(self) -> Prefix:
        """The address as a /32 or /128."""
        return Prefix(self.family, self.value, self.family.bits)

    def __str__(self) -> str:
        return _render(self.family, self.value)


@dataclass(frozen=True, slots=True, order=True)
class AddressRange:
    """All addresses from ``first`` to ``last``, both inclusive.

    Prints in the shortest form that is right: an address, a prefix, or ``10.0.0.5-10.0.0.9``.
    """

    family: Family
    first: int
    last: int

    @classmethod
    def parse(cls, text: str) -> AddressRange:
        """Read an address, a prefix or ``first-last``; raises `NotationError`."""
        low, dash, high = text.partition("-")
        if not dash:
            return Prefix.parse(text).range
        first, last = Address.parse(low), Address.parse(high)
        if first.family is not last.family:
            raise NotationError(f"{text!r} mixes IPv4 and IPv6", "give both ends in one family")
        if first.value > last.value:
            raise NotationError(f"the range {text!r} runs backwards", f"write {last}-{first}")
        return cls(first.family, first.value, last.value)

    @classmethod
    def all(cls, family: Family) -> AddressRange:
        """Every address of the family."""
        return cls(family, 0, family.top)

    def __contains__(self, address: Address) -> bool:
        return address.family is self.family and self.first <= address.value <= self.last

    def overlaps(self, other: AddressRange) -> bool:
        """Whether an address lies in both."""
        return self.family is other.family and self.first <= other.last and other.first <= self.last

    @property
    def prefix(self) -> Prefix | None:
        """The prefix that is exactly this range, where there is one."""
        size = self.last - self.first + 1
        if size & (size - 1) or self.first & (size - 1):
            return None
        return Prefix(self.family, self.first, self.family.bits - size.bit_length() + 1)

    def __str__(self) -> str:
        if self.first == self.last:
            return _render(self.family, self.first)
        if prefix := self.prefix:
            return str(prefix)
        return f"{_render(self.family, self.first)}-{_render(self.family, self.last)}"


@dataclass(frozen=True, slots=True, order=True)
class Prefix:
    """A CIDR block: ``10.0.1.0/24``, ``::/0``; an address alone is its /32 or /128. Host bits are refused."""

    family: Family
    network: int
    length: int

    @classmethod
    def parse(cls, text: str) -> Prefix:
        """Read a prefix or an address; raises `NotationError`, for host bits with both readings as the remedy."""
        address, slash, mask = text.strip().partition("/")
        try:
            parsed = ipaddress.ip_address(address)
            length = parsed.max_prefixlen if not slash else _length(text.strip(), mask)
            rest = parsed.max_prefixlen - length
            block = cls(Family(parsed.version), int(parsed) >> rest << rest, length)  # raises for a negative shift
        except ValueError:
            raise NotationError(
                f"{text!r} is neither an address nor a prefix", "write one like 10.0.1.0/24 or fd00:10::/64"
            ) from None
        if "%" in address:
            raise NotationError(f"{text!r} has a zone", "leave out what follows the %")
        if slash and not mask.isdigit():
            raise NotationError(f"{text!r} has a netmask", f"write {block}")
        if block.network != int(parsed):
            raise NotationError(f"{text!r} has host bits set", f"write {block} for the block or {address} for the host")
        return block

    @property
    def range(self) -> AddressRange:
        """First to last address."""
        return AddressRange(self.family, self.network, self.network | self.family.top >> self.length)

    def __contains__(self, address: Address) -> bool:
        return address in self.range

    def __str__(self) -> str:
        return f"{_render(self.family, self.network)}/{self.length}"


def _length(text: str, mask: str) -> int:
    """The length that a mask says, itself a length or a netmask; raises `ValueError`."""
    return int(mask) if mask.isascii() and mask.isdigit() else ipaddress.ip_interface(text).network.prefixlen


NOT_UNICAST = tuple(
    map(
        Prefix.parse,
        ("0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/4", "240.0.0.0/4", "::/96", "::ffff:0:0/96", "fe80::/10", "ff00::/8"),
    )
)
"""What no machine has towards a router: unspecified, loopback, link-local, multicast, reserved (RFC 6890, RFC 4291)."""
