"""What is used of each limit."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from ringfence.cli import showing
from ringfence.cli.asking import Asked, command
from ringfence.client.paths import at


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "usage", usage)


def usage(
    asked: Asked,
    *,
    fullest: Annotated[
        int | None, typer.Option("--fullest", metavar="N", help="So many of the fullest groups, ports, … of a limit.")
    ] = None,
) -> None:
    """Show each limit: what is used, what is allowed, and who says so."""
    answer = asked.client.get(at("quotas", "usage"), {"fullest": fullest})
    if asked.json:
        asked.show_json(answer)
    else:
        showing.show_table(("limit", "of", "used", "allowed", "source"), [_row(it) for it in answer["items"]])


def _row(item: dict[str, Any]) -> dict[str, Any]:
    of = item["of"]
    return item | {"of": f"{of['kind']} {of['id']}" if of else "the account"}
