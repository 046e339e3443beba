"""Hypothesis strategy for whole valid worlds of groups and ports.

Those of single values are in `tests.value_strategies`, worlds with everything that there is in `tests.full_worlds`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from ringfence.model.address import Address, AddressRange, Family, Prefix
from ringfence.model.flow import Expectation
from ringfence.model.group import AddressGroup, GroupType, SecurityGroup
from ringfence.model.port_list import NamedPorts, PortList
from ringfence.model.profile import IntraGroup, Profile, named_profile
from ringfence.model.rule import Action, AddressGroupRemote, AnyRemote, GroupRemote, Remote, Rule
from ringfence.model.service import Listener, PortRange
from ringfence.model.topology import Instance, OutsideHost, Port, Subnet, Vpc
from ringfence.model.world import World, by_name
from tests.value_strategies import families, plain_rules, prefixes, profiles, queries, ranges, some, texts

_OUTSIDE = {
    "laptop": (Address.parse("203.0.113.9"), Address.parse("2001:db8::9")),
    "phone": (Address.parse("203.0.113.66"),),
    "box6": (Address.parse("2001:db8:6::1"),),
}
OUTSIDE_PREFIXES = ("0.0.0.0/0", "::/0", "0.0.0.0/1", "203.0.113.0/24", "203.0.113.9/32", "2001:db8::/32")
INSIDE_PREFIXES = (
    "10.{0}.0.0/16",
    "10.{0}.1.0/24",
    "10.{0}.1.8/29",
    "10.{0}.1.11/32",
    "fd00:{0}::/56",
    "fd00:{0}:0:1::/64",
)


@dataclass(frozen=True)
class _Ground:
    """What stands before groups and instances: the world's profile, its VPCs, and what rules may name as remotes."""

    profile: Profile
    vpcs: tuple[Vpc, ...]
    prefixes: tuple[Prefix, ...]
    address_groups: tuple[AddressGroup, ...]
    port_lists: tuple[PortList, ...]

    def world(self, groups: Sequence[SecurityGroup] = ()) -> World:
        world = World(self.profile, by_name(self.vpcs), by_name(self.address_groups), by_name(groups))
        return replace(world, port_lists=by_name(self.port_lists))


@st.composite
def worlds(draw: DrawFn, profile: SearchStrategy[Profile] | None = None) -> World:
    """A valid world, small: up to two VPCs, four groups and six ports; both families; outside hosts; expectations.

    Values whose order means nothing are in the order in which a world file gives them back.
    """
    outside = by_name(OutsideHost(name, _OUTSIDE[name]) for name in draw(some(list(_OUTSIDE))))
    ground = draw(_grounds(profiles() if profile is None else profile, overlap=not outside))
    headers = [draw(_headers(name, ground)) for name in draw(some(["default", "sg-db", "on", "sg-web"], 1))]
    groups = [draw(_with_rules(header, headers, ground)) for header in headers]
    world = replace(ground.world(groups), outside=outside)
    world = replace(world, instances=by_name(draw(_instances(world))))
    return replace(world, expects=tuple(draw(expectations_in(world))))


@st.composite
def _grounds(draw: DrawFn, profiles_: SearchStrategy[Profile], *, overlap: bool) -> _Ground:
    profile = draw(profiles_)
    names_ = draw(some(["shop", "ops"], 1))
    # Without outside hosts two VPCs may use the same addresses.
    numbers = (1, 1) if overlap and draw(st.booleans()) else (1, 2)
    vpcs = [
        draw(_vpcs(name, number, st.just(profile) | profiles_)) for name, number in zip(names_, numbers, strict=False)
    ]
    texts_ = [text.format(number) for number in sorted({*numbers}) for text in INSIDE_PREFIXES]
    pool = [Prefix.parse(text) for text in [*OUTSIDE_PREFIXES, *texts_]]
    address_groups = [draw(_address_groups(name, pool, profile)) for name in draw(some(["office", "yes"]))]
    port_lists = [draw(_port_lists(name)) for name in draw(some(["web-ports", "on"]))]
    return _Ground(profile, tuple(vpcs), tuple(pool), tuple(address_groups), tuple(port_lists))


@st.composite
def _vpcs(draw: DrawFn, name: str, number: int, profiles_: SearchStrategy[Profile]) -> Vpc:
    cidrs = (Prefix.parse(f"10.{number}.0.0/16"), Prefix.parse(f"fd00:{number}::/56"))
    subnets = {}
    for index, each in enumerate(sorted(draw(some(["web", "db"], 1))), start=1):
        cidr, cidr6 = Prefix.parse(f"10.{number}.{index}.0/24"), Prefix.parse(f"fd00:{number}:0:{index}::/64")
        pair = draw(st.sampled_from([(cidr, cidr6), (cidr, cidr6), (cidr, None), (None, cidr6)]))
        subnets[each] = Subnet(each, name, *pair)
    return Vpc(name, draw(profiles_), cidrs, subnets)


@st.composite
def _address_groups(draw: DrawFn, name: str, pool: Sequence[Prefix], profile: Profile) -> AddressGroup:
    family = draw(families())
    near = [prefix.range for prefix in pool if prefix.family is family]
    blocks = prefixes(family).map(lambda prefix: prefix.range)
    any_: SearchStrategy[AddressRange] = ranges(family) if profile.address_group_ranges else blocks
    entries = draw(st.lists(st.sampled_from(near) | any_, max_size=3, unique=True))
    return AddressGroup(name, tuple(sorted(entries)))


@st.composite
def _port_lists(draw: DrawFn, name: str) -> PortList:
    """Entries may overlap and touch, and there may be none."""
    number = st.integers(20, 90) | st.integers(1, 65535)
    ends = draw(st.lists(st.tuples(number, number).map(sorted), max_size=4))
    return PortList(name, tuple(sorted({PortRange(first, last) for first, last in ends})))


@st.composite
def _headers(draw: DrawFn, name: str, ground: _Ground) -> SecurityGroup:
    """A group without rules."""
    home = draw(st.sampled_from(ground.vpcs))
    named = home.profile.name
    own = named_profile(named, ground.profile)
    vpc = home.name if home.profile.groups_need_vpc or own.groups_need_vpc or draw(st.booleans()) else ""
    silent = bool(vpc) or named == ground.profile.name
    profile = draw(st.sampled_from(["", named])) if silent else named
    advanced = (home.profile if vpc else own).advanced_groups and draw(st.integers(0, 3)) == 0
    intra = IntraGroup.DROP if advanced else draw(st.sampled_from(IntraGroup))
    kind = GroupType.ADVANCED if advanced else GroupType.BASIC
    tags = draw(st.dictionaries(texts(), texts(), max_size=1))
    return SecurityGroup(name, (), vpc, kind, intra, draw(texts()), tags, profile=profile)


@st.composite
def _with_rules(
    draw: DrawFn, header: SecurityGroup, headers: Sequence[SecurityGroup], ground: _Ground
) -> SecurityGroup:
    remotes_: list[Remote] = [AnyRemote.ANY, *ground.prefixes]
    remotes_ += [GroupRemote(name) for name in _nameable(header, ground.world(headers))]
    remotes_ += [AddressGroupRemote(group.name) for group in ground.address_groups]
    # Groups and address groups come up about as often as all the prefixes together.
    weighted = st.sampled_from(remotes_) | st.sampled_from(remotes_[::-1][:4])
    named = [NamedPorts(each.name) for each in ground.port_lists]
    lists = st.sampled_from(named) if named else st.nothing()
    fitting = plain_rules(weighted, lists).filter(lambda rule: _has_family(rule, ground.address_groups))
    drawn = draw(st.lists(fitting, max_size=6, unique_by=lambda rule: rule.key))
    ids = [draw(st.just("") | st.just(f"sgr-{header.name}:{index}")) for index in range(len(drawn))]
    chosen = [replace(rule, given_id=given) for rule, given in zip(drawn, ids, strict=True)]
    return replace(header, rules=tuple(sorted(chosen, key=lambda rule: rule.key)))


def _nameable(group: SecurityGroup, world: World) -> list[str]:
    """The groups that a rule of a group may name."""
    profile = world.profile_of(group)
    return [
        other.name
        for other in world.groups.values()
        if GroupType.ADVANCED not in (group.type, other.type)
        and (other.name != group.name or profile.self_reference)
        and (other.vpc == group.vpc or not profile.groups_need_vpc)
    ]


def _has_family(rule: Rule, address_groups: Sequence[AddressGroup]) -> bool:
    entries = [each.entries for each in address_groups if rule.remote == AddressGroupRemote(each.name)]
    return all(not found or found[0].family in rule.families for found in entries)


@st.composite
def _instances(draw: DrawFn, world: World) -> list[Instance]:
    found = []
    for index, name in enumerate(draw(some(["web-1", "db-1", "null"], 1)), start=1):
        port_names = draw(st.just(["eth0"]) | some(["eth0", "eth1", "no"], 1, 2))
        ports = tuple(
            draw(_ports(world, name, each, 10 * index + offset)) for offset, each in enumerate(port_names, start=1)
        )
        served = draw(some(["tcp/80", "udp/53", "tcp/6379@127.0.0.1", f"tcp/22@{ports[0].addresses[0]}"]))
        found.append(Instance(name, ports, tuple(map(Listener.parse, sorted(served)))))
    return found


@st.composite
def _ports(draw: DrawFn, world: World, instance: str, name: str, host: int) -> Port:
    first = draw(st.sampled_from(list(world.groups.values())))
    homes = [vpc for vpc in world.vpcs.values() if _usable(first, vpc, world)]
    vpc = draw(st.sampled_from(homes))
    more = [group.name for group in world.groups.values() if group.type is first.type and _usable(group, vpc, world)]
    groups = draw(some([each for each in more if each != first.name], 0, 2)) if len(more) > 1 else []
    subnet = draw(st.sampled_from(list(vpc.subnets.values())))
    own = [Address(prefix.family, prefix.network + host) for prefix in subnet.prefixes]
    kept = draw(st.just(own) | some(own, 1))
    return Port(instance, name, subnet.name, vpc.name, tuple(sorted(kept)), (first.name, *groups))


def _usable(group: SecurityGroup, vpc: Vpc, world: World) -> bool:
    return group.vpc in ("", vpc.name) and world.profile_of(group).name == vpc.profile.name


@st.composite
def expectations_in(draw: DrawFn, world: World) -> list[Expectation]:
    """A few expectations about the hosts of a world."""
    found = []
    for query in draw(st.lists(queries(st.just("?")), max_size=4)):
        family = query.family
        hosts = [str(port) for port in world.ports if port.address(family)]
        hosts += [each.name for each in world.instances.values() if each.primary.address(family)]
        hosts += [host.name for host in world.outside.values() if host.address(family)]
        hosts += [vip.name for vip in world.virtual_ips.values() if vip.address(family)]
        hosts += ["198.51.100.20" if family is Family.IPV4 else "2001:db8:ff::20"]
        if len(hosts) > 1:
            source, destination = draw(some(hosts, 2, 2))
            named = replace(query, source=source, destination=destination)
            found.append(Expectation(named, draw(st.sampled_from(Action))))
    return found
