"""Entering a network namespace from within the process: a thread may be in another one for a moment."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ringfence.errors import CannotRun

NAMESPACES = Path("/run/netns")
"""Where iproute2 keeps the names of namespaces."""

_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


@contextmanager
def inside(namespace: str) -> Iterator[None]:
    """Run the block with the calling thread inside a named network namespace.

    Sockets made there stay there. Raises `CannotRun` if there is no such namespace.
    """
    here = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        _enter(NAMESPACES / namespace)
        try:
            yield
        finally:
            _set(here)
    finally:
        os.close(here)


def _enter(path: Path) -> None:
    try:
        there = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise CannotRun(f"there is no network namespace {path.name!r}; {error.strerror}") from None
    try:
        _set(there)
    finally:
        os.close(there)


def _set(descriptor: int) -> None:
    if _libc.setns(descriptor, _CLONE_NEWNET):
        raise CannotRun(f"cannot enter a network namespace: {os.strerror(ctypes.get_errno())}; run as root")
