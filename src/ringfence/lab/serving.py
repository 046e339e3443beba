"""Starting the listeners of a lab: one process for each instance that serves anything, inside its namespace."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from ringfence.backends.netns import inside
from ringfence.errors import CannotRun
from ringfence.lab.names import LabNames
from ringfence.model.topology import Instance
from ringfence.model.world import World

_PROGRAM = str(Path(__file__).with_name("listener.py"))
LOG = "listeners.log"
"""What the listeners had to say, in the lab's directory."""


def start_listeners(world: World, names: LabNames) -> None:
    """Start them all and wait until each listens; raises `CannotRun` with what the one that cannot had to say.

    They outlive this process and hold nothing of it: they are in the namespace from their first moment on, and it is
    by this that ``down`` finds them.
    """
    log = names.directory / LOG
    with log.open("ab") as errors:
        waiting = [
            (instance, _start(instance, names, errors.fileno()))
            for instance in world.instances.values()
            if instance.serve
        ]
    for instance, pipe in waiting:
        with os.fdopen(pipe, "rb") as said:
            if said.readline() != b"ready\n":
                reason = (log.read_text(errors="replace").strip().splitlines() or ["it ended"])[-1]
                raise CannotRun(f"{instance} cannot serve {', '.join(map(str, instance.serve))}: {reason}")


def _start(instance: Instance, names: LabNames, errors: int) -> int:
    """Start one; gives the pipe on which it says that it is ready."""
    read, write = os.pipe()
    command = [sys.executable, "-I", "-S", _PROGRAM, *map(str, instance.serve)]
    null = (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)
    outputs = [(os.POSIX_SPAWN_DUP2, write, 1), (os.POSIX_SPAWN_DUP2, errors, 2)]
    try:
        with inside(names.instance(instance.name)):
            # A session of its own: Ctrl-C at the terminal of ``up`` is not for it.
            os.posix_spawn(command[0], command, os.environ, file_actions=[null, *outputs], setsid=True)
    finally:
        os.close(write)
    return read
