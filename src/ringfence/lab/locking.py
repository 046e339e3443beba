"""One lock a lab: held while it is built or taken down, and inherited by the short-lived programs that do the work.

The kernel gives the lock back when the last process that holds it has ended. So a ``down`` that comes after a
``kill -9`` of ``up`` waits for an ``ip`` that is still at work, and nothing appears behind its back.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ringfence.lab.names import RUN, LabNames


@contextmanager
def locked(names: LabNames) -> Iterator[int]:
    """Hold a lab's lock, waiting for it if need be; gives its descriptor, for programs to inherit."""
    descriptor = _acquire(names.lock)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _acquire(path: Path) -> int:
    while True:
        RUN.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except FileNotFoundError:
            continue  # the last lab went away just now, and the directory with it
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if _is_at(descriptor, path):
            return descriptor
        os.close(descriptor)  # who held it before us has removed the file: what we hold protects nothing


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def discard(names: LabNames) -> None:
    """Remove the lock's file, and the directory of all labs if this was the last. Only while the lock is held."""
    names.lock.unlink(missing_ok=True)
    with suppress(OSError):  # another lab is up
        RUN.rmdir()
