"""Small worlds written in lines, and what becomes of flows in them: the notation of the oracle's tests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

import pytest
from _pytest.mark import ParameterSet

from ringfence.model.acl import AclRule, NetworkAcl
from ringfence.model.address import Address, AddressRange, Prefix
from ringfence.model.flow import Flow, Query
from ringfence.model.group import AddressGroup, GroupType, SecurityGroup
from ringfence.model.profile import IntraGroup, Profile
from ringfence.model.rule import NicType, Rule
from ringfence.model.topology import Instance, Network, OutsideHost, Peering, Penalty, Port, Subnet, VirtualIp, Vpc
from ringfence.model.world import World, by_name
from ringfence.policy.evaluate import evaluate
from tests import oracle

OUT = "out allow all to any"
FATES = ("allow", "deny", "unanswered")


def group(*rules: str, drop: bool = True, advanced: bool = False) -> SecurityGroup:
    """A group of these rules; its name comes from the case."""
    kind = GroupType.ADVANCED if advanced else GroupType.BASIC
    intra = IntraGroup.DROP if drop else IntraGroup.ACCEPT
    return SecurityGroup("", tuple(map(Rule.parse, rules)), "", kind, intra)


def acl(*rules: str, enabled: bool = True) -> NetworkAcl:
    """A network ACL of these rules; its name comes from the case."""
    return NetworkAcl("", tuple(map(AclRule.parse, rules)), enabled=enabled)


@dataclass(frozen=True)
class Case:
    """One world and what becomes of its flows.

    ``ports`` are lines such as ``web 10.0.0.11 fd00::11 : g1 g2``, for an instance's second interface ``web.eth1 ...``,
    in a namespace of the guest ``web.eth1@inner ...``, for another VPC ``other/web ...``; each sits in the subnet that
    has its address. ``outside`` are lines such as ``laptop 203.0.113.9``, ``vips`` lines such as ``vip 10.0.0.50 : web
    db.eth0``, the first of which is active. ``lines`` end with a word of `FATES`.

    VPC ``main`` has subnets ``net`` 10.0.0.0/20 fd00::/64 and ``far`` 10.0.16.0/24 fd00:0:0:1::/64, ``other`` has 10.1
    and fd00:1. ``edges`` are ACLs by subnet, ``main/far``; ``border`` is the firewall of ``main``. There is a peering
    between the two if ``firewall`` is not None. In a ``classic`` main, ``far`` is for internet interfaces.
    """

    name: str
    source: str
    profile: Profile
    groups: dict[str, SecurityGroup]
    ports: tuple[str, ...]
    lines: tuple[str, ...]
    outside: tuple[str, ...] = ("laptop 203.0.113.9 2001:db8::9",)
    lists: tuple[str, ...] = ()
    acls: Mapping[str, NetworkAcl] = field(default_factory=dict)
    edges: Mapping[str, str] = field(default_factory=dict)
    border: tuple[str, ...] = ()
    firewall: tuple[str, ...] | None = None
    vips: tuple[str, ...] = ()
    blocks: tuple[str, ...] = ()
    classic: bool = False
    twins: bool = False
    """Whether ``other`` has the addresses of ``main``."""

    @property
    def world(self) -> World:
        """The world of the case."""
        starts = ("10.0", "fd00:0") if self.twins else ("10.1", "fd00:1")
        vpcs = by_name((self._main, _vpc("other", self.profile, *starts, self.edges)))
        ports = [_port(line, vpcs) for line in self.ports]
        instances = {port.instance: tuple(p for p in ports if p.instance == port.instance) for port in ports}
        peerings = [] if self.firewall is None else [Peering("way", ("main", "other"), _acl_rules(self.firewall))]
        return World(
            profile=self.profile,
            vpcs=vpcs,
            address_groups=by_name(_address_group(line) for line in self.lists),
            groups=by_name(replace(found, name=name) for name, found in self.groups.items()),
            instances=by_name(Instance(name, members) for name, members in instances.items()),
            outside=by_name(_host(line) for line in self.outside),
            acls=by_name(replace(found, name=name) for name, found in self.acls.items()),
            peerings=by_name(peerings),
            virtual_ips=by_name(_virtual_ip(line, vpcs) for line in self.vips),
            penalties=by_name(Penalty(target, "abuse") for target in self.blocks),
        )

    @property
    def _main(self) -> Vpc:
        network = Network.CLASSIC if self.classic else Network.VPC
        made = _vpc("main", self.profile, "10.0", "fd00:0", self.edges, internet=self.classic)
        return replace(made, border=_acl_rules(self.border), network=network)


def _vpc(
    name: str, profile: Profile, start: str, start6: str, edges: Mapping[str, str], *, internet: bool = False
) -> Vpc:
    cidrs = Prefix.parse(f"{start}.0.0/16"), Prefix.parse(f"{start6}::/56")
    near = Prefix.parse(f"{start}.0.0/20"), Prefix.parse(f"{start6}::/64")
    far = Prefix.parse(f"{start}.16.0/24"), Prefix.parse(f"{start6}:0:1::/64")
    nic = NicType.INTERNET if internet else NicType.INTRANET
    subnets = (
        Subnet("far", name, *far, edges.get(f"{name}/far", ""), nic),
        Subnet("net", name, *near, edges.get(f"{name}/net", "")),
    )
    return Vpc(name, profile, cidrs, {subnet.name: subnet for subnet in subnets})


def fate(line: str, world: World) -> tuple[Flow, str]:
    """The flow of a line, and what becomes of it: a word of `FATES`."""
    query, _, word = line.rpartition(" ")
    assert word in FATES, line
    return world.flow(Query.parse(query)), word


def lines_of(cases: Iterable[Case]) -> list[ParameterSet]:
    """Each line of each case, for a test with the parameters ``case`` and ``line``."""
    return [pytest.param(case, line, id=f"{case.name}: {line}") for case in cases for line in case.lines]


def says(judge: Callable[[World, Flow], str], case: Case, line: str) -> None:
    """Check that a judge says what a line says."""
    flow, word = fate(line, case.world)
    assert judge(case.world, flow) == word, f"{case.source}\n{oracle.reason(case.world, flow)}"


def by_oracle(world: World, flow: Flow) -> str:
    """What the oracle says becomes of a flow: a word of `FATES`."""
    return _word(oracle.arrives(world, flow), oracle.allowed(world, flow))


def by_evaluator(world: World, flow: Flow) -> str:
    """The same, by the evaluator."""
    verdict = evaluate(world, flow)
    return _word(verdict.arrives, verdict.allowed)


def _word(arrives: bool, allowed: bool) -> str:
    assert arrives or not allowed
    return "allow" if allowed else "unanswered" if arrives else "deny"


def _acl_rules(lines: tuple[str, ...]) -> tuple[AclRule, ...]:
    return tuple(map(AclRule.parse, lines))


def _port(line: str, vpcs: Mapping[str, Vpc]) -> Port:
    path, addresses, groups = _split(line)
    network, _, name = path.rpartition("/")
    name, _, namespace = name.partition("@")
    instance, _, port = name.partition(".")
    where = network or "main"
    subnet = _subnet(vpcs[where], addresses)
    return Port(instance, port or "eth0", subnet, where, addresses, groups, namespace)


def _virtual_ip(line: str, vpcs: Mapping[str, Vpc]) -> VirtualIp:
    path, addresses, names = _split(line)
    network, _, name = path.rpartition("/")
    where = network or "main"
    ports = tuple(each if "." in each else f"{each}.eth0" for each in names)
    return VirtualIp(name, _subnet(vpcs[where], addresses), where, addresses, ports, ports[0])


def _split(line: str) -> tuple[str, tuple[Address, ...], tuple[str, ...]]:
    what, _, rest = line.partition(" : ")
    path, *addresses = what.split()
    return path, tuple(map(Address.parse, addresses)), tuple(rest.split())


def _subnet(network: Vpc, addresses: tuple[Address, ...]) -> str:
    return next(name for name, subnet in network.subnets.items() if all(each in subnet for each in addresses))


def _host(line: str) -> OutsideHost:
    name, addresses, _ = _split(line)
    return OutsideHost(name, addresses)


def _address_group(line: str) -> AddressGroup:
    name, *entries = line.split()
    return AddressGroup(name, tuple(map(AddressRange.parse, entries)))
