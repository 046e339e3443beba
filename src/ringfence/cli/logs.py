"""The commands that tell what packets did: ``ringfence hits``, ``drops`` and ``flows``."""

from __future__ import annotations

import json as jsonlib
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from ringfence.analysis.records.flowlog import FlowRecord, alibaba, huawei
from ringfence.analysis.records.hits import RuleHits, rule_hits
from ringfence.errors import CannotRun, UnknownName
from ringfence.lab.drops import Drops, Line, Skipped, ensure_recorder, is_recorded
from ringfence.lab.flowlog import FlowLog
from ringfence.lab.lab import Lab
from ringfence.lab.names import DEFAULT_LAB
from ringfence.model.world import World, nearest

LabName = Annotated[str, typer.Option("--lab", help="Which lab; several can stand side by side.")]
Json = Annotated[bool, typer.Option("--json", help="For programs.")]
Follow = Annotated[bool, typer.Option("--follow", "-f", help="Go on until interrupted.")]

_WINDOW = 600.0  # seconds: what both clouds have where nothing else is asked for


class Format(StrEnum):
    """The field order of flow records."""

    HUAWEI = "huawei"
    ALIBABA = "alibaba"
    JSON = "json"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (hits, drops, flows):
        app.command()(command)


def hits(
    owner: Annotated[str, typer.Argument(metavar="GROUP", help="Only of this group, ACL or firewall.")] = "",
    lab: LabName = DEFAULT_LAB,
    json: Json = False,
) -> None:
    """Say what each rule has matched.

    Packets and bytes since the lab is up, also across changes of the policy, and rules that nothing has matched. Only
    the first packet of a connection comes to a rule; of UDP all until there is an answer.
    """
    with closing(Lab.attach(lab)) as attached:
        world = attached.world
        counted = [attached.driver(vpc).counters() for vpc in world.vpcs]
    rows = rule_hits(world, counted)
    owners = {row.owner for row in rows}
    if owner and owner not in owners:
        raise UnknownName(f"no group, ACL or firewall {owner!r} has rules", nearest(owner, owners - {""}))
    rows = [row for row in rows if not owner or row.owner == owner]
    if json:
        print(jsonlib.dumps([row.as_json() for row in rows], indent=2, ensure_ascii=False))
    else:
        _show_hits(rows)


def _show_hits(rows: list[RuleHits]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading, side in (("group", "left"), ("rule", "left"), ("packets", "right"), ("bytes", "right"), ("", "left")):
        table.add_column(heading, justify="right" if side == "right" else "left")
    for row in rows:
        style = "" if row.packets else "dim"
        table.add_row(row.owner, row.rule_id, str(row.packets), str(row.bytes), row.text, style=style)
    _console().print(table)


def _console() -> Console:
    # A description may hold brackets and colons: it is text, never markup.
    return Console(highlight=False, markup=False, emoji=False, width=None if sys.stdout.isatty() else 200)


def drops(
    last: Annotated[int, typer.Option("--last", "-n", min=0, help="So many of those that are there already.")] = 50,
    follow: Follow = False,
    lab: LabName = DEFAULT_LAB,
    json: Json = False,
) -> None:
    """Say which packets were dropped, and by which rule.

    The port, the stage, the group and the rule, as `ringfence why` would name them for such a packet; or that it was of
    no connection, or not from its sender's own address. At most 50 a second in a VPC are recorded, the rest is counted.
    With --json one object a line.
    """
    names = Lab.attach(lab).names
    if ensure_recorder(names):
        print(f"ringfence: drops of lab {lab!r} are recorded from now on", file=sys.stderr)
    with closing(Drops(names)) as found, suppress(KeyboardInterrupt):
        told = found.new()
        for line in told[max(len(told) - last, 0) :]:
            _show_drop(line, json)
        if follow:
            print("ringfence: following; Ctrl-C ends it", file=sys.stderr)
        while follow:
            time.sleep(0.1)
            still = is_recorded(names)
            for line in found.new():
                _show_drop(line, json)
            if not still:
                raise CannotRun(f"drops of lab {lab!r} are not recorded any more")


def _show_drop(line: Line, json: bool) -> None:
    if json:
        print(jsonlib.dumps(line.as_json(), ensure_ascii=False), flush=True)
        return
    moment = time.strftime("%H:%M:%S", time.localtime(line.time))
    where = "" if isinstance(line, Skipped) or not line.port else f" {line.port} {line.direction}"
    print(f"{moment} {line.vpc}{where}  {line}", flush=True)


def flows(
    form: Annotated[Format, typer.Option("--format", help="The order of the fields.")] = Format.HUAWEI,
    window: Annotated[float, typer.Option(min=0.1, help="Seconds that one record may sum up.")] = _WINDOW,
    follow: Follow = False,
    lab: LabName = DEFAULT_LAB,
) -> None:
    """Log what the ports carry and drop.

    From now until the window is over, or Ctrl-C ends it. A record for each flow at each port and direction, in the
    field order of a cloud, with the rule, its group and its stage behind; one with NODATA where there was nothing.
    """
    with closing(FlowLog(Lab.attach(lab).names)) as log:
        print(f"ringfence: logging for {window:g} s; Ctrl-C ends the window", file=sys.stderr)
        while True:
            started = time.monotonic()
            for record in log.window(window):
                print(_WRITERS[form](record, log.world), flush=True)
            if not follow or time.monotonic() < started + window:
                break


def _json(record: FlowRecord, _: World) -> str:
    return jsonlib.dumps(record.as_json(), ensure_ascii=False)


_WRITERS: Mapping[Format, Callable[[FlowRecord, World], str]] = {
    Format.HUAWEI: huawei,
    Format.ALIBABA: alibaba,
    Format.JSON: _json,
}
