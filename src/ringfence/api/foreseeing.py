"""What a dry run tells besides the change: who would reach whom otherwise, and which expectations would not hold."""

from __future__ import annotations

from typing import Any

from ringfence.analysis.difference.difference import Difference, difference
from ringfence.api.call import Call
from ringfence.control.declaring import require_reading
from ringfence.control.draft import Draft
from ringfence.control.explaining import Explainer
from ringfence.control.view import View
from ringfence.errors import Forbidden
from ringfence.policy.change import Change
from ringfence.ram import actions as ram
from ringfence.ram.arn import REVISION

MOST_TOLD = 20_000
"""So many ends an answer names of what is newly allowed, and as many of what is newly denied, and of what is cut."""


def foreseen(call: Call, draft: Draft) -> dict[str, Any]:
    """What a change that was tried would lead to; null where the caller may not plan, as it tells of the whole account.

    Looks at the account's world only if the change is one of what decides about packets, and holds up nobody.
    """
    state, account = draft.state, draft.caller.account
    after = state.after(draft.revision, draft.changes)
    try:
        call.control.authority.require_kind(call.caller, ram.PLAN_CHANGES, REVISION)
        require_reading(call.control.authority, state, call.caller)
    except Forbidden:
        return {"reachability": None, "expectations": None}
    found, explainer = Difference(), Explainer(View(after, account))
    if Change.between(state.world, after.world) != Change():
        found = difference(View(state, account).own, explainer.view.own)
    return {
        "reachability": found.as_json(MOST_TOLD),
        "expectations": [explainer.told_unmet(each) for each in explainer.unmet()],
    }
