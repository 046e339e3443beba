"""Random broken worlds in the kernel: a packet is denied, the fix is enforced, and the packet passes, both ways."""

from __future__ import annotations

import random
from itertools import islice

import pytest

from ringfence.analysis.fix.fixes import fixes
from ringfence.lab import conntrack
from ringfence.lab.lab import Lab
from ringfence.model.address import Family
from ringfence.model.flow import Flow
from ringfence.model.world import World
from tests.fix.test_smallest import denied
from tests.topologies import TOPOLOGIES, Topology
from tests.worlds import random_flows, random_world

SEEDS = 2
FLOWS = 4


def broken(topology: Topology, seed: int) -> tuple[World, list[Flow]]:
    rng = random.Random(1000 + seed)
    world = random_world(rng, topology.profile, topology)
    flows = denied(world, random_flows(rng, world, 60))
    fixable = ((flow for flow in flows if flow.family is it and fixes(world, flow, effort=0).all) for it in Family)
    return world, [flow for found in fixable for flow in islice(found, FLOWS // 2)]


def passes(lab: Lab, world: World, flow: Flow) -> bool:
    """Whether the packet arrives and is answered, as far as anybody can tell, with the world enforced."""
    for vpc in lab.world.vpcs:  # a change may hold the keys of connections that live (SEMANTICS.md 3.3): none does
        conntrack.flush(lab.names.vpc(vpc))
    lab.enforce(world)
    (seen,) = lab.converse([flow])
    assert not seen.failure, f"{flow}: {seen.failure}"
    return seen.arrived and seen.answered is not False


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", TOPOLOGIES)
def test_a_packet_is_denied_and_passes_with_the_fix(name: str, lab_name: str) -> None:
    """In the three topologies together 6 worlds; of each denied flow the best fix and the last alternative."""
    topology, edits, families = TOPOLOGIES[name], set[type](), set[Family]()
    with Lab.up(random_world(random.Random(0), topology.profile, topology), lab_name) as lab:
        for seed in range(SEEDS):
            world, flows = broken(topology, seed)
            for flow in flows:
                found = fixes(world, flow, effort=0)
                assert not passes(lab, world, flow), f"seed {seed}: {found.verdict}"
                for fix in {found.all[0], found.all[-1]}:
                    assert passes(lab, fix.after, flow), f"seed {seed}: {flow}: {fix}"
                    edits |= set(map(type, fix.edits))
                    families.add(flow.family)
    assert len(edits) > 2
    assert families == set(Family)
