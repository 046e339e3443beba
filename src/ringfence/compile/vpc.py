"""One VPC of a compilation: its classes with their decision lists, boxes and layers, and what one edit does to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from ringfence.compile.boxes import KINDS, Box, Kind, boxes_of
from ringfence.compile.classes import subnet_numbers
from ringfence.compile.layers import layers_of
from ringfence.compile.plan import (
    AclPlan,
    BlockPlan,
    ClassPlan,
    Entries,
    Gate,
    MemberPlan,
    PeerPlan,
    PortPlan,
    SubnetPlan,
    VpcChange,
    VpcPlan,
)
from ringfence.compile.prefixes import PrefixGroup
from ringfence.compile.roster import Roster, WholeChange
from ringfence.model.address import Address, Family
from ringfence.model.group import SecurityGroup
from ringfence.model.port_list import PortLists
from ringfence.model.rule import AddressGroupRemote, Direction, GroupRemote
from ringfence.model.topology import Port, Vpc
from ringfence.model.world import World
from ringfence.policy.decisions import Decision, PolicyClass, decisions
from ringfence.policy.evaluate import Policy
from ringfence.policy.platform import BLOCKED_EGRESS, CARRIER, penalty_id, penalty_of


class _Compiled(NamedTuple):
    """A direction of a class, with what it was made of."""

    listed: tuple[Decision, ...]
    era: int
    boxes: Mapping[Kind, list[Box]]
    gate: Gate


Prefixes = Mapping[str, PrefixGroup]
"""The address groups by name."""


class VpcCompilation:
    """One VPC of a compilation; ``groups`` and ``port_lists`` are the world's, and change with the compilation."""

    def __init__(
        self,
        world: World,
        groups: dict[str, SecurityGroup],
        port_lists: PortLists,
        ports: Mapping[str, Mapping[str, Port]],
        vpc: Vpc,
    ) -> None:
        self._world = world
        self._groups = groups
        self._port_lists = port_lists
        self._vpc = vpc
        near = world.peers_of(vpc.name) if vpc.profile.peer_references else ()
        self._guarded = subnet_numbers(subnet.name for subnet in vpc.subnets.values() if subnet.acl)
        self._helped = {group.name for group in world.groups.values() if group.ftp_helper}
        self._virtual = _virtual_addresses(world)
        self._roster = Roster(vpc, [world.vpcs[name] for name in near], ports)
        self._named: Counter[str] = Counter()  # address groups, by how many decision lists name them
        self._said: set[str] = set()  # those that lines of ACLs and firewalls name, also where another line comes first
        policy = Policy(world)
        self._acls, self._peers = tuple(self._compile_acls(policy)), tuple(self._compile_peers(policy))
        listed = {direction: policy.border(vpc, direction) for direction in Direction}
        self._border = {direction: self._gate(each) for direction, each in listed.items() if each}
        self._fixed_names = set(self._named)
        self._classes: dict[PolicyClass, ClassPlan] = {}
        self._compiled: dict[tuple[PolicyClass, Direction], _Compiled] = {}
        self._era = 0  # the set of classes that a rule may mean has changed so many times
        self._concerned: dict[str, set[PolicyClass]] = {}  # classes, by the groups that their policies depend on
        self._naming: dict[str, set[PolicyClass]] = {}  # classes, by the address groups that they name
        for of in sorted(self._roster.judged):
            self._enter(of)

    # --- the whole plan

    def plan(self, prefixes: Prefixes) -> VpcPlan:
        """The plan as it is now."""
        profile, roster = self._vpc.profile, self._roster
        guarded = [(number, self._vpc.subnets[name]) for name, number in self._guarded.items()]
        return VpcPlan(
            self._vpc.name,
            tuple(sorted(self._vpc.cidrs)),
            tuple(self._classes[of] for of in sorted(self._classes)),
            tuple(self._port_plan(name) for name in roster.in_order(roster.own)),
            tuple(self._member_plan(name) for name in roster.in_order(roster.members)),
            self._acls,
            tuple(SubnetPlan(number, subnet.name, subnet.prefixes, subnet.acl) for number, subnet in guarded),
            profile.acl_stateful,
            self._peers,
            self._border,
            BlockPlan(BLOCKED_EGRESS, profile.blocked_egress),
            BlockPlan(CARRIER, profile.carrier_blocks),
            {name: prefixes[name].prefixes for name in sorted(+self._named)},
        )

    def _port_plan(self, name: str) -> PortPlan:
        roster = self._roster
        port = roster.ports[name]
        penalty = penalty_of(self._world, port) if self._world.penalties else None
        return PortPlan(
            name,
            tuple(sorted(port.addresses)),
            roster.ids[roster.own[name]],
            tuple(sorted(self._virtual.get(name, ()))),
            self._guarded.get(port.subnet, 0),
            penalty_id(penalty) if penalty else "",
            not self._helped.isdisjoint(port.groups),
        )

    def _member_plan(self, name: str) -> MemberPlan:
        roster = self._roster
        return MemberPlan(name, tuple(sorted(roster.ports[name].addresses)), roster.ids[roster.members[name]])

    def _enter(self, of: PolicyClass) -> ClassPlan:
        """Compile a class, and keep it with what it depends on."""
        gates = {direction: self._class_gate(of, direction) for direction in Direction}
        plan = self._classes[of] = ClassPlan(self._roster.ids[of], of.groups, gates, _names(gates.values()))
        self._named.update(plan.address_groups)
        for name in self._groups_of(of):
            self._concerned.setdefault(name, set()).add(of)
        for name in plan.address_groups:
            self._naming.setdefault(name, set()).add(of)
        return plan

    def _class_gate(self, of: PolicyClass, direction: Direction) -> Gate:
        """A direction of a class: the very same as before if neither rules nor the classes they mean have changed."""
        listed = decisions(self._vpc, self._groups, self._port_lists, of, direction)
        known = self._compiled.get((of, direction))
        if known and known.listed == listed and known.era == self._era:
            return known.gate
        boxes = {kind: boxes_of(listed, kind, self._roster.numbers_of) for kind in KINDS}
        gate: Gate = {
            kind: known.gate[kind] if known and known.boxes[kind] == each else layers_of(each)
            for kind, each in boxes.items()
        }
        if known and known.boxes == boxes:
            gate = known.gate
        self._compiled[of, direction] = _Compiled(listed, self._era, boxes, gate)
        return gate

    def _leave(self, of: PolicyClass) -> ClassPlan | None:
        """Forget a class; gives what it was, if it was there."""
        plan = self._classes.pop(of, None)
        if plan:
            self._named.subtract(plan.address_groups)
            for index in (self._concerned, self._naming):
                for name in [*self._groups_of(of), *plan.address_groups]:
                    index.get(name, set()).discard(of)
        return plan

    def _groups_of(self, of: PolicyClass) -> Iterator[str]:
        """The groups that the policy of a class depends on: its own, and those that their rules name."""
        yield from of.groups
        for name in of.groups:
            for rule in self._groups[name].rules:
                if isinstance(rule.remote, GroupRemote):
                    yield rule.remote.name

    def _compile_acls(self, policy: Policy) -> Iterator[AclPlan]:
        at = {subnet.acl: subnet for subnet in self._vpc.subnets.values() if subnet.acl}
        for name in sorted(at):
            listed = {direction: policy.acl(at[name], direction) for direction in Direction}
            yield AclPlan(name, {direction: self._gate(each) for direction, each in listed.items()})

    def _compile_peers(self, policy: Policy) -> Iterator[PeerPlan]:
        for name in self._world.peers_of(self._vpc.name):
            listed = policy.peering(self._vpc.name, name)
            cidrs = tuple(sorted(self._world.vpcs[name].cidrs))
            yield PeerPlan(name, cidrs, self._gate(listed) if listed else None)

    def _gate(self, listed: tuple[Decision, ...]) -> Gate:
        gate = {kind: layers_of(boxes_of(listed, kind, self._roster.numbers_of)) for kind in KINDS}
        self._named.update(_names([gate]))
        sides = (side for line in listed for side in (line.remote, line.local))
        self._said.update(side.name for side in sides if isinstance(side, AddressGroupRemote))
        return gate

    # --- single changes

    def is_concerned(self, groups: Iterable[str], address_group: str) -> bool:
        """Whether one of its ports has one of the groups, or a rule of its that names one, or names the address group.

        ``address_group`` may be empty.
        """
        return any(self._concerned.get(name) for name in groups) or address_group in self._said

    def change_group(self, before: SecurityGroup, after: SecurityGroup, prefixes: Prefixes) -> VpcChange:
        """A group says something else now: every class that has the group is compiled again."""
        self._groups[before.name] = before
        touched = {of for of in self._concerned.get(before.name, ()) if before.name in of.groups}
        left = {of: self._leave(of) for of in touched}
        self._groups[after.name] = after
        return self._entered(left, touched, prefixes)

    def change_ports(self, groups: Iterable[str], prefixes: Prefixes) -> VpcChange:
        """A port list has other entries now: every class with a group that names it is compiled again."""
        touched = {of for name in groups for of in self._concerned.get(name, ()) if name in of.groups}
        left = {of: self._leave(of) for of in touched}
        return self._entered(left, touched, prefixes)

    def change_entries(self, name: str, entries: Entries, prefixes: Prefixes, *, again: bool) -> VpcChange:
        """An address group has other prefixes now; ``again`` says whether of other lengths."""
        if not self._named[name] or not (entries.added or entries.removed):
            return VpcChange()
        if again and name in self._fixed_names:
            raise WholeChange
        touched = sorted(self._naming.get(name, ())) if again else ()
        pairs = {self._roster.ids[of]: (self._classes[of], self._classes[of]) for of in touched}
        lengths = self._lengths(pairs.values(), prefixes)
        return VpcChange(pairs, {}, {}, {name: entries}, lengths, frozenset(pairs))

    def change_port(self, name: str, after: Port | None, home: str, prefixes: Prefixes) -> VpcChange:
        """A port of VPC ``home`` is new, gone or another one."""
        roster = self._roster
        if home not in roster.within:
            return VpcChange()
        if roster.collides or name in self._virtual:
            raise WholeChange
        port_before = self._port_plan(name) if name in roster.own else None
        member_before = self._member_plan(name) if name in roster.members else None
        come, gone = roster.move(name, after, own=home == self._vpc.name)
        port_after = self._port_plan(name) if name in roster.own else None
        member_after = self._member_plan(name) if name in roster.members else None
        if _guards(port_before) != _guards(port_after):
            raise WholeChange
        changed = self._settle(come, gone, prefixes)
        for of in gone:
            for direction in Direction:
                self._compiled.pop((of, direction), None)
            roster.forget(of)
        return replace(
            changed,
            members={name: (member_before, member_after)} if member_before != member_after else {},
            ports={name: (port_before, port_after)} if port_before != port_after else {},
        )

    def _settle(self, come: set[PolicyClass], gone: set[PolicyClass], prefixes: Prefixes) -> VpcChange:
        """Compile what depends on the classes that came and went."""
        touched = {of for each in come | gone for group in each.groups for of in self._concerned.get(group, ())}
        left = {of: self._leave(of) for of in touched | gone}
        self._era += bool(come or gone)
        return self._entered(left, (touched | {of for of in come if self._roster.judged[of]}) - gone, prefixes)

    def _entered(
        self, left: Mapping[PolicyClass, ClassPlan | None], come: set[PolicyClass], prefixes: Prefixes
    ) -> VpcChange:
        """Compile classes, some of which were there, and say what is different."""
        pairs: dict[int, tuple[ClassPlan | None, ClassPlan | None]] = {}
        for of in sorted(left.keys() | come):
            before, after = left.get(of), self._enter(of) if of in come else None
            if before != after:
                pairs[self._roster.ids[of]] = (before, after)
        # An address group that is named for the first time comes with all it has, and goes with it when nobody does.
        before_names = Counter(name for plan in left.values() if plan for name in plan.address_groups)
        after_names = Counter(name for of in come for name in self._classes[of].address_groups)
        entries = {}
        for name in sorted(before_names | after_names):
            now = self._named[name]
            was = now - after_names[name] + before_names[name]
            if now and not was:
                entries[name] = Entries((), prefixes[name].prefixes)
            if was and not now:
                entries[name] = Entries(prefixes[name].prefixes, ())
        return VpcChange(pairs, {}, {}, entries, self._lengths(pairs.values(), prefixes))

    def _lengths(
        self, pairs: Iterable[tuple[ClassPlan | None, ClassPlan | None]], prefixes: Prefixes
    ) -> dict[tuple[str, Family], tuple[int, ...]]:
        names = {name for pair in pairs for plan in pair if plan for name in plan.address_groups}
        return {(name, family): prefixes[name].lengths_of(family) for name in sorted(names) for family in Family}


def _virtual_addresses(world: World) -> dict[str, list[Address]]:
    found: dict[str, list[Address]] = {}
    for vip in world.virtual_ips.values():
        for name in vip.ports:
            found.setdefault(name, []).extend(vip.addresses)
    return found


def _guards(port: PortPlan | None) -> tuple[str, bool]:
    """What of a port changes more than elements of sets that are there anyway."""
    return (port.penalty, port.ftp_helper) if port else ("", False)


def _names(gates: Iterable[Gate]) -> tuple[str, ...]:
    """The address groups that decision lists name."""
    layers = (layer for gate in gates for each in gate.values() for layer in each)
    boxes = (box for layer in layers for box in layer if not box.is_plain)
    return tuple(sorted({name for box in boxes for name in (box.remote_group, box.local_group) if name}))
