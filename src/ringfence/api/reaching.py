"""The route that tells who can reach whom."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ringfence.analysis.reach.answer import Grade, Kind
from ringfence.api.call import Answer, Call
from ringfence.api.explaining import asking, service_of
from ringfence.api.route import AS_OF, Parameter, Route, Schema
from ringfence.control.reading import require_analysis
from ringfence.ram import actions as ram

_TEXT: Schema = {"type": "string"}
_TEXTS: Schema = {"type": "array", "items": _TEXT}
_FAMILY: Schema = {"enum": ["ipv4", "ipv6"]}


def _object(**fields: Any) -> Schema:
    return {"type": "object", "required": list(fields), "properties": fields}


_END_SCHEMA = _object(
    name=_TEXT,
    family=_FAMILY,
    kind={"enum": [str(it) for it in Kind]},
    vpc=_TEXT,
    groups=_TEXTS,
    members={**_TEXTS, "description": "the first few"},
    addresses={"type": "integer", "description": "how many"},
)
_WAY: Schema = _object(
    **{"from": _TEXTS, "to": _TEXTS},
    family=_FAMILY,
    services=_TEXTS,
    grade={"enum": [str(it) for it in Grade]},
    risky={**_TEXTS, "description": "what of the services is a risky port of the destination's profile"},
    example={**_TEXT, "description": "a flow, as `why` takes it"},
)
_ANSWER: Schema = _object(
    revision={"type": "integer"},
    ends={"type": "array", "items": _END_SCHEMA},
    ways={"type": "array", "items": _WAY},
)
_END = "an instance, instance.port, a virtual IP, an outside host, an address, a security group, or internet"


def routes() -> Iterator[Route]:
    """The route."""
    yield Route(
        "GET",
        "/v1/reach",
        "reach",
        "Who can reach whom: exactly, for classes of ends that no rule tells apart.",
        (ram.DESCRIBE_REACHABILITY,),
        _reach,
        (
            Parameter("source", f"only from there: {_END}"),
            Parameter("destination", f"only to there: {_END}"),
            Parameter("service", "only where this passes: tcp/80, udp/53, icmp, a protocol"),
            AS_OF,
        ),
        answer=_ANSWER,
        is_long=True,
    )


def _reach(call: Call) -> Answer:
    require_analysis(call.control, call.caller, ram.DESCRIBE_REACHABILITY, lambda: call.state)
    revision = call.number("as_of", call.control.state.revision, 0, 2**53)
    kept = call.service.reaching.of(revision, call.caller.account, lambda: call.control.as_of(revision))
    source, destination, service = (call.query.get(name, "") for name in ("source", "destination", "service"))
    with asking(call):
        found = kept.answer(source, destination, service_of(call) if service else None)
    return Answer({"revision": revision, **found.as_json()})
