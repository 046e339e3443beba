"""Files that commands read and write, and how a change of one is shown."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import unified_diff
from pathlib import Path

from ringfence.errors import InvalidInput


def read_bytes(file: Path) -> bytes:
    """What a file holds, or the input for ``-``; raises `InvalidInput`."""
    try:
        return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise InvalidInput(f"{file} cannot be read: {error.strerror}; name a file that can") from None


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Where a file is written that somebody named; raises `InvalidInput` if it cannot be."""
    try:
        yield
    except OSError as error:
        raise InvalidInput(f"{path} cannot be written: {error.strerror or error}; name another file") from error


def write(file: Path, content: str | bytes) -> None:
    """Write a file of results. Raises `InvalidInput`."""
    with writing(file):
        file.write_bytes(content.encode() if isinstance(content, str) else content)


def deliver(content: bytes, output: Path | None) -> None:
    """Write what was asked for to a file, or print it. Raises `InvalidInput`."""
    if output is None:
        sys.stdout.buffer.write(content)
    else:
        write(output, content)


def changes(name: str, before: str, after: str, context: int = 3) -> str:
    """What a change of a text changes, as a unified diff that ``patch`` understands; empty if it changes nothing."""
    old, new = (text.split("\n") for text in (before, after))
    lines = unified_diff(_ended(old), _ended(new), name, name, n=context)
    return "".join(lines)


def _ended(lines: list[str]) -> list[str]:
    *whole, last = lines
    return [f"{line}\n" for line in whole] + ([f"{last}\n\\ No newline at end of file\n"] if last else [])
