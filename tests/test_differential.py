"""Random worlds: evaluator, oracle and kernel agree packet by packet, and the hit counters name the same rules."""

from __future__ import annotations

import random

import pytest

from ringfence.lab.lab import Lab
from tests.differential import differences, disagreements
from tests.topologies import TOPOLOGIES
from tests.worlds import random_flows, random_world

WORLDS = 16
PACKETS = 200


@pytest.mark.parametrize("name", TOPOLOGIES)
def test_model_and_oracle_agree(name: str) -> None:
    """Without packets, so that many worlds are tried: together 90 worlds and 7,200 flows."""
    topology = TOPOLOGIES[name]
    found: list[str] = []
    for seed in range(10_000, 10_030):
        rng = random.Random(seed)
        world = random_world(rng, topology.profile, topology)
        found += disagreements(world, random_flows(rng, world, 80), seed)
    assert not found, "\n".join(found[:20])


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", TOPOLOGIES)
def test_model_oracle_and_kernel_agree(name: str, lab_name: str) -> None:
    """Together 48 worlds, 9,600 first packets and 900 conversations."""
    topology = TOPOLOGIES[name]
    with Lab.up(random_world(random.Random(0), topology.profile, topology), lab_name) as lab:
        found = [line for seed in range(WORLDS) for line in differences(lab, topology, seed, PACKETS)]
    assert not found, "\n".join(found[:20])
