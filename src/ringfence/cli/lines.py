"""Commands for what resources list, one by one: lines of ACLs and firewalls, and entries of lists of addresses."""

from __future__ import annotations

from typing import Annotated

import typer

from ringfence.cli.asking import Asked, command, counted
from ringfence.client.paths import at
from ringfence.resources.forms import FORMS
from ringfence.resources.kind import Kind

LISTS = {Kind.ACL: "rules", Kind.VPC: "border", Kind.PEERING: "firewall"}
"""The kinds that have lines, and what their routes call them."""
Ref = Annotated[str, typer.Argument(metavar="REF", help="Its id or name.")]
_LINE = "The id of a line, or its position from 1."
Before = Annotated[str | None, typer.Option("--before", metavar="LINE", help=f"{_LINE} Else it is the last.")]


def register(app: typer.Typer, kind: Kind) -> None:
    """Add the commands for the lines of a kind."""

    def add_line(
        asked: Asked,
        *,
        ref: Ref,
        line: Annotated[
            str, typer.Argument(metavar="LINE", help='Like "in allow tcp 80 from any to any"; on a peering without in.')
        ],
        before: Annotated[
            str | None, typer.Option("--before", metavar="LINE", help=f"{_LINE} Else behind all.")
        ] = None,
    ) -> None:
        """Add a line: the first that matches decides."""
        body = {"rule": line} | ({"before": before} if before else {})
        path = at(FORMS[kind].plural, ref, LISTS[kind])
        answer = asked.change(lambda: asked.client.post(path, body, asked.query))
        asked.tell(answer, f"{kind.words} {ref!r}: 1 line added, {counted(len(answer['lines']), 'line')} now")

    def remove_line(
        asked: Asked, *, ref: Ref, line: Annotated[str, typer.Argument(metavar="LINE", help=_LINE)]
    ) -> None:
        """Remove a line."""
        path = at(FORMS[kind].plural, ref, LISTS[kind], line)
        answer = asked.change(lambda: asked.client.delete(path, query=asked.query))
        asked.tell(answer, f"{kind.words} {ref!r}: 1 line removed, {counted(len(answer['lines']), 'line')} left")

    command(app, "add-line", add_line, changes=True)
    command(app, "remove-line", remove_line, changes=True)


def register_entries(app: typer.Typer) -> None:
    """Add the commands for the entries of address groups."""
    command(app, "add-entry", add_entry, changes=True)
    command(app, "remove-entry", remove_entry, changes=True)


Entries = Annotated[list[str], typer.Argument(metavar="ENTRY…", help="Addresses, prefixes or ranges.")]


def add_entry(asked: Asked, *, ref: Ref, entries: Entries) -> None:
    """Add entries, all or none; every rule that names the address group follows."""
    _edit(asked, ref, "added", {"add": entries})


def remove_entry(asked: Asked, *, ref: Ref, entries: Entries) -> None:
    """Remove entries, all or none; every rule that names the address group follows."""
    _edit(asked, ref, "removed", {"remove": entries})


def _edit(asked: Asked, ref: str, done: str, body: dict[str, list[str]]) -> None:
    path = at(FORMS[Kind.ADDRESS_GROUP].plural, ref, "entries")
    answer = asked.change(lambda: asked.client.post(path, body, asked.query))
    number = len(answer[done])
    asked.tell(answer, f"address group {ref!r}: {number} {'entry' if number == 1 else 'entries'} {done}")
