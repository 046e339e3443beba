"""What may turn a denial by the security groups of a port: its rules, its memberships, and those of the far end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from ringfence.analysis.fix.asked import Asked, matched_ids, service_ports
from ringfence.analysis.fix.edits import (
    AddRule,
    Edit,
    EnableRule,
    Join,
    Leave,
    OpenGroup,
    RemoveRule,
    SetPriority,
)
from ringfence.analysis.fix.ways import AddEntry, RemoveEntry
from ringfence.model.flow import Endpoint
from ringfence.model.group import GroupType, SecurityGroup
from ringfence.model.profile import GroupOrder, IntraGroup
from ringfence.model.rule import Action, AddressGroupRemote, Direction, GroupRemote, Remote, Rule
from ringfence.model.topology import Network, Port
from ringfence.policy.verdict import Step

OTHERS = 8
"""So many groups that neither end is in are looked at for one to join, those with the fewest members first."""

Works = Callable[[Edit], bool]
"""Whether an edit may be made and turns this denial alone."""


@dataclass(frozen=True)
class Gate:
    """A denial by the groups of a port, in one direction."""

    asked: Asked
    step: Step
    direction: Direction
    works: Works

    @cached_property
    def near(self) -> Port:
        """The port whose groups deny."""
        assert self.step.port
        return self.step.port

    @cached_property
    def far_end(self) -> Endpoint:
        """The other end."""
        return self.asked.ends(self.direction)[1]

    @cached_property
    def far(self) -> Port | None:
        """The port at the other end, where the address is its own: groups do not mean a virtual one."""
        port = self.asked.port(self.far_end)
        return port if port and self.far_end.address in port.addresses else None

    @cached_property
    def groups(self) -> list[SecurityGroup]:
        """The port's groups, in its order."""
        return [self.asked.world.groups[name] for name in self.near.groups]

    @cached_property
    def matched(self) -> list[tuple[SecurityGroup, Rule]]:
        """The rules in force that match, in the order in which they count."""
        found = ((self.asked.world.groups.get(name), id_) for name, id_ in matched_ids(self.step))
        return [(group, group.by_id[id_]) for group, id_ in found if group and id_ in group.by_id]

    @cached_property
    def denials(self) -> list[tuple[SecurityGroup, Rule]]:
        """Those of them that deny."""
        return [(group, rule) for group, rule in self.matched if rule.action is Action.DENY]

    @cached_property
    def is_sequence(self) -> bool:
        """Whether the port's first group is searched completely before the next."""
        return self.asked.world.vpcs[self.near.vpc].profile.group_order is GroupOrder.SEQUENCE

    def candidates(self) -> Iterator[Edit]:
        """Every edit of the space that may have a part in turning the denial."""
        yield from self._added_rules()
        yield from self._rules_in_force()
        yield from self._disabled_rules()
        yield from self._lists()
        yield from self._far_memberships()
        yield from self._near_memberships()
        yield from self._opened()

    # ---- rules

    def _added_rules(self) -> Iterator[Edit]:
        """A rule for a group of the port: from or to a group of the far end, where that can be; else its address."""
        for group in self.groups:
            priority = self._winning(group)
            if priority < 1:
                continue
            named = [AddRule(group.name, self._rule(remote, priority)) for remote in self._far_groups(group)]
            possible = list(filter(self.works, named))
            yield from possible
            if not possible:
                sides: list[Remote] = [self.far_end.address.host_prefix]
                sides += map(AddressGroupRemote, self.asked.lists_with(self.far_end.address))
                yield from (AddRule(group.name, self._rule(side, priority)) for side in sides)

    def _far_groups(self, group: SecurityGroup) -> list[GroupRemote]:
        found = [self.asked.world.groups[name] for name in self.far.groups] if self.far else []
        return [GroupRemote(it.name, "" if it.account == group.account else it.account) for it in found]

    def _rule(self, remote: Remote, priority: int) -> Rule:
        flow = self.asked.flow
        vpc = self.asked.world.vpcs[self.near.vpc]
        classic = vpc.network is Network.CLASSIC and not isinstance(remote, GroupRemote)
        nic = self.asked.world.nic_of(self.near) if classic else None
        made = (self.direction, Action.ALLOW, flow.service.protocol, remote, service_ports(flow))
        return Rule(*made, priority=priority, nic=nic)

    def _rivals(self, group: SecurityGroup) -> list[Rule] | None:
        """The rules that a rule of a group must come before; None where a group before it has decided already."""
        if not self.is_sequence:
            return [rule for _, rule in self.denials]
        places = [self.near.groups.index(it.name) for it, _ in self.matched]
        if places and min(places) < self.near.groups.index(group.name):
            return None
        return [rule for it, rule in self.denials if it.name == group.name]

    def _winning(self, group: SecurityGroup) -> int:
        """The weakest priority with which a rule of a group wins; less than 1 where none does."""
        rivals = self._rivals(group)
        return 0 if rivals is None else min((rule.priority - 1 for rule in rivals), default=100)

    def _rules_in_force(self) -> Iterator[Edit]:
        """Rules that match: those that allow made stronger, those that deny made weaker or removed."""
        for group, rule in self.matched:
            if rule.action is Action.ALLOW:
                wanted = self._winning(group)
                if 1 <= wanted < rule.priority:
                    yield SetPriority(group.name, rule, wanted)
            else:
                wanted = self._losing(group, rule)
                if rule.priority < wanted <= 100:
                    yield SetPriority(group.name, rule, wanted)
                yield RemoveRule(group.name, rule)

    def _losing(self, group: SecurityGroup, rule: Rule) -> int:
        """The strongest priority with which a rule loses to one that allows, or leaves room for one."""
        allowing = [
            it.priority
            for owner, it in self.matched
            if it.action is Action.ALLOW and (not self.is_sequence or owner.name == group.name)
        ]
        return min(allowing, default=1) + 1

    def _disabled_rules(self) -> Iterator[Edit]:
        for group in self.groups:
            for rule in group.rules:
                if not rule.enabled and self._may_allow(rule) and self.asked.means(rule.remote, self.far_end):
                    yield EnableRule(group.name, rule)

    def _may_allow(self, rule: Rule) -> bool:
        return rule.direction is self.direction and rule.action is Action.ALLOW and self.asked.is_about(rule)

    # ---- lists of addresses

    def _lists(self) -> Iterator[Edit]:
        address = self.far_end.address
        for _, rule in self._allowing():
            if isinstance(rule.remote, AddressGroupRemote) and not self.asked.means(rule.remote, self.far_end):
                yield AddEntry(rule.remote.name, address.host_prefix.range)
        for _, rule in self.denials:
            if isinstance(rule.remote, AddressGroupRemote):
                entries = self.asked.world.address_groups[rule.remote.name].entries
                yield from (RemoveEntry(rule.remote.name, entry) for entry in entries if address in entry)

    def _allowing(self) -> list[tuple[SecurityGroup, Rule]]:
        """Rules in force in the port's groups that allow the service to somebody."""
        rules = ((group, rule) for group in self.groups for rule in group.rules)
        return [(group, rule) for group, rule in rules if rule.enabled and self._may_allow(rule)]

    # ---- memberships

    def _far_memberships(self) -> Iterator[Edit]:
        """The far end comes into a group that a rule names, or leaves one that a denying rule names."""
        if not self.far:
            return
        for _, rule in self._allowing():
            if isinstance(rule.remote, GroupRemote) and rule.remote.name not in self.far.groups:
                yield Join(str(self.far), rule.remote.name)
        for group in self.groups:
            if self._is_open(group) and group.name not in self.far.groups:
                yield Join(str(self.far), group.name)
        for _, rule in self.denials:
            if isinstance(rule.remote, GroupRemote) and rule.remote.name in self.far.groups:
                yield Leave(str(self.far), rule.remote.name)

    def _near_memberships(self) -> Iterator[Edit]:
        """The port leaves a group whose rule denies, or joins one whose rule, or whose members' policy, allows."""
        for name in dict.fromkeys(group.name for group, _ in self.denials):
            yield Leave(str(self.near), name)
        for group in self._joinable():
            if self._lets_in(group):
                yield Join(str(self.near), group.name)

    def _joinable(self) -> Iterator[SecurityGroup]:
        world = self.asked.world
        near = [world.groups[name] for name in (self.far.groups if self.far else ()) if name not in self.near.groups]
        yield from near
        there = {*self.near.groups, *(group.name for group in near)}
        others = (it for it in world.groups.values() if it.name not in there and self._fits(it) and self._lets_in(it))
        yield from sorted(others, key=lambda it: (world.sizes[it.name].ports, it.name))[:OTHERS]

    def _fits(self, group: SecurityGroup) -> bool:
        """Whether the port may be in it, as far as its place and account say; validation says the rest."""
        same_account = group.account == self.asked.world.groups[self.near.groups[0]].account
        return group.vpc in ("", self.near.vpc) and not group.managed and same_account

    def _lets_in(self, group: SecurityGroup) -> bool:
        allows = (rule for rule in group.rules if rule.enabled and self._may_allow(rule))
        return self._is_open(group) or any(self.asked.means(rule.remote, self.far_end) for rule in allows)

    def _is_open(self, group: SecurityGroup) -> bool:
        return group.intra_group is IntraGroup.ACCEPT and group.type is GroupType.BASIC

    def _opened(self) -> Iterator[Edit]:
        """A group of both, in clouds whose groups have such a policy."""
        for group in self.groups:
            shared = self.far and group.name in self.far.groups and group.type is GroupType.BASIC
            knows = self.asked.world.profile_of(group).intra_group is IntraGroup.ACCEPT
            if shared and knows and not self._is_open(group):
                yield OpenGroup(group.name)
