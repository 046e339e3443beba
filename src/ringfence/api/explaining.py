"""The routes that tell why a flow passes or not, and what to change so that it does."""

from __future__ import annotations

from collections.abc import Iterator

from ringfence.api.call import Answer, Call
from ringfence.api.route import AS_OF, Parameter, Route, Schema
from ringfence.control.explaining import Explainer
from ringfence.control.fixing import Fixer
from ringfence.errors import FieldProblem, InvalidFields
from ringfence.model.address import Family
from ringfence.model.flow import Query
from ringfence.model.service import Service
from ringfence.ram import actions as ram
from ringfence.ram.arn import REVISION

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
_VERDICT: Schema = {
    "type": "object",
    "required": ["flow", "verdict", "arrives", "decided_by", "stages", "back"],
    "properties": {
        "flow": {"type": "string"},
        "verdict": {"enum": ["allow", "deny"]},
        "arrives": {"type": "boolean", "description": "whether the first packet does, answered or not"},
        "decided_by": _STEP,
        "stages": {"type": "array", "items": _STEP},
        "back": {"type": "array", "items": _STEP, "description": "what judges the answer by itself: stateless ACLs"},
    },
}
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
_END = "an instance, instance.port, a virtual IP, an outside host, or an address"


_QUESTION = (
    Parameter("source", f"from where: {_END}"),
    Parameter("destination", f"to where: {_END}"),
    Parameter("service", "tcp/80, udp/53, icmp, a protocol"),
    Parameter("over", "ipv4, or ipv6", {"enum": list(_OVER)}),
    Parameter("from_port", "the port that it comes from", {"type": "integer", "minimum": 1, "maximum": 65535}),
    AS_OF,
)


def routes() -> Iterator[Route]:
    """The routes."""
    yield Route(
        "GET",
        "/v1/why",
        "why",
        "Why a flow passes or not: each stage of its path, and what decided there.",
        (ram.DESCRIBE_REACHABILITY,),
        _why,
        _QUESTION,
        answer=_VERDICT,
    )
    yield Route(
        "GET",
        "/v1/fix",
        "fix",
        "The smallest changes that make a flow pass, and what each does besides.",
        (ram.DESCRIBE_REACHABILITY,),
        _fix,
        _QUESTION,
        answer=_FIXES,
    )


def _why(call: Call) -> Answer:
    call.control.authority.require_kind(call.caller, ram.DESCRIBE_REACHABILITY, REVISION)
    explainer = Explainer(call.state, call.caller.account)
    return Answer(explainer.told(explainer.verdict(_query(call))))


def _fix(call: Call) -> Answer:
    call.control.authority.require_kind(call.caller, ram.DESCRIBE_REACHABILITY, REVISION)
    return Answer(Fixer(call.state, call.caller.account).told(_query(call)))


def _query(call: Call) -> Query:
    missing = [name for name in ("source", "destination", "service") if not call.query.get(name)]
    if missing:
        problems = (
            FieldProblem(name, f"{name} is missing", "give it in the query", "input.missing") for name in missing
        )
        raise InvalidFields(tuple(problems))
    over = call.query.get("over", "ipv4")
    if over not in _OVER:
        raise InvalidFields((FieldProblem("over", f"{over!r} is no family", "use ipv4 or ipv6", value=over),))
    port = call.number("from_port", 1, 1, 65535) if "from_port" in call.query else None
    service = Service.parse(call.query["service"])
    return Query.of(call.query["source"], call.query["destination"], service, _OVER[over], port)
