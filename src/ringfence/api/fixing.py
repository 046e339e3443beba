"""The route that tells the smallest change that makes a flow pass."""

from __future__ import annotations

from collections.abc import Iterator

from ringfence.api.call import Answer, Call
from ringfence.api.explaining import QUESTION, question_of
from ringfence.api.route import Route, Schema
from ringfence.control.fixing import Fixer
from ringfence.ram import actions as ram
from ringfence.ram.arn import REVISION

_OBSTACLE: Schema = {
    "type": "object",
    "required": ["what", "instead"],
    "properties": {"what": {"type": "string"}, "instead": {"type": "string"}},
}
_TEXTS: Schema = {"type": "array", "items": {"type": "string"}}
_FLOWS: Schema = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["from", "to", "family", "services", "example", "because"],
        "properties": {"from": _TEXTS, "to": _TEXTS, "family": {"type": "string"}, "services": _TEXTS},
    },
}


def _listed(items: Schema, what: str) -> Schema:
    return {**items, "description": what}


_FIX: Schema = {
    "type": "object",
    "required": ["edits", "commands"],
    "properties": {
        "edits": _listed(_TEXTS, "in words, in the order in which they are to be made"),
        "commands": _listed(_TEXTS, "the commands that make them"),
        "opens": _listed(_FLOWS, "all flows that pass then and do not now"),
        "closes": _listed(_FLOWS, "all flows that pass now and do not then"),
        "cuts": _listed(_FLOWS, "the connections that it cuts, of all that may live"),
        "breaks": _listed(_TEXTS, "expectations that hold now and do not then"),
    },
}
_FIXES: Schema = {
    "type": "object",
    "required": ["flow", "verdict", "fixes", "withheld", "obstacles", "refused", "silence", "whole"],
    "properties": {
        "flow": {"type": "string"},
        "verdict": {"enum": ["allow", "deny"]},
        "fixes": {"type": "array", "items": _FIX, "description": "the smallest ones, the best first"},
        "withheld": {"type": "array", "items": _FIX, "description": "not proposed, as they would let in anybody"},
        "obstacles": {"type": "array", "items": _OBSTACLE, "description": "what no edit mends, and what helps instead"},
        "refused": {"type": "array", "items": _OBSTACLE, "description": "edits that are not possible, and why"},
        "silence": {"anyOf": [_OBSTACLE, {"type": "null"}], "description": "whether nothing listens there"},
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
    call.control.authority.require_kind(call.caller, ram.DESCRIBE_REACHABILITY, REVISION)
    return Answer(Fixer(call.state, call.caller.account).told(question_of(call)))
