"""What each thing of a world says about addresses, ids, memberships and who names whom: the content of its tables.

A table of a world is made of the facts of all its values, and follows an edit by those of the values that changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from ringfence.errors import NotationError
from ringfence.model.acl import AclRule, NetworkAcl
from ringfence.model.address import Address
from ringfence.model.flow import Expectation
from ringfence.model.group import GroupType, SecurityGroup
from ringfence.model.persistent import Size
from ringfence.model.rule import AddressGroupRemote, GroupRemote, Remote, Rule
from ringfence.model.topology import DetachedPort, Instance, OutsideHost, Peering, Penalty, Port, VirtualIp, Vpc

Facts = Mapping[str, Callable[[Any], Iterable[tuple[Any, ...]]]]
"""By section of a world, what a value of it adds to a table."""

Owner = Port | VirtualIp | OutsideHost | DetachedPort
"""What has addresses."""
Place = tuple[str, Address]
"""An address in a VPC; outside of all of them, the VPC is empty."""
Thing = tuple[str, str]
"""Section and name."""
Member = tuple[str, str]
"""Instance and port; of a port that no instance has, nothing and its name."""
LineOwner = tuple[int, str]
"""Which of `LINE_SECTIONS` a line stands in, and under which name."""

LINE_SECTIONS = ("groups", "acls", "vpcs", "peerings")
"""The sections with rules and lines, in the order in which the first of two is said to have an id already."""


class Membership(NamedTuple):
    """What decides whether a port may be in its groups: ports that agree in it fare alike."""

    vpc: str
    account: str
    groups: tuple[str, ...]


class Tie(NamedTuple):
    """What decides whether a group may name another one: groups that agree in it fare alike."""

    vpc: str
    account: str
    type: GroupType
    profile: str
    named_account: str


def owner_rank(owner: Owner) -> tuple[object, ...]:
    """The order of those that have addresses: ports, virtual IPs, hosts outside, detached ports; each by name."""
    if isinstance(owner, Port):
        return 0, owner.instance, owner.name
    return (1 if isinstance(owner, VirtualIp) else 2 if isinstance(owner, OutsideHost) else 3), owner.name


def peering_rank(peering: Peering) -> tuple[object, ...]:
    """Peerings stand in the order of their names."""
    return (peering.name,)


def line_rank(owner: LineOwner) -> tuple[object, ...]:
    """Owners of lines stand by section and name."""
    return owner


def end_of(name: str) -> str:
    """The key of a flow's end: an address in its usual spelling, or the name before the port's."""
    try:
        return str(Address.parse(name))
    except NotationError:
        return name.partition(".")[0]


# ---- addresses


def _instance_places(instance: Instance) -> Iterator[tuple[Place, Owner]]:
    return (((port.vpc, address), port) for port in instance.ports for address in port.addresses)


def _detached_places(detached: DetachedPort) -> Iterator[tuple[Place, Owner]]:
    return (((detached.vpc, address), detached) for address in detached.addresses)


def _virtual_places(vip: VirtualIp) -> Iterator[tuple[Place, Owner]]:
    return (((vip.vpc, address), vip) for address in vip.addresses)


def _outside_places(host: OutsideHost) -> Iterator[tuple[Place, Owner]]:
    return ((("", address), host) for address in host.addresses)


def _ways(peering: Peering) -> Iterator[tuple[tuple[str, str], Peering]]:
    one, two = peering.vpcs
    return ((key, peering) for key in ((one, two), (two, one), (one, ""), (two, "")))


# ---- groups that grow


def apart(old: SecurityGroup | None, new: SecurityGroup | None) -> tuple[SecurityGroup | None, SecurityGroup | None]:
    """What says the facts by which a group differs from what it was.

    Where it has some more rules, those say all: what one of them repeats, a table holds once.
    """
    if old is None or new is None or len(new.rules) <= len(old.rules):
        return old, new
    known = set(map(id, old.rules))
    if not known.issubset(map(id, new.rules)) or replace(new, rules=old.rules) != old:
        return old, new
    return None, replace(new, rules=tuple([rule for rule in new.rules if id(rule) not in known]))


# ---- ids of lines


def _ids(rules: Iterable[Rule | AclRule], called: str, owner: LineOwner) -> Iterator[tuple[str, LineOwner]]:
    return ((rule.id_in(called), owner) for rule in rules)


# ---- members


def _memberships(instance: Instance) -> Iterator[tuple[str, Membership, Member]]:
    for port in instance.ports:
        kind = Membership(port.vpc, instance.account, port.groups)
        yield from ((group, kind, (instance.name, port.name)) for group in port.groups)


def _detached_memberships(detached: DetachedPort) -> Iterator[tuple[str, Membership, Member]]:
    port = detached.port
    kind = Membership(port.vpc, detached.account, port.groups)
    return ((group, kind, ("", port.name)) for group in port.groups)


def _detached_sizes(detached: DetachedPort) -> Iterator[tuple[str, str, Size]]:
    size = Size(0, len(detached.addresses), 1)  # it is no instance's
    return ((group, detached.name, size) for group in {*detached.port.groups})


def _sizes(instance: Instance) -> Iterator[tuple[str, str, Size]]:
    for group in {group for port in instance.ports for group in port.groups}:
        ports = [port for port in instance.ports if group in port.groups]
        yield group, instance.name, Size(1, sum(len(port.addresses) for port in ports), len(ports))


# ---- who names whom


def _ties(group: SecurityGroup) -> Iterator[tuple[str, Tie, str]]:
    for remote in group.named:
        if isinstance(remote, GroupRemote):
            yield remote.name, Tie(group.vpc, group.account, group.type, group.profile, remote.account), group.name


def _named(sides: Iterable[Remote]) -> Iterator[Thing]:
    return (("address_groups", side.name) for side in sides if isinstance(side, AddressGroupRemote))


def _sides(lines: Iterable[AclRule]) -> Iterator[Remote]:
    return (side for line in lines for side in (line.source, line.destination))


def _home(vpc: str) -> Iterator[Thing]:
    if vpc:
        yield "vpcs", vpc


def _group_names(group: SecurityGroup) -> Iterator[Thing]:
    yield from _home(group.vpc)
    yield from _named(group.named)
    yield from (("port_lists", name) for name in group.port_lists)


def _acl_names(acl: NetworkAcl) -> Iterator[Thing]:
    yield from _home(acl.vpc)
    yield from _named(_sides(acl.rules))


def _vpc_names(vpc: Vpc) -> Iterator[Thing]:
    yield from (("acls", subnet.acl) for subnet in vpc.subnets.values() if subnet.acl)
    yield from _named(_sides(vpc.border))


def _peering_names(peering: Peering) -> Iterator[Thing]:
    yield from (("vpcs", name) for name in peering.vpcs)
    yield from _named(_sides(peering.firewall))


def _instance_names(instance: Instance) -> Iterator[Thing]:
    return (("vpcs", port.vpc) for port in instance.ports)


def _virtual_ip_names(vip: VirtualIp) -> Iterator[Thing]:
    yield "vpcs", vip.vpc
    yield from (("instances", port.partition(".")[0]) for port in vip.ports)


def _penalty_names(penalty: Penalty) -> Iterator[Thing]:
    yield "instances", penalty.target.partition(".")[0]


def _detached_names(detached: DetachedPort) -> Iterator[Thing]:
    yield "vpcs", detached.vpc
    if detached.port.parent:
        yield "detached", detached.port.parent


def _naming(
    section: str, things: Callable[[Any], Iterable[Thing]]
) -> Callable[[Any], Iterator[tuple[Thing, str, str]]]:
    return lambda value: ((thing, section, value.name) for thing in things(value))


def _asked(expectation: Expectation) -> Iterator[tuple[str, str, Expectation]]:
    ends = (expectation.query.source, expectation.query.destination)
    return ((key, "", expectation) for end in ends for key in {end_of(end), end})


PLACES: Facts = {
    "instances": _instance_places,
    "virtual_ips": _virtual_places,
    "outside": _outside_places,
    "detached": _detached_places,
}
WAYS: Facts = {"peerings": _ways}
IDS: Facts = {
    "groups": lambda group: _ids(group.rules, group.name, (0, group.name)),
    "acls": lambda acl: _ids(acl.rules, acl.name, (1, acl.name)),
    "vpcs": lambda vpc: _ids(vpc.border, vpc.border_owner, (2, vpc.name)),
    "peerings": lambda peering: _ids(peering.firewall, peering.firewall_owner, (3, peering.name)),
}
MEMBERS: Facts = {"instances": _memberships, "detached": _detached_memberships}
SIZES: Facts = {"instances": _sizes, "detached": _detached_sizes}
TIES: Facts = {"groups": _ties}
NAMES: Facts = {
    "groups": _naming("groups", _group_names),
    "acls": _naming("acls", _acl_names),
    "vpcs": _naming("vpcs", _vpc_names),
    "peerings": _naming("peerings", _peering_names),
    "instances": _naming("instances", _instance_names),
    "virtual_ips": _naming("virtual_ips", _virtual_ip_names),
    "penalties": _naming("penalties", _penalty_names),
    "detached": _naming("detached", _detached_names),
}
ASKED: Facts = {"expects": _asked}
