"""A backup: every table as JSON lines, the same from either database, and checked as a whole before it is restored.

The first line says what it is, each line after it holds a table's name and one row's values in the order of the
columns, and the last one the number of rows of each table and the SHA-256 of all lines before it.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby, islice
from typing import IO, Any, NamedTuple

from sqlalchemy import Boolean, Column, Connection, Table, delete, insert, select, update

from ringfence.errors import BackupUnusable
from ringfence.store import history, records
from ringfence.store.migrating import schema_of
from ringfence.store.tables import HISTORY, METADATA

FORMAT = 1
_WHAT = "ringfence backup"
# Last is how far back the history can be read, which is checked against the revisions that are there.
_TABLES = {table.name: table for table in sorted(METADATA.sorted_tables, key=lambda table: table is HISTORY)}
_BATCH = 1000  # rows
_ALWAYS = {"meta", "history"}  # in a store that is empty, too
_TAKE_ANOTHER = "restore another copy of it"


class Line(NamedTuple):
    """One row: its table's name, and its values in the order of the columns."""

    table: str
    values: list[Any]


def dump(connection: Connection, stream: IO[bytes]) -> None:
    """Write all that the connection's snapshot holds."""
    digest, counts = hashlib.sha256(), Counter[str]()
    for line in _lines(connection, counts):
        text = _encoded(line)
        digest.update(text)
        stream.write(text)
    stream.write(_encoded({"rows": {name: counts[name] for name in _TABLES}, "sha256": digest.hexdigest()}))


def _lines(connection: Connection, counts: Counter[str]) -> Iterator[Any]:
    yield {
        "what": _WHAT,
        "format": FORMAT,
        "schema": schema_of(connection),
        "revision": history.head(connection).number,
        "store_id": records.meta(connection, "store_id"),
    }
    for table in _TABLES.values():
        statement = select(table).order_by(*table.primary_key.columns)
        for row in connection.execution_options(yield_per=_BATCH).execute(statement):
            counts[table.name] += 1
            yield [table.name, *row]


def _encoded(line: object) -> bytes:
    return json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def restore(connection: Connection, stream: Iterable[bytes]) -> int:
    """Write a backup into a store that is empty, in the connection's transaction; the revision it leads to.

    Raises BackupUnusable if the backup is not whole, or of another format or schema, or if the store is not empty.
    """
    with tempfile.TemporaryFile() as copy:
        revision = _check(stream, copy, schema_of(connection))
        _refuse_full(connection)
        copy.seek(0)
        connection.execute(delete(_TABLES["meta"]))
        for name, rows in groupby(map(_row, copy), lambda row: row.table):
            _write(connection, _TABLES[name], rows)
    return revision


def _check(stream: Iterable[bytes], copy: IO[bytes], schema: str | None) -> int:
    """That a backup is whole and fits, line by line; its rows are copied on the way. The revision it leads to."""
    lines = iter(stream)
    first = next(lines, b"")
    revision = _check_header(first, schema)
    digest, counts, last = hashlib.sha256(first), Counter[str](), None
    for number, line in enumerate(lines, 2):
        if last is not None:
            raise BackupUnusable(f"line {number} of the backup follows on its end; {_TAKE_ANOTHER}")
        if line.startswith(b"{"):
            last = line
            continue
        digest.update(line)
        counts[_checked(line, number).table] += 1
        copy.write(line)
    if last is None:
        raise BackupUnusable(f"the backup is cut off: its last line is missing; {_TAKE_ANOTHER}")
    if last != _encoded({"rows": {name: counts[name] for name in _TABLES}, "sha256": digest.hexdigest()}):
        raise BackupUnusable(f"the backup was changed: what it holds is not what its last line says; {_TAKE_ANOTHER}")
    return revision


def _check_header(line: bytes, schema: str | None) -> int:
    header = _parsed(line)
    if not isinstance(header, dict) or header.get("what") != _WHAT:
        raise BackupUnusable("this is no backup of a store; name a file that ringfence's backup wrote")
    if header.get("format") != FORMAT:
        raise BackupUnusable(f"the backup is of format {header.get('format')}; this version reads format {FORMAT}")
    if header.get("schema") != schema:
        raise BackupUnusable(
            f"the backup is of schema {header.get('schema')}, this store of schema {schema};"
            " restore it by the version of Ringfence that made it, and start this one on the outcome"
        )
    revision = header.get("revision")
    if not isinstance(revision, int):
        raise BackupUnusable(f"the backup does not say which revision it leads to; {_TAKE_ANOTHER}")
    return revision


def _checked(line: bytes, number: int) -> Line:
    row = _parsed(line)
    fits = isinstance(row, list) and row and isinstance(row[0], str) and row[0] in _TABLES
    columns = _TABLES[row[0]].columns if fits else ()
    if not fits or len(row) != len(columns) + 1 or not all(map(_fits, columns, row[1:])):
        raise BackupUnusable(f"line {number} of the backup is not a row of a store; {_TAKE_ANOTHER}")
    return Line(row[0], row[1:])


def _fits(column: Column[Any], value: object) -> bool:
    if value is None:
        return bool(column.nullable)
    if isinstance(column.type, Boolean):
        return isinstance(value, bool)
    return type(value) is column.type.python_type


def _parsed(line: bytes) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None


def _row(line: bytes) -> Line:
    name, *values = json.loads(line)
    return Line(name, values)


def _refuse_full(connection: Connection) -> None:
    where = history.locked_head(connection)
    full = [
        name for name, table in _TABLES.items() if name not in _ALWAYS and connection.execute(select(table)).first()
    ]
    if full or where != history.Head(0, 0, 0):
        raise BackupUnusable("the store is not empty; restore into a new one, and keep this one until that runs")


def _write(connection: Connection, table: Table, rows: Iterable[Line]) -> None:
    names = [column.name for column in table.columns]
    if table is HISTORY:
        for row in rows:
            connection.execute(update(table), dict(zip(names, row.values, strict=True)))
        return
    rest = iter(rows)
    while batch := [dict(zip(names, row.values, strict=True)) for row in islice(rest, _BATCH)]:
        connection.execute(insert(table), batch)
