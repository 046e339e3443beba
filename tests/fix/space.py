"""Every single edit of a world that a fix may consist of, listed without thinking: what the search must not miss.

It shares no code with the search: it looks at no verdict and no stage, and asks of no edit what it might be good for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations

from ringfence.model.acl import AclRule
from ringfence.model.flow import EPHEMERAL, Flow
from ringfence.model.group import AddressGroup, GroupType, SecurityGroup
from ringfence.model.profile import IntraGroup
from ringfence.model.rule import Action, AddressGroupRemote, Direction, GroupRemote, NicType, Remote, Rule
from ringfence.model.service import PortRange, PortSet
from ringfence.model.topology import Network, Peering
from ringfence.model.world import World


def single_edits(world: World, flow: Flow, *, coarse: bool = False) -> Iterator[tuple[str, World]]:
    """The worlds that one edit leads to, with words for the edit. ``coarse``: rules and lines in one form only."""
    yield from _groups(world, flow, coarse)
    yield from _members(world)
    yield from _lines(world, flow, coarse)
    yield from _lists(world, flow)
    for one, two in combinations(sorted(world.vpcs), 2):
        if world.peering(one, two) is None:
            made = Peering(f"new-{one}-{two}", (one, two))
            yield f"peer {one} {two}", world.edited(peerings={made.name: made})
    for name in world.penalties:
        yield f"lift {name}", world.edited(penalties={name: None})


def _groups(world: World, flow: Flow, coarse: bool) -> Iterator[tuple[str, World]]:
    for group in world.groups.values():
        for words, rules in _rules(world, group, flow, coarse):
            yield f"{group.name}: {words}", _with_group(world, replace(group, rules=tuple(rules)))
        if world.profile_of(group).intra_group is IntraGroup.ACCEPT and group.type is GroupType.BASIC:
            yield f"open {group.name}", _with_group(world, replace(group, intra_group=IntraGroup.ACCEPT))


def _with_group(world: World, group: SecurityGroup) -> World:
    return world.edited(groups={group.name: group})


def _rules(world: World, group: SecurityGroup, flow: Flow, coarse: bool) -> Iterator[tuple[str, list[Rule]]]:
    rules = list(group.rules)
    priorities = sorted({1, 100, *(max(1, rule.priority - 1) for it in world.groups.values() for rule in it.rules)})
    if coarse:
        priorities = [1]
    for made in _new_rules(world, group, flow, priorities, coarse):
        yield f"+ {made}", [*rules, made]
    for at, rule in enumerate(rules):
        yield f"- {rule}", [*rules[:at], *rules[at + 1 :]]
        if not rule.enabled and rule.action is Action.ALLOW:
            yield f"enable {rule}", [*rules[:at], replace(rule, enabled=True), *rules[at + 1 :]]
        for priority in sorted({1, 2, 100, *priorities, *(min(100, it + 2) for it in priorities)}):
            stronger = priority < rule.priority
            if stronger is (rule.action is Action.ALLOW) and priority != rule.priority:
                yield f"{priority} to {rule}", [*rules[:at], replace(rule, priority=priority), *rules[at + 1 :]]


def _new_rules(
    world: World, group: SecurityGroup, flow: Flow, priorities: Sequence[int], coarse: bool
) -> Iterator[Rule]:
    home = world.vpcs.get(group.vpc)
    port = flow.service.port
    ports = PortSet((PortRange(port, port),)) if port else PortSet()
    for direction, far in ((Direction.EGRESS, flow.destination), (Direction.INGRESS, flow.source)):
        sides: list[Remote] = [far.address.host_prefix]
        if not coarse:
            sides += [GroupRemote(it.name, "" if it.account == group.account else it.account) for it in
                      world.groups.values()]  # fmt: skip
            sides += [AddressGroupRemote(name) for name in world.address_groups]
        nics = [*NicType] if home and home.network is Network.CLASSIC else [None]
        for side in sides:
            for nic in nics:
                if not (isinstance(side, GroupRemote) and nic is NicType.INTERNET):
                    for priority in priorities:
                        made = (direction, Action.ALLOW, flow.service.protocol, side, ports)
                        yield Rule(*made, priority=priority, nic=nic)


def _members(world: World) -> Iterator[tuple[str, World]]:
    for port in world.ports:
        for name in world.groups:
            groups = tuple(it for it in port.groups if it != name) if name in port.groups else (*port.groups, name)
            owner = world.instances[port.instance]
            ports = tuple(replace(it, groups=groups) if it == port else it for it in owner.ports)
            yield f"{port} in {groups}", world.edited(instances={owner.name: replace(owner, ports=ports)})


def _lines(world: World, flow: Flow, coarse: bool) -> Iterator[tuple[str, World]]:
    for acl in world.acls.values():
        for words, lines in _edited(acl.rules, flow, list(Direction), coarse):
            yield f"{acl}: {words}", world.edited(acls={acl.name: replace(acl, rules=lines)})
        if not acl.enabled:
            yield f"enable {acl}", world.edited(acls={acl.name: replace(acl, enabled=True)})
    for vpc in world.vpcs.values():
        for words, lines in _edited(vpc.border, flow, list(Direction), coarse):
            yield f"{vpc}: {words}", world.edited(vpcs={vpc.name: replace(vpc, border=lines)})
    for peering in world.peerings.values():
        for words, lines in _edited(peering.firewall, flow, [None], coarse):
            edited = replace(peering, firewall=lines)
            yield f"{peering}: {words}", world.edited(peerings={peering.name: edited})


def _edited(
    lines: tuple[AclRule, ...], flow: Flow, ways: Sequence[Direction | None], coarse: bool
) -> Iterator[tuple[str, tuple[AclRule, ...]]]:
    for judged in (flow, flow.back):
        port = judged.service.port
        wanted = () if not judged.service.protocol.has_ports else (PortRange(port, port) if port else EPHEMERAL,)
        for way in ways:
            ends = (judged.source.address.host_prefix, judged.destination.address.host_prefix)
            made = AclRule(Action.ALLOW, judged.service.protocol, *ends, way, PortSet(wanted))
            for at in [0] if coarse else range(len(lines) + 1):
                yield f"+ {at} {made}", (*lines[:at], made, *lines[at:])
    for at, line in enumerate(lines):
        yield f"- {line}", (*lines[:at], *lines[at + 1 :])
        if not line.enabled:
            yield f"enable {line}", (*lines[:at], replace(line, enabled=True), *lines[at + 1 :])


def _lists(world: World, flow: Flow) -> Iterator[tuple[str, World]]:
    for it in world.address_groups.values():
        for end in (flow.source, flow.destination):
            entry = end.address.host_prefix.range
            yield f"{it} + {entry}", _with_list(world, replace(it, entries=(*it.entries, entry)))
        for entry in it.entries:
            kept = tuple(each for each in it.entries if each != entry)
            yield f"{it} - {entry}", _with_list(world, replace(it, entries=kept))


def _with_list(world: World, it: AddressGroup) -> World:
    return world.edited(address_groups={it.name: it})
