"""The command ``check``: whether every expect line of a world file holds by the model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ringfence.cli import outcomes
from ringfence.cli.asking import Json
from ringfence.lab.outcome import Row
from ringfence.policy.evaluate import Policy
from ringfence.worldfile import read

WorldFile = Annotated[Path, typer.Argument(metavar="FILE", help="A world file.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(check)


def check(file: WorldFile, json: Json = False) -> None:
    """Judge a world file by the model alone.

    No root, no kernel. Exit code 0 if every expect line holds, 1 if one does not.
    """
    world = read(file)
    policy = Policy(world)
    rows = [Row(expectation, policy.evaluate(world.flow(expectation.query)), None) for expectation in world.expects]
    outcomes.show_rows(rows, packets=False, as_json=json)
    raise typer.Exit(outcomes.exit_code(rows))
