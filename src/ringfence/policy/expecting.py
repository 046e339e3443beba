"""Expectations of a world that do not hold in it, and what decides otherwise."""

from __future__ import annotations

from collections.abc import Iterator

from ringfence.model.flow import Expectation
from ringfence.model.rule import Action
from ringfence.model.world import World
from ringfence.policy.evaluate import Policy


def unmet_line(expectation: Expectation, found: Action, by: str, text: str) -> str:
    """An expectation that does not hold, in one line for people: what becomes of it, who decides it, and how."""
    return f"{expectation} (it is {found} by {by}: {text})"


def unmet_lines(world: World) -> Iterator[str]:
    """Each expectation of a world that does not hold in it. Raises `UnknownName`."""
    policy = Policy(world)
    for each in world.expects:
        verdict = policy.evaluate(world.flow(each.query))
        if verdict.action is not each.action:
            step = verdict.decided_by
            yield unmet_line(each, verdict.action, step.group or str(step.stage), step.text)
