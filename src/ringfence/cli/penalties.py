"""A command for penalties: people know whom one hits, not its id."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from ringfence.cli.asking import Asked, command, counted
from ringfence.client.paths import at
from ringfence.errors import InvalidInput


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "lift", lift, changes=True)


def lift(
    asked: Asked, *, target: Annotated[str, typer.Argument(metavar="INSTANCE|PORT", help="Whom it has cut off.")]
) -> None:
    """Lift the penalty of an instance or of one port."""
    found = [each for each in asked.client.pages(at("penalties")) if target in _hit(each)]
    if not found:
        raise InvalidInput(f"{target!r} has no penalty; see ringfence penalty list")
    for path in (at("penalties", each["id"]) for each in found):
        answer = asked.change(partial(asked.client.delete, path, query=asked.query))
    asked.tell(answer, f"{counted(len(found), 'penalty').replace('ys', 'ies')} of {target!r} lifted")


def _hit(told: dict[str, str]) -> tuple[str, ...]:
    return told["instance"], told["port"]
