"""The resources that there are to be, so that an account has what a world file says.

What is there keeps what a file cannot say; what is not is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, cast

from ringfence.control.authority import OPERATOR
from ringfence.control.basic import TAGS
from ringfence.control.exporting import own_rule
from ringfence.control.line_ids import identified
from ringfence.control.there import SETTINGS, Slot, There
from ringfence.control.wanted import Wanted, wrong
from ringfence.model.acl import NetworkAcl
from ringfence.model.group import AddressGroup, SecurityGroup
from ringfence.model.port_list import PortList
from ringfence.model.topology import Instance, OutsideHost, Port
from ringfence.model.world import World
from ringfence.resources.kind import SECTIONS, Kind
from ringfence.resources.resource import Resource, common_problems, refuse
from ringfence.resources.values import Listing, Machine, Penalized, PortAt, RuleOf, SharedVpc, Value, listing


@dataclass(frozen=True)
class Declared:
    """What there is to be; ``at`` is when."""

    wanted: Wanted
    there: There
    at: str

    @cached_property
    def ports(self) -> Mapping[str, Resource]:
        """The ports that there are to be, by ``instance.port`` in ids."""
        made = (port for instance in self.wanted.in_ids.instances.values() for port in self._ports_of(instance))
        return {str(cast("PortAt", port.value).port): port for port in made}

    def resources(self) -> Iterator[tuple[Slot, Resource]]:
        """What there is to be."""
        world, names = self.wanted.in_ids, {section: _turned(pairs) for section, pairs in self.wanted.ids.items()}
        for kind, section in SECTIONS.items():
            for id_, value in getattr(world, section).items():
                name = names[section][id_]
                if not self.wanted.is_foreign(section, name):
                    slot = (kind, id_, "")
                    yield slot, self._resource(slot, id_, _VALUES[kind](self, slot, value), name, **_told(value))
        for vpc in world.vpcs.values():
            if not self.wanted.is_foreign("vpcs", vpc.name):
                called = {self.wanted.ids["subnets"][f"{names['vpcs'][vpc.name]}/{it}"]: it
                          for it in self.wanted.world.vpcs[names["vpcs"][vpc.name]].subnets}  # fmt: skip
                for id_, subnet in vpc.subnets.items():
                    slot = (Kind.SUBNET, id_, "")
                    yield slot, self._resource(slot, id_, subnet, called[id_])
        yield from self._parts(world)
        if world.profile != self.wanted.state.world.profile:
            yield SETTINGS, self._settings(world)

    def _parts(self, world: World) -> Iterator[tuple[Slot, Resource]]:
        """What has no name of its own."""
        for group in world.groups.values():
            for rule in group.rules if not group.account else ():
                yield self._rule(group.name, own_rule(rule, self.wanted.caller.account))
        for port in self.ports.values():
            it = cast("PortAt", port.value).port
            yield (Kind.PORT, it.name, it.instance), port
        for expectation in world.expects:
            slot = (Kind.EXPECTATION, str(expectation), "")
            yield slot, self._resource(slot, "", expectation, "")
        for penalty in world.penalties.values():
            slot = (Kind.PENALTY, penalty.target, "")
            port_id = self.ports[penalty.target].id if penalty.target in self.ports else ""
            value = Penalized("" if port_id else penalty.target, port_id, penalty.reason)
            yield slot, self._resource(slot, "", value, "")

    def _rule(self, group: str, rule: Any) -> tuple[Slot, Resource]:
        slot = (Kind.RULE, rule.key, group)
        there = self.there.by_slot.get(slot)
        id_ = there.id if there else self.wanted.new_id(Kind.RULE, "")
        remote = cast("RuleOf", there.value).rule.remote if there else rule.remote  # it may name its own account
        value = RuleOf(group, replace(rule, given_id=id_, remote=remote))
        return slot, self._resource(slot, id_, value, "", description=rule.description)

    def _named(self, at: PortAt) -> Port:
        """A port that hangs off another by that one's name, as a world has it."""
        parent = self.wanted.state.get(Kind.PORT, at.port.parent)
        return replace(at.port, parent=parent.name) if parent else at.port

    def _ports_of(self, instance: Instance) -> Iterator[Resource]:
        """The ports of an instance, with the indices that they have as far as the order holds."""
        last, ids, found = (-1, ""), dict[str, str](), list[Resource]()
        for port in instance.ports:
            slot = (Kind.PORT, port.name, instance.name)
            there = self.there.by_slot.get(slot)
            old = cast("PortAt", there.value) if there else None
            index = old.index if old and (old.index, port.name) > last else last[0] + 1
            last = (index, port.name)
            moved = old is not None and _place(self._named(old)) != _place(port)
            id_ = there.id if there and not moved else self.wanted.new_id(Kind.PORT, f"{instance.name}.{port.name}")
            ids[port.name] = id_
            value = PortAt(index, port, old.label if old else "")
            found.append(self._resource(slot, id_, value, port.name, fresh=moved))
        yield from (_hung(port, ids) for port in found)

    def _settings(self, world: World) -> Resource:
        if self.wanted.caller.account != OPERATOR:
            what = "the file's profile is not the service's"
            right = "set profile and switches at the VPCs, or have the operator change the settings"
            raise wrong("profile", what, right, world.profile.name, "input.profile")
        made = Resource(Kind.SETTINGS, Kind.SETTINGS.value, OPERATOR, world.profile, created=self.at)
        return self._resource(SETTINGS, made.id, world.profile, "")

    def _resource(self, slot: Slot, id_: str, value: Value, name: str, *, fresh: bool = False, **told: Any) -> Resource:
        """The resource in a slot: the one that is there with another value, or a new one."""
        there = self.there.by_slot.get(slot)
        if there and not fresh:
            return replace(there, value=value, **told)
        kind = slot[0]
        refuse(common_problems({"name": name, **told}, TAGS))
        return Resource(
            kind, id_ or self.wanted.new_id(kind, ""), self.wanted.caller.account, value, name, created=self.at, **told
        )


def _turned(pairs: Mapping[str, str]) -> Mapping[str, str]:
    return {value: key for key, value in pairs.items()}


def _told(value: Any) -> dict[str, Any]:
    """What a world file says of a thing that is not in its value."""
    told = {"description": value.description} if hasattr(value, "description") else {}
    return told | ({"tags": dict(value.tags)} if isinstance(value, SecurityGroup) else {})


def _identified(declared: Declared, slot: Slot, value: Value) -> Value:
    """What has lines, with the ids of those that are there and say the same."""
    there = declared.there.by_slot.get(slot)
    return identified(there.value if there else None, value, declared.wanted.caller.ids)


def _vpc_value(declared: Declared, slot: Slot, vpc: Any) -> Value:
    there = declared.there.by_slot.get(slot)
    shared = cast("SharedVpc", there.value).shared_with if there else ()
    own = SharedVpc(replace(vpc, subnets={}, account=declared.wanted.caller.account), shared)
    return _identified(declared, slot, own)


def _group_value(declared: Declared, _: Slot, group: SecurityGroup) -> Value:
    return replace(group, rules=(), description="", tags={}, account=declared.wanted.caller.account)


def _place(port: Port) -> tuple[object, ...]:
    """What of a port cannot be changed."""
    return port.vpc, port.subnet, port.parent, port.vlan


def _hung(port: Resource, ids: Mapping[str, str]) -> Resource:
    """A port with the id of what it hangs off, in place of the name."""
    at = cast("PortAt", port.value)
    parent = ids.get(at.port.parent)
    return replace(port, value=replace(at, port=replace(at.port, parent=parent))) if parent else port


def _machine(declared: Declared, slot: Slot, instance: Instance) -> Value:
    there = declared.there.by_slot.get(slot)
    machine = cast("Machine", there.value) if there else Machine()
    return replace(machine, serve=tuple(sorted(instance.serve, key=str)))


def _acl_value(declared: Declared, slot: Slot, acl: NetworkAcl) -> Value:
    return _identified(declared, slot, replace(acl, description="", account=declared.wanted.caller.account))


def _host(declared: Declared, _: Slot, host: OutsideHost) -> Value:
    return replace(host, account=declared.wanted.caller.account)


def _listing(declared: Declared, slot: Slot, said: AddressGroup | PortList) -> Value:
    """A list with what a file cannot say: remarks, and the order of the entries that stay, which means nothing.

    The family follows the entries, if there are any.
    """
    there = declared.there.by_slot.get(slot)
    old = cast("Listing", there.value) if there else None
    places: Mapping[Any, int] = {entry: place for place, entry in enumerate(old.listed.entries if old else ())}
    entries: Any = tuple(sorted(said.entries, key=lambda entry: places.get(entry, len(places))))
    made = listing(replace(said, entries=entries, account=declared.wanted.caller.account), old.remarks if old else {})
    return made if made.family or old is None else replace(made, family=old.family)


def _virtual_ip(declared: Declared, _: Slot, vip: Any) -> Value:
    ports = {name: declared.ports[name].id for name in (*vip.ports, vip.active)}
    return cast("Value", replace(vip, ports=tuple(sorted(ports[name] for name in vip.ports)), active=ports[vip.active]))


_VALUES: Mapping[Kind, Callable[[Declared, Slot, Any], Value]] = {
    Kind.VPC: _vpc_value,
    Kind.GROUP: _group_value,
    Kind.ADDRESS_GROUP: _listing,
    Kind.PORT_LIST: _listing,
    Kind.ACL: _acl_value,
    Kind.PEERING: _identified,
    Kind.INSTANCE: _machine,
    Kind.VIRTUAL_IP: _virtual_ip,
    Kind.OUTSIDE_HOST: _host,
}
"""The value of a resource by that of a world."""
