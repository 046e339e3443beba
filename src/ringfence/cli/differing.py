"""The command ``diff``: what is between two worlds, wherever they are kept."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringfence.analysis.difference.difference import difference
from ringfence.cli import output
from ringfence.cli.asking import Account, Json, Server, asking
from ringfence.cli.changes import show_cuts
from ringfence.cli.choosing import where
from ringfence.cli.plans import show_reached
from ringfence.client.paths import at
from ringfence.errors import InvalidInput
from ringfence.worldfile import parse, read

if TYPE_CHECKING:
    from ringfence.model.world import World
    from ringfence.policy.live import Cut

_LAB = "lab:"
_WORLD = "A world file; @N is revision N of the server and @now the newest; lab:NAME is a lab that is up."


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(diff)


def diff(
    old: Annotated[str, typer.Argument(metavar="OLD", help=_WORLD)],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The same.")],
    server: Server = "",
    account: Account = "",
    json: Json = False,
) -> None:
    r"""Say what NEW allows that OLD denies, and the other way round: exactly, with a packet for example each.

    Ends that no rule of either world tells apart are told together. Traffic inside one guest is left out. Exit code 0
    if everybody reaches whom they did, 1 if not.

    \b
    Examples:
      ringfence diff before.yaml after.yaml
      ringfence diff @41 @now --server https://fence.example.net
      ringfence diff @now shop.yaml
      ringfence diff lab:lab shop.yaml --json
    """
    before, after = (_world(name, server, account) for name in (old, new))
    found = difference(before, after)
    cuts = _living(old, after)
    if json:
        output.print_json(found.as_json() | ({} if cuts is None else {"living": [cut.as_json() for cut in cuts]}))
    else:
        if not found:
            print("nothing changes in who reaches whom")
        show_reached(found.as_json())
        if cuts is not None:
            show_cuts(cuts, "it would cut")
    raise typer.Exit(1 if found else 0)


def _living(old: str, after: World) -> list[Cut] | None:
    """The connections of a lab that are there and would be cut; None of what is no lab, as nobody can look."""
    if not old.startswith(_LAB):
        return None
    from ringfence.lab.lab import Lab

    with closing(Lab.attach(old.removeprefix(_LAB))) as attached:
        return attached.preview(after)


def _world(name: str, server: str, account: str) -> World:
    if name.startswith("@"):
        return _of_server(name.removeprefix("@"), server, account)
    if name.startswith(_LAB):
        from ringfence.lab.lab import Lab

        with closing(Lab.attach(name.removeprefix(_LAB))) as attached:
            return attached.world
    return read(Path(name))


def _of_server(revision: str, server: str, account: str) -> World:
    if revision != "now" and not (revision.isascii() and revision.isdigit()):
        raise InvalidInput(f"@{revision} is no revision; write @ and its number, like @42, or @now")
    place = where(server, None)
    if not place.server:
        raise InvalidInput(f"@{revision} is of a server; name it by --server, RINGFENCE_SERVER, or log in")
    query: dict[str, Any] = {} if revision == "now" else {"as_of": int(revision)}
    with asking(place.server, account, {}, json=False) as asked:
        content = asked.client.get_bytes(at("world"), query | {"format": "yaml"})
    return parse(content.decode(), f"@{revision}")
