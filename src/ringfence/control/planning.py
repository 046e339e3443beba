"""What would have to change so that an account has what a world file says: resource by resource.

Things are matched by kind and name, subnets within their VPC, ports within their instance, rules by what they say,
expectations by their text, penalties by whom they hit. Left alone is what a world file cannot say, what is another
account's, and what the file does not speak of though it is not the caller's to remove: content of managed services,
default groups, and the blocks of the platform.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, cast

from ringfence.control.authority import OPERATOR
from ringfence.control.basic import TAGS
from ringfence.control.caller import Caller
from ringfence.control.checks import check, service_of
from ringfence.control.exporting import own_acl, own_group, own_rule, own_vpc, plain_lines, world_of
from ringfence.control.ids import new_id
from ringfence.control.kinds import OPERATORS_ONLY
from ringfence.control.line_ids import identified
from ringfence.control.naming import Naming, shared_vpcs
from ringfence.control.view import View
from ringfence.errors import FieldProblem, InvalidFields
from ringfence.model.acl import NetworkAcl
from ringfence.model.flow import Expectation
from ringfence.model.group import DEFAULT_GROUP, AddressGroup, SecurityGroup
from ringfence.model.port_list import PortList
from ringfence.model.renaming import renamed
from ringfence.model.topology import Instance, OutsideHost, Port
from ringfence.model.world import World, by_name
from ringfence.resources.kind import LIKE_A_WORLD_FILE, SECTIONS, Kind
from ringfence.resources.naming import Key
from ringfence.resources.resource import Resource, ResourceChange, common_problems, refuse
from ringfence.resources.state import State
from ringfence.resources.values import Listing, Machine, Penalized, PortAt, RuleOf, SharedVpc, Value, listing

_FIXED: Mapping[str, tuple[str, ...]] = {
    "groups": ("vpc", "profile", "type", "managed"),
    "acls": ("vpc",),
    "peerings": ("vpcs",),
    "address_groups": ("max_entries",),
    "port_lists": ("max_entries",),
    "virtual_ips": ("vpc", "subnet"),
}
"""What cannot be changed of a thing: another one takes its place, and its name."""
_ORDER = {
    kind: number
    for number, kind in enumerate(
        (
            *(Kind.SETTINGS, Kind.VPC, Kind.ADDRESS_GROUP, Kind.PORT_LIST, Kind.ACL, Kind.SUBNET, Kind.PEERING),
            *(Kind.GROUP, Kind.RULE, Kind.INSTANCE, Kind.PORT, Kind.VIRTUAL_IP, Kind.PENALTY, Kind.OUTSIDE_HOST),
            Kind.EXPECTATION,
        )
    )
}
"""What is referred to comes before what refers to it."""
Slot = tuple[Kind, str, str]
"""What a thing is known by: its kind, its id or what it says, and whose part it is."""
_SETTINGS: Slot = (Kind.SETTINGS, Kind.SETTINGS.value, "")


@dataclass(frozen=True)
class Plan:
    """The changes in an order in which each could be made by itself, and the states around them."""

    before: State
    after: State
    changes: tuple[ResourceChange, ...]
    account: str

    @cached_property
    def views(self) -> tuple[View, View]:
        """What the account sees before and after."""
        return View(self.before, self.account), View(self.after, self.account)


def plan(state: State, caller: Caller, wanted: World, at: str) -> Plan:
    """What an account would have to change to have what a world file says; ``at`` is when.

    Raises `InvalidFields` for what the service would not take, and what `ringfence.control.checks` says of the result.
    """
    changes = _Planner(state, caller, wanted, at).changes()
    after = state.after(state.revision + bool(changes), changes)
    try:
        check(state, after, changes, caller)
    except InvalidFields as error:
        raise InvalidFields(tuple(_in_names(error, Naming(after, caller.account)))) from None
    return Plan(state, after, changes, caller.account)


def _in_names(error: InvalidFields, naming: Naming) -> Iterator[FieldProblem]:
    """What is wrong, in the names of the file."""
    for it in error.problems:
        field = ".".join(map(naming.words, it.field.split(".")))
        yield replace(it, field=field, what=naming.words(it.what), right=naming.words(it.right))


@dataclass(frozen=True)
class _Planner:
    state: State
    caller: Caller
    said: World
    at: str
    _made: set[Key] = field(default_factory=set)
    """What got an id so far: two subnets of two VPCs may have one name."""

    @cached_property
    def _naming(self) -> Naming:
        return Naming(self.state, self.caller.account)

    @cached_property
    def _wanted(self) -> World:
        """What is wanted, as an export says it."""
        said, account = self.said, self.caller.account
        for instance in said.instances.values():
            if instance.account not in ("", account):
                what = f"instance {instance} belongs to account {instance.account}"
                raise _wrong(f"instances.{instance}.account", what, "leave it out of this file", instance.account)
        return replace(
            said,
            vpcs=by_name(map(own_vpc, said.vpcs.values())),
            groups=by_name(self._group(group) for group in said.groups.values()),
            acls=by_name(map(own_acl, said.acls.values())),
            peerings=by_name(replace(it, firewall=plain_lines(it.firewall)) for it in said.peerings.values()),
        )

    def _group(self, group: SecurityGroup) -> SecurityGroup:
        account = self.caller.account
        return own_group(group, account) if group.account in ("", account) else replace(group, rules=())

    @cached_property
    def _foreign(self) -> Mapping[str, set[str]]:
        """Names in the file that are ids of other accounts' things."""
        own = self._naming.ids["vpcs"]
        shared = {it.id for it in shared_vpcs(self.state, self.caller.account)} - own.keys()
        groups = {it.name for it in self._wanted.groups.values() if it.account}
        for name in sorted(groups):
            found, account = self.state.get(Kind.GROUP, name), self._wanted.groups[name].account
            if found is None or found.account != account:
                what = f"account {account} has no group {name!r}"
                raise _wrong(f"groups.{name}", what, "give the id of the group", name, "InvalidSourceGroupId.NotFound")
        return {"vpcs": shared & self._wanted.vpcs.keys(), "groups": groups}

    def _is_foreign(self, section: str, name: str) -> bool:
        return name in self._foreign.get(section, ())

    # --- names to ids

    @cached_property
    def _ids(self) -> Mapping[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        for kind, section in SECTIONS.items():
            found[section] = {name: self._id(kind, name) for name in getattr(self._wanted, section)}
        found["subnets"] = {}
        for vpc in self._wanted.vpcs.values():
            for name in vpc.subnets:
                known = self._naming.ids["subnets"].get(f"{found['vpcs'][vpc.name]}/{name}")
                made = name if self._is_foreign("vpcs", vpc.name) else known or self._new_id(Kind.SUBNET, name)
                found["subnets"][f"{vpc.name}/{name}"] = made
        return found

    def _id(self, kind: Kind, name: str) -> str:
        section = SECTIONS[kind]
        if self._is_foreign(section, name):
            return name
        known = self._naming.ids[section].get(name)
        return known if known and not self._is_replaced(section, name) else self._new_id(kind, name)

    @cached_property
    def _current(self) -> World:
        return world_of(self.state, self.caller.account)

    def _is_replaced(self, section: str, name: str) -> bool:
        old, new = getattr(self._current, section).get(name), getattr(self._wanted, section)[name]
        return old is not None and any(getattr(old, it) != getattr(new, it) for it in _FIXED.get(section, ()))

    def _new_id(self, kind: Kind, name: str) -> str:
        style, speaking = self.caller.ids, self.caller.account == OPERATOR
        made = new_id(kind, name, style=style, speaking=speaking, taken=lambda id_: self._is_taken(Key(kind, id_)))
        self._made.add(Key(kind, made))
        return made

    def _is_taken(self, key: Key) -> bool:
        return key in self.state.resources or key in self._made

    # --- what there is, and what there is to be

    @cached_property
    def _there(self) -> Mapping[Slot, Resource]:
        """What the account has that a world file can say."""
        own = (it for kind in LIKE_A_WORLD_FILE for it in self.state.owned(self.caller.account, kind))
        found = {slot: it for it in own if (slot := self._slot(it))}
        settings = self.state.get(Kind.SETTINGS, Kind.SETTINGS.value)
        return found | ({_SETTINGS: settings} if settings else {})

    def _slot(self, resource: Resource) -> Slot | None:
        kind, value = resource.kind, resource.value
        match value:
            case RuleOf():
                return kind, own_rule(value.rule, resource.account).key, value.group
            case PortAt():
                return (kind, value.port.name, value.port.instance) if value.port.instance else None
            case Expectation():
                return kind, str(value), ""
            case Penalized():
                port = self.state.get(Kind.PORT, value.port)
                return kind, str(cast("PortAt", port.value).port) if port else value.instance, ""
        return kind, resource.id, ""

    @cached_property
    def _ports(self) -> Mapping[str, Resource]:
        """The ports that there are to be, by ``instance.port`` in ids."""
        made = (port for instance in self._in_ids.instances.values() for port in self._ports_of(instance))
        return {str(cast("PortAt", port.value).port): port for port in made}

    @cached_property
    def _in_ids(self) -> World:
        return renamed(self._wanted, self._ids)

    def _resources(self) -> Iterator[tuple[Slot, Resource]]:
        """What there is to be."""
        world, names = self._in_ids, {section: _turned(pairs) for section, pairs in self._ids.items()}
        for kind, section in SECTIONS.items():
            for id_, value in getattr(world, section).items():
                name = names[section][id_]
                if not self._is_foreign(section, name):
                    slot = (kind, id_, "")
                    yield slot, self._resource(slot, id_, _VALUES[kind](self, slot, value), name, **_told(value))
        for vpc in world.vpcs.values():
            if not self._is_foreign("vpcs", vpc.name):
                called = {self._ids["subnets"][f"{names['vpcs'][vpc.name]}/{it}"]: it
                          for it in self._wanted.vpcs[names["vpcs"][vpc.name]].subnets}  # fmt: skip
                for id_, subnet in vpc.subnets.items():
                    slot = (Kind.SUBNET, id_, "")
                    yield slot, self._resource(slot, id_, subnet, called[id_])
        yield from self._parts(world)
        if world.profile != self.state.world.profile:
            yield _SETTINGS, self._settings(world)

    def _parts(self, world: World) -> Iterator[tuple[Slot, Resource]]:
        """What has no name of its own."""
        for group in world.groups.values():
            for rule in group.rules if not group.account else ():
                yield self._rule(group.name, own_rule(rule, self.caller.account))
        for port in self._ports.values():
            it = cast("PortAt", port.value).port
            yield (Kind.PORT, it.name, it.instance), port
        for expectation in world.expects:
            slot = (Kind.EXPECTATION, str(expectation), "")
            yield slot, self._resource(slot, "", expectation, "")
        for penalty in world.penalties.values():
            slot = (Kind.PENALTY, penalty.target, "")
            port_id = self._ports[penalty.target].id if penalty.target in self._ports else ""
            value = Penalized("" if port_id else penalty.target, port_id, penalty.reason)
            yield slot, self._resource(slot, "", value, "")

    def _rule(self, group: str, rule: Any) -> tuple[Slot, Resource]:
        slot = (Kind.RULE, rule.key, group)
        there = self._there.get(slot)
        id_ = there.id if there else self._new_id(Kind.RULE, "")
        remote = cast("RuleOf", there.value).rule.remote if there else rule.remote  # it may name its own account
        value = RuleOf(group, replace(rule, given_id=id_, remote=remote))
        return slot, self._resource(slot, id_, value, "", description=rule.description)

    def _named(self, at: PortAt) -> Port:
        """A port that hangs off another by that one's name, as a world has it."""
        parent = self.state.get(Kind.PORT, at.port.parent)
        return replace(at.port, parent=parent.name) if parent else at.port

    def _ports_of(self, instance: Instance) -> Iterator[Resource]:
        """The ports of an instance, with the indices that they have as far as the order holds."""
        last, ids, found = (-1, ""), dict[str, str](), list[Resource]()
        for port in instance.ports:
            slot = (Kind.PORT, port.name, instance.name)
            there = self._there.get(slot)
            old = cast("PortAt", there.value) if there else None
            index = old.index if old and (old.index, port.name) > last else last[0] + 1
            last = (index, port.name)
            moved = old is not None and _place(self._named(old)) != _place(port)
            id_ = there.id if there and not moved else self._new_id(Kind.PORT, f"{instance.name}.{port.name}")
            ids[port.name] = id_
            value = PortAt(index, port, old.label if old else "")
            found.append(self._resource(slot, id_, value, port.name, fresh=moved))
        yield from (_hung(port, ids) for port in found)

    def _settings(self, world: World) -> Resource:
        if self.caller.account != OPERATOR:
            what = "the file's profile is not the service's"
            right = "set profile and switches at the VPCs, or have the operator change the settings"
            raise _wrong("profile", what, right, world.profile.name, "input.profile")
        made = Resource(Kind.SETTINGS, Kind.SETTINGS.value, OPERATOR, world.profile, created=self.at)
        return self._resource(_SETTINGS, made.id, world.profile, "")

    def _resource(self, slot: Slot, id_: str, value: Value, name: str, *, fresh: bool = False, **told: Any) -> Resource:
        """The resource in a slot: the one that is there with another value, or a new one."""
        there = self._there.get(slot)
        if there and not fresh:
            return replace(there, value=value, **told)
        kind = slot[0]
        refuse(common_problems({"name": name, **told}, TAGS))
        return Resource(kind, id_ or self._new_id(kind, ""), self.caller.account, value, name, created=self.at, **told)

    # --- the difference

    def changes(self) -> tuple[ResourceChange, ...]:
        """The changes in their order."""
        wanted = dict(self._resources())
        made = [change for slot, it in wanted.items() for change in self._changes_at(slot, it)]
        gone = [
            ResourceChange(it, None)
            for slot, it in self._there.items()
            if slot not in wanted and slot != _SETTINGS and not self._is_left_alone(it)
        ]
        come = [change for change in made if change.after]
        gone += [change for change in made if not change.after]
        come.sort(key=lambda change: (_ORDER[change.key.kind], change.before is not None))
        gone.sort(key=lambda change: -_ORDER[change.key.kind])
        return (*come, *gone)

    def _changes_at(self, slot: Slot, wanted: Resource) -> Iterator[ResourceChange]:
        there = self._there.get(slot)
        if there is None or there.id != wanted.id:
            yield ResourceChange(None, wanted)
        elif there != wanted:
            refuse(common_problems({"description": wanted.description, "tags": wanted.tags}, TAGS))
            refuse(_fixed_problems(there, wanted))
            yield ResourceChange(there, wanted)
        if there is not None and there.id != wanted.id:
            yield ResourceChange(there, None)

    def _is_left_alone(self, resource: Resource) -> bool:
        """Whether what the file does not speak of stays nevertheless."""
        value = resource.value
        if (service := service_of(resource)) and service != self.caller.service:
            return True
        if resource.kind in OPERATORS_ONLY and not self.caller.operator:
            return True
        if isinstance(value, RuleOf):
            group = self.state.get(Kind.GROUP, value.group)
            return group is not None and value.group not in self._in_ids.groups and self._is_left_alone(group)
        if isinstance(value, Machine):
            return resource.id not in self.state.world.instances
        if isinstance(value, SecurityGroup) and resource.name == DEFAULT_GROUP:
            replaced = self._naming.called("groups", resource.id) in self._wanted.groups
            return not replaced and (not value.vpc or value.vpc in self._in_ids.vpcs)
        return False


def _turned(pairs: Mapping[str, str]) -> Mapping[str, str]:
    return {value: key for key, value in pairs.items()}


def _told(value: Any) -> dict[str, Any]:
    """What a world file says of a thing that is not in its value."""
    told = {"description": value.description} if hasattr(value, "description") else {}
    return told | ({"tags": dict(value.tags)} if isinstance(value, SecurityGroup) else {})


def _fixed_problems(old: Resource, new: Resource) -> Iterator[FieldProblem]:
    """What cannot be changed of VPCs and subnets, which are not replaced: too much is in them."""
    if old.kind in (Kind.VPC, Kind.SUBNET):
        before, after = old.form.show(old.value), new.form.show(new.value)
        for each in old.form.fields:
            if each.fixed and before[each.name] != after[each.name]:
                what = f"{each.name} of a {old.kind.words} cannot be changed"
                right = f"it is {before[each.name]!r}: make another one, under another name"
                field = f"{old.form.plural}.{old.name or old.id}.{each.name}"
                yield FieldProblem(field, what, right, "input.fixed_field", after[each.name])


def _identified(planner: _Planner, slot: Slot, value: Value) -> Value:
    """What has lines, with the ids of those that are there and say the same."""
    there = planner._there.get(slot)
    return identified(there.value if there else None, value, planner.caller.ids)


def _vpc_value(planner: _Planner, slot: Slot, vpc: Any) -> Value:
    there = planner._there.get(slot)
    shared = cast("SharedVpc", there.value).shared_with if there else ()
    own = SharedVpc(replace(vpc, subnets={}, account=planner.caller.account), shared)
    return _identified(planner, slot, own)


def _group_value(planner: _Planner, _: Slot, group: SecurityGroup) -> Value:
    return replace(group, rules=(), description="", tags={}, account=planner.caller.account)


def _place(port: Port) -> tuple[object, ...]:
    """What of a port cannot be changed."""
    return port.vpc, port.subnet, port.parent, port.vlan


def _hung(port: Resource, ids: Mapping[str, str]) -> Resource:
    """A port with the id of what it hangs off, in place of the name."""
    at = cast("PortAt", port.value)
    parent = ids.get(at.port.parent)
    return replace(port, value=replace(at, port=replace(at.port, parent=parent))) if parent else port


def _machine(planner: _Planner, slot: Slot, instance: Instance) -> Value:
    there = planner._there.get(slot)
    machine = cast("Machine", there.value) if there else Machine()
    return replace(machine, serve=tuple(sorted(instance.serve, key=str)))


def _acl_value(planner: _Planner, slot: Slot, acl: NetworkAcl) -> Value:
    return _identified(planner, slot, replace(acl, description="", account=planner.caller.account))


def _host(planner: _Planner, _: Slot, host: OutsideHost) -> Value:
    return replace(host, account=planner.caller.account)


def _listing(planner: _Planner, slot: Slot, said: AddressGroup | PortList) -> Value:
    """A list with what a file cannot say: remarks, and the order of the entries that stay, which means nothing.

    The family follows the entries, if there are any.
    """
    there = planner._there.get(slot)
    old = cast("Listing", there.value) if there else None
    places: Mapping[Any, int] = {entry: place for place, entry in enumerate(old.listed.entries if old else ())}
    entries: Any = tuple(sorted(said.entries, key=lambda entry: places.get(entry, len(places))))
    made = listing(replace(said, entries=entries, account=planner.caller.account), old.remarks if old else {})
    return made if made.family or old is None else replace(made, family=old.family)


def _virtual_ip(planner: _Planner, _: Slot, vip: Any) -> Value:
    ports = {name: planner._ports[name].id for name in (*vip.ports, vip.active)}
    return cast("Value", replace(vip, ports=tuple(sorted(ports[name] for name in vip.ports)), active=ports[vip.active]))


_VALUES: Mapping[Kind, Callable[[_Planner, Slot, Any], Value]] = {
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


def _wrong(field: str, what: str, right: str, value: object, code: str = "input.field") -> InvalidFields:
    return InvalidFields((FieldProblem(field, what, right, code, value),))
