"""How the command line prints: tables for people, JSON for programs, and signs of life."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:  # imported where something is drawn: help, completion and JSON need none of it
    from rich.console import Console
    from rich.table import Table

Advance = Callable[[int, int], None]
"""Told how many probes of how many are done."""


def console() -> Console:
    """Where tables are printed."""
    from rich.console import Console

    # A description may hold brackets and colons: it is text, never markup.
    return Console(highlight=False, markup=False, emoji=False, width=None if sys.stdout.isatty() else 160)


def table_of(*headings: str, overflow: Literal["fold", "ellipsis"] = "ellipsis") -> Table:
    """An empty table of some columns, without lines."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading, overflow=overflow)
    return table


def print_table(table: Table, out: Console | None = None) -> None:
    """Print a table; where nobody watches, without the blanks that fill its last column, so that it can be copied."""
    out = out or console()
    if out.is_terminal:
        out.print(table)
        return
    with out.capture() as captured:
        out.print(table)
    print(*(line.rstrip() for line in captured.get().splitlines()), sep="\n")


def print_json(value: object) -> None:
    """Print a value for programs."""
    print(json.dumps(value, indent=2, ensure_ascii=False))


@contextmanager
def progress(what: str, *, quiet: bool) -> Iterator[Advance]:
    """A progress bar on standard error, where there is a terminal to show it."""
    from rich.console import Console
    from rich.progress import Progress

    err = Console(stderr=True)
    with Progress(console=err, transient=True, disable=quiet or not err.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
