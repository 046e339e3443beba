"""The file of the keys that seal secrets: its owner's alone, one 256-bit key a line in hex, the newest last."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ringfence.errors import KeyFileUnusable

KEY_BYTES = 32
_KEY = re.compile(r"[0-9a-f]{64}")
_MOST_BYTES = 64 * 1024  # a thousand rotations; more is some other file


def read_or_make(path: Path) -> tuple[bytes, ...]:
    """The keys in the file, oldest first; a file with one new key is made where there is none.

    Raises `KeyFileUnusable` where the file is not its owner's alone, no plain file, or holds anything but keys.
    """
    if not os.path.lexists(path):
        with suppress(FileExistsError):  # of two that start at once, one makes it and both read it
            _create(path, (secrets.token_bytes(KEY_BYTES),))
    return read(path)


def read(path: Path) -> tuple[bytes, ...]:
    """The keys in a file that is there, oldest first; raises `KeyFileUnusable`."""
    lines = _content(path).splitlines()
    if not lines or any(_KEY.fullmatch(line) is None for line in lines):
        raise _unusable(path, "does not hold keys", "each line must be 64 hexadecimal digits")
    return tuple(bytes.fromhex(line) for line in lines)


def append(path: Path) -> tuple[bytes, ...]:
    """Put a new key last, in one step that a crash cannot halve; gives all keys. Raises `KeyFileUnusable`."""
    with _directory(path) as directory:
        fcntl.flock(directory, fcntl.LOCK_EX)  # two rotations at once must not lose each other's key
        keys = (*read(path), secrets.token_bytes(KEY_BYTES))
        os.replace(_written(path, keys), path)
        os.fsync(directory)
    return keys


def _create(path: Path, keys: tuple[bytes, ...]) -> None:
    """Make the file, whole or not at all; raises `FileExistsError` where there is one by now."""
    with _directory(path) as directory:
        fresh = _written(path, keys)
        try:
            os.link(fresh, path)
        finally:
            fresh.unlink()
        os.fsync(directory)


def _written(path: Path, keys: tuple[bytes, ...]) -> Path:
    """A new file beside the given one, its owner's alone and safe on disk."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(file, "w") as out:
        out.writelines(f"{key.hex()}\n" for key in keys)
        out.flush()
        os.fsync(file)
    return fresh


@contextmanager
def _directory(path: Path) -> Iterator[int]:
    """The directory of the file, open; what goes wrong in it on the way is told as `KeyFileUnusable`."""
    try:
        directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            yield directory
        finally:
            os.close(directory)
    except FileExistsError:
        raise
    except OSError as error:
        raise _unusable(path, f"cannot be made: {error.strerror}", "its directory must be there and writable") from None


def _content(path: Path) -> str:
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        what = "is a symbolic link" if error.errno == errno.ELOOP else f"cannot be read: {error.strerror}"
        raise _unusable(path, what, "it must be a plain file that this process may read") from None
    try:
        _check(path, os.fstat(file))
        return os.read(file, _MOST_BYTES).decode("ascii", "replace")
    finally:
        os.close(file)


def _check(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise _unusable(path, "is no plain file", "it must be one")
    if status.st_mode & 0o077:
        mode = oct(stat.S_IMODE(status.st_mode))[2:]
        raise _unusable(path, f"is open to others (mode {mode})", f"make it its owner's alone: chmod 600 {path}")
    if status.st_uid not in (0, os.geteuid()):
        raise _unusable(path, "belongs to another user", "it must belong to root or to the user of this process")


def _unusable(path: Path, what: str, right: str) -> KeyFileUnusable:
    return KeyFileUnusable(f"key file {path} {what}; {right}")
