"""The smallest fix in short, for who asked why a flow does not pass: the best one, and how many others there are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from ringfence.analysis.fix.fixes import EFFORT, Fixes, fixes
from ringfence.analysis.fix.obstacles import Obstacle
from ringfence.model.flow import Flow
from ringfence.model.world import World

_LARGE = 500
"""In a world of so many instances it takes too long to say by the way what a fix does besides."""


def effort_in(world: World) -> int:
    """How many fixes are weighed: all that `fixes` would; in a large world none, and the best is the preferred one."""
    return EFFORT if len(world.instances) < _LARGE else 0


@dataclass(frozen=True, slots=True)
class Brief:
    """What of all fixes is told by the way."""

    found: Fixes

    @classmethod
    def of(cls, world: World, flow: Flow) -> Brief:
        """That of a flow in a world that whoever asks may change."""
        return cls(fixes(world, flow, effort=effort_in(world)))

    def without_silence(self) -> Brief:
        """The same where somebody looked at what listens in the guests."""
        return Brief(replace(self.found, silence=None))

    def as_json(self) -> dict[str, Any]:
        """For programs: ``fix``, the best as `Fixes` tells it and how many ``others`` are as small; and ``advice``.

        ``withheld`` are those that are no larger and are not proposed, in words.
        """
        best, counts = self.found.smallest, {"others": len(self.found.all) - 1, "whole": self.found.is_whole}
        withheld = {"withheld": list(map(str, self.found.withheld))}
        told = best and best.as_json(full=self.found.weighed > 0) | counts | withheld
        return {"fix": told, "advice": [it.as_json() for it in self._advice()]}

    def _advice(self) -> Iterator[Obstacle]:
        """What no edit mends, with what helps instead."""
        found = self.found
        if not found.all and not found.verdict.allowed:
            yield from (*found.obstacles, *found.refused)
            for each in found.withheld:
                yield Obstacle(f"what would, lets in anybody ({each})", "make it by hand if that is meant")
        if found.silence and not found.verdict.allowed:
            yield found.silence
