"""Instances with their ports, virtual IPs, what the platform has blocked, and outside hosts."""

from __future__ import annotations

from collections.abc import Mapping
from operator import itemgetter

from ringfence.errors import NotationError
from ringfence.model.address import Address, Family
from ringfence.model.group import DEFAULT_GROUP
from ringfence.model.names import check_name
from ringfence.model.service import Listener
from ringfence.model.topology import Instance, OutsideHost, Penalty, Port, VirtualIp, Vpc
from ringfence.model.validation.supplementary import VLANS
from ringfence.model.world import by_name
from ringfence.worldfile.networks import find_subnet, of_family
from ringfence.worldfile.nodes import Cursor, given
from ringfence.worldfile.notes import label

SHORT_PORT = "eth0"
"""The name of the port of an instance that lists none."""

_PORT_FORM = "{subnet: NAME, ip: ADDRESS, groups: [NAME]}"
_PORT_KEYS = ("subnet", "ip", "ip6", "groups", "namespace", "parent", "vlan")
_VIRTUAL_IP_FORM = "{subnet: NAME, ip: ADDRESS, ports: [INSTANCE, INSTANCE]}"


def read_instances(cursor: Cursor, vpcs: Mapping[str, Vpc]) -> Mapping[str, Instance]:
    """The instances that have a port whose VPC is known; the others' names are left in doubt."""
    named = cursor.named(f"NAME: {_PORT_FORM}", dots=False)
    return by_name(found for name, each in named.items() if (found := _read_instance(name, each, vpcs)))


def _read_instance(name: str, cursor: Cursor, vpcs: Mapping[str, Vpc]) -> Instance | None:
    fields = cursor.fields((*_PORT_KEYS, "serve", "account", "ports"), _PORT_FORM)
    ports = _read_ports(name, cursor, fields, vpcs)
    serve = fields["serve"].items("a list like [tcp/80]", one=True) if "serve" in fields else []
    account = given(fields, "account", lambda each: each.read(check_name, "the name of an account"), "")
    listeners = [item.read(Listener.parse, "tcp/PORT or udp/PORT") for item in serve]
    if not ports:
        cursor.notes.doubt(cursor.path)
        return None
    return Instance(name, tuple(ports), tuple(sorted((each for each in listeners if each), key=str)), account)


def _read_ports(name: str, cursor: Cursor, fields: Mapping[str, Cursor], vpcs: Mapping[str, Vpc]) -> list[Port]:
    if "ports" not in fields:
        # A problem of the port is a problem of the instance's own keys.
        for key in _PORT_KEYS:
            if key in fields:
                cursor.notes.place((*cursor.path, "ports", SHORT_PORT, key), fields[key].mark)
        port = _read_port(name, SHORT_PORT, cursor, fields, vpcs)
        return [port] if port else []
    for key in _PORT_KEYS:
        if key in fields:
            what = f"{label(cursor.path)} has ports, and {key} beside them"
            fields[key].wrong("world.form", what, f"move {key} into a port")
    listed = fields["ports"]
    named = listed.named(f"NAME: {_PORT_FORM}", dots=False)
    if not named and not listed.broken:
        listed.wrong("world.missing_key", f"{label(listed.path)} is empty", f"write NAME: {_PORT_FORM}")
    read = [_read_port(name, each, port, port.fields(_PORT_KEYS, _PORT_FORM), vpcs) for each, port in named.items()]
    return [port for port in read if port]


def _read_port(
    instance: str, name: str, cursor: Cursor, fields: Mapping[str, Cursor], vpcs: Mapping[str, Vpc]
) -> Port | None:
    where = cursor.need(fields, "subnet", "NAME")
    subnet = find_subnet(where, vpcs) if where else None
    addresses = _read_addresses(cursor, fields)
    groups = _read_groups(fields["groups"]) if "groups" in fields else (DEFAULT_GROUP,)
    namespace = given(fields, "namespace", lambda each: each.read(check_name, "a name"), "")
    parent = given(fields, "parent", lambda each: each.read(check_name, "the name of a port of the instance"), "")
    vlan = given(fields, "vlan", lambda each: each.read(_vlan, "a number"), 0)
    if subnet is None:
        cursor.notes.doubt(cursor.path)
        if DEFAULT_GROUP in groups:
            # Without a VPC it is unknown which default group would be made for it.
            cursor.notes.doubt(("groups", DEFAULT_GROUP))
        return None
    return Port(instance, name, subnet.name, subnet.vpc, addresses, groups, namespace, parent, vlan)


def _vlan(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 5):
        raise NotationError(f"{text!r} is not a VLAN", f"use {VLANS.start} to {VLANS.stop - 1}")
    return int(text)


def _read_addresses(cursor: Cursor, fields: Mapping[str, Cursor]) -> tuple[Address, ...]:
    found = [
        of_family(each, Address.parse, family, other)
        for key, family, other in (("ip", Family.IPV4, "ip6"), ("ip6", Family.IPV6, "ip"))
        if key in fields
        for each in _listed(fields[key])
    ]
    if not {"ip", "ip6"} & fields.keys() and not (cursor.doubts("ip") or cursor.doubts("ip6")):
        cursor.wrong("world.missing_key", f"{label(cursor.path)} has no address", "add ip: ADDRESS or ip6: ADDRESS")
    return tuple(each for each in found if each)


def _listed(cursor: Cursor) -> list[Cursor]:
    """An address, or several in a list."""
    items = cursor.items("a list of addresses") if cursor.is_list else [cursor]
    if not items:
        cursor.wrong("world.missing_key", f"{label(cursor.path)} is empty", "write ADDRESS")
    return items


def _read_groups(cursor: Cursor) -> tuple[str, ...]:
    names = [item.text("the name of a group") for item in cursor.items("a list of groups", one=True)]
    return tuple(name for name in names if name)


def read_virtual_ips(
    cursor: Cursor, vpcs: Mapping[str, Vpc], instances: Mapping[str, Instance]
) -> Mapping[str, VirtualIp]:
    """The virtual IPs whose subnet is known; the others' names are left in doubt."""
    named = cursor.named(f"NAME: {_VIRTUAL_IP_FORM}", dots=False)
    return by_name(found for name, each in named.items() if (found := _read_virtual_ip(name, each, vpcs, instances)))


def _read_virtual_ip(
    name: str, cursor: Cursor, vpcs: Mapping[str, Vpc], instances: Mapping[str, Instance]
) -> VirtualIp | None:
    fields = cursor.fields(("subnet", "ip", "ip6", "ports", "active"), _VIRTUAL_IP_FORM)
    where = cursor.need(fields, "subnet", "NAME")
    listed = cursor.need(fields, "ports", "[INSTANCE, INSTANCE]")
    subnet = find_subnet(where, vpcs) if where else None
    addresses = _read_addresses(cursor, fields)
    form = "an instance, or INSTANCE.PORT"
    items = listed.items(f"a list of: {form}", one=True) if listed else []
    ports = [(port_name(text, instances), item.mark) for item in items if (text := item.text(form))]
    active = given(fields, "active", lambda each: each.text(form), "")
    if subnet is None:
        cursor.notes.doubt(cursor.path)
        return None
    holder = port_name(active, instances) if active else next((port for port, _ in ports), "")
    ports.sort(key=itemgetter(0))
    for index, (_, mark) in enumerate(ports):
        cursor.notes.place((*cursor.path, "ports", index), mark)
    return VirtualIp(name, subnet.name, subnet.vpc, addresses, tuple(port for port, _ in ports), holder)


def port_name(text: str, instances: Mapping[str, Instance]) -> str:
    """A port's full name; the name of an instance stands for its primary port."""
    return str(instances[text].primary) if text in instances else text


def read_penalties(cursor: Cursor) -> Mapping[str, Penalty]:
    """What is blocked, and why."""
    named = cursor.named("INSTANCE: REASON")
    read = {target: each.text("the reason, in quotes") for target, each in named.items()}
    return by_name(Penalty(target, reason) for target, reason in read.items() if reason is not None)


def read_outside(cursor: Cursor) -> Mapping[str, OutsideHost]:
    """The hosts outside of every VPC."""
    return by_name(_read_host(name, each) for name, each in cursor.named("NAME: ADDRESS", dots=False).items())


def _read_host(name: str, cursor: Cursor) -> OutsideHost:
    items = cursor.items("an address, or [IPv4 address, IPv6 address]", one=True)
    addresses: dict[Family, Address] = {}
    for item in items:
        address = item.read(Address.parse, "an address")
        if address and address.family in addresses:
            what = f"{label(cursor.path)} has {addresses[address.family]} already"
            item.wrong("world.form", what, f"give at most one {address.family} address")
        elif address:
            addresses[address.family] = address
    if not items and not cursor.broken:
        cursor.wrong("world.missing_key", f"{label(cursor.path)} has no address", "write NAME: ADDRESS")
    return OutsideHost(name, tuple(addresses[family] for family in sorted(addresses)))
