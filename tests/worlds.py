"""Random worlds for the differential test, from a seed, over one fixed topology a profile; and flows in them.

Addresses stay, so that one lab serves many worlds. Drawn anew are groups, rules, memberships, address groups, port
lists, ACLs and which subnet has which, peerings and the firewalls there and at borders, who has a virtual IP,
penalties, switches.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import permutations

from ringfence.model.acl import NetworkAcl
from ringfence.model.address import Family
from ringfence.model.flow import Endpoint, Flow
from ringfence.model.group import GroupType, SecurityGroup
from ringfence.model.profile import DefaultAction, GroupOrder, IntraGroup, Profile
from ringfence.model.rule import Direction, GroupRemote
from ringfence.model.service import NO_SERVICES, Protocol, Service, ServiceSet
from ringfence.model.topology import Instance, Network, Peering, Penalty, Port, Vpc
from ringfence.model.validation import problems
from ringfence.model.world import World, by_name
from tests.rules import PORTED, PORTLESS, SOURCES, RuleDrawer, random_lists, random_port_lists, unique
from tests.topologies import TOPOLOGIES, Topology, nobodys

_PARTNER = "partner"
"""Another account, which has the last group of the classic network."""


def random_world(rng: random.Random, profile: Profile, topology: Topology | None = None) -> World:
    """A valid world of ``profile`` with some of its switches turned, over a topology, by default the profile's own."""
    bare = (topology or TOPOLOGIES[profile.name]).bare()
    profile = _turned(rng, profile)
    lists = by_name(random_lists(rng, profile))
    drawer = RuleDrawer(rng, lists)
    acls = by_name(_acls(rng, drawer, bare, profile))
    vpcs = by_name(_vpc(rng, drawer, vpc, profile, acls) for vpc in bare.vpcs.values())
    groups = by_name(_groups(rng, drawer, vpcs))
    world = replace(
        bare,
        profile=profile,
        vpcs=vpcs,
        address_groups=lists,
        port_lists=by_name(random_port_lists(rng)),
        groups=groups,
        instances=by_name(_joined(rng, instance, groups) for instance in bare.instances.values()),
        acls=acls,
        peerings=by_name(_peerings(rng, drawer, bare)),
        virtual_ips=by_name(replace(vip, active=rng.choice(vip.ports)) for vip in bare.virtual_ips.values()),
        penalties=by_name(_penalties(rng, bare)),
    )
    assert problems(world) == (), problems(world)[:3]
    return world


def _turned(rng: random.Random, profile: Profile) -> Profile:
    return replace(
        profile,
        group_order=rng.choice([GroupOrder.AGGREGATE, GroupOrder.AGGREGATE, GroupOrder.SEQUENCE]),
        default_egress=rng.choice([profile.default_egress, *DefaultAction]),
        peer_references=profile.peer_references ^ (rng.random() < 0.3),
        blocked_egress=rng.choice([profile.blocked_egress, ServiceSet.parse("udp/80-81,tcp/22-23")]),
        carrier_blocks=rng.choice([profile.carrier_blocks, ServiceSet.parse("tcp/80-85,udp/1"), NO_SERVICES]),
        rules_per_group=4000,
        group_rules_per_group=400,
        rules_per_port=20_000,
        acl_rules_per_direction=2000,
    )


def _acls(rng: random.Random, drawer: RuleDrawer, world: World, profile: Profile) -> Iterator[NetworkAcl]:
    owners = list(world.vpcs) * 2 if profile.acls_need_vpc else ["", "", *world.vpcs]
    for number, owner in enumerate(owners):
        lines = unique(line for way in Direction for line in drawer.lines(way, is_open=0.6))
        yield NetworkAcl(f"acl-{number}", lines, owner, rng.random() < 0.9)


def _vpc(rng: random.Random, drawer: RuleDrawer, vpc: Vpc, profile: Profile, acls: Mapping[str, NetworkAcl]) -> Vpc:
    fitting = [acl.name for acl in acls.values() if acl.vpc in ("", vpc.name)]
    edges = {name: rng.choice(["", rng.choice(fitting)]) for name in vpc.subnets}
    return replace(
        vpc,
        profile=replace(_turned(rng, profile), acl_stateful=profile.acl_stateful ^ (rng.random() < 0.15)),
        subnets={name: replace(subnet, acl=edges[name]) for name, subnet in vpc.subnets.items()},
        border=unique(line for way in Direction for line in drawer.lines(way)),
    )


def _peerings(rng: random.Random, drawer: RuleDrawer, world: World) -> list[Peering]:
    there = [peering for peering in world.peerings.values() if rng.random() < 0.85]
    return [replace(peering, firewall=drawer.lines(None)) for peering in there]


def _penalties(rng: random.Random, world: World) -> list[Penalty]:
    targets = [*rng.sample([*world.instances], 2), *map(str, world.ports)]
    return [Penalty(target, "abuse") for target in rng.sample(targets, rng.choice([0, 0, 0, 0, 1, 2]))]


# ---- groups


def _groups(rng: random.Random, drawer: RuleDrawer, vpcs: Mapping[str, Vpc]) -> Iterator[SecurityGroup]:
    """The groups, and then their rules, which have to know what groups there are."""
    bare = [_bare_group(rng, vpc, letter) for vpc in vpcs.values() for letter in "abcde"]
    for group in bare:
        vpc = vpcs[group.name.partition("-")[0]]
        named = [_reference(group, other) for other in bare if _may_name(vpcs, group, other)]
        listed = [drawer.rule(vpc, named) for _ in range(rng.randint(0, 14))] + drawer.rests(vpc)
        if rng.random() < 0.4:
            listed += drawer.ladder(vpc, named)
        yield replace(group, rules=tuple({rule.key: rule for rule in listed}.values()))


def _bare_group(rng: random.Random, vpc: Vpc, letter: str) -> SecurityGroup:
    """A group without rules. Those with the letter c belong to no VPC, where the profile has such groups."""
    name, profile, classic = f"{vpc.name}-{letter}", vpc.profile, vpc.network is Network.CLASSIC
    advanced = profile.advanced_groups and not classic and rng.random() < 0.25
    accept = profile.intra_group is IntraGroup.ACCEPT and not advanced and rng.random() < 0.6
    return SecurityGroup(
        name,
        vpc=vpc.name if letter != "c" or profile.groups_need_vpc else "",
        type=GroupType.ADVANCED if advanced else GroupType.BASIC,
        intra_group=IntraGroup.ACCEPT if accept else IntraGroup.DROP,
        account=_PARTNER if classic and letter == "e" else "",
    )


def _may_name(vpcs: Mapping[str, Vpc], group: SecurityGroup, other: SecurityGroup) -> bool:
    profile = next(iter(vpcs.values())).profile
    if GroupType.ADVANCED in (group.type, other.type) or (group.name == other.name and not profile.self_reference):
        return False
    return group.vpc == other.vpc or not profile.groups_need_vpc


def _reference(group: SecurityGroup, other: SecurityGroup) -> GroupRemote:
    return GroupRemote(other.name, other.account if other.account != group.account else "")


def _joined(rng: random.Random, instance: Instance, groups: Mapping[str, SecurityGroup]) -> Instance:
    ports = tuple(replace(port, groups=_membership(rng, port, groups)) for port in instance.ports)
    return replace(instance, ports=ports)


def _membership(rng: random.Random, port: Port, groups: Mapping[str, SecurityGroup]) -> tuple[str, ...]:
    fitting = [group for group in groups.values() if group.vpc in ("", port.vpc)]
    first = rng.choice(fitting)
    pool = [it.name for it in fitting if (it.type, it.account) == (first.type, first.account)]
    return tuple(rng.sample(pool, rng.randint(1, min(4, len(pool)))))


# ---- flows


def flows(world: World) -> Iterator[tuple[Endpoint, Endpoint]]:
    """Every ordered pair of addresses between which a packet may cross a gate."""
    ends = [Endpoint(address, port.vpc, str(port)) for port in world.ports for address in port.addresses]
    ends += [Endpoint(address, "", host.name) for host in world.outside.values() for address in host.addresses]
    ends += [Endpoint(address, vip.vpc, vip.name) for vip in world.virtual_ips.values() for address in vip.addresses]
    for source, destination in permutations(ends, 2):
        one, two = world.port_at(source), world.port_at(destination)
        same = one and two and (one.instance, one.namespace) == (two.instance, two.namespace)
        if source.address.family is destination.address.family and (one or two) and not same:
            yield source, destination


def random_flows(rng: random.Random, world: World, count: int) -> list[Flow]:
    """So many flows: mostly TCP and UDP on the ports that rules mention and beside them, ICMP, and a few others.

    A few go to addresses of a VPC's space that nobody has.
    """
    pairs = list(flows(world))
    interest = [_interest(world, *pair) for pair in pairs]
    return [_flow(rng, world, *pair) for pair in rng.choices(pairs, interest, k=count)]


def _interest(world: World, source: Endpoint, destination: Endpoint) -> float:
    """How often a pair comes: across a peering often, for such pairs are few; where there is no way seldom."""
    one, two = source.vpc, destination.vpc
    if not one or not two or one == two:
        return 1
    return 3 if world.peering(one, two) else 0.2


def _flow(rng: random.Random, world: World, source: Endpoint, destination: Endpoint) -> Flow:
    family = source.address.family
    if source.vpc and rng.random() < 0.02:
        free = nobodys(world, family)
        vpc = rng.choice(list(free))
        destination = Endpoint(free[vpc], rng.choice(["", vpc]))
    service = _service(rng, family)
    named = service.protocol.has_ports and rng.random() < 0.5
    return Flow(source, destination, service, rng.choice(SOURCES) if named else None)


def _service(rng: random.Random, family: Family) -> Service:
    draw = rng.random()
    if draw < 0.05:
        return Service.parse(rng.choice(["tcp/25", "udp/25", "tcp/445", "tcp/42", "udp/135", "tcp/26", "tcp/1433"]))
    if draw < 0.85:
        return Service(rng.choice([Protocol.TCP, Protocol.TCP, Protocol.UDP]), rng.choice(PORTED))
    if draw < 0.97:
        return Service(Protocol.ICMP if family is Family.IPV4 else Protocol.ICMPV6)
    return Service(rng.choice(PORTLESS))
