"""The smallest change that makes a flow pass, asked and told in an account's names, judged by all that is on its way.

What other accounts have decides as well, but no fix touches or names it; what fixes do is told of the account's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from ringfence.analysis.difference.difference import Differ
from ringfence.analysis.fix.brief import Brief, effort_in
from ringfence.analysis.fix.edits import Edit
from ringfence.analysis.fix.fixes import EFFORT, Fixes, fixes
from ringfence.analysis.fix.obstacles import Obstacle
from ringfence.analysis.why.asking import Question, first_known, is_several
from ringfence.control.explaining import Explainer
from ringfence.control.exporting import visible_world
from ringfence.control.naming import Naming
from ringfence.model.flow import Endpoint
from ringfence.model.renaming import renamed
from ringfence.model.world import World
from ringfence.policy.verdict import Verdict
from ringfence.resources.kind import SECTIONS, Kind
from ringfence.resources.state import State

_OTHERS = Obstacle("something of another account denies it", "ask whoever has it")


@dataclass(frozen=True)
class Fixer:
    """Answers for one account at one state."""

    state: State
    account: str

    @cached_property
    def _explainer(self) -> Explainer:
        return Explainer(self.state, self.account)

    @cached_property
    def _naming(self) -> Naming:
        return Naming(self.state, self.account)

    def told(self, question: Question) -> dict[str, Any]:
        """The smallest fixes of a flow, for programs. Raises `UnknownName`, `NotationError`."""
        return self._fixes(question, EFFORT).as_json()

    def told_briefly(self, question: Question) -> dict[str, Any]:
        """The best one in short; nothing where an end is many. Raises `UnknownName`, `NotationError`."""
        named = self._explainer.named
        if any(is_several(named, name) for name in (question.source, question.destination)):
            return {}
        return Brief(self._fixes(question, effort_in(named))).as_json()

    def _fixes(self, question: Question, effort: int) -> Fixes:
        verdict = first_known(question.queries, self._explainer.verdict)
        source, destination = map(self._called, (verdict.flow.source, verdict.flow.destination))
        flow = replace(verdict.flow, source=source, destination=destination)
        about = Differ(self._explainer.named.persistent())
        return self._without_others(fixes(self._world, flow, self._may, effort, about), verdict)

    def _without_others(self, found: Fixes, verdict: Verdict) -> Fixes:
        """Fixes without what is said of things that are not the account's."""
        port = self._world.port_at(found.verdict.flow.destination)
        if port and port.instance not in self._naming.ids["instances"]:
            found = replace(found, silence=None)
        if not found.all and self._explainer.is_denied_by_others(verdict):
            found = replace(found, obstacles=(_OTHERS,), refused=())
        return found

    def _called(self, end: Endpoint) -> Endpoint:
        """An end of the real world in the account's names."""
        return replace(end, vpc=self._names["vpcs"].get(end.vpc, end.vpc))

    def _may(self, edit: Edit) -> bool:
        """Whether the account may make an edit: all that it names is its own, or named by it already."""
        named = self._explainer.named
        for section, name in edit.names:
            if section == "penalties":
                own = bool(self.state.owned(self.account, Kind.PENALTY))
            elif section == "peerings":
                own = name in self._naming.ids[section] or name not in self._world.peerings
            else:
                own = name in self._naming.ids[section] or (section == "groups" and name in named.groups)
            if not own:
                return False
        return True

    @cached_property
    def _world(self) -> World:
        """All that is on the account's ways. Its own things are just as its world has them."""
        world, named = renamed(visible_world(self.state, self.account), self._names), self._explainer.named
        sections: dict[str, Any] = {}
        for section, ids in self._naming.ids.items():
            if section != "subnets":
                own = {name: getattr(named, section)[name] for name in ids if name in getattr(named, section)}
                sections[section] = dict(sorted({**getattr(world, section), **own}.items()))
        limits = {**world.limits, "": world.limits.get(self.account, {})}  # own things are of account "" there
        return replace(world, **sections, limits=limits)

    @cached_property
    def _names(self) -> dict[str, dict[str, str]]:
        """Names by ids: the account's, and for what others have, if its id is such a name, another one."""
        found = {section: dict(pairs) for section, pairs in self._naming.names.items()}
        taken = {name for ids in self._naming.ids.values() for name in ids}
        for section, id_ in self._others():
            if id_ in taken:
                found[section][id_] = f"{id_}-of-others"
        return found

    def _others(self) -> Iterator[tuple[str, str]]:
        world = visible_world(self.state, self.account)
        for kind, section in SECTIONS.items():
            own = {it.id for it in self.state.owned(self.account, kind)}
            yield from ((section, id_) for id_ in getattr(world, section) if id_ not in own)
