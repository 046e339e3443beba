"""Statements of the path that every change takes: built by SQLAlchemy once, run by the driver itself.

A change of one rule is five statements. SQLite needs 80 µs for them; what SQLAlchemy does around each execution would
make that 400 µs, more than the wait for the disk (both measured on the machine that this was written on).
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import psycopg
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.sql import ClauseElement

_DIALECTS = (sqlite.dialect(paramstyle="qmark"), psycopg.dialect(paramstyle="format"))  # type: ignore[no-untyped-call]
Parameters = tuple[int | str | None, ...]


class Fast:
    """One statement, as text for either database. Its parameters are plain numbers and texts, in an order of names."""

    __slots__ = ("_texts",)

    def __init__(self, statement: ClauseElement, order: Sequence[str] = ()) -> None:
        compiled = {dialect.name: statement.compile(dialect=dialect) for dialect in _DIALECTS}
        for it in compiled.values():
            assert tuple(getattr(it, "positiontup", None) or ()) == tuple(order), f"{it} has other parameters"
        self._texts = {name: str(it) for name, it in compiled.items()}

    def run(self, connection: Connection, rows: Sequence[Parameters] = ((),)) -> DBAPICursor:
        """Run it for each of some rows of parameters; raises the driver's own errors."""
        cursor = connection.connection.cursor()
        text = self._texts[connection.dialect.name]
        if len(rows) == 1:
            cursor.execute(text, rows[0])
        else:
            cursor.executemany(text, rows)
        return cursor
