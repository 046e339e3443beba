"""What the commands that run the service have in common: the options that say where things are."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ringfence.errors import CannotRun, FieldProblem, InvalidFields, LabExists

if TYPE_CHECKING:  # the command line starts without what only a service needs
    from ringfence.agent.fabric import Fabric
    from ringfence.model.world import World

Data = Annotated[Path | None, typer.Option("--data", help="Directory of the store; made if it is not there.")]
Database = Annotated[
    str, typer.Option("--database", metavar="URL", help="postgresql+psycopg://…; else SQLite in --data.")
]
KeyFile = Annotated[
    Path | None, typer.Option("--key-file", help="The key that seals secrets at rest; better kept apart from --data.")
]
LabName = Annotated[
    str, typer.Option("--lab", help="Enforce in the lab of this name, which is built where it is not up.")
]
Prefix = Annotated[
    str, typer.Option("--namespaces", metavar="PREFIX", help="Enforce in network namespaces PREFIX+VPC.")
]
AuditEvery = Annotated[
    float, typer.Option("--audit-every", metavar="SECONDS", min=1, help="How often the kernel is looked at for drift.")
]
LogLevel = Annotated[str, typer.Option("--log-level", help="debug, info, warning or error.")]
_LEVELS = ("debug", "info", "warning", "error")


def data_directory(data: Path | None) -> Path:
    """The directory of the store: the one named, or the usual one of the user. Raises `CannotRun`."""
    home = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "ringfence"
    found = data or (Path("/var/lib/ringfence") if os.geteuid() == 0 else home)
    try:
        found.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise CannotRun(f"cannot make the directory {found}: {error.strerror}; name another one with --data") from None
    if not os.access(found, os.W_OK | os.X_OK):
        raise CannotRun(f"the directory {found} is not writable; name another one with --data")
    return found


def check_level(level: str) -> str:
    """A log level; raises `InvalidFields`."""
    if level not in _LEVELS:
        what = f"{level!r} is no log level"
        raise InvalidFields((FieldProblem("--log-level", what, f"use {', '.join(_LEVELS)}", value=level),))
    return level


def fabric(lab: str, namespaces: str, world: World, before: World | None = None, begun: Sequence[World] = ()) -> Fabric:
    """Where to enforce; a lab that is not up is built. ``before`` and ``begun`` are as `Namespaces` has them."""
    from ringfence.agent.fabric import LabFabric
    from ringfence.agent.namespaces import Namespaces
    from ringfence.lab.lab import Lab

    if namespaces:
        return Namespaces(namespaces, before=before, begun=begun)
    try:
        return LabFabric(Lab.up(world, lab))
    except LabExists:
        return LabFabric(Lab.attach(lab))
