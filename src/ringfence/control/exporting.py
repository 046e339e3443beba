"""What an account has, as a world file of the account says it: in the names that people gave.

The account's own things are of account "" there. Of other accounts there is only what its things refer to: by id, and
without content.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TypeVar, cast

from ringfence.control.naming import Naming, foreign_remotes
from ringfence.model.acl import AclRule, NetworkAcl
from ringfence.model.flow import Expectation
from ringfence.model.group import SecurityGroup
from ringfence.model.renaming import renamed
from ringfence.model.rule import GroupRemote, Rule
from ringfence.model.topology import Instance, Port, Subnet, VirtualIp, Vpc
from ringfence.model.world import World, by_name
from ringfence.resources.kind import SECTIONS, Kind
from ringfence.resources.state import State

Item = TypeVar("Item")


def world_of(state: State, account: str) -> World:
    """The world that a world file of the account describes: what is exported, and what a plan compares with."""
    return in_order(renamed(_part(state, account), Naming(state, account).names))


def in_order(world: World) -> World:
    """The world with all that has an order by its names in that order."""
    groups = (
        replace(it, rules=tuple(sorted(it.rules, key=lambda rule: rule.key))) if len(it.rules) > 1 else it
        for it in world.groups.values()
    )
    vips = (replace(it, ports=tuple(sorted(it.ports))) for it in world.virtual_ips.values())
    expects = tuple(sorted(set(world.expects), key=str))
    return replace(world, groups=by_name(groups), virtual_ips=by_name(vips), expects=expects)


def visible_world(state: State, account: str) -> World:
    """The account's world in ids with everything around it that decides on its packets, whoever has that.

    Not for the account's eyes as it is. Given are the VPCs that the account is in, and those that are joined to them.
    """
    world = state.world
    own = {SECTIONS[kind]: {it.id for it in state.owned(account, kind)} for kind in SECTIONS}
    if all(own[section] >= set(getattr(world, section)) for section in own):
        is_own = all(it.account == account for it in world.expects)
        return world if is_own else replace(world, expects=_expects(state, account))
    vpcs = _around(world, own)
    instances = by_name(_with_ports(world.instances.values(), vpcs))
    groups = own["groups"] | {group for it in instances.values() for port in it.ports for group in port.groups}
    groups |= {name for group in groups for name in _named_groups(world.groups[group])}
    ports = {str(port) for it in instances.values() for port in it.ports}
    return replace(
        world,
        vpcs=_kept(world.vpcs, vpcs),
        groups=_kept(world.groups, groups),
        instances=instances,
        virtual_ips=by_name(it for it in world.virtual_ips.values() if it.vpc in vpcs),
        penalties=by_name(it for it in world.penalties.values() if it.target in ports or it.target in instances),
        outside=_kept(world.outside, own["outside"]),
        peerings=by_name(it for it in world.peerings.values() if vpcs.issuperset(it.vpcs)),
        expects=_expects(state, account),
        detached=by_name(it for it in world.detached.values() if it.account == account and it.vpc in vpcs),
    )


def _around(world: World, own: Mapping[str, set[str]]) -> set[str]:
    """The VPCs that the account's things are in, and those that are peered with them."""
    found = own["vpcs"] | {port.vpc for name in own["instances"] & set(world.instances) for port in
                           world.instances[name].ports}  # fmt: skip
    found |= {world.groups[name].vpc for name in own["groups"]} - {""}
    return found | {peer for vpc in found for peer in world.peers_of(vpc)}


def _with_ports(instances: Iterable[Instance], vpcs: set[str]) -> Iterator[Instance]:
    """The instances as far as they are in these VPCs."""
    for instance in instances:
        ports = tuple(port for port in instance.ports if port.vpc in vpcs)
        if ports:
            yield instance if ports == instance.ports else replace(instance, ports=ports)


def _part(state: State, account: str) -> World:
    """The account's part of the world in ids, as a world file can say it."""
    world = state.world
    own = {SECTIONS[kind]: {it.id for it in state.owned(account, kind)} for kind in SECTIONS}
    instances = _kept(world.instances, own["instances"])
    groups = {it.name: own_group(it, account) for it in _kept(world.groups, own["groups"]).values()}
    for remote in foreign_remotes(state, account):
        groups[remote.name] = _stub(world.groups[remote.name])
    vips = _kept(world.virtual_ips, own["virtual_ips"])
    places: list[Port | VirtualIp] = [*(port for it in instances.values() for port in it.ports), *vips.values()]
    theirs = {it.vpc for it in (*places, *groups.values()) if it.vpc} - own["vpcs"]
    used = {(it.vpc, it.subnet) for it in places}
    vpcs = [own_vpc(it) for it in _kept(world.vpcs, own["vpcs"]).values()]
    vpcs += [_bare(world.vpcs[name], {subnet for vpc, subnet in used if vpc == name}) for name in theirs]
    ports = {str(port) for it in instances.values() for port in it.ports}
    return World(
        world.profile,
        by_name(vpcs),
        by_name(replace(it, account="") for it in _kept(world.address_groups, own["address_groups"]).values()),
        by_name(groups.values()),
        by_name(replace(it, account="") for it in instances.values()),
        by_name(replace(it, account="") for it in _kept(world.outside, own["outside"]).values()),
        _expects(state, account),
        by_name(own_acl(it) for it in _kept(world.acls, own["acls"]).values()),
        by_name(
            replace(it, firewall=plain_lines(it.firewall)) for it in _kept(world.peerings, own["peerings"]).values()
        ),
        vips,
        by_name(it for it in world.penalties.values() if it.target in ports or it.target in instances),
        by_name(replace(it, account="") for it in _kept(world.port_lists, own["port_lists"]).values()),
    )


def _kept(section: Mapping[str, Item], names: Iterable[str]) -> dict[str, Item]:
    return {name: section[name] for name in sorted(names) if name in section}


def _expects(state: State, account: str) -> tuple[Expectation, ...]:
    return tuple(cast("Expectation", it.value) for it in state.owned(account, Kind.EXPECTATION))


# --- things as a world file of their own account says them


def own_vpc(vpc: Vpc) -> Vpc:
    """A VPC of one's own."""
    return replace(vpc, account="", border=plain_lines(vpc.border))


def own_acl(acl: NetworkAcl) -> NetworkAcl:
    """An ACL of one's own."""
    return replace(acl, account="", rules=plain_lines(acl.rules))


def own_group(group: SecurityGroup, account: str) -> SecurityGroup:
    """A group of one's own."""
    return replace(group, account="", rules=tuple(own_rule(rule, account) for rule in group.rules))


def own_rule(rule: Rule, account: str) -> Rule:
    """A rule as it says what it says: without the id that the service gave it, its own account as nobody's."""
    remote = rule.remote
    if isinstance(remote, GroupRemote) and remote.account and remote.account == account:
        remote = GroupRemote(remote.name)
    return replace(rule, given_id="", remote=remote) if rule.given_id or remote is not rule.remote else rule


def plain_lines(lines: Iterable[AclRule]) -> tuple[AclRule, ...]:
    """Lines of an ACL or a firewall as they say what they say: with an id only where another one says the same."""
    known = tuple(lines)
    times = Counter(line.key for line in known)
    return tuple(replace(line, given_id="") if times[line.key] == 1 else line for line in known)


def _stub(group: SecurityGroup) -> SecurityGroup:
    """Another account's group: that it is there, and whose it is."""
    named = (group.name, (), group.vpc, group.type)
    return SecurityGroup(*named, account=group.account, profile=group.profile)


def _bare(vpc: Vpc, subnets: set[str]) -> Vpc:
    """Another account's VPC: its space, and the subnets that are used."""
    kept: dict[str, Subnet] = {name: replace(vpc.subnets[name], acl="") for name in sorted(subnets)}
    return replace(vpc, subnets=kept, border=(), account="")


def _named_groups(group: SecurityGroup) -> Iterator[str]:
    return (rule.remote.name for rule in group.rules if isinstance(rule.remote, GroupRemote))
