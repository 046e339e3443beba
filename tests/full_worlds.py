"""Hypothesis strategy for valid worlds with everything there is: what stands on the path, and where it may stand.

A world of groups and ports (`tests.strategies.worlds`) is drawn first; the rest is added to it step by step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from ringfence.model.acl import AclRule, NetworkAcl, Side
from ringfence.model.address import Address, Family, Prefix
from ringfence.model.group import AddressGroup, GroupType, SecurityGroup
from ringfence.model.port_list import NamedPorts, PortList
from ringfence.model.rule import AddressGroupRemote, AnyRemote, Direction, GroupRemote, NicType, Rule
from ringfence.model.topology import Instance, Network, Peering, Penalty, Subnet, VirtualIp, Vpc
from ringfence.model.world import World, by_name
from tests.strategies import INSIDE_PREFIXES, OUTSIDE_PREFIXES, expectations_in, worlds
from tests.value_strategies import acl_rules, five_tuples, names, some, texts, turned_profiles, with_nic, with_service


@st.composite
def full_worlds(draw: DrawFn) -> World:
    """A valid world, small, with a little of everything.

    Values whose order means nothing are in the order in which a world file gives them back.
    """
    world = draw(worlds(turned_profiles()))
    for step in (_sized, _classic, _owned, _with_parts, _with_acls, _with_firewalls, _with_guests, _with_blocks):
        world = draw(step(world))
    return replace(world, expects=tuple(draw(expectations_in(world))))


def _edited(world: World, edit: Callable[[SecurityGroup], SecurityGroup]) -> World:
    """The world with each group edited, its rules in order again."""
    groups = (edit(group) for group in world.groups.values())
    ordered = (replace(it, rules=tuple(sorted(it.rules, key=lambda rule: rule.key))) for it in groups)
    return replace(world, groups=by_name(ordered))


@st.composite
def _sized(draw: DrawFn, world: World) -> World:
    """Address groups and port lists that say how many entries they may have."""

    def bound(it: AddressGroup | PortList) -> int | None:
        return draw(st.none() | st.integers(max(1, len(it.entries)), 4))

    groups = (replace(it, max_entries=bound(it)) for it in world.address_groups.values())
    lists = (replace(it, max_entries=bound(it)) for it in world.port_lists.values())
    return replace(world, address_groups=by_name(groups), port_lists=by_name(lists))


@st.composite
def _classic(draw: DrawFn, world: World) -> World:
    """One VPC may become the classic network, if no group of another one is tied to its groups."""
    fitting = [vpc for vpc in world.vpcs.values() if vpc.profile.classic_network and _is_apart(world, vpc)]
    if not fitting or not draw(st.booleans()):
        return world
    chosen = fitting[0]
    nics = {name: draw(st.sampled_from(NicType)) for name in chosen.subnets}
    subnets = {name: replace(subnet, nic=nics[name]) for name, subnet in chosen.subnets.items()}
    vpc = replace(chosen, network=Network.CLASSIC, subnets=subnets)

    def edited(group: SecurityGroup) -> SecurityGroup:
        kept = [rule for rule in group.rules if not isinstance(rule.remote, AddressGroupRemote)]
        kept = [rule for rule in kept if not isinstance(rule.ports, NamedPorts)]
        rules = tuple(draw(with_nic(rule)) for rule in kept)
        return replace(group, rules=rules) if group.vpc == vpc.name else group

    return _edited(replace(world, vpcs={**world.vpcs, vpc.name: vpc}), edited)


def _is_apart(world: World, vpc: Vpc) -> bool:
    own = {group.name for group in world.groups.values() if group.vpc == vpc.name}
    ties = [(group.name, name) for group in world.groups.values() for name in _references(group)]
    ports = [port for port in world.ports if port.vpc == vpc.name]
    return (
        all(world.groups[name].type is GroupType.BASIC for name in own)
        and all((one in own) is (two in own) for one, two in ties)
        and all(own.issuperset(port.groups) for port in ports)
    )


def _references(group: SecurityGroup) -> list[str]:
    return [rule.remote.name for rule in group.rules if isinstance(rule.remote, GroupRemote)]


@st.composite
def _owned(draw: DrawFn, world: World) -> World:
    """Groups of another account: all that share a port, and the rules that name them say whose they are."""
    if not all(world.profile_of(group).cross_account for group in world.groups.values()):
        return world
    named = sorted({name for group in world.groups.values() for name in _references(group)})
    theirs = set(draw(some(named or list(world.groups), 0, 1)))
    for port in world.ports * len(world.ports):  # as often as one port may lead to the next
        theirs |= set(port.groups) if theirs & set(port.groups) else set()

    def edited(group: SecurityGroup) -> SecurityGroup:
        own = group.name in theirs
        rules = tuple(_named(rule, foreign=not own, theirs=theirs) for rule in group.rules)
        return replace(group, account="partner" if own else "", rules=rules)

    return _edited(world, edited)


def _named(rule: Rule, *, foreign: bool, theirs: set[str]) -> Rule:
    if not isinstance(rule.remote, GroupRemote) or not foreign or rule.remote.name not in theirs:
        return rule
    return replace(rule, remote=GroupRemote(rule.remote.name, "partner"))


@st.composite
def _with_parts(draw: DrawFn, world: World) -> World:
    """Rules of five parts, of services and of services' groups; FTP helpers."""

    def edited(group: SecurityGroup) -> SecurityGroup:
        rules = [draw(with_service(rule)) for rule in group.rules]
        if world.profile_of(group).five_tuple:
            rules = [draw(_five(rule, world)) for rule in rules]
        helper, managed = draw(st.booleans()), draw(st.just("") | names())
        return replace(group, rules=tuple(rules), ftp_helper=helper, managed=managed)

    return _edited(world, edited)


@st.composite
def _five(draw: DrawFn, rule: Rule, world: World) -> Rule:
    named = rule.remote.name if isinstance(rule.remote, AddressGroupRemote) else ""
    entries = world.address_groups[named].entries if named else ()
    return draw(five_tuples(rule, entries[0].family if entries else rule.families[0]) | st.just(rule))


@st.composite
def _with_acls(draw: DrawFn, world: World) -> World:
    """Network ACLs, of one VPC or of any, and the subnets that have them."""
    homes = list(world.vpcs) if world.profile.acls_need_vpc else ["", *world.vpcs]
    acls = [draw(_acls(world, name, homes)) for name in draw(some(["acl-web", "no"]))]
    vpcs = [draw(_with_edges(world, vpc, acls)) for vpc in world.vpcs.values()]
    return replace(world, acls=by_name(acls), vpcs=by_name(vpcs))


@st.composite
def _acls(draw: DrawFn, world: World, name: str, homes: Sequence[str]) -> NetworkAcl:
    lines = draw(_lines(world, name, list(Direction)))
    kept = tuple(line for line in lines if not _names_two_lists(line))
    return NetworkAcl(name, kept, draw(st.sampled_from(homes)), draw(st.booleans()), draw(texts()))


def _names_two_lists(line: AclRule) -> bool:
    return isinstance(line.source, AddressGroupRemote) and isinstance(line.destination, AddressGroupRemote)


@st.composite
def _with_edges(draw: DrawFn, world: World, vpc: Vpc, acls: Sequence[NetworkAcl]) -> Vpc:
    anybodys = world.profile.acls_need_vpc or not vpc.profile.acls_need_vpc
    fitting = [acl.name for acl in acls if acl.vpc == vpc.name or (not acl.vpc and anybodys)]
    chosen = {name: draw(st.sampled_from(["", *fitting])) for name in vpc.subnets}
    return replace(vpc, subnets={name: replace(each, acl=chosen[name]) for name, each in vpc.subnets.items()})


@st.composite
def _with_firewalls(draw: DrawFn, world: World) -> World:
    """Firewalls at the borders, and a peering with one where two VPCs may be joined."""
    borders = {name: draw(_lines(world, f"border-{name}", list(Direction))) for name in world.vpcs}
    world = replace(world, vpcs=by_name(replace(vpc, border=borders[vpc.name]) for vpc in world.vpcs.values()))
    vpcs = list(world.vpcs.values())
    apart = len({vpc.cidrs for vpc in vpcs}) == 2 and all(vpc.network is Network.VPC for vpc in vpcs)
    if not apart or not draw(st.booleans()):
        return world
    name = draw(st.just("ops-shop") | names())
    peering = Peering(name, ("ops", "shop"), draw(_lines(world, "peering", [None])))
    return replace(world, peerings=by_name([peering]))


@st.composite
def _lines(draw: DrawFn, world: World, owner: str, directions: Sequence[Direction | None]) -> tuple[AclRule, ...]:
    """Lines about the addresses and address groups of a world, some with an id or a name, some twice."""
    pool = {family: _sides(world, family) for family in Family}
    drawn = draw(st.lists(acl_rules(directions, pool), max_size=3, unique_by=lambda line: line.key))
    ids = [draw(st.just("") | st.just(f"acr:{owner}:{index}")) for index in range(len(drawn))]
    called = [draw(st.just("") | texts().filter(str.isprintable)) for _ in drawn]
    lines = [replace(line, given_id=id_, name=it) for line, id_, it in zip(drawn, ids, called, strict=True)]
    doubled = [line for line in lines if draw(st.integers(0, 3)) == 3]
    return (*lines, *(replace(line, given_id=f"twin:{owner}:{index}") for index, line in enumerate(doubled)))


def _sides(world: World, family: Family) -> list[Side]:
    """What a line may name that can match in one family."""
    blocks = map(Prefix.parse, [*OUTSIDE_PREFIXES, *(text.format(1) for text in INSIDE_PREFIXES)])
    lists = [group for group in world.address_groups.values() if group.of_family(family) or not group.entries]
    named = [AddressGroupRemote(group.name) for group in lists]
    return [AnyRemote.ANY, *(block for block in blocks if block.family is family), *named]


@st.composite
def _with_guests(draw: DrawFn, world: World) -> World:
    """Ports in namespaces of their guests, and virtual IPs between ports of one subnet."""
    instances = [draw(_with_namespaces(instance)) for instance in world.instances.values()]
    world = replace(world, instances=by_name(instances))
    subnets = [subnet for vpc in world.vpcs.values() for subnet in vpc.subnets.values()]
    behind = {subnet: [str(port) for port in world.ports if world.subnet_of(port) == subnet] for subnet in subnets}
    used = [subnet for subnet in subnets if behind[subnet]]
    chosen = draw(st.lists(st.sampled_from(used), max_size=2))
    vips = [draw(_virtual_ips(name, at, behind[at])) for name, at in zip(("vip", "0x1F"), chosen, strict=False)]
    return replace(world, virtual_ips=by_name(vips))


@st.composite
def _with_namespaces(draw: DrawFn, instance: Instance) -> Instance:
    ports = tuple(replace(port, namespace=draw(st.just("") | names())) for port in instance.ports)
    return replace(instance, ports=ports)


@st.composite
def _virtual_ips(draw: DrawFn, name: str, subnet: Subnet, behind: Sequence[str]) -> VirtualIp:
    host = 100 if name == "vip" else 101
    own = [Address(prefix.family, prefix.network + host) for prefix in subnet.prefixes]
    ports = sorted(draw(some(behind, 1)))
    kept = tuple(sorted(draw(some(own, 1))))
    return VirtualIp(name, subnet.name, subnet.vpc, kept, tuple(ports), draw(st.sampled_from(ports)))


@st.composite
def _with_blocks(draw: DrawFn, world: World) -> World:
    """Penalties on instances and ports."""
    targets = draw(some([*world.instances, *map(str, world.ports)], 0, 2))
    reasons = texts().filter(str.strip)
    return replace(world, penalties=by_name(Penalty(target, draw(reasons)) for target in targets))
