"""Why: a diagnosis told to people. It is told from its JSON, so that a file's, a lab's and a server's read alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ringfence.model.rule import Direction
from ringfence.policy.verdict import Stage

TITLES = {
    Stage.LOCAL: "same instance",
    Stage.PLATFORM: "platform, at",
    Stage.EGRESS: "out of",
    Stage.ACL_EGRESS: "network ACL out of subnet",
    Stage.PEERING: "firewall on the peering",
    Stage.BORDER: "firewall at the internet border of",
    Stage.ROUTE: "on the route",
    Stage.ACL_INGRESS: "network ACL into subnet",
    Stage.INGRESS: "into",
}
"""The stages of a path in words, before the place where they are."""
_GUARDS = (Stage.PLATFORM, Stage.ACL_EGRESS, Stage.PEERING, Stage.BORDER, Stage.ACL_INGRESS)

Told = Mapping[str, Any]
"""What `Diagnosis.as_json` gives."""


def explain(told: Told) -> str:
    """The verdict on one flow with its cause, everything that keeps it from working, and the path."""
    lines = [headline(told), "", *_conclusion(told)]
    for blocker in told["blockers"]:
        lines += ["", *_blocker(blocker)]
    lines += ["", "The path:", *_path(told)]
    lines += ["", *_side_by_side(told["proof"])] if "proof" in told else []
    return "\n".join([*lines, *_mending(told)])


def headline(told: Told) -> str:
    """Ends, service and verdict."""
    ends = f"{_end(told['source'])} -> {_end(told['destination'])}"
    port = f" from port {told['source_port']}" if told["source_port"] else ""
    return f"{ends}  {told['service']}{port}  {told['verdict'].upper()}"


def _end(end: Told) -> str:
    return f"{end['name']} ({end['address']})" if end["name"] != end["address"] else str(end["address"])


def _conclusion(told: Told) -> Iterator[str]:
    if told["cause"]:
        but = "Why not, though the network lets it pass" if told["verdict"] == "allow" else "Why"
        yield f"{but}: {told['cause']}. {told['because']}"
    elif Stage(told["decided_by"]["stage"]) in (Stage.LOCAL, Stage.ROUTE):
        yield f"Allowed: {told['decided_by']['text']}."
    elif told["back"]:
        yield "Allowed: every stage lets the first packet through, and the stateless ACLs let the answer back."
    else:
        yield "Allowed: every stage lets the first packet through, and replies follow by connection tracking."


def _blocker(blocker: Told) -> Iterator[str]:
    """One thing that denies, and under it what comes near."""
    yield f"{_denied(blocker)}: {blocker['text']}."
    for near in blocker.get("near_misses", ()):
        yield f"  nearly: {_by(near)}: {near['text']}"
        yield f"    {', and '.join(it['text'] for it in near['differences'])}{_still(near)}"


def _still(near: Told) -> str:
    priority = any(it["kind"] == "priority" for it in near["differences"])
    return "" if near["would_pass"] or priority else "; and a stronger rule would still deny it"


def _denied(blocker: Told) -> str:
    if blocker["stage"] == "guest":
        return f"Denied {blocker['place']}"
    where = f"by the {_where(blocker)}" if Stage(blocker["stage"]) in _GUARDS else _where(blocker)
    groups = f" (groups: {', '.join(blocker['groups'])})" if blocker["groups"] else ""
    by = f", by {_by(blocker)}" if _by(blocker) else ""
    return f"{'Its answer is denied' if blocker['answer'] else 'Denied'} {where}{groups}{by}"


def _where(step: Told) -> str:
    return f"{TITLES[Stage(step['stage'])]} {step['place'] or step['port'] or ''}".rstrip()


def _by(step: Told) -> str:
    return " ".join(filter(None, (step["group"], step["rule_id"])))


def _path(told: Told) -> Iterator[str]:
    """Every stage, a paragraph each."""
    paragraphs = [_step(step) for step in told["stages"]]
    for first, *rest in map(_step, told["back"]):
        paragraphs.append([f"the answer: {first}", *rest])
    paragraphs += [_guest(guest) for guest in told.get("guests", ()) if _is_worth_telling(guest)]
    for number, (first, *rest) in enumerate(paragraphs, 1):
        yield f"  {number}. {first}"
        yield from (f"     {line}" for line in rest)


def _step(step: Told) -> list[str]:
    by = f"by {_by(step)}: " if _by(step) else ""
    lines = [f"{_where(step)}: {step['verdict']}", f"  {by}{step['text']}"]
    return lines + [f"  too late: {_by(late)}: {late['text']}" for late in step["late"]]


def _guest(guest: Told) -> list[str]:
    return [f"{guest['place']}: {guest['verdict']}", *(f"  {finding['text']}" for finding in guest["findings"])]


def _is_worth_telling(guest: Told) -> bool:
    return bool(guest["direction"] == Direction.INGRESS or guest["verdict"] != "allow")


def _side_by_side(proof: Told) -> Iterator[str]:
    """What the model says and what the packets did."""
    rows = [("", "first packet", "answer"), *((who, *proof["words"][who]) for who in ("model", "packet"))]
    width = max(len(first) for _, first, _ in rows)
    yield from (f"  {who:8}{first:{width}}   {answer}".rstrip() for who, first, answer in rows)
    yield f"  {proof['remark']}"


def _mending(told: Told) -> Iterator[str]:
    """The smallest fix, if somebody asked for it and there is one; else what helps instead."""
    fix = told.get("fix")
    if fix:
        yield from ("", *_fix(fix))
    for each in told.get("advice", ()):
        yield from ("", f"{'But' if fix else 'No edit mends it:'} {each['what']}.", f"  instead: {each['instead']}")


def _fix(fix: Told) -> Iterator[str]:
    number, others = len(fix["edits"]), fix["others"]
    yield f"The smallest fix is {number} edit{'s' * (number > 1)}:"
    yield from (f"  {edit}" for edit in fix["edits"])
    yield from (f"    $ {line}" for line in fix["commands"])
    if "opens" in fix:
        closes = f"; it closes {_flows(fix['closes'])}" if fix["closes"] else ""
        yield f"  It opens {_flows(fix['opens'])}{closes}."
    yield from (f"  It is against what is expected: {each}" for each in fix.get("breaks", ()))
    yield from (f"  Not proposed, as it would let in anybody: {each}" for each in fix["withheld"])
    if "shown_by" in fix:
        as_small = f"{others} other{'s are' if others > 1 else ' is'} as small. To see all, and w" if others else "W"
        yield f"  {as_small}hat {'each' if others else 'it'} does in full:"
        yield f"    $ {fix['shown_by']}"


def _flows(changes: Sequence[Told]) -> str:
    """Some flows in short."""
    if not changes:
        return "nothing"
    first, more = changes[0], len(changes) - 1
    over = " over ipv6" if first["family"] == "ipv6" else ""
    ends = " -> ".join(_listed(first[side]) for side in ("from", "to"))
    return f"{ends}: {'; '.join(first['services'])}{over}{f', and {more} more' if more else ''}"


def explain_several(told: Told) -> str:
    """The answer about several flows: which pass, which do not and why; of each kind one in full."""
    lines = [f"{told['source']} -> {told['destination']}  {told['service']}  {_SEVERAL[told['verdict']]}"]
    for outcome in told["outcomes"]:
        lines += ["", *_outcome(outcome)]
    return "\n".join(lines)


_SEVERAL = {"allow": "ALLOW: all of it", "deny": "DENY: all of it", "some": "SOME: not all of it passes"}
_SHOWN = 6


def _outcome(outcome: Told) -> Iterator[str]:
    example = outcome["example"]
    because = f": {outcome['cause']}. {outcome['because']}" if outcome["cause"] else ""
    yield f"{outcome['verdict'].upper()}{because}"
    for pair in outcome["pairs"][:_SHOWN]:
        yield f"  {_listed(pair['sources'])} -> {_listed(pair['destinations'])} over {pair['family']}"
    if (more := len(outcome["pairs"]) - _SHOWN) > 0:
        yield f"  and {more} more; --json tells all"
    yield f"  such as {headline(example)}"
    for blocker in example["blockers"]:
        yield from (f"    {line}" for line in _blocker(blocker))
    if "proof" in example:
        yield from (f"  {line}" for line in _side_by_side(example["proof"]))


def _listed(names: Iterable[str]) -> str:
    known = list(names)
    more = [f"{len(known) - _SHOWN} more"] * (len(known) > _SHOWN)
    return ", ".join([*known[:_SHOWN], *more])
