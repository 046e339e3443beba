"""The part of a world that some flows depend on: small enough for a ticket, and with the same verdicts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from ringfence.model.acl import AclRule
from ringfence.model.flow import Flow
from ringfence.model.group import SecurityGroup
from ringfence.model.port_list import NamedPorts
from ringfence.model.rule import AddressGroupRemote, GroupRemote, Rule
from ringfence.model.topology import Instance, OutsideHost, Port, VirtualIp, Vpc
from ringfence.model.world import World, by_name
from ringfence.policy.evaluate import Policy
from ringfence.policy.matching import End

Item = TypeVar("Item")


def part_of(world: World, flows: Iterable[Flow]) -> World:
    """What is on the way of some flows: the machines at their ends, and what guards those.

    Groups that are only named by a rule are there without rules; expectations are left out.
    """
    policy = Policy(world)
    ends = [end for flow in flows for end in policy.ends(flow)]
    return _Part(world, ends).world()


@dataclass(frozen=True)
class _Part:
    old: World
    ends: list[End]

    def world(self) -> World:
        old = self.old
        instances = self._instances()
        groups = self._groups(instances)
        vpcs = self._vpcs(instances, groups)
        acls = {subnet.acl for vpc in vpcs.values() for subnet in vpc.subnets.values() if subnet.acl}
        peerings = {name: it for name, it in old.peerings.items() if set(it.vpcs) <= vpcs.keys()}
        lines = [
            *(line for name in acls for line in old.acls[name].rules),
            *(line for vpc in vpcs.values() for line in vpc.border),
            *(line for peering in peerings.values() for line in peering.firewall),
        ]
        rules = [rule for group in groups.values() for rule in group.rules]
        return World(
            old.profile,
            vpcs,
            _kept(old.address_groups, {*_address_groups(rules), *_address_groups_of(lines)}),
            groups,
            instances,
            by_name(self._outside()),
            (),
            _kept(old.acls, acls),
            peerings,
            by_name(self._virtual_ips(instances)),
            {name: it for name, it in old.penalties.items() if name.partition(".")[0] in instances},
            _kept(old.port_lists, {rule.ports.name for rule in rules if isinstance(rule.ports, NamedPorts)}),
            old.limits,
        )

    def _instances(self) -> dict[str, Instance]:
        return _kept(self.old.instances, {end.port.instance for end in self.ends if end.port})

    def _groups(self, instances: Mapping[str, Instance]) -> dict[str, SecurityGroup]:
        """The groups of the machines' ports, and those that these name."""
        own = _kept(self.old.groups, {group for port in _ports(instances) for group in port.groups})
        named = {it.name for group in own.values() for it in group.named if isinstance(it, GroupRemote)}
        stubs = {name: replace(it, rules=()) for name, it in _kept(self.old.groups, named).items()}
        return _kept({**stubs, **own}, {*stubs, *own})

    def _vpcs(self, instances: Mapping[str, Instance], groups: Mapping[str, SecurityGroup]) -> dict[str, Vpc]:
        """The VPCs of ends, machines and groups, with the subnets that the machines are in."""
        names = {end.vpc.name for end in self.ends if end.vpc} | {port.vpc for port in _ports(instances)}
        names |= {group.vpc for group in groups.values() if group.vpc}
        used = {(port.vpc, port.subnet) for port in _ports(instances)}
        kept = _kept(self.old.vpcs, names)
        return {
            name: replace(vpc, subnets={key: it for key, it in vpc.subnets.items() if (name, key) in used})
            for name, vpc in kept.items()
        }

    def _virtual_ips(self, instances: Mapping[str, Instance]) -> Iterator[VirtualIp]:
        """Those that are an end, at the ports that are left; whoever has one is there."""
        addresses = {(end.vpc.name, end.address) for end in self.ends if end.vpc}
        known = {str(port) for port in _ports(instances)}
        for vip in self.old.virtual_ips.values():
            if vip.active in known and any((vip.vpc, address) in addresses for address in vip.addresses):
                yield replace(vip, ports=tuple(name for name in vip.ports if name in known))

    def _outside(self) -> Iterator[OutsideHost]:
        addresses = {end.address for end in self.ends if not end.vpc}
        return (host for host in self.old.outside.values() if addresses.intersection(host.addresses))


def _ports(instances: Mapping[str, Instance]) -> Iterator[Port]:
    return (port for instance in instances.values() for port in instance.ports)


def _kept(section: Mapping[str, Item], names: Iterable[str]) -> dict[str, Item]:
    return {name: section[name] for name in sorted(names) if name in section}


def _address_groups(rules: Iterable[Rule]) -> Iterator[str]:
    return (rule.remote.name for rule in rules if isinstance(rule.remote, AddressGroupRemote))


def _address_groups_of(lines: Iterable[AclRule]) -> Iterator[str]:
    sides = (side for line in lines for side in (line.source, line.destination))
    return (side.name for side in sides if isinstance(side, AddressGroupRemote))
