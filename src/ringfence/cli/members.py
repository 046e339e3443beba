"""Commands for groups: who is in them, their clones, and their rules as files."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from ringfence.cli import showing
from ringfence.cli.asking import Asked, command, counted
from ringfence.cli.completing import completer
from ringfence.cli.output import writing
from ringfence.cli.rules import Group
from ringfence.client.paths import at
from ringfence.errors import InvalidInput
from ringfence.resources.kind import Kind

Members = Annotated[
    list[str],
    typer.Argument(
        metavar="INSTANCE|PORT…",
        help="Ports, or instances for their primary ports.",
        autocompletion=completer(Kind.INSTANCE),
    ),
]


class Format(StrEnum):
    """The kinds of files of rules."""

    JSON = "json"
    CSV = "csv"
    XLSX = "xlsx"


FormatOption = Annotated[Format | None, typer.Option("--format", help="Else as the file's name ends.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    command(app, "members", members)
    for name, work in (("join", join), ("leave", leave), ("clone", clone), ("import-rules", import_rules)):
        command(app, name, work, changes=True)
    command(app, "export-rules", export_rules)


def members(asked: Asked, *, group: Group) -> None:
    """List the ports in a group."""
    items = list(asked.client.pages(at("groups", group, "members")))
    if asked.json:
        asked.show_json({"items": items})
    else:
        showing.show_items(Kind.PORT, items)


def join(asked: Asked, *, group: Group, members: Members) -> None:
    """Let ports join a group, all or none."""
    answer = asked.change(lambda: asked.client.post(at("groups", group, "members"), {"members": members}, asked.query))
    already = len(answer["already"])
    more = f", {already} were in it already" if already else ""
    asked.tell(answer, f"group {group!r}: {counted(len(answer['added']), 'port')} joined{more}")


def leave(asked: Asked, *, group: Group, members: Members) -> None:
    """Let ports leave a group, all or none."""
    path = at("groups", group, "members", "leave")
    answer = asked.change(lambda: asked.client.post(path, {"members": members}, asked.query))
    asked.tell(answer, f"group {group!r}: {counted(len(answer['removed']), 'port')} left")


def clone(
    asked: Asked,
    *,
    group: Group,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What to call the clone.")],
    vpc: Annotated[str | None, typer.Option("--vpc", metavar="VPC", help="Else the group's own.")] = None,
    type_: Annotated[str | None, typer.Option("--type", metavar="basic|advanced", help="Else the group's own.")] = None,
    description: Annotated[str | None, typer.Option("--description", metavar="TEXT", help="Words for people.")] = None,
    copy_tags: Annotated[bool, typer.Option("--copy-tags", help="With its tags.")] = False,
    skip: Annotated[bool, typer.Option("--skip", help="Leave out rules that cannot stand in the clone.")] = False,
) -> None:
    """Make a group with the rules of another: in another VPC, or of the other type."""
    said = {"name": name, "vpc": vpc, "type": type_, "description": description, "copy_tags": copy_tags, "skip": skip}
    body = {key: value for key, value in said.items() if value not in (None, False)}
    answer = asked.change(lambda: asked.client.post(at("groups", group, "clone"), body, asked.query))
    if not asked.json:
        for each in answer["skipped"]:
            print(f"left out {each['rule']}: {each['reason']} [{each['code']}]", file=sys.stderr)
    asked.tell(answer, f"group {answer['item']['id']!r} made with {counted(len(answer['rules']), 'rule')}")


def export_rules(
    asked: Asked,
    *,
    group: Group,
    format_: FormatOption = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE", help="Else the output.")] = None,
) -> None:
    """Write the rules of a group to a file: JSON, CSV or XLSX."""
    form = format_ or _format_of(output) or Format.JSON
    if form is Format.XLSX and output is None and sys.stdout.isatty():
        raise InvalidInput("a spreadsheet does not print on a terminal; name a file with -o")
    content = asked.client.get_bytes(at("groups", group, "rules", "export"), {"format": form.value})
    deliver(content, output)


def import_rules(
    asked: Asked,
    *,
    group: Group,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="JSON, CSV or XLSX.")],
    format_: FormatOption = None,
    preview: Annotated[bool, typer.Option("--preview", help="Name each row that fails, and change nothing.")] = False,
    opposites: Annotated[
        bool, typer.Option("--opposites", help="Take rows that say the opposite of other rules.")
    ] = False,
) -> None:
    """Add the rules of a file to a group, all or none. Exit code 1 if the preview names a row that fails."""
    form = format_ or _format_of(file)
    if form is None:
        raise InvalidInput(f"the name of {file} does not say what it is; give --format json, csv or xlsx")
    query = asked.query | {"format": form.value, "preview": preview, "opposites": opposites}
    content, path = read_bytes(file), at("groups", group, "rules", "import")
    kind = {"content-type": "application/octet-stream"}
    with asked.working("importing"):
        answer = asked.client.post(path, content, query, kind)
    failing = [row for row in answer["rows"] if row["problems"]]
    if preview and not asked.json:
        _show_rows(answer["rows"])
    if failing and not asked.json:
        print(f"{len(failing)} of {counted(len(answer['rows']), 'row')} cannot be imported; nothing was changed")
    else:
        asked.tell(answer, f"group {group!r}: {counted(len(answer['added']), 'rule')} added")
    raise typer.Exit(1 if failing else 0)


def _show_rows(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        if row["problems"]:
            for each in row["problems"]:
                field = f"{each['field']}: " if each["field"] else ""
                print(f"row {row['row']}: {field}{each['what']}; {each['right']} [{each['code']}]")
        else:
            print(f"row {row['row']}: {row['rule']}")


def _format_of(file: Path | None) -> Format | None:
    ending = file.suffix.removeprefix(".").lower() if file else ""
    return Format(ending) if ending in set(Format) else None


def deliver(content: bytes, output: Path | None) -> None:
    """Write what was asked for to a file, or print it. Raises `InvalidInput`."""
    if output is None:
        sys.stdout.buffer.write(content)
        return
    with writing(output):
        output.write_bytes(content)


def read_bytes(file: Path) -> bytes:
    """What a file holds, or the input for ``-``; raises `InvalidInput`."""
    try:
        return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise InvalidInput(f"{file} cannot be read: {error.strerror}; name a file that can") from None
