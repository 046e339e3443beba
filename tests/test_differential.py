"""Random worlds: evaluator, oracle and kernel agree packet by packet, and the hit counters name the same rules."""

from __future__ import annotations

import random

import pytest

from ringfence.lab.lab import Lab
from tests.differential import PROFILES, differences
from tests.worlds import random_world

WORLDS = 60
PACKETS = 200


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", PROFILES)
def test_model_oracle_and_kernel_agree(name: str, lab_name: str) -> None:
    """Together 60 worlds and 12,000 packets."""
    with Lab.up(random_world(random.Random(0), PROFILES[name]), lab_name) as lab:
        found = [line for seed in range(WORLDS // 2) for line in differences(lab, seed, PACKETS)]
    assert not found, "\n".join(found[:20])
