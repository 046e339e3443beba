"""What an expert would say of what an account has, in the account's names, with all that decides on its packets."""

from __future__ import annotations

from dataclasses import replace

from ringfence.analysis.lint.finding import Finding
from ringfence.analysis.lint.registry import lint
from ringfence.analysis.lint.unused import UNUSED_GROUP
from ringfence.control.exporting import visible_world
from ringfence.control.naming import Naming
from ringfence.model.group import DEFAULT_GROUP
from ringfence.resources.state import State


def findings(state: State, account: str) -> tuple[Finding, ...]:
    """The findings of an account. What others have decides with it, and is neither told nor found fault with."""
    naming = Naming(state, account)
    found = (_named(finding, naming) for finding in lint(visible_world(state, account), account=account))
    return tuple(it for it in found if (it.check, it.place.name) != (UNUSED_GROUP, DEFAULT_GROUP))


def _named(finding: Finding, naming: Naming) -> Finding:
    """A finding in the account's names; the ids of rules are those of logs and counters."""
    place, section = finding.place, str(finding.place.path[0])
    rule, key = naming.words(place.rule), naming.words(place.key)
    own = replace(place, name=naming.called(section, place.name), rule=rule, key=key)
    fix = replace(finding.fix, text=naming.words(finding.fix.text))
    reason, about = naming.words(finding.reason), naming.words(finding.about)
    return replace(finding, place=own, reason=reason, fix=fix, about=about, flow=None)
