"""Running a user's command inside a namespace of the lab."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

from ringfence.backends.netns import inside
from ringfence.errors import ToolMissing


def run_inside(namespace: str, command: Sequence[str]) -> int:
    """Run a command inside a namespace, on our own input and output; gives its exit code.

    A command that a signal ended has 128 and the signal's number, as in a shell. Raises `ToolMissing` if there is none
    of its name.
    """
    with _forwarding_signals() as started:
        try:
            with inside(namespace):
                process = subprocess.Popen(command)
        except OSError as error:
            raise ToolMissing(f"{command[0]!r} cannot be run: {error.strerror}") from None
        started(process)
        while True:
            with suppress(KeyboardInterrupt):  # the command was interrupted too, and says itself how it ends
                code = process.wait()
                return code if code >= 0 else 128 - code


@contextmanager
def _forwarding_signals() -> Iterator[Callable[[subprocess.Popen[bytes]], None]]:
    """Who ends us means the command: pass TERM and HUP on to the process that the block says it has started."""
    running: list[subprocess.Popen[bytes]] = []
    early: list[int] = []

    def forward(number: int, _: object) -> None:
        if running:
            running[0].send_signal(number)
        else:
            early.append(number)

    def started(process: subprocess.Popen[bytes]) -> None:
        running.append(process)
        for number in early:
            process.send_signal(number)

    before = {number: signal.signal(number, forward) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield started
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
