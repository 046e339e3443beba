"""The programs of a lab that stay: a listener in each guest that serves anything, and a watcher for virtual IPs."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from ringfence.backends.netns import inside
from ringfence.errors import CannotRun
from ringfence.lab.names import LabNames
from ringfence.lab.parts import guests
from ringfence.model.address import Address
from ringfence.model.topology import Instance
from ringfence.model.world import World

LISTENER = str(Path(__file__).with_name("listener.py"))
"""The program that serves; by this word in its command line it is found again."""
LOG = "listeners.log"
"""What the listeners had to say, in the lab's directory."""


class Serving(NamedTuple):
    """What listens in one guest: the listener's arguments, and whose it is."""

    instance: str
    wanted: tuple[str, ...]


def listeners(world: World, names: LabNames) -> dict[str, Serving]:
    """What listens, by the namespace in which it does."""
    found: dict[str, Serving] = {}
    for target, namespace in guests(world, names).items():
        instance, _, inner = target.partition("/")
        elsewhere = _addresses_elsewhere(world.instances[instance], inner)
        wanted = tuple(str(it) for it in world.instances[instance].serve if it.address not in elsewhere)
        if wanted:
            found[namespace] = Serving(instance, wanted)
    return found


def _addresses_elsewhere(instance: Instance, namespace: str) -> set[Address | None]:
    """The addresses that an instance has in another namespace of its guest: nothing can be bound to them here."""
    return {address for port in instance.ports if port.namespace != namespace for address in port.addresses}


def start_listeners(wanted: Mapping[str, Serving], names: LabNames) -> None:
    """Start them all and wait until each listens; raises `CannotRun` with what the one that cannot had to say."""
    commands = {
        namespace: [sys.executable, "-I", "-S", LISTENER, *serving.wanted] for namespace, serving in wanted.items()
    }
    for namespace, reason in start(commands, names.directory / LOG).items():
        serving = wanted[namespace]
        raise CannotRun(f"{serving.instance} cannot serve {', '.join(serving.wanted)}: {reason}")


def start(commands: Mapping[str, list[str]], log: Path) -> dict[str, str]:
    """Start programs, each in a namespace, and wait until they say ``ready``; gives what those said that could not.

    They outlive this process and hold nothing of it: they are in the namespace from their first moment on, and it is
    by this that ``down`` finds them.
    """
    with log.open("ab") as errors:
        pipes = {namespace: _spawn(command, namespace, errors.fileno()) for namespace, command in commands.items()}
    failed = {}
    for namespace, pipe in pipes.items():
        with os.fdopen(pipe, "rb") as said:
            if said.readline() != b"ready\n":
                failed[namespace] = (log.read_text(errors="replace").strip().splitlines() or ["it ended"])[-1]
    return failed


def _spawn(command: list[str], namespace: str, errors: int) -> int:
    """Start one; gives the pipe on which it says that it is ready."""
    read, write = os.pipe()
    null = (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)
    outputs = [(os.POSIX_SPAWN_DUP2, write, 1), (os.POSIX_SPAWN_DUP2, errors, 2)]
    try:
        with inside(namespace):
            # A session of its own: Ctrl-C at the terminal of ``up`` is not for it.
            os.posix_spawn(command[0], command, os.environ, file_actions=[null, *outputs], setsid=True)
    finally:
        os.close(write)
    return read
