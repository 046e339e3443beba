"""The command ``reach``: who can reach whom in a world file, exactly."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import typer
from rich.table import Table

from ringfence.analysis.reach.reach import Reach, Way
from ringfence.cli import output
from ringfence.cli.asking import Json
from ringfence.cli.judging import WorldFile
from ringfence.model.service import Service
from ringfence.worldfile import read

_END = "An instance, instance.port, virtual IP, outside host, address or security group; internet is all outside."


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(reach)


def reach(
    file: WorldFile,
    source: Annotated[str, typer.Option("--from", metavar="END", help=f"Only from here. {_END}")] = "",
    destination: Annotated[str, typer.Option("--to", metavar="END", help="Only to here. The same.")] = "",
    service: Annotated[
        str, typer.Option("--service", metavar="PROTO[/PORT]", help="Only where this passes: tcp/22, udp/53, icmp, …")
    ] = "",
    json: Json = False,
) -> None:
    """Say who can reach whom by which services: both ways, along the whole path, exactly.

    Ends that no rule tells apart are one class, so the answer is as long as there are different things to say, however
    many instances there are. Traffic inside one guest is left out. No root, no kernel.
    """
    world = read(file)
    asked = Service.parse(service) if service else None
    reach = Reach(world)
    ways = reach.ways(reach.named(source) if source else None, reach.named(destination) if destination else None, asked)
    if json:
        output.print_json({"ways": [_json(way) for way in ways]})
    else:
        _show(ways)


def _json(way: Way) -> dict[str, object]:
    ends = {name: [str(each) for each in side] for name, side in (("from", way.sources), ("to", way.destinations))}
    return {**ends, "family": str(way.services.family), "services": list(way.services.lines)}


def _show(ways: Iterable[Way]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("from", "to", "family", "services"):
        table.add_column(heading, overflow="fold")
    for way in ways:
        table.add_row(str(way.sources), str(way.destinations), str(way.services.family), str(way.services))
    out = output.console()
    if table.row_count:
        out.print(table)
    else:
        out.print("nothing passes")
