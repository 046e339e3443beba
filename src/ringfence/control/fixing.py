"""The smallest change that makes a flow pass, asked and told in an account's names, judged by all that is on its way.

What other accounts have decides as well, but no fix touches or names it; what fixes do is told of the account's own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, cast

from ringfence.analysis.difference.difference import Differ
from ringfence.analysis.fix.brief import Brief, effort_in
from ringfence.analysis.fix.edits import Edit
from ringfence.analysis.fix.fixes import EFFORT, Fixes, fixes
from ringfence.analysis.fix.obstacles import Obstacle
from ringfence.analysis.why.asking import Question, first_known, is_several
from ringfence.control.explaining import Explainer
from ringfence.control.foresight import Foresight, in_names
from ringfence.control.view import OTHERS, View
from ringfence.model.world import World
from ringfence.policy.verdict import Verdict
from ringfence.resources.kind import SECTIONS, Kind

_OTHERS = Obstacle(f"{OTHERS} denies it", "ask whoever has it")


@dataclass(frozen=True)
class Fixer:
    """Answers for one account at one state."""

    view: View
    foresight: Foresight

    def told(self, question: Question) -> dict[str, Any]:
        """The smallest fixes of a flow, for programs. Raises `UnknownName`, `NotationError`."""
        return self._told(question, EFFORT, Fixes.as_json)

    def told_briefly(self, question: Question) -> dict[str, Any]:
        """The best one in short; nothing where an end is many. Raises `UnknownName`, `NotationError`."""
        own = self.view.said
        if any(is_several(own, name) for name in (question.source, question.destination)):
            return {}
        return self._told(question, effort_in(own), lambda found: Brief(found).as_json())

    def _told(self, question: Question, effort: int, tell: Callable[[Fixes], dict[str, Any]]) -> dict[str, Any]:
        explainer = Explainer(self.view)
        verdict = first_known(question.queries, explainer.verdict)
        if self.view.is_whole:
            with self.foresight.about(self.view) as about:
                told = tell(fixes(about.before, verdict.flow, self._may_in_all, effort, about))
                return cast("dict[str, Any]", in_names(told, self.view, self.view))
        about = Differ(self.view.own.persistent())
        found = fixes(self._world, self.view.in_names(verdict.flow), self._may, effort, about)
        return tell(self._without_others(found, verdict, explainer))

    def _without_others(self, found: Fixes, verdict: Verdict, explainer: Explainer) -> Fixes:
        """Fixes without what is said of things that are not the account's."""
        port = self._world.port_at(found.verdict.flow.destination)
        if port and not self.view.is_mine(port):
            found = replace(found, silence=None)
        if not found.all and explainer.is_denied_by_others(verdict):
            found = replace(found, obstacles=(_OTHERS,), refused=())
        return found

    def _may_in_all(self, edit: Edit) -> bool:
        """Whether an account may make an edit where everything is its own."""
        return self._may_lift or all(section != "penalties" for section, _ in edit.names)

    @property
    def _may_lift(self) -> bool:
        return bool(self.view.state.owned(self.view.account, Kind.PENALTY))

    def _may(self, edit: Edit) -> bool:
        """Whether the account may make an edit: all that it names is its own, or named by it already."""
        for section, name in edit.names:
            if section == "penalties":
                own = self._may_lift
            elif section == "peerings":
                own = self.view.has(section, name) or name not in self._world.peerings
            else:
                own = self.view.has(section, name) or (section == "groups" and name in self.view.own.groups)
            if not own:
                return False
        return True

    @cached_property
    def _world(self) -> World:
        """All that is on the account's ways. Its own things are just as its own world has them."""
        world, own = self.view.named, self.view.own
        sections: dict[str, Any] = {}
        for section in SECTIONS.values():
            mine = {name: it for name, it in getattr(own, section).items() if self.view.has(section, name)}
            sections[section] = dict(sorted({**getattr(world, section), **mine}.items()))
        limits = {**world.limits, "": world.limits.get(self.view.account, {})}  # own things are of account "" there
        return replace(world, **sections, limits=limits)
