"""What came of expectations and probes, for people and programs, and what to try next."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rich.text import Text

from ringfence.cli.output import console, print_json, print_table, table_of
from ringfence.model.address import Family
from ringfence.model.flow import Query
from ringfence.model.rule import Action
from ringfence.model.world import World
from ringfence.policy.verdict import Verdict

if TYPE_CHECKING:  # what only labs need is not loaded to judge a file
    from ringfence.lab.outcome import Report, Row
    from ringfence.lab.probe import Observation

_SHOWN = 20
"""So many differences are told in full."""


def packet(observation: Observation | None) -> str:
    """What a packet did, in a word: it arrived, or not; ``no answer`` and ``no evidence`` are neither."""
    if observation is None:
        return "in guest"  # no packet leaves an instance for its own address
    if observation.failure:
        return "no evidence"
    if observation.arrived and observation.answered is False:
        return "no answer"
    return str(observation.action)


def _row_json(row: Row, packets: bool) -> dict[str, object]:
    return {
        "expect": str(row.expectation),
        "expected": str(row.expectation.action),
        "model": str(row.verdict.action),
        "packet": packet(row.observation) if packets else None,
        "unproved": row.observation.failure or None if row.observation else None,
        "ok": row.ok,
        "decided_by": row.verdict.decided_by.as_json(),
    }


def _word(word: str) -> Text:
    return Text(word, style={"allow": "green", "deny": "red"}.get(word, "yellow"))


def exit_code(rows: list[Row]) -> int:
    """0 if every row is as expected, 1 if one differs, 3 if a packet could prove nothing."""
    bad = [row for row in rows if not row.ok]
    return 0 if not bad else 3 if all(row.unproved for row in bad) else 1


def show_rows(rows: list[Row], *, packets: bool, as_json: bool) -> None:
    """The table expected / model / packet, and under it why each row that is not ok came out as it did."""
    if as_json:
        told = [_row_json(row, packets) for row in rows]
        print_json({"ok": all(row.ok for row in rows), "expectations": told})
        return
    table = table_of("flow", "expected", "model", *(("packet",) if packets else ()), "")
    for row in rows:
        words = [
            str(row.expectation.action),
            _model(row.verdict),
            *((packet(row.observation),) if packets else ()),
        ]
        table.add_row(str(row.expectation.query), *map(_word, words), _mark(row))
    out = console()
    print_table(table, out)
    for row in rows:
        if not row.ok:
            out.print(f"\n{row.expectation}", style="bold")
            out.print(f"  model: {row.verdict}")
            if row.observation:
                out.print(f"  packet: {row.observation}")
            if row.remark:
                out.print(f"  {row.remark}")
    out.print(f"\n{_sum(rows, packets)}")


def _model(verdict: Verdict) -> str:
    return "no answer" if verdict.arrives and not verdict.allowed else str(verdict.action)


def _mark(row: Row) -> Text:
    if row.ok:
        return Text("ok", style="dim")
    return Text("NO EVIDENCE", style="bold yellow") if row.unproved else Text("DIFFERS", style="bold red")


def _sum(rows: list[Row], packets: bool) -> str:
    count = "1 expectation" if len(rows) == 1 else f"{len(rows)} expectations"
    unproved = sum(row.unproved for row in rows)
    differing = sum(not row.ok and not row.unproved for row in rows)
    if differing or unproved:
        return f"{count}: {differing} differ" + (f", {unproved} proved nothing" if unproved else "")
    proved = "expected, model and packet agree" if packets else "the model agrees; packets: ringfence up (as root)"
    return f"{count}: {proved}"


def show_verification(report: Report, *, as_json: bool) -> None:
    """How many probes were sent, and each in which model and packet differ, with the model's trace."""
    if as_json:
        print_json(
            {
                "probes": report.count,
                "differences": [
                    difference.verdict.as_json() | {"packet": packet(difference.observation)}
                    for difference in report.differences
                ],
                "unproved": [{"flow": str(probe.flow), "why": probe.failure} for probe in report.unproved],
            }
        )
        return
    for difference in report.differences[:_SHOWN]:
        verdict = difference.verdict
        print(f"DIFFERS: {verdict.flow}: model {verdict.action}, packet {packet(difference.observation)}")
        for step in verdict.steps:
            by = " ".join(filter(None, (step.group, step.rule_id)))
            print(f"  {step.stage} {step.port or ''}: {step.action} by {by}: {step.text}")
    if len(report.differences) > _SHOWN:
        print(f"... and {len(report.differences) - _SHOWN} more; --json tells all")
    for probe in report.unproved[:_SHOWN]:
        print(f"NO EVIDENCE: {probe.flow}: {probe.failure}")
    found = f"{len(report.differences)} differ, {len(report.unproved)} proved nothing"
    print(f"{report.count} probes: {'model and packets agree on every one' if report.ok else found}")


def show_next(world: World, lab: str) -> None:
    """What to try now that the lab is up."""
    command = "ringfence" if "/" not in sys.argv[0] or sys.argv[0].endswith(".py") else sys.argv[0]
    suffix = "" if lab == "lab" else f" --lab {lab}"
    denied = [expectation.query for expectation in world.expects if expectation.action is Action.DENY]
    tries = [(f"why {_words(query)} --probe", "why it is denied, model and packet") for query in denied[:1]]
    tries += [(f"exec {name} -- ip address", "a command inside an instance") for name in list(world.instances)[:1]]
    tries += [("verify", "every pair and every interesting port"), ("down", "take the lab away, and nothing else")]
    print("\nThe lab stays up. Try:")
    width = max(len(text) for text, _ in tries)
    for text, what in tries:
        name, _, rest = text.partition(" ")
        print(f"  {command} {f'{name}{suffix} {rest}':{width + len(suffix)}}   # {what}")


def _words(query: Query) -> str:
    over = " --over ipv6" if query.family is Family.IPV6 else ""
    return f"{query.source} {query.destination} {query.service}{over}"
