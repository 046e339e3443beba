"""kube-ovn#4975: what was edited while a machine was off never came to the sets, and they named members of long ago.

Here the sets are a function of the world alone, whatever came before: after any history, in which the agent is dead for
some of the changes and starts anew after others, the kernel holds just what the world says. What it should hold is
worked out here from the world, and what it holds is told by the `nft` program: neither by compiler nor driver.
"""

from __future__ import annotations

import ipaddress
import json
import random
from collections.abc import Iterable
from itertools import islice
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringfence.backends.nftables.names import UPLINK, address_set, peer_link, port_link
from ringfence.compile.compiler import compile_world
from ringfence.model.address import Family
from ringfence.model.group import AddressGroup
from ringfence.model.port_list import NamedPorts
from ringfence.model.rule import AddressGroupRemote
from ringfence.model.topology import Port
from ringfence.model.world import World
from tests.nftables.kernel import Kernel
from tests.nftables.whole import EDITS, VPC, WHOLE, edited

pytestmark = pytest.mark.packets

STEPS = 10


class Sets:
    """The sets of the driver's table, as the `nft` program tells them."""

    def __init__(self, kernel: Kernel) -> None:
        self._found = kernel.state()

    def get(self, name: str) -> dict[Any, Any]:
        """Key and value of each element; nothing where there is no such set."""
        kind = "map" if f"map {name}" in self._found else "set"
        elements = [json.loads(text) for text in self._found.get(f"{kind} {name}", {"elem": []})["elem"]]
        return dict((_key(it[0]), _target(it[1])) if kind == "map" else (_key(it), None) for it in elements)

    def of_address_group(self, name: str, family: Family) -> list[tuple[int, int]]:
        """First and last address of each prefix in its sets, of all lengths."""
        named = (
            (family.bits - length, self.get(address_set(name, family, length))) for length in range(family.bits + 1)
        )
        firsts = ((bits, int(ipaddress.ip_address(network))) for bits, found in named for network in found)
        return [(first, first + (1 << bits) - 1) for bits, first in firsts]


def _key(element: Any) -> Any:
    value = element["elem"]["val"] if isinstance(element, dict) and "elem" in element else element
    return tuple(value["concat"]) if isinstance(value, dict) else value


def _target(value: Any) -> Any:
    return next(iter(value.values()))["target"] if isinstance(value, dict) and "accept" not in value else value


def ports_of(world: World, vpc: str) -> list[Port]:
    return [port for port in world.ports if port.vpc == vpc]


def links(ports: Iterable[Port]) -> set[str]:
    return {port_link(str(port)) for port in ports}


def check_ports(world: World, sets: Sets) -> None:
    """Every port leads to its class and may send from its own and its virtual addresses; nobody else does."""
    own = ports_of(world, VPC)
    elsewhere = {UPLINK, *(peer_link(name) for name in world.peers_of(VPC))}
    class_of = sets.get("links")
    assert class_of.keys() == links(own) | elsewhere
    for port in own:
        assert {class_of[port_link(str(port))]} == {
            sets.get(f"class{it.family.value}")[str(it)] for it in port.addresses
        }
    for direction, word in (("ingress", "in"), ("egress", "out")):
        chains = sets.get(direction)
        assert chains.keys() == set(class_of.values())
        assert all(chains[class_of[link]] == f"c{class_of[link]:08x}-{word}" for link in links(own))
    for family in Family:
        may_send = {(str(port), it) for port in own for it in port.addresses}
        may_send |= {(name, it) for vip in world.virtual_ips.values() for name in vip.ports for it in vip.addresses}
        expected = {(port_link(name), str(it)) for name, it in may_send if it.family is family}
        assert sets.get(f"sources{family.value}").keys() == expected


def check_members(world: World, sets: Sets) -> None:
    """Whom a rule means that names a group, here and in peered VPCs: two of one class if their groups are the same."""
    members = [port for vpc in (VPC, *world.peers_of(VPC)) for port in ports_of(world, vpc)]
    by_class: dict[int, set[object]] = {}
    for family in Family:
        groups_of = {
            str(it): (port.vpc, *sorted(port.groups))
            for port in members
            for it in port.addresses
            if it.family is family
        }
        classes = sets.get(f"class{family.value}")
        assert classes.keys() == groups_of.keys()
        for address, number in classes.items():
            by_class.setdefault(number, set()).add(groups_of[address])
    assert {len(groups) for groups in by_class.values()} <= {1}
    assert len({next(iter(groups)) for groups in by_class.values()}) == len(by_class)


def check_guards(world: World, sets: Sets) -> None:
    """What else guards a port: the ACL of its subnet, a penalty, the FTP helper."""
    own = ports_of(world, VPC)
    guarded = [port for port in own if world.subnet_of(port).acl]
    number_of = sets.get("subnets")
    assert number_of.keys() == links(guarded)
    subnets = {(number_of[port_link(str(port))], port.subnet) for port in guarded}
    assert len(subnets) == len({number for number, _ in subnets}) == len({name for _, name in subnets})
    for name in ("acl-in", "acl-out"):
        assert sets.get(name).keys() >= set(number_of.values())
    assert sets.get("penalised").keys() == links(
        port for port in own if any(it.hits(port) for it in world.penalties.values())
    )
    assert sets.get("ftp").keys() == links(
        port for port in own if any(world.groups[name].ftp_helper for name in port.groups)
    )


def names(world: World, group: AddressGroup) -> bool:
    """Whether a rule in force here names an address group; one whose port list is empty is not in force."""
    own = {name for port in ports_of(world, VPC) for name in port.groups}
    empty = [NamedPorts(each.name) for each in world.port_lists.values() if not each.entries]
    rules = (rule for name in own for rule in world.groups[name].rules if rule.enabled and rule.ports not in empty)
    return any(rule.remote == AddressGroupRemote(group.name) for rule in rules)


def check_address_groups(world: World, sets: Sets) -> None:
    """Those that are named are there, and those that are there are whole and no more."""
    for group in world.address_groups.values():
        for family in Family:
            found = sets.of_address_group(group.name, family)
            if found or names(world, group):
                assert _covered(found) == _covered([(it.first, it.last) for it in group.of_family(family)])


def _covered(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same addresses in as few ranges as can be."""
    merged: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged


def check(world: World, kernel: Kernel) -> None:
    sets = Sets(kernel)
    for each in (check_ports, check_members, check_guards, check_address_groups):
        each(world, sets)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32 - 1))
def test_the_sets_are_what_the_world_says_after_any_history(kernel: Kernel, seed: int) -> None:
    kernel.clear()
    chance = random.Random(seed)
    driver, world = kernel.driver(), WHOLE
    driver.apply(compile_world(world).vpcs[VPC])
    check(world, kernel)
    changes = edited(world, chance)
    for _ in range(STEPS):
        # Several at once: the agent was dead for all of them but the last.
        *_, (_, world) = islice(changes, chance.choice([1, 1, 2, 5]))
        if chance.random() < 0.4:
            driver = kernel.driver()
        driver.apply(compile_world(world).vpcs[VPC])
        check(world, kernel)


@pytest.mark.parametrize("kind", EDITS)
def test_an_edit_comes_to_the_sets_whoever_enforces_it(kernel: Kernel, kind: str) -> None:
    """The driver that enforced the world before, and one that is started after the edit."""
    driver = kernel.driver()
    driver.apply(compile_world(WHOLE).vpcs[VPC])
    for index, (_, world) in enumerate(islice(edited(WHOLE, random.Random(kind), [kind]), 4)):
        driver = kernel.driver() if index % 2 else driver
        driver.apply(compile_world(world).vpcs[VPC])
        check(world, kernel)
