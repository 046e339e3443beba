"""``ringfence backup``, ``restore`` and ``rotate-key``: looking after what the service keeps."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ringfence.cli.places import Data, Database, KeyFile, data_directory
from ringfence.errors import CannotRun

if TYPE_CHECKING:  # the command line starts without what only a service needs
    from ringfence.server.runtime import Settings
    from ringfence.store.store import Store


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (backup, restore, rotate_key):
        app.command(name=command.__name__.replace("_", "-"))(command)


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write it; - is the output.")],
    data: Data = None,
    database: Database = "",
) -> None:
    """Write everything that the store holds to a file; the service may run meanwhile.

    The key that seals secrets is not in it: keep a copy of the key file apart.
    """
    with _store_that_is_there(_settings(data, database)) as store:
        if str(file) == "-":
            store.dump(sys.stdout.buffer)
            return
        fresh = file.with_name(f"{file.name}.new")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
            store.dump(stream)
            stream.flush()
            os.fsync(stream.fileno())
        fresh.rename(file)
        print(f"backed up to {file}")


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A backup; - is the input.")],
    data: Data = None,
    database: Database = "",
) -> None:
    """Fill an empty store from a backup, which is checked as a whole first. Not while the service runs.

    Put the key file back as well: without it, nobody's access key opens.
    """
    from ringfence.store.store import Store

    with (
        sys.stdin.buffer if str(file) == "-" else file.open("rb") as stream,
        closing(Store.open(_settings(data, database).database)) as store,
    ):
        print(f"restored revision {store.restore(stream)}")


def rotate_key(data: Data = None, database: Database = "", key_file: KeyFile = None) -> None:
    """Seal all secrets under a new key. Stop the service first, and start it again after."""
    from ringfence.control.control import Control
    from ringfence.control.identity import reseal
    from ringfence.security.keyring import Keyring

    settings = _settings(data, database, key_file)
    with _store_that_is_there(settings) as store:
        count = reseal(Control(store), Keyring.rotate(settings.key_file))
        print(f"sealed {count} {'secret' if count == 1 else 'secrets'} under a new key")


def _settings(data: Path | None, database: str, key_file: Path | None = None) -> Settings:
    from ringfence.server.runtime import Settings

    needs_directory = not (database and key_file)
    return Settings.at(data_directory(data) if needs_directory else Path(), database, key_file)


@contextmanager
def _store_that_is_there(settings: Settings) -> Iterator[Store]:
    """A store that has been used: one that is made here by a mistake in its name would be no backup of anything."""
    from ringfence.store.store import Store
    from ringfence.store.urls import file_of

    file = file_of(settings.database)
    if file and not file.exists():
        raise CannotRun(f"there is no store {file}; name its directory with --data, or its URL with --database")
    with closing(Store.open(settings.database)) as store:
        if not store.head():
            raise CannotRun(f"the store {store.url_for_people()} is empty; name the one that the service uses")
        yield store
