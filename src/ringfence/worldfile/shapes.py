"""How each part of a world stands in a file: what keys it has, which lists keep their order, what may be short."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from ringfence.model.address import Address, AddressRange, Prefix
from ringfence.model.group import AddressGroup, SecurityGroup
from ringfence.model.port_list import PortList
from ringfence.model.rule import Rule
from ringfence.model.service import Listener, PortRange
from ringfence.model.topology import Instance, Port, Vpc
from ringfence.model.world import World
from ringfence.worldfile import data
from ringfence.worldfile.instances import SHORT_PORT, port_name
from ringfence.worldfile.networks import read_peering
from ringfence.worldfile.nodes import Cursor
from ringfence.worldfile.parse import read_expectation
from ringfence.worldfile.rules import read_line, read_rule

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Value:
    """A text, a number, true or false: written anew as a whole, ``write`` as `dump` does it."""

    write: Callable[[Any], Any] = lambda value: value


@dataclass(frozen=True, slots=True)
class Items:
    """A list; ``read`` says what an item means. One item may stand there without brackets."""

    item: Shape
    read: Callable[[Cursor], Any]
    ordered: bool = False

    def write(self, values: Any) -> Any:
        """The list as `dump` does it."""
        return list(map(self.item.write, values))


@dataclass(frozen=True, slots=True)
class Named:
    """A mapping from names that the author chose; the shape of a thing may depend on it."""

    each: Callable[[Any], Shape]

    def write(self, values: Mapping[str, Any]) -> Any:
        """The mapping as `dump` does it."""
        return {name: self.each(value).write(value) for name, value in values.items()}


@dataclass(frozen=True, slots=True)
class Record:
    """A mapping with fixed keys; ``parts`` are their values without what says nothing, ``kinds`` their shapes.

    A list (or nothing) in place of the mapping is the value of ``short``. ``flat`` is what the mapping is where it
    has no key ``ports``, as far as the thing has only the one port that needs no name.
    """

    write: Callable[[Any], Any]
    parts: Callable[[Any], Mapping[str, Any]]
    kinds: Mapping[str, Shape] = field(default_factory=dict)
    short: str = ""
    flat: Record | None = None

    def kind(self, key: str) -> Shape:
        """The shape of what a key holds."""
        return self.kinds.get(key, _VALUE)


Shape = Value | Items | Named | Record
_VALUE = Value()


def _parsed(parse: Callable[[str], T]) -> Items:
    """A list of texts whose order means nothing."""
    return Items(Value(str), lambda cursor: cursor.read(parse, ""))


def _of(write: Callable[[Any], Mapping[str, Any]], *names: str) -> Callable[[Any], Mapping[str, Any]]:
    """What `dump` writes, with some parts as they are in the model, where they are called the same."""
    return lambda value: {key: getattr(value, key) if key in names else each for key, each in write(value).items()}


_NAMES = Items(_VALUE, lambda cursor: cursor.text(""), ordered=True)
_LINE = Record(data.line_data, data.line_fields)
_LINES = Items(_LINE, read_line, ordered=True)
_EXPECT = Record(str, lambda it: {"flow": str(it.query), "verdict": it.action.value})
_PEERING = Record(data.peering_data, _of(data.peering_data, "firewall"), {"vpcs": _NAMES, "firewall": _LINES}, "vpcs")
_ADDRESSES = _parsed(Address.parse)
_SUBNET = Record(data.subnet_data, data.subnet_fields)


def _entries(it: AddressGroup | PortList) -> Record:
    items = _parsed(AddressRange.parse) if isinstance(it, AddressGroup) else _parsed(PortRange.parse)
    return Record(data.listed_data, _of(data.listed_fields, "entries"), {"entries": items}, "entries")


_ACL = Record(data.acl_data, _of(data.acl_data, "rules"), {"rules": _LINES}, "rules")
_TEXTS = Named(lambda _: _VALUE)
_SWITCHES = Named(lambda value: _TEXTS if isinstance(value, dict) else _NAMES if isinstance(value, list) else _VALUE)


def _group(world: World, group: SecurityGroup) -> Record:
    priority = world.profile_of(group).default_priority
    rules = Items(Record(partial(_short, priority), data.rule_fields), partial(read_rule, priority=priority))

    def write(it: SecurityGroup) -> dict[str, Any]:
        return {**data.group_data(it), "rules": rules.write(it.rules)}

    return Record(write, _of(data.group_data, "rules"), {"rules": rules, "tags": _TEXTS}, "rules")


def _short(priority: int, rule: Rule) -> Any:
    """A rule as people write it: without the priority that one which names none has."""
    said = data.rule_data(rule)
    return said.replace(f" priority {priority}", "", 1) if rule.priority == priority and isinstance(said, str) else said


def _port_parts(port: Any) -> Mapping[str, Any]:
    """Keys of a port or virtual IP; addresses as a list, in the order of families."""
    said = data.port_data(port) if isinstance(port, Port) else data.virtual_ip_data(port)
    own = {key: [each] if isinstance(each, str) else each for key, each in said.items() if key in ("ip", "ip6")}
    return {**said, **{key: tuple(map(Address.parse, each)) for key, each in own.items()}}


_PLACE = {"ip": _ADDRESSES, "ip6": _ADDRESSES, "groups": _NAMES}
_PORT = Record(data.port_data, _port_parts, _PLACE)
_OWN: dict[str, Shape] = {"ports": Named(lambda _: _PORT), "serve": _parsed(Listener.parse)}


def _own(instance: Instance) -> Mapping[str, Any]:
    return data.filled({"account": instance.account, "serve": list(instance.serve)})


_INSTANCE = Record(
    data.instance_data,
    lambda instance: {"ports": dict(instance.by_name), **_own(instance)},
    _OWN,
    flat=Record(data.instance_data, lambda it: {**_port_parts(it.by_name[SHORT_PORT]), **_own(it)}, {**_PLACE, **_OWN}),
)


def _vpc(world: World, vpc: Vpc) -> Record:
    write = partial(data.vpc_data, profile=world.profile)
    kinds: dict[str, Shape] = {
        "cidrs": _parsed(Prefix.parse),
        "subnets": Named(lambda _: _SUBNET),
        "border": _LINES,
        "switches": _SWITCHES,
    }
    return Record(write, _of(write, "cidrs", "subnets", "border"), kinds)


def world_shape(before: World) -> Record:
    """The shape of a file that says ``before``, on which it depends what is meant where nothing is said."""
    instances = before.instances
    holders = Items(_VALUE, lambda cursor: port_name(cursor.text("") or "", instances))
    vip = Record(data.virtual_ip_data, _port_parts, {**_PLACE, "ports": holders})
    kinds: dict[str, Shape] = {
        "switches": _SWITCHES,
        "vpcs": Named(partial(_vpc, before)),
        "peerings": Items(_PEERING, read_peering),
        "address_groups": Named(_entries),
        "port_lists": Named(_entries),
        "groups": Named(partial(_group, before)),
        "acls": Named(lambda _: _ACL),
        "instances": Named(lambda _: _INSTANCE),
        "virtual_ips": Named(lambda _: vip),
        "blocks": _TEXTS,
        "outside": Named(lambda _: _ADDRESSES),
        "expect": Items(_EXPECT, read_expectation, ordered=True),
    }
    return Record(_sections, _sections, kinds)


def _sections(world: World) -> Mapping[str, Any]:
    own = {
        "vpcs": world.vpcs,
        "peerings": list(world.peerings.values()),
        "address_groups": world.address_groups,
        "port_lists": world.port_lists,
        "groups": world.groups,
        "acls": world.acls,
        "instances": world.instances,
        "virtual_ips": world.virtual_ips,
        "blocks": {target: penalty.reason for target, penalty in world.penalties.items()},
        "outside": {name: host.addresses for name, host in world.outside.items()},
        "expect": list(world.expects),
    }
    return data.filled({**data.profile_data(world.profile, None), **own})
