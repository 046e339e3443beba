"""The command ``lint``: what an expert would say of a world file, a lab or what an account has on a server."""

from __future__ import annotations

import json as json_
import os
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import version
from itertools import groupby
from pathlib import Path
from typing import Annotated, cast
from urllib.parse import quote

import typer
from rich.table import Table
from rich.text import Text

from ringfence import worldfile
from ringfence.analysis.lint.finding import Finding, Severity
from ringfence.analysis.lint.fixing import fixed_throughout
from ringfence.analysis.lint.registry import lint as lint_world
from ringfence.analysis.lint.report import Told, accepted, baseline, sarif
from ringfence.analysis.lint.subject import Hits
from ringfence.cli import output
from ringfence.cli.asking import Account, Json, Server, asking, counted
from ringfence.cli.choosing import where
from ringfence.cli.files import changes, write
from ringfence.cli.questions import AsOf, Named, check_place
from ringfence.client.paths import at
from ringfence.errors import InvalidInput
from ringfence.model.world import World

_COLOURS = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}


class Threshold(StrEnum):
    """The least grave findings that count."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(lint)


@dataclass(frozen=True)
class _Options:
    """What counts, and where it is written."""

    threshold: Severity
    baseline: Path | None
    write_baseline: bool
    sarif: Path | None
    json: bool


def lint(
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="A world file.", show_default=False)] = None,
    named: Named = None,
    lab: Annotated[str | None, typer.Option("--lab", help="Look at the lab of this name, and what runs in it.")] = None,
    severity: Annotated[Threshold, typer.Option("--severity", help="Leave out what is less grave.")] = Threshold.NOTE,
    against: Annotated[
        Path | None, typer.Option("--against", metavar="OLD", help="A world file from before: who is locked out since?")
    ] = None,
    baseline: Annotated[
        Path | None, typer.Option("--baseline", metavar="LIST", help="Leave out the findings accepted in this file.")
    ] = None,
    write_baseline: Annotated[
        bool, typer.Option("--write-baseline", help="Accept all that is found: write it to the --baseline file.")
    ] = False,
    fix: Annotated[
        bool, typer.Option("--fix", help="Write the world file without what may go. No packet is judged otherwise.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="With --fix: print the difference, write nothing.")
    ] = False,
    sarif: Annotated[
        Path | None, typer.Option("--sarif", metavar="OUT", help="Write SARIF 2.1.0 too, for code review.")
    ] = None,
    server: Server = "",
    account: Account = "",
    as_of: AsOf = None,
    json: Json = False,
) -> None:
    """Say what is risky, needless, contradictory, unused or without effect, where, why, and what to do.

    Of a world file, without root or kernel; of a lab (--lab) also what listens there and which rules nothing has hit;
    else of the server, where one is known. docs/lint.md tells of every check. Exit code 0 if there is nothing to say, 1
    if there is, 2 for bad input.
    """
    file = file or named
    check_place(file, server, lab, as_of)
    options = _Options(Severity[severity.name], baseline, write_baseline, sarif, json)
    if file is None and (fix or against):
        raise InvalidInput("--fix and --against are for a world file; name one")
    if dry_run and not fix:
        raise InvalidInput("--dry-run is for --fix; give both")
    if write_baseline and not baseline:
        raise InvalidInput("--write-baseline writes the file of --baseline; name it")
    known = _accepted(baseline) if baseline and not write_baseline else frozenset()
    if fix:
        raise typer.Exit(_fix(cast("Path", file), against, known, options, dry=dry_run))
    raise typer.Exit(_tell(_told(file, lab, against, server, account, as_of), known, options, str(file or "")))


def _told(
    file: Path | None, lab: str | None, against: Path | None, server: str, account: str, as_of: int | None
) -> list[Told]:
    if file is not None:
        placed = worldfile.parse_placed(worldfile.read_text(file), str(file))
        return [Told.of(it, placed.line) for it in lint_world(placed.world, before=_before(against))]
    place = where(server, lab)
    if place.lab:
        return _of_lab(place.lab)
    with asking(place.server, account, {}, json=False) as asked:
        return [Told(**it) for it in asked.client.get(at("lint"), {"as_of": as_of})["findings"]]


def _before(against: Path | None) -> World | None:
    return worldfile.read(against) if against else None


def _of_lab(name: str) -> list[Told]:
    from ringfence.lab.guest import served
    from ringfence.lab.lab import Lab

    with closing(Lab.attach(name)) as lab:
        world, packets = lab.world, dict[str, int]()
        for vpc in world.vpcs:
            for rule_id, (number, _) in lab.driver(vpc).counters().items():
                packets[rule_id] = packets.get(rule_id, 0) + number
        since = lab.names.world.stat().st_mtime  # the policy is as it is since then, and was counted before that too
        return [Told.of(it) for it in lint_world(world, hits=Hits(packets, time.time() - since), listening=served(lab))]


# ---- accepted findings


def _accepted(path: Path) -> frozenset[str]:
    if not path.exists():
        raise InvalidInput(f"{path} is not there; make it with --write-baseline")
    try:
        found = accepted(json_.loads(worldfile.read_text(path)))
    except ValueError:
        found = None
    if found is None:
        raise InvalidInput(f"{path} is no list of accepted findings; make one with --write-baseline")
    return found


# ---- telling


def _tell(told: Sequence[Told], known: frozenset[str], options: _Options, source: str) -> int:
    """Print and write what is found; gives the exit code."""
    counting = [it for it in told if it.gravity.reaches(options.threshold)]
    new = [it for it in counting if it.fingerprint not in known]
    old = [it for it in counting if it.fingerprint in known]
    if options.sarif:
        _write(options.sarif, sarif(new, old, version("ringfence"), _uri(source)))
    if options.write_baseline and options.baseline:
        _write(options.baseline, baseline(counting))
        print(f"{counted(len(counting), 'finding')} accepted in {options.baseline}", file=sys.stderr)
        return 0
    if options.json:
        output.print_json({"findings": [it.as_json() for it in new], "accepted": len(old)})
    else:
        _show(new, len(old), source)
    return 1 if new else 0


def _uri(source: str) -> str:
    """A file as code review knows it: from the directory that the command runs in, where it is below."""
    if not source:
        return ""
    path = Path(os.path.relpath(source))
    return quote(path.as_posix()) if ".." not in path.parts else Path(source).resolve().as_uri()


def _write(path: Path, content: object) -> None:
    write(path, json_.dumps(content, indent=2, ensure_ascii=False) + "\n")


def _show(told: Sequence[Told], old: int, source: str) -> None:
    out = output.console()
    headings: list[str] = []
    for severity, group in groupby(told, key=lambda it: it.gravity):
        rows = list(group)
        if headings:
            out.print()
        headings.append(counted(len(rows), severity.word))
        out.print(Text(headings[-1], style=_COLOURS[severity]))
        output.print_table(_table(rows), out)
    total = _sum(told, old, source)
    if total not in headings:  # it says more than the one heading does
        out.print(f"\n{total}" if headings else total)


def _table(rows: Iterable[Told]) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    for ratio in (None, 3, 6):
        table.add_column(ratio=ratio, overflow="fold", justify="right" if ratio is None else "left")
    for it in rows:
        why = Text(it.reason)
        why.append(f"\nfix: {it.fix}{' (--fix does)' if it.fixable else ''}", style="dim")
        place = Text(it.place)
        place.append(f"\n{it.check}", style="bold")
        table.add_row(f"line {it.line}" if it.line else "", place, why)
    return table


def _sum(told: Sequence[Told], old: int, source: str) -> str:
    numbers = {severity: sum(it.gravity is severity for it in told) for severity in Severity}
    parts = [counted(number, severity.word) for severity, number in numbers.items() if number]
    text = ", ".join(parts) or "nothing to say"
    if source and (fixable := sum(it.fixable for it in told)):
        text += f"; {fixable} can go by --fix"
    return text + (f"; {old} accepted" if old else "")


# ---- fixing


def _fix(file: Path, against: Path | None, known: frozenset[str], options: _Options, *, dry: bool) -> int:
    """Write the file without what may go, and tell what is left; gives the exit code."""
    text = worldfile.read_text(file)
    placed = worldfile.parse_placed(text, str(file))

    def chosen(finding: Finding) -> bool:
        return finding.severity.reaches(options.threshold) and finding.fingerprint not in known

    after, gone = fixed_throughout(placed.world, chosen)
    written = worldfile.amended(text, placed.world, after) if gone else text
    if dry:
        print(changes(str(file), text, written), end="")
        return 1 if gone else 0
    if gone:
        worldfile.replace_text(file, text, written)
        print(f"{file}: {counted(len(gone), 'finding')} fixed; every flow fares as before", file=sys.stderr)
    left = worldfile.parse_placed(written, str(file))
    found = [Told.of(it, left.line) for it in lint_world(left.world, before=_before(against))]
    return _tell(found, known, options, str(file))
