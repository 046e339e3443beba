"""The driver of one VPC on this machine: plan in, one transaction out."""

from __future__ import annotations

from collections.abc import Mapping

from ringfence.backends.nftables.library import Nft
from ringfence.backends.nftables.readback import Counter, read_table
from ringfence.backends.nftables.render import render
from ringfence.backends.nftables.ruleset import Ruleset, difference, preparation, switch
from ringfence.compile.plan import VpcPlan


class Driver:
    """Keeps one table of one network namespace equal to a plan. It touches no other table.

    The first `apply` of a process reads back what the kernel holds, later ones remember it; `audit` reads it again.
    """

    def __init__(self, namespace: str, table: str) -> None:
        self._nft = Nft(namespace)
        self._table = table
        self._enforced: Ruleset | None = None

    def apply(self, plan: VpcPlan) -> int:
        """Enforce a plan and give back how many commands that took: 0 if it was in force already.

        One transaction switches from the old policy to the new; one before it may have put maps in place that nothing
        refers to yet. Raises `KernelRefused`, and then the old policy is still in force.
        """
        wanted, enforced = render(plan), self._held()
        transactions = [preparation(self._table, enforced, wanted), switch(self._table, enforced, wanted)]
        self._enforced = None  # until the kernel has said yes; after a refusal the next apply reads it back
        for commands in filter(None, transactions):
            self._nft.run("\n".join([f"add table inet {self._table}", *commands]))
        self._enforced = wanted
        return sum(map(len, transactions))

    def audit(self, plan: VpcPlan) -> list[str]:
        """What it would take to make the kernel equal to a plan, by what the kernel says of itself; empty if equal."""
        self._enforced = None
        return difference(self._table, self._held(), render(plan))

    def _held(self) -> Ruleset:
        if self._enforced is None:
            table = read_table(self._nft, self._table)
            self._enforced = table.ruleset if table else Ruleset()
        return self._enforced

    def counters(self) -> Mapping[str, Counter]:
        """Hits by rule id, and by the id of a default or intra-group decision."""
        table = read_table(self._nft, self._table)
        return {} if table is None else {key: count for key, count in table.counters.items() if key != "-"}

    def remove(self) -> None:
        """Take the table away; nothing judges packets then, so forwarding should be off."""
        self._nft.run(f"add table inet {self._table}\ndelete table inet {self._table}")
        self._enforced = None

    def close(self) -> None:
        """Give back the library's context; the policy stays in force."""
        self._nft.close()
