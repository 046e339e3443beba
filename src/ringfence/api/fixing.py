"""The route that tells the smallest change that makes a flow pass."""

from __future__ import annotations

from collections.abc import Iterator

from ringfence.api.call import Answer, Call
from ringfence.api.explaining import FIX, OBSTACLE, QUESTION, asking, question_of
from ringfence.api.route import Route, Schema
from ringfence.control.fixing import Fixer
from ringfence.control.reading import require_analysis
from ringfence.control.view import View
from ringfence.ram import actions as ram

_FIXES: Schema = {
    "type": "object",
    "required": ["flow", "verdict", "fixes", "withheld", "obstacles", "refused", "silence", "whole"],
    "properties": {
        "flow": {"type": "string"},
        "verdict": {"enum": ["allow", "deny"]},
        "fixes": {"type": "array", "items": FIX, "description": "the smallest ones, the best first"},
        "withheld": {"type": "array", "items": FIX, "description": "not proposed, as they would let in anybody"},
        "obstacles": {"type": "array", "items": OBSTACLE, "description": "what no edit mends, and what helps instead"},
        "refused": {"type": "array", "items": OBSTACLE, "description": "edits that are not possible, and why"},
        "silence": {"anyOf": [OBSTACLE, {"type": "null"}], "description": "whether nothing listens there"},
        "whole": {"type": "boolean", "description": "false if the search was broken off"},
    },
}


def routes() -> Iterator[Route]:
    """The route."""
    yield Route(
        "GET",
        "/v1/fix",
        "fix",
        "The smallest changes that make a flow pass, and what each does besides.",
        (ram.DESCRIBE_REACHABILITY,),
        _fix,
        QUESTION,
        answer=_FIXES,
        is_long=True,
    )


def _fix(call: Call) -> Answer:
    require_analysis(call.control, call.caller, ram.DESCRIBE_REACHABILITY, lambda: call.state)
    question, view = question_of(call), View(call.state, call.caller.account)
    with asking(call):
        return Answer(Fixer(view, call.service.foresight).told(question))
