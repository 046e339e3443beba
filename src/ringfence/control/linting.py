"""What an expert would say of what an account has, in the account's names, with all that decides on its packets."""

from __future__ import annotations

from dataclasses import replace

from ringfence.analysis.lint.finding import Finding
from ringfence.analysis.lint.registry import lint
from ringfence.analysis.lint.unused import UNUSED_GROUP
from ringfence.control.view import View
from ringfence.model.group import DEFAULT_GROUP


def findings(view: View) -> tuple[Finding, ...]:
    """The findings of an account. What others have decides with it, and is neither told nor found fault with."""
    found = (replace(finding, flow=None) for finding in lint(view.named, account=view.account))
    return tuple(it for it in found if (it.check, it.place.name) != (UNUSED_GROUP, DEFAULT_GROUP))
