"""The command ``ringfence``. Exit codes: 0 yes, 1 no or a difference, 2 bad input, 3 could not run."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from ringfence.cli import logs, output
from ringfence.cli.changes import Told
from ringfence.errors import CannotRun, InvalidInput, LabMissing, RingfenceError, UnknownName, WorldFileError
from ringfence.lab import lab as lab_module
from ringfence.lab.drops import start_recorder, wait_for_recorder
from ringfence.lab.guest import look, look_and_probe
from ringfence.lab.lab import Lab
from ringfence.lab.verify import Row
from ringfence.model.address import Family
from ringfence.model.flow import Flow, Query
from ringfence.model.rule import Action, Direction
from ringfence.model.service import ICMPV6, Service
from ringfence.model.world import World
from ringfence.policy.evaluate import Policy, evaluate
from ringfence.worldfile import parse, read, read_text

app = typer.Typer(
    name="ringfence",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

vip_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
app.add_typer(vip_app, name="vip", help="Virtual IPs of the lab.")

WorldFile = Annotated[Path, typer.Argument(metavar="FILE", help="A world file.")]
LabName = Annotated[str, typer.Option("--lab", help="Which lab; several can stand side by side.")]
Json = Annotated[bool, typer.Option("--json", help="For programs.")]


class Over(StrEnum):
    """The family to ask about."""

    IPV4 = "ipv4"
    IPV6 = "ipv6"


def _version(wanted: bool) -> None:
    if wanted:
        print(f"ringfence {version('ringfence')}")
        raise typer.Exit


@app.callback()
def options(
    _: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    """Security groups that explain every verdict and prove by packets that the explanation is true."""


def run() -> None:
    """Run the command line; every error of ours is one message on standard error and an exit code."""
    if sys.stdout is None:  # closed by who called us
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115  # for as long as we run
    try:
        try:
            app()
        finally:
            sys.stdout.flush()
    except BrokenPipeError:  # who read us has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(CannotRun.exit_code)
    except RingfenceError as error:
        code = "" if isinstance(error, WorldFileError) else f" [{error.code}]"  # its mistakes have codes of their own
        print(f"ringfence: {error}{code}", file=sys.stderr)
        sys.exit(error.exit_code)
    except OSError as error:
        print(f"ringfence: {error.strerror or error}", file=sys.stderr)
        sys.exit(CannotRun.exit_code)


@app.command()
def check(file: WorldFile, json: Json = False) -> None:
    """Judge a world file by the model alone.

    No root, no kernel. Exit code 0 if every expect line holds, 1 if one does not.
    """
    world = read(file)
    policy = Policy(world)
    rows = [Row(expectation, policy.evaluate(world.flow(expectation.query)), None) for expectation in world.expects]
    output.show_rows(rows, packets=False, as_json=json)
    raise typer.Exit(output.exit_code(rows))


@app.command()
def why(
    source: Annotated[str, typer.Argument(metavar="SRC", help="An instance, instance.port, outside host or address.")],
    destination: Annotated[str, typer.Argument(metavar="DST", help="The same.")],
    service: Annotated[str, typer.Argument(metavar="PROTO[/PORT]", help="tcp/443, udp/53, icmp, gre, 132, …")],
    file: Annotated[Path | None, typer.Option("-f", "--file", help="A world file; else the lab that is up.")] = None,
    over: Annotated[Over | None, typer.Option(help="The address family; else IPv4 where both ends have it.")] = None,
    probe: Annotated[bool, typer.Option("--probe", help="Send the packet too, in the lab that is up.")] = False,
    lab: LabName = "lab",
    json: Json = False,
) -> None:
    """Say what becomes of a flow, and why.

    The verdict with its whole path: each stage, the rule that decided, and those that came too late. Of a lab that is
    up also what the guests at both ends do: whether anything listens there, and whether a firewall of the guest's own
    drops the packet. Exit code 0 if the flow is allowed, 1 if it is denied or a guest does not take it (or if model
    and packet differ).
    """
    world = read(file) if file else None
    if world and not probe:
        verdict = evaluate(world, _flow(world, source, destination, Service.parse(service), over))
        output.show_verdict(verdict, None, None, as_json=json)
        raise typer.Exit(0 if verdict.allowed else 1)
    with closing(Lab.attach(lab)) as attached:
        if world not in (None, attached.world):
            again = f"ringfence up --replace {file} --lab {lab}"
            raise InvalidInput(f"lab {lab!r} runs another world than {file}; run {again}, or leave out -f")
        flow = _flow(attached.world, source, destination, Service.parse(service), over)
        observation, guests = look_and_probe(attached, flow) if probe else (None, look(attached, flow))
        verdict = evaluate(attached.world, flow)
    output.show_verdict(verdict, guests, observation, as_json=json)
    stopped = [guest.direction for guest in guests if guest.denied_by]
    agreed = True
    if observation and Direction.EGRESS not in stopped:  # what its sender stops itself is no evidence, and needs none
        agreed = (observation.action is Action.ALLOW) is verdict.arrives
    raise typer.Exit(0 if verdict.allowed and agreed and not stopped else 1)


@app.command()
def up(
    file: WorldFile,
    lab: LabName = "lab",
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
    output.show_rows(rows, packets=True, as_json=json)
    if not json:
        output.show_next(world, lab)
    raise typer.Exit(output.exit_code(rows))


@app.command()
def apply(
    file: WorldFile,
    lab: LabName = "lab",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it would do, and do nothing.")] = False,
    json: Json = False,
) -> None:
    """Change the lab that is up to another world.

    Only what differs is touched: ports and all else that is wired are plugged and unplugged, and the policy of a VPC
    changes in one transaction. Live connections are cut as the profile of their VPC says; it tells which, and why.
    """
    text = read_text(file)
    world = parse(text, str(file))
    with closing(Lab.attach(lab)) as attached:
        wiring = attached.rewiring(world).told()
        count = attached.missing_commands(world) if dry_run else attached.enforce(world, text)
        cuts = attached.preview(world) if dry_run else attached.cuts
    Told(lab, dry_run, wiring, cuts, count).show(as_json=json)


@vip_app.command()
def move(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A virtual IP.")],
    to: Annotated[str, typer.Argument(metavar="INSTANCE[.PORT]", help="Which of the ports behind it takes it.")],
    lab: LabName = "lab",
) -> None:
    """Have another guest take a virtual IP.

    The guest that has it gives it up; the other takes it and says so by gratuitous ARP and neighbour advertisement.
    """
    with closing(Lab.attach(lab)) as attached:
        attached.move_vip(name, to)
        print(f"{name} is at {attached.world.virtual_ips[name].active}")


@app.command()
def down(lab: LabName = "lab") -> None:
    """Remove the lab, and only it.

    Its namespaces, links, tables, processes and files; also what a crash left of it.
    """
    print(f"lab {lab!r} is gone" if _take_down(lab) else f"lab {lab!r} is not up: nothing to remove")


@app.command(name="exec", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
def exec_(
    target: Annotated[
        str,
        typer.Argument(metavar="INSTANCE", help="An instance, INSTANCE/NAMESPACE of its guest, or an outside host."),
    ],
    command: Annotated[list[str], typer.Argument(metavar="-- COMMAND …", help="What to run inside it.")],
    lab: LabName = "lab",
) -> None:
    """Run a command inside an instance.

    Or inside an outside host of the lab. The command's exit code is passed through.
    """
    words = command[1:] if command[0] == "--" else command
    if not words or words[0].startswith("-"):
        found = f"{words[0]!r} stands" if words else "nothing stands"
        raise InvalidInput(f"{found} where the command should be; write: ringfence exec [OPTIONS] INSTANCE -- COMMAND")
    raise typer.Exit(Lab.attach(lab).exec(target, words))


@app.command()
def verify(lab: LabName = "lab", json: Json = False) -> None:
    """Compare model and packets on every pair.

    For every ordered pair of addresses: each port that a rule mentions, its neighbours and one that none mentions,
    over TCP and UDP, and ICMP. Exit code 1 on any difference.
    """
    with closing(Lab.attach(lab)) as attached, output.progress("probing", quiet=json) as advance:
        report = attached.verify(advance)
    output.show_verification(report, as_json=json)
    raise typer.Exit(0 if report.ok else 1 if report.differences else 3)


def _take_down(lab: str) -> bool:
    """Remove a lab; whether there was anything of it."""
    try:
        lab_module.down(lab)
    except LabMissing:
        return False
    return True


def _flow(world: World, source: str, destination: str, service: Service, over: Over | None) -> Flow:
    """Resolve a question; without a family, the first in which both ends have an address."""
    families = [Family.IPV6 if over is Over.IPV6 else Family.IPV4] if over else list(service.protocol.families)
    if service.number == ICMPV6 and over is Over.IPV4:
        raise InvalidInput("icmpv6 exists on ipv6 only; leave out --over ipv4, or ask for icmp")
    *others, last = families
    for family in others:
        try:
            return world.flow(Query.of(source, destination, service, family))
        except UnknownName:
            continue
    return world.flow(Query.of(source, destination, service, last))


logs.register(app)
