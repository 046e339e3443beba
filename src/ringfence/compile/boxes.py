"""Boxes: a decision list as axis-parallel boxes in the space of packets.

A packet that comes to a gate is a point (class of the remote port, remote address, protocol number, destination port).
Each decision covers one or more boxes of such points. Packets with ports and packets without are different kinds of
packet: their kernel keys have different shapes, so each kind has boxes of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ringfence.model.address import AddressRange, Family, Prefix
from ringfence.model.rule import Action, AddressGroupRemote, AnyRemote, Remote
from ringfence.model.service import PortSet
from ringfence.policy.decisions import Decision

Interval = tuple[int, int]
"""First and last value, both inclusive."""

ANY_CLASS: Interval = (0, 0xFFFFFFFF)
"""Every remote, a port of the VPC or not; class 0 is every address that no port of the VPC has."""
ANY_PROTOCOL: Interval = (0, 255)
ANY_PORT: Interval = (0, 65535)


@dataclass(frozen=True, slots=True, order=True)
class Kind:
    """A kind of packet: its family, and whether it has ports (TCP and UDP) or not (everything else)."""

    family: Family
    ported: bool


KINDS = tuple(Kind(family, ported) for family in Family for ported in (True, False))


class Box(NamedTuple):
    """All packets of a kind within four intervals, and what one decision says of them. Sorts by its intervals."""

    peers: Interval
    """Class ids of the remote port."""
    addresses: Interval
    """The remote address as an integer."""
    protocols: Interval
    ports: Interval
    """Destination ports; all of them for a kind without ports."""
    action: Action
    rule_id: str

    @property
    def intervals(self) -> tuple[Interval, Interval, Interval, Interval]:
        """The box without what it says."""
        return self[:4]


def is_everything(box: Box, family: Family) -> bool:
    """Whether a box covers every packet of its kind."""
    return box.intervals == (ANY_CLASS, (0, family.top), ANY_PROTOCOL, ANY_PORT)


class Resolver(NamedTuple):
    """What remotes mean inside one VPC."""

    classes_of: Callable[[str], Sequence[int]]
    """Ids of the classes whose ports are members of a security group."""
    entries_of: Callable[[str], Sequence[AddressRange]]
    """Entries of an address group."""


def boxes_of(decisions: Iterable[Decision], kind: Kind, resolve: Resolver) -> list[Box]:
    """The boxes of a decision list for one kind of packet, strongest first, up to the one that covers everything."""
    found: list[Box] = []
    for decision in decisions:
        for box in _boxes(decision, kind, resolve):
            found.append(box)
            if is_everything(box, kind.family):
                return found
    return found


def _boxes(decision: Decision, kind: Kind, resolve: Resolver) -> Iterator[Box]:
    protocol = decision.protocol
    if kind.family not in protocol.families or (protocol.number is not None and protocol.has_ports != kind.ported):
        return
    protocols = ANY_PROTOCOL if protocol.number is None else (protocol.number, protocol.number)
    for peers, addresses in _remotes(decision.remote, kind.family, resolve):
        for ports in _ports(decision.ports):
            yield Box(peers, addresses, protocols, ports, decision.action, decision.rule_id)


def _ports(ports: PortSet) -> list[Interval]:
    return [(ports.first, ports.last) for ports in ports.ranges] or [ANY_PORT]


def _remotes(remote: Remote, family: Family, resolve: Resolver) -> Iterator[tuple[Interval, Interval]]:
    everywhere = (0, family.top)
    if isinstance(remote, AnyRemote):
        yield ANY_CLASS, everywhere
    elif isinstance(remote, Prefix):
        if remote.family is family:
            yield ANY_CLASS, (remote.range.first, remote.range.last)
    elif isinstance(remote, AddressGroupRemote):
        entries = resolve.entries_of(remote.name)
        for addresses in merge((entry.first, entry.last) for entry in entries if entry.family is family):
            yield ANY_CLASS, addresses
    else:
        for class_id in resolve.classes_of(remote.name):
            yield (class_id, class_id), everywhere


def merge(intervals: Iterable[Interval]) -> list[Interval]:
    """The fewest intervals with the same members, in ascending order."""
    merged: list[Interval] = []
    for first, last in sorted(intervals):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged
