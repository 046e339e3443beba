"""Hypothesis strategies for every value of the model, and for whole valid worlds.

Numbers come from small pools on purpose: prefixes nest, port ranges overlap, and rules of opposite action meet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from ringfence.model.address import Address, AddressRange, Family, Prefix
from ringfence.model.flow import Expectation, Query
from ringfence.model.group import AddressGroup, GroupType, SecurityGroup
from ringfence.model.names import check_name
from ringfence.model.profile import ALIBABA, HUAWEI, DefaultAction, GroupOrder, IntraGroup, Profile
from ringfence.model.rule import (
    Action,
    AddressGroupRemote,
    AnyRemote,
    Direction,
    GroupRemote,
    Remote,
    Rule,
)
from ringfence.model.service import ALL_PORTS, Listener, PortRange, PortSet, Protocol, Service
from ringfence.model.topology import Instance, OutsideHost, Port, Subnet, Vpc
from ringfence.model.world import World, by_name

T = TypeVar("T")

_LETTERS = "abcxyzÄß東0159_"
_PROTOCOLS = (Protocol.ALL, Protocol.TCP, Protocol.UDP, Protocol.ICMP, Protocol.ICMPV6, Protocol.GRE, Protocol(132))
_OUTSIDE = {
    "laptop": (Address.parse("203.0.113.9"), Address.parse("2001:db8::9")),
    "phone": (Address.parse("203.0.113.66"),),
    "box6": (Address.parse("2001:db8:6::1"),),
}


def families() -> SearchStrategy[Family]:
    """IPv4 or IPv6."""
    return st.sampled_from(Family)


@st.composite
def addresses(draw: DrawFn, of: Family | None = None) -> Address:
    """Any address, of one family if asked for."""
    family = of or draw(families())
    return Address(family, draw(st.integers(0, family.top)))


@st.composite
def prefixes(draw: DrawFn, of: Family | None = None) -> Prefix:
    """Any prefix, from everything to one address."""
    address = draw(addresses(of))
    length = draw(st.integers(0, address.family.bits))
    host_bits = address.family.top >> length
    return Prefix(address.family, address.value & ~host_bits, length)


@st.composite
def ranges(draw: DrawFn, of: Family | None = None) -> AddressRange:
    """Any range: an address, a prefix or none of these."""
    family = of or draw(families())
    ends = st.tuples(addresses(family), addresses(family)).map(sorted)
    free = ends.map(lambda pair: AddressRange(family, pair[0].value, pair[1].value))
    return draw(free | prefixes(family).map(lambda prefix: prefix.range))


@st.composite
def port_sets(draw: DrawFn) -> PortSet:
    """Ascending ranges that do not overlap, near each other; or every port."""
    cuts = draw(st.lists(st.integers(20, 90) | st.integers(1, 65535), max_size=6, unique=True).map(sorted))
    spans = zip(cuts[::2], cuts[1::2] + cuts[-1:], strict=False)
    return PortSet(tuple(PortRange(low, high) for low, high in spans))


def protocols() -> SearchStrategy[Protocol]:
    """The usual ones, ``all``, or any number."""
    return st.sampled_from(_PROTOCOLS) | st.integers(0, 255).map(Protocol)


def names(*, dots: bool = True) -> SearchStrategy[str]:
    """Names that are fit for use, some of them words that YAML takes for something else."""
    words = st.sampled_from(["sg-web", "on", "null", "1e3", "yes", "true", "priority", "disabled", "0x1F"])
    plain = st.text(_LETTERS + ("-." if dots else "-"), min_size=1, max_size=12).map(lambda text: f"n{text}n")
    return words | plain.map(check_name)


def texts() -> SearchStrategy[str]:
    """One line of anything: quotes, colons, hashes and backslashes included."""
    line = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n"), max_size=20)
    return line | st.sampled_from(['say "hi"', "a: b # c", "\\", "'", "- x", "[y]", " padded ", "", "東京"])


def remotes() -> SearchStrategy[Remote]:
    """Any remote; address groups have names that do not read as an address."""
    group_names = names()
    return st.one_of(
        st.just(AnyRemote.ANY),
        prefixes(),
        group_names.map(GroupRemote),
        group_names.filter(lambda name: not set(name) <= set("0123456789.")).map(AddressGroupRemote),
    )


def _fits(protocol: Protocol, remote: Remote) -> bool:
    return not isinstance(remote, Prefix) or remote.family in protocol.families


@st.composite
def rules(draw: DrawFn, remote: SearchStrategy[Remote] | None = None) -> Rule:
    """Any rule without an id of its own."""
    whom = draw(remotes() if remote is None else remote)
    protocol = draw(protocols().filter(lambda each: _fits(each, whom)))
    return Rule(
        draw(st.sampled_from(Direction)),
        draw(st.sampled_from(Action)),
        protocol,
        whom,
        draw(port_sets()) if protocol.has_ports else ALL_PORTS,
        draw(st.sampled_from([1, 1, 2, 50, 100])),
        draw(st.sampled_from([True, True, True, False])),
        draw(st.just("") | texts()),
    )


@st.composite
def services(draw: DrawFn) -> Service:
    """One service: a port for TCP and UDP, none for the others."""
    protocol = draw(protocols().filter(lambda each: each.number is not None))
    return Service(protocol, draw(st.integers(1, 65535)) if protocol.has_ports else None)


@st.composite
def listeners(draw: DrawFn) -> Listener:
    """A TCP or UDP listener, at one address or at all."""
    service = Service(draw(st.sampled_from([Protocol.TCP, Protocol.UDP])), draw(st.integers(1, 65535)))
    return Listener(service, draw(st.none() | addresses()))


def queries(ends: SearchStrategy[str] | None = None) -> SearchStrategy[Query]:
    """A flow by the names of its ends; the names need not exist."""
    end = names(dots=False) | addresses().map(str) if ends is None else ends
    return st.builds(Query.of, end, end, services(), families())


def expectations() -> SearchStrategy[Expectation]:
    """A query and what should become of it."""
    return st.builds(Expectation, queries(), st.sampled_from(Action))


def profiles() -> SearchStrategy[Profile]:
    """Both clouds, some switches of meaning turned."""
    return st.builds(
        lambda base, order, egress, advanced, intra: replace(
            base, group_order=order, default_egress=egress, default_egress_advanced=advanced, intra_group=intra
        ),
        st.sampled_from([HUAWEI, ALIBABA]),
        st.sampled_from(GroupOrder),
        st.sampled_from(DefaultAction),
        st.sampled_from(DefaultAction),
        st.sampled_from(IntraGroup),
    ) | st.sampled_from([HUAWEI, ALIBABA])


def _some(items: Sequence[T], least: int = 0, most: int | None = None) -> SearchStrategy[list[T]]:
    """A few different ones, in any order."""
    return st.lists(st.sampled_from(items), min_size=least, max_size=most, unique=True)


_OUTSIDE_PREFIXES = ("0.0.0.0/0", "::/0", "0.0.0.0/1", "203.0.113.0/24", "203.0.113.9/32", "2001:db8::/32")
_INSIDE_PREFIXES = (
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

    def world(self, groups: Sequence[SecurityGroup] = ()) -> World:
        return World(self.profile, by_name(self.vpcs), by_name(self.address_groups), by_name(groups))


@st.composite
def worlds(draw: DrawFn, profile: SearchStrategy[Profile] | None = None) -> World:
    """A valid world, small: up to two VPCs, four groups and six ports; both families; outside hosts; expectations.

    Values whose order means nothing are in the order in which a world file gives them back.
    """
    outside = by_name(OutsideHost(name, _OUTSIDE[name]) for name in draw(_some(list(_OUTSIDE))))
    ground = draw(_grounds(draw(profiles() if profile is None else profile), overlap=not outside))
    headers = [draw(_headers(name, ground)) for name in draw(_some(["default", "sg-db", "on", "sg-web"], 1))]
    groups = [draw(_with_rules(header, headers, ground)) for header in headers]
    world = replace(ground.world(groups), outside=outside)
    world = replace(world, instances=by_name(draw(_instances(world))))
    return replace(world, expects=tuple(draw(_expectations(world))))


@st.composite
def _grounds(draw: DrawFn, profile: Profile, *, overlap: bool) -> _Ground:
    names_ = draw(_some(["shop", "ops"], 1))
    # Without outside hosts two VPCs may use the same addresses.
    numbers = (1, 1) if overlap and draw(st.booleans()) else (1, 2)
    vpcs = [draw(_vpcs(name, number, profile)) for name, number in zip(names_, numbers, strict=False)]
    texts_ = [text.format(number) for number in sorted({*numbers}) for text in _INSIDE_PREFIXES]
    pool = [Prefix.parse(text) for text in [*_OUTSIDE_PREFIXES, *texts_]]
    address_groups = [draw(_address_groups(name, pool)) for name in draw(_some(["office", "yes"]))]
    return _Ground(profile, tuple(vpcs), tuple(pool), tuple(address_groups))


@st.composite
def _vpcs(draw: DrawFn, name: str, number: int, profile: Profile) -> Vpc:
    own = draw(st.just(profile) | profiles())
    cidrs = (Prefix.parse(f"10.{number}.0.0/16"), Prefix.parse(f"fd00:{number}::/56"))
    subnets = {}
    for index, each in enumerate(sorted(draw(_some(["web", "db"], 1))), start=1):
        cidr, cidr6 = Prefix.parse(f"10.{number}.{index}.0/24"), Prefix.parse(f"fd00:{number}:0:{index}::/64")
        pair = draw(st.sampled_from([(cidr, cidr6), (cidr, cidr6), (cidr, None), (None, cidr6)]))
        subnets[each] = Subnet(each, name, *pair)
    return Vpc(name, own, cidrs, subnets)


@st.composite
def _address_groups(draw: DrawFn, name: str, pool: Sequence[Prefix]) -> AddressGroup:
    family = draw(families())
    near = [prefix.range for prefix in pool if prefix.family is family]
    entries = draw(st.lists(st.sampled_from(near) | ranges(family), max_size=3, unique=True))
    return AddressGroup(name, tuple(sorted(entries)))


@st.composite
def _headers(draw: DrawFn, name: str, ground: _Ground) -> SecurityGroup:
    """A group without rules."""
    home = draw(st.sampled_from(ground.vpcs))
    bound = home.profile.groups_need_vpc or ground.profile.groups_need_vpc or home.profile.name != ground.profile.name
    vpc = home.name if bound or draw(st.booleans()) else ""
    advanced = (home.profile if vpc else ground.profile).advanced_groups and draw(st.integers(0, 3)) == 0
    intra = IntraGroup.DROP if advanced else draw(st.sampled_from(IntraGroup))
    kind = GroupType.ADVANCED if advanced else GroupType.BASIC
    tags = draw(st.dictionaries(texts(), texts(), max_size=1))
    return SecurityGroup(name, (), vpc, kind, intra, draw(texts()), tags)


@st.composite
def _with_rules(
    draw: DrawFn, header: SecurityGroup, headers: Sequence[SecurityGroup], ground: _Ground
) -> SecurityGroup:
    remotes_: list[Remote] = [AnyRemote.ANY, *ground.prefixes]
    remotes_ += [GroupRemote(name) for name in _nameable(header, ground.world(headers))]
    remotes_ += [AddressGroupRemote(group.name) for group in ground.address_groups]
    # Groups and address groups come up about as often as all the prefixes together.
    weighted = st.sampled_from(remotes_) | st.sampled_from(remotes_[::-1][:4])
    fitting = rules(weighted).filter(lambda rule: _has_family(rule, ground.address_groups))
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
    for index, name in enumerate(draw(_some(["web-1", "db-1", "null"], 1)), start=1):
        port_names = draw(st.just(["eth0"]) | _some(["eth0", "eth1", "no"], 1, 2))
        ports = tuple(
            draw(_ports(world, name, each, 10 * index + offset)) for offset, each in enumerate(port_names, start=1)
        )
        served = draw(_some(["tcp/80", "udp/53", "tcp/6379@127.0.0.1", f"tcp/22@{ports[0].addresses[0]}"]))
        found.append(Instance(name, ports, tuple(map(Listener.parse, sorted(served)))))
    return found


@st.composite
def _ports(draw: DrawFn, world: World, instance: str, name: str, host: int) -> Port:
    first = draw(st.sampled_from(list(world.groups.values())))
    homes = [vpc for vpc in world.vpcs.values() if _usable(first, vpc, world)]
    vpc = draw(st.sampled_from(homes))
    more = [group.name for group in world.groups.values() if group.type is first.type and _usable(group, vpc, world)]
    groups = draw(_some([each for each in more if each != first.name], 0, 2)) if len(more) > 1 else []
    subnet = draw(st.sampled_from(list(vpc.subnets.values())))
    own = [Address(prefix.family, prefix.network + host) for prefix in subnet.prefixes]
    kept = draw(st.just(own) | _some(own, 1))
    return Port(instance, name, subnet.name, vpc.name, tuple(sorted(kept)), (first.name, *groups))


def _usable(group: SecurityGroup, vpc: Vpc, world: World) -> bool:
    return group.vpc in ("", vpc.name) and world.profile_of(group).name == vpc.profile.name


@st.composite
def _expectations(draw: DrawFn, world: World) -> list[Expectation]:
    found = []
    for query in draw(st.lists(queries(st.just("?")), max_size=4)):
        family = query.family
        hosts = [str(port) for port in world.ports if port.address(family)]
        hosts += [each.name for each in world.instances.values() if each.primary.address(family)]
        hosts += [host.name for host in world.outside.values() if host.address(family)]
        hosts += ["198.51.100.20" if family is Family.IPV4 else "2001:db8:ff::20"]
        if len(hosts) > 1:
            source, destination = draw(_some(hosts, 2, 2))
            named = replace(query, source=source, destination=destination)
            found.append(Expectation(named, draw(st.sampled_from(Action))))
    return found
