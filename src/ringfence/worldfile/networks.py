"""VPCs with their subnets, and the peerings between them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from ringfence.errors import NotationError
from ringfence.model.address import Address, Family, Prefix
from ringfence.model.names import check_name
from ringfence.model.profile import Profile, named_profile
from ringfence.model.rule import NicType
from ringfence.model.topology import Network, Peering, Subnet, Vpc
from ringfence.model.world import by_name, nearest
from ringfence.worldfile.nodes import Cursor, given
from ringfence.worldfile.notes import label
from ringfence.worldfile.rules import read_lines
from ringfence.worldfile.switches import read_profile

Located = TypeVar("Located", Address, Prefix)

_VPC_FORM = "{cidrs: [10.0.0.0/16], subnets: {NAME: 10.0.1.0/24}}"
_VPC_KEYS = ("cidrs", "subnets", "border", "network", "profile", "switches")
_SUBNET_FORM = "a prefix, or {cidr: 10.0.1.0/24, cidr6: 'fd00:10::/64'}"
_PEERING_FORM = "{vpcs: [NAME, NAME]}"
_NETWORKS = {network.value: network for network in Network}
_NICS = {nic.value: nic for nic in NicType}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a group or an ACL needs to know of its world: the VPCs, and the profile of what belongs to none."""

    vpcs: Mapping[str, Vpc]
    profile: Profile

    def profile_in(self, vpc: str, named: str = "") -> Profile:
        """The profile of what belongs to a VPC, or to none: then the one that it names, if it does."""
        return self.vpcs[vpc].profile if vpc in self.vpcs else named_profile(named, self.profile)


def read_vpcs(cursor: Cursor, profile: Profile) -> Mapping[str, Vpc]:
    """The VPCs; ``profile`` is that of a VPC which names none. Broken ones keep their names."""
    return by_name(_read_vpc(name, each, profile) for name, each in cursor.named(f"NAME: {_VPC_FORM}").items())


def _read_vpc(name: str, cursor: Cursor, profile: Profile) -> Vpc:
    fields = cursor.fields(_VPC_KEYS, _VPC_FORM)
    cidrs = cursor.need(fields, "cidrs", "[10.0.0.0/16]")
    subnets = fields["subnets"].named("NAME: PREFIX") if "subnets" in fields else {}
    return Vpc(
        name,
        read_profile(fields, profile),
        _read_cidrs(cidrs) if cidrs else (),
        {each: _read_subnet(each, name, subnets[each]) for each in sorted(subnets)},
        read_lines(fields["border"], (*cursor.path, "border")) if "border" in fields else (),
        given(fields, "network", lambda each: each.choice(_NETWORKS), Network.VPC),
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
    fields = cursor.fields(("cidr", "cidr6", "acl", "nic"), _SUBNET_FORM)
    if not {"cidr", "cidr6"} & fields.keys() and not cursor.broken:
        cursor.wrong("world.missing_key", f"{label(cursor.path)} has no prefix", f"write {_SUBNET_FORM}")
    return Subnet(
        name,
        vpc,
        of_family(fields.get("cidr"), Prefix.parse, Family.IPV4, "cidr6"),
        of_family(fields.get("cidr6"), Prefix.parse, Family.IPV6, "cidr"),
        given(fields, "acl", lambda each: each.read(check_name, "the name of an ACL"), ""),
        given(fields, "nic", lambda each: each.choice(_NICS), NicType.INTRANET),
    )


def of_family(cursor: Cursor | None, parse: Callable[[str], Located], family: Family, other_key: str) -> Located | None:
    """An address or prefix that must be of one family; ``other_key`` is where the other family belongs."""
    what = "prefix" if other_key.startswith("cidr") else "address"

    def read(text: str) -> Located:
        value = parse(text)
        if value.family is not family:
            raise NotationError(f"{value} is not {family}", f"write {other_key}: {value}")
        return value

    return cursor.read(read, f"an {family} {what}") if cursor else None


def find_subnet(cursor: Cursor, vpcs: Mapping[str, Vpc]) -> Subnet | None:
    """The subnet that a text names, as ``SUBNET`` or ``VPC/SUBNET``."""
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


def read_peerings(cursor: Cursor) -> Mapping[str, Peering]:
    """The peerings; those whose VPCs cannot be read are left out."""
    found: dict[str, Peering] = {}
    for item in cursor.items(f"a list of {_PEERING_FORM}"):
        peering = read_peering(item)
        if peering and peering.name in found:
            same = found[peering.name].vpcs == peering.vpcs
            what = f"a peering {peering.name} is there already"
            item.wrong("world.duplicate", what, "keep one of them" if same else "give one of them another name")
        elif peering:
            _place(item, peering.name)
            found[peering.name] = peering
    return by_name(found.values())


def _place(cursor: Cursor, name: str) -> None:
    """Peerings are a list in the file and known by their names elsewhere."""
    cursor.notes.place(("peerings", name), cursor.mark)
    if cursor.is_mapping:
        cursor.notes.place(("peerings", name, "vpcs"), cursor.notes.where((*cursor.path, "vpcs")))


def read_peering(cursor: Cursor) -> Peering | None:
    """One peering, a list of its VPCs or a mapping; None if these cannot be read."""
    fields = {"vpcs": cursor} if cursor.is_list else cursor.fields(("vpcs", "name", "firewall"), _PEERING_FORM)
    listed = cursor.need(fields, "vpcs", "[NAME, NAME]")
    pair = _read_pair(listed) if listed else None
    name = given(fields, "name", lambda each: each.read(check_name, "a name"), "-".join(pair or ()))
    firewall = fields.get("firewall")
    lines = read_lines(firewall, ("peerings", name, "firewall")) if firewall else ()
    return Peering(name, pair, lines) if pair else None


def _read_pair(cursor: Cursor) -> tuple[str, str] | None:
    """Two names in their order, so that the order in the file means nothing."""
    names = [item.text("the name of a VPC") for item in cursor.items("[NAME, NAME]")]
    known = sorted(name for name in names if name)
    if len(names) != 2 and not cursor.broken:
        cursor.wrong("world.form", f"{label(cursor.path)} names {len(names)} VPCs", "name the two that it joins")
    return (known[0], known[1]) if len(known) == 2 else None
