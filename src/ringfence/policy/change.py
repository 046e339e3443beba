"""What differs between two worlds, thing by thing, and to whom it matters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields

from ringfence.model.acl import AclRule
from ringfence.model.edit import Edit, EntriesChanged, GroupChanged, PortChanged, PortGone, PortListChanged
from ringfence.model.group import AddressGroup
from ringfence.model.persistent import Section
from ringfence.model.port_list import NamedPorts
from ringfence.model.rule import AddressGroupRemote, Remote
from ringfence.model.topology import Port, Vpc
from ringfence.model.world import World

_NOTHING: frozenset[str] = frozenset()
_SWITCHES = (
    "group_order",
    "default_egress",
    "default_egress_advanced",
    "peer_references",
    "blocked_egress",
    "carrier_blocks",
)
"""The switches of a profile that change what is allowed, those of network ACLs apart."""


@dataclass(frozen=True, slots=True)
class Change:
    """The names of the things that a change adds, removes or alters; each field is called as in `World`.

    Who changes one thing knows its name, and need not compare worlds.
    """

    vpcs: frozenset[str] = _NOTHING
    groups: frozenset[str] = _NOTHING
    address_groups: frozenset[str] = _NOTHING
    acls: frozenset[str] = _NOTHING
    instances: frozenset[str] = _NOTHING
    virtual_ips: frozenset[str] = _NOTHING
    peerings: frozenset[str] = _NOTHING
    penalties: frozenset[str] = _NOTHING
    port_lists: frozenset[str] = _NOTHING

    @classmethod
    def between(cls, before: World, after: World) -> Change:
        """Compare two worlds; what both share as one value costs next to nothing."""
        names = [each.name for each in fields(cls)]
        return cls(**{name: _differing(getattr(before, name), getattr(after, name)) for name in names})

    @classmethod
    def of(cls, *edits: Edit) -> Change:
        """What some edits change together, without a look at any world."""
        return cls(
            groups=frozenset(it.group.name for it in edits if isinstance(it, GroupChanged)),
            address_groups=frozenset(it.address_group for it in edits if isinstance(it, EntriesChanged)),
            port_lists=frozenset(it.port_list.name for it in edits if isinstance(it, PortListChanged)),
            instances=frozenset(
                str(it.port).partition(".")[0] for it in edits if isinstance(it, PortChanged | PortGone)
            ),
        )


def _differing(one: Mapping[str, object], two: Mapping[str, object]) -> frozenset[str]:
    if one is two:
        return _NOTHING
    return frozenset(name for name in _likely(one, two) if not _same(one.get(name), two.get(name)))


def _likely(one: Mapping[str, object], two: Mapping[str, object]) -> Iterable[str]:
    if isinstance(one, Section) and isinstance(two, Section):
        return one.differing(two)
    return one.keys() | two.keys()


def _same(one: object, two: object) -> bool:
    return one is two or one == two


class Differences:
    """What a change means: why it matters to a group or a VPC, in words (empty: not at all), and whether to a port.

    It looks at what the change names and at what it is asked about, and remembers what it has found.
    """

    def __init__(self, before: World, after: World, change: Change) -> None:
        self._worlds, self._change = (before, after), change
        self._entries = frozenset(filter(self._has_other_entries, change.address_groups))
        self._ports = frozenset(filter(self._has_other_ports, change.port_lists))
        self._moves = dict(self._joins_and_leaves())
        self._groups: dict[str, str] = {}
        self._whole: dict[str, bool] = {}

    def group(self, name: str) -> str:
        """Whether a group has other rules or members, or rules that mean something else."""
        if name not in self._groups:
            self._groups[name] = self._moves.get(name) or self._ruled(name) or self._meant(name)
        return self._groups[name]

    def switch(self, vpc: str) -> str:
        """Whether a switch of a VPC's profile changed that concerns all its groups."""
        old, new = (world.vpcs.get(vpc) for world in self._worlds)
        if vpc not in self._change.vpcs or not old or not new:
            return ""
        if old.network is not new.network:
            return f"VPC {vpc} is of another kind now"
        turned = (it for it in _SWITCHES if getattr(old.profile, it) != getattr(new.profile, it))
        return next((f"switch {it} of VPC {vpc} changed" for it in turned), "")

    def whole(self, vpc: str) -> bool:
        """Whether something changed that may matter to every connection of a VPC: itself, a peering, a firewall."""
        if vpc not in self._whole:
            ways = {pair for name in self._change.peerings for world in self._worlds for pair in _ends(world, name)}
            named = any(map(self._means, self._firewalls(vpc)))
            self._whole[vpc] = named or vpc in self._change.vpcs or vpc in ways
        return self._whole[vpc]

    def near(self, port: Port, world: World) -> bool:
        """Whether something changed that judges what a port of a world sends and receives."""
        if port.instance in self._change.instances or not self._change.penalties.isdisjoint((port.instance, str(port))):
            return True
        if any(map(self.group, port.groups)):
            return True
        acl = world.acls.get(world.subnet_of(port).acl) if self._change.acls or self._entries else None
        return acl is not None and (acl.name in self._change.acls or self._means(acl.rules))

    @property
    def is_near_some(self) -> bool:
        """Whether there may be a port that `near` holds for."""
        change = self._change
        lists = self._entries or self._ports
        return bool(change.instances or change.groups or lists or change.acls or change.penalties)

    def _has_other_entries(self, name: str) -> bool:
        old, new = (world.address_groups.get(name) for world in self._worlds)
        return old is not new and (old is None or new is None or _differ(old, new))

    def _has_other_ports(self, name: str) -> bool:
        old, new = (found and found.ports for found in (world.port_lists.get(name) for world in self._worlds))
        return old != new

    def _joins_and_leaves(self) -> Iterator[tuple[str, str]]:
        """Each group that has other members, with one of those that came or went."""
        for name in sorted(self._change.instances):
            old, new = (_memberships(world, name) for world in self._worlds)
            yield from ((group, f"{port} left group {group}") for port, group in sorted(old - new))
            yield from ((group, f"{port} joined group {group}") for port, group in sorted(new - old))

    def _ruled(self, name: str) -> str:
        if name not in self._change.groups:
            return ""
        groups = [world.groups.get(name) for world in self._worlds]
        old, new = ({rule.key for rule in group.rules if rule.enabled} if group else set() for group in groups)
        if old != new:
            came = [f"has a new rule: {key}" for key in sorted(new - old)]
            went = [f"has no longer the rule: {key}" for key in sorted(old - new)]
            return f"group {name} {(came + went)[0] if len(came) + len(went) == 1 else 'has other rules'}"
        old_kind, new_kind = (group and (group.type, group.intra_group) for group in groups)
        return f"group {name} has another type or intra_group" if old_kind != new_kind else ""

    def _meant(self, name: str) -> str:
        """Whether a rule names an address group or a port list that has other entries."""
        for group in (world.groups.get(name) for world in self._worlds) if self._entries or self._ports else ():
            rules = [rule for rule in (group.rules if group else ()) if rule.enabled]
            for found in sorted(self._entries & _named(rule.remote for rule in rules)):
                return f"address group {found} changed, which a rule of group {name} names"
            for found in sorted(self._ports & {it.ports.name for it in rules if isinstance(it.ports, NamedPorts)}):
                return f"port list {found} changed, which a rule of group {name} names"
        return ""

    def _means(self, rules: Iterable[AclRule]) -> bool:
        sides = (side for rule in rules if rule.enabled for side in (rule.source, rule.destination))
        return bool(self._entries) and not self._entries.isdisjoint(_named(sides))

    def _firewalls(self, name: str) -> Iterator[tuple[AclRule, ...]]:
        for world in self._worlds if self._entries else ():
            vpc: Vpc | None = world.vpcs.get(name)
            yield vpc.border if vpc else ()
            for peer in world.peers_of(name):
                found = world.peering(name, peer)
                yield found.firewall if found else ()


def _differ(one: AddressGroup, two: AddressGroup) -> bool:
    """Whether two address groups have other entries; none of them lists one twice, so mostly their number tells."""
    return len(one.entries) != len(two.entries) or frozenset(one.entries) != frozenset(two.entries)


def _ends(world: World, peering: str) -> tuple[str, ...]:
    found = world.peerings.get(peering)
    return found.vpcs if found else ()


def _memberships(world: World, instance: str) -> set[tuple[str, str]]:
    """Port and group of each membership of an instance's ports."""
    found = world.instances.get(instance)
    return {(str(port), group) for port in (found.ports if found else ()) for group in port.groups}


def _named(sides: Iterable[Remote]) -> set[str]:
    """The address groups among some sides of rules."""
    return {side.name for side in sides if isinstance(side, AddressGroupRemote)}
