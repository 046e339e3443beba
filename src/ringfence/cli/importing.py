"""The command ``import``: a world file of what a cloud or a tool prints, and a report of what is not in it."""

from __future__ import annotations

import json as json_
import sys
from pathlib import Path
from typing import Annotated, TextIO

import typer

from ringfence.cli.files import read_bytes, write
from ringfence.importing import Cloud, FileKind, Imported, decoded, import_files
from ringfence.worldfile import dump

Files = Annotated[list[Path], typer.Argument(metavar="FILE", help="Their JSON; several together are one world.")]
WhatKind = Annotated[FileKind | None, typer.Option("--kind", help="What the files are, where they do not show it.")]
WhichCloud = Annotated[Cloud | None, typer.Option("--cloud", help="Whose resources, if a state has those of several.")]
Output = Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Else the world is printed.")]
Lenient = Annotated[bool, typer.Option("--lenient", help="Tell fields that are not known, instead of refusing.")]
Json = Annotated[bool, typer.Option("--json", help="The report for programs.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("import")(import_)


def import_(
    files: Files,
    kind: WhatKind = None,
    cloud: WhichCloud = None,
    output: Output = None,
    lenient: Lenient = False,
    json: Json = False,
) -> None:
    """Make a world file of what you have: AWS, Alibaba Cloud, Huawei Cloud, OpenStack, Terraform's state.

    No root, no server. The report goes to standard error; with --json and -o to standard output.

    ringfence import groups.json instances.json subnets.json -o world.yaml
    """
    made = import_files([decoded(str(path), read_bytes(path)) for path in files], kind, cloud, lenient=lenient)
    text = dump(made.world)
    if output:
        write(output, text)
    _tell(made, json, sys.stdout if output and json else sys.stderr)
    if not output:
        print(text, end="")


def _tell(made: Imported, as_json: bool, file: TextIO) -> None:
    report = made.report
    lines = [json_.dumps(report.as_json(), indent=2, ensure_ascii=False)] if as_json else report.lines()
    print(*lines, *([] if as_json else [report.summary()]), sep="\n", file=file)
