"""From resources to the World that they make, at the cost of what changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from operator import attrgetter
from typing import Any, cast

from ringfence.model.acl import NetworkAcl
from ringfence.model.flow import Expectation
from ringfence.model.group import AddressGroup, SecurityGroup
from ringfence.model.port_list import PortList
from ringfence.model.profile import HUAWEI, Profile
from ringfence.model.rule import Rule
from ringfence.model.topology import DetachedPort, Instance, Penalty, Port, Subnet, VirtualIp, Vpc
from ringfence.model.world import World
from ringfence.resources.kind import IDENTITY, Kind
from ringfence.resources.naming import Key
from ringfence.resources.resource import Resource, ResourceChange
from ringfence.resources.resource import by_kind as changes_by_kind
from ringfence.resources.values import Listing, Machine, Penalized, PortAt, Quota, RuleOf, SharedVpc

Resources = Mapping[Key, Resource]
Referrers = Callable[[Key], Iterable[Key]]
Named = dict[str, Any]
"""What becomes of the things of one section of a world, by name: the new value, or None."""


def world_after(world: World, resources: Resources, referrers: Referrers, changes: Iterable[ResourceChange]) -> World:
    """The world after some changes; ``resources`` and ``referrers`` are those after them already."""
    by_kind = changes_by_kind(changes)
    if by_kind.keys() <= IDENTITY:
        return world
    sections: dict[str, Any] = {
        "vpcs": _vpcs(world, resources, by_kind),
        "groups": _groups(world, resources, by_kind),
        "instances": _instances(resources, referrers, by_kind),
        "detached": _detached(by_kind.get(Kind.PORT, ())),
        "virtual_ips": _virtual_ips(resources, referrers, by_kind),
        "penalties": _penalties(resources, referrers, by_kind),
        "acls": _each(by_kind.get(Kind.ACL), _acl),
        "outside": _each(by_kind.get(Kind.OUTSIDE_HOST), _value),
        "peerings": _each(by_kind.get(Kind.PEERING), _value),
        "address_groups": _each(by_kind.get(Kind.ADDRESS_GROUP), _listed),
        "port_lists": _each(by_kind.get(Kind.PORT_LIST), _listed),
    }
    given = {name: section for name, section in sections.items() if section}
    if Kind.SETTINGS in by_kind:
        after = by_kind[Kind.SETTINGS][-1].after
        given["profile"] = cast("Profile", after.value) if after else HUAWEI
    if Kind.QUOTA in by_kind:
        given["limits"] = _limits(each for key, each in resources.items() if key.kind is Kind.QUOTA)
    if Kind.EXPECTATION in by_kind:
        given["expects"] = _expects(world.expects, resources, by_kind[Kind.EXPECTATION])
    return world.edited(**given) if given else world


def _value(resource: Resource) -> Any:
    return resource.value


def _each(changes: Iterable[ResourceChange] | None, make: Callable[[Resource], Any]) -> Named:
    return {change.key.id: make(change.after) if change.after else None for change in changes or ()}


def _listed(resource: Resource) -> AddressGroup | PortList:
    it: Any = cast("Listing", resource.value).listed
    ordered: AddressGroup | PortList = replace(it, entries=tuple(sorted(it.entries)))
    return ordered


def _acl(resource: Resource) -> NetworkAcl:
    return replace(cast("NetworkAcl", resource.value), description=resource.description)


def _vpcs(world: World, resources: Resources, by_kind: Mapping[Kind, list[ResourceChange]]) -> Named:
    subnets: dict[str, Named] = {change.key.id: {} for change in by_kind.get(Kind.VPC, ())}
    for change in by_kind.get(Kind.SUBNET, ()):
        subnet = cast("Subnet", change.resource.value)
        subnets.setdefault(subnet.vpc, {})[subnet.name] = change.after and subnet
    return {name: _vpc(world.vpcs.get(name), resources.get(Key(Kind.VPC, name)), its) for name, its in subnets.items()}


def _vpc(before: Vpc | None, resource: Resource | None, subnets: Named) -> Vpc | None:
    if resource is None:
        return None
    known = {**(before.subnets if before else {}), **subnets}
    return replace(
        cast("SharedVpc", resource.value).vpc,
        subnets={name: known[name] for name in sorted(known) if known[name] is not None},
    )


def _groups(world: World, resources: Resources, by_kind: Mapping[Kind, list[ResourceChange]]) -> Named:
    rules: dict[str, dict[str, Rule | None]] = {change.key.id: {} for change in by_kind.get(Kind.GROUP, ())}
    for change in by_kind.get(Kind.RULE, ()):
        resource = change.resource
        it = cast("RuleOf", resource.value)
        rules.setdefault(it.group, {})[resource.id] = it.rule if change.after else None
    return {
        name: _group(world.groups.get(name), resources.get(Key(Kind.GROUP, name)), its) for name, its in rules.items()
    }


def _group(
    before: SecurityGroup | None, resource: Resource | None, changed: Mapping[str, Rule | None]
) -> SecurityGroup | None:
    if resource is None:
        return None
    kept = [rule for rule in (before.rules if before else ()) if rule.given_id not in changed]
    rules = sorted((*kept, *filter(None, changed.values())), key=_in_a_group)
    value = cast("SecurityGroup", resource.value)
    return replace(
        value, rules=tuple(rules), description=resource.description, tags=resource.tags, account=resource.account
    )


_in_a_group = attrgetter("key", "given_id")


def _instances(resources: Resources, referrers: Referrers, by_kind: Mapping[Kind, list[ResourceChange]]) -> Named:
    touched = {change.key.id for change in by_kind.get(Kind.INSTANCE, ())}
    touched |= {_port(it).instance for change in by_kind.get(Kind.PORT, ()) for it in change if it}
    return {name: _instance(name, resources, referrers) for name in touched if name}


def _instance(name: str, resources: Resources, referrers: Referrers) -> Instance | None:
    """An instance with its ports; none while it has none."""
    key = Key(Kind.INSTANCE, name)
    resource = resources.get(key)
    ports = {each.id: cast("PortAt", resources[each].value) for each in referrers(key) if each.kind is Kind.PORT}
    if resource is None or not ports:
        return None
    own = sorted(ports.values(), key=lambda it: (it.index, it.port.name))
    ordered = tuple(_hung(it.port, ports) if it.port.parent else it.port for it in own)
    return Instance(name, ordered, cast("Machine", resource.value).serve, account=resource.account)


def _hung(port: Port, siblings: Mapping[str, PortAt]) -> Port:
    """A supplementary interface, which a world has hang off a port by that one's name."""
    parent = siblings.get(port.parent)
    return replace(port, parent=parent.port.name) if parent else port


def _port(resource: Resource) -> Port:
    return cast("PortAt", resource.value).port


def _detached(changes: Iterable[ResourceChange]) -> Named:
    """Ports that no instance has, by their ids: their names are nobody's."""
    found: Named = {}
    for change in changes:
        if any(it and not _port(it).instance for it in change):
            found[change.key.id] = _alone(change.after) if change.after else None
    return found


def _alone(resource: Resource) -> DetachedPort | None:
    port = _port(resource)
    return None if port.instance else DetachedPort(replace(port, name=resource.id), resource.account)


def _renamed(by_kind: Mapping[Kind, list[ResourceChange]]) -> Iterator[ResourceChange]:
    """The ports that a world knew by another name before: they have another instance."""
    for change in by_kind.get(Kind.PORT, ()):
        if change.before and change.after and _port(change.before).instance != _port(change.after).instance:
            yield change


def _port_name(resources: Resources, id_: str) -> str:
    """``instance.port`` of the port with an id."""
    found = resources.get(Key(Kind.PORT, id_))
    return full_name(found) if found else id_


def full_name(port: Resource) -> str:
    """What a world calls a port; where no instance has it, what nothing in the world is called."""
    return str(_port(port)) if _port(port).instance else f".{port.id}"


def _virtual_ips(resources: Resources, referrers: Referrers, by_kind: Mapping[Kind, list[ResourceChange]]) -> Named:
    found = _each(by_kind.get(Kind.VIRTUAL_IP), lambda it: _virtual_ip(it, resources))
    users = (user for change in _renamed(by_kind) for user in referrers(change.key))
    more = {user.id: _virtual_ip(resources[user], resources) for user in users if user.kind is Kind.VIRTUAL_IP}
    return more | found


def _virtual_ip(resource: Resource, resources: Resources) -> VirtualIp:
    vip = cast("VirtualIp", resource.value)
    ports = tuple(sorted(_port_name(resources, port) for port in vip.ports))
    return replace(vip, ports=ports, active=_port_name(resources, vip.active))


def _penalties(
    resources: Resources, referrers: Referrers, by_kind: Mapping[Kind, list[ResourceChange]]
) -> dict[str, Penalty | None]:
    """Who is cut off, and why: by the first of the penalties that are for the same instance or port."""
    changed = (each for change in by_kind.get(Kind.PENALTY, ()) for each in change if each)
    gone = {change.key: change.before for change in by_kind.get(Kind.PORT, ()) if change.before}
    found: dict[str, Penalty | None] = {}
    moved = [*_renamed(by_kind)]
    for change in moved:
        found[full_name(cast("Resource", change.before))] = None
    for key in {key for each in changed for key in each.refers}.union(change.key for change in moved):
        resource = resources.get(key) or gone.get(key)
        target = full_name(resource) if resource and key.kind is Kind.PORT else key.id
        left = sorted((resources[user] for user in referrers(key) if user.kind is Kind.PENALTY), key=lambda it: it.id)
        if left:
            found[target] = Penalty(target, cast("Penalized", left[0].value).reason)
        else:  # unless another port that has taken this one's name is cut off
            found.setdefault(target, None)
    return found


def _limits(quotas: Iterable[Resource]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for quota in sorted((cast("Quota", each.value) for each in quotas), key=lambda it: it.target):
        found.setdefault(quota.target, {}).update(quota.limits)
    return found


def _expects(
    known: tuple[Expectation, ...], resources: Resources, changes: Iterable[ResourceChange]
) -> tuple[Expectation, ...]:
    """What each account expects, each once, however often it is said."""
    made = tuple(changes)
    if any(change.before for change in made):
        values = {_expected(it) for key, it in resources.items() if key.kind is Kind.EXPECTATION}
    else:
        values = {*known, *(_expected(change.resource) for change in made)}
    return tuple(sorted(values, key=lambda it: (str(it), it.account)))


def _expected(resource: Resource) -> Expectation:
    return replace(cast("Expectation", resource.value), account=resource.account)
