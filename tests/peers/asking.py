"""Asking a lab in the words of `tests.policy.build`: which of these first packets arrive?"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import replace

from ringfence.backends.nftables.driver import Driver
from ringfence.compile.compiler import compile_world
from ringfence.compile.plan import VpcPlan
from ringfence.lab.lab import Lab
from ringfence.model.address import Address, Family
from ringfence.model.group import SecurityGroup
from ringfence.model.rule import Action, Rule
from ringfence.model.topology import Instance
from ringfence.model.world import World, by_name
from tests.peers import frames
from tests.policy.build import ask

VPC = "main"
"""The VPC in which `tests.policy.build.build` puts ports."""


def passing(lab: Lab, family: Family, flows: Iterable[str], payload: bytes | None = None) -> set[str]:
    """Those of the flows whose packet arrived. A probe that proves nothing raises `ProbeFailed`."""
    texts = list(flows)
    seen = lab.probe([ask(lab.world, text, family) for text in texts], payload)
    return {text for text, each in zip(texts, seen, strict=True) if each.action is Action.ALLOW}


def with_groups(world: World, groups: Mapping[str, Iterable[Rule | str]]) -> World:
    """The world with the rules of some of its groups replaced; they may stand as values or as people write them."""
    made = (
        SecurityGroup(name, tuple(rule if isinstance(rule, Rule) else Rule.parse(rule) for rule in rules))
        for name, rules in groups.items()
    )
    return replace(world, groups=by_name([*world.groups.values(), *made]))


def regrouped(world: World, **groups: tuple[str, ...]) -> World:
    """The world with some instances in other groups."""
    made = [
        Instance(name, tuple(replace(port, groups=groups[name]) for port in world.instances[name].ports))
        for name in groups
    ]
    return replace(world, instances=by_name([*world.instances.values(), *made]))


def crossings(source: Address, destination: Address, mark: bytes) -> list[bytes]:
    """First packets of every sort."""
    return [
        frames.udp(source, destination, 7, 7, mark),
        frames.tcp(source, destination, (40007, 7), frames.SYN, mark, (1, 0)),
        frames.echo(source, destination, 7, mark),
        frames.ip(source, destination, 253, mark),
    ]


def plan_of(world: World) -> VpcPlan:
    """The plan of the VPC."""
    return compile_world(world).vpcs[VPC]


def with_addresses(plan: VpcPlan, addresses: Mapping[str, tuple[Address, ...]]) -> VpcPlan:
    """The plan with some ports, by name, at other addresses: as what sends from them and as whom rules mean."""
    ports = tuple(replace(it, addresses=addresses.get(it.name, it.addresses)) for it in plan.ports)
    members = tuple(replace(it, addresses=addresses.get(it.name, it.addresses)) for it in plan.members)
    return replace(plan, ports=ports, members=members)


def fresh_driver(lab: Lab) -> Driver:
    """A driver that remembers nothing, as that of another process."""
    return Driver(lab.names.vpc(VPC), lab.names.table)


def audited(lab: Lab, plan: VpcPlan) -> list[str]:
    """What a driver that remembers nothing finds different between the kernel and a plan."""
    driver = fresh_driver(lab)
    try:
        return driver.audit(plan)
    finally:
        driver.close()


def command(namespace: str, *words: str) -> str:
    """Run a program inside a namespace of the lab and give what it said; a failure shows."""
    done = subprocess.run(["ip", "netns", "exec", namespace, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
