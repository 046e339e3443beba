"""CSV: UTF-8 with a mark at its beginning, by which spreadsheets know it. Line by line as RFC 4180 has it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from ringfence.exchange.values import BadRulesFile

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "'")
"""What a spreadsheet may take for the beginning of a formula, and the sign that stands before such a text."""


def write(rows: Iterable[Sequence[str]]) -> bytes:
    """A file of rows of texts. A text that a spreadsheet might run has ``'`` before it."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows([_guarded(cell) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def _guarded(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


def _bare(text: str) -> str:
    return text[1:] if text[:1] == "'" and text[1:].startswith(_FORMULA) else text


def read(data: bytes) -> Iterator[tuple[int, Sequence[str]]]:
    """Each row with the line in which it begins. Raises `BadRulesFile`."""
    right = "save it as CSV with commas, in UTF-8"
    try:
        lines = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
        place = 1
        for row in lines:
            yield place, [_bare(cell) for cell in row]
            place = lines.line_num + 1
    except UnicodeDecodeError as error:
        raise BadRulesFile(f"the file is not UTF-8 (byte {error.start})", right) from None
    except csv.Error as error:
        raise BadRulesFile(f"the file is not CSV: {error}", right) from None
