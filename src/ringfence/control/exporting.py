"""What an account has, as a world file of the account says it: in the names that people gave.

Ids become names, where a display name is fit to be one and no other thing of the account has it. The account's own
things are of account "" there. Of other accounts there is only what its things refer to: by id, and without content.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeVar, cast

from ringfence.errors import NotationError
from ringfence.model.acl import AclRule, NetworkAcl
from ringfence.model.flow import Expectation
from ringfence.model.group import SecurityGroup
from ringfence.model.names import check_name
from ringfence.model.renaming import renamed
from ringfence.model.rule import AddressGroupRemote, GroupRemote, Rule, parse_remote
from ringfence.model.topology import Instance, Port, Subnet, VirtualIp, Vpc
from ringfence.model.world import World, by_name
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource
from ringfence.resources.state import State
from ringfence.resources.values import SharedVpc

SECTIONS: Mapping[Kind, str] = {
    Kind.VPC: "vpcs",
    Kind.GROUP: "groups",
    Kind.ADDRESS_GROUP: "address_groups",
    Kind.ACL: "acls",
    Kind.PEERING: "peerings",
    Kind.INSTANCE: "instances",
    Kind.VIRTUAL_IP: "virtual_ips",
    Kind.OUTSIDE_HOST: "outside",
}
"""The kinds that a world file knows by a name of their own, by the section that holds them. Subnets are in VPCs."""
_ENDS = (Kind.INSTANCE, Kind.VIRTUAL_IP, Kind.OUTSIDE_HOST)
Names = Mapping[str, Mapping[str, str]]
Item = TypeVar("Item")
_WORD = re.compile(r"[\w.-]+")


@dataclass(frozen=True)
class Naming:
    """What the things of an account are called in its world file."""

    state: State
    account: str

    @cached_property
    def names(self) -> Names:
        """Names by ids as `renamed` wants them: those that are not the id itself."""
        own = {kind: self.state.owned(self.account, kind) for kind in (*SECTIONS, Kind.SUBNET)}
        found: dict[str, dict[str, str]] = {section: {} for section in (*SECTIONS.values(), "subnets")}
        for kind in SECTIONS.keys() - set(_ENDS):
            found[SECTIONS[kind]] = _names(own[kind], self._others(kind))
        for end, id_, name in _together(own):
            found[SECTIONS[end]][id_] = name
        within: dict[str, list[Resource]] = {}
        for subnet in own[Kind.SUBNET]:
            within.setdefault(_vpc_of(subnet), []).append(subnet)
        for vpc, subnets in within.items():
            found["subnets"] |= {f"{vpc}/{id_}": name for id_, name in _names(subnets, ()).items()}
        return found

    def _others(self, kind: Kind) -> set[str]:
        """The ids of other accounts' things that the account may speak of."""
        if kind is Kind.VPC:
            return {it.id for it in shared_vpcs(self.state, self.account)}
        if kind is Kind.GROUP:
            return {remote.name for remote in _foreign_remotes(self.state, self.account)}
        return set()

    @cached_property
    def ids(self) -> Mapping[str, Mapping[str, str]]:
        """Ids by names, by section; subnets by ``vpc id/name``."""
        found: dict[str, dict[str, str]] = {}
        for kind, section in SECTIONS.items():
            own = (it.id for it in self.state.owned(self.account, kind))
            found[section] = {self.called(section, id_): id_ for id_ in own}
        subnets = self.state.owned(self.account, Kind.SUBNET)
        found["subnets"] = {f"{_vpc_of(it)}/{self.subnet(_vpc_of(it), it.id)}": it.id for it in subnets}
        return found

    def called(self, section: str, id_: str) -> str:
        """The name of a thing of a section."""
        return self.names[section].get(id_, id_)

    def subnet(self, vpc: str, id_: str) -> str:
        """The name of a subnet, within its VPC."""
        return self.names["subnets"].get(f"{vpc}/{id_}", id_)

    def port(self, name: str) -> str:
        """``instance.port`` with the instance's name in place of its id."""
        instance, dot, port = name.partition(".")
        return self.called("instances", instance) + dot + port

    def words(self, text: str) -> str:
        """A line with names in place of ids, but in what is quoted."""
        said, quote, rest = text.partition('"')
        return _WORD.sub(lambda word: self._by_id.get(word[0], word[0]), said) + quote + rest

    @cached_property
    def _by_id(self) -> Mapping[str, str]:
        """All names by ids; a rule names groups and address groups."""
        subnets = {id_.partition("/")[2]: name for id_, name in self.names["subnets"].items()}
        sections = sorted(SECTIONS.values(), key=lambda section: section in ("groups", "address_groups"))
        return {id_: name for pairs in (subnets, *map(self.names.__getitem__, sections)) for id_, name in pairs.items()}


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
        return world
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
    for remote in _foreign_remotes(state, account):
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
        _kept(world.outside, own["outside"]),
        _expects(state, account),
        by_name(own_acl(it) for it in _kept(world.acls, own["acls"]).values()),
        by_name(
            replace(it, firewall=plain_lines(it.firewall)) for it in _kept(world.peerings, own["peerings"]).values()
        ),
        vips,
        by_name(it for it in world.penalties.values() if it.target in ports or it.target in instances),
    )


def _kept(section: Mapping[str, Item], names: Iterable[str]) -> dict[str, Item]:
    return {name: section[name] for name in sorted(names) if name in section}


def _expects(state: State, account: str) -> tuple[Expectation, ...]:
    return tuple(cast("Expectation", it.value) for it in state.owned(account, Kind.EXPECTATION))


# --- things as a world file of their own account says them


def own_vpc(vpc: Vpc) -> Vpc:
    """A VPC of one's own."""
    return replace(vpc, account="", border=plain_lines(vpc.border), cidrs=tuple(sorted(vpc.cidrs)))


def own_acl(acl: NetworkAcl) -> NetworkAcl:
    """An ACL of one's own."""
    return replace(acl, account="", rules=plain_lines(acl.rules))


def own_group(group: SecurityGroup, account: str) -> SecurityGroup:
    """A group of one's own."""
    return replace(group, account="", rules=tuple(own_rule(rule, account) for rule in group.rules))


def own_rule(rule: Rule, account: str) -> Rule:
    """A rule as it says what it says: without the id that the service gave it, its own account as nobody's."""
    remote = rule.remote
    if isinstance(remote, GroupRemote) and remote.account == account:
        remote = GroupRemote(remote.name)
    return replace(rule, given_id="", remote=remote)


def plain_lines(lines: Iterable[AclRule]) -> tuple[AclRule, ...]:
    """Lines of an ACL or a firewall without ids of their own, which the service does not keep."""
    return tuple(replace(line, given_id="") for line in lines)


def _stub(group: SecurityGroup) -> SecurityGroup:
    """Another account's group: that it is there, and whose it is."""
    return SecurityGroup(group.name, vpc=group.vpc, type=group.type, account=group.account)


def _bare(vpc: Vpc, subnets: set[str]) -> Vpc:
    """Another account's VPC: its space, and the subnets that are used."""
    kept: dict[str, Subnet] = {name: replace(vpc.subnets[name], acl="") for name in sorted(subnets)}
    return replace(vpc, subnets=kept, border=(), account="")


def _foreign_remotes(state: State, account: str) -> Iterator[GroupRemote]:
    for group in state.owned(account, Kind.GROUP):
        for rule in state.world.groups[group.id].rules:
            if isinstance(rule.remote, GroupRemote) and rule.remote.account not in ("", account):
                yield rule.remote


def _named_groups(group: SecurityGroup) -> Iterator[str]:
    return (rule.remote.name for rule in group.rules if isinstance(rule.remote, GroupRemote))


# --- names


def shared_vpcs(state: State, account: str) -> list[Resource]:
    """The VPCs of others that the account may have groups and ports in."""
    return [it for it in state.of_kind(Kind.VPC) if account in cast("SharedVpc", it.value).shared_with]


def _vpc_of(subnet: Resource) -> str:
    return subnet.value.vpc if isinstance(subnet.value, Subnet) else ""


def _names(resources: Iterable[Resource], others: Iterable[str]) -> dict[str, str]:
    """Names by ids, of resources of one kind, where they differ; ``others`` are taken already."""
    wanted = {(it.kind, it.id): it.name if _fits(it) else it.id for it in resources}
    return {id_: name for (_, id_), name in _apart(wanted, others).items() if name != id_}


def _together(own: Mapping[Kind, Iterable[Resource]]) -> Iterator[tuple[Kind, str, str]]:
    """The same of the kinds that share their names."""
    wanted = {(it.kind, it.id): it.name if _fits(it) else it.id for kind in _ENDS for it in own[kind]}
    for (kind, id_), name in _apart(wanted, ()).items():
        if name != id_:
            yield kind, id_, name


def _apart(wanted: dict[tuple[Kind, str], str], others: Iterable[str]) -> dict[tuple[Kind, str], str]:
    """With the id in place of each name that is not one thing's alone."""
    taken = set(others)
    while True:
        times = Counter(wanted.values())
        clashing = [key for key, name in wanted.items() if (times[name] > 1 or name in taken) and name != key[1]]
        if not clashing:
            return wanted
        wanted = wanted | {key: key[1] for key in clashing}


def _fits(resource: Resource) -> bool:
    if resource.name == resource.id:
        return True
    try:
        check_name(resource.name, dots=resource.kind not in _ENDS)
        return resource.kind is not Kind.ADDRESS_GROUP or isinstance(parse_remote(resource.name), AddressGroupRemote)
    except NotationError:
        return False
