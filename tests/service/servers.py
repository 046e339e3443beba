"""Real servers in processes of their own: ``ringfence serve``, started fast, and killed without warning.

A process that has imported everything forks one for each server, so that a start costs what a start does and not what
Python's imports do. It ends with the tests' process, and its servers with it.
"""

from __future__ import annotations

import ctypes
import json
import os
import queue
import select
import signal
import subprocess
import sys
import threading
import time
import traceback
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ringfence.client.client import Client
from ringfence.security.keys import AccessKey
from ringfence.security.secret import Secret

KEY = AccessKey("LTAIservicetests00000000", Secret("root-key-of-servers-that-tests-start"))
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
    """Starts servers; ``log`` is where they all write what they have to say."""

    def __init__(self, log: Path) -> None:
        self._told = log
        self._log = log.open("ab")
        named = {"RINGFENCE_ROOT_ACCESS_KEY_ID": KEY.id, "RINGFENCE_ROOT_ACCESS_KEY_SECRET": KEY.secret.reveal()}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.service.servers"],
            cwd=Path(__file__).parents[2],
            env=os.environ | named,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
        )
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        assert self._process.stdout
        with self._process.stdout as said:
            for line in said:
                self._lines.put(line.decode())
        self._lines.put("")

    def start(self, data: Path, *, database: str = "", namespaces: str = "") -> Running:
        """Start a server with a directory for its store and key, and wait until it answers and enforces."""
        assert self._process.stdin
        said = {"data": str(data), "database": database, "namespaces": namespaces}
        self._process.stdin.write(json.dumps(said).encode() + b"\n")
        self._process.stdin.flush()
        return Running(int(self._read("pid ")), self._read("Ringfence answers at "))

    def _read(self, beginning: str) -> str:
        """What follows a beginning, in the next line that has it."""
        end = time.monotonic() + PATIENCE
        with suppress(queue.Empty):
            while line := self._lines.get(timeout=max(0, end - time.monotonic())):
                if line.startswith(beginning):
                    return line.removeprefix(beginning).strip()
        raise AssertionError(f"no server said {beginning!r}:\n{self._told.read_text()}")

    def close(self) -> None:
        """End what still runs."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(PATIENCE)
        self._listener.join(PATIENCE)
        self._log.close()


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
            try:
                serve(Path(said["data"]), listen, said["database"], None, "", said["namespaces"], log_level=level)
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            os._exit(0)


if __name__ == "__main__":
    main()
