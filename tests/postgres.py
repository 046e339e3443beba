"""A real PostgreSQL for tests: one private server for each pytest process that asks, and fresh schemas in it.

The server listens on a Unix socket in a temporary directory only, keeps what it commits (fsync on), and ends with the
process that started it, even if that is killed. ``initdb`` refuses root: as root it runs as the user ``postgres`` that
Debian's package makes, else ``nobody``.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest

_SETTINGS = {"listen_addresses": "", "fsync": "on", "max_connections": "60", "shared_buffers": "32MB"}


def _binaries() -> Path | None:
    """Where the newest server is, as Debian installs it, or as the PATH has it."""
    versions = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if versions:
        return max(versions, key=lambda path: float(path.parent.name))
    found = shutil.which("initdb")
    return Path(found).resolve().parent if found else None


def _as_user(directory: Path) -> list[str]:
    """What to put before a command so that it runs unprivileged, in a directory that is made the user's own."""
    if os.geteuid() != 0:
        return []
    names = {entry.pw_name for entry in pwd.getpwall()}
    user = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
    os.chown(directory, user.pw_uid, user.pw_gid)
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]


class Server:
    """A server with its data in a directory of its own, until ``stop``."""

    def __init__(self, binaries: Path) -> None:
        self._directory = Path(tempfile.mkdtemp(prefix="ringfence-pg-"))  # short: a socket's path has at most 107 bytes
        self._numbers = count(1)
        user = _as_user(self._directory)
        data = self._directory / "data"
        making: list[str | Path] = [binaries / "initdb", "--no-sync", "--auth=trust", "--username=ringfence"]
        done = subprocess.run(
            [*user, *making, "--encoding=UTF8", "--locale=C.UTF-8", data],
            cwd=self._directory,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        settings = [part for name, value in _SETTINGS.items() for part in ("-c", f"{name}={value}")]
        running: list[str | Path] = [binaries / "postgres", "-D", data, "-k", self._directory, *settings]
        with (self._directory / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [*(user or ["setpriv"]), "--pdeathsig=QUIT", *running], cwd=self._directory, stdout=log, stderr=log
            )
        self._wait()

    def _connect(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(
            host=str(self._directory), user="ringfence", dbname="postgres", autocommit=True, connect_timeout=5
        )

    def _wait(self) -> None:
        deadline = time.monotonic() + 60
        while True:
            try:
                self._connect().close()
                return
            except psycopg.OperationalError:
                log = (self._directory / "log").read_text(errors="replace")
                assert self._process.poll() is None, log
                assert time.monotonic() < deadline, log
                time.sleep(0.05)

    def fresh_database(self) -> str:
        """The URL of an empty schema, which is all that its connections see: a database takes 0.5 s to make."""
        name = f"t{next(self._numbers)}"
        with self._connect() as connection:
            connection.execute(f"CREATE SCHEMA {name}")
        return f"postgresql+psycopg://ringfence@/postgres?host={self._directory}&options=-csearch_path%3D{name}"

    def stop(self) -> None:
        """End the server, and remove all it kept."""
        self._process.send_signal(signal.SIGQUIT)  # at once: in order, it would write what is thrown away here
        self._process.wait(30)
        shutil.rmtree(self._directory)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Callable[[], str]]:
    """Gives the URL of a fresh, empty PostgreSQL database (a schema that stands for one) at each call."""
    binaries = _binaries()
    if not binaries:
        reason = "no PostgreSQL server is installed: apt-get install postgresql, or run ./setup.sh .venv as root"
        assert os.geteuid() != 0, reason  # as root nothing is skipped
        pytest.skip(reason)
    server = Server(binaries)
    yield server.fresh_database
    server.stop()
