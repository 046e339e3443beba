"""Single edits of a world that a person would make: each prints as a sentence, and as commands that make it.

Here are those of rules and memberships; `ringfence.analysis.fix.ways` has those of what else is on a flow's way.
"""

from __future__ import annotations

import shlex
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from ringfence.model.facts import Thing
from ringfence.model.group import SecurityGroup
from ringfence.model.profile import IntraGroup
from ringfence.model.rule import Action, AddressGroupRemote, GroupRemote, Rule
from ringfence.model.topology import Port
from ringfence.model.validation import Touched
from ringfence.model.world import World


def command(*words: str) -> str:
    """A command of ours, quoted for a shell."""
    return shlex.join(("ringfence", *words))


class Edit(ABC):
    """One edit of a world. ``rank`` is its place in the order of preference, the lowest first.

    What was meant to be there comes first (what is disabled or too weak, what a list lacks), then what is added (a rule
    that names a group before one that names an address, and that before one that names a list), then who is in which
    group, then what goes.
    """

    __slots__ = ()
    rank: ClassVar[int]

    @abstractmethod
    def applied(self, world: World) -> World:
        """The world after it."""

    @property
    @abstractmethod
    def thing(self) -> Thing:
        """What it changes: section and name."""

    @property
    def names(self) -> tuple[Thing, ...]:
        """What it changes and what it speaks of."""
        return (self.thing,)

    @property
    def touched(self) -> Touched:
        """What it changes, for validation."""
        section, name = self.thing
        names: dict[str, Any] = {section: frozenset({name})}
        return Touched(**names)

    @property
    @abstractmethod
    def commands(self) -> tuple[str, ...]:
        """The commands that make it, to be run one after the other."""

    @property
    def order(self) -> tuple[int, str]:
        """Where it stands among edits that are as good."""
        return self.rank, str(self)

    @abstractmethod
    def __str__(self) -> str:
        """The edit as a sentence."""


class GroupEdit(Edit):
    """An edit of one security group."""

    __slots__ = ()
    group: str

    @property
    def thing(self) -> Thing:
        """The group."""
        return "groups", self.group

    @abstractmethod
    def edited(self, group: SecurityGroup) -> SecurityGroup:
        """The group after it."""

    def applied(self, world: World) -> World:
        """The world after it."""
        return world.edited(groups={self.group: self.edited(world.groups[self.group])})


_REMOTE_RANKS = {GroupRemote: 3, AddressGroupRemote: 5}


@dataclass(frozen=True, slots=True)
class AddRule(GroupEdit):
    """A group gets a rule more. One that names a group comes before one that names an address."""

    group: str
    rule: Rule
    rank: ClassVar[int] = 3

    @property
    def order(self) -> tuple[int, str]:
        """Where it stands among edits that are as good."""
        return _REMOTE_RANKS.get(type(self.rule.remote), 4), str(self)

    @property
    def names(self) -> tuple[Thing, ...]:
        """The group, and what the rule names."""
        remote = self.rule.remote
        if isinstance(remote, GroupRemote):
            return self.thing, ("groups", remote.name)
        return (
            (self.thing, ("address_groups", remote.name)) if isinstance(remote, AddressGroupRemote) else (self.thing,)
        )

    def edited(self, group: SecurityGroup) -> SecurityGroup:
        """The group after it."""
        return replace(group, rules=(*group.rules, self.rule))

    @property
    def commands(self) -> tuple[str, ...]:
        """The commands that make it."""
        return (command("rule", "add", self.group, str(self.rule)),)

    def __str__(self) -> str:
        return f"add to group {self.group} the rule: {self.rule}"


class RuleEdit(GroupEdit):
    """An edit of one rule that is there."""

    __slots__ = ()
    rule: Rule

    @property
    @abstractmethod
    def after(self) -> Rule | None:
        """The rule after it; None if it is gone."""

    def edited(self, group: SecurityGroup) -> SecurityGroup:
        """The group after it."""
        kept = (self.after if rule == self.rule else rule for rule in group.rules)
        return replace(group, rules=tuple(rule for rule in kept if rule))

    def _set(self, *options: str, adds_first: bool = False) -> tuple[str, ...]:
        """Set options of the rule where its id is known; else it goes and another one comes, or the other way round."""
        if self.rule.given_id:
            return (command("rule", "set", self.rule.given_id, *options),)
        gone = command("rule", "remove", self.group, str(self.rule))
        come = command("rule", "add", self.group, str(self.after))
        return (come, gone) if adds_first else (gone, come)


@dataclass(frozen=True, slots=True)
class EnableRule(RuleEdit):
    """A disabled rule that allows is in force again."""

    group: str
    rule: Rule
    rank: ClassVar[int] = 0

    @property
    def after(self) -> Rule:
        """The rule after it."""
        return replace(self.rule, enabled=True)

    @property
    def commands(self) -> tuple[str, ...]:
        """The commands that make it."""
        return self._set("--enabled")

    def __str__(self) -> str:
        return f"enable in group {self.group} the rule: {self.after}"


@dataclass(frozen=True, slots=True)
class SetPriority(RuleEdit):
    """A rule gets another priority: one that allows a stronger one, or one that denies a weaker one."""

    group: str
    rule: Rule
    priority: int
    rank: ClassVar[int] = 1

    @property
    def order(self) -> tuple[int, str]:
        """Where it stands among edits that are as good."""
        return self.rank if self.rule.action is Action.ALLOW else RemoveRule.rank, str(self)

    @property
    def after(self) -> Rule:
        """The rule after it."""
        return replace(self.rule, priority=self.priority)

    @property
    def commands(self) -> tuple[str, ...]:
        """The commands that make it; never is the rule missing meanwhile."""
        return self._set("--priority", str(self.priority), adds_first=True)

    def __str__(self) -> str:
        return f"give priority {self.priority} to the rule of group {self.group}: {self.rule}"


@dataclass(frozen=True, slots=True)
class RemoveRule(RuleEdit):
    """A rule that denies is gone. To disable it does the same."""

    group: str
    rule: Rule
    rank: ClassVar[int] = 8

    @property
    def after(self) -> None:
        """Nothing is left of it."""
        return

    @property
    def commands(self) -> tuple[str, ...]:
        """The commands that make it."""
        return (command("rule", "remove", self.group, self.rule.given_id or str(self.rule)),)

    def __str__(self) -> str:
        return f"remove or disable in group {self.group} the rule: {self.rule}"


@dataclass(frozen=True, slots=True)
class OpenGroup(GroupEdit):
    """The members of a group reach each other (SEMANTICS.md 2.2)."""

    group: str
    rank: ClassVar[int] = 9

    def edited(self, group: SecurityGroup) -> SecurityGroup:
        """The group after it."""
        return replace(group, intra_group=IntraGroup.ACCEPT)

    @property
    def commands(self) -> tuple[str, ...]:
        """The commands that make it."""
        return (command("group", "set", self.group, "--intra-group", "accept"),)

    def __str__(self) -> str:
        return f"let the members of group {self.group} reach each other: intra_group: accept"


class Membership(Edit):
    """A port joins or leaves a group."""

    __slots__ = ()
    port: str
    group: str

    @property
    def thing(self) -> Thing:
        """The port's instance."""
        return "instances", self.port.partition(".")[0]

    @property
    def names(self) -> tuple[Thing, ...]:
        """The instance and the group."""
        return self.thing, ("groups", self.group)

    @abstractmethod
    def groups(self, port: Port) -> tuple[str, ...]:
        """The port's groups after it."""

    def applied(self, world: World) -> World:
        """The world after it."""
        found = world.instances[self.thing[1]]
        ports = (replace(it, groups=self.groups(it)) if str(it) == self.port else it for it in found.ports)
        return world.edited(instances={found.name: replace(found, ports=tuple(ports))})


@dataclass(frozen=True, slots=True)
class Join(Membership):
    """A port joins a group, as its last."""

    port: str
    group: str
    rank: ClassVar[int] = 6

    def groups(self, port: Port) -> tuple[str, ...]:
        """The port's groups after it."""
        return (*port.groups, self.group)

    @property
    def commands(self) -> tuple[str, ...]:
        """The commands that make it."""
        return (command("group", "join", self.group, self.port),)

    def __str__(self) -> str:
        return f"let {self.port} join group {self.group}"


@dataclass(frozen=True, slots=True)
class Leave(Membership):
    """A port leaves a group."""

    port: str
    group: str
    rank: ClassVar[int] = 7

    def groups(self, port: Port) -> tuple[str, ...]:
        """The port's groups after it."""
        return tuple(name for name in port.groups if name != self.group)

    @property
    def commands(self) -> tuple[str, ...]:
        """The commands that make it."""
        return (command("group", "leave", self.group, self.port),)

    def __str__(self) -> str:
        return f"let {self.port} leave group {self.group}"
