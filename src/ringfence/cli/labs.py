"""The commands of labs: a world built of network namespaces, enforced, and proved by packets."""

from __future__ import annotations

from contextlib import closing
from typing import Annotated

import typer

from ringfence.cli import outcomes, output
from ringfence.cli.asking import Json
from ringfence.cli.judging import WorldFile
from ringfence.errors import CannotRun, InvalidInput, LabMissing
from ringfence.lab import lab as lab_module
from ringfence.lab.drops import start_recorder, wait_for_recorder
from ringfence.lab.lab import Lab
from ringfence.lab.names import DEFAULT_LAB
from ringfence.worldfile import parse, read_text

LabName = Annotated[str, typer.Option("--lab", help="Which lab; several can stand side by side.")]
vip_app = typer.Typer(name="vip", no_args_is_help=True, rich_markup_mode=None, help="Virtual IPs of the lab.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for each in (up, down, verify):
        app.command()(each)
    passing = {"ignore_unknown_options": True, "allow_interspersed_args": False}
    app.command(name="exec", context_settings=passing)(exec_)
    app.add_typer(vip_app, name="vip")


def up(
    file: WorldFile,
    lab: LabName = DEFAULT_LAB,
    replace: Annotated[bool, typer.Option("--replace", help="Take down a lab of this name first.")] = False,
    json: Json = False,
) -> None:
    """Build a world, enforce it, prove it by packets.

    Instances become network namespaces with real listeners. Each expect line is judged by the model and by a real
    conversation. The lab stays up until `ringfence down`. Exit code 1 on any difference.
    """
    text = read_text(file)
    world = parse(text, str(file))
    replaced = replace and _take_down(lab)
    try:
        built = Lab.up(world, lab, text)
    except CannotRun as error:
        if replaced:
            raise CannotRun(f"{error}; the lab {lab!r} that was up before is gone") from None
        raise
    with closing(built):
        try:
            recorder = start_recorder(built.names)
            rows = built.check_expectations()
            wait_for_recorder(built.names, recorder)
        except BaseException:  # also on ctrl-C: it is up and proved, or not there
            built.down()
            raise
    outcomes.show_rows(rows, packets=True, as_json=json)
    if not json:
        outcomes.show_next(world, lab)
    raise typer.Exit(outcomes.exit_code(rows))


@vip_app.command()
def move(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A virtual IP.")],
    to: Annotated[str, typer.Argument(metavar="INSTANCE[.PORT]", help="Which of the ports behind it takes it.")],
    lab: LabName = DEFAULT_LAB,
) -> None:
    """Have another guest take a virtual IP.

    The guest that has it gives it up; the other takes it and says so by gratuitous ARP and neighbour advertisement.
    """
    with closing(Lab.attach(lab)) as attached:
        attached.move_vip(name, to)
        print(f"{name} is at {attached.world.virtual_ips[name].active}")


def down(lab: LabName = DEFAULT_LAB) -> None:
    """Remove the lab, and only it.

    Its namespaces, links, tables, processes and files; also what a crash left of it.
    """
    print(f"lab {lab!r} is gone" if _take_down(lab) else f"lab {lab!r} is not up: nothing to remove")


def exec_(
    target: Annotated[
        str,
        typer.Argument(metavar="INSTANCE", help="An instance, INSTANCE/NAMESPACE of its guest, or an outside host."),
    ],
    command: Annotated[list[str], typer.Argument(metavar="-- COMMAND …", help="What to run inside it.")],
    lab: LabName = DEFAULT_LAB,
) -> None:
    """Run a command inside an instance.

    Or inside an outside host of the lab. The command's exit code is passed through.
    """
    words = command[1:] if command[0] == "--" else command
    if not words or words[0].startswith("-"):
        found = f"{words[0]!r} stands" if words else "nothing stands"
        raise InvalidInput(f"{found} where the command should be; write: ringfence exec [OPTIONS] INSTANCE -- COMMAND")
    raise typer.Exit(Lab.attach(lab).exec(target, words))


def verify(lab: LabName = DEFAULT_LAB, json: Json = False) -> None:
    """Compare model and packets on every pair.

    For every ordered pair of addresses: each port that a rule mentions, its neighbours and one that none mentions,
    over TCP and UDP, and ICMP. Exit code 1 on any difference.
    """
    with closing(Lab.attach(lab)) as attached, output.progress("probing", quiet=json) as advance:
        report = attached.verify(advance)
    outcomes.show_verification(report, as_json=json)
    raise typer.Exit(0 if report.ok else 1 if report.differences else 3)


def _take_down(lab: str) -> bool:
    """Remove a lab; whether there was anything of it."""
    try:
        lab_module.down(lab)
    except LabMissing:
        return False
    return True
