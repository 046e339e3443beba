"""Figures: how they are kept, and how they are printed."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median, quantiles

from rich.console import Console
from rich.table import Table

_PIPED_WIDTH = 132


class Relation(StrEnum):
    """On which side of its target a figure should be."""

    AT_LEAST = ">="
    AT_MOST = "<="


@dataclass(frozen=True, slots=True)
class Target:
    """What a figure should reach."""

    relation: Relation
    value: float

    def reached(self, value: float) -> bool:
        """Whether a value is on the right side."""
        return value >= self.value if self.relation is Relation.AT_LEAST else value <= self.value

    def __str__(self) -> str:
        return f"{self.relation} {self.value:g}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One named ratio: the middle one of its samples, the quartiles around it, and what it was computed from."""

    name: str
    value: float
    low: float
    high: float
    basis: str
    target: Target | None = None

    @classmethod
    def of(cls, name: str, samples: Sequence[float], basis: str, target: Target | None = None) -> Figure:
        """A figure from the ratios of all rounds."""
        low, _, high = quantiles(samples, n=4, method="inclusive")
        return cls(name, median(samples), low, high, basis, target)

    @property
    def reached(self) -> bool | None:
        """Whether the target is reached; None without one."""
        return self.target.reached(self.value) if self.target else None


def show(figures: Sequence[Figure], *, to_stderr: bool) -> None:
    """Print the figures as a table."""
    table = Table(title="Ratios measured in one run", caption=_machine(), title_justify="left")
    table.add_column("figure")
    for heading in ("ratio", "quartiles", "target", ""):
        table.add_column(heading, justify="right")
    table.add_column("from")
    words = {True: "[green]reached[/]", False: "[red]missed[/]", None: ""}
    for figure in figures:
        spread = f"{figure.low:.2f}-{figure.high:.2f}"
        target = str(figure.target or "")
        table.add_row(figure.name, f"{figure.value:.3f}", spread, target, words[figure.reached], figure.basis)
    console = Console(stderr=to_stderr)
    if not console.is_terminal:
        console.width = _PIPED_WIDTH
    console.print(table)


def as_json(figures: Sequence[Figure]) -> str:
    """The figures for programs."""
    return json.dumps({"machine": _machine(), "figures": [_figure(figure) for figure in figures]}, indent=2)


def _figure(figure: Figure) -> dict[str, object]:
    return {
        "name": figure.name,
        "ratio": round(figure.value, 4),
        "quartiles": [round(figure.low, 4), round(figure.high, 4)],
        "target": str(figure.target) if figure.target else None,
        "reached": figure.reached,
        "from": figure.basis,
    }


def _machine() -> str:
    return f"{platform.system()} {platform.release()}, {os.cpu_count()} CPUs, Python {platform.python_version()}"
