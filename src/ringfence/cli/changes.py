"""What ``ringfence apply`` prints: what is plugged and unplugged, and the live connections that are cut."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ringfence.cli.output import console, table_of
from ringfence.cli.plans import show_turns
from ringfence.policy.live import Cut

_SHOWN = 50
"""So many connections are told to people one by one."""


@dataclass(frozen=True)
class Told:
    """A change of a lab, made or (``dry``) only looked at. ``commands`` are nft's; ``wiring`` is told in words."""

    lab: str
    dry: bool
    wiring: list[str]
    cuts: list[Cut]
    commands: int
    reached: Mapping[str, Any] | None = None
    """Who would reach whom otherwise, as `Difference.as_json` tells it; only of what is looked at."""

    def as_json(self) -> dict[str, object]:
        """For programs."""
        return {
            "lab": self.lab,
            "dry_run": self.dry,
            "wiring": self.wiring,
            "cuts": [cut.as_json() for cut in self.cuts],
            "commands": self.commands,
            **({"reachability": self.reached} if self.reached is not None else {}),
        }

    def show(self, *, as_json: bool) -> None:
        """Print it."""
        if as_json:
            print(json.dumps(self.as_json(), indent=2, ensure_ascii=False))
            return
        for line in self.wiring:
            print(line)
        if self.cuts:
            show_cuts(self.cuts, f"this change {'will cut' if self.dry else 'cut'}")
        if self.reached is not None:
            show_turns(self.reached)
        took = f"{'would take' if self.dry else 'took'} {_counted(self.commands, 'nft command')}"
        print(f"lab {self.lab!r} {took}")


def show_cuts(cuts: list[Cut], what: str) -> None:
    """A line for each connection that is cut, after a heading such as ``this change cut``."""
    print(f"{what} {_counted(len(cuts), 'live connection')}{':' if cuts else ''}")
    table = table_of("vpc", "connection", "held", "because")
    for cut in cuts[:_SHOWN]:
        held = f"{cut.hold} s" if cut.hold else "no"
        table.add_row(cut.connection.vpc, str(cut.connection), held, cut.because)
    if cuts:
        console().print(table)
    if len(cuts) > _SHOWN:
        print(f"... and {len(cuts) - _SHOWN} more; --json tells all")


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
