"""The command ``reach``: who can reach whom in a world file, in a lab or at a server; as a table, JSON or a picture."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from ringfence.analysis.picture.frame import Caption, summary
from ringfence.analysis.picture.graph import graph
from ringfence.analysis.picture.heatmap import heatmap
from ringfence.analysis.reach.answer import ALL_THAT_MAY, Answer, Grade, Kind, Passage
from ringfence.analysis.reach.reach import Reach
from ringfence.analysis.reach.telling import answer
from ringfence.cli import output
from ringfence.cli.asking import Account, Json, Server, asking
from ringfence.cli.choosing import Where, where
from ringfence.cli.files import write
from ringfence.cli.questions import END, AsOf, Named, Over, check_place, service_asked
from ringfence.client.paths import at
from ringfence.model.service import Service
from ringfence.model.world import World
from ringfence.worldfile import read

_SHOWN = 4
"""So many ends are named on either side of a line of the table."""
_STYLES = {Grade.SOME: "", Grade.RISKY: "red", Grade.ALL: "yellow"}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(reach)


def reach(
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="A world file.", show_default=False)] = None,
    named: Named = None,
    source: Annotated[str, typer.Option("--from", metavar="END", help=f"Only from here. {END}")] = "",
    destination: Annotated[str, typer.Option("--to", metavar="END", help="Only to here. The same.")] = "",
    service: Annotated[
        str, typer.Option("--service", metavar="PROTO[/PORT]", help="Only where this passes: tcp/22, udp/53, icmp, …")
    ] = "",
    over: Annotated[Over | None, typer.Option(help="Only over this address family.")] = None,
    as_of: AsOf = None,
    svg: Annotated[Path | None, typer.Option("--svg", metavar="OUT", help="Draw it: groups, and what passes.")] = None,
    heat: Annotated[Path | None, typer.Option("--heatmap", metavar="OUT", help="Draw the matrix.")] = None,
    lab: Annotated[str | None, typer.Option("--lab", help="Ask about the lab of this name.")] = None,
    server: Server = "",
    account: Account = "",
    json: Json = False,
) -> None:
    """Say who can reach whom by which services: both ways, along the whole path, exactly.

    Ends that no rule tells apart are one class, so the answer is as long as there are different things to say, however
    many instances there are. What comes from the internet is told first, and the risky first of all; --from internet
    asks for nothing else. Traffic inside one guest is left out.

    It is asked about the world file, with no root and no kernel; without one, about the lab (--lab) or of the server
    that is named; else of the server that is known (RINGFENCE_SERVER, a login); else about the usual lab. --svg and
    --heatmap write pictures (SVG) beside the table, which --json replaces.
    """
    file = file or named
    check_place(file, server, lab, as_of)
    question = _Question(source, destination, service_asked(service) if service else None)
    place = Where() if file else where(server, lab)
    if place.server:
        found, name = _of_server(place.server, account, question, as_of)
    else:
        found, name = _of_world(file, place.lab, question)
    asked = f"{question} over {over}".lstrip() if over else str(question)
    found = found.over(over) if over else found
    for path, draw in ((svg, graph), (heat, heatmap)):
        if path:
            write(path, draw(found, Caption(name, asked)))
    if json:
        output.print_json(found.as_json())
    else:
        _show(found, asked)


@dataclass(frozen=True, slots=True)
class _Question:
    """From where, to where and by which service; empty where nothing is said."""

    source: str
    destination: str
    service: Service | None

    def __str__(self) -> str:
        words = (("from", self.source), ("to", self.destination), ("by", self.service))
        return " ".join(f"{word} {it}" for word, it in words if it)


def _of_world(file: Path | None, lab: str, question: _Question) -> tuple[Answer, str]:
    world = read(file) if file else _in_lab(lab)
    found = answer(Reach(world), question.source, question.destination, question.service)
    return found, file.name if file else f"lab {lab}"


def _in_lab(lab: str) -> World:
    from ringfence.lab.lab import Lab

    with closing(Lab.attach(lab)) as attached:
        return attached.world


def _of_server(server: str, account: str, question: _Question, as_of: int | None) -> tuple[Answer, str]:
    service = str(question.service) if question.service else None
    ends = {"source": question.source or None, "destination": question.destination or None}
    query = {**ends, "service": service, "as_of": as_of}
    with asking(server, account, {}, json=True) as asked:
        said: dict[str, Any] = asked.client.get(at("reach"), query)
    return Answer.of_json(said), f"revision {said['revision']} at {server}"


# ---- the table


def _show(found: Answer, asked: str) -> None:
    out = output.console()
    if not found.ways:
        out.print(f"nothing passes {asked}".rstrip())
        if not any(end.kind is not Kind.INTERNET for end in found.ends) and not asked:
            out.print("no instance is there that could be reached: rules alone let nobody pass to anybody")
        return
    table = output.table_of("from", "to", "family", "services", overflow="fold")
    for (sources, destinations, services, grade), families in _folded(found.ways).items():
        style = _STYLES[grade]
        table.add_row(_named(sources), _named(destinations), ", ".join(families), Text("; ".join(services), style))
    output.print_table(table, out)
    out.print(f"\n{summary(found)}")
    if any(ALL_THAT_MAY in way.short for way in found.ways):
        out.print(f"{ALL_THAT_MAY} everything but what the platform and carriers never let pass; --json tells it")


_Row = tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...], Grade]
"""From, to, services, and how risky these are."""


def _folded(ways: Iterable[Passage]) -> dict[_Row, list[str]]:
    """The families of each line of the table: what both have alike is one line."""
    lines: dict[_Row, list[str]] = {}
    for way in ways:
        lines.setdefault((way.sources, way.destinations, way.short, way.grade), []).append(way.family)
    return lines


def _named(names: tuple[str, ...]) -> str:
    more = [f"{len(names) - _SHOWN} more"] * (len(names) > _SHOWN)
    return ", ".join([*names[:_SHOWN], *more])
