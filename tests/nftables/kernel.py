"""A network namespace of a test's own, and the `nft` program in it: a witness that shares no code with the driver."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ringfence.backends.nftables.driver import Driver

TABLE = "ringfence"
_numbers = itertools.count()


class Kernel:
    """One network namespace."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._drivers: list[Driver] = []

    def nft(self, *words: str, text: str | None = None) -> str:
        """Run the `nft` program there; a failure is the test's own mistake and shows."""
        done = subprocess.run(
            ["ip", "netns", "exec", self.name, "nft", *words], input=text, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def driver(self) -> Driver:
        """A driver that remembers nothing, as that of a new process."""
        self._drivers.append(Driver(self.name, TABLE))
        return self._drivers[-1]

    def clear(self) -> None:
        """Be as new: no tables, and no driver that remembers one."""
        self.nft("flush", "ruleset")
        while self._drivers:
            self._drivers.pop().close()

    def state(self) -> dict[str, Any]:
        """Everything in the driver's table, without handles and counts, and in an order of its own."""
        found: dict[str, Any] = {}
        for entry in json.loads(self.nft("-jns", "list", "table", "inet", TABLE))["nftables"]:
            ((kind, it),) = entry.items()
            it.pop("handle", None)
            if kind in ("set", "map"):
                it["elem"] = sorted(map(json.dumps, it.get("elem", ())))
            if kind == "rule":
                found.setdefault(f"rules of {it['chain']}", []).append(it)
            elif kind != "metainfo":
                found[f"{kind} {it['name']}"] = it
        return found

    def handle(self, chain: str, comment: str) -> str:
        """The handle of the rule with a comment."""
        listed = json.loads(self.nft("-j", "list", "chain", "inet", TABLE, chain))["nftables"]
        return str(next(it["rule"]["handle"] for it in listed if it.get("rule", {}).get("comment") == comment))


@contextmanager
def new_kernel() -> Iterator[Kernel]:
    """A namespace named ``rf-nft-...``, removed afterwards whatever happens."""
    name = f"rf-nft-{os.getpid()}-{next(_numbers)}"
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        kernel = Kernel(name)
        yield kernel
        kernel.clear()
    finally:
        subprocess.run(["ip", "netns", "del", name], check=True)
