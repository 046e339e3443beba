"""Edits of what else is on a flow's way: lines of ACLs and firewalls, lists of addresses, peerings, penalties."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import Any, ClassVar, cast

from ringfence.analysis.fix.edits import Edit, command
from ringfence.analysis.rules.lines import FIELDS
from ringfence.model.acl import AclRule
from ringfence.model.address import AddressRange
from ringfence.model.facts import Thing
from ringfence.model.topology import Peering
from ringfence.model.world import World


@dataclass(frozen=True, slots=True)
class Lines:
    """Where lines stand: a network ACL, the border of a VPC, or the firewall on a peering, by section and name."""

    section: str
    name: str

    def of(self, world: World) -> tuple[AclRule, ...]:
        """Its lines, in their order."""
        return cast("tuple[AclRule, ...]", getattr(self._holder(world), FIELDS[self.section]))

    def _holder(self, world: World) -> Any:
        return getattr(world, self.section)[self.name]

    def owner(self, world: World) -> str:
        """By what ids of its lines are made, and steps name it."""
        if self.section == "acls":
            return self.name
        if self.section == "vpcs":
            return world.vpcs[self.name].border_owner
        return world.peerings[self.name].firewall_owner

    def edited(self, world: World, lines: tuple[AclRule, ...]) -> World:
        """The world with other lines there."""
        holder = replace(self._holder(world), **{FIELDS[self.section]: lines})
        changed: dict[str, Any] = {self.section: {self.name: holder}}
        return world.edited(**changed)

    @property
    def noun(self) -> str:
        """The word of its commands."""
        return {"acls": "acl", "vpcs": "vpc", "peerings": "peering"}[self.section]

    def __str__(self) -> str:
        return {"acls": "ACL ", "vpcs": "the border of VPC ", "peerings": "peering "}[self.section] + self.name


class LineEdit(Edit):
    """An edit of one line; ``index`` is its place, from 0."""

    __slots__ = ()
    lines: Lines
    index: int
    line: AclRule

    @property
    def thing(self) -> Thing:
        """What the line is of."""
        return self.lines.section, self.lines.name

    @abstractmethod
    def edited(self, lines: tuple[AclRule, ...]) -> tuple[AclRule, ...]:
        """The lines after it."""

    def applied(self, world: World) -> World:
        """The world after it."""
        return self.lines.edited(world, self.edited(self.lines.of(world)))

    def _add(self, line: AclRule, *place: str) -> str:
        return command(self.lines.noun, "add-line", self.lines.name, str(line), *place)

    def _remove(self) -> str:
        return command(self.lines.noun, "remove-line", self.lines.name, str(self.index + 1))


@dataclass(frozen=True, slots=True)
class AddLine(LineEdit):
    """A line that allows, before the one that denies, or behind all (``last``)."""

    lines: Lines
    index: int
    line: AclRule
    last: bool = False
    rank: ClassVar[int] = 3

    def edited(self, lines: tuple[AclRule, ...]) -> tuple[AclRule, ...]:
        """The lines after it."""
        return (*lines[: self.index], self.line, *lines[self.index :])

    @property
    def commands(self) -> tuple[str, ...]:
        """The command that makes it."""
        return (self._add(self.line, *(() if self.last else ("--before", str(self.index + 1)))),)

    def __str__(self) -> str:
        where = "as the last line" if self.last else f"before line {self.index + 1}"
        return f"add to {self.lines}, {where}: {self.line}"


@dataclass(frozen=True, slots=True)
class EnableLine(LineEdit):
    """A disabled line that allows is in force again."""

    lines: Lines
    index: int
    line: AclRule
    last: bool = False
    rank: ClassVar[int] = 0

    @property
    def after(self) -> AclRule:
        """The line after it."""
        return replace(self.line, enabled=True)

    def edited(self, lines: tuple[AclRule, ...]) -> tuple[AclRule, ...]:
        """The lines after it."""
        return (*lines[: self.index], self.after, *lines[self.index + 1 :])

    @property
    def commands(self) -> tuple[str, ...]:
        """The commands that make it."""
        return self._remove(), self._add(self.after, *(() if self.last else ("--before", str(self.index + 1))))

    def __str__(self) -> str:
        return f"enable line {self.index + 1} of {self.lines}: {self.after}"


@dataclass(frozen=True, slots=True)
class RemoveLine(LineEdit):
    """A line that denies is gone. To disable it does the same."""

    lines: Lines
    index: int
    line: AclRule
    rank: ClassVar[int] = 8

    def edited(self, lines: tuple[AclRule, ...]) -> tuple[AclRule, ...]:
        """The lines after it."""
        return (*lines[: self.index], *lines[self.index + 1 :])

    @property
    def commands(self) -> tuple[str, ...]:
        """The command that makes it."""
        return (self._remove(),)

    def __str__(self) -> str:
        return f"remove or disable line {self.index + 1} of {self.lines}: {self.line}"


@dataclass(frozen=True, slots=True)
class EnableAcl(Edit):
    """A disabled network ACL has its own lines again (SEMANTICS.md 4.1)."""

    acl: str
    rank: ClassVar[int] = 0

    @property
    def thing(self) -> Thing:
        """The ACL."""
        return "acls", self.acl

    def applied(self, world: World) -> World:
        """The world after it."""
        return world.edited(acls={self.acl: replace(world.acls[self.acl], enabled=True)})

    @property
    def commands(self) -> tuple[str, ...]:
        """The command that makes it."""
        return (command("acl", "set", self.acl, "--enabled"),)

    def __str__(self) -> str:
        return f"enable ACL {self.acl}"


class EntryEdit(Edit):
    """An edit of one entry of an address group (a prefix list)."""

    __slots__ = ()
    address_group: str
    entry: AddressRange

    @property
    def thing(self) -> Thing:
        """The address group."""
        return "address_groups", self.address_group

    @abstractmethod
    def edited(self, entries: tuple[AddressRange, ...]) -> tuple[AddressRange, ...]:
        """The entries after it."""

    def applied(self, world: World) -> World:
        """The world after it."""
        found = world.address_groups[self.address_group]
        return world.edited(address_groups={found.name: replace(found, entries=self.edited(found.entries))})


@dataclass(frozen=True, slots=True)
class AddEntry(EntryEdit):
    """An address group that a rule or line names gets an address more."""

    address_group: str
    entry: AddressRange
    rank: ClassVar[int] = 2

    def edited(self, entries: tuple[AddressRange, ...]) -> tuple[AddressRange, ...]:
        """The entries after it."""
        return (*entries, self.entry)

    @property
    def commands(self) -> tuple[str, ...]:
        """The command that makes it."""
        return (command("address-group", "add-entry", self.address_group, str(self.entry)),)

    def __str__(self) -> str:
        return f"add {self.entry} to address group {self.address_group}"


@dataclass(frozen=True, slots=True)
class RemoveEntry(EntryEdit):
    """An address group that a rule or line names loses an entry."""

    address_group: str
    entry: AddressRange
    rank: ClassVar[int] = 7

    def edited(self, entries: tuple[AddressRange, ...]) -> tuple[AddressRange, ...]:
        """The entries after it."""
        return tuple(each for each in entries if each != self.entry)

    @property
    def commands(self) -> tuple[str, ...]:
        """The command that makes it."""
        return (command("address-group", "remove-entry", self.address_group, str(self.entry)),)

    def __str__(self) -> str:
        return f"remove {self.entry} from address group {self.address_group}"


@dataclass(frozen=True, slots=True)
class AddPeering(Edit):
    """Two VPCs are peered."""

    name: str
    vpcs: tuple[str, str]
    rank: ClassVar[int] = 3

    @property
    def thing(self) -> Thing:
        """The peering."""
        return "peerings", self.name

    @property
    def names(self) -> tuple[Thing, ...]:
        """The peering and both VPCs."""
        return self.thing, *(("vpcs", name) for name in self.vpcs)

    def applied(self, world: World) -> World:
        """The world after it."""
        return world.edited(peerings={self.name: Peering(self.name, self.vpcs)})

    @property
    def commands(self) -> tuple[str, ...]:
        """The command that makes it."""
        one, two = self.vpcs
        return (command("peering", "create", self.name, "--vpcs", one, "--vpcs", two),)

    def __str__(self) -> str:
        one, two = self.vpcs
        return f"peer VPC {one} with VPC {two}, as {self.name}"


@dataclass(frozen=True, slots=True)
class LiftPenalty(Edit):
    """The platform lets an instance, or a port of it, take part again (SEMANTICS.md 4.5)."""

    target: str
    rank: ClassVar[int] = 3

    @property
    def thing(self) -> Thing:
        """The penalty."""
        return "penalties", self.target

    def applied(self, world: World) -> World:
        """The world after it."""
        return world.edited(penalties={self.target: None})

    @property
    def commands(self) -> tuple[str, ...]:
        """The command that makes it."""
        return (command("penalty", "lift", self.target),)

    def __str__(self) -> str:
        return f"lift the penalty of {self.target}"
