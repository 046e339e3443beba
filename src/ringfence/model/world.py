"""The World: everything that policy depends on, as one immutable value.

A world holds no order that its file had by chance: all mappings are sorted by name, so that equal worlds compile to
equal plans. Whether it makes sense as a whole is for `ringfence.model.validation` to say.

`World.edited` gives the next world at the cost of what changes: sections are persistent maps then, and the tables
(`World.places` and the others below it) follow.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from itertools import chain
from typing import Any, TypeVar

from ringfence.errors import NotationError, UnknownName
from ringfence.model import facts
from ringfence.model.acl import NetworkAcl
from ringfence.model.address import Address, Family
from ringfence.model.facts import Facts, LineOwner, Member, Membership, Owner, Place, Thing, Tie
from ringfence.model.flow import Endpoint, Expectation, Flow, Query
from ringfence.model.group import AddressGroup, SecurityGroup
from ringfence.model.persistent import Claims, Section, Sizes, Table, Uses
from ringfence.model.port_list import PortList
from ringfence.model.profile import HUAWEI, Profile, named_profile
from ringfence.model.rule import NicType
from ringfence.model.topology import (
    DetachedPort,
    Instance,
    OutsideHost,
    Peering,
    Penalty,
    Port,
    Subnet,
    VirtualIp,
    Vpc,
)

Named = TypeVar(
    "Named",
    Vpc,
    AddressGroup,
    PortList,
    SecurityGroup,
    NetworkAcl,
    Instance,
    VirtualIp,
    Peering,
    Penalty,
    OutsideHost,
    DetachedPort,
)


_UNCHANGED: Mapping[str, Any] = {}
_TABLES: Mapping[str, Facts] = {
    "places": facts.PLACES,
    "ways": facts.WAYS,
    "rule_ids": facts.IDS,
    "members": facts.MEMBERS,
    "sizes": facts.SIZES,
    "ties": facts.TIES,
    "naming": facts.NAMES,
    "asked": facts.ASKED,
}
SECTIONS = (
    *("vpcs", "address_groups", "groups", "instances", "outside", "acls"),
    *("peerings", "virtual_ips", "penalties", "port_lists", "detached"),
)
"""The sections of a world: its mappings from names to values."""


def by_name(items: Iterable[Named]) -> Mapping[str, Named]:
    """Index values by their names, in the order of the names."""
    return {item.name: item for item in sorted(items, key=lambda item: item.name)}


@dataclass(frozen=True)
class World:
    """VPCs, groups, instances and hosts, and what is expected of them. Build the mappings with `by_name`."""

    profile: Profile = HUAWEI
    vpcs: Mapping[str, Vpc] = field(default_factory=dict)
    address_groups: Mapping[str, AddressGroup] = field(default_factory=dict)
    groups: Mapping[str, SecurityGroup] = field(default_factory=dict)
    instances: Mapping[str, Instance] = field(default_factory=dict)
    outside: Mapping[str, OutsideHost] = field(default_factory=dict)
    expects: tuple[Expectation, ...] = ()
    acls: Mapping[str, NetworkAcl] = field(default_factory=dict)
    peerings: Mapping[str, Peering] = field(default_factory=dict)
    virtual_ips: Mapping[str, VirtualIp] = field(default_factory=dict)
    penalties: Mapping[str, Penalty] = field(default_factory=dict)
    port_lists: Mapping[str, PortList] = field(default_factory=dict)
    limits: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """What the operator of a server allows instead of a profile: by account (``*``: every one) and limit."""
    detached: Mapping[str, DetachedPort] = field(default_factory=dict)
    """Ports of no instance: members of their groups that meet no packet. No world file says them."""

    # ---- edits

    def persistent(self) -> World:
        """An equal world that is cheap to edit; this one, if it is."""
        return self if all(isinstance(getattr(self, name), Section) for name in SECTIONS) else self._persistent

    @cached_property
    def _persistent(self) -> World:
        own = {name: getattr(self, name) for name in (*_FIELDS, *_TABLES)}
        return _world_of(own | {name: Section.of(own[name]) for name in SECTIONS})

    def edited(
        self,
        *,
        vpcs: Mapping[str, Vpc | None] = _UNCHANGED,
        address_groups: Mapping[str, AddressGroup | None] = _UNCHANGED,
        groups: Mapping[str, SecurityGroup | None] = _UNCHANGED,
        instances: Mapping[str, Instance | None] = _UNCHANGED,
        acls: Mapping[str, NetworkAcl | None] = _UNCHANGED,
        peerings: Mapping[str, Peering | None] = _UNCHANGED,
        virtual_ips: Mapping[str, VirtualIp | None] = _UNCHANGED,
        penalties: Mapping[str, Penalty | None] = _UNCHANGED,
        outside: Mapping[str, OutsideHost | None] = _UNCHANGED,
        port_lists: Mapping[str, PortList | None] = _UNCHANGED,
        detached: Mapping[str, DetachedPort | None] = _UNCHANGED,
        profile: Profile | None = None,
        limits: Mapping[str, Mapping[str, int]] | None = None,
        expects: tuple[Expectation, ...] | None = None,
    ) -> World:
        """The world with some things added, replaced or, where None is given, gone.

        It shares the rest, and costs as much as what changes; the first edit of a world that was not made by one
        costs as much as the world.
        """
        given: dict[str, Mapping[str, Any]] = {
            "vpcs": vpcs,
            "address_groups": address_groups,
            "groups": groups,
            "instances": instances,
            "acls": acls,
            "peerings": peerings,
            "virtual_ips": virtual_ips,
            "penalties": penalties,
            "outside": outside,
            "port_lists": port_lists,
            "detached": detached,
        }
        changed: dict[str, Any] = {"profile": profile, "limits": limits, "expects": expects}
        others = {name: value for name, value in changed.items() if value is not None}
        return self.persistent()._edited({name: values for name, values in given.items() if values}, others)

    def _edited(self, given: Mapping[str, Mapping[str, Any]], others: Mapping[str, Any]) -> World:
        own = vars(self)
        gone = {name: [own[name].get(key) for key in values] for name, values in given.items()}
        come: dict[str, Iterable[Any]] = {name: values.values() for name, values in given.items()}
        if "groups" in given:
            pairs = [facts.apart(*pair) for pair in zip(gone["groups"], come["groups"], strict=True)]
            gone["groups"], come["groups"] = [old for old, _ in pairs], [new for _, new in pairs]
        if "expects" in others:
            gone["expects"], come["expects"] = [*self.expects], others["expects"]
        made = {name: own[name] for name in _FIELDS}
        made |= {name: own[name].edited(values) for name, values in given.items()}
        made |= {name: _followed(getattr(self, name), said, gone, come) for name, said in _TABLES.items()}
        if not {"vpcs", "profile", "limits"} & {*given, *others}:
            made["_limited"] = self._limited
        return _world_of({**made, **others})

    def _facts(self, said: Facts) -> Iterator[tuple[Any, ...]]:
        for name, tell in said.items():
            values = self.expects if name == "expects" else getattr(self, name).values()
            yield from (fact for value in values for fact in tell(value))

    # ---- tables: each made of facts, and carried on by an edit

    @cached_property
    def places(self) -> Claims[Place, Owner]:
        """Who has an address: ports, virtual IPs, and under the empty VPC hosts outside."""
        return Claims.of(self._facts(facts.PLACES), facts.owner_rank)

    @cached_property
    def ways(self) -> Claims[tuple[str, str], Peering]:
        """Peerings by their two ends, either first, and by one end and nothing."""
        return Claims.of(self._facts(facts.WAYS), facts.peering_rank)

    @cached_property
    def rule_ids(self) -> Claims[str, LineOwner]:
        """In which group, ACL, border or peering a rule of an id stands."""
        return Claims.of(self._facts(facts.IDS), facts.line_rank)

    @cached_property
    def members(self) -> Uses[str, Membership, Member]:
        """The ports of each group; those that agree in their membership together."""
        return Uses.of(self._facts(facts.MEMBERS))

    @cached_property
    def sizes(self) -> Sizes:
        """How many members each group has."""
        return Sizes.of(self._facts(facts.SIZES))

    @cached_property
    def ties(self) -> Uses[str, Tie, str]:
        """The groups that name each group."""
        return Uses.of(self._facts(facts.TIES))

    @cached_property
    def naming(self) -> Uses[Thing, str, str]:
        """By section, the names of those that name a VPC, address group, port list, ACL or instance."""
        return Uses.of(self._facts(facts.NAMES))

    @cached_property
    def asked(self) -> Uses[str, str, Expectation]:
        """Expectations by their ends, see `facts.end_of`."""
        return Uses.of(self._facts(facts.ASKED))

    # ---- ports and addresses

    @cached_property
    def ports(self) -> tuple[Port, ...]:
        """Every port, by instance and name."""
        return tuple(
            port for instance in self.instances.values() for port in sorted(instance.ports, key=lambda port: port.name)
        )

    @property
    def port_by_name(self) -> Mapping[str, Port]:
        """Every port by its name, ``instance.port``."""
        return _Ports(self)

    def port_at(self, endpoint: Endpoint) -> Port | None:
        """The port that has the endpoint's address in the endpoint's VPC, as its own or as a virtual one for now."""
        return self._port_of(endpoint.vpc, endpoint.address)

    def in_one_guest(self, one: Endpoint, two: Endpoint) -> bool:
        """Whether two addresses are of one guest: what stays in it, nothing judges."""
        ports = self.port_at(one), self.port_at(two)
        return bool(ports[0] and ports[1] and ports[0].guest == ports[1].guest)

    def _port_of(self, vpc: str, address: Address) -> Port | None:
        owners = self.places[vpc, address]
        own = [owner for owner in owners if isinstance(owner, Port)]
        lent = (self.port_by_name.get(owner.active) for owner in reversed(owners) if isinstance(owner, VirtualIp))
        return own[-1] if own else next(filter(None, lent), None)

    def seen_from(self, vpc: str, address: Address) -> Endpoint:
        """Where an address lies, seen from a VPC: in it, in a peer, in another one whose port has it, or outside."""
        near = (name for name in (vpc, *self.peers_of(vpc)) if name in self.vpcs and address in self.vpcs[name])
        others = (name for name in self.vpcs if self._port_of(name, address))
        return Endpoint(address, next(chain(near, others), ""))

    def peering(self, one: str, two: str) -> Peering | None:
        """The peering between two VPCs."""
        return next(iter(self.ways[one, two]), None)

    def peers_of(self, vpc: str) -> tuple[str, ...]:
        """The VPCs that are peered with one, in the order of their names."""
        return tuple(sorted({peering.other(vpc) for peering in self.ways[vpc, ""]}))

    def nic_of(self, port: Port) -> NicType:
        """Which interface of its instance a port is; intranet in a VPC."""
        return self.subnet_of(port).nic

    def subnet_of(self, port: Port) -> Subnet:
        """The subnet that a port sits in."""
        return self.vpcs[port.vpc].subnets[port.subnet]

    def profile_of(self, group: SecurityGroup) -> Profile:
        """The profile whose limits and defaults a group has: its VPC's, or its own where it belongs to none."""
        return self.profile_in(group.vpc, group.account, group.profile)

    def profile_in(self, vpc: str, account: str, named: str = "") -> Profile:
        """The profile of a VPC, or of what belongs to none and may name one, with the limits of the account."""
        if not self.limits:
            return self._profile(vpc, named)
        key = vpc, account, named
        if key not in self._limited:
            own: dict[str, Any] = {**self.limits.get("*", {}), **self.limits.get(account, {})}
            self._limited[key] = replace(self._profile(vpc, named), **own)
        return self._limited[key]

    def _profile(self, vpc: str, named: str) -> Profile:
        found = self.vpcs.get(vpc)
        return found.profile if found else named_profile(named, self.profile)

    @cached_property
    def _limited(self) -> dict[tuple[str, str, str], Profile]:
        """Profiles by VPC, account and name, as far as they were asked for; an edit of something else keeps them."""
        return {}

    def resolve(self, name: str) -> Port | VirtualIp | OutsideHost:
        """What a name stands for: an instance, ``instance.port``, a virtual IP or an outside host.

        Raises `UnknownName`.
        """
        if name in self.outside:
            return self.outside[name]
        if name in self.virtual_ips:
            return self.virtual_ips[name]
        instance_name, _, port_name = name.partition(".")
        instance = self.instances.get(instance_name)
        if instance and not port_name:
            return instance.primary
        if instance and port_name in instance.by_name:
            return instance.by_name[port_name]
        raise _no_end(self, name)

    def endpoint(self, name: str, family: Family, account: str = "") -> Endpoint:
        """The end of a flow that a name or a literal address stands for.

        A literal address that a port has means that port, and one that nobody has is outside. Where an account asks,
        only its own VPCs count: others use the same addresses. Raises `UnknownName`, also where several VPCs use the
        address, or where what the name stands for has none of the family.
        """
        try:
            address = Address.parse(name)
        except NotationError:
            pass
        else:
            if not address.is_unicast:
                raise UnknownName(f"{name} is no address that a machine can have", "name a host's", name)
            if address.family is not family:
                raise UnknownName(f"{name} is an {address.family} address", f"ask over {address.family}", name)
            vpcs = (name for name, vpc in self.vpcs.items() if account in ("", vpc.account))
            having = (owner for vpc in vpcs for owner in self.places[vpc, address])
            owners = [it for it in sorted(having, key=facts.owner_rank) if isinstance(it, Port | VirtualIp)]
            if len(owners) > 1:
                raise UnknownName(f"several VPCs use {name}", f"name one of {', '.join(map(str, owners))}", name)
            return Endpoint(address, owners[0].vpc if owners else "", name)
        target = self.resolve(name)
        found = target.address(family)
        if not found:
            other = Family.IPV6 if family is Family.IPV4 else Family.IPV4
            raise UnknownName(f"{name} has no {family} address", f"ask over {other}", name)
        return Endpoint(found, "" if isinstance(target, OutsideHost) else target.vpc, name)

    def flow(self, query: Query) -> Flow:
        """The flow that a query names; raises `UnknownName`."""
        source, destination = (self.endpoint(name, query.family) for name in (query.source, query.destination))
        return Flow(source, destination, query.service, query.source_port)


class _Ports(Mapping[str, Port]):
    """Every port of a world by its name."""

    __slots__ = ("_world",)

    def __init__(self, world: World) -> None:
        self._world = world

    def __getitem__(self, name: str) -> Port:
        instance, _, port = name.partition(".")
        return self._world.instances[instance].by_name[port]

    def __iter__(self) -> Iterator[str]:
        return map(str, self._world.ports)

    def __len__(self) -> int:
        return len(self._world.ports)


_FIELDS = tuple(each.name for each in fields(World))
_SHOWN = 4
"""So many ends are named in a message."""


def _no_end(world: World, name: str) -> UnknownName:
    """What is wrong with a name that is not one end: it is several, or nobody's."""
    if name in world.groups:
        members = [str(port) for port in world.ports if name in port.groups]
        right = f"name a member: {_some(members)}" if members else "and it has no member; name an instance"
        return UnknownName(f"group {name} is not one end", right, name)
    if name == "internet":
        hosts = f"an outside host ({_some([*world.outside])}) or " if world.outside else ""
        return UnknownName(f"{name} is not one end", f"name {hosts}an address outside", name)
    if "/" in name and all(it.isalnum() or it in ".:/" for it in name):
        return UnknownName(f"{name} is not one end", "name an address of it", name)
    known = [*world.instances, *world.outside, *world.virtual_ips, *map(str, world.ports), *world.groups]
    return UnknownName(f"there is no instance, virtual IP, outside host or group {name!r}", nearest(name, known), name)


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")


def _world_of(attributes: Mapping[str, Any]) -> World:
    """A world of fields and tables that fit together; `dataclasses.replace` takes as long as the rest of an edit."""
    made = object.__new__(World)
    vars(made).update(attributes)
    return made


def _followed(
    table: Table, said: Facts, gone: Mapping[str, Iterable[object]], come: Mapping[str, Iterable[object]]
) -> Table:
    """A table after some values were replaced by others, by section."""
    if said.keys().isdisjoint(come):
        return table
    old, new = (
        {
            fact
            for name in said.keys() & values.keys()
            for it in values[name]
            if it is not None
            for fact in said[name](it)
        }
        for values in (gone, come)
    )
    return table.changed(old - new, new - old)


def nearest(name: str, known: Iterable[str]) -> str:
    """Words for a message about an unknown name: the nearest known one, else all of them while they are few."""
    names = sorted(set(known))
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    if close:
        return f"did you mean {close[0]!r}?"
    if 0 < len(names) <= 12:
        return f"known: {', '.join(names)}"
    return f"{len(names)} others are known" if names else "none are defined"
