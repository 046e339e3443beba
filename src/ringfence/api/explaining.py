"""The routes that tell why a flow passes or not, and what to change so that it does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ringfence.analysis.why.asking import Question
from ringfence.analysis.why.causes import Cause
from ringfence.analysis.why.lines import Beside
from ringfence.api.call import Answer, Call
from ringfence.api.route import AS_OF, Parameter, Route, Schema
from ringfence.control.explaining import Explainer
from ringfence.control.fixing import Fixer
from ringfence.control.reading import require_analysis
from ringfence.control.view import View
from ringfence.errors import FieldProblem, InvalidFields, NotationError, UnknownName
from ringfence.model.address import Family
from ringfence.model.service import Service
from ringfence.policy.matching import Respect
from ringfence.ram import actions as ram

_OVER = {"ipv4": Family.IPV4, "ipv6": Family.IPV6}
_STEP: Schema = {
    "type": "object",
    "required": ["stage", "verdict", "port", "place", "group", "rule_id", "text", "late"],
    "properties": {
        "stage": {"type": "string"},
        "verdict": {"enum": ["allow", "deny"]},
        **{name: {"type": ["string", "null"]} for name in ("port", "place", "group")},
        **{name: {"type": "string"} for name in ("rule_id", "text")},
        "late": {"type": "array", "items": {"type": "object"}, "description": "rules that matched after the first"},
    },
}
_NEAR: Schema = {
    "type": "object",
    "description": "a rule that comes near to allowing it",
    "required": ["group", "rule_id", "text", "differences", "would_match", "would_pass"],
    "properties": {
        **{name: {"type": "string"} for name in ("group", "rule_id", "text")},
        "differences": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["kind", "text"],
                "properties": {"kind": {"enum": [*Respect, *Beside]}, "text": {"type": "string"}},
            },
        },
        "would_match": {"type": ["string", "null"], "description": "the rule without the differences"},
        "would_pass": {"type": "boolean", "description": "whether the flow would pass here then"},
    },
}
_CAUSE: Schema = {"enum": [*Cause], "description": "see docs/why.md"}
_BLOCKER: Schema = {
    "type": "object",
    "required": [*_STEP["required"], "cause", "because", "answer", "groups", "near_misses"],
    "properties": {
        **_STEP["properties"],
        "cause": _CAUSE,
        "because": {"type": "string"},
        "answer": {"type": "boolean", "description": "whether it is the answer that is denied"},
        "groups": {"type": "array", "items": {"type": "string"}},
        "near_misses": {"type": "array", "items": _NEAR},
    },
}
_NAMED: Schema = {
    "type": "object",
    "required": ["name", "address"],
    "properties": {"name": {"type": "string"}, "address": {"type": "string"}},
}
_TOLD = ("source", "destination", "service", "source_port", "works", "cause", "because", "blockers")
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


FIX: Schema = {
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
"""One fix; what it does besides is told where it was worked out."""
OBSTACLE: Schema = {
    "type": "object",
    "required": ["what", "instead"],
    "properties": {"what": {"type": "string"}, "instead": {"type": "string"}},
}
_BEST: Schema = {
    **FIX,
    "required": [*FIX["required"], "others", "whole", "withheld"],
    "properties": {
        **FIX["properties"],
        "others": {"type": "integer", "description": "how many other fixes are as small"},
        "whole": {"type": "boolean", "description": "false if the search was broken off"},
        "withheld": _listed(_TEXTS, "no larger ones that are not proposed, as they would let in anybody"),
    },
}
_VERDICT: Schema = {
    "type": "object",
    "required": ["flow", "verdict", "arrives", "decided_by", "stages", "back", *_TOLD],
    "properties": {
        "flow": {"type": "string"},
        "verdict": {"enum": ["allow", "deny"]},
        "arrives": {"type": "boolean", "description": "whether the first packet does, answered or not"},
        "decided_by": _STEP,
        "stages": {"type": "array", "items": _STEP},
        "back": {"type": "array", "items": _STEP, "description": "what judges the answer by itself: stateless ACLs"},
        "source": _NAMED,
        "destination": _NAMED,
        "service": {"type": "string"},
        "source_port": {"type": ["integer", "null"]},
        "works": {"type": "boolean"},
        "cause": {"enum": [*Cause, None], "description": "the first in the order of docs/why.md"},
        "because": {"type": ["string", "null"]},
        "blockers": {"type": "array", "items": _BLOCKER, "description": "everything that denies"},
        "fix": {"anyOf": [_BEST, {"type": "null"}], "description": "the smallest fix, where it is asked for"},
        "advice": {"type": "array", "items": OBSTACLE, "description": "what no edit mends, where a fix is asked for"},
    },
}
_OUTCOME: Schema = {
    "type": "object",
    "required": ["verdict", "cause", "because", "pairs", "example"],
    "properties": {
        "verdict": {"enum": ["allow", "deny"]},
        "cause": {"enum": [*Cause, None]},
        "because": {"type": ["string", "null"]},
        "pairs": {"type": "array", "items": {"type": "object"}, "description": "the ends that fare so"},
        "example": _VERDICT,
    },
}
_SEVERAL: Schema = {
    "type": "object",
    "description": "where an end is a group or the internet",
    "required": ["source", "destination", "service", "verdict", "works", "outcomes"],
    "properties": {
        **{name: {"type": "string"} for name in ("source", "destination", "service")},
        "verdict": {"enum": ["allow", "deny", "some"]},
        "works": {"type": "boolean"},
        "outcomes": {"type": "array", "items": _OUTCOME},
    },
}
_END = "an instance, instance.port, a virtual IP, an outside host, an address, a security group, or internet"


QUESTION = (
    Parameter("source", f"from where: {_END}"),
    Parameter("destination", f"to where: {_END}"),
    Parameter("service", "tcp/80, udp/53, icmp, a protocol"),
    Parameter("over", "ipv4 or ipv6; else the first in which both ends are", {"enum": list(_OVER)}),
    Parameter("from_port", "the port that it comes from", {"type": "integer", "minimum": 1, "maximum": 65535}),
    AS_OF,
)
"""The parameters of a question."""
_ASKS_FIX = Parameter("fix", "tell the smallest fix as well; it takes longer", {"type": "boolean"})


def routes() -> Iterator[Route]:
    """The routes."""
    yield Route(
        "GET",
        "/v1/why",
        "why",
        "Why a flow passes or not: each stage of its path, what denies it, and what comes near to allowing it.",
        (ram.DESCRIBE_REACHABILITY,),
        _why,
        (*QUESTION, _ASKS_FIX),
        answer={"anyOf": [_VERDICT, _SEVERAL]},
        is_long=True,
    )


def _why(call: Call) -> Answer:
    require_analysis(call.control, call.caller, ram.DESCRIBE_REACHABILITY, lambda: call.state)
    question, view, is_fix_asked = question_of(call), View(call.state, call.caller.account), call.flag("fix")
    with asking(call):
        told = Explainer(view).answer(question)
        fix = Fixer(view, call.service.foresight).told_briefly(question) if is_fix_asked else {}
    return Answer({**told, **fix})


@contextmanager
def asking(call: Call) -> Iterator[None]:
    """Have what is wrong with an end say which parameter of the request it is."""
    try:
        yield
    except UnknownName as error:
        named = (name for name in ("source", "destination") if error.value and call.query.get(name) == error.value)
        error.field = next(named, "")
        raise


def service_of(call: Call) -> Service:
    """The service that a request is about; raises `NotationError`."""
    said = call.query["service"]
    try:
        return Service.parse(said)
    except NotationError as error:
        error.field, error.value = "service", said
        raise


def question_of(call: Call) -> Question:
    """What a request asks; raises `InvalidFields`, `NotationError`."""
    missing = [name for name in ("source", "destination", "service") if not call.query.get(name)]
    if missing:
        problems = (
            FieldProblem(name, f"{name} is missing", "give it in the query", "input.missing") for name in missing
        )
        raise InvalidFields(tuple(problems))
    over = call.query.get("over", "")
    if over and over not in _OVER:
        raise InvalidFields((FieldProblem("over", f"{over!r} is no family", "use ipv4 or ipv6", value=over),))
    port = call.number("from_port", 1, 1, 65535) if "from_port" in call.query else None
    return Question(call.query["source"], call.query["destination"], service_of(call), _OVER.get(over), port)
