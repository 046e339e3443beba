"""VPCs, subnets, instances with their ports, and outside hosts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from ringfence.errors import NotationError
from ringfence.model.address import Address, Family, Prefix
from ringfence.model.profile import Profile
from ringfence.model.service import Listener
from ringfence.model.topology import Instance, OutsideHost, Port, Subnet, Vpc
from ringfence.model.world import by_name, nearest
from ringfence.worldfile.nodes import Cursor
from ringfence.worldfile.notes import label
from ringfence.worldfile.switches import read_profile

Located = TypeVar("Located", Address, Prefix)

SHORT_PORT = "eth0"
"""The name of the port of an instance that lists none."""
DEFAULT_GROUP = "default"
"""The group of a port that names none (Security FAQ)."""

_VPC_FORM = "{cidrs: [10.0.0.0/16], subnets: {NAME: 10.0.1.0/24}}"
_SUBNET_FORM = "a prefix, or {cidr: 10.0.1.0/24, cidr6: 'fd00:10::/64'}"
_PORT_FORM = "{subnet: NAME, ip: ADDRESS, groups: [NAME]}"
_PORT_KEYS = ("subnet", "ip", "ip6", "groups")


def read_vpcs(cursor: Cursor, profile: Profile) -> Mapping[str, Vpc]:
    """The VPCs; ``profile`` is that of a VPC which names none. Broken ones keep their names."""
    return by_name(_read_vpc(name, each, profile) for name, each in cursor.named(f"NAME: {_VPC_FORM}").items())


def _read_vpc(name: str, cursor: Cursor, profile: Profile) -> Vpc:
    fields = cursor.fields(("cidrs", "subnets", "profile", "switches"), _VPC_FORM)
    cidrs = cursor.need(fields, "cidrs", "[10.0.0.0/16]")
    subnets = fields["subnets"].named("NAME: PREFIX") if "subnets" in fields else {}
    return Vpc(
        name,
        read_profile(fields, profile),
        _read_cidrs(cidrs) if cidrs else (),
        {each: _read_subnet(each, name, subnets[each]) for each in sorted(subnets)},
    )


def _read_cidrs(cursor: Cursor) -> tuple[Prefix, ...]:
    items = cursor.items("a list of prefixes", one=True)
    if not items and not cursor.broken:
        cursor.wrong("world.missing_key", f"{label(cursor.path)} is empty", "write a prefix like 10.0.0.0/16")
    read = [(item.read(Prefix.parse, "a prefix"), item.mark) for item in items]
    known = sorted(((prefix, mark) for prefix, mark in read if prefix), key=lambda pair: pair[0])
    for index, (_, mark) in enumerate(known):
        cursor.notes.place((*cursor.path, index), mark)
    return tuple(prefix for prefix, _ in known)


def _read_subnet(name: str, vpc: str, cursor: Cursor) -> Subnet:
    if not cursor.is_mapping:
        prefix = cursor.read(Prefix.parse, _SUBNET_FORM)
        four = prefix if prefix and prefix.family is Family.IPV4 else None
        return Subnet(name, vpc, four, None if four else prefix)
    fields = cursor.fields(("cidr", "cidr6"), _SUBNET_FORM, {"acl": "network ACLs are"})
    if not fields and not cursor.broken:
        cursor.wrong("world.missing_key", f"{label(cursor.path)} has no prefix", f"write {_SUBNET_FORM}")
    cidr = _of_family(fields.get("cidr"), Prefix.parse, Family.IPV4, "cidr6")
    return Subnet(name, vpc, cidr, _of_family(fields.get("cidr6"), Prefix.parse, Family.IPV6, "cidr"))


def _of_family(
    cursor: Cursor | None, parse: Callable[[str], Located], family: Family, other_key: str
) -> Located | None:
    """An address or prefix that must be of one family; ``other_key`` is where the other family belongs."""
    what = "prefix" if other_key.startswith("cidr") else "address"

    def read(text: str) -> Located:
        value = parse(text)
        if value.family is not family:
            raise NotationError(f"{value} is not {family}", f"write {other_key}: {value}")
        return value

    return cursor.read(read, f"an {family} {what}") if cursor else None


def read_instances(cursor: Cursor, vpcs: Mapping[str, Vpc]) -> Mapping[str, Instance]:
    """The instances that have a port whose VPC is known; the others' names are left in doubt."""
    named = cursor.named(f"NAME: {_PORT_FORM}", dots=False)
    return by_name(found for name, each in named.items() if (found := _read_instance(name, each, vpcs)))


def _read_instance(name: str, cursor: Cursor, vpcs: Mapping[str, Vpc]) -> Instance | None:
    fields = cursor.fields(("subnet", "ip", "ip6", "groups", "serve", "ports"), _PORT_FORM)
    ports = _read_ports(name, cursor, fields, vpcs)
    serve = fields["serve"].items("a list like [tcp/80]", one=True) if "serve" in fields else []
    listeners = [item.read(Listener.parse, "tcp/PORT or udp/PORT") for item in serve]
    if not ports:
        cursor.notes.doubt(cursor.path)
        return None
    return Instance(name, tuple(ports), tuple(sorted((each for each in listeners if each), key=str)))


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
    subnet = _find_subnet(where, vpcs) if where else None
    ip = _of_family(fields.get("ip"), Address.parse, Family.IPV4, "ip6")
    ip6 = _of_family(fields.get("ip6"), Address.parse, Family.IPV6, "ip")
    if not {"ip", "ip6"} & fields.keys() and not (cursor.doubts("ip") or cursor.doubts("ip6")):
        cursor.wrong("world.missing_key", f"{label(cursor.path)} has no address", "add ip: ADDRESS or ip6: ADDRESS")
    groups = _read_groups(fields["groups"]) if "groups" in fields else (DEFAULT_GROUP,)
    if subnet is None:
        cursor.notes.doubt(cursor.path)
        if DEFAULT_GROUP in groups:
            # Without a VPC it is unknown which default group would be made for it.
            cursor.notes.doubt(("groups", DEFAULT_GROUP))
        return None
    return Port(instance, name, subnet.name, subnet.vpc, tuple(each for each in (ip, ip6) if each), groups)


def _read_groups(cursor: Cursor) -> tuple[str, ...]:
    names = [item.text("the name of a group") for item in cursor.items("a list of groups", one=True)]
    return tuple(name for name in names if name)


def _find_subnet(cursor: Cursor, vpcs: Mapping[str, Vpc]) -> Subnet | None:
    text = cursor.text("the name of a subnet, or VPC/SUBNET where several VPCs have it")
    if text is None:
        return None
    vpc_name, slash, name = text.rpartition("/")
    inside = [vpc for vpc in vpcs.values() if not slash or vpc.name == vpc_name]
    found = [vpc.subnets[name] for vpc in inside if name in vpc.subnets]
    if len(found) > 1:
        choices = " or ".join(map(str, found))
        cursor.wrong("world.ambiguous_subnet", f"several VPCs have a subnet {name!r}", f"write {choices}")
    unread = any(cursor.notes.lost("vpcs", vpc.name, "subnets", name) for vpc in inside)
    if not found and not unread and not cursor.notes.lost("vpcs", vpc_name):
        known = [str(subnet) if slash else subnet.name for vpc in vpcs.values() for subnet in vpc.subnets.values()]
        cursor.wrong("world.unknown_subnet", f"there is no subnet {text!r}", nearest(text, known))
    return found[0] if len(found) == 1 else None


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
