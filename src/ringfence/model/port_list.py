"""Port lists: named lists of ports that the rules of security groups share (SEMANTICS.md 1.3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ringfence.errors import NotationError
from ringfence.model.names import check_name
from ringfence.model.service import PortRange, PortSet


@dataclass(frozen=True, slots=True, order=True)
class NamedPorts:
    """The entries of a port list, as a rule names them. The name begins with a letter, which no port does."""

    name: str

    def __post_init__(self) -> None:
        if not self.name[:1].isalpha():
            raise NotationError(f"the name {self.name!r} reads as ports in a rule", "begin it with a letter")
        check_name(self.name)

    def __str__(self) -> str:
        return self.name


RulePorts = PortSet | NamedPorts
"""The destination ports of a rule: listed in it, or in a port list."""


def parse_ports(text: str) -> RulePorts:
    """Read ``22,80-90`` or the name of a port list; whether there is such a list is for the world to say."""
    return NamedPorts(text) if text[:1].isalpha() else PortSet.parse(text)


@dataclass(frozen=True, slots=True)
class PortList:
    """A named list of TCP or UDP ports, shared by the rules that name it; without entries, these match nothing.

    ``max_entries`` is how many it may ever have; where the profile says so, a rule that names it costs that many.
    None means that it was made without such a bound.
    """

    name: str
    entries: tuple[PortRange, ...]
    max_entries: int | None = None
    account: str = ""
    """Whose limits it has; empty for one's own."""

    @property
    def ports(self) -> PortSet | None:
        """All of them, entries that overlap or touch made one; None where it has none, as a set of none means all."""
        found: list[PortRange] = []
        for entry in sorted(self.entries):
            if found and entry.first <= found[-1].last + 1:
                found[-1] = PortRange(found[-1].first, max(found[-1].last, entry.last))
            else:
                found.append(entry)
        return PortSet(tuple(found)) if found else None

    def __str__(self) -> str:
        return self.name


PortLists = Mapping[str, PortList]
"""Port lists by their names."""


def resolved(ports: RulePorts, lists: PortLists) -> PortSet | None:
    """The ports that a rule means, given the port lists that there are; None if that is none at all."""
    if isinstance(ports, PortSet):
        return ports
    found = lists.get(ports.name)
    return found.ports if found else None
