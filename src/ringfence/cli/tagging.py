"""The commands ``tag``, ``untag`` and ``tags``."""

from __future__ import annotations

from typing import Annotated

import typer

from ringfence.cli import showing
from ringfence.cli.asking import Asked, command
from ringfence.client.paths import at
from ringfence.errors import InvalidInput
from ringfence.resources.forms import FORMS
from ringfence.resources.kind import Kind

_WORDS = {kind.value.replace("_", "-"): kind for kind in Kind}
Noun = Annotated[
    str,
    typer.Argument(
        metavar="KIND",
        help="group, instance, port, …",
        autocompletion=lambda incomplete: [word for word in _WORDS if word.startswith(incomplete)],
    ),
]
Ref = Annotated[str, typer.Argument(metavar="REF", help="Its id or name.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    command(app, "tag", tag, changes=True)
    command(app, "untag", untag, changes=True)
    command(app, "tags", tags)


def tag(
    asked: Asked, *, noun: Noun, ref: Ref, tags: Annotated[list[str], typer.Argument(metavar="KEY=VALUE…")]
) -> None:
    """Set tags of a resource; its others stay."""
    pairs = {key: value for key, _, value in (each.partition("=") for each in tags)}
    path = at(_plural(noun), ref, "tags")
    answer = asked.change(lambda: asked.client.put(path, {"tags": pairs}, asked.query))
    asked.tell(answer, f"{noun} {answer['item']['id']!r} tagged: {showing.cell(answer['item']['tags'])}")


def untag(
    asked: Asked,
    *,
    noun: Noun,
    ref: Ref,
    keys: Annotated[list[str] | None, typer.Argument(metavar="KEY…")] = None,
    every: Annotated[bool, typer.Option("--all", help="All its tags.")] = False,
) -> None:
    """Take tags of a resource away, by their keys."""
    if bool(keys) is every:
        raise InvalidInput("say which tags to take away; give their keys, or --all")
    path, query = at(_plural(noun), ref, "tags"), asked.query | {"key": keys or None}
    answer = asked.change(lambda: asked.client.delete(path, query=query))
    asked.tell(answer, f"{noun} {answer['item']['id']!r} untagged")


def tags(asked: Asked) -> None:
    """List the tags of all resources."""
    items = list(asked.client.pages(at("tags")))
    if asked.json:
        asked.show_json({"items": items})
    else:
        showing.show_table(("tag", "resources"), items)


def _plural(noun: str) -> str:
    if noun not in _WORDS:
        raise InvalidInput(f"there is no kind {noun!r}; use {', '.join(_WORDS)}")
    return FORMS[_WORDS[noun]].plural
