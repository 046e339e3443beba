"""A missing proof never hides a difference."""

from __future__ import annotations

import pytest

from ringfence import worldfile
from ringfence.cli.outcomes import exit_code
from ringfence.lab.outcome import Row
from ringfence.lab.probe import Observation
from ringfence.policy.evaluate import evaluate
from tests.cli.test_model_commands import WORLD


@pytest.mark.parametrize(("expected", "code"), [("allow", 3), ("deny", 1)])
def test_a_wrong_model_is_a_difference_whatever_the_probe_proved(expected: str, code: int) -> None:
    line = "web-1 -> db-1 tcp/3306"
    world = worldfile.parse(WORLD.replace(f"{line} allow", f"{line} {expected}"), "shop")
    flow = world.flow(world.expects[0].query)
    unproved = Observation(flow, left=False, arrived=False, failure="its link is dead")
    assert exit_code([Row(world.expects[0], evaluate(world, flow), unproved)]) == code
