"""Single edits of a world, as the values that they leave behind: what a fleet sees all day."""

from __future__ import annotations

from dataclasses import dataclass

from ringfence.model.address import AddressRange
from ringfence.model.group import SecurityGroup
from ringfence.model.port_list import PortList
from ringfence.model.topology import Port


@dataclass(frozen=True, slots=True)
class GroupChanged:
    """A security group says something else now: a rule added, changed or removed."""

    group: SecurityGroup


@dataclass(frozen=True, slots=True)
class PortChanged:
    """A port is new, or has other groups or addresses now."""

    port: Port


@dataclass(frozen=True, slots=True)
class PortGone:
    """A port was removed, by its name ``instance.port``."""

    port: str


@dataclass(frozen=True, slots=True)
class EntriesChanged:
    """Entries of an address group came or went."""

    address_group: str
    added: tuple[AddressRange, ...] = ()
    removed: tuple[AddressRange, ...] = ()


@dataclass(frozen=True, slots=True)
class PortListChanged:
    """A port list is new, or has other entries now."""

    port_list: PortList


Edit = GroupChanged | PortChanged | PortGone | EntriesChanged | PortListChanged
