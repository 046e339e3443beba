"""``ringfence serve``, ``agent``, ``backup``, ``restore`` and ``rotate-key``: running the service."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ringfence.errors import CannotRun, FieldProblem, InvalidFields, InvalidInput, LabExists, LabMissing
from ringfence.security.keys import AccessKey

if TYPE_CHECKING:  # the command line starts without what only a service needs
    from ringfence.agent.agent import Event
    from ringfence.agent.fabric import Fabric
    from ringfence.model.world import World
    from ringfence.server.runtime import Runtime

Data = Annotated[Path | None, typer.Option("--data", help="Directory of the store; made if it is not there.")]
Database = Annotated[
    str, typer.Option("--database", metavar="URL", help="postgresql+psycopg://…; else SQLite in --data.")
]
KeyFile = Annotated[
    Path | None, typer.Option("--key-file", help="The key that seals secrets at rest; better kept apart from --data.")
]
Lab = Annotated[str, typer.Option("--lab", help="Enforce in the lab of this name, which is built where it is not up.")]
Prefix = Annotated[
    str, typer.Option("--namespaces", metavar="PREFIX", help="Enforce in network namespaces PREFIX+VPC.")
]
_LISTEN = "127.0.0.1:8475"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (serve, agent, backup, restore, rotate_key):
        app.command(name=command.__name__.replace("_", "-"))(command)


def serve(
    data: Data = None,
    listen: Annotated[str, typer.Option("--listen", metavar="HOST:PORT", help="Where to answer.")] = _LISTEN,
    database: Database = "",
    key_file: KeyFile = None,
    lab: Lab = "",
    namespaces: Prefix = "",
    world: Annotated[
        Path | None, typer.Option("--world", metavar="FILE", help="On the first start: take this in.")
    ] = None,
    demo: Annotated[
        Path | None, typer.Option("--demo", metavar="FILE", help="A world in a lab, gone at the end.")
    ] = None,
    log_level: Annotated[str, typer.Option("--log-level", help="debug, info, warning or error.")] = "info",
) -> None:
    """Run the service: API, store, and an agent where it is told where to enforce.

    The first start makes the operator's account and prints its access key once, or takes it from
    RINGFENCE_ROOT_ACCESS_KEY_ID and RINGFENCE_ROOT_ACCESS_KEY_SECRET. Stops on SIGTERM or ctrl-C; the policy in the
    kernel stays.

    Examples:
      ringfence serve --data /var/lib/ringfence --namespaces rf-
      ringfence serve --demo examples/three-tier.yaml
    """
    from ringfence.api.logging import configure
    from ringfence.api.server import listening, server
    from ringfence.server.notify import notify
    from ringfence.server.runtime import Runtime, Settings

    host, port = _address(listen)
    configure(sys.stderr, "warning" if demo and log_level == "info" else log_level)
    with _directory(data, temporary=demo is not None) as directory:
        runtime = Runtime(Settings.at(directory, database, key_file))
        first = world or demo
        if runtime.root_key and first:
            _take_in(runtime, first)
        name = lab or ("lab" if demo else "")
        with _lab_for_demo(name) if demo else nullcontext():
            _attach(runtime, name, namespaces)
            bound = listening(host, port)
            url = f"http://{host}:{bound.getsockname()[1]}"
            running = server(runtime.app())
            with runtime.running():
                _await_agent(runtime)
                _greet(url, runtime.root_key, first, demo=demo is not None)
                notify("READY=1")
                running.run(sockets=[bound])
                notify("STOPPING=1")


def _address(listen: str) -> tuple[str, int]:
    host, _, port = listen.rpartition(":")
    if not host or not (port.isascii() and port.isdigit() and int(port) < 65536):
        what = f"{listen!r} is not HOST:PORT"
        raise InvalidFields((FieldProblem("--listen", what, "write it like 127.0.0.1:8475; port 0 takes a free one"),))
    return host.strip("[]"), int(port)


@contextmanager
def _directory(data: Path | None, *, temporary: bool) -> Iterator[Path]:
    """Where the store lies; a demonstration's is gone at its end."""
    if temporary and data is None:
        with tempfile.TemporaryDirectory(prefix="ringfence-") as made:
            yield Path(made)
        return
    yield data_directory(data)


def data_directory(data: Path | None) -> Path:
    """The directory of the store: the one named, or the usual one of the user. Raises `CannotRun`."""
    home = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "ringfence"
    found = data or (Path("/var/lib/ringfence") if os.geteuid() == 0 else home)
    try:
        found.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise CannotRun(f"cannot make the directory {found}: {error.strerror}; name another one with --data") from None
    return found


def _take_in(runtime: Runtime, file: Path) -> None:
    """Make what a world file says, on the first start."""
    from ringfence.control.authority import OPERATOR
    from ringfence.control.caller import Caller
    from ringfence.control.declaring import apply
    from ringfence.worldfile import read

    wanted = read(file)
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


def _attach(runtime: Runtime, lab: str, namespaces: str) -> None:
    """Have an agent, if it is told where to enforce."""
    if lab and namespaces:
        raise InvalidInput("the agent enforces in a lab or in namespaces; give one of --lab and --namespaces")
    if lab or namespaces:
        runtime.attach("local", fabric(lab, namespaces, runtime.control.state.world))


def fabric(lab: str, namespaces: str, world: World) -> Fabric:
    """Where to enforce; a lab that is not up is built."""
    from ringfence.agent.fabric import LabFabric
    from ringfence.agent.namespaces import Namespaces
    from ringfence.lab.lab import Lab as LabOf

    if namespaces:
        return Namespaces(namespaces)
    try:
        return LabFabric(LabOf.up(world, lab))
    except LabExists:
        return LabFabric(LabOf.attach(lab))


def _await_agent(runtime: Runtime) -> None:
    """Wait until the first policy is in force, so that the greeting is true; not for ever."""
    if runtime.agent:
        runtime.control.enforcement.wait(runtime.control.state.revision, 60)


def _greet(url: str, key: AccessKey | None, world: Path | None, *, demo: bool) -> None:
    print(f"Ringfence answers at {url}")
    if key:
        print("The operator's access key (told once, now):")
        print(f"  export RINGFENCE_SERVER={url}")
        print(f"  export RINGFENCE_ACCESS_KEY_ID={key.id}")
        print(f"  export RINGFENCE_ACCESS_KEY_SECRET={key.secret.reveal()}")
    if demo and world:
        print("Try, in another shell, with these three set:")
        print("  ringfence group list")
        print(
            '  ringfence rule add sg-web "in deny tcp 80 from any priority 1" --wait && ringfence why laptop web-1 tcp/80'
        )
        print("  ringfence exec web-1 -- ip address")
        print("It stays up until ctrl-C.")
    sys.stdout.flush()


def agent(
    server: Annotated[str, typer.Option("--server", help="The server to follow.", envvar="RINGFENCE_SERVER")],
    name: Annotated[str, typer.Option("--name", help="How this agent is known.")] = os.uname().nodename,
    lab: Lab = "",
    namespaces: Prefix = "",
    data: Data = None,
    log_level: Annotated[str, typer.Option("--log-level", help="debug, info, warning or error.")] = "info",
) -> None:
    """Run an agent: follow a server, and enforce on this host what it says.

    Signs with RINGFENCE_ACCESS_KEY_ID and RINGFENCE_ACCESS_KEY_SECRET, a key of the operator's. Where the server is
    lost, the last policy stays in force; a start without it enforces what was kept in --data.
    """
    import signal
    import threading

    from ringfence.agent.agent import Agent
    from ringfence.agent.enforcer import Enforcer
    from ringfence.agent.kept import Kept
    from ringfence.agent.remote import RemoteSource
    from ringfence.api.logging import configure, logger
    from ringfence.client.client import Client
    from ringfence.client.login import environment_key
    from ringfence.model.world import World
    from ringfence.server.notify import notify

    if not (lab or namespaces):
        raise InvalidInput("the agent is not told where to enforce; give --namespaces PREFIX or --lab NAME")
    configure(sys.stderr, log_level)
    kept = Kept(data_directory(data) / f"agent-{name}.state")
    source = RemoteSource(Client(server, key=environment_key()))
    before = kept.read()
    place = fabric(lab, namespaces, before.world if before else World())

    def tell(event: Event) -> None:
        logger().info(f"agent.{event.name}", revision=event.revision, detail=event.detail)

    following = Agent(name, source, Enforcer(place), kept=kept, tell=tell)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    following.start()
    notify("READY=1")
    stop.wait()
    following.stop()


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write it; - is the output.")],
    data: Data = None,
    database: Database = "",
) -> None:
    """Write everything that the store holds to a file; the service may run meanwhile.

    The key that seals secrets is not in it: keep a copy of the key file apart.
    """
    from ringfence.server.runtime import Settings
    from ringfence.store.store import Store

    store = Store.open(Settings.at(data_directory(data), database).database)
    try:
        if str(file) == "-":
            store.dump(sys.stdout.buffer)
            return
        fresh = file.with_name(f"{file.name}.new")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
            store.dump(stream)
            stream.flush()
            os.fsync(stream.fileno())
        fresh.rename(file)
        print(f"backed up revision {store.head()} to {file}")
    finally:
        store.close()


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A backup; - is the input.")],
    data: Data = None,
    database: Database = "",
) -> None:
    """Fill an empty store from a backup, which is checked as a whole first. Not while the service runs."""
    from ringfence.server.runtime import Settings
    from ringfence.store.store import Store

    store = Store.open(Settings.at(data_directory(data), database).database)
    try:
        with sys.stdin.buffer if str(file) == "-" else file.open("rb") as stream:
            print(f"restored revision {store.restore(stream)}")
    finally:
        store.close()


def rotate_key(data: Data = None, database: Database = "", key_file: KeyFile = None) -> None:
    """Seal all secrets under a new key. Stop the service first, and start it again after."""
    from ringfence.control.control import Control
    from ringfence.control.identity import reseal
    from ringfence.security.keyring import Keyring
    from ringfence.server.runtime import Settings
    from ringfence.store.store import Store

    settings = Settings.at(data_directory(data), database, key_file)
    store = Store.open(settings.database)
    try:
        count = reseal(Control(store), Keyring.rotate(settings.key_file))
        print(f"sealed {count} secrets under a new key")
    finally:
        store.close()
