"""Commands for several rules at once: all of them, or none."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from ringfence.cli.asking import Asked, command, counted
from ringfence.cli.completing import completer
from ringfence.client.paths import at
from ringfence.resources.kind import Kind

Group = Annotated[
    str, typer.Argument(metavar="GROUP", help="A group's id or name.", autocompletion=completer(Kind.GROUP))
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    command(app, "add", add, changes=True)
    command(app, "remove", remove, changes=True)


def add(
    asked: Asked,
    *,
    group: Group,
    rules: Annotated[list[str], typer.Argument(metavar="RULE…", help='Each like "in allow tcp 80 from any".')],
) -> None:
    """Add rules to a group, all or none. A rule that is there already is as good as added."""
    body = {"rules": rules}
    answer = asked.change(lambda: asked.client.post(at("groups", group, "rules"), body, asked.query))
    asked.tell(answer, f"group {group!r}: {_told(answer, 'added')}")


def remove(
    asked: Asked,
    *,
    group: Group,
    rules: Annotated[
        list[str],
        typer.Argument(metavar="ID|RULE…", help="Ids, or whole rules.", autocompletion=completer(Kind.RULE)),
    ],
) -> None:
    """Remove rules of a group by their ids, or by what they say; all or none."""
    body = {"ids": [it for it in rules if " " not in it], "rules": [it for it in rules if " " in it]}
    answer = asked.change(lambda: asked.client.post(at("groups", group, "rules", "revoke"), body, asked.query))
    asked.tell(answer, f"group {group!r}: {_told(answer, 'removed')}")


def _told(answer: Any, done: str) -> str:
    already = len(answer.get("already", ()))
    return f"{counted(len(answer[done]), 'rule')} {done}" + (f", {already} were there already" if already else "")
