"""The command ``ringfence`` in the test's own process: what it prints, and with which code it ends."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from ringfence.cli.main import run


@dataclass(frozen=True)
class Done:
    """What a command has done."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed for programs."""
        return json.loads(self.out)


def ringfence(*words: str, env: Mapping[str, str] | None = None, given: bytes = b"") -> Done:
    """Run a command with some input; nobody sits at a terminal."""
    out, err = _stream(), _stream()
    with (
        patch.dict("os.environ", env or {}),
        patch.object(sys, "argv", ["ringfence", *words]),
        patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(given))),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        code = _code_of_run()
    return Done(code, _text(out), _text(err))


def _code_of_run() -> int:
    try:
        run()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def _stream() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True)


def _text(stream: io.TextIOWrapper) -> str:
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode()


Row = tuple[str | Sequence[str], int, Sequence[str]]
"""The words of a command, its exit code, and pieces of what it prints."""
