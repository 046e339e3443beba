"""The service as real processes: started, asked, signalled and ended by their ids."""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from ringfence.cli.main import run
from ringfence.client.client import Client
from ringfence.security.keys import AccessKey
from ringfence.security.secret import Secret

PATIENCE = 60.0
"""Seconds for what takes a moment on a quiet machine."""
ROOT = AccessKey("LTAIrootrootrootrootroot", Secret("a-secret-of-the-operators-own"))
"""The operator's key, where a test gives it."""
_OURS = re.compile(r"RINGFENCE_|NOTIFY_SOCKET|PYTHONDONTWRITEBYTECODE|XDG_")


def given(key: AccessKey = ROOT) -> dict[str, str]:
    """The environment that gives the operator's key."""
    return {"RINGFENCE_ROOT_ACCESS_KEY_ID": key.id, "RINGFENCE_ROOT_ACCESS_KEY_SECRET": key.secret.reveal()}


def of(url: str, key: AccessKey = ROOT) -> dict[str, str]:
    """The environment of who asks a server."""
    key_of = {"RINGFENCE_ACCESS_KEY_ID": key.id, "RINGFENCE_ACCESS_KEY_SECRET": key.secret.reveal()}
    return {"RINGFENCE_SERVER": url, **key_of}


@dataclass
class Process:
    """A ``ringfence`` that runs, and what it has written so far."""

    popen: subprocess.Popen[bytes] | Forked
    out_file: Path
    err_file: Path

    @property
    def out(self) -> str:
        """What it has written to its output."""
        return self.out_file.read_text()

    @property
    def err(self) -> str:
        """Its log."""
        return self.err_file.read_text()

    def wait_for(self, text: str, seconds: float = PATIENCE) -> None:
        """Wait until it has written something, to its output or its log."""
        until(lambda: text in self.out + self.err or self._ended(text), seconds, lambda: f"no {text!r}: {self.err}")

    def _ended(self, text: str) -> bool:
        assert self.popen.poll() is None, f"it ended with {self.popen.poll()} before {text!r}: {self.err}"
        return False

    def end(self, number: signal.Signals = signal.SIGTERM, seconds: float = PATIENCE) -> int:
        """Signal it, and give its exit code."""
        self.popen.send_signal(number)
        return self.popen.wait(seconds)

    def kill(self) -> None:
        """End it as a power failure would."""
        self.end(signal.SIGKILL)


@dataclass
class Server(Process):
    """A ``ringfence serve`` that answers."""

    url: str = ""
    clients: list[Client] = field(default_factory=list)

    @property
    def port(self) -> str:
        """Its port."""
        return self.url.rpartition(":")[2]

    def client(self, key: AccessKey = ROOT, account: str = "") -> Client:
        """A client of it."""
        self.clients.append(Client(self.url, key=key, account=account))
        return self.clients[-1]


def command(
    *words: str | Path, env: Mapping[str, str] | None = None, **options: Any
) -> subprocess.CompletedProcess[str]:
    """Run a ``ringfence`` to its end."""
    done = subprocess.run(_words(words), env=_env(env), capture_output=True, text=True, check=False, **options)
    assert "Traceback" not in done.stderr, done.stderr
    return done


class Done(NamedTuple):
    """How a command ended, and what it has written."""

    returncode: int
    stdout: str
    stderr: str


def forked(*words: str | Path, env: Mapping[str, str] | None = None) -> Done:
    """Run a ``ringfence`` to its end in a process that need not import everything again."""
    with tempfile.TemporaryDirectory() as directory:
        out, err = Path(directory) / "out", Path(directory) / "err"
        code = Forked(_words(words), _env(env), out, err).wait(PATIENCE)
        done = Done(code, out.read_text(), err.read_text())
    assert "Traceback" not in done.stderr, done.stderr
    return done


_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.server.processes", "ringfence.server.runtime", "ringfence.cli.serving"])


class Forked:
    """A ``ringfence`` in a process of its own, forked from one that has imported everything; else as a `Popen`."""

    def __init__(self, argv: list[str], env: Mapping[str, str], out: Path, err: Path) -> None:
        self._process = _FORKS.Process(target=_become, args=(argv, env, out, err), daemon=True)
        self._process.start()
        assert self._process.pid
        self.pid = self._process.pid

    def send_signal(self, number: int) -> None:
        """Signal it, if it has not ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def poll(self) -> int | None:
        """Its exit code; None while it runs."""
        return self._process.exitcode

    def wait(self, seconds: float) -> int:
        """Wait for its end, and give its exit code."""
        self._process.join(seconds)
        code = self.poll()
        assert code is not None, f"it did not end within {seconds} s"
        return code


def _become(argv: list[str], env: Mapping[str, str], out: Path, err: Path) -> None:
    """Be a ``ringfence`` from here on."""
    code = 70
    for number, path in ((1, out), (2, err)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), number)
    sys.stdout, sys.stderr = (os.fdopen(number, "w", closefd=False) for number in (1, 2))
    try:
        os.environ.clear()
        os.environ.update(env)
        sys.argv = argv[2:]
        run()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0 if end.code is None else 71
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


class Processes:
    """Starts processes in a directory, and ends what is left of them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.started: list[Process] = []

    def start(
        self, *words: str | Path, env: Mapping[str, str] | None = None, through: Sequence[str] | None = None
    ) -> Process:
        """Start a ``ringfence``; where ``through`` is a command, or an empty one, as a program from its beginning."""
        out, err = (self.directory / f"{len(self.started)}.{name}" for name in ("out", "err"))
        out.touch()
        err.touch()
        popen: Forked | subprocess.Popen[bytes]
        if through is None:
            popen = Forked(_words(words), _env(env), out, err)
        else:
            with out.open("wb") as told, err.open("wb") as log:
                popen = subprocess.Popen([*through, *_words(words)], env=_env(env), stdout=told, stderr=log)
        self.started.append(Process(popen, out, err))
        return self.started[-1]

    def serve(
        self,
        *words: str | Path,
        data: str = "data",
        port: str = "0",
        env: Mapping[str, str] | None = None,
        through: Sequence[str] | None = None,
    ) -> Server:
        """Start a server, and wait until it answers; the operator's key is `ROOT` unless ``env`` says otherwise."""
        options = ("serve", "--data", self.directory / data, "--listen", f"127.0.0.1:{port}")
        process = self.start(*options, *words, env=given() if env is None else env, through=through)
        process.wait_for("Ringfence answers at ")
        found = re.search(r"answers at (\S+)", process.out)
        assert found
        server = Server(process.popen, process.out_file, process.err_file, found[1])
        self.started[-1] = server
        return server

    def agent(self, server: str, *words: str | Path, name: str = "one", key: AccessKey = ROOT) -> Process:
        """Start an agent."""
        where = ("--name", name, "--data", self.directory / f"agent-{name}")
        return self.start("agent", *where, *words, env=of(server, key))

    def output(self) -> str:
        """Everything that any of them has written."""
        return "".join(each.out + each.err for each in self.started)

    def close(self) -> None:
        """End what still runs."""
        for each in self.started:
            if isinstance(each, Server):
                for client in each.clients:
                    client.close()
            if each.popen.poll() is None:
                each.kill()


@contextmanager
def processes(directory: Path) -> Iterator[Processes]:
    """Processes that end with the block, whatever becomes of it; none of them may have written a traceback."""
    made = Processes(directory)
    try:
        yield made
    finally:
        made.close()
    assert "Traceback" not in made.output(), made.output()


def until(holds: Callable[[], bool], seconds: float = PATIENCE, why: Callable[[], str] = lambda: "in vain") -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, why()
        time.sleep(0.02)


def _words(words: tuple[str | Path, ...]) -> list[str]:
    return [sys.executable, "-m", "ringfence", *map(str, words)]


def _env(more: Mapping[str, str] | None) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not _OURS.match(name)}
    return kept | dict(more or {})
