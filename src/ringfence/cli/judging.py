"""The commands ``check`` and ``why``: what the model says of a flow, and a lab or a server of its own."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TypeVar, cast

import typer

from ringfence.cli import output
from ringfence.cli.asking import Account, Asked, Json, Server, asking
from ringfence.cli.choosing import DEFAULT_LAB, Where, where
from ringfence.client.paths import at
from ringfence.errors import InvalidInput, UnknownName
from ringfence.model.address import Family
from ringfence.model.flow import Flow, Query
from ringfence.model.rule import Action, Direction
from ringfence.model.service import ICMPV6, Service
from ringfence.model.world import World
from ringfence.policy.evaluate import Policy, evaluate
from ringfence.worldfile import read

WorldFile = Annotated[Path, typer.Argument(metavar="FILE", help="A world file.")]


Found = TypeVar("Found")


class Over(StrEnum):
    """The family to ask about."""

    IPV4 = "ipv4"
    IPV6 = "ipv6"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(check)
    app.command()(why)


def check(file: WorldFile, json: Json = False) -> None:
    """Judge a world file by the model alone.

    No root, no kernel. Exit code 0 if every expect line holds, 1 if one does not.
    """
    from ringfence.lab.verify import Row

    world = read(file)
    policy = Policy(world)
    rows = [Row(expectation, policy.evaluate(world.flow(expectation.query)), None) for expectation in world.expects]
    output.show_rows(rows, packets=False, as_json=json)
    raise typer.Exit(output.exit_code(rows))


def why(
    source: Annotated[str, typer.Argument(metavar="SRC", help="An instance, instance.port, outside host or address.")],
    destination: Annotated[str, typer.Argument(metavar="DST", help="The same.")],
    service: Annotated[str, typer.Argument(metavar="PROTO[/PORT]", help="tcp/443, udp/53, icmp, gre, 132, …")],
    file: Annotated[Path | None, typer.Option("-f", "--file", help="Ask the model about a world file.")] = None,
    over: Annotated[Over | None, typer.Option(help="The address family; else IPv4 where both ends have it.")] = None,
    probe: Annotated[bool, typer.Option("--probe", help="Send the packet too, in the lab that is up.")] = False,
    lab: Annotated[str | None, typer.Option("--lab", help="Ask the lab of this name.")] = None,
    server: Server = "",
    account: Account = "",
    json: Json = False,
) -> None:
    """Say what becomes of a flow, and why.

    The verdict with its whole path: each stage, the rule that decided, and those that came too late. It is asked of the
    world file (-f) or the lab (--lab, --probe) that is named; else of the server, where one is known (--server,
    RINGFENCE_SERVER, a login); else of the usual lab. Of a lab it says also what the guests at both ends do: whether
    anything listens there, and whether a firewall of the guest's own drops the packet. Exit code 0 if the flow is
    allowed, 1 if it is denied or a guest does not take it (or if model and packet differ).
    """
    if file and not probe:
        world = read(file)
        verdict = evaluate(world, flow_of(world, source, destination, service, over))
        output.show_verdict(verdict, None, None, as_json=json)
        raise typer.Exit(0 if verdict.allowed else 1)
    place = Where(lab=lab or DEFAULT_LAB) if probe or file else where(server, lab)
    if place.server:
        with asking(place.server, account, {}, json=json) as asked:
            raise typer.Exit(_why_of_server(asked, (source, destination, service), over))
    _why_in_lab(place.lab, file, (source, destination, service), over, probe=probe, json=json)


def _why_of_server(asked: Asked, ends: tuple[str, str, str], over: Over | None) -> int:
    told = asked_over(asked, "why", ends, over)
    if asked.json:
        asked.show_json(told)
    else:
        output.show_told_verdict(told)
    return 0 if told["verdict"] == "allow" else 1


def asked_over(asked: Asked, route: str, ends: tuple[str, str, str], over: Over | None) -> dict[str, Any]:
    """What a route of the server says of a flow; without a family, of the first in which both ends have an address."""
    question = dict(zip(("source", "destination", "service"), ends, strict=True))

    def ask(family: Family) -> dict[str, Any]:
        return cast("dict[str, Any]", asked.client.get(at(route), question | {"over": str(family)}))

    return _first_known(_families(Service.parse(ends[2]), over), ask)


def _why_in_lab(
    lab: str, file: Path | None, ends: tuple[str, str, str], over: Over | None, *, probe: bool, json: bool
) -> None:
    from ringfence.lab.guest import look, look_and_probe
    from ringfence.lab.lab import Lab

    source, destination, service = ends
    with closing(Lab.attach(lab)) as attached:
        if file and read(file) != attached.world:
            again = f"ringfence up --replace {file} --lab {lab}"
            raise InvalidInput(f"lab {lab!r} runs another world than {file}; run {again}, or leave out -f")
        flow = flow_of(attached.world, source, destination, service, over)
        observation, guests = look_and_probe(attached, flow) if probe else (None, look(attached, flow))
        verdict = evaluate(attached.world, flow)
    output.show_verdict(verdict, guests, observation, as_json=json)
    stopped = [guest.direction for guest in guests if guest.denied_by]
    agreed = True
    if observation and Direction.EGRESS not in stopped:  # what its sender stops itself is no evidence, and needs none
        agreed = (observation.action is Action.ALLOW) is verdict.arrives
    raise typer.Exit(0 if verdict.allowed and agreed and not stopped else 1)


def flow_of(world: World, source: str, destination: str, service: str, over: Over | None) -> Flow:
    """Resolve a question; without a family, the first in which both ends have an address."""
    asked = Service.parse(service)
    return _first_known(_families(asked, over), lambda family: world.flow(Query.of(source, destination, asked, family)))


def _first_known(families: list[Family], ask: Callable[[Family], Found]) -> Found:
    """What is found in the first family that knows the names; raises what the first one says where none does."""
    first: UnknownName | None = None
    for family in families:
        try:
            return ask(family)
        except UnknownName as error:
            first = first or error
    assert first
    raise first


def _families(service: Service, over: Over | None) -> list[Family]:
    if service.number == ICMPV6 and over is Over.IPV4:
        raise InvalidInput("icmpv6 exists on ipv6 only; leave out --over ipv4, or ask for icmp")
    return [Family.IPV6 if over is Over.IPV6 else Family.IPV4] if over else list(service.protocol.families)
