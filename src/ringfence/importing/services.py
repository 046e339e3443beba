"""Protocols, ports, prefixes and texts as the clouds write them, in the terms of the model."""

from __future__ import annotations

import ipaddress
from typing import NamedTuple

from ringfence.errors import NotationError
from ringfence.model.address import Address, Family, Prefix
from ringfence.model.service import ALL_PORTS, ICMP, ICMPV6, PortRange, PortSet, Protocol

FAMILIES = {"ipv4": Family.IPV4, "ipv6": Family.IPV6}
EVERY = {Family.IPV4: Prefix.parse("0.0.0.0/0"), Family.IPV6: Prefix.parse("::/0")}

_TOP = 65_535
_NUMBERS: dict[str, int | None] = {
    # The names of neutron and of AWS (IANA's), where they are not ours.
    **dict.fromkeys(("", "-1", "any", "all"), None),
    **{"ipv6-icmp": 58, "icmp6": 58, "igmp": 2, "ipip": 4, "egp": 8, "dccp": 33, "ipv6-encap": 41, "ipv6-route": 43},  # noqa: PIE800
    **{"ipv6-frag": 44, "rsvp": 46, "esp": 50, "ah": 51, "ipv6-nonxt": 59, "ipv6-opts": 60, "ospf": 89, "vrrp": 112},  # noqa: PIE800
    **{"pgm": 113, "sctp": 132, "udplite": 136},  # noqa: PIE800
}


def protocol_of(text: str) -> Protocol:
    """A protocol by name or number; nothing, ``-1``, ``any`` and ``all`` are all of them. Raises `NotationError`."""
    word = text.strip().lower()
    return Protocol(_NUMBERS[word]) if word in _NUMBERS else Protocol.parse(word)


def prefix_of(text: str) -> Prefix:
    """A prefix; the clouds take one with host bits as the block that it is in. Raises `NotationError`."""
    try:
        return Prefix.parse(text)
    except NotationError:
        try:
            found = ipaddress.ip_network(text.strip(), strict=False)
        except ValueError:
            raise NotationError(f"{text!r} is no prefix", "an address or a prefix belongs here") from None
        return Prefix.parse(str(found))


def one_line(text: str, longest: int = 512) -> str:
    """A text as a description: in one line, and no longer than one may be."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())[:longest]


class Service(NamedTuple):
    """What a first and a last number of a rule say for its protocol."""

    ports: PortSet = ALL_PORTS
    lost: str = ""
    """What of it the model has no word for; the service has all of the protocol then."""
    nothing: bool = False
    """Whether it is one that no packet can ask for."""

    def with_source(self, source: Service) -> Service:
        """It, of packets whose source ports are said by themselves: what is lost of those is lost of it."""
        lost = f"source {source.lost}" if source.lost else ""
        both = " and ".join(filter(None, (self.lost, lost)))
        return self._replace(lost=both, nothing=self.nothing or source.nothing)


def service_of(protocol: Protocol, first: int | None, last: int | None) -> Service:
    """Two numbers as ports, or as type and code of ICMP; None and -1 are all. Raises `NotationError`."""
    low, high = (None if number == -1 else number for number in (first, last))
    if protocol.number in (ICMP, ICMPV6):
        said = " and ".join(
            f"{word} {number}" for word, number in (("type", low), ("code", high)) if number is not None
        )
        return Service(lost=said)
    if low is None and high is None:
        return Service()
    start, end = (low if low is not None else high), (high if high is not None else low)
    assert start is not None
    assert end is not None
    if not 0 <= start <= end <= _TOP:
        raise NotationError(f"{start}-{end} are no ports", "two numbers from 0 to 65535 belong here, the lower first")
    if protocol.number is None or (start == 0 and end in (0, _TOP) and not protocol.has_ports):
        return Service()  # the clouds write 0-0 or 0-65535 for a protocol without ports
    if not protocol.has_ports:
        return Service(lost=f"ports {start}-{end}")
    if end == 0:
        return Service(nothing=True)
    if start <= 1 and end == _TOP:
        return Service()
    return Service(PortSet((PortRange(max(start, 1), end),)))


def address_of(text: str) -> Address:
    """An address, also one that is written with its length. Raises `NotationError`."""
    return Address.parse(text.partition("/")[0])
