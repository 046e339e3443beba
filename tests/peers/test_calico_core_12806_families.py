"""calico CORE-12806, kube-ovn#2389: what worked over IPv4 had been forgotten for IPv6.

Here a world that says the same of both families does the same with both, packet by packet; and every packet test of
this folder runs over both (a fixture sees to it that those which say so really send).
"""

from __future__ import annotations

import importlib
import inspect
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ringfence.lab.lab import Lab
from ringfence.model.address import Address, AddressRange, Family, Prefix
from ringfence.model.flow import Flow
from ringfence.model.group import AddressGroup, SecurityGroup
from ringfence.model.profile import HUAWEI
from ringfence.model.rule import Action, AddressGroupRemote, Rule
from ringfence.model.service import Protocol, Service
from ringfence.model.topology import Instance, OutsideHost, Port, Subnet, Vpc
from ringfence.model.validation import problems
from ringfence.model.world import World, by_name
from tests.worlds import flows, random_world

pytestmark = pytest.mark.packets

_EMBEDDED = Prefix.parse("fd00::/96")
"""Where the IPv6 twins of all IPv4 addresses are."""


def twin_of(address: Address) -> Address:
    """10.0.1.11 and fd00::a00:10b."""
    return Address(Family.IPV6, _EMBEDDED.network | address.value)


def twin_range(addresses: AddressRange) -> AddressRange:
    return AddressRange(Family.IPV6, _EMBEDDED.network | addresses.first, _EMBEDDED.network | addresses.last)


def twin_prefix(prefix: Prefix) -> Prefix:
    """What a prefix is for IPv6; everything stays everything."""
    if not prefix.length:
        return Prefix.parse("::/0")
    return Prefix(Family.IPV6, _EMBEDDED.network | prefix.network, _EMBEDDED.length + prefix.length)


def twins(rule: Rule) -> Iterator[Rule]:
    """A rule of an IPv4 world and what it takes beside it for IPv6: nothing where it means both families already."""
    yield rule
    protocol, remote = rule.protocol, rule.remote
    if protocol == Protocol.ICMP:
        protocol = Protocol.ICMPV6
    if isinstance(remote, Prefix):
        remote = twin_prefix(remote)
    elif isinstance(remote, AddressGroupRemote):
        remote = AddressGroupRemote(f"{remote.name}-twin")
    if (protocol, remote) != (rule.protocol, rule.remote):
        yield replace(rule, protocol=protocol, remote=remote)


def is_ipv4(rule: Rule) -> bool:
    """Whether a rule means IPv4, or both."""
    if isinstance(rule.remote, AddressGroupRemote) and rule.remote.name == "ranges6":
        return False
    return Family.IPV4 in rule.families


def mirrored(world: World) -> World:
    """The IPv4 part of a world, and the same once more over IPv6."""

    def port(it: Port) -> Port:
        own = tuple(address for address in it.addresses if address.family is Family.IPV4)
        return replace(it, addresses=(*own, *map(twin_of, own)))

    def vpc(it: Vpc) -> Vpc:
        cidrs = tuple(cidr for cidr in it.cidrs if cidr.family is Family.IPV4)
        subnets = {name: twin_subnet(subnet) for name, subnet in it.subnets.items()}
        return replace(it, cidrs=(*cidrs, *map(twin_prefix, cidrs)), subnets=subnets, border=())

    def group(it: SecurityGroup) -> SecurityGroup:
        return replace(it, rules=tuple(twin for rule in it.rules if is_ipv4(rule) for twin in twins(rule)))

    ranges = world.address_groups["ranges"]
    twin_ranges = AddressGroup("ranges-twin", tuple(map(twin_range, ranges.entries)))
    made = World(
        world.profile,
        by_name(map(vpc, world.vpcs.values())),
        by_name([ranges, twin_ranges]),
        by_name(map(group, world.groups.values())),
        by_name(Instance(it.name, tuple(map(port, it.ports))) for it in world.instances.values()),
        by_name(OutsideHost(it.name, _both(it)) for it in world.outside.values()),
        port_lists=world.port_lists,
    )
    assert problems(made) == ()
    return made


def twin_subnet(subnet: Subnet) -> Subnet:
    assert subnet.cidr
    return replace(subnet, cidr6=twin_prefix(subnet.cidr), acl="")


def _both(host: OutsideHost) -> tuple[Address, Address]:
    address = host.address(Family.IPV4)
    assert address
    return address, twin_of(address)


WORLD = mirrored(random_world(random.Random(0), HUAWEI))
PORTS = [22, 80, 81, 86, 443, 1024, 8000, 40000]


def twin_flow(flow: Flow) -> Flow:
    """The same over IPv6."""
    source, destination = (replace(end, address=twin_of(end.address)) for end in (flow.source, flow.destination))
    service = Service(Protocol.ICMPV6) if flow.service.protocol == Protocol.ICMP else flow.service
    return Flow(source, destination, service)


def some_flows(chance: random.Random, world: World, count: int) -> list[Flow]:
    """Flows over IPv4."""
    pairs = [pair for pair in flows(world) if pair[0].address.family is Family.IPV4]
    services = [Service(protocol, port) for protocol in (Protocol.TCP, Protocol.UDP) for port in PORTS]
    services += [Service(Protocol.ICMP), Service(Protocol(47)), Service(Protocol(132)), Service(Protocol(253))] * 2
    return [Flow(*chance.choice(pairs), chance.choice(services)) for _ in range(count)]


@pytest.mark.parametrize("seed", range(6))
def test_a_mirrored_world_does_the_same_over_both_families(lab: Lab, seed: int) -> None:
    chance = random.Random(f"mirror {seed}")
    world = mirrored(random_world(chance, HUAWEI))
    lab.enforce(world)
    over_ipv4 = some_flows(chance, world, 150)
    seen = [it.action for it in lab.probe(over_ipv4)]
    twin_seen = [it.action for it in lab.probe(map(twin_flow, over_ipv4))]
    different = [f"{it}: {one}, {two}" for it, one, two in zip(over_ipv4, seen, twin_seen, strict=True) if one != two]
    assert different == []
    assert min(seen.count(action) for action in Action) >= 5


def test_a_family_that_was_forgotten_would_show(lab: Lab) -> None:
    """That the test above can fail: without the twins' rules the families differ."""
    chance = random.Random("a family was forgotten")
    world = random_world(chance, HUAWEI)
    forgetful = {
        name: replace(group, rules=tuple(it for it in world.groups[name].rules if is_ipv4(it)))
        for name, group in world.groups.items()
    }
    made = replace(mirrored(world), groups=forgetful)
    lab.enforce(made)
    over_ipv4 = some_flows(chance, made, 150)
    seen = [it.arrived for it in lab.probe(over_ipv4)]
    assert seen != [it.arrived for it in lab.probe(map(twin_flow, over_ipv4))]


NO_FAMILY = {
    "test_no_other_ethertype_gets_across": "frames without an IP packet in them",
    "test_on_one_bridge_every_one_of_them_would_get_across": "frames without an IP packet in them",
    "test_no_link_is_on_a_bridge": "looks at links, sends nothing",
    "test_a_readback_tells_a_change_that_did_not_take_place": "reads the kernel, sends nothing",
    "test_another_process_enforced_something_else_in_between": "reads the kernel, sends nothing",
    "test_a_namespace_that_is_gone_is_no_success": "sends nothing",
    "test_there_is_no_flow_table": "reads the kernel, sends nothing",
    "test_a_mirrored_world_does_the_same_over_both_families": "sends everything over both",
    "test_a_family_that_was_forgotten_would_show": "sends everything over both",
    "test_an_unrelated_edit_cuts_nothing": "sends everything over both",
    "test_a_connection_outlives_its_rule_only_where_it_is_kept": "sends everything over both",
    "test_whatever_comes_first_nothing_passes_too_early_and_in_the_end_all_is_right": "sends everything over both",
    "test_without_a_world_nothing_passes_until_there_is_one": "sends everything over both",
    "test_a_port_plugged_while_the_agent_is_dead_passes_nothing": "sends everything over both",
    "test_a_restart_goes_on_from_what_the_kernel_holds": "sends everything over both",
    "test_every_packet_test_runs_over_both_families": "sends nothing",
}
"""The tests of this folder that do not ask for a family, and why."""


def test_every_packet_test_runs_over_both_families() -> None:
    """Those that take the fixture ``family`` do, and each other one has its reason here."""
    without = set()
    for path in Path(__file__).parent.glob("test_*.py"):
        module = importlib.import_module(f"tests.peers.{path.stem}")
        tests = inspect.getmembers(module, lambda it: inspect.isfunction(it) and it.__name__.startswith("test_"))
        assert tests, path
        without |= {name for name, test in tests if "family" not in inspect.signature(test).parameters}
    assert without == set(NO_FAMILY)
