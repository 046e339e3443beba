"""Hypothesis strategies for every value of the model that has a notation, and for profiles.

Numbers come from small pools on purpose: prefixes nest, port ranges overlap, and rules of opposite action meet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from ringfence.model.acl import AclRule, Side
from ringfence.model.address import Address, AddressRange, Family, Prefix
from ringfence.model.flow import Expectation, Query
from ringfence.model.names import check_name
from ringfence.model.port_list import NamedPorts, RulePorts
from ringfence.model.profile import (
    ALIBABA,
    HUAWEI,
    AfterClear,
    DefaultAction,
    GroupOrder,
    IntraGroup,
    OnChange,
    Profile,
    Timeouts,
)
from ringfence.model.rule import (
    Action,
    AddressGroupRemote,
    AnyRemote,
    Direction,
    GroupRemote,
    NicType,
    Remote,
    Rule,
)
from ringfence.model.service import ALL_PORTS, Listener, PortRange, PortSet, Protocol, Service, ServiceSet

T = TypeVar("T")

_LETTERS = "abcxyzÄß東0159_"
_PROTOCOLS = (Protocol.ALL, Protocol.TCP, Protocol.UDP, Protocol.ICMP, Protocol.ICMPV6, Protocol.GRE, Protocol(132))
_PORTED = (Protocol.TCP, Protocol.UDP)


def some(items: Sequence[T], least: int = 0, most: int | None = None) -> SearchStrategy[list[T]]:
    """A few different ones, in any order."""
    return st.lists(st.sampled_from(items), min_size=least, max_size=most, unique=True)


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


def ports_for(protocol: Protocol) -> SearchStrategy[PortSet]:
    """Ports that a rule of a protocol may name."""
    return port_sets() if protocol.has_ports else st.just(ALL_PORTS)


def port_list_names() -> SearchStrategy[str]:
    """Names of port lists: they begin with a letter."""
    return names().filter(lambda name: name[0].isalpha())


def rule_ports(protocol: Protocol, named: SearchStrategy[NamedPorts] | None = None) -> SearchStrategy[RulePorts]:
    """Ports that a rule of a security group may name, of port lists too; by default of any."""
    lists = port_list_names().map(NamedPorts) if named is None else named
    return st.one_of(port_sets(), port_sets(), lists) if protocol.has_ports else st.just(ALL_PORTS)


def protocols(of: Family | None = None) -> SearchStrategy[Protocol]:
    """The usual ones, ``all``, or any number; those that exist on one family if asked for."""
    every = st.sampled_from(_PROTOCOLS) | st.integers(0, 255).map(Protocol)
    return every.filter(lambda protocol: of is None or of in protocol.families)


def names(*, dots: bool = True) -> SearchStrategy[str]:
    """Names that are fit for use, some of them words that YAML takes for something else."""
    words = st.sampled_from(["sg-web", "on", "null", "1e3", "yes", "true", "priority", "disabled", "port", "0x1F"])
    plain = st.text(_LETTERS + ("-." if dots else "-"), min_size=1, max_size=12).map(lambda text: f"n{text}n")
    return words | plain.map(check_name)


def texts() -> SearchStrategy[str]:
    """One line of anything: quotes, colons, hashes and backslashes included."""
    line = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\0"), max_size=20)
    return line | st.sampled_from(['say "hi"', "a: b # c", "\\", "'", "- x", "[y]", " padded ", "", "東京"])


def list_names() -> SearchStrategy[str]:
    """Names of address groups: they do not read as an address."""
    return names().filter(lambda name: not set(name) <= set("0123456789."))


def remotes() -> SearchStrategy[Remote]:
    """Any remote."""
    return st.one_of(
        st.just(AnyRemote.ANY),
        prefixes(),
        st.builds(GroupRemote, names(), st.just("") | names()),
        list_names().map(AddressGroupRemote),
    )


def sides(of: Family) -> SearchStrategy[Side]:
    """Any side of an ACL's rule that can match in one family."""
    return st.one_of(st.just(AnyRemote.ANY), prefixes(of), list_names().map(AddressGroupRemote))


def _fits(protocol: Protocol, remote: Remote) -> bool:
    return not isinstance(remote, Prefix) or remote.family in protocol.families


@st.composite
def plain_rules(
    draw: DrawFn, remote: SearchStrategy[Remote] | None = None, lists: SearchStrategy[NamedPorts] | None = None
) -> Rule:
    """Any rule without an id of its own that says what each profile lets it say."""
    whom = draw(remotes() if remote is None else remote)
    protocol = draw(protocols().filter(lambda each: _fits(each, whom)))
    return Rule(
        draw(st.sampled_from(Direction)),
        draw(st.sampled_from(Action)),
        protocol,
        whom,
        draw(rule_ports(protocol, lists)),
        draw(st.sampled_from([1, 1, 2, 50, 100])),
        draw(st.sampled_from([True, True, True, False])),
        draw(st.just("") | texts()),
    )


@st.composite
def rules(draw: DrawFn) -> Rule:
    """Any rule without an id of its own, of a service, of five parts or of the classic network included."""
    rule = draw(plain_rules())
    rule = draw(five_tuples(rule, draw(st.sampled_from(rule.families)))) if draw(st.booleans()) else rule
    return draw(with_nic(draw(with_service(rule))))


@st.composite
def five_tuples(draw: DrawFn, rule: Rule, family: Family) -> Rule:
    """A rule that names its own side as well, in one of its families."""
    local = draw(st.none() | prefixes(family))
    return replace(rule, local=local, source_ports=draw(ports_for(rule.protocol)))


@st.composite
def with_service(draw: DrawFn, rule: Rule) -> Rule:
    """A rule that may belong to a managed service."""
    return replace(rule, managed=draw(st.just("") | names()))


@st.composite
def with_nic(draw: DrawFn, rule: Rule) -> Rule:
    """A rule that may say for which interface it is."""
    kinds = [None, NicType.INTRANET, *([] if isinstance(rule.remote, GroupRemote) else [NicType.INTERNET])]
    return replace(rule, nic=draw(st.sampled_from(kinds)))


@st.composite
def acl_rules(
    draw: DrawFn,
    directions: Sequence[Direction | None] = (None, *Direction),
    pool: Mapping[Family, Sequence[Side]] | None = None,
) -> AclRule:
    """Any rule of an ACL or a firewall without an id of its own; sides from a pool for each family, or any."""
    family = draw(families())
    side = st.sampled_from(pool[family]) if pool else sides(family)
    protocol = draw(protocols(family))
    return AclRule(
        draw(st.sampled_from(Action)),
        protocol,
        draw(side),
        draw(side),
        draw(st.sampled_from(directions)),
        draw(ports_for(protocol)),
        draw(ports_for(protocol)),
        draw(st.sampled_from([True, True, False])),
        draw(st.just("") | texts()),
    )


@st.composite
def services(draw: DrawFn) -> Service:
    """One service: a port for TCP and UDP, none for the others."""
    protocol = draw(protocols().filter(lambda each: each.number is not None))
    return Service(protocol, draw(st.integers(1, 65535)) if protocol.has_ports else None)


@st.composite
def service_sets(draw: DrawFn) -> ServiceSet:
    """A few ports of TCP and UDP, or none."""
    each = [draw(st.tuples(st.just(protocol), port_sets())) for protocol in _PORTED]
    return ServiceSet(tuple(sorted((protocol, ports) for protocol, found in each for ports in found.ranges)))


@st.composite
def listeners(draw: DrawFn) -> Listener:
    """A TCP or UDP listener, at one address or at all."""
    service = Service(draw(st.sampled_from(_PORTED)), draw(st.integers(1, 65535)))
    return Listener(service, draw(st.none() | addresses()))


@st.composite
def queries(draw: DrawFn, ends: SearchStrategy[str] | None = None) -> Query:
    """A flow by the names of its ends; the names need not exist."""
    end = names(dots=False) | addresses().map(str) if ends is None else ends
    service = draw(services())
    port = draw(st.none() | st.integers(1, 65535)) if service.protocol.has_ports else None
    return Query.of(draw(end), draw(end), service, draw(families()), port)


def expectations() -> SearchStrategy[Expectation]:
    """A query and what should become of it."""
    return st.builds(Expectation, queries(), st.sampled_from(Action))


def timeouts() -> SearchStrategy[Timeouts]:
    """Any timeouts."""
    return st.builds(Timeouts, *[st.integers(1, 432_000)] * 6)


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


@st.composite
def turned_profiles(draw: DrawFn) -> Profile:
    """Both clouds, any switch turned that does not say what a world may hold."""
    profile = draw(profiles())
    others = {
        "after_clear": st.sampled_from(AfterClear),
        "on_change": st.sampled_from(OnChange),
        "timeouts": timeouts(),
        "blocked_egress": service_sets(),
        "carrier_blocks": service_sets(),
        "risky_ports": service_sets(),
        "acl_stateful": st.booleans(),
        "peer_references": st.booleans(),
    }
    for name in draw(some(list(others))):
        profile = replace(profile, **{name: draw(others[name])})
    return profile
