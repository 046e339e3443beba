"""Boxes: a decision list as axis-parallel boxes in the space of packets.

A packet that comes to a gate is a point (class of the remote port, remote address, protocol number, destination port,
local address, source port). Each decision covers one or more boxes of such points. Packets with ports and packets
without are different kinds of packet: their kernel keys have different shapes, so each kind has boxes of its own.

An address group stays what it is: a box names it, and may hold any address as far as overlap goes. So an entry may come
or go without touching a box.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

from ringfence.model.address import Family, Prefix
from ringfence.model.rule import Action, AddressGroupRemote, GroupRemote, Remote
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
    """All packets of a kind within six intervals, and what one decision says of them. Sorts by its intervals.

    Where a side is an address group, its interval is every address, and the group narrows it down.
    """

    peers: Interval
    """Class ids of the remote port."""
    addresses: Interval
    """The remote address as an integer."""
    protocols: Interval
    ports: Interval
    """Destination ports; all of them for a kind without ports."""
    locals: Interval
    """The local address as an integer."""
    sources: Interval
    """Source ports; all of them for a kind without ports."""
    action: Action
    rule_id: str
    remote_group: str = ""
    """The address group that the remote address must be in; empty for none."""
    local_group: str = ""
    """The same for the local address."""

    @property
    def intervals(self) -> tuple[Interval, ...]:
        """The box without what it says."""
        return self[:6]

    @property
    def is_plain(self) -> bool:
        """Whether its intervals say all of it."""
        return not (self.remote_group or self.local_group)


def is_everything(box: Box, family: Family) -> bool:
    """Whether a box covers every packet of its kind."""
    everywhere = (0, family.top)
    return box.is_plain and box.intervals == (ANY_CLASS, everywhere, ANY_PROTOCOL, ANY_PORT, everywhere, ANY_PORT)


ClassesOf = Callable[[str, bool], Sequence[int]]
"""Ids of the classes whose ports are members of a security group: in reach, or (if true) in the own VPC only."""


def boxes_of(decisions: Iterable[Decision], kind: Kind, classes_of: ClassesOf) -> list[Box]:
    """The boxes of a decision list for one kind of packet, strongest first, up to the one that covers everything."""
    found: list[Box] = []
    for decision in decisions:
        for box in _boxes(decision, kind, classes_of):
            found.append(box)
            if is_everything(box, kind.family):
                return found
    return found


def _boxes(decision: Decision, kind: Kind, classes_of: ClassesOf) -> Iterator[Box]:
    protocol = decision.protocol
    if kind.family not in protocol.families or (protocol.number is not None and protocol.has_ports != kind.ported):
        return
    protocols = ANY_PROTOCOL if protocol.number is None else (protocol.number, protocol.number)
    everywhere = (0, kind.family.top)
    for locals_, local_group in _addresses(decision.local, kind.family):
        for peers in _peers(decision, classes_of):
            for addresses, remote_group in _addresses(decision.remote, kind.family):
                for ports, sources in product(_ports(decision.ports), _ports(decision.source_ports)):
                    yield Box(
                        peers,
                        addresses or everywhere,
                        protocols,
                        ports,
                        locals_ or everywhere,
                        sources,
                        decision.action,
                        decision.rule_id,
                        remote_group,
                        local_group,
                    )


def _ports(ports: PortSet) -> list[Interval]:
    return [(ports.first, ports.last) for ports in ports.ranges] or [ANY_PORT]


def _peers(decision: Decision, classes_of: ClassesOf) -> list[Interval]:
    if not isinstance(decision.remote, GroupRemote):
        return [ANY_CLASS]
    return [(class_id, class_id) for class_id in classes_of(decision.remote.name, decision.own_vpc)]


def _addresses(side: Remote, family: Family) -> list[tuple[Interval | None, str]]:
    """The intervals of a side (None for every address) and the address group that narrows it down."""
    if isinstance(side, Prefix):
        return [((side.range.first, side.range.last), "")] if side.family is family else []
    return [(None, side.name if isinstance(side, AddressGroupRemote) else "")]
