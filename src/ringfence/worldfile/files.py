"""World files on disk: read as text with their own line ends, and replaced at once."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import NamedTemporaryFile

from ringfence.errors import InvalidInput


def read_text(path: Path) -> str:
    """The text of a file with its own line ends; raises `InvalidInput` where it cannot be read, or is no text."""
    try:
        return path.read_bytes().decode()
    except OSError as error:
        raise InvalidInput(f"cannot read {path}: {error.strerror}; name a world file") from None
    except UnicodeDecodeError as error:
        raise InvalidInput(f"cannot read {path}: byte {error.start} is not UTF-8; save it as UTF-8 text") from None


def replace_text(path: Path, old: str, new: str) -> None:
    """Put a text in place of the one that was read from a file, or from the one that a link names.

    At once, with the file's permissions and owner. Raises `InvalidInput` where it cannot be written, is not to be (it
    is read-only, also to root), or says something else than ``old`` by now: somebody else changed it.
    """
    target = path.resolve()
    try:
        if not target.stat().st_mode & 0o222:
            raise InvalidInput(f"cannot write {path}: it is read-only; make it writable first (chmod u+w)")
        with NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False) as draft:
            try:
                _fill(draft.fileno(), new, target)
                if read_text(target) != old:
                    raise InvalidInput(f"{path} was changed meanwhile, and stays as it is; run the command again")
                os.replace(draft.name, target)
            except BaseException:
                os.unlink(draft.name)
                raise
    except OSError as error:
        raise InvalidInput(f"cannot write {path}: {error.strerror}") from None


def _fill(draft: int, text: str, like: Path) -> None:
    """Give a new file its text, and the permissions and owner of another."""
    found = like.stat()
    with os.fdopen(draft, "wb", closefd=False) as file:
        file.write(text.encode())
    if (found.st_uid, found.st_gid) != (os.geteuid(), os.getegid()):
        os.fchown(draft, found.st_uid, found.st_gid)
    os.fchmod(draft, found.st_mode & 0o7777)
    os.fsync(draft)
