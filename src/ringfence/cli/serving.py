"""``ringfence serve`` and ``ringfence agent``: running the service."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ringfence.cli.places import (
    AuditEvery,
    Data,
    Database,
    KeyFile,
    LabName,
    LogLevel,
    Prefix,
    check_level,
    data_directory,
    fabric,
)
from ringfence.errors import CannotRun, FieldProblem, InvalidFields, InvalidInput, LabMissing
from ringfence.security.keys import AccessKey

if TYPE_CHECKING:  # the command line starts without what only a service needs
    from ringfence.model.world import World
    from ringfence.server.runtime import Runtime

_LISTEN = "127.0.0.1:8475"
_AUDIT = 60.0  # seconds
_REGION = "local"
AgentName = Annotated[str, typer.Option("--name", help="How the agent is known; else by the host's name.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(serve)
    app.command()(agent)


def serve(
    data: Data = None,
    listen: Annotated[str, typer.Option("--listen", metavar="HOST:PORT", help="Where to answer.")] = _LISTEN,
    database: Database = "",
    key_file: KeyFile = None,
    lab: LabName = "",
    namespaces: Prefix = "",
    name: AgentName = "",
    audit_every: AuditEvery = _AUDIT,
    region: Annotated[str, typer.Option("--region", metavar="NAME", help="The region, as ARNs name it.")] = _REGION,
    world: Annotated[
        Path | None, typer.Option("--world", metavar="FILE", help="Take this in, if the store has no networks yet.")
    ] = None,
    metrics: Annotated[
        str, typer.Option("--metrics", metavar="HOST:PORT", help="Figures without a key, on a loopback address only.")
    ] = "",
    demo: Annotated[
        Path | None, typer.Option("--demo", metavar="FILE", help="A world in a lab, gone at the end.")
    ] = None,
    log_level: LogLevel = "info",
) -> None:
    """Run the service: API, store, and an agent where it is told where to enforce.

    The first start makes the operator's account and prints its access key once, or takes it from
    RINGFENCE_ROOT_ACCESS_KEY_ID and RINGFENCE_ROOT_ACCESS_KEY_SECRET. Stops on SIGTERM or ctrl-C; the policy in the
    kernel stays.

    Examples:
      ringfence serve --data /var/lib/ringfence --namespaces rf-
      ringfence serve --demo examples/three-tier.yaml
    """
    from ringfence.server.stopping import Stopping

    stopping = Stopping()  # before anything is made that has to be taken away
    from ringfence.api.logging import configure
    from ringfence.api.server import listening, server
    from ringfence.control.authority import check_region
    from ringfence.server.notify import notify
    from ringfence.server.runtime import Runtime, Settings
    from ringfence.worldfile import read

    host, port = _address("--listen", listen)
    figures = _loopback(metrics) if metrics else None
    if lab and namespaces:
        raise InvalidInput("the agent enforces in a lab or in namespaces; give one of --lab and --namespaces")
    check_region(region)
    configure(sys.stderr, "warning" if demo and log_level == "info" else check_level(log_level))
    first = world or demo
    wanted = read(first) if first else None
    lab = lab or ("lab" if demo and not namespaces else "")
    with listening(host, port) as bound, _directory(data, temporary=demo is not None) as directory:
        url = f"http://{host if ':' not in host else f'[{host}]'}:{bound.getsockname()[1]}"
        runtime = Runtime(Settings.at(directory, database, key_file, audit_every=audit_every, region=region))
        _show_key(url, runtime.root_key)
        if wanted:
            _take_in(runtime, wanted)
        with _lab_for_demo(lab) if demo and lab else nullcontext():
            if lab or namespaces:
                own = _agent_name(name)
                before = runtime.world_before(own)
                runtime.attach(own, fabric(lab, namespaces, runtime.control.state.world, before))
            running = server(runtime.app())
            with _figures(figures, runtime), runtime.running():
                runtime.await_agent(60)
                stopping.by(running.stop)
                _greet(url, demo=demo is not None)
                notify("READY=1")
                running.run(sockets=[bound])
                notify("STOPPING=1")


def _address(option: str, text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not (port.isascii() and port.isdigit() and int(port) < 65536):
        what = f"{text!r} is not HOST:PORT"
        raise InvalidFields((FieldProblem(option, what, "write it like 127.0.0.1:8475; port 0 takes a free one"),))
    return host.strip("[]"), int(port)


def _loopback(text: str) -> tuple[str, int]:
    """An address that only this host can reach: whoever can, need not say who they are."""
    host, port = _address("--metrics", text)
    with suppress(ValueError):
        if ip_address(host).is_loopback:
            return host, port
    what = f"{host} is no loopback address, and figures are told there to everybody"
    raise InvalidFields((FieldProblem("--metrics", what, "write it like 127.0.0.1:9475, or ask GET /metrics"),))


@contextmanager
def _figures(at: tuple[str, int] | None, runtime: Runtime) -> Iterator[None]:
    """Tell figures at an address of their own. Raises `CannotRun`."""
    from prometheus_client import start_http_server

    if at is None:
        yield
        return
    try:
        server, thread = start_http_server(at[1], at[0], registry=runtime.metrics.registry)
    except OSError as error:
        what = f"cannot tell figures at {at[0]} port {at[1]}: {error.strerror}"
        raise CannotRun(f"{what}; choose another address or port") from None
    print(f"Metrics at http://{at[0]}:{server.server_port}/metrics", flush=True)
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _agent_name(name: str) -> str:
    """How an agent is known; part of a file's name. Raises `InvalidFields`."""
    found = name or os.uname().nodename
    if not 1 <= len(found) <= 64 or not all(it.isascii() and (it.isalnum() or it in "._-") for it in found):
        what, right = f"{found!r} is no name of an agent", "use 1 to 64 letters, digits, dots, - and _"
        raise InvalidFields((FieldProblem("--name", what, right, value=found),))
    return found


@contextmanager
def _directory(data: Path | None, *, temporary: bool) -> Iterator[Path]:
    """Where the store lies; a demonstration's is gone at its end."""
    if temporary and data is None:
        with tempfile.TemporaryDirectory(prefix="ringfence-") as made:
            yield Path(made)
        return
    yield data_directory(data)


def _take_in(runtime: Runtime, wanted: World) -> None:
    """Make what a world file says, if there is nothing yet that one could say."""
    from ringfence.api.logging import logger
    from ringfence.control.authority import OPERATOR
    from ringfence.control.caller import Caller
    from ringfence.control.declaring import apply
    from ringfence.resources.kind import LIKE_A_WORLD_FILE

    if any(runtime.control.state.total(kind) for kind in LIKE_A_WORLD_FILE):
        logger().warning("serve.world_left_out", detail="the store has networks; use ringfence apply to change them")
        return
    caller = Caller(OPERATOR, operator=True, source="start", request_id="start")
    with runtime.control.change(caller, "ApplyChanges") as draft:
        apply(draft, wanted)


@contextmanager
def _lab_for_demo(name: str) -> Iterator[None]:
    """No lab of the name before, and none after."""
    from ringfence.lab.lab import down

    with suppress(LabMissing):
        down(name)
    try:
        yield
    finally:
        with suppress(LabMissing):
            down(name)


def _show_key(url: str, key: AccessKey | None) -> None:
    """Tell the key that the first start has made, before anything else can fail; one that was given is known."""
    from ringfence.control.identity import ROOT_KEY_ID

    if key and key.id != os.environ.get(ROOT_KEY_ID):
        print("The operator's access key (told once, now):")
        print(f"  export RINGFENCE_SERVER={url}")
        print(f"  export RINGFENCE_ACCESS_KEY_ID={key.id}")
        print(f"  export RINGFENCE_ACCESS_KEY_SECRET={key.secret.reveal()}")
        sys.stdout.flush()


def _as_called() -> str:
    """How this program is called in another shell: by its name where a shell finds it, else as it was here."""
    return "ringfence" if shutil.which("ringfence") else sys.argv[0]


def _greet(url: str, *, demo: bool) -> None:
    print(f"Ringfence answers at {url}")
    if demo:
        print("Try, in another shell, with these three set:")
        rule, me = "in deny tcp 80 from any priority 1", _as_called()
        print(f"  {me} group list")
        print(f'  {me} rule add sg-web "{rule}" --wait && {me} why laptop web-1 tcp/80')
        print(f"  {me} exec web-1 -- ip address")
        print("Scripts of Alibaba Cloud and Huawei Cloud work at the same address: docs/wire.md tells how.")
        print("It stays up until ctrl-C.")
    sys.stdout.flush()


def agent(
    server: Annotated[str, typer.Option("--server", help="The server to follow.", envvar="RINGFENCE_SERVER")],
    name: AgentName = "",
    lab: LabName = "",
    namespaces: Prefix = "",
    data: Data = None,
    audit_every: AuditEvery = _AUDIT,
    log_level: LogLevel = "info",
) -> None:
    """Run an agent: follow a server, and enforce on this host what it says.

    Signs with RINGFENCE_ACCESS_KEY_ID and RINGFENCE_ACCESS_KEY_SECRET: a key of the operator's account, at best of a
    user who may do no more than an agent does. Where the server is lost, the last policy stays in force; a start
    without it enforces what was kept in --data.
    """
    import threading

    from ringfence.server.stopping import Stopping

    stopping, stop, began = Stopping(), threading.Event(), threading.Event()
    from ringfence.agent.agent import Agent, Event
    from ringfence.agent.enforcer import Enforcer
    from ringfence.agent.kept import KeptFile
    from ringfence.agent.remote import RemoteSource
    from ringfence.api.logging import configure
    from ringfence.client.client import Client
    from ringfence.client.login import KEY_ID, KEY_SECRET, environment_key
    from ringfence.model.world import World
    from ringfence.server.notify import notify
    from ringfence.server.runtime import told

    if bool(lab) is bool(namespaces):
        raise InvalidInput("the agent enforces in namespaces or in a lab; give one of --namespaces PREFIX, --lab NAME")
    key, name = environment_key(), _agent_name(name)
    if key is None:
        raise InvalidInput(f"the agent has no access key; set {KEY_ID} and {KEY_SECRET}")
    configure(sys.stderr, check_level(log_level))
    client = Client(server, key=key)

    def tell(event: Event) -> None:
        told(name, event)
        began.set()

    kept = KeptFile(data_directory(data) / f"agent-{name}.state")
    place = fabric(lab, namespaces, World(), *kept.worlds())
    following = Agent(name, RemoteSource(client), Enforcer(place), kept=kept, audit_every=audit_every, tell=tell)
    following.start()
    stopping.by(stop.set)
    began.wait(60)
    notify("READY=1")
    stop.wait()
    notify("STOPPING=1")
    following.stop()
