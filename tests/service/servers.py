"""Real servers in processes of their own: ``ringfence serve``, started fast, and killed without warning.

A process that has imported everything forks one for each server, so that a start costs what a start does and not what
Python's imports do. It ends with the tests' process, and its servers with it.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ringfence.client.client import Client
from ringfence.security.keys import AccessKey
from ringfence.security.secret import Secret

KEY = AccessKey("LTAIservicetests00000000", Secret("the root key of servers that tests start"))
PATIENCE = 30.0
"""Seconds within which a server starts, or a killed one is gone."""
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Running:
    """A server: a process, and where it answers."""

    pid: int
    url: str

    def client(self, timeout: float = PATIENCE) -> Client:
        """A client that acts as the operator."""
        return Client(self.url, key=KEY, timeout=timeout)

    def end(self, number: int = signal.SIGKILL) -> None:
        """End it by a signal, and wait until it is gone."""
        handle = os.pidfd_open(self.pid)
        try:
            os.kill(self.pid, number)
            gone, _, _ = select.select([handle], [], [], PATIENCE)
            assert gone, f"server {self.pid} is still there"
        finally:
            os.close(handle)


class Servers:
    """Starts servers; ``directory`` holds their stores, keys and logs."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._log = (directory / "servers.log").open("ab")
        named = {"RINGFENCE_ROOT_ACCESS_KEY_ID": KEY.id, "RINGFENCE_ROOT_ACCESS_KEY_SECRET": KEY.secret.reveal()}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.service.servers"],
            cwd=Path(__file__).parents[2],
            env=os.environ | named,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )

    def start(self, *, database: str = "", namespaces: str = "") -> Running:
        """Start a server on the store that they share, and wait until it answers and enforces."""
        assert self._process.stdin
        said = {"data": str(self.directory), "database": database, "namespaces": namespaces}
        self._process.stdin.write(json.dumps(said) + "\n")
        self._process.stdin.flush()
        return Running(int(self._read("pid ")), self._read("Ringfence answers at "))

    def _read(self, beginning: str) -> str:
        """What follows a beginning, in the next line that has it."""
        assert self._process.stdout
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            line = self._process.stdout.readline()
            assert line, (self.directory / "servers.log").read_text()
            if line.startswith(beginning):
                return line.removeprefix(beginning).strip()
        raise AssertionError(f"no server said {beginning!r}")

    def close(self) -> None:
        """End what still runs."""
        self._process.communicate(timeout=PATIENCE)
        self._log.close()


@contextmanager
def servers(directory: Path) -> Iterator[Servers]:
    """Where servers can be started until the block ends."""
    made = Servers(directory)
    try:
        yield made
    finally:
        made.close()


def main() -> None:
    """Fork a server for each line of the input; at its end, kill those that are left."""
    from ringfence.agent import agent, enforcer, namespaces  # noqa: F401  # for the servers, once
    from ringfence.cli.serving import serve
    from ringfence.server import runtime  # noqa: F401

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        said = json.loads(line)
        if not os.fork():
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            print("pid", os.getpid(), flush=True)
            listen, level = "127.0.0.1:0", "warning"
            serve(Path(said["data"]), listen, said["database"], None, "", said["namespaces"], log_level=level)
            os._exit(0)


if __name__ == "__main__":
    main()
