"""The commands ``plan``, ``apply`` and ``export``: a world file against a server, or against a lab."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringfence.cli.asking import (
    Account,
    Asked,
    Command,
    DryRun,
    IfRevision,
    Json,
    Server,
    Wait,
    WaitSeconds,
    asking,
    command,
    query_of,
)
from ringfence.cli.choosing import where
from ringfence.cli.confirming import seconds_of, settle
from ringfence.cli.files import deliver, read_bytes
from ringfence.cli.plans import show_plan, summary
from ringfence.client.paths import at
from ringfence.errors import InvalidInput, Refused, WorldFileError

if TYPE_CHECKING:
    from collections.abc import Iterator

File = Annotated[Path, typer.Argument(metavar="FILE", help="A world file.")]
_YAML = {"content-type": "text/yaml"}


def register(app: typer.Typer) -> None:
    """Add the commands."""
    command(app, "plan", plan)
    app.command(cls=Command)(apply)
    command(app, "export", export)


def plan(asked: Asked, *, file: File) -> None:
    r"""Say what applying a world file to a server would change.

    In resources, in who reaches whom, and in the expect lines of the file. Nothing is changed. Exit code 1 if an
    expectation would not hold.

    \b
    Examples:
      ringfence plan shop.yaml
      ringfence plan shop.yaml --json
    """
    told = _plan(asked, file)
    if asked.json:
        asked.show_json(told)
    else:
        show_plan(told)
    raise typer.Exit(1 if told["expectations"] else 0)


def _plan(asked: Asked, file: Path) -> dict[str, Any]:
    with _named(file), asked.working("comparing"):
        found: dict[str, Any] = asked.client.post(at("plan"), read_bytes(file), headers=_YAML)
    return found


@contextmanager
def _named(file: Path) -> Iterator[None]:
    """Mistakes of a file are told with its name."""
    try:
        yield
    except WorldFileError as error:
        raise WorldFileError(str(file), error.mistakes) from None


def apply(
    file: File,
    lab: Annotated[str | None, typer.Option("--lab", help="Change the lab of this name.")] = None,
    confirm: Annotated[
        str, typer.Option("--confirm", metavar="SECONDS", help="Take it back after so long unless it is confirmed.")
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before something is deleted.")] = False,
    override: Annotated[
        str,
        typer.Option(
            "--override-expectations",
            metavar="REASON",
            help="Also where expect lines of the file would not hold, and why; the audit has it.",
        ),
    ] = "",
    wait: Wait = False,
    wait_seconds: WaitSeconds = None,
    dry_run: DryRun = False,
    if_revision: IfRevision = None,
    server: Server = "",
    account: Account = "",
    json: Json = False,
) -> None:
    r"""Make a server, or a lab that is up, have what a world file says.

    The lab, if --lab names one; else the server, if one is known (--server, RINGFENCE_SERVER, a login); else the usual
    lab.

    Of a server: everything changes in one revision, or nothing does. It is shown first, and nothing is deleted without
    asking. With --confirm the change is taken back by itself unless somebody confirms it in time, through a connection
    that was opened after it: so nobody locks themselves out.

    Where an expect line of the file would not hold, nothing is changed, unless --override-expectations says why that
    does not matter. A server's audit tells who said it, and which lines failed; a lab keeps it in its own log.

    Of a lab: only what differs is touched. Ports and all else that is wired are plugged and unplugged, and the policy
    of a VPC changes in one transaction. Live connections are cut as the profile of their VPC says; it tells which, and
    why.

    \b
    Examples:
      ringfence apply shop.yaml --confirm 60s
      ringfence apply shop.yaml --yes --wait
      ringfence apply shop.yaml --lab lab --dry-run
    """
    place = where(server, lab)
    query = query_of(wait, wait_seconds, dry_run, if_revision)
    if place.server:
        until = seconds_of(confirm) if confirm else None
        more = {"confirm": until, "override_expectations": override or None}
        with asking(place.server, account, query, json=json) as asked:
            _apply_to_server(asked, file, {key: value for key, value in more.items() if value}, yes=yes)
        return
    if confirm or account or query.keys() - {"dry_run"}:
        right = "leave out --confirm, --wait, --if-revision and --account, or name a server"
        raise InvalidInput(f"of a lab, only --dry-run and --override-expectations can be asked for; {right}")
    _apply_to_lab(file, place.lab, override.strip(), dry_run=dry_run, json=json)


def _apply_to_server(asked: Asked, file: Path, more: dict[str, Any], *, yes: bool) -> None:
    planned = _plan(asked, file)
    if not asked.json:
        show_plan(planned)
    if not planned["changes"] and not asked.json:
        return
    deleted = [each for each in planned["changes"] if each["do"] == "delete"]
    if deleted and not yes and not asked.is_dry:
        _ask_about(len(deleted), quiet=asked.json)
    query = {"if_revision": planned["revision"]} | asked.query | more
    with _named(file), asked.working("applying"):
        answer = asked.client.post(at("apply"), read_bytes(file), query, _YAML)
    if "confirm" in more and answer["confirm_until"] and not asked.is_dry:
        settle(asked, answer, int(more["confirm"]))
    else:
        asked.tell(answer, f"{file}: {summary(answer['changes'])}")


def _ask_about(deleted: int, *, quiet: bool) -> None:
    things = "1 resource" if deleted == 1 else f"{deleted} resources"
    if quiet or not sys.stdin.isatty():
        raise Refused(f"applying it would delete {things}", "say --yes if that is meant", reason="apply.deletes")
    if not typer.confirm(f"Delete {things}?", err=True):
        raise Refused("nothing was changed", reason="apply.deletes")


def _apply_to_lab(file: Path, lab: str, override: str, *, dry_run: bool, json: bool) -> None:
    from contextlib import closing

    from ringfence.analysis.difference.difference import difference
    from ringfence.cli.changes import Told
    from ringfence.lab.expecting import require_expectations, write_down
    from ringfence.lab.lab import Lab
    from ringfence.worldfile import parse, read_text

    text = read_text(file)
    world = parse(text, str(file))
    unmet = [] if dry_run else require_expectations(world, override)
    with closing(Lab.attach(lab)) as attached:
        if unmet:
            write_down(attached.names, override, unmet)
        wiring = attached.rewiring(world).told()
        count = attached.missing_commands(world) if dry_run else attached.enforce(world, text)
        cuts = attached.preview(world) if dry_run else attached.cuts
        reached = difference(attached.world, world).as_json() if dry_run else None
    Told(lab, dry_run, wiring, cuts, count, reached).show(as_json=json)
    if dry_run:  # as of a server: what it would change is told, and then that it is refused
        require_expectations(world, override)


def export(
    asked: Asked,
    *,
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE", help="Else the output.")] = None,
    as_of: Annotated[int | None, typer.Option("--as-of", metavar="N", help="As it was at a revision.")] = None,
) -> None:
    r"""Write what the account has as a world file; with --json as JSON.

    \b
    Examples:
      ringfence export -o shop.yaml
      ringfence export --as-of 41 > before.yaml
    """
    form = "json" if asked.json else "yaml"
    content = asked.client.get_bytes(at("world"), {"format": form, "as_of": as_of})
    deliver(content, output)
