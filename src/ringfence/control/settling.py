"""What a request leaves open, and how it is settled before a resource is made: references by name, and defaults."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any, cast

from ringfence.control.draft import Draft
from ringfence.errors import FieldProblem, InvalidFields, NotationError
from ringfence.model.acl import AclRule
from ringfence.model.address import Address, Prefix
from ringfence.model.group import GroupType, SecurityGroup
from ringfence.model.port_list import NamedPorts
from ringfence.model.profile import PROFILES, IntraGroup, Profile, named_profile
from ringfence.model.rule import AddressGroupRemote, GroupRemote, Remote, Rule
from ringfence.model.topology import Subnet
from ringfence.model.validation.supplementary import VLANS
from ringfence.ram.policy import Policy
from ringfence.resources.kind import Kind
from ringfence.resources.naming import Key
from ringfence.resources.resource import Resource, refuse
from ringfence.resources.values import PortAt, SharedVpc

Said = dict[str, Any]

_REFERENCES: Mapping[str, Kind] = {
    "vpc": Kind.VPC,
    "vpcs": Kind.VPC,
    "subnet": Kind.SUBNET,
    "acl": Kind.ACL,
    "ingress_of": Kind.ACL,
    "egress_of": Kind.ACL,
    "group": Kind.GROUP,
    "groups": Kind.GROUP,
    "instance": Kind.INSTANCE,
    "port": Kind.PORT,
    "parent": Kind.PORT,
    "ports": Kind.PORT,
    "active": Kind.PORT,
    "user": Kind.USER,
    "policies": Kind.POLICY,
}
"""Fields that name other resources, by the kind of these."""
LINES = ("rules", "border", "firewall")
"""Fields that hold lines of an ACL or a firewall, which may name address groups."""


def settle(draft: Draft, kind: Kind, said: Said) -> Said:
    """What a request says of a new resource, with everything settled that it leaves open. Raises `InvalidFields`."""
    named = by_id(draft, said)
    return _SETTLERS.get(kind, _as_said)(draft, named)


def by_id(draft: Draft, said: Mapping[str, Any]) -> Said:
    """The same with ids in place of names; what is neither stays, and is refused as a reference to nothing."""
    return {name: _ids(draft, name, value) for name, value in said.items()}


def _ids(draft: Draft, name: str, value: Any) -> Any:
    if name == "remote" and isinstance(value, str):
        return _remote(draft, value)
    if name == "ports" and isinstance(value, str):  # of a rule; a virtual IP has a list of them
        return _id(draft, Kind.PORT_LIST, value) if value[:1].isalpha() else value
    if name == "rule":
        return _line(draft, value)
    if name in LINES and isinstance(value, list):
        return [_line(draft, each) for each in value]
    kind = _REFERENCES.get(name)
    if kind is None:
        return value
    if isinstance(value, list):
        return [_id(draft, kind, each) for each in value]
    return _id(draft, kind, value)


def _id(draft: Draft, kind: Kind, ref: Any) -> Any:
    if not isinstance(ref, str) or not ref or draft.usable(kind, ref):
        return ref
    found = draft.lookup(kind, ref)
    return found.id if found else ref


def remote_by_id(draft: Draft, remote: Remote) -> Remote:
    """The remote of a rule with an id in place of a name; another account's group is named by its id only."""
    if isinstance(remote, AddressGroupRemote):
        return AddressGroupRemote(_id(draft, Kind.ADDRESS_GROUP, remote.name))
    if isinstance(remote, GroupRemote) and not remote.account:
        return GroupRemote(_id(draft, Kind.GROUP, remote.name))
    return remote


def rule_by_id(draft: Draft, rule: Rule) -> Rule:
    """The same rule with ids in place of names."""
    remote, ports = remote_by_id(draft, rule.remote), rule.ports
    if isinstance(ports, NamedPorts):
        ports = NamedPorts(_id(draft, Kind.PORT_LIST, ports.name))
    if remote is rule.remote and ports is rule.ports:
        return rule
    return replace(rule, remote=remote, ports=ports)


def line_by_id(draft: Draft, line: AclRule) -> AclRule:
    """The same line with ids of address groups in place of names."""
    sides: dict[str, Any] = {name: remote_by_id(draft, getattr(line, name)) for name in ("source", "destination")}
    return replace(line, **sides)


def _line(draft: Draft, said: Any) -> Any:
    if isinstance(said, Mapping) and "rule" in said:
        return {**said, "rule": _line(draft, said["rule"])}
    try:
        return str(line_by_id(draft, AclRule.parse(said))) if isinstance(said, str) else said
    except NotationError:
        return said  # the field says what is wrong with it


def _remote(draft: Draft, said: str) -> str:
    word, _, rest = said.strip().partition(" ")
    if word == "group" and rest and "/" not in rest:
        return f"group {_id(draft, Kind.GROUP, rest.strip())}"
    if not rest and word not in ("any", "") and not set(word) & set("/:"):
        return str(_id(draft, Kind.ADDRESS_GROUP, word))
    return said


def _as_said(_: Draft, said: Said) -> Said:
    return said


def profile_at(draft: Draft, vpc: object, named: object = "") -> Profile:
    """The profile of what belongs to a VPC, or to none: then the one that it names, or that of the settings."""
    found = draft.usable(Kind.VPC, vpc) if isinstance(vpc, str) else None
    if found:
        return cast("SharedVpc", found.value).vpc.profile
    settings = draft.get(Kind.SETTINGS, Kind.SETTINGS.value)
    own = cast("Profile", settings.value) if settings else draft.state.world.profile
    return named_profile(named, own) if isinstance(named, str) and named in PROFILES else own


def profile_of(draft: Draft, group: Resource) -> Profile:
    """The profile of a security group."""
    value = cast("SecurityGroup", group.value)
    return profile_at(draft, value.vpc, value.profile)


def _group(draft: Draft, said: Said) -> Said:
    if said.get("intra_group") is None:
        basic = said.get("type", GroupType.BASIC.value) == GroupType.BASIC.value
        intra = profile_at(draft, said.get("vpc"), said.get("profile")).intra_group if basic else IntraGroup.DROP
        said["intra_group"] = intra.value
    return said


def _acl(draft: Draft, said: Said) -> Said:
    """A fresh ACL has the rules that the cloud gives it, unless the request says which (SEMANTICS.md 4.2)."""
    if "rules" not in said:
        said["rules"] = list(profile_at(draft, said.get("vpc")).acl_default)
    return said


def _rule(draft: Draft, said: Said) -> Said:
    group = draft.usable(Kind.GROUP, said["group"]) if isinstance(said.get("group"), str) else None
    if "priority" not in said and group:
        said["priority"] = profile_of(draft, group).default_priority
    return said


def _at_subnet(draft: Draft, said: Said) -> Said:
    """The VPC, and the first free addresses where none are asked for."""
    found = draft.usable(Kind.SUBNET, said["subnet"]) if isinstance(said.get("subnet"), str) else None
    if found:
        subnet = cast("Subnet", found.value)
        said["vpc"] = subnet.vpc
        if not said.get("addresses"):
            free = (free_addresses(draft, subnet, prefix, 1) for prefix in subnet.prefixes)
            said["addresses"] = [str(address) for found in free for address in found]
    elif "subnet" in said:  # which is not there: that is what is wrong, not that no addresses are said
        said.setdefault("addresses", [])
    return said


def free_addresses(draft: Draft, subnet: Subnet, prefix: Prefix, count: int) -> list[Address]:
    """The first addresses of a subnet's prefix that nobody has; raises `InvalidFields` if they are too few."""
    taken = _addresses(draft, subnet)
    last = prefix.range.last - 1
    every = (Address(prefix.family, value) for value in range(prefix.network + 2, last + 1))
    found = list(islice((address for address in every if address not in taken), count))
    if len(found) == count:
        return found
    raise InvalidFields(
        (
            FieldProblem(
                "addresses",
                f"{subnet} has no free address in {prefix}" + f", or fewer than {count}" * (count > 1),
                "use another subnet",
                "InvalidVSwitch.NoFreeIp",
            ),
        )
    )


def _addresses(draft: Draft, subnet: Subnet) -> set[Address]:
    """The addresses in a subnet that somebody has, whoever that is."""
    found = (it.value for it in draft.referring(Key(Kind.SUBNET, subnet.name), Kind.PORT, Kind.VIRTUAL_IP))
    values = (it.port if isinstance(it, PortAt) else it for it in found)
    return {address for it in values for address in cast("Any", it).addresses}


def _port(draft: Draft, said: Said) -> Said:
    settled = _at_subnet(draft, _hanging(draft, said))
    instance = settled.get("instance", "")
    owned = ports_of(draft, instance) if isinstance(instance, str) else []
    siblings = [cast("PortAt", it.value) for it in owned]
    settled.setdefault("index", 1 + max((it.index for it in siblings), default=-1))
    if not settled.get("name"):
        settled["name"] = f"eth{settled['index']}"
    refuse(
        FieldProblem(field, f"{instance} has a port {value!r} already", "choose another one", "world.duplicate", value)
        for field, value, taken in (
            ("name", settled["name"], [it.port.name for it in siblings]),
            ("index", settled["index"], [it.index for it in siblings]),
        )
        if value in taken
    )
    return settled


def ports_of(draft: Draft, instance: str) -> list[Resource]:
    """The ports of an instance, the primary one first, as the change leaves it so far."""
    found = draft.referring(Key(Kind.INSTANCE, instance), Kind.PORT)
    return sorted(found, key=lambda it: (cast("PortAt", it.value).index, it.name))


def _hanging(draft: Draft, said: Said) -> Said:
    """A supplementary interface goes with the instance of the port that it hangs off."""
    ref = said.get("parent")
    parent = draft.usable(Kind.PORT, ref) if isinstance(ref, str) and ref else None
    if parent:
        said["instance"] = said.get("instance") or cast("PortAt", parent.value).port.instance
        said["vlan"] = said.get("vlan") or free_vlan(draft, parent)
    return said


def free_vlan(draft: Draft, parent: Resource) -> int:
    """The first VLAN of a port that nothing hangs off; raises `InvalidFields`."""
    taken = {cast("PortAt", it.value).port.vlan for it in draft.referring(parent.key, Kind.PORT)}
    for vlan in VLANS:
        if vlan not in taken:
            return vlan
    what = f"{parent.key} has no free VLAN"
    raise InvalidFields((FieldProblem("vlan", what, "use another port", "world.duplicate"),))


def _policy(_: Draft, said: Said) -> Said:
    said["document"] = str(Policy.parse(said.get("document", "")))
    return said


_SETTLERS: Mapping[Kind, Callable[[Draft, Said], Said]] = {
    Kind.GROUP: _group,
    Kind.ACL: _acl,
    Kind.RULE: _rule,
    Kind.PORT: _port,
    Kind.VIRTUAL_IP: _at_subnet,
    Kind.POLICY: _policy,
}
