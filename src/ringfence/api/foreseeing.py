"""What a dry run tells besides the change: who would reach whom otherwise, and which expectations would not hold."""

from __future__ import annotations

from typing import Any

from ringfence.analysis.difference.difference import Difference
from ringfence.api.call import Call
from ringfence.control.declaring import require_reading
from ringfence.control.draft import Draft
from ringfence.control.explaining import Explainer
from ringfence.control.view import View
from ringfence.errors import Forbidden
from ringfence.policy.change import Change
from ringfence.ram import actions as ram
from ringfence.ram.arn import REVISION


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
    before, explainer = View(state, account), Explainer(View(after, account))
    is_same = Change.between(state.world, after.world) == Change()
    found = Difference().as_json() if is_same else call.service.foresight.told(before, explainer.view)
    return {"reachability": found, "expectations": [explainer.told_unmet(each) for each in explainer.unmet()]}
