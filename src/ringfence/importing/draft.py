"""What the files say, before it is a world: things by their ids, in the order in which they were read.

Readers add to it; things that several files tell of are one, and what a later one adds is added.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ringfence.errors import NotationError
from ringfence.importing.drafted import (
    AclDraft,
    GroupDraft,
    InterfaceDraft,
    ListDraft,
    PeeringDraft,
    SubnetDraft,
    VpcDraft,
)
from ringfence.importing.report import Kind, Outcome, Report
from ringfence.importing.services import EVERY, Service, one_line
from ringfence.importing.source import Item
from ringfence.model.acl import AclRule
from ringfence.model.address import AddressRange, Prefix
from ringfence.model.rule import Action, Direction, GroupRemote, Rule, check_id
from ringfence.model.service import Protocol


@dataclass
class Draft:
    """All of it, by ids, and the report."""

    report: Report = field(default_factory=Report)
    vpcs: dict[str, VpcDraft] = field(default_factory=dict)
    subnets: dict[str, SubnetDraft] = field(default_factory=dict)
    groups: dict[str, GroupDraft] = field(default_factory=dict)
    lists: dict[str, ListDraft] = field(default_factory=dict)
    acls: dict[str, AclDraft] = field(default_factory=dict)
    interfaces: dict[str, InterfaceDraft] = field(default_factory=dict)
    peerings: dict[str, PeeringDraft] = field(default_factory=dict)
    edges: dict[str, tuple[Item, str]] = field(default_factory=dict)
    """By subnets, the network ACL at their edge."""
    aliases: dict[str, str] = field(default_factory=dict)
    """Subnets that are known under another id."""
    _ids: set[str] = field(default_factory=set)

    def vpc(self, item: Item, id_: str, label: str = "", cidrs: Iterable[Prefix] = ()) -> None:
        """A VPC was read."""
        self.report.count(Kind.VPCS)
        found: VpcDraft = self._new(self.vpcs, id_, VpcDraft(item), Kind.VPCS, item, "VPC")
        found.label = self._agreed(item, "name", found.label, label)
        found.cidrs += [cidr for cidr in dict.fromkeys(cidrs) if cidr not in found.cidrs]

    def subnet(self, item: Item, id_: str, vpc: str, label: str, prefixes: Iterable[Prefix]) -> None:
        """A subnet was read."""
        self.report.count(Kind.SUBNETS)
        found: SubnetDraft = self._new(self.subnets, id_, SubnetDraft(item, vpc), Kind.SUBNETS, item, "subnet")
        found.label = self._agreed(item, "name", found.label, label)
        self._agreed(item, "VPC", found.vpc, vpc)
        found.prefixes += [prefix for prefix in dict.fromkeys(prefixes) if prefix not in found.prefixes]
        for prefix in found.prefixes:
            first = next(each for each in found.prefixes if each.family is prefix.family)
            self._agreed(item, "prefix", str(first), str(prefix))

    def group(self, item: Item, id_: str) -> GroupDraft:
        """A group was read; the caller says the rest."""
        self.report.count(Kind.GROUPS)
        found: GroupDraft = self._new(self.groups, id_, GroupDraft(item), Kind.GROUPS, item, "group")
        return found

    def describe(self, item: Item, group: GroupDraft, label: str, description: str, vpc: str = "") -> None:
        """What is said of a group besides its rules: what was said first counts."""
        group.label = self._agreed(item, "name", group.label, label)
        group.description = self._agreed(item, "description", group.description, description)
        group.vpc = self._agreed(item, "VPC", group.vpc, vpc)

    def _agreed(self, item: Item, word: str, known: str, said: str) -> str:
        if known and said and known != said:
            why = f"it was told to have {word} {one_line(known, 80)}, and that counts"
            self.report.note(Outcome.TOLD, item, f"{word} {one_line(said, 80)}", why)
        return known or said

    def acl(self, item: Item, id_: str) -> AclDraft:
        """A network ACL was read."""
        self.report.count(Kind.ACLS)
        found: AclDraft = self._new(self.acls, id_, AclDraft(item), Kind.ACLS, item, "ACL")
        return found

    def address_group(self, item: Item, id_: str, label: str, entries: Iterable[AddressRange]) -> ListDraft:
        """An address group or prefix list was read."""
        self.report.count(Kind.ADDRESS_GROUPS)
        found: ListDraft = self._new(self.lists, id_, ListDraft(item), Kind.ADDRESS_GROUPS, item, "address group")
        found.label = found.label or label
        found.entries += [entry for entry in dict.fromkeys(entries) if entry not in found.entries]
        return found

    def interface(self, id_: str, new: InterfaceDraft) -> None:
        """An interface was read: whose machine is known by one file may be told by another without.

        Two machines do not share one, also where somebody made their ids the same to hide them.
        """
        self.report.count(Kind.INTERFACES)
        known = self.interfaces.get(id_)
        if known and known.machine != new.machine and id_ not in (known.machine, new.machine):
            id_ = f"{id_}-{new.machine}"
        found: InterfaceDraft = self._new(self.interfaces, id_, new, Kind.INTERFACES, new.item, "interface")
        if found is not new:
            found.machine = new.machine if found.machine == id_ else found.machine
            found.label = found.label or new.label
            found.vpc = self._agreed(new.item, "VPC", found.vpc, new.vpc)
            found.subnet = self._agreed(new.item, "subnet", found.subnet, new.subnet)
            found.addresses += [address for address in new.addresses if address not in found.addresses]
            found.groups += [group for group in new.groups if group not in found.groups]

    def no_interface(self, item: Item, what: str, why: str) -> None:
        """An interface was read that a world has no place for."""
        self.report.count(Kind.INTERFACES)
        self.report.gone(Kind.INTERFACES, item, what, why)

    def _new(self, known: dict[str, Any], id_: str, new: Any, kind: Kind, item: Item, word: str) -> Any:
        if id_ not in known:
            known[id_] = new
            return new
        where = known[id_].item
        why = f"it is told before, at {where.source.name}:{where.line}"
        self.report.gone(kind, item, f"{word} {id_}", why, merged=True)
        return known[id_]

    def peering(self, item: Item, id_: str, one: str, two: str) -> None:
        """A peering was read."""
        self.report.count(Kind.PEERINGS)
        self._new(self.peerings, id_, PeeringDraft(item, (one, two)), Kind.PEERINGS, item, "peering")

    # ---- rules and lines

    def rule(self, item: Item, group: str, service: Service, *, id_: str = "", **said: Any) -> None:
        """A rule of a group was read; the group may be told later. ``said`` is what `Rule` takes.

        What a rule loses of its service makes it wider: an allow rule is kept so and told, a deny rule is left out.
        """
        self.report.count(Kind.RULES)
        found = self.groups.get(group) or self._unknown(item, group)
        found.rules_known = True
        words = f"rule of {group}"
        if not self._fits(Kind.RULES, item, words, service, said["action"]):
            return
        description = one_line(said.get("description", ""))
        said = {"ports": service.ports, **said, "description": description, "given_id": self._free_id(item, id_)}
        try:
            rule = Rule(**said)
        except NotationError as error:
            self.report.gone(Kind.RULES, item, words, f"{error.what}, so it matches nothing")
            return
        self._ids.add(rule.given_id)
        found.rules.append((item, rule))

    def usual_rules(
        self, item: Item, group: str, why: str, rules: Iterable[tuple[Direction, GroupRemote | None]]
    ) -> None:
        """Rules that a cloud makes with a group, and no file tells: one of each family, about all or about a group."""
        for direction, remote in rules:
            for family, every in EVERY.items():
                side: dict[str, Any] = {"remote": remote, "local": every} if remote else {"remote": every}
                rule = Rule(direction=direction, action=Action.ALLOW, protocol=Protocol.ALL, **side)
                self.report.made(Kind.RULES, item, f"rule of {group}", f"{why}: {direction.word} allow all, {family}")
                self.groups[group].rules.append((item, rule))

    def _unknown(self, item: Item, group: str) -> GroupDraft:
        self.report.made(Kind.GROUPS, item, f"group {group}", "a rule belongs to it, and no list of groups tells of it")
        self.groups[group] = GroupDraft(item)
        return self.groups[group]

    def _fits(self, kind: Kind, item: Item, words: str, service: Service, action: Action) -> bool:
        if service.nothing:
            self.report.gone(kind, item, words, "it is about port 0 alone, which no packet asks for")
            return False
        if service.lost and action is Action.DENY:
            why = f"a world has no word for {service.lost}, and without it the rule would deny more"
            self.report.gone(kind, item, words, why)
            return False
        if service.lost:
            why = f"a world has no word for {service.lost}"
            self.report.note(Outcome.CHANGED, item, words, why, "it allows the whole protocol")
        return True

    def _free_id(self, item: Item, id_: str) -> str:
        """An id, if it is fit to be one and no other rule has it."""
        try:
            return "" if id_ in self._ids or not id_ else check_id(id_)
        except NotationError as error:
            self.report.note(
                Outcome.TOLD, item, f"id {one_line(id_, 80)}", error.what, "the rule gets an id of its own"
            )
            return ""

    def line(self, item: Item, acl: AclDraft, service: Service, *, id_: str = "", **said: Any) -> None:
        """A line of a network ACL was read."""
        self.report.count(Kind.LINES)
        words = "line of an ACL"
        if not self._fits(Kind.LINES, item, words, service, said["action"]):
            return
        description = one_line(said.get("description", ""))
        said = {"ports": service.ports, **said, "description": description, "given_id": self._free_id(item, id_)}
        try:
            rule = AclRule(**said)
        except NotationError as error:
            self.report.gone(Kind.LINES, item, words, f"{error.what}, so it matches nothing")
            return
        self._ids.add(rule.given_id)
        acl.lines.append((item, rule))
