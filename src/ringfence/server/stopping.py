"""Signals that end a process, turned into an orderly end, from its first moment on."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Stopping:
    """The first signal unwinds what is being started, or calls what was named to stop what runs. More do nothing.

    A signal that whoever started the process has it ignore stays ignored, as nohup does with SIGHUP. For the main
    thread; the process exits with code 0.
    """

    def __init__(self) -> None:
        self._is_told = False
        self._stop: Callable[[], None] | None = None
        for number in _SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._tell)

    def by(self, stop: Callable[[], None]) -> None:
        """From now on, a signal calls this instead of unwinding the main thread."""
        self._stop = stop

    def _tell(self, _number: int, _frame: FrameType | None) -> None:
        if self._stop:
            self._stop()
        elif not self._is_told:
            self._is_told = True
            raise SystemExit(0)
