"""The same world with its things called otherwise, wherever they are mentioned.

What is stored is a world in ids; people are shown one in names, and give one in names back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from operator import attrgetter

from ringfence.errors import NotationError
from ringfence.model.acl import AclRule, Side
from ringfence.model.address import Address
from ringfence.model.flow import Expectation
from ringfence.model.group import SecurityGroup
from ringfence.model.names import check_name
from ringfence.model.port_list import NamedPorts, RulePorts
from ringfence.model.rule import AddressGroupRemote, GroupRemote, Remote, Rule, parse_remote
from ringfence.model.topology import DetachedPort, Instance, Peering, Port, Subnet, VirtualIp, Vpc
from ringfence.model.world import World, by_name

Names = Mapping[str, Mapping[str, str]]
"""New names by old ones, by kind; kinds are called as in `World`, and ``subnets`` by ``vpc/subnet`` give the new name
of the subnet alone. What is not mentioned keeps its name."""

KINDS = (
    *("vpcs", "subnets", "groups", "address_groups", "port_lists", "acls", "peerings", "instances", "virtual_ips"),
    "outside",
)
"""What can be renamed. Ports keep their names within the instance."""
_ENDS = ("instances", "virtual_ips", "outside")
"""The kinds that share their names, since a flow may name any of them as its end."""


def renamed(world: World, names: Names) -> World:
    """The world under other names. Verdicts stay; ids that rules derive from their group's name do not.

    Raises `NotationError` where two things would be one, a new name is not fit to be one, or a kind is none of `KINDS`.
    """
    for kind in names.keys() - set(KINDS):
        raise NotationError(f"{kind!r} is nothing that has a name", f"use {', '.join(KINDS)}")
    _check_names(names)
    _check_apart(world, names)
    return _Renaming(world, names).world()


def _check_names(names: Names) -> None:
    for kind, pairs in names.items():
        for new in pairs.values():
            check_name(new, dots=kind not in _ENDS)
            if kind == "address_groups" and not isinstance(parse_remote(new), AddressGroupRemote):
                raise NotationError(f"the name {new!r} reads as an address", "choose another one")
            if kind == "port_lists":
                NamedPorts(new)


def _is_address(text: str) -> bool:
    try:
        Address.parse(text)
    except NotationError:
        return False
    return True


def _check_apart(world: World, names: Names) -> None:
    """Refuse names by which two things of a kind, two subnets of a VPC or two ends of flows would be one."""
    for kind in KINDS:
        if kind not in (*_ENDS, "subnets"):
            _check_list(kind, getattr(world, kind), names.get(kind, {}))
    for vpc in world.vpcs.values():
        own = {name: _subnet(names, vpc.name, name) for name in vpc.subnets}
        _check_list(f"subnets of VPC {vpc.name}", own, own)
    ends = [(kind, name) for kind in _ENDS for name in getattr(world, kind)]
    # Under one key each, so that an instance and a host outside are two things.
    pairs = {f"{kind} {name}": names.get(kind, {}).get(name, name) for kind, name in ends}
    _check_list("instances, virtual IPs and hosts outside", pairs, pairs)


def _check_list(what: str, old: Iterable[str], pairs: Mapping[str, str]) -> None:
    seen: dict[str, str] = {}
    for name in old:
        new = pairs.get(name, name)
        if new in seen:
            raise NotationError(f"two of the {what} would be {new!r}: {seen[new]} and {name}", "give each its own name")
        seen[new] = name


def _subnet(names: Names, vpc: str, subnet: str) -> str:
    return names.get("subnets", {}).get(f"{vpc}/{subnet}", subnet)


@dataclass(frozen=True)
class _Renaming:
    """One renaming of one world."""

    old: World
    names: Names

    def called(self, kind: str, name: str) -> str:
        return self.names.get(kind, {}).get(name, name)

    def world(self) -> World:
        old, called = self.old, self.called
        return replace(
            old,
            vpcs=by_name(map(self.vpc, old.vpcs.values())),
            address_groups=by_name(
                replace(it, name=called("address_groups", it.name)) for it in old.address_groups.values()
            ),
            port_lists=by_name(replace(it, name=called("port_lists", it.name)) for it in old.port_lists.values()),
            groups=by_name(map(self.group, old.groups.values())),
            instances=by_name(map(self.instance, old.instances.values())),
            outside=by_name(replace(it, name=called("outside", it.name)) for it in old.outside.values()),
            expects=tuple(map(self.expectation, old.expects)),
            acls=by_name(
                replace(it, name=called("acls", it.name), vpc=called("vpcs", it.vpc), rules=self.lines(it.rules))
                for it in old.acls.values()
            ),
            peerings=by_name(map(self.peering, old.peerings.values())),
            virtual_ips=by_name(map(self.virtual_ip, old.virtual_ips.values())),
            penalties=by_name(replace(it, target=self.port_name(it.target)) for it in old.penalties.values()),
            detached=by_name(map(self.detached, old.detached.values())),
        )

    def vpc(self, vpc: Vpc) -> Vpc:
        name = self.called("vpcs", vpc.name)
        subnets = sorted(self.subnets(vpc, name), key=attrgetter("name"))
        own = {subnet.name: subnet for subnet in subnets}
        return replace(vpc, name=name, subnets=own, border=self.lines(vpc.border))

    def subnets(self, vpc: Vpc, name: str) -> Iterator[Subnet]:
        for subnet in vpc.subnets.values():
            own = _subnet(self.names, vpc.name, subnet.name)
            yield replace(subnet, name=own, vpc=name, acl=self.called("acls", subnet.acl))

    def group(self, group: SecurityGroup) -> SecurityGroup:
        rules = tuple(map(self.rule, group.rules))
        name, vpc = self.called("groups", group.name), self.called("vpcs", group.vpc)
        return replace(group, name=name, vpc=vpc, rules=rules)

    def rule(self, rule: Rule) -> Rule:
        """A rule; as it is where it names nothing that is called otherwise: most do not."""
        remote, ports = self.remote(rule.remote), self.ports(rule.ports)
        if remote is rule.remote and ports is rule.ports:
            return rule
        return replace(rule, remote=remote, ports=ports)

    def remote(self, remote: Remote) -> Remote:
        if isinstance(remote, GroupRemote):
            name = self.called("groups", remote.name)
            return remote if name == remote.name else replace(remote, name=name)
        return self.side(remote)

    def side(self, side: Side) -> Side:
        if isinstance(side, AddressGroupRemote):
            name = self.called("address_groups", side.name)
            return side if name == side.name else AddressGroupRemote(name)
        return side

    def ports(self, ports: RulePorts) -> RulePorts:
        if isinstance(ports, NamedPorts):
            name = self.called("port_lists", ports.name)
            return ports if name == ports.name else NamedPorts(name)
        return ports

    def lines(self, lines: Iterable[AclRule]) -> tuple[AclRule, ...]:
        return tuple(
            replace(line, source=self.side(line.source), destination=self.side(line.destination)) for line in lines
        )

    def instance(self, instance: Instance) -> Instance:
        name = self.called("instances", instance.name)
        return replace(instance, name=name, ports=tuple(self.port(port, name) for port in instance.ports))

    def port(self, port: Port, instance: str) -> Port:
        return replace(
            port,
            instance=instance,
            subnet=_subnet(self.names, port.vpc, port.subnet),
            vpc=self.called("vpcs", port.vpc),
            groups=tuple(self.called("groups", group) for group in port.groups),
        )

    def peering(self, peering: Peering) -> Peering:
        one, two = sorted(self.called("vpcs", vpc) for vpc in peering.vpcs)  # a world file gives them in this order
        name = self.called("peerings", peering.name)
        return replace(peering, name=name, vpcs=(one, two), firewall=self.lines(peering.firewall))

    def virtual_ip(self, vip: VirtualIp) -> VirtualIp:
        return replace(
            vip,
            name=self.called("virtual_ips", vip.name),
            subnet=_subnet(self.names, vip.vpc, vip.subnet),
            vpc=self.called("vpcs", vip.vpc),
            ports=tuple(map(self.port_name, vip.ports)),
            active=self.port_name(vip.active),
        )

    def detached(self, detached: DetachedPort) -> DetachedPort:
        """One without an instance is known by its id, which is no name that people wrote."""
        return replace(detached, port=self.port(detached.port, detached.port.instance))

    def port_name(self, name: str) -> str:
        """``instance`` or ``instance.port``."""
        instance, dot, port = name.partition(".")
        return self.called("instances", instance) + dot + port

    def expectation(self, expectation: Expectation) -> Expectation:
        query = expectation.query
        source, destination = self.end(query.source), self.end(query.destination)
        return replace(expectation, query=replace(query, source=source, destination=destination))

    def end(self, name: str) -> str:
        """An end of a flow, as `World.resolve` looks for it; a literal address stays."""
        if _is_address(name):
            return name
        if name in self.old.outside:
            return self.called("outside", name)
        return self.called("virtual_ips", name) if name in self.old.virtual_ips else self.port_name(name)
