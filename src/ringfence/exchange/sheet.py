"""XLSX, by openpyxl. What comes in is measured before openpyxl sees it: it is a ZIP of XML from anybody."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any

from openpyxl import Workbook, load_workbook

from ringfence.exchange.values import BadRulesFile, Limits

_RIGHT = "save it as an Excel workbook (.xlsx) that is not encrypted"
_PARTS = 200
_UNFIT = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
"""What XML cannot hold, and what would read as such a character: written as ``_xHHHH_`` (ECMA-376, ST_Xstring)."""
_ESCAPED = re.compile(r"_x((?![Dd][89A-Fa-f])[0-9A-Fa-f]{4})_")  # no half characters


def write(rows: Iterable[Sequence[str]], title: str = "Rules") -> bytes:
    """A workbook with one sheet. Every cell is a text, whatever it begins with: none is a formula."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = title
    for number, row in enumerate(rows, 1):
        for column, text in enumerate(row, 1):
            cell: Any = sheet.cell(number, column)
            cell.value = _UNFIT.sub(lambda found: f"_x{ord(found[0]):04X}_", text)
            cell.data_type = "s"
            cell.quotePrefix = True  # so that a text stays one when it is edited
    sheet.freeze_panes = "A2"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def read(data: bytes, limits: Limits) -> Iterator[tuple[int, Sequence[str]]]:
    """Each row of the first sheet, from 1. Raises `BadRulesFile`."""
    try:
        _measure(data, limits)
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=False, keep_links=False)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # what the file says of its own size need not be true
        for place, row in enumerate(sheet.iter_rows(), 1):
            if len(row) > limits.columns:
                raise BadRulesFile(f"row {place} has {len(row)} cells", f"use at most {limits.columns} columns")
            yield place, [_text(place, cell) for cell in row]
    except BadRulesFile:
        raise
    except Exception as error:  # a foreign parser, on bytes from anybody, raises whatever it stumbles over
        raise BadRulesFile(f"the file is no XLSX that can be read ({type(error).__name__})", _RIGHT) from error


def _measure(data: bytes, limits: Limits) -> None:
    """Refuse an archive that would unpack to too much, or XML that declares entities."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = archive.infolist()
        # zipfile never unpacks more of a part than is stated here.
        size = sum(part.file_size for part in parts)
        if len(parts) > _PARTS or size > limits.unpacked:
            what = f"the workbook has {len(parts)} parts and unpacks to {size} bytes"
            raise BadRulesFile(what, f"use at most {_PARTS} parts and {limits.unpacked} bytes")
        for part in parts:
            if b"<!DOCTYPE" in archive.read(part).replace(b"\0", b""):
                raise BadRulesFile(f"part {part.filename} of the workbook declares a document type", _RIGHT)


def _text(place: int, cell: Any) -> str:
    value = cell.value
    if cell.data_type == "f":
        raise BadRulesFile(f"row {place} has a formula", "write what the cell should say")
    if cell.data_type == "e":
        raise BadRulesFile(f"row {place} has the error {value}", "write what the cell should say")
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime | date):
        return value.isoformat(" ") if isinstance(value, datetime) else value.isoformat()
    text = "" if value is None else str(value)
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
