"""The gate before a lab: a world whose own expectations do not hold comes in only if somebody says why."""

from __future__ import annotations

import getpass
import json
import os
import time

from ringfence.errors import expectations_fail
from ringfence.lab.names import LabNames
from ringfence.model.world import World
from ringfence.policy.expecting import unmet_lines


def require_expectations(world: World, override: str = "") -> list[str]:
    """Raise `Conflict` (``expect.failed``) if expectations of a world do not hold in it, unless ``override`` says why.

    Gives those that do not hold.
    """
    lines = [*unmet_lines(world)]
    if lines and not override:
        raise expectations_fail(lines)
    return lines


def write_down(names: LabNames, override: str, lines: list[str]) -> None:
    """Keep who let a world in, when, why, and which of its expectations do not hold."""
    user = os.environ.get("SUDO_USER") or getpass.getuser()
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    said = {"at": at, "user": user, "override": override, "expectations": lines}
    with names.overrides.open("a", encoding="utf-8") as file:
        file.write(json.dumps(said, ensure_ascii=False) + "\n")
