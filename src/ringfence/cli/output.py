"""What the command line prints: tables for people, JSON for programs. It decides nothing."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from ringfence.lab.probe import Observation
from ringfence.lab.verify import Report, Row
from ringfence.model.address import Family
from ringfence.model.flow import Query
from ringfence.model.rule import Action
from ringfence.model.world import World
from ringfence.policy.verdict import Verdict

Advance = Callable[[int, int], None]
"""Told how many probes of how many are done."""


def _packet(observation: Observation | None) -> str:
    """What a packet did, in a word: it arrived, or not; ``no answer`` and ``no evidence`` are neither."""
    if observation is None:
        return ""
    if observation.failure:
        return "no evidence"
    if observation.arrived and observation.answered is False:
        return "no answer"
    return str(observation.action)


def _row_json(row: Row) -> dict[str, object]:
    return {
        "expect": str(row.expectation),
        "expected": str(row.expectation.action),
        "model": str(row.verdict.action),
        "packet": _packet(row.observation) or None,
        "ok": row.ok,
        "decided_by": row.verdict.decided_by.as_json(),
    }


def _console() -> Console:
    # A description may hold brackets and colons: it is text, never markup.
    return Console(highlight=False, markup=False, emoji=False, width=None if sys.stdout.isatty() else 160)


def _print_json(value: object) -> None:
    print(json.dumps(value, indent=2, ensure_ascii=False))


def _word(word: str) -> Text:
    return Text(word, style={"allow": "green", "deny": "red"}.get(word, "yellow"))


def show_rows(rows: list[Row], *, as_json: bool) -> None:
    """The table expected / model / packet, and under it why each row that is not ok came out as it did."""
    if as_json:
        _print_json({"ok": all(row.ok for row in rows), "expectations": [_row_json(row) for row in rows]})
        return
    packets = any(row.observation for row in rows)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("flow", "expected", "model", *(("packet",) if packets else ()), ""):
        table.add_column(heading)
    for row in rows:
        words = [
            str(row.expectation.action),
            str(row.verdict.action),
            *((_packet(row.observation),) if packets else ()),
        ]
        mark = Text("ok", style="dim") if row.ok else Text("DIFFERS", style="bold red")
        table.add_row(str(row.expectation.query), *map(_word, words), mark)
    console = _console()
    console.print(table)
    bad = [row for row in rows if not row.ok]
    for row in bad:
        console.print(f"\n{row.expectation}", style="bold")
        console.print(f"  model: {row.verdict}")
        if row.observation:
            console.print(f"  packet: {row.observation}")
    proved = "expected, model and packet agree" if packets else "the model agrees; packets: ringfence up (as root)"
    console.print(f"\n{len(rows)} expectations: {f'{len(bad)} differ' if bad else proved}")


def show_verdict(verdict: Verdict, explanation: str, observation: Observation | None, *, as_json: bool) -> None:
    """The answer to ``why``; with a probe, model and packet side by side."""
    if as_json:
        packet = {"packet": _packet(observation)} if observation else {}
        _print_json(verdict.as_json() | packet)
        return
    print(explanation)
    if observation:
        packet_word = _packet(observation)
        agree = "they agree" if packet_word == str(verdict.action) else "they DIFFER"
        print(f"\nModel: {verdict.action}   packet: {packet_word}   {observation.failure or agree}")


def show_verification(report: Report, *, as_json: bool) -> None:
    """How many probes were sent, and each in which model and packet differ, with the model's trace."""
    if as_json:
        _print_json(
            {
                "probes": report.count,
                "differences": [
                    difference.verdict.as_json() | {"packet": _packet(difference.observation)}
                    for difference in report.differences
                ],
                "unproved": [{"flow": str(probe.flow), "why": probe.failure} for probe in report.unproved],
            }
        )
        return
    for difference in report.differences:
        print(f"DIFFERS: packet {_packet(difference.observation)}, model {difference.verdict}")
        for step in difference.verdict.steps:
            print(f"  {step.stage} {step.port or ''}: {step.action} by {step.group} {step.rule_id}: {step.text}")
    for probe in report.unproved:
        print(f"NO EVIDENCE: {probe.flow}: {probe.failure}")
    found = f"{len(report.differences)} differ, {len(report.unproved)} proved nothing"
    print(f"{report.count} probes: {'model and packets agree on every one' if report.ok else found}")


@contextmanager
def progress(what: str, *, quiet: bool) -> Iterator[Advance]:
    """A progress bar on standard error, where there is a terminal to show it."""
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=quiet or not console.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def show_next(world: World, lab: str) -> None:
    """What to try now that the lab is up."""
    command = sys.argv[0] if "/" in sys.argv[0] else "ringfence"
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
